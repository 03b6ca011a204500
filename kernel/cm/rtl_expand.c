/* SPDX-License-Identifier: MIT
 * Texts of type REG_EXPAND_SZ: %name% stands for a variable's value; one that is not known stays as it is. */
#include "cm/rtl_registry.h"
#include "ke.h"

typedef struct _CMP_EXPAND {
    PWCHAR To; /* NULL: only count */
    ULONG Count;
} CMP_EXPAND;

static VOID CmpEmit(CMP_EXPAND *Expand, PCWCH Text, ULONG Count)
{
    if (Expand->To != NULL)
        RtlCopyMemory(Expand->To + Expand->Count, Text, Count * sizeof(WCHAR));
    Expand->Count += Count;
}

static BOOLEAN CmpIsName(PCWCH Text, ULONG Count, PCUNICODE_STRING Name)
{
    UNICODE_STRING Other = {(USHORT)(Count * sizeof(WCHAR)), (USHORT)(Count * sizeof(WCHAR)), (PWCH)Text};
    return RtlEqualUnicodeString(&Other, Name, TRUE);
}

static BOOLEAN CmpFindInBlock(PCWCH Block, PCUNICODE_STRING Name, PUNICODE_STRING Value)
{
    while (*Block != 0) {
        ULONG Length = (ULONG)wcslen(Block), Equals = 0;
        while (Equals < Length && Block[Equals] != L'=')
            Equals++;
        if (Equals < Length && CmpIsName(Block, Equals, Name)) {
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

static VOID CmpExpand(PCWSTR Text, ULONG Characters, PVOID Environment, CMP_EXPAND *Expand)
{
    UNICODE_STRING Value;
    for (ULONG At = 0; At < Characters;) {
        ULONG End = At + 1;
        while (Text[At] == L'%' && End < Characters && Text[End] != L'%')
            End++;
        BOOLEAN Closed = Text[At] == L'%' && End < Characters;
        UNICODE_STRING Name = {(USHORT)((End - At - 1) * sizeof(WCHAR)), 0, (PWCH)Text + At + 1};
        if (Closed && CmpFindVariable(&Name, Environment, &Value)) {
            CmpEmit(Expand, Value.Buffer, Value.Length / sizeof(WCHAR));
            At = End + 1;
        } else {
            CmpEmit(Expand, Text + At, Closed ? End - At : 1);
            At = Closed ? End : At + 1;
        }
    }
}

NTSTATUS CmpExpandText(PCWSTR Text, ULONG Characters, PVOID Environment, PWSTR *Expanded, PULONG Bytes)
{
    CMP_EXPAND Expand = {NULL, 0};
    CmpExpand(Text, Characters, Environment, &Expand);
    *Bytes = (Expand.Count + 1) * sizeof(WCHAR);
    *Expanded = ExAllocatePool2(POOL_FLAG_PAGED, *Bytes, CMP_TAG_QUERY);
    if (*Expanded == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Expand = (CMP_EXPAND){*Expanded, 0};
    CmpExpand(Text, Characters, Environment, &Expand);
    return STATUS_SUCCESS;
}
