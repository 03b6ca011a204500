/* SPDX-License-Identifier: MIT
 * Smaller parts of the run-time library: runs of bits, patterns, versions, call chains, contexts, and the less used C
 * functions. [WDK RtlFindFirstRunClear, RtlFindNextForwardRunClear, RtlFindSetBitsAndClear, RtlCompareMemoryUlong,
 * RtlIsNtDdiVersionAvailable, RtlCaptureStackBackTrace, RtlWalkFrameChain, RtlRestoreContext] */
#include "ct.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static VOID RtlCtRuns(VOID)
{
    ULONG Bits[2] = {0xFFFF00F0, 0xFFFFFFF0}, Start = 99;
    RTL_BITMAP Map;

    RtlInitializeBitMap(&Map, Bits, 64);
    CT_EQUAL(RtlFindFirstRunClear(&Map, &Start), 4);
    CT_EQUAL(Start, 0);
    CT_EQUAL(RtlFindNextForwardRunClear(&Map, 4, &Start), 8);
    CT_EQUAL(Start, 8);
    CT_EQUAL(RtlFindNextForwardRunClear(&Map, 36, &Start), 0);
    CT_EQUAL(RtlFindSetBitsAndClear(&Map, 4, 0), 4);
    CT_EQUAL(Bits[0], 0xFFFF0000);
    CT_EQUAL(RtlFindSetBitsAndClear(&Map, 40, 0), 0xFFFFFFFF);
}

static VOID RtlCtCompareUlong(VOID)
{
    ULONG Words[4] = {7, 7, 7, 8};

    CT_EQUAL(RtlCompareMemoryUlong(Words, 16, 7), 12);
    CT_EQUAL(RtlCompareMemoryUlong(Words, 16, 8), 0);
}

static VOID RtlCtVersion(VOID)
{
    CT_CHECK(RtlIsNtDdiVersionAvailable(0x06010000)); /* NTDDI_WIN7 */
    CT_CHECK(RtlIsNtDdiVersionAvailable(0x0A000000)); /* NTDDI_WIN10 */
    CT_CHECK(!RtlIsNtDdiVersionAvailable(0x0B000000));
}

static __attribute__((noinline)) ULONG Descend(ULONG Depth, PVOID *Frames)
{
    ULONG Count = Depth == 0 ? RtlCaptureStackBackTrace(0, 30, Frames, NULL) : Descend(Depth - 1, Frames);
    __asm__ volatile("" : "+r"(Count)); /* not a tail call */
    return Count;
}

static VOID RtlCtBackTrace(VOID)
{
    PVOID Deep[32], Flat[32], Walk[2];
    ULONG DeepCount = Descend(5, Deep), FlatCount = Descend(0, Flat);

    CT_EQUAL(DeepCount, FlatCount + 5);
    CT_CHECK(Deep[1] == Deep[2] && Deep[2] == Deep[5]);
    CT_EQUAL(RtlCaptureStackBackTrace(0, 1, Deep, NULL), 1);
    CT_EQUAL(RtlWalkFrameChain(Walk, 2, 0), 2);
    CT_CHECK(Walk[0] != NULL && Walk[1] != NULL);
}

/* Execution goes on behind RtlCaptureContext with the registers of then. */
static VOID RtlCtRestore(VOID)
{
    static volatile LONG Passes;
    CONTEXT Context;

    Passes = 0;
    RtlCaptureContext(&Context);
    if (++Passes == 1)
        RtlRestoreContext(&Context, NULL);
    CT_EQUAL(Passes, 2);
}

static NTSTATUS RaiseNoMemory(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    RtlRaiseStatus(STATUS_NO_MEMORY);
}

static VOID RtlCtRaiseStatus(VOID)
{
    CT_STATUS(NtboxGuardedCall(RaiseNoMemory, NULL), STATUS_NO_MEMORY);
}

static VOID RtlCtCase(VOID)
{
    char Narrow[] = "aB1";
    wchar_t Wide[] = L"aB1";

    CT_CHECK(strcmp(_strupr(Narrow), "AB1") == 0);
    CT_CHECK(strcmp(_strlwr(Narrow), "ab1") == 0);
    CT_CHECK(wcscmp(_wcsupr(Wide), L"AB1") == 0);
    CT_CHECK(wcscmp(_wcslwr(Wide), L"ab1") == 0);
}

static VOID RtlCtNumber(VOID)
{
    CT_EQUAL(_wtoi(L" -12x"), (ULONG64)-12);
    CT_EQUAL(_wtol(L"345"), 345);
}

static VOID RtlCtCtype(VOID)
{
    volatile int Upper = 'A', Lower = 'a', Bell = 7;

    CT_CHECK(isupper(Upper) && !isupper(Lower));
    CT_CHECK(islower(Lower) && !islower(Upper));
    CT_CHECK(isprint(Upper) && !isprint(Bell));
}

static int Wide(wchar_t *To, const wchar_t *Format, ...)
{
    va_list Args;
    va_start(Args, Format);
    int Length = _vswprintf(To, Format, Args);
    va_end(Args);
    return Length;
}

static VOID RtlCtPrintf(VOID)
{
    wchar_t Text[16];

    CT_EQUAL(_swprintf(Text, L"%d-%s", 5, L"x"), 3);
    CT_CHECK(wcscmp(Text, L"5-x") == 0);
    CT_EQUAL(Wide(Text, L"%x", 255), 2);
    CT_CHECK(wcscmp(Text, L"ff") == 0);
}

static int Secure(char *To, size_t Size, const char *Format, ...)
{
    va_list Args;
    va_start(Args, Format);
    int Length = vsprintf_s(To, Size, Format, Args);
    va_end(Args);
    return Length;
}

static int SecureWide(wchar_t *To, size_t Size, size_t Count, const wchar_t *Format, ...)
{
    va_list Args;
    va_start(Args, Format);
    int Length =
        Count == 0 ? vswprintf_s(To, Size, Format, Args) : _vsnwprintf_s(To, Size, Count, Format, Args);
    va_end(Args);
    return Length;
}

/* Only what fits: a kernel-mode caller of Windows that overflows a `_s` buffer is stopped, not answered. */
static VOID RtlCtSecure(VOID)
{
    char Narrow[8];
    wchar_t Text[8];

    CT_EQUAL(Secure(Narrow, sizeof(Narrow), "%s", "abc"), 3);
    CT_CHECK(strcmp(Narrow, "abc") == 0);
    CT_EQUAL(SecureWide(Text, 8, 0, L"%d", 1234), 4);
    CT_CHECK(wcscmp(Text, L"1234") == 0);
    CT_EQUAL(_snwprintf_s(Text, 8, (size_t)-1, L"%d", 123456789), (ULONG64)-1);
    CT_CHECK(wcscmp(Text, L"1234567") == 0);
    CT_EQUAL(SecureWide(Text, 8, 3, L"%d", 12345), (ULONG64)-1);
    CT_CHECK(wcscmp(Text, L"123") == 0);
}

static const CT_CASE Cases[] = {
    {"rtl.runs", RtlCtRuns},         {"rtl.compare_ulong", RtlCtCompareUlong},
    {"rtl.version", RtlCtVersion},   {"rtl.back_trace", RtlCtBackTrace},
    {"rtl.restore", RtlCtRestore},   {"rtl.raise_status", RtlCtRaiseStatus},
    {"rtl.crt_case", RtlCtCase},     {"rtl.crt_number", RtlCtNumber},
    {"rtl.crt_ctype", RtlCtCtype},   {"rtl.crt_printf", RtlCtPrintf},
    {"rtl.crt_secure", RtlCtSecure},
};
CT_DRIVER(Cases)
