/* SPDX-License-Identifier: MIT
 * Tier 3, wmilib: what its files share. */
#pragma once
#include <ntddk.h>
#include <wmilib.h>
#include <wmistr.h>

#define WL_TAG 'bLmW'
#define WL_ALIGN(Size) (((ULONG64)(Size) + 7) & ~7ull) /* data blocks lie on 8 bytes */

/* A WMI request of the driver's own device. */
typedef struct _WL_REQUEST {
    PWMILIB_CONTEXT Context;
    PDEVICE_OBJECT Device;
    PIRP Irp;
    UCHAR Minor;
    PVOID Buffer;    /* the WNODE, or the answer to a question about registration */
    ULONG Room;      /* bytes of Buffer */
    ULONG GuidIndex; /* in Context->GuidList */
} WL_REQUEST;

/* reginfo.c, PASSIVE_LEVEL. What was told or needed is in the IRP's status block, which the driver completes. */
NTSTATUS WlRegInfo(WL_REQUEST *Request);
