/* SPDX-License-Identifier: MIT
 * Tier 3: the unwinder. It never trusts what it reads: unwind data lies in an image, saved registers on a
 * stack, and each access is checked against the one or the other. [MS x64 exception handling] */
#pragma once
#include "rtlp.h"

extern RTL_UPCALLS RtlpUpcalls;

/* One step from a frame to its caller. */
typedef struct _RTLP_UNWIND {
    RTL_IMAGE_VIEW Image;                    /* the image of ControlPc */
    RTL_STACK_LIMITS Stack;                  /* every read of saved state lies within */
    PCONTEXT Context;                        /* in: at ControlPc; out: at the return address */
    PKNONVOLATILE_CONTEXT_POINTERS Pointers; /* may be NULL: where each register was found */
    BOOLEAN MachineFrame;                    /* out: a trap frame was crossed, Rsp may be on another stack */
} RTLP_UNWIND;

typedef struct _RTLP_FRAME {
    ULONG64 Establisher;
    PEXCEPTION_ROUTINE Handler; /* NULL: none of the wanted type, or in a prolog or epilog */
    PVOID HandlerData;
} RTLP_FRAME;

/* A checked UNWIND_INFO. */
typedef struct _RTLP_UNWIND_INFO {
    UCHAR Version, Flags, PrologSize, Count, FrameRegister;
    ULONG FrameOffset;  /* bytes */
    const UCHAR *Codes; /* Count slots of 2 bytes, readable */
    ULONG TrailerRva;   /* handler or chained function */
} RTLP_UNWIND_INFO;

typedef enum {
    UnwindPushNonvolatile = 0,
    UnwindAllocLarge = 1,
    UnwindAllocSmall = 2,
    UnwindSetFrameRegister = 3,
    UnwindSaveNonvolatile = 4,
    UnwindSaveNonvolatileFar = 5,
    UnwindEpilog = 6, /* version 2 only */
    UnwindSaveXmm = 8,
    UnwindSaveXmmFar = 9,
    UnwindPushMachineFrame = 10,
} RTLP_UNWIND_OPERATION;

typedef struct _RTLP_UNWIND_CODE {
    UCHAR PrologOffset, Operation, Info;
    ULONG Slots;
    ULONG Value; /* of the following slots: bytes of allocation or offset */
} RTLP_UNWIND_CODE;

/* More chained entries than this are a loop. */
#define RTLP_MAX_CHAIN 32

static inline PULONG64 RtlpIntegerRegister(PCONTEXT Context, ULONG Number)
{
    return (PULONG64)((PUCHAR)Context + __builtin_offsetof(CONTEXT, Rax)) + Number;
}

static inline PM128A RtlpXmmRegister(PCONTEXT Context, ULONG Number)
{
    return (PM128A)((PUCHAR)Context + __builtin_offsetof(CONTEXT, FltSave) + 0xA0) + Number;
}

/* unwind_info.c. NULL or FALSE: outside the image, unreadable, or against the format. */
const UCHAR *RtlpImageBytes(const RTL_IMAGE_VIEW *Image, ULONG64 Rva, ULONG Length);
BOOLEAN RtlpReadUnwindInfo(const RTL_IMAGE_VIEW *Image, ULONG Rva, RTLP_UNWIND_INFO *Info);
BOOLEAN RtlpReadUnwindCode(const RTLP_UNWIND_INFO *Info, ULONG Index, RTLP_UNWIND_CODE *Code);
BOOLEAN RtlpReadChainedEntry(const RTL_IMAGE_VIEW *Image, const RTLP_UNWIND_INFO *Info,
                             RUNTIME_FUNCTION *Entry);
BOOLEAN RtlpIsCallable(const RTL_IMAGE_VIEW *Image, ULONG Rva);
const RUNTIME_FUNCTION *RtlpFindFunction(const RTL_IMAGE_VIEW *Image, ULONG Rva);

/* unwind_stack.c */
BOOLEAN RtlpReadStack(const RTLP_UNWIND *Unwind, ULONG64 Address, PULONG64 Value);
NTSTATUS RtlpPopRegister(RTLP_UNWIND *Unwind, ULONG Number);
NTSTATUS RtlpPopReturnAddress(RTLP_UNWIND *Unwind);

/* unwind_epilog.c. TRUE: ControlPc is in an epilog, and *Status tells how finishing it went. */
BOOLEAN RtlpFinishEpilog(RTLP_UNWIND *Unwind, ULONG64 ControlPc, const RUNTIME_FUNCTION *Entry,
                         const RTLP_UNWIND_INFO *Info, NTSTATUS *Status);

/* unwind.c. On failure Context is not to be used. Entry NULL: a leaf function. */
NTSTATUS RtlpVirtualUnwind(RTLP_UNWIND *Unwind, ULONG HandlerType, ULONG64 ControlPc,
                           const RUNTIME_FUNCTION *Entry, RTLP_FRAME *Frame);
