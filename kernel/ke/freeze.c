/* SPDX-License-Identifier: MIT
 * Freezing: a bug check stops every other processor by NMI, which reaches them with interrupts off too. Each saves its
 * registers in its PRCB, where the bug check and debuggers read them, and halts for good. */
#include "ki.h"

#define KI_FREEZE_LIMIT                                                                                      \
    (5 * 10000000ull) /* 100 ns: a host that runs 64 processors on one core needs its time */

static volatile LONG KiFreezeOwner; /* processor number + 1; 0: nobody */

BOOLEAN KiIsFreezeActive(VOID)
{
    return __atomic_load_n(&KiFreezeOwner, __ATOMIC_ACQUIRE) != 0;
}

static VOID KiSaveSpecialRegisters(KI_SPECIAL_REGISTERS *Special, ULONG64 Irql)
{
    Special->Cr0 = ArchReadCr0();
    Special->Cr2 = ArchReadCr2();
    Special->Cr3 = ArchReadCr3();
    Special->Cr4 = ArchReadCr4();
    Special->Cr8 = Irql;
    Special->MsrGsBase = ArchReadMsr(0xc0000101);
    Special->MsrGsSwap = ArchReadMsr(0xc0000102);
    __asm__ volatile("sgdt %0" : "=m"(Special->Gdtr.Limit));
    __asm__ volatile("sidt %0" : "=m"(Special->Idtr.Limit));
    __asm__ volatile("str %0" : "=m"(Special->Tr));
    __asm__ volatile("stmxcsr %0" : "=m"(Special->MxCsr));
}

VOID KiSaveProcessorState(PCONTEXT Context, KIRQL Irql)
{
    PKPRCB Prcb = KeGetPrcb();

    Prcb->ProcessorState.ContextFrame = *Context;
    KiSaveSpecialRegisters(&Prcb->ProcessorState.SpecialRegisters, Irql);
}

/* In the NMI handler: further NMIs are held back until an IRET, which never comes. */
DECLSPEC_NORETURN VOID KiStayFrozen(PCONTEXT Context, KIRQL Irql)
{
    KiSaveProcessorState(Context, Irql);
    KeGetPrcb()->BugCheckActive = TRUE;
    __atomic_store_n(&KeGetPrcb()->Frozen, TRUE, __ATOMIC_RELEASE);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static VOID KiAwaitFrozen(PKPRCB Prcb, ULONG64 End)
{
    while (!__atomic_load_n(&Prcb->Frozen, __ATOMIC_ACQUIRE) && HalQueryInterruptTime() < End)
        __builtin_ia32_pause();
}

/* All others are frozen, or did not answer, when it returns TRUE. A second processor with a bug check of its own freezes here, as if the
 * NMI had reached it before: it may be in an NMI already, which holds others back. */
BOOLEAN KiFreezeOthers(PCONTEXT Context, KIRQL Irql)
{
    LONG Me = (LONG)KeGetPrcb()->Number + 1, Owner = 0;

    if (!__atomic_compare_exchange_n(&KiFreezeOwner, &Owner, Me, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        if (Owner != Me)
            KiStayFrozen(Context, Irql);
        return FALSE;
    }
    ULONG64 End = HalQueryInterruptTime() + KI_FREEZE_LIMIT;
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++)
        if ((LONG)Number + 1 != Me)
            HalSendNmi(Number);
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++)
        if ((LONG)Number + 1 != Me)
            KiAwaitFrozen(KiProcessorBlock[Number], End);
    return TRUE;
}
