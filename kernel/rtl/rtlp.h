/* SPDX-License-Identifier: MIT
 * Tier 3: private to kernel/rtl. The run-time library is pure: no locks, no globals that change except where
 * said, no call out of the folder but the pool, so every function may be called at any IRQL at which its
 * memory is resident, unless its contract in rtl.h says less. */
#pragma once
#include "rtl.h"
#include "rtl_case.h"

#ifdef RTL_HOST
#define __cdecl
#endif

/* 'Rtl ' */
#define RTLP_TAG 0x206C7452u

/* [WDK UNICODE_STRING] Lengths are USHORTs; the longest string with its terminator has 0xFFFE bytes. */
#define RTLP_MAX_UNICODE_LENGTH 0xFFFC
#define RTLP_MAX_ANSI_LENGTH 0xFFFE

static inline WCHAR RtlpUpcase(WCHAR Character)
{
    return RtlUpcaseCharacter(Character);
}

static inline WCHAR RtlpDowncase(WCHAR Character)
{
    return RtlDowncaseCharacter(Character);
}

/* The Windows-1252 code page. */
WCHAR RtlpFromAnsi(UCHAR Character);
BOOLEAN RtlpToAnsi(WCHAR Character, PUCHAR Result); /* FALSE: not in the code page, Result is '?' */

static inline UCHAR RtlpUpcaseAscii(UCHAR c)
{
    return c >= 'a' && c <= 'z' ? (UCHAR)(c - 32) : c;
}

static inline UCHAR RtlpDowncaseAscii(UCHAR c)
{
    return c >= 'A' && c <= 'Z' ? (UCHAR)(c + 32) : c;
}

/* Digits of Value in Base (2..16), most significant first, no terminator. Returns their number, at most 64.
 */
ULONG RtlpDigits(ULONG64 Value, ULONG Base, BOOLEAN UpperCase, CHAR Digits[64]);
