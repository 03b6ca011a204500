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

/* The segment in use and those that the thread will come back to. */
static BOOLEAN KiFindStackOfThread(PKTHREAD Thread, ULONG64 StackPointer, PULONG64 Low, PULONG64 High)
{
    if (Thread == NULL)
        return FALSE;
    if (KiIsInside(StackPointer, (ULONG64)Thread->StackLimit, (ULONG64)Thread->StackBase, Low, High))
        return TRUE;
    for (const KE_STACK *Stack = Thread->OuterStacks; Stack != NULL; Stack = Stack->Outer)
        if (KiIsInside(StackPointer, (ULONG64)Stack->Limit, (ULONG64)Stack->Base, Low, High))
            return TRUE;
    return FALSE;
}

static BOOLEAN KiFindInterruptStack(PKPRCB Prcb, ULONG64 StackPointer, PULONG64 Low, PULONG64 High)
{
    ARCH_PROCESSOR_TABLES *Tables = &KiProcessorOf(Prcb)->Tables;

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
    if (KiFindStackOfThread(KiCurrentThread(), StackPointer, Low, High) ||
        KiFindInterruptStack(KeGetPrcb(), StackPointer, Low, High))
        return TRUE;
    if (!KiIsFreezeActive())
        return FALSE;
    if (KiFindStackOfThread(KiWalkedThread, StackPointer, Low, High))
        return TRUE;
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++)
        if (KiFindStackOfThread(KiProcessorBlock[Number]->CurrentThread, StackPointer, Low, High) ||
            KiFindInterruptStack(KiProcessorBlock[Number], StackPointer, Low, High))
            return TRUE;
    return FALSE;
}
