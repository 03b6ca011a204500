/* SPDX-License-Identifier: MIT
 * Tier 3: text of internet addresses, read narrow or wide through one reader. Addresses are bytes in network order here. */
#pragma once
#include "rtlp.h"

typedef struct _RTLP_READER {
    const void *Text;
    ULONG At; /* in characters */
    BOOLEAN Wide;
} RTLP_READER;

static inline WCHAR RtlpPeekCharacter(const RTLP_READER *Reader)
{
    return Reader->Wide ? ((const WCHAR *)Reader->Text)[Reader->At]
                        : (UCHAR)((const CHAR *)Reader->Text)[Reader->At];
}

static inline BOOLEAN RtlpAcceptCharacter(RTLP_READER *Reader, WCHAR Character)
{
    if (RtlpPeekCharacter(Reader) != Character)
        return FALSE;
    Reader->At++;
    return TRUE;
}

/* The value of a digit of that base, or Base. */
ULONG RtlpDigitOf(WCHAR Character, ULONG Base);

/* A number: decimal, octal (0...) or hexadecimal (0x...). STATUS_INVALID_PARAMETER, with the reader where it failed: no digit, more
 * than 32 bits, or, when Strict, not decimal. */
NTSTATUS RtlpReadNumber(RTLP_READER *Reader, BOOLEAN Strict, ULONG *Value);

/* The whole rest is ":port", *Port in network order; nothing is port 0. */
NTSTATUS RtlpReadPort(RTLP_READER *Reader, USHORT *Port);
