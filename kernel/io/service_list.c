/* SPDX-License-Identifier: MIT
 * Reads the service keys and the two values that order them. [WDK HKLM\SYSTEM\CurrentControlSet\Services] [WDK Specifying Driver Load
 * Order] What lies in the hive is untrusted: lengths and types are looked at, and what does not fit is as if it were not there. */
#include "service_list.h"
#include "kd.h"

#define IOP_DEMAND_START 3u
#define IOP_DISABLED 4u

#define IOP_CONTROL L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\"

static PVOID IopListAllocate(IOP_SERVICE_LIST *List, SIZE_T Length)
{
    PVOID *Block = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(PVOID) * 2 + Length, IOP_TAG_BUFFER);
    if (Block == NULL)
        return NULL;
    Block[0] = List->Blocks;
    List->Blocks = Block;
    return Block + 2;
}

VOID IopFreeServiceList(IOP_SERVICE_LIST *List)
{
    for (PVOID *Block = List->Blocks; Block != NULL;) {
        PVOID *Next = Block[0];
        ExFreePoolWithTag(Block, IOP_TAG_BUFFER);
        Block = Next;
    }
    RtlZeroMemory(List, sizeof(*List));
}

static NTSTATUS IopOpenListKey(HANDLE Root, PCUNICODE_STRING Name, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               Root, NULL);
    return ZwOpenKey(Key, KEY_READ, &Attributes);
}

/* The value in a block of the list's; NULL in *Value: there is none. */
static NTSTATUS IopReadListValue(IOP_SERVICE_LIST *List, HANDLE Key, PCUNICODE_STRING Name,
                                 PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    ULONG Length = 0;
    NTSTATUS Status =
        ZwQueryValueKey(Key, (PUNICODE_STRING)Name, KeyValuePartialInformation, NULL, 0, &Length);
    *Value = NULL;
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (Status != STATUS_BUFFER_TOO_SMALL && Status != STATUS_BUFFER_OVERFLOW)
        return Status;
    PKEY_VALUE_PARTIAL_INFORMATION Room = IopListAllocate(List, Length);
    if (Room == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwQueryValueKey(Key, (PUNICODE_STRING)Name, KeyValuePartialInformation, Room, Length, &Length);
    if (NT_SUCCESS(Status))
        *Value = Room;
    return Status;
}

static NTSTATUS IopReadNumber(IOP_SERVICE_LIST *List, HANDLE Key, PCWSTR ValueName, ULONG Otherwise,
                              uint32_t *Number)
{
    UNICODE_STRING Name;
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    RtlInitUnicodeString(&Name, ValueName);
    NTSTATUS Status = IopReadListValue(List, Key, &Name, &Value);
    *Number = Otherwise;
    if (NT_SUCCESS(Status) && Value != NULL && Value->Type == REG_DWORD && Value->DataLength == sizeof(ULONG))
        RtlCopyMemory(Number, Value->Data, sizeof(ULONG));
    return Status;
}

/* Of a REG_SZ without its terminator, of a REG_MULTI_SZ with all of them. */
static NTSTATUS IopReadText(IOP_SERVICE_LIST *List, HANDLE Key, PCWSTR ValueName, ULONG Type,
                            SERVICE_TEXT *Text)
{
    UNICODE_STRING Name;
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    RtlInitUnicodeString(&Name, ValueName);
    NTSTATUS Status = IopReadListValue(List, Key, &Name, &Value);
    *Text = (SERVICE_TEXT){NULL, 0};
    if (!NT_SUCCESS(Status) || Value == NULL || Value->Type != Type)
        return Status;
    *Text = (SERVICE_TEXT){(PCWCH)Value->Data, Value->DataLength / sizeof(WCHAR)};
    while (Type == REG_SZ && Text->Length != 0 && Text->Text[Text->Length - 1] == 0)
        Text->Length--;
    return Status;
}

static NTSTATUS IopReadEntry(IOP_SERVICE_LIST *List, HANDLE Key, SERVICE_ENTRY *Entry,
                             IOP_SERVICE_STATE *State)
{
    NTSTATUS Status = IopReadNumber(List, Key, L"Start", IOP_DEMAND_START, &Entry->Start);
    if (NT_SUCCESS(Status))
        Status = IopReadNumber(List, Key, L"Tag", 0, &Entry->Tag);
    if (NT_SUCCESS(Status))
        Status = IopReadNumber(List, Key, L"ErrorControl", IopErrorNormal, &State->ErrorControl);
    if (NT_SUCCESS(Status))
        Status = IopReadText(List, Key, L"Group", REG_SZ, &Entry->Group);
    if (NT_SUCCESS(Status))
        Status = IopReadText(List, Key, L"DependOnService", REG_MULTI_SZ, &Entry->DependOnService);
    if (NT_SUCCESS(Status))
        Status = IopReadText(List, Key, L"DependOnGroup", REG_MULTI_SZ, &Entry->DependOnGroup);
    if (Entry->Start > IOP_DISABLED)
        Entry->Start = IOP_DISABLED;
    return Status;
}

/* Programs' services are not the kernel's to start. */
static NTSTATUS IopIsDriverKey(IOP_SERVICE_LIST *List, HANDLE Key, PBOOLEAN Driver)
{
    uint32_t Type;
    NTSTATUS Status = IopReadNumber(List, Key, L"Type", 0, &Type);
    *Driver = NT_SUCCESS(Status) && IopIsDriverType(Type);
    return Status;
}

/* The next entry, if the key is a driver's. */
static NTSTATUS IopAddEntry(IOP_SERVICE_LIST *List, HANDLE Services, const KEY_BASIC_INFORMATION *Information)
{
    UNICODE_STRING Name = {(USHORT)Information->NameLength, (USHORT)Information->NameLength,
                           (PWCH)Information->Name};
    SERVICE_ENTRY *Entry = &List->Entries[List->Count];
    IOP_SERVICE_STATE *State = &List->States[List->Count];
    HANDLE Key;
    BOOLEAN Driver;
    NTSTATUS Status = IopOpenListKey(Services, &Name, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Entry, sizeof(*Entry));
    RtlZeroMemory(State, sizeof(*State));
    Entry->Name = (SERVICE_TEXT){Name.Buffer, Name.Length / sizeof(WCHAR)};
    Status = IopIsDriverKey(List, Key, &Driver);
    if (Driver)
        Status = IopReadEntry(List, Key, Entry, State);
    ZwClose(Key);
    List->Count += Driver && NT_SUCCESS(Status);
    if (!NT_SUCCESS(Status))
        KdLogError("service %wZ: its key cannot be read, status 0x%08X", &Name, (unsigned)Status);
    return Status == STATUS_INSUFFICIENT_RESOURCES ? Status : STATUS_SUCCESS;
}

static NTSTATUS IopReadEntryAt(IOP_SERVICE_LIST *List, HANDLE Services, ULONG Index)
{
    ULONG Length = 0;
    NTSTATUS Status = ZwEnumerateKey(Services, Index, KeyBasicInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL && Status != STATUS_BUFFER_OVERFLOW)
        return Status;
    PKEY_BASIC_INFORMATION Information = IopListAllocate(List, Length);
    if (Information == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwEnumerateKey(Services, Index, KeyBasicInformation, Information, Length, &Length);
    return NT_SUCCESS(Status) ? IopAddEntry(List, Services, Information) : Status;
}

static NTSTATUS IopMakeRoom(IOP_SERVICE_LIST *List, HANDLE Services, PULONG Keys)
{
    KEY_CACHED_INFORMATION Information;
    ULONG Length;
    NTSTATUS Status = ZwQueryKey(Services, KeyCachedInformation, &Information, sizeof(Information), &Length);
    if (!NT_SUCCESS(Status))
        return Status;
    *Keys = Information.SubKeys;
    List->Entries = IopListAllocate(List, *Keys * sizeof(*List->Entries));
    List->States = IopListAllocate(List, *Keys * sizeof(*List->States));
    List->Order = IopListAllocate(List, *Keys * sizeof(*List->Order));
    return List->Entries && List->States && List->Order ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS IopReadEntries(IOP_SERVICE_LIST *List)
{
    static const UNICODE_STRING Path =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services");
    HANDLE Services;
    ULONG Keys = 0;
    NTSTATUS Status = IopOpenListKey(NULL, &Path, &Services);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopMakeRoom(List, Services, &Keys);
    for (ULONG i = 0; i < Keys && NT_SUCCESS(Status); i++)
        Status = IopReadEntryAt(List, Services, i);
    ZwClose(Services);
    return Status;
}

/* [WDK Specifying Driver Load Order] the value List of Control\ServiceGroupOrder. */
static NTSTATUS IopReadGroups(IOP_SERVICE_LIST *List)
{
    static const UNICODE_STRING Path = RTL_CONSTANT_STRING(IOP_CONTROL L"ServiceGroupOrder");
    HANDLE Key;
    NTSTATUS Status = IopOpenListKey(NULL, &Path, &Key);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReadText(List, Key, L"List", REG_MULTI_SZ, &List->Rules.Groups);
    ZwClose(Key);
    return Status;
}

/* The tags of a group are a binary value of its name. */
static NTSTATUS IopReadTagsOf(IOP_SERVICE_LIST *List, HANDLE Key, SERVICE_TEXT Group)
{
    UNICODE_STRING Name = IopServiceString(Group);
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = IopReadListValue(List, Key, &Name, &Value);
    if (NT_SUCCESS(Status) && Value != NULL && Value->Type == REG_BINARY)
        List->Tags[List->Rules.TagCount++] = (SERVICE_TAGS){Group, Value->Data, Value->DataLength};
    return Status;
}

/* A group's tags are asked for once, by the first entry that is of it. */
static BOOLEAN IopIsFirstOfGroup(const IOP_SERVICE_LIST *List, ULONG Index)
{
    SERVICE_TEXT Group = List->Entries[Index].Group;
    for (ULONG i = 0; i < Index; i++) {
        if (ServiceNameEquals(List->Entries[i].Group, Group))
            return FALSE;
    }
    return Group.Length != 0 && Group.Length <= MAXUSHORT / sizeof(WCHAR);
}

/* [WDK Specifying Driver Load Order] Control\GroupOrderList. */
static NTSTATUS IopReadTags(IOP_SERVICE_LIST *List)
{
    static const UNICODE_STRING Path = RTL_CONSTANT_STRING(IOP_CONTROL L"GroupOrderList");
    HANDLE Key;
    NTSTATUS Status = IopOpenListKey(NULL, &Path, &Key);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    List->Tags = IopListAllocate(List, List->Count * sizeof(*List->Tags));
    Status = List->Tags != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < List->Count && NT_SUCCESS(Status); i++) {
        if (IopIsFirstOfGroup(List, i))
            Status = IopReadTagsOf(List, Key, List->Entries[i].Group);
    }
    List->Rules.Tags = List->Tags;
    ZwClose(Key);
    return Status;
}

NTSTATUS IopReadServiceList(IOP_SERVICE_LIST *List)
{
    RtlZeroMemory(List, sizeof(*List));
    NTSTATUS Status = IopReadEntries(List);
    if (NT_SUCCESS(Status))
        Status = IopReadGroups(List);
    if (NT_SUCCESS(Status))
        Status = IopReadTags(List);
    return Status;
}
