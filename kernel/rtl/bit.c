/* SPDX-License-Identifier: MIT
 * Bits of one number [WDK RtlFindLeastSignificantBit, RtlFindMostSignificantBit, RtlNumberOfSetBitsUlongPtr]. */
#include "rtlp.h"

CCHAR NTAPI RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set == 0 ? -1 : __builtin_ctzll(Set));
}

CCHAR NTAPI RtlFindMostSignificantBit(ULONGLONG Set)
{
    return (CCHAR)(Set == 0 ? -1 : 63 - __builtin_clzll(Set));
}

ULONG NTAPI RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target)
{
    ULONG Count = 0;

    for (; Target != 0; Target &= Target - 1)
        Count++;
    return Count;
}
