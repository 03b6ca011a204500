/* SPDX-License-Identifier: MIT
 * The processor blocks. The boot processor's is static; others get theirs when they are started
 * (processor_start.c). */
#include "ki.h"
#include "rtl.h"
#include "arch_lock.h"
#include "arch_start.h"

static DECLSPEC_ALIGN(PAGE_SIZE) KI_PROCESSOR KiBootProcessor;
PKPRCB KiProcessorBlock[KI_MAX_PROCESSORS];
ULONG KeActiveProcessorCount;
#undef KeNumberProcessors
volatile CCHAR KeNumberProcessors = 1; /* exported; [WDK] read KeQueryActiveProcessorCount instead */
ULONG KePresentProcessorCount = 1;

VOID KiInitializeProcessorBlock(KI_PROCESSOR *Processor, ULONG Number)
{
    Processor->Pcr.Self = &Processor->Pcr;
    Processor->Pcr.CurrentPrcb = &Processor->Prcb;
    Processor->Pcr.GdtBase = (PVOID)Processor->Tables.Gdt;
    Processor->Pcr.TssBase = (PVOID)Processor->Tables.Tss;
    Processor->Pcr.MajorVersion = 1;
    Processor->Pcr.MinorVersion = 1;
    Processor->Prcb.Number = Number;
    Processor->Prcb.LegacyNumber = (UCHAR)Number;
    Processor->Prcb.MxCsr = 0x1f80;
    Processor->Prcb.TickLength = 1;
    Processor->ReadyLock = (ARCH_LOCK)ARCH_LOCK_INIT("Ready", LockRankKeReady, DISPATCH_LEVEL);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Processor->ReadyList); i++)
        InitializeListHead(&Processor->ReadyList[i]);
    KiInitializeDpcQueues(&Processor->Deferred);
    KiInitializeWheel(&Processor->Deferred.Wheel);
    KiProcessorBlock[Number] = &Processor->Prcb;
}

ULONG64 KiKernelRoot;

/* Interrupts are off and stay off. The first thing the kernel does: traps work afterwards. */
VOID KeInitializeBootProcessor(VOID)
{
    KiInitializeProcessorBlock(&KiBootProcessor, 0);
    KiBootProcessor.Pcr.KdVersionBlock = KiPublishDebuggerData();
    ArchInitializeTraps();
    ArchInitializeProcessor(&KiBootProcessor.Tables, &KiBootProcessor.Pcr,
                            &KiBootProcessor.Tables.IstStacks[0]);
    ArchEnableFeatures();
    ArchSaveMemoryTypes();
    KiInitializeLockChecks();
    KiInstallTrapHandlers();
    KiInitializeCallDpc();
    KiKernelRoot = ArchReadCr3();
    KeActiveProcessorCount = 1;
}
