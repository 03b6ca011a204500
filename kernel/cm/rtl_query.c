/* SPDX-License-Identifier: MIT
 * RtlQueryRegistryValues: the walk through a query table. [WDK RtlQueryRegistryValues] */
#include "cm/rtl_registry.h"
#include "kd.h"
#include "ke.h"
#include "ke_bugcheck.h"

#define CMP_FIRST_ROOM 256u
#define CMP_UNSAFE_REGISTRY_ACCESS 9u /* [WDK Bug Check 0x139] FAST_FAIL_UNSAFE_REGISTRY_ACCESS of winnt.h */

typedef struct _CMP_QUERY {
    HANDLE Top;     /* the key that the call names; NULL: it is optional and not there */
    HANDLE Current; /* what the entry is for; NULL: it is not there */
    PVOID Context, Environment;
    PKEY_VALUE_FULL_INFORMATION Room; /* of RoomSize bytes, two NULs behind it */
    ULONG RoomSize;
    ACCESS_MASK Access; /* to keys */
} CMP_QUERY;

static NTSTATUS CmpGrowRoom(CMP_QUERY *Query, ULONG Size)
{
    PVOID Room = ExAllocatePool2(POOL_FLAG_PAGED, Size + 2 * sizeof(WCHAR), CMP_TAG_QUERY);
    if (Room == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Query->Room != NULL)
        ExFreePoolWithTag(Query->Room, CMP_TAG_QUERY);
    Query->Room = Room;
    Query->RoomSize = Size;
    return STATUS_SUCCESS;
}

/* The answer came by way of registry callbacks, which may rewrite it. [WDK Handling Notifications] */
static NTSTATUS CmpCheckRoom(const CMP_QUERY *Query)
{
    const KEY_VALUE_FULL_INFORMATION *Full = Query->Room;
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
    BOOLEAN NameFits = Full->NameLength <= CMP_MAX_VALUE_NAME_BYTES && !(Full->NameLength & 1) &&
                       Full->NameLength <= Query->RoomSize - Fixed;
    BOOLEAN DataFits = Full->DataLength == 0 ||
                       (Full->DataOffset >= Fixed && Full->DataOffset <= Query->RoomSize &&
                        !(Full->DataOffset & 1) && Full->DataLength <= Query->RoomSize - Full->DataOffset);
    if (NameFits && DataFits)
        return STATUS_SUCCESS;
    KdLog("a registry callback gave a value whose name or data lies outside its buffer");
    return STATUS_REGISTRY_CORRUPT;
}

/* Reads the value Name, or number Index when Name is NULL, into the room, which grows as long as the value does. */
static NTSTATUS CmpReadValue(CMP_QUERY *Query, PUNICODE_STRING Name, ULONG Index)
{
    ULONG Length = CMP_FIRST_ROOM;
    NTSTATUS Status = Query->Room != NULL ? STATUS_SUCCESS : CmpGrowRoom(Query, Length);
    while (NT_SUCCESS(Status)) {
        Status = Name != NULL ? ZwQueryValueKey(Query->Current, Name, KeyValueFullInformation, Query->Room,
                                                Query->RoomSize, &Length)
                              : ZwEnumerateValueKey(Query->Current, Index, KeyValueFullInformation,
                                                    Query->Room, Query->RoomSize, &Length);
        if (NT_SUCCESS(Status))
            return CmpCheckRoom(Query);
        if (Status != STATUS_BUFFER_OVERFLOW && Status != STATUS_BUFFER_TOO_SMALL)
            return Status;
        Status = Length > Query->RoomSize ? CmpGrowRoom(Query, Length) : STATUS_REGISTRY_CORRUPT;
    }
    return Status;
}

/* The value in the room goes to the entry. */
static NTSTATUS CmpDeliverRoom(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    PKEY_VALUE_FULL_INFORMATION Full = Query->Room;
    ULONG NameLength = Full->NameLength;
    PWSTR Name = ExAllocatePool2(POOL_FLAG_PAGED, NameLength + sizeof(WCHAR), CMP_TAG_QUERY);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Name, Full->Name, NameLength);
    PUCHAR Data = (PUCHAR)Full + Full->DataOffset;
    RtlZeroMemory(Full->DataLength != 0 ? Data + Full->DataLength : (PUCHAR)Full->Name, 2 * sizeof(WCHAR));
    CMP_QUERIED Value = {Name, Full->Type, Full->DataLength != 0 ? Data : (PUCHAR)Full->Name,
                         Full->DataLength};
    NTSTATUS Status = CmpDeliver(Entry, &Value, Query->Context, Query->Environment);
    ExFreePoolWithTag(Name, CMP_TAG_QUERY);
    return Status;
}

/* --- entries ------------------------------------------------------------------------------------------------------------ */

/* The value is not there. Only the low byte of DefaultType is the default's type; length 0 of a text: up to its terminator. */
static NTSTATUS CmpDeliverDefault(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    ULONG Type = Entry->DefaultType & ~RTL_QUERY_REGISTRY_TYPECHECK_MASK, Length = Entry->DefaultLength;
    if (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (Type == REG_NONE)
        return STATUS_SUCCESS;
    PCWSTR Text = Entry->DefaultData;
    if (Length == 0 && (Type == REG_SZ || Type == REG_EXPAND_SZ) && Text != NULL)
        Length = ((ULONG)wcslen(Text) + 1) * sizeof(WCHAR);
    if (Length == 0 && Type == REG_MULTI_SZ && Text != NULL) {
        while (Text[Length] != 0)
            Length += (ULONG)wcslen(Text + Length) + 1;
        Length = (Length + 1) * sizeof(WCHAR);
    }
    PUCHAR Copy = ExAllocatePool2(POOL_FLAG_PAGED, Length + 2 * sizeof(WCHAR), CMP_TAG_QUERY);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Copy, Entry->DefaultData, Length);
    CMP_QUERIED Value = {(PWSTR)Entry->Name, Type, Copy, Length};
    RTL_QUERY_REGISTRY_TABLE Unchecked = *Entry;
    Unchecked.Flags &= ~(ULONG)RTL_QUERY_REGISTRY_TYPECHECK;
    NTSTATUS Status = CmpDeliver(&Unchecked, &Value, Query->Context, Query->Environment);
    ExFreePoolWithTag(Copy, CMP_TAG_QUERY);
    return Status;
}

static BOOLEAN CmpIsTrusted(HANDLE Handle)
{
    CMP_KEY *Key;
    if (!NT_SUCCESS(CmpReferenceKey(Handle, 0, KernelMode, &Key)))
        return TRUE; /* the query fails */
    CmpLockShared();
    BOOLEAN Trusted = Key->Kcb->Deleted || Key->Kcb->Hive->Trusted;
    CmpUnlockShared();
    ObfDereferenceObject(Key);
    return Trusted;
}

/* [WDK RtlQueryRegistryValues] what somebody else may have put there is not stored without a look at its type. No trap has led here, so that
 * the second and third parameter are 0. */
static VOID CmpRequireTypeCheck(const CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    if (!(Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) || (Entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) ||
        Query->Current == NULL || CmpIsTrusted(Query->Current))
        return;
    KeBugCheckBlaming(NULL, KERNEL_SECURITY_CHECK_FAILURE, CMP_UNSAFE_REGISTRY_ACCESS, 0, 0, 0,
                      "RtlQueryRegistryValues with RTL_QUERY_REGISTRY_DIRECT and without "
                      "RTL_QUERY_REGISTRY_TYPECHECK on a hive that is not the system's");
}

static NTSTATUS CmpQueryOne(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    UNICODE_STRING Name;
    CmpRequireTypeCheck(Query, Entry);
    RtlInitUnicodeString(&Name, Entry->Name);
    NTSTATUS Status = Query->Current != NULL ? CmpReadValue(Query, &Name, 0) : STATUS_OBJECT_NAME_NOT_FOUND;
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return CmpDeliverDefault(Query, Entry);
    if (NT_SUCCESS(Status))
        Status = CmpDeliverRoom(Query, Entry);
    if (NT_SUCCESS(Status) && (Entry->Flags & RTL_QUERY_REGISTRY_DELETE))
        Status = ZwDeleteValueKey(Query->Current, &Name);
    return Status;
}

/* The value in the room goes to the entry, and away with DELETE. */
static NTSTATUS CmpDeliverOneOfAll(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    UNICODE_STRING Name = {(USHORT)Query->Room->NameLength, (USHORT)Query->Room->NameLength, NULL};
    WCHAR *Copy = ExAllocatePool2(POOL_FLAG_PAGED, Name.Length + sizeof(WCHAR), CMP_TAG_QUERY);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Copy, Query->Room->Name, Name.Length);
    Name.Buffer = Copy;
    NTSTATUS Status = CmpDeliverRoom(Query, Entry);
    if (NT_SUCCESS(Status) && (Entry->Flags & RTL_QUERY_REGISTRY_DELETE))
        Status = ZwDeleteValueKey(Query->Current, &Name);
    ExFreePoolWithTag(Copy, CMP_TAG_QUERY);
    return Status;
}

/* An entry without a name: every value of the key. With DELETE the next one has the number of the one that went. The end is what the key
 * says, not what a routine answers. */
static NTSTATUS CmpQueryAll(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    ULONG Index = 0;
    BOOLEAN Found = FALSE;
    for (;;) {
        NTSTATUS Status = Query->Current != NULL ? CmpReadValue(Query, NULL, Index) : STATUS_NO_MORE_ENTRIES;
        if (Status == STATUS_NO_MORE_ENTRIES)
            break;
        if (NT_SUCCESS(Status))
            Status = CmpDeliverOneOfAll(Query, Entry);
        if (!NT_SUCCESS(Status))
            return Status;
        Found = TRUE;
        if (!(Entry->Flags & RTL_QUERY_REGISTRY_DELETE))
            Index++;
    }
    return !Found && (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) ? STATUS_OBJECT_NAME_NOT_FOUND
                                                                  : STATUS_SUCCESS;
}

static VOID CmpGoTop(CMP_QUERY *Query)
{
    if (Query->Current != Query->Top && Query->Current != NULL)
        ZwClose(Query->Current);
    Query->Current = Query->Top;
}

/* RTL_QUERY_REGISTRY_SUBKEY: this entry and those after it are for a key below the top; for no key when there is none. */
static NTSTATUS CmpGoSubKey(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    if (Entry->Name == NULL)
        return STATUS_INVALID_PARAMETER;
    CmpGoTop(Query);
    if (Query->Top == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    RtlInitUnicodeString(&Name, Entry->Name);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Query->Top,
                               NULL);
    NTSTATUS Status = ZwOpenKey(&Key, Query->Access, &Attributes);
    Query->Current = NT_SUCCESS(Status) ? Key : NULL;
    return Status;
}

/* RTL_QUERY_REGISTRY_NOVALUE: the routine is called, without a value. */
static NTSTATUS CmpCallWithoutValue(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    CMP_QUERIED None = {NULL, REG_NONE, NULL, 0};
    if (Entry->QueryRoutine == NULL || (Entry->Flags & RTL_QUERY_REGISTRY_DIRECT))
        return STATUS_INVALID_PARAMETER;
    return CmpDeliver(Entry, &None, Query->Context, Query->Environment);
}

static NTSTATUS CmpDoEntry(CMP_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    BOOLEAN Direct = (Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0;
    NTSTATUS Status = STATUS_SUCCESS;
    /* [WDK RtlQueryRegistryValues] DIRECT has a name and no routine, and does not go with a subkey. */
    if (Direct && (Entry->Name == NULL || Entry->QueryRoutine != NULL ||
                   (Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) || Entry->EntryContext == NULL))
        return STATUS_INVALID_PARAMETER;
    if (Entry->Flags & RTL_QUERY_REGISTRY_TOPKEY)
        CmpGoTop(Query);
    if (Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) {
        Status = CmpGoSubKey(Query, Entry);
        if (!NT_SUCCESS(Status))
            return Status == STATUS_OBJECT_NAME_NOT_FOUND && !(Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)
                       ? STATUS_SUCCESS
                       : Status;
        return Entry->QueryRoutine != NULL ? CmpQueryAll(Query, Entry) : STATUS_SUCCESS;
    }
    if (Entry->Flags & RTL_QUERY_REGISTRY_NOVALUE)
        return CmpCallWithoutValue(Query, Entry);
    return Entry->Name != NULL ? CmpQueryOne(Query, Entry) : CmpQueryAll(Query, Entry);
}

static BOOLEAN CmpIsLast(const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    return Entry->QueryRoutine == NULL &&
           !(Entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT));
}

/* Who only asks need not be able to write. */
static ACCESS_MASK CmpQueryAccess(const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    for (; !CmpIsLast(Entry); Entry++) {
        if (Entry->Flags & RTL_QUERY_REGISTRY_DELETE)
            return KEY_READ | KEY_WRITE;
    }
    return KEY_READ;
}

/* [WDK RtlQueryRegistryValues] PASSIVE_LEVEL. The first status that is no success ends it. */
NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID Environment)
{
    CMP_QUERY Query = {.Context = Context, .Environment = Environment};
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    Query.Access = CmpQueryAccess(QueryTable);
    NTSTATUS Status = CmpOpenRelative(RelativeTo, Path, Query.Access, FALSE, &Query.Top);
    BOOLEAN Missing = Status == STATUS_OBJECT_NAME_NOT_FOUND && (RelativeTo & RTL_REGISTRY_OPTIONAL);
    if (!NT_SUCCESS(Status) && !Missing)
        return Status;
    if (Missing)
        Query.Top = NULL;
    Query.Current = Query.Top;
    Status = STATUS_SUCCESS;
    for (; !CmpIsLast(QueryTable) && NT_SUCCESS(Status); QueryTable++)
        Status = CmpDoEntry(&Query, QueryTable);
    CmpGoTop(&Query);
    if (!Missing)
        CmpCloseRelative(RelativeTo, Query.Top);
    if (Query.Room != NULL)
        ExFreePoolWithTag(Query.Room, CMP_TAG_QUERY);
    return Status;
}
