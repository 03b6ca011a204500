/* SPDX-License-Identifier: MIT
 * Tier 3, kd only. */
#pragma once
#include "arch.h"
#include "kd.h"
#include "rtl.h"

typedef enum _KDP_STYLE { KdpNormal, KdpError } KDP_STYLE;

/* One line (no newline at the end) to serial port and screen. Takes the log lock. */
VOID KdpWriteLine(KDP_STYLE Style, PCSTR Line, ULONG Length);

VOID KdpSerialWrite(PCSTR Text, ULONG Length);

/* Formats into Buffer, always terminated; returns the length. */
ULONG KdpFormat(PCHAR Buffer, ULONG Size, PCSTR Format, va_list Args);
