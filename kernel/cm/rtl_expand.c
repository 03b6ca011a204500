/* SPDX-License-Identifier: MIT
 * Texts of type REG_EXPAND_SZ: %name% stands for a variable's value; one that is not known stays as it is. */
#include "cm/rtl_registry.h"
#include "ke.h"

#define CMP_MAX_EXPANDED                                                                                     \
    0x800000u /* characters of the result: a value of a megabyte may name long variables often */

typedef struct _CMP_EXPAND {
    PWCHAR To; /* NULL: only count */
    ULONG Room, Count;
} CMP_EXPAND;

/* What passes the room is dropped: the environment is the caller's, and may grow between the passes. FALSE: it is full. */
static BOOLEAN CmpEmit(CMP_EXPAND *Expand, PCWCH Text, ULONG Count)
{
    BOOLEAN Fits = Count <= Expand->Room - Expand->Count;
    if (!Fits)
        Count = Expand->Room - Expand->Count;
    if (Expand->To != NULL)
        RtlCopyMemory(Expand->To + Expand->Count, Text, Count * sizeof(WCHAR));
    Expand->Count += Count;
    return Fits;
}

/* FALSE: too long for the name of a variable. */
static BOOLEAN CmpNameOf(PCWCH Text, ULONG Count, PUNICODE_STRING Name)
{
    if (Count > MAXUSHORT / sizeof(WCHAR))
        return FALSE;
    *Name = (UNICODE_STRING){(USHORT)(Count * sizeof(WCHAR)), (USHORT)(Count * sizeof(WCHAR)), (PWCH)Text};
    return TRUE;
}

static BOOLEAN CmpFindInBlock(PCWCH Block, PCUNICODE_STRING Name, PUNICODE_STRING Value)
{
    while (*Block != 0) {
        UNICODE_STRING Other;
        SIZE_T Length = wcslen(Block), Equals = 0;
        while (Equals < Length && Block[Equals] != L'=')
            Equals++;
        if (Equals < Length && Equals <= MAXUSHORT && CmpNameOf(Block, (ULONG)Equals, &Other) &&
            RtlEqualUnicodeString(&Other, Name, TRUE)) {
            RtlInitUnicodeString(Value, Block + Equals + 1);
            return TRUE;
        }
        Block += Length + 1;
    }
    return FALSE;
}

/* [WDK RtlQueryRegistryValues] without an environment that of the process: the system process has these two. */
static BOOLEAN CmpFindVariable(PCUNICODE_STRING Name, PVOID Environment, PUNICODE_STRING Value)
{
    static const UNICODE_STRING Root = RTL_CONSTANT_STRING(L"SystemRoot");
    static const UNICODE_STRING Drive = RTL_CONSTANT_STRING(L"SystemDrive");
    if (Environment != NULL)
        return CmpFindInBlock(Environment, Name, Value);
    RtlInitUnicodeString(Value, SharedUserData->NtSystemRoot);
    if (RtlEqualUnicodeString(Name, &Root, TRUE))
        return TRUE;
    Value->Length = 2 * sizeof(WCHAR); /* "C:" */
    return RtlEqualUnicodeString(Name, &Drive, TRUE);
}

/* FALSE: the room is too small. */
static BOOLEAN CmpExpand(PCWSTR Text, ULONG Characters, PVOID Environment, CMP_EXPAND *Expand)
{
    UNICODE_STRING Name, Value;
    BOOLEAN Fits = TRUE;
    for (ULONG At = 0; Fits && At < Characters;) {
        ULONG End = At + 1;
        while (Text[At] == L'%' && End < Characters && Text[End] != L'%')
            End++;
        BOOLEAN Closed = Text[At] == L'%' && End < Characters;
        if (Closed && CmpNameOf(Text + At + 1, End - At - 1, &Name) &&
            CmpFindVariable(&Name, Environment, &Value)) {
            Fits = CmpEmit(Expand, Value.Buffer, Value.Length / sizeof(WCHAR));
            At = End + 1;
        } else {
            Fits = CmpEmit(Expand, Text + At, Closed ? End - At : 1);
            At = Closed ? End : At + 1;
        }
    }
    return Fits;
}

NTSTATUS CmpExpandText(PCWSTR Text, ULONG Characters, PVOID Environment, PWSTR *Expanded, PULONG Bytes)
{
    CMP_EXPAND Expand = {NULL, CMP_MAX_EXPANDED, 0};
    if (!CmpExpand(Text, Characters, Environment, &Expand))
        return STATUS_INSUFFICIENT_RESOURCES;
    *Bytes = (Expand.Count + 1) * sizeof(WCHAR);
    *Expanded = ExAllocatePool2(POOL_FLAG_PAGED, *Bytes, CMP_TAG_QUERY);
    if (*Expanded == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Expand = (CMP_EXPAND){*Expanded, Expand.Count, 0};
    (void)CmpExpand(Text, Characters, Environment, &Expand);
    return STATUS_SUCCESS;
}
