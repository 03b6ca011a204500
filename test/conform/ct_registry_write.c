/* SPDX-License-Identifier: MIT
 * Writing the registry. [WDK ZwCreateKey, ZwSetValueKey, ZwDeleteKey, ZwDeleteValueKey, ZwFlushKey, ZwNotifyChangeKey, ZwOpenKeyEx,
 * ZwSetInformationKey] */
#include "ct_registry_key.h"

static HANDLE Root;
static ULONG Length;
static UCHAR Room[1024];

static BOOLEAN Begin(VOID)
{
    ULONG Disposition = 0;
    if (!CT_SUCCESS(CtCreateKey(&Root, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, &Disposition)))
        return FALSE;
    return CT_EQUAL(Disposition, REG_CREATED_NEW_KEY);
}

static VOID End(VOID)
{
    CT_SUCCESS(ZwDeleteKey(Root));
    CT_SUCCESS(ZwClose(Root));
}

static VOID CreateVolatile(VOID)
{
    HANDLE Key, Below;
    ULONG Value = 0;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, Root, L"Volatile", REG_OPTION_VOLATILE, NULL)));
    /* [WDK ZwCreateKey] below a volatile key all are volatile */
    CT_STATUS(CtCreateKey(&Below, Key, L"Below", 0, NULL), STATUS_CHILD_MUST_BE_VOLATILE);
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Below, Key, L"Below", REG_OPTION_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Below, L"Number", 77));
    CT_SUCCESS(CtGetNumber(Below, L"NUMBER", &Value));
    CT_EQUAL(Value, 77);
    CT_STATUS(ZwDeleteKey(Key), STATUS_CANNOT_DELETE);
    CT_SUCCESS(ZwDeleteKey(Below));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Below));
    CT_SUCCESS(ZwClose(Key));
}

static VOID CreateWithClass(VOID)
{
    UNICODE_STRING Name = CtName(L"Classy"), Class = CtName(L"A class");
    OBJECT_ATTRIBUTES Object;
    HANDLE Key;
    PKEY_NODE_INFORMATION Node = (PVOID)Room;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE, Root, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwCreateKey(&Key, KEY_ALL_ACCESS, &Object, 0, &Class, 0, NULL)));
    CT_SUCCESS(ZwQueryKey(Key, KeyNodeInformation, Room, sizeof(Room), &Length));
    CT_EQUAL(Node->ClassLength, Class.Length);
    CT_EQUAL(RtlCompareMemory(Room + Node->ClassOffset, Class.Buffer, Class.Length), Class.Length);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID RegistryCreate(VOID)
{
    HANDLE Key, Again;
    ULONG Disposition = 0;
    static WCHAR Long[258];
    CT_REQUIRE(Begin());
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, Root, L"Child", 0, &Disposition)));
    CT_EQUAL(Disposition, REG_CREATED_NEW_KEY);
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Again, Root, L"cHILD", 0, &Disposition)));
    CT_EQUAL(Disposition, REG_OPENED_EXISTING_KEY);
    CT_SUCCESS(ZwClose(Again));
    /* the key above the last one must exist */
    CT_STATUS(CtCreateKey(&Again, Root, L"No\\Such", 0, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(CtCreateKey(&Again, NULL, L"\\Registry\\Machine\\Ntbox", 0, NULL), STATUS_INVALID_PARAMETER);
    for (ULONG i = 0; i < 257; i++)
        Long[i] = L'x';
    Long[256] = 0;
    CT_STATUS(CtCreateKey(&Again, Root, Long, 0, NULL), STATUS_INVALID_PARAMETER);
    Long[255] = 0;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Again, Root, Long, 0, NULL)));
    CT_SUCCESS(ZwDeleteKey(Again));
    CT_SUCCESS(ZwClose(Again));
    CT_STATUS(CtCreateKey(&Again, Root, L"x", 0x80, NULL), STATUS_INVALID_PARAMETER);
    CreateVolatile();
    CreateWithClass();
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    End();
}

/* A handle of a deleted key stays open, and good for nothing but to be closed. */
static VOID RegistryDelete(VOID)
{
    HANDLE Key, Other, Below;
    ULONG Value;
    CT_REQUIRE(Begin());
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, Root, L"Child", 0, NULL)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Other, Root, L"Child", 0)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Below, Key, L"Below", 0, NULL)));
    CT_STATUS(ZwDeleteKey(Key), STATUS_CANNOT_DELETE);
    CT_SUCCESS(ZwDeleteKey(Below));
    CT_SUCCESS(ZwClose(Below));
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_STATUS(ZwDeleteKey(Key), STATUS_KEY_DELETED);
    CT_STATUS(CtSetNumber(Other, L"Number", 1), STATUS_KEY_DELETED);
    CT_STATUS(CtGetNumber(Other, L"Number", &Value), STATUS_KEY_DELETED);
    CT_STATUS(ZwQueryKey(Other, KeyBasicInformation, Room, sizeof(Room), &Length), STATUS_KEY_DELETED);
    CT_STATUS(ZwEnumerateKey(Other, 0, KeyBasicInformation, Room, sizeof(Room), &Length), STATUS_KEY_DELETED);
    CT_STATUS(CtCreateKey(&Below, Other, L"Below", 0, NULL), STATUS_KEY_DELETED);
    CT_STATUS(CtOpenKey(&Below, Root, L"Child", 0), STATUS_OBJECT_NAME_NOT_FOUND);
    /* a new key of that name is another one */
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Below, Root, L"Child", 0, NULL)));
    CT_STATUS(CtGetNumber(Below, L"Number", &Value), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwDeleteKey(Below));
    CT_SUCCESS(ZwClose(Below));
    CT_SUCCESS(ZwClose(Other));
    CT_SUCCESS(ZwClose(Key));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Software", 0)));
    CT_STATUS(ZwDeleteKey(Key), STATUS_CANNOT_DELETE);
    CT_SUCCESS(ZwClose(Key));
    End();
}

static VOID SetMany(VOID)
{
    WCHAR Text[] = L"Value000";
    ULONG Value;
    for (ULONG i = 0; i < 300; i++) {
        Text[5] = (WCHAR)(L'0' + i / 100);
        Text[6] = (WCHAR)(L'0' + i / 10 % 10);
        Text[7] = (WCHAR)(L'0' + i % 10);
        CT_SUCCESS(CtSetNumber(Root, Text, i));
    }
    CT_SUCCESS(CtGetNumber(Root, L"value123", &Value));
    CT_EQUAL(Value, 123);
    CT_SUCCESS(ZwQueryKey(Root, KeyFullInformation, Room, sizeof(Room), &Length));
    CT_EQUAL(((PKEY_FULL_INFORMATION)Room)->Values, 300);
    while (NT_SUCCESS(ZwEnumerateValueKey(Root, 0, KeyValueBasicInformation, Room, sizeof(Room), &Length))) {
        PKEY_VALUE_BASIC_INFORMATION Basic = (PVOID)Room;
        UNICODE_STRING Name = {(USHORT)Basic->NameLength, (USHORT)Basic->NameLength, Basic->Name};
        if (!CT_SUCCESS(ZwDeleteValueKey(Root, &Name)))
            break;
    }
}

/* Data of 60,000 bytes, which a hive stores in several pieces. */
static VOID SetBig(VOID)
{
    ULONG Size = 60000, Fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    PUCHAR Data = ExAllocatePool2(POOL_FLAG_PAGED, 2 * Size + Fixed, 'tCtC');
    UNICODE_STRING Name = CtName(L"Big");
    CT_REQUIRE(Data != NULL);
    for (ULONG i = 0; i < Size; i++)
        Data[i] = (UCHAR)(i * 7);
    CT_SUCCESS(ZwSetValueKey(Root, &Name, 0, REG_BINARY, Data, Size));
    CT_SUCCESS(ZwQueryValueKey(Root, &Name, KeyValuePartialInformation, Data + Size, Size + Fixed, &Length));
    CT_EQUAL(Length, Size + Fixed);
    CT_EQUAL(RtlCompareMemory(Data, Data + Size + Fixed, Size), Size);
    CT_SUCCESS(ZwDeleteValueKey(Root, &Name));
    ExFreePoolWithTag(Data, 'tCtC');
}

/* Full information of a value without data ends with its name, of one with data with the data, whatever the name's length; a buffer of the
 * told length is enough. */
static VOID CheckFullLength(PCWSTR Text, ULONG DataLength)
{
    UNICODE_STRING Name;
    UCHAR Data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    PKEY_VALUE_FULL_INFORMATION Full = (PKEY_VALUE_FULL_INFORMATION)Room;
    RtlInitUnicodeString(&Name, Text);
    CT_SUCCESS(ZwSetValueKey(Root, &Name, 0, REG_BINARY, Data, DataLength));
    CT_STATUS(ZwQueryValueKey(Root, &Name, KeyValueFullInformation, NULL, 0, &Length),
              STATUS_BUFFER_TOO_SMALL);
    CT_SUCCESS(ZwQueryValueKey(Root, &Name, KeyValueFullInformation, Room, Length, &Length));
    CT_EQUAL(Full->DataLength, DataLength);
    CT_EQUAL(Length, DataLength != 0 ? Full->DataOffset + DataLength
                                     : FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name) + (ULONG)Name.Length);
    CT_EQUAL(DataLength ? RtlCompareMemory((PUCHAR)Full + Full->DataOffset, Data, DataLength) : 0,
             DataLength);
    CT_SUCCESS(ZwDeleteValueKey(Root, &Name));
}

static VOID RegistryFullLength(VOID)
{
    CT_REQUIRE(Begin());
    for (ULONG DataLength = 0; DataLength <= 8; DataLength++) {
        CheckFullLength(L"Odd", DataLength);
        CheckFullLength(L"Even", DataLength);
        CheckFullLength(L"", DataLength);
    }
    End();
}

static VOID RegistrySet(VOID)
{
    ULONG Value = 0;
    UNICODE_STRING Empty = {0};
    CT_REQUIRE(Begin());
    CT_SUCCESS(CtSetNumber(Root, L"Number", 5));
    CT_SUCCESS(CtSetNumber(Root, L"nUMBER", 6)); /* the same value */
    CT_SUCCESS(CtGetNumber(Root, L"Number", &Value));
    CT_EQUAL(Value, 6);
    CT_SUCCESS(CtSetText(Root, L"Number", REG_SZ, L"text", 10)); /* another type and length */
    CT_SUCCESS(ZwEnumerateValueKey(Root, 0, KeyValueFullInformation, Room, sizeof(Room), &Length));
    CT_EQUAL(((PKEY_VALUE_FULL_INFORMATION)Room)->Type, REG_SZ);
    CT_EQUAL(((PKEY_VALUE_FULL_INFORMATION)Room)->DataLength, 10);
    CT_CHECK(((PKEY_VALUE_FULL_INFORMATION)Room)->Name[0] == L'N'); /* the first spelling stays */
    CT_STATUS(ZwEnumerateValueKey(Root, 1, KeyValueFullInformation, Room, sizeof(Room), &Length),
              STATUS_NO_MORE_ENTRIES);
    CT_SUCCESS(ZwSetValueKey(Root, &Empty, 0, REG_DWORD, &Value, sizeof(Value))); /* the default value */
    CT_SUCCESS(ZwDeleteValueKey(Root, &Empty));
    CT_STATUS(ZwDeleteValueKey(Root, &Empty), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwSetValueKey(Root, NULL, 0, REG_DWORD, &Value, sizeof(Value))); /* no name is the empty one */
    CT_SUCCESS(ZwQueryValueKey(Root, NULL, KeyValuePartialInformation, Room, sizeof(Room), &Length));
    CT_SUCCESS(ZwDeleteValueKey(Root, NULL));
    CT_STATUS(ZwDeleteValueKey(Root, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(CtDeleteValue(Root, L"number"));
    CT_SUCCESS(ZwSetValueKey(Root, &Empty, 0, REG_NONE, NULL, 0));
    CT_SUCCESS(ZwDeleteValueKey(Root, &Empty));
    SetMany();
    SetBig();
    End();
}

static VOID RegistryRename(VOID)
{
    HANDLE Key, Below, Again;
    UNICODE_STRING New = CtName(L"A much longer name than before"), Taken = CtName(L"TAKEN");
    PKEY_NAME_INFORMATION Name = (PVOID)Room;
    CT_REQUIRE(Begin());
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, Root, L"Old", 0, NULL)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Below, Key, L"Below", 0, NULL)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Again, Root, L"Taken", 0, NULL)));
    CT_SUCCESS(ZwDeleteKey(Again));
    CT_SUCCESS(ZwClose(Again));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Again, Root, L"Taken", 0, NULL)));
    CT_STATUS(ZwRenameKey(Key, &Taken), STATUS_CANNOT_DELETE);
    CT_SUCCESS(ZwDeleteKey(Again));
    CT_SUCCESS(ZwClose(Again));
    CT_SUCCESS(ZwRenameKey(Key, &New));
    CT_STATUS(CtOpenKey(&Again, Root, L"Old\\Below", 0), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Again, Root, L"A much longer name than before\\Below", 0)));
    /* an open handle below it knows the new name */
    CT_SUCCESS(ZwQueryKey(Below, KeyNameInformation, Room, sizeof(Room), &Length));
    CT_EQUAL(Name->NameLength,
             sizeof(L"\\REGISTRY\\MACHINE\\SOFTWARE\\NtboxTest\\A much longer name than before\\Below") -
                 sizeof(WCHAR));
    CT_SUCCESS(ZwDeleteKey(Again));
    CT_SUCCESS(ZwClose(Again));
    CT_SUCCESS(ZwClose(Below));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    End();
}

static VOID RegistryLink(VOID)
{
    HANDLE Target, Link, Opened;
    UNICODE_STRING Name = CtName(L"Link");
    OBJECT_ATTRIBUTES Object;
    static const WCHAR Path[] = CT_ROOT L"\\Target";
    ULONG Value = 0, Disposition;
    CT_REQUIRE(Begin());
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Target, Root, L"Target", 0, NULL)));
    CT_SUCCESS(CtSetNumber(Target, L"Number", 9));
    CT_REQUIRE(CT_SUCCESS(
        CtCreateKey(&Link, Root, L"Link", REG_OPTION_CREATE_LINK | REG_OPTION_VOLATILE, &Disposition)));
    CT_EQUAL(Disposition, REG_CREATED_NEW_KEY);
    CT_STATUS(CtSetNumber(Link, L"Number", 1), STATUS_ACCESS_DENIED);
    CT_SUCCESS(CtSetText(Link, L"SymbolicLinkValue", REG_LINK, Path, sizeof(Path) - sizeof(WCHAR)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Opened, Root, L"Link", 0)));
    CT_SUCCESS(CtGetNumber(Opened, L"Number", &Value));
    CT_EQUAL(Value, 9);
    CT_SUCCESS(ZwClose(Opened));
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE, Root, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwOpenKeyEx(&Opened, KEY_READ, &Object, REG_OPTION_OPEN_LINK)));
    CT_STATUS(CtGetNumber(Opened, L"Number", &Value), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwClose(Opened));
    CT_STATUS(ZwOpenKeyEx(&Opened, KEY_READ, &Object, 0x100), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(ZwClose(Link));
    CtDeleteKey(Root, L"Link");
    CT_SUCCESS(ZwDeleteKey(Target));
    CT_SUCCESS(ZwClose(Target));
    End();
}

static VOID RegistryInformation(VOID)
{
    KEY_WRITE_TIME_INFORMATION Time = {.LastWriteTime = {.QuadPart = 0x01d0000000000000}};
    CT_REQUIRE(Begin());
    CT_SUCCESS(ZwSetInformationKey(Root, KeyWriteTimeInformation, &Time, sizeof(Time)));
    CT_SUCCESS(ZwQueryKey(Root, KeyBasicInformation, Room, sizeof(Room), &Length));
    CT_EQUAL(((PKEY_BASIC_INFORMATION)Room)->LastWriteTime.QuadPart, Time.LastWriteTime.QuadPart);
    CT_SUCCESS(CtSetNumber(Root, L"x", 1));
    CT_SUCCESS(CtDeleteValue(Root, L"x"));
    CT_SUCCESS(ZwQueryKey(Root, KeyBasicInformation, Room, sizeof(Room), &Length));
    CT_CHECK(((PKEY_BASIC_INFORMATION)Room)->LastWriteTime.QuadPart > Time.LastWriteTime.QuadPart);
    CT_STATUS(ZwSetInformationKey(Root, KeyWriteTimeInformation, &Time, 4), STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetInformationKey(Root, (KEY_SET_INFORMATION_CLASS)99, &Time, 4), STATUS_INVALID_INFO_CLASS);
    CT_SUCCESS(ZwFlushKey(Root));
    End();
}

/* --- notifications --------------------------------------------------------------------------------------------------- */

static WORK_QUEUE_ITEM Item;
static KEVENT ItemRan;

static VOID NTAPI ItemRoutine(PVOID Context)
{
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS Ask(HANDLE Key, HANDLE Event, PIO_STATUS_BLOCK Iosb, ULONG Filter, BOOLEAN Tree)
{
    return ZwNotifyChangeKey(Key, Event, NULL, NULL, Iosb, Filter, Tree, NULL, 0, TRUE);
}

static NTSTATUS TryWait(HANDLE Event)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    return ZwWaitForSingleObject(Event, FALSE, &Now);
}

static VOID NotifyTree(HANDLE Event)
{
    HANDLE Watch, Child, Below;
    IO_STATUS_BLOCK Iosb = {0};
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Child, Root, L"Child", 0, NULL)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Watch, Root, L"", 0)));
    CT_STATUS(Ask(Watch, Event, &Iosb, REG_NOTIFY_CHANGE_NAME, TRUE), STATUS_PENDING);
    CT_SUCCESS(CtSetNumber(Child, L"Number", 1)); /* not asked for */
    CT_STATUS(TryWait(Event), STATUS_TIMEOUT);
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Below, Child, L"Below", 0, NULL)));
    CT_SUCCESS(TryWait(Event));
    CT_STATUS(Iosb.Status, STATUS_NOTIFY_ENUM_DIR);
    /* what changes while nobody asks is told to the next who does */
    CT_SUCCESS(ZwDeleteKey(Below));
    CT_STATUS(Ask(Watch, Event, &Iosb, REG_NOTIFY_CHANGE_NAME, TRUE), STATUS_NOTIFY_ENUM_DIR);
    CT_SUCCESS(TryWait(Event));
    /* closing ends it */
    CT_STATUS(Ask(Watch, Event, &Iosb, REG_NOTIFY_CHANGE_NAME, TRUE), STATUS_PENDING);
    CT_STATUS(TryWait(Event), STATUS_TIMEOUT);
    CT_SUCCESS(ZwClose(Watch));
    CT_SUCCESS(TryWait(Event));
    CT_STATUS(Iosb.Status, STATUS_NOTIFY_CLEANUP);
    CT_SUCCESS(ZwClose(Below));
    CT_SUCCESS(ZwDeleteKey(Child));
    CT_SUCCESS(ZwClose(Child));
}

static VOID NotifyValue(HANDLE Event)
{
    HANDLE Watch, Child;
    IO_STATUS_BLOCK Iosb = {0};
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Watch, Root, L"", 0)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Child, Root, L"Child", 0, NULL)));
    CT_STATUS(Ask(Watch, Event, &Iosb, 0, FALSE), STATUS_INVALID_PARAMETER);
    CT_STATUS(Ask(Watch, Event, &Iosb, REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
    CT_STATUS(TryWait(Event), STATUS_TIMEOUT);
    CT_SUCCESS(CtSetNumber(Child, L"Number", 1)); /* below: not asked for */
    CT_STATUS(TryWait(Event), STATUS_TIMEOUT);
    CT_SUCCESS(CtSetNumber(Root, L"Number", 1));
    CT_SUCCESS(TryWait(Event));
    KeInitializeEvent(&ItemRan, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, ItemRoutine, &ItemRan);
    CT_STATUS(ZwNotifyChangeKey(Watch, NULL, (PIO_APC_ROUTINE)&Item, (PVOID)(ULONG_PTR)DelayedWorkQueue,
                                &Iosb, REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, TRUE),
              STATUS_PENDING);
    CT_SUCCESS(CtDeleteValue(Root, L"Number"));
    CT_SUCCESS(KeWaitForSingleObject(&ItemRan, Executive, KernelMode, FALSE, NULL));
    CT_SUCCESS(ZwClose(Watch));
    CT_SUCCESS(ZwDeleteKey(Child));
    CT_SUCCESS(ZwClose(Child));
}

static VOID NTAPI Changer(PVOID Context)
{
    CtSetNumber(Root, L"Number", 2);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A thread that waits. Its first wait may come after the change: then it has missed it and ends too. */
static VOID NotifyWaits(VOID)
{
    HANDLE Watch, Thread;
    IO_STATUS_BLOCK Iosb = {0}, First;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Watch, Root, L"", 0)));
    CT_STATUS(Ask(Watch, NULL, &First, REG_NOTIFY_CHANGE_LAST_SET, FALSE), STATUS_PENDING);
    CT_SUCCESS(CtSetNumber(Root, L"Number", 1));
    CT_REQUIRE(CT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Changer, NULL)));
    CT_STATUS(
        ZwNotifyChangeKey(Watch, NULL, NULL, NULL, &Iosb, REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, FALSE),
        STATUS_NOTIFY_ENUM_DIR);
    CT_STATUS(Iosb.Status, STATUS_NOTIFY_ENUM_DIR);
    CT_SUCCESS(ZwWaitForSingleObject(Thread, FALSE, NULL));
    CT_SUCCESS(ZwClose(Thread));
    CT_SUCCESS(ZwClose(Watch));
    CT_SUCCESS(CtDeleteValue(Root, L"Number"));
}

static VOID RegistryNotify(VOID)
{
    HANDLE Event;
    OBJECT_ATTRIBUTES Object;
    InitializeObjectAttributes(&Object, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(Begin());
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Object, NotificationEvent, FALSE)));
    NotifyTree(Event);
    NotifyValue(Event);
    NotifyWaits();
    CT_SUCCESS(ZwClose(Event));
    End();
}

static VOID RegistryObject(VOID)
{
    PVOID Object;
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, CT_SERVICES, 0)));
    CT_REQUIRE(
        CT_SUCCESS(ObReferenceObjectByHandle(Key, KEY_READ, *CmKeyObjectType, KernelMode, &Object, NULL)));
    PVOID Thread;
    CT_STATUS(ObReferenceObjectByHandle(Key, 0, *PsThreadType, KernelMode, &Thread, NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Key));
    /* keys that every system has */
    CT_REQUIRE(CT_SUCCESS(
        CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class", 0)));
    CT_SUCCESS(ZwClose(Key));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\User\\.Default", 0)));
    CT_SUCCESS(ZwClose(Key));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Hardware\\DeviceMap", 0)));
    HANDLE Below;
    CT_STATUS(CtCreateKey(&Below, Key, L"Ntbox", 0, NULL), STATUS_CHILD_MUST_BE_VOLATILE);
    CT_SUCCESS(ZwClose(Key));
}

/* A key's descriptor is the key's, not the handle's. */
static VOID RegistrySecurity(VOID)
{
    HANDLE Same;
    SECURITY_DESCRIPTOR Everyone;
    ULONG Needed = 0;
    CT_REQUIRE(Begin());
    CT_STATUS(ZwQuerySecurityObject(Root, DACL_SECURITY_INFORMATION, NULL, 0, &Needed),
              STATUS_BUFFER_TOO_SMALL);
    CT_CHECK(Needed > sizeof(SECURITY_DESCRIPTOR_RELATIVE)); /* it has its parent's */
    CT_SUCCESS(RtlCreateSecurityDescriptor(&Everyone, SECURITY_DESCRIPTOR_REVISION));
    CT_SUCCESS(RtlSetDaclSecurityDescriptor(&Everyone, TRUE, NULL, FALSE));
    CT_SUCCESS(ZwSetSecurityObject(Root, DACL_SECURITY_INFORMATION, &Everyone));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Same, NULL, CT_ROOT, 0)));
    CT_STATUS(ZwQuerySecurityObject(Same, DACL_SECURITY_INFORMATION, NULL, 0, &Needed),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Needed, sizeof(SECURITY_DESCRIPTOR_RELATIVE));
    CT_STATUS(ZwQuerySecurityObject(Same, OWNER_SECURITY_INFORMATION, NULL, 0, &Needed),
              STATUS_BUFFER_TOO_SMALL);
    CT_CHECK(Needed > sizeof(SECURITY_DESCRIPTOR_RELATIVE)); /* the owner stayed */
    CT_SUCCESS(ZwClose(Same));
    End();
}

static const CT_CASE Cases[] = {
    {"registry.create", RegistryCreate},           {"registry.delete", RegistryDelete},
    {"registry.full_length", RegistryFullLength},  {"registry.set", RegistrySet},
    {"registry.rename", RegistryRename},           {"registry.link", RegistryLink},
    {"registry.information", RegistryInformation}, {"registry.notify", RegistryNotify},
    {"registry.object", RegistryObject},           {"registry.security", RegistrySecurity},
};

CT_DRIVER(Cases)
