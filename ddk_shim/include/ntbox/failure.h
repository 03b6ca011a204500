/* SPDX-License-Identifier: MIT
 * How the agent lets allocations fail: IOCTL_NTBOX_FAILURE of \Device\Report gives an NTBOX_FAILURE_INTERFACE. Functions and not control
 * codes, because a request allocates memory itself. Checked kernel only; private to ntbox. */
#pragma once

typedef enum NTBOX_FAILURE_MODE {
    NtboxFailNone,   /* only count */
    NtboxFailNth,    /* Number: that allocation, the first is 1 */
    NtboxFailRandom, /* Number: of 65536 allocations so many, by Seed */
} NTBOX_FAILURE_MODE;

typedef struct NTBOX_FAILURE_PLAN {
    NTBOX_FAILURE_MODE Mode;
    ULONG64 Number;
    ULONG64 Seed;
    CHAR Only[64]; /* image in lower case: only what its own code asks for counts; empty: all */
} NTBOX_FAILURE_PLAN;

typedef struct NTBOX_FAILURE_RESULT {
    ULONG64 Seen;                  /* allocations that counted */
    ULONG64 Failed;                /* of those */
    CHAR Module[64], Function[96]; /* who asked for the last one that failed; empty: not known */
    ULONG64 Offset;
} NTBOX_FAILURE_RESULT;

/* What is in use now: equal before and after, or something was lost. */
typedef struct NTBOX_LEDGER {
    SIZE_T PoolBlocks, PoolBytes;
    SIZE_T SystemPages; /* of system address space */
} NTBOX_LEDGER;

typedef struct NTBOX_FAILURE_INTERFACE {
    VOID(NTAPI *Begin)(const NTBOX_FAILURE_PLAN *Plan);
    VOID(NTAPI *End)(NTBOX_FAILURE_RESULT *Result);
    /* PASSIVE_LEVEL, not in a work item; waits for DPCs, work items and threads that have ended. */
    VOID(NTAPI *TakeStock)(NTBOX_LEDGER *Ledger);
    /* One ReportPassEnd record, with the caller of the failed allocation in words; Leaked: blocks that are in use besides. */
    VOID(NTAPI *ReportPass)(ULONG64 Pass, const NTBOX_FAILURE_RESULT *Result, LONG64 LeakedBlocks,
                            LONG64 LeakedPages);
} NTBOX_FAILURE_INTERFACE;

#define IOCTL_NTBOX_FAILURE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)
