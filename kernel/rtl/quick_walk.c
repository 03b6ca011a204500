/* SPDX-License-Identifier: MIT
 * Return addresses of a call chain, quickly: how far the return address lies above the stack pointer depends on the place of the
 * call only, as long as the function does not move its stack pointer after its prolog (alloca). It is worked out from the unwind
 * codes once and kept in a table. A chain ends at a trap, at code without unwind data, at the end of the stack and where what
 * should be a return address does not follow a call. For reports only: RtlUnwindOneFrame is right always.
 * [MS x64 exception handling] */
#include "unwind.h"

#define RTLP_STEPS 4096u
#define RTLP_STEP_BITS 17 /* distance in units of 8 bytes, or one of: */
#define RTLP_NO_RETURN_ADDRESS ((1u << RTLP_STEP_BITS) - 1)
#define RTLP_CHAIN_ENDS ((1u << RTLP_STEP_BITS) - 2) /* it is one, but what is above it is not known */
#define RTLP_STEP_MASK ((1u << RTLP_STEP_BITS) - 1)

/* Address << 17 | distance: the upper 17 bits of a kernel address say nothing. Written and read as one. */
static volatile ULONG64 RtlpSteps[RTLP_STEPS];

static volatile ULONG64 *RtlpStepOf(ULONG64 Address)
{
    return &RtlpSteps[(Address ^ Address >> 12) % RTLP_STEPS];
}

/* Bytes that the codes of one UNWIND_INFO take off the stack; FALSE: not known beforehand. */
static BOOLEAN RtlpMeasureCodes(const RTLP_UNWIND_INFO *Info, PULONG Bytes)
{
    RTLP_UNWIND_CODE Code;

    for (ULONG i = 0; i < Info->Count; i += Code.Slots) {
        if (!RtlpReadUnwindCode(Info, i, &Code) || Code.Operation == UnwindPushMachineFrame)
            return FALSE;
        if (Code.Operation == UnwindPushNonvolatile)
            *Bytes += 8;
        else if (Code.Operation == UnwindAllocSmall || Code.Operation == UnwindAllocLarge)
            *Bytes += Code.Value;
    }
    return TRUE;
}

/* E8 rel32, or FF /2 with whatever operand. */
static BOOLEAN RtlpFollowsCall(const RTL_IMAGE_VIEW *Image, ULONG64 Address)
{
    const UCHAR *Code = RtlpImageBytes(Image, Address - Image->Base - 7, 7);

    if (Code == NULL)
        return FALSE;
    for (ULONG i = 0; i < 6; i++)
        if (Code[i] == 0xff && (Code[i + 1] & 0x38) == 0x10)
            return TRUE;
    return Code[2] == 0xe8;
}

static ULONG RtlpMeasureFrame(ULONG64 Address)
{
    RTL_IMAGE_VIEW Image;
    RTLP_UNWIND_INFO Info;
    RUNTIME_FUNCTION Entry;
    ULONG Bytes = 0;

    if (!RtlpUpcalls.FindImage(Address, &Image) || !RtlpFollowsCall(&Image, Address))
        return RTLP_NO_RETURN_ADDRESS;
    const RUNTIME_FUNCTION *Found = RtlpFindFunction(&Image, (ULONG)(Address - 1 - Image.Base));
    if (Found == NULL)
        return RTLP_CHAIN_ENDS; /* a leaf function calls nobody */
    Entry = *Found;
    for (ULONG Chain = 0; Chain < RTLP_MAX_CHAIN; Chain++) {
        if (!RtlpReadUnwindInfo(&Image, Entry.UnwindData, &Info) || !RtlpMeasureCodes(&Info, &Bytes))
            return RTLP_CHAIN_ENDS;
        if (!(Info.Flags & UNW_FLAG_CHAININFO))
            return min(Bytes / 8, RTLP_CHAIN_ENDS);
        if (!RtlpReadChainedEntry(&Image, &Info, &Entry))
            return RTLP_CHAIN_ENDS;
    }
    return RTLP_CHAIN_ENDS;
}

static ULONG RtlpStep(ULONG64 Address)
{
    volatile ULONG64 *Step = RtlpStepOf(Address);
    ULONG64 Known = *Step;

    if (Known >> RTLP_STEP_BITS == (Address & (~0ull >> RTLP_STEP_BITS)))
        return (ULONG)Known & RTLP_STEP_MASK;
    ULONG Distance = RtlpMeasureFrame(Address);
    *Step = Address << RTLP_STEP_BITS | Distance;
    return Distance;
}

ULONG RtlQuickWalk(const ULONG64 *ReturnAddress, PVOID *Callers, ULONG Count)
{
    RTL_STACK_LIMITS Stack;
    ULONG Stored = 0;

    if (!RtlpUpcalls.FindStack((ULONG64)ReturnAddress, &Stack))
        return 0;
    const ULONG64 *End = (const ULONG64 *)Stack.High;
    while (Stored < Count && ReturnAddress < End) {
        ULONG Distance = RtlpStep(*ReturnAddress);
        if (Distance == RTLP_NO_RETURN_ADDRESS)
            break;
        Callers[Stored++] = (PVOID)*ReturnAddress;
        if (Distance == RTLP_CHAIN_ENDS)
            break;
        ReturnAddress += Distance + 1;
    }
    return Stored;
}

VOID RtlForgetCode(const void *Base, SIZE_T Size)
{
    for (ULONG i = 0; i < RTLP_STEPS; i++) {
        ULONG64 Address = (ULONG64)((LONG64)RtlpSteps[i] >> RTLP_STEP_BITS);
        if (Address - (ULONG64)Base <= Size)
            RtlpSteps[i] = 0;
    }
}
