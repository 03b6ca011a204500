/* SPDX-License-Identifier: MIT
 * Which stack an address lies in: what a stack walk may read. */
#include "ki.h"

PKTHREAD KiWalkedThread;

static BOOLEAN KiIsInside(ULONG64 Address, ULONG64 Low, ULONG64 High, PULONG64 FoundLow, PULONG64 FoundHigh)
{
    *FoundLow = Low;
    *FoundHigh = High;
    return Address >= Low && Address < High;
}

static BOOLEAN KiFindStackOf(PKPRCB Prcb, ULONG64 StackPointer, PULONG64 Low, PULONG64 High)
{
    ARCH_PROCESSOR_TABLES *Tables = &KiProcessorOf(Prcb)->Tables;
    PKTHREAD Thread =
        KiCurrentThread(); /* one instruction: the thread may move to another processor meanwhile */

    if (Thread != NULL &&
        KiIsInside(StackPointer, (ULONG64)Thread->StackLimit, (ULONG64)Thread->StackBase, Low, High))
        return TRUE;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Tables->IstStacks); i++) {
        ULONG64 Stack = (ULONG64)Tables->IstStacks[i];
        if (KiIsInside(StackPointer, Stack, Stack + ARCH_IST_STACK_SIZE, Low, High))
            return TRUE;
    }
    return FALSE;
}

/* In a bug check the others have stopped: their stacks can be walked too, and that of a thread which does not run. */
BOOLEAN KeFindStack(ULONG64 StackPointer, PULONG64 Low, PULONG64 High)
{
    if (KiFindStackOf(KeGetPrcb(), StackPointer, Low, High))
        return TRUE;
    if (KiWalkedThread != NULL && KiIsFreezeActive() &&
        KiIsInside(StackPointer, (ULONG64)KiWalkedThread->StackLimit, (ULONG64)KiWalkedThread->StackBase, Low,
                   High))
        return TRUE;
    for (ULONG Number = 0; KiIsFreezeActive() && Number < KeActiveProcessorCount; Number++)
        if (KiFindStackOf(KiProcessorBlock[Number], StackPointer, Low, High))
            return TRUE;
    return FALSE;
}
