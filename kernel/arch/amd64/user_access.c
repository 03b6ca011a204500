/* SPDX-License-Identifier: MIT
 * Supervisor-mode access prevention. Code of a thread may touch the user addresses of its process, as on Windows; what interrupts
 * a thread (DPCs, service routines) may not, because whose process that is depends on chance. The processor refuses while
 * EFLAGS.AC is clear: every trap entry and every start of DPCs clears it, the fault handler sets it for threads (ke/fault.c). */
#include "arch_trap.h"

#define CPUID_SMAP (1u << 20)

/* The places: an instruction of three bytes that does nothing, in `.smap$m` by ARCH_FORBID_USER_ACCESS and trap_entry.S. */
__attribute__((section(".smap$a"), used)) static PUCHAR const ArchFirstSite = NULL;
__attribute__((section(".smap$z"), used)) static PUCHAR const ArchLastSite = NULL;

BOOLEAN ArchHasSmap(VOID)
{
    return ArchCpuid(0, 0).Eax >= 7 && (ArchCpuid(7, 0).Ebx & CPUID_SMAP);
}

VOID ArchActivateSmap(PUCHAR (*WritableAlias)(PUCHAR Code))
{
    static const UCHAR Clac[] = {0x0f, 0x01, 0xca};

    for (PUCHAR const *Site = &ArchFirstSite + 1; Site < &ArchLastSite; Site++)
        for (ULONG i = 0; *Site != NULL && i < sizeof(Clac); i++) /* the linker may align with zeros */
            *WritableAlias(*Site + i) = Clac[i];
}
