/* SPDX-License-Identifier: MIT
 * Results in a caller's buffer that may be too small. */
#include "cm/cmp.h"

VOID CmpPut(const CMP_OUTPUT *Output, ULONG Offset, const void *Bytes, ULONG Count)
{
    if (Offset >= Output->Length)
        return;
    if (Count > Output->Length - Offset)
        Count = Output->Length - Offset;
    RtlCopyMemory(Output->Buffer + Offset, Bytes, Count);
}

VOID CmpPutName(const CMP_OUTPUT *Output, ULONG Offset, const HIVE_NAME *Name)
{
    for (ULONG i = 0; i < Name->Length; i++) {
        WCHAR Character = HiveNameCharacter(Name, i);
        CmpPut(Output, Offset + i * sizeof(WCHAR), &Character, sizeof(Character));
    }
}

NTSTATUS CmpOutputStatus(const CMP_OUTPUT *Output, ULONG Fixed, ULONG Whole, PULONG ResultLength)
{
    *ResultLength = Whole;
    if (Output->Length < Fixed)
        return STATUS_BUFFER_TOO_SMALL;
    return Output->Length < Whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
