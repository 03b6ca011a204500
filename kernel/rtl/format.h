/* SPDX-License-Identifier: MIT
 * Tier 3: the one printf engine. Narrow or wide format, characters handed one by one to a sink. */
#pragma once
#include "rtlp.h"

/* Format points to char, or to WCHAR if Wide; the sink then receives Windows-1252 characters or UTF-16 units.
 * Returns the number of characters given to the sink. */
LONG RtlpFormat(PRTL_FORMAT_SINK Sink, PVOID Context, const void *Format, BOOLEAN Wide, va_list Args);
