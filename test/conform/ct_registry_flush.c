/* SPDX-License-Identifier: MIT
 * Hives go to their files: by ZwFlushKey, when they are unloaded, and by themselves after some seconds. [WDK ZwFlushKey, RegLoadKey] The
 * files lie in \SystemRoot\Temp (deviation D-210). */
#include "ct_registry_key.h"

#define TEMP L"\\SystemRoot\\Temp"
#define SOFTWARE TEMP L"\\SOFTWARE"
#define COPY TEMP L"\\NtboxHiveCopy"
#define LOADED L"\\Registry\\Machine\\NtboxFlushed"
#define LOADED_TEST LOADED L"\\NtboxTest"
#define HEADER 4096u
#define MINUTE (-60 * 10000000ll)

static NTSTATUS OpenFile(PCWSTR Path, ACCESS_MASK Access, ULONG Disposition, ULONG Options, PHANDLE File)
{
    UNICODE_STRING Name = CtName(Path);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(File, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition, Options, NULL,
                        0);
}

/* The whole file in pool, or NULL. */
static ULONG *ReadWhole(PCWSTR Path, ULONG *Length)
{
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    FILE_STANDARD_INFORMATION Standard;
    ULONG *Bytes = NULL;
    if (!NT_SUCCESS(OpenFile(Path, FILE_READ_DATA, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, &File)))
        return NULL;
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation));
    *Length = Standard.EndOfFile.LowPart;
    if (*Length >= 2 * HEADER)
        Bytes = ExAllocatePool2(POOL_FLAG_PAGED, *Length, 'tCtC');
    if (Bytes != NULL)
        CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Bytes, *Length, &Start, NULL));
    CT_SUCCESS(ZwClose(File));
    return Bytes;
}

/* The number of the last write of the hive file, or 0. The header must be that of a hive that was written to its end: "regf", two equal
 * sequence numbers, the words' XOR. */
static ULONG Sequence(PCWSTR Path)
{
    ULONG Length, Sum = 0, Number = 0;
    ULONG *Bytes = ReadWhole(Path, &Length);
    if (Bytes == NULL)
        return 0;
    for (ULONG i = 0; i < 127; i++)
        Sum ^= Bytes[i];
    CT_EQUAL(Bytes[0], 0x66676572);
    CT_EQUAL(Bytes[127], Sum);
    CT_EQUAL(Bytes[10], Length - HEADER);
    if (CT_EQUAL(Bytes[1], Bytes[2]))
        Number = Bytes[1];
    ExFreePoolWithTag(Bytes, 'tCtC');
    return Number;
}

static NTSTATUS Load(PCWSTR Path)
{
    UNICODE_STRING Key = CtName(LOADED), File = CtName(Path);
    OBJECT_ATTRIBUTES KeyAttributes, FileAttributes;
    InitializeObjectAttributes(&KeyAttributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwLoadKey(&KeyAttributes, &FileAttributes);
}

static NTSTATUS Unload(VOID)
{
    UNICODE_STRING Key = CtName(LOADED);
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwUnloadKey(&Attributes);
}

/* Loads the file, looks at the two numbers in it, unloads it. */
static VOID CheckFile(PCWSTR Path, ULONG First, ULONG Second)
{
    HANDLE Key;
    ULONG Value = 0;
    CT_REQUIRE(CT_SUCCESS(Load(Path)));
    if (CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED_TEST, 0))) {
        CT_SUCCESS(CtGetNumber(Key, L"First", &Value));
        CT_EQUAL(Value, First);
        CT_SUCCESS(CtGetNumber(Key, L"Second", &Value));
        CT_EQUAL(Value, Second);
        CT_SUCCESS(ZwClose(Key));
    }
    CT_SUCCESS(Unload());
}

static VOID CheckNoRest(VOID)
{
    HANDLE File;
    CT_STATUS(OpenFile(SOFTWARE L".flush", FILE_READ_DATA, FILE_OPEN, 0, &File),
              STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID RegistryFlush(VOID)
{
    HANDLE Key, Volatile;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"First", 1));
    CT_SUCCESS(CtSetNumber(Key, L"Second", 2));
    CT_SUCCESS(ZwFlushKey(Key));
    ULONG Before = Sequence(SOFTWARE);
    CT_CHECK(Before != 0);
    CheckFile(SOFTWARE, 1, 2);
    CT_SUCCESS(ZwFlushKey(Key)); /* nothing has changed */
    CT_EQUAL(Sequence(SOFTWARE), Before);
    CT_SUCCESS(CtSetNumber(Key, L"Second", 3));
    CT_SUCCESS(ZwFlushKey(Key));
    CT_CHECK(Sequence(SOFTWARE) > Before);
    CheckFile(SOFTWARE, 1, 3);
    CheckNoRest();
    CT_SUCCESS(CtCreateKey(&Volatile, Key, L"Volatile", REG_OPTION_VOLATILE, NULL));
    CT_SUCCESS(ZwFlushKey(Volatile));
    CT_SUCCESS(ZwDeleteKey(Volatile));
    CT_STATUS(ZwFlushKey(Volatile), STATUS_KEY_DELETED);
    CT_SUCCESS(ZwClose(Volatile));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Hardware", 0));
    CT_SUCCESS(ZwFlushKey(Key)); /* has no file */
    CT_SUCCESS(ZwClose(Key));
}

static BOOLEAN MakeCopy(VOID)
{
    ULONG Length;
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    ULONG *Bytes = ReadWhole(SOFTWARE, &Length);
    if (!CT_CHECK(Bytes != NULL))
        return FALSE;
    BOOLEAN Made =
        CT_SUCCESS(OpenFile(COPY, FILE_WRITE_DATA, FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT, &File));
    if (Made) {
        Made = CT_SUCCESS(ZwWriteFile(File, NULL, NULL, NULL, &Iosb, Bytes, Length, &Start, NULL));
        CT_SUCCESS(ZwClose(File));
    }
    ExFreePoolWithTag(Bytes, 'tCtC');
    return Made;
}

/* A hive that was loaded goes back to its own file, and when it is unloaded. */
static VOID FlushLoaded(VOID)
{
    HANDLE Key;
    ULONG Before = Sequence(COPY);
    CT_REQUIRE(CT_SUCCESS(Load(COPY)));
    if (CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED_TEST, 0))) {
        CT_SUCCESS(CtSetNumber(Key, L"First", 10));
        CT_SUCCESS(ZwFlushKey(Key));
        CT_EQUAL(Sequence(COPY), Before + 1);
        CT_SUCCESS(CtSetNumber(Key, L"Second", 20));
        CT_SUCCESS(ZwClose(Key));
    }
    CT_SUCCESS(Unload());
    CT_EQUAL(Sequence(COPY), Before + 2);
    CheckFile(COPY, 10, 20);
    CT_EQUAL(Sequence(COPY), Before + 2); /* was only read */
}

static VOID RegistryFlushLoaded(VOID)
{
    HANDLE Key;
    UNICODE_STRING Name = CtName(COPY);
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"First", 1));
    CT_SUCCESS(CtSetNumber(Key, L"Second", 2));
    CT_SUCCESS(ZwFlushKey(Key));
    if (MakeCopy()) {
        FlushLoaded();
        CT_SUCCESS(ZwDeleteFile(&Attributes));
    }
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static IO_STATUS_BLOCK FolderIosb;
static ULONG64 FolderRoom[64];

static NTSTATUS WatchFolder(HANDLE Folder, HANDLE Event)
{
    return NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &FolderIosb, FolderRoom, sizeof(FolderRoom),
                                       FILE_NOTIFY_CHANGE_FILE_NAME, FALSE);
}

/* A flush that is under way has its new file open for itself alone. It is at an end when another hive's flush, here of one without a file,
 * has had its turn. */
static VOID WaitForOtherFlush(VOID)
{
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Hardware", 0)));
    CT_SUCCESS(ZwFlushKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

/* What changes in the folder is waited for, until the hive's file is another; at most a minute for each change. Status: of WatchFolder,
 * which was called before the hive changed. */
static VOID WaitForFlush(HANDLE Folder, HANDLE Event, ULONG Before, NTSTATUS Status)
{
    LARGE_INTEGER Minute = {.QuadPart = MINUTE};
    for (;;) {
        if (Status == STATUS_PENDING)
            Status = ZwWaitForSingleObject(Event, FALSE, &Minute);
        CT_REQUIRE(CT_STATUS(Status, STATUS_SUCCESS));
        WaitForOtherFlush();
        if (Sequence(SOFTWARE) != Before)
            return;
        Status = WatchFolder(Folder, Event);
    }
}

/* [WDK ZwFlushKey] "the system flushes key changes automatically every few seconds" */
static VOID RegistryFlushLater(VOID)
{
    HANDLE Key, Folder, Event;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_REQUIRE(CT_SUCCESS(OpenFile(TEMP, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE, &Folder)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"Second", 6));
    CT_SUCCESS(ZwFlushKey(Key));
    ULONG Before = Sequence(SOFTWARE);
    NTSTATUS Watched = WatchFolder(Folder, Event);
    CT_SUCCESS(CtSetNumber(Key, L"First", 5));
    WaitForFlush(Folder, Event, Before, Watched);
    CheckFile(SOFTWARE, 5, 6);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(ZwClose(Folder));
    CT_SUCCESS(ZwClose(Event));
}

static const CT_CASE Cases[] = {
    {"registry.flush", RegistryFlush},
    {"registry.flush_loaded", RegistryFlushLoaded},
    {"registry.flush_later", RegistryFlushLater},
};

CT_DRIVER(Cases)
