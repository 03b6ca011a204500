/* SPDX-License-Identifier: MIT
 * The table that trap_entry.S calls through. A vector nobody claimed is counted as unexpected by the default handler that ke
 * installs; until then the machine halts, because nothing can be reported yet. */
#include "arch_trap.h"

static VOID ArchHaltOnEarlyTrap(ARCH_TRAP_FRAME *Frame)
{
    (void)Frame;
    for (;;)
        __asm__ volatile("cli; hlt");
}

ARCH_TRAP_HANDLER ArchTrapHandlers[ARCH_VECTOR_COUNT] = {[0 ... ARCH_VECTOR_COUNT - 1] = ArchHaltOnEarlyTrap};

VOID ArchSetTrapHandler(UCHAR Vector, ARCH_TRAP_HANDLER Handler)
{
    ArchTrapHandlers[Vector] = Handler;
}

VOID (*ArchExceptionInInterrupt)(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

#define TRAP_FRAME_OFFSET 0x20 /* of the trap frame in ArchTrapCommon's, whose establisher frame is its RSP */

/* Raised by the code itself, at the instruction that the frame names: what is further up the stack is its caller. */
static BOOLEAN ArchIsFault(ULONG64 Vector)
{
    switch (Vector) {
    case 2:  /* NMI */
    case 8:  /* double fault */
    case 18: /* machine check */
        return FALSE;
    case 0x29:
    case 0x2C:
    case 0x2D:
        return TRUE;
    default:
        return Vector < 0x1F;
    }
}

/* Language handler of ArchTrapCommon. */
EXCEPTION_DISPOSITION ArchTrapPersonality(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame,
                                          PCONTEXT ContextRecord, PVOID DispatcherContext)
{
    ARCH_TRAP_FRAME *Frame = (ARCH_TRAP_FRAME *)((PUCHAR)EstablisherFrame + TRAP_FRAME_OFFSET);

    if (!ArchIsFault(Frame->Vector))
        ArchExceptionInInterrupt(ExceptionRecord, ContextRecord);
    return ExceptionContinueSearch;
}
