/* SPDX-License-Identifier: MIT
 * Tier 2, rtl: what kernel/rtl offers beyond the names that the DDK headers declare. Pure code without locks:
 * any IRQL at which the memory is resident, except what allocates (PASSIVE_LEVEL for paged pool). C names are
 * in crt.h. */
#pragma once
#ifdef RTL_HOST
#include "rtl/rtl_host.h"
#include "rtl/rtl_host_api.h"
#else
#include "nt.h"
#include <stdarg.h>
#endif

/* --- formatted output without a buffer
 * -------------------------------------------------------------------------- */

/* Takes one character of the output: Windows-1252 in RtlFormatToSink. */
typedef VOID (*PRTL_FORMAT_SINK)(PVOID Context, WCHAR Character);

/* The printf engine of DbgPrint and KdLog; returns the number of characters given to Sink. Any IRQL. */
LONG RtlFormatToSink(PRTL_FORMAT_SINK Sink, PVOID Context, PCSTR Format, va_list Args);

/* --- exports that the DDK headers do not declare
 * ---------------------------------------------------------------- */

WCHAR NTAPI RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter);
BOOLEAN NTAPI RtlIsNtDdiVersionAvailable(ULONG Version);
