/* SPDX-License-Identifier: MIT
 * Tests of services as a program calls them: previous mode UserMode, in a process of its own with two pages and a device open. */
#pragma once
#include "iop.h"

#define ECHO(Access) CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, (Access))
#define PEND CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define TAKE_AWAY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define PEND_CANCELABLE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define DIRECT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)

/* What the program has in its memory; the second page is for what is taken away. */
typedef struct _USER_PAGE {
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    WCHAR Text[32];
    LARGE_INTEGER Offset;
    UCHAR Input[16], Output[16];
    FILE_POSITION_INFORMATION Position;
    HANDLE Port;
    PVOID Key, Context;
    IO_STATUS_BLOCK Result;
    LARGE_INTEGER Timeout;
    FILE_IO_COMPLETION_INFORMATION Packets[4];
    FILE_COMPLETION_INFORMATION Association;
    ULONG Count;
} USER_PAGE;

/* KT_USER_BASE: kt.h */
#define ME ((USER_PAGE *)KT_USER_BASE)
#define SECOND ((PUCHAR)KT_USER_BASE + PAGE_SIZE)

/* Body runs as a thread of a program (KtAsUser) with two pages and the device open by ME->File. */
struct _KT_CONTEXT;
VOID KtUserIn(struct _KT_CONTEXT *Kt, ULONG Options, VOID (*Body)(struct _KT_CONTEXT *Kt));

extern PIRP volatile KtServicePended; /* the last request with the code PEND */
