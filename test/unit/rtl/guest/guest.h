/* SPDX-License-Identifier: MIT
 * The guest side of seh_test: what surrounds the cases. */
#pragma once
#include "rtl.h"
#include "crt.h"
#include <excpt.h>

typedef VOID GUEST_REPORT(const char *Name, const char *Trace, const char *Expected);

VOID GuestInitialize(ULONG64 StackHigh);

/* guest_entry.S: calls Callee(&own establisher frame, address behind the call) and returns what arrives in RAX there. */
ULONG64 GuestUnwindThrough(VOID (*Callee)(ULONG64 *Frame, PVOID Target));
/* Calls __chkstk with Size in RAX; returns RAX, or 0 if RSP or another register has changed. */
ULONG64 GuestChkstk(ULONG64 Size);
