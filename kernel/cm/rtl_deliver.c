/* SPDX-License-Identifier: MIT
 * What RtlQueryRegistryValues does with a value: the entry's routine gets it, or its buffer does (RTL_QUERY_REGISTRY_DIRECT).
 * [WDK RtlQueryRegistryValues] */
#include "cm/rtl_registry.h"
#include "ke.h"

static BOOLEAN CmpIsText(ULONG Type)
{
    return Type == REG_SZ || Type == REG_EXPAND_SZ || Type == REG_MULTI_SZ || Type == REG_LINK;
}

/* --- into a buffer ---------------------------------------------------------------------------------------------------- */

/* EntryContext is a UNICODE_STRING. Without a buffer it gets one from paged pool, else what it has must do; with a terminator. */
static NTSTATUS CmpStoreText(PUNICODE_STRING To, const CMP_QUERIED *Value)
{
    ULONG Length = Value->Length & ~1u;
    PCWCH Text = Value->Data;
    if (Value->Type != REG_MULTI_SZ && Length >= sizeof(WCHAR) && Text[Length / sizeof(WCHAR) - 1] == 0)
        Length -= sizeof(WCHAR);
    ULONG Room = Length + sizeof(WCHAR);
    if (Room > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    if (To->Buffer == NULL) {
        To->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Room, CMP_TAG_QUERY);
        if (To->Buffer == NULL)
            return STATUS_NO_MEMORY;
        To->MaximumLength = (USHORT)Room;
    } else if (Room > To->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(To->Buffer, Text, Length);
    To->Buffer[Length / sizeof(WCHAR)] = 0;
    To->Length = (USHORT)Length;
    return STATUS_SUCCESS;
}

/* More than a ULONG: the buffer begins with its size. A negative size: only the data is stored; else length, type, data. */
static NTSTATUS CmpStoreLarge(PLONG To, const CMP_QUERIED *Value)
{
    LONG Size = *To;
    ULONG Head = Size < 0 ? 0 : 2 * sizeof(ULONG), Room = Size < 0 ? 0u - (ULONG)Size : (ULONG)Size;
    if (Room < Head || Value->Length > Room - Head)
        return STATUS_BUFFER_TOO_SMALL;
    if (Head != 0) {
        ((PULONG)To)[0] = Value->Length;
        ((PULONG)To)[1] = Value->Type;
    }
    RtlCopyMemory((PUCHAR)To + Head, Value->Data, Value->Length);
    return STATUS_SUCCESS;
}

/* RTL_QUERY_REGISTRY_TYPECHECK: the type that is wanted stands in the top byte of DefaultType; REG_NONE: any. */
static NTSTATUS CmpCheckType(const RTL_QUERY_REGISTRY_TABLE *Entry, ULONG Type)
{
    ULONG Wanted =
        (Entry->DefaultType & RTL_QUERY_REGISTRY_TYPECHECK_MASK) >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
    if (!(Entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) || Wanted == REG_NONE || Wanted == Type)
        return STATUS_SUCCESS;
    return STATUS_OBJECT_TYPE_MISMATCH;
}

static NTSTATUS CmpStore(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value)
{
    if (CmpIsText(Value->Type))
        return CmpStoreText(Entry->EntryContext, Value);
    if (Value->Length > sizeof(ULONG))
        return CmpStoreLarge(Entry->EntryContext, Value);
    RtlCopyMemory(Entry->EntryContext, Value->Data, Value->Length);
    return STATUS_SUCCESS;
}

/* --- to a routine ----------------------------------------------------------------------------------------------------- */

static NTSTATUS CmpGive(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value, PVOID Context)
{
    if (Entry->Flags & RTL_QUERY_REGISTRY_DIRECT)
        return CmpStore(Entry, Value);
    KE_GATE Gate;
    KeEnterGate(&Gate, GateRegistryQuery, (PVOID)Entry->QueryRoutine);
    NTSTATUS Status = Entry->QueryRoutine(Value->Name, Value->Type, Value->Data, Value->Length, Context,
                                          Entry->EntryContext);
    KeLeaveGate(&Gate);
    return Status;
}

/* One call for each text of a REG_MULTI_SZ, as REG_SZ. */
static NTSTATUS CmpGiveEach(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value, PVOID Context)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PWSTR Text = Value->Data, End = Text + Value->Length / sizeof(WCHAR);
    while (Text < End && *Text != 0 && NT_SUCCESS(Status)) {
        ULONG Count = (ULONG)wcslen(Text) + 1; /* two NULs lie behind the data */
        CMP_QUERIED One = {Value->Name, REG_SZ, Text, Count * sizeof(WCHAR)};
        Status = CmpGive(Entry, &One, Context);
        Text += Count;
    }
    return Status;
}

static NTSTATUS CmpGiveExpanded(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value,
                                PVOID Context, PVOID Environment)
{
    CMP_QUERIED Expanded = {.Name = Value->Name, .Type = REG_SZ};
    PWSTR Text;
    ULONG Characters = Value->Length / sizeof(WCHAR);
    while (Characters != 0 && ((PCWCH)Value->Data)[Characters - 1] == 0)
        Characters--;
    NTSTATUS Status = CmpExpandText(Value->Data, Characters, Environment, &Text, &Expanded.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Expanded.Data = Text;
    Status = CmpGive(Entry, &Expanded, Context);
    ExFreePoolWithTag(Text, CMP_TAG_QUERY);
    return Status;
}

NTSTATUS CmpDeliver(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value, PVOID Context,
                    PVOID Environment)
{
    NTSTATUS Status = CmpCheckType(Entry, Value->Type);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND)
        return CmpGive(Entry, Value, Context);
    if (Value->Type == REG_MULTI_SZ)
        return CmpGiveEach(Entry, Value, Context);
    if (Value->Type == REG_EXPAND_SZ)
        return CmpGiveExpanded(Entry, Value, Context, Environment);
    return CmpGive(Entry, Value, Context);
}
