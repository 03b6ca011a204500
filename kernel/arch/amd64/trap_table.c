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
