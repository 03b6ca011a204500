/* SPDX-License-Identifier: MIT
 * Call chains as arrays of return addresses. */
#include "unwind.h"

/* Return addresses from Context upwards, Skip of them left out. */
static ULONG RtlpCollect(PCONTEXT Context, ULONG Skip, ULONG Count, PVOID *Callers)
{
    ULONG Stored = 0;

    while (Stored < Count && RtlUnwindOneFrame(Context, NULL)) {
        if (Skip != 0)
            Skip--;
        else
            Callers[Stored++] = (PVOID)(ULONG_PTR)Context->Rip;
    }
    return Stored;
}

/* [WDK RtlWalkFrameChain] Flags 0: the kernel's frames, the first is the return address of the caller of this
 * function. Bits 8 and up: frames to skip. User-mode frames (flag 1) are not collected: 0. */
ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags)
{
    CONTEXT Context;

    if (Flags & 1)
        return 0;
    RtlCaptureContext(&Context);
    return RtlpCollect(&Context, Flags >> 8, Count, Callers);
}

/* [WDK RtlCaptureStackBackTrace] The first entry, with FramesToSkip 0, is the return address into the caller.
 * The hash is the sum of the addresses. */
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    ULONG Count = RtlpCollect(&Context, FramesToSkip, FramesToCapture & MAXUSHORT, BackTrace), Hash = 0;
    for (ULONG i = 0; i < Count; i++)
        Hash += (ULONG)(ULONG_PTR)BackTrace[i];
    if (BackTraceHash != NULL)
        *BackTraceHash = Hash;
    return (USHORT)Count;
}
