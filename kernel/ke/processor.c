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

VOID KiInitializeLockChecks(VOID);

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
    Processor->ReadyLock = (ARCH_LOCK)ARCH_LOCK_INIT("Ready", LockRankKeReady, DISPATCH_LEVEL);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Processor->ReadyList); i++)
        InitializeListHead(&Processor->ReadyList[i]);
    KiInitializeDpcQueue(&Processor->Prcb);
    KiProcessorBlock[Number] = &Processor->Prcb;
}

/* Interrupts are off and stay off. The first thing the kernel does: traps work afterwards. */
VOID KeInitializeBootProcessor(VOID)
{
    KiInitializeProcessorBlock(&KiBootProcessor, 0);
    ArchInitializeTraps();
    ArchInitializeProcessor(&KiBootProcessor.Tables, &KiBootProcessor.Pcr,
                            &KiBootProcessor.Tables.IstStacks[0]);
    ArchEnableFeatures();
    ArchSaveMemoryTypes();
    KiInitializeLockChecks();
    KiInstallTrapHandlers();
    KeActiveProcessorCount = 1;
}

/* [WDK KeQueryActiveProcessorCount] */
ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors != NULL)
        *ActiveProcessors = KeQueryActiveProcessors();
    return KeActiveProcessorCount;
}

/* [WDK KeQueryActiveProcessorCountEx] Group 0 is the only one. */
ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return (GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS) ? KeActiveProcessorCount : 0;
}

KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return KeActiveProcessorCount >= 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << KeActiveProcessorCount) - 1;
}

/* [WDK KeGetCurrentProcessorNumberEx] */
ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG Number = KeGetPrcb()->Number;

    if (ProcNumber != NULL)
        *ProcNumber = (PROCESSOR_NUMBER){.Group = 0, .Number = (UCHAR)Number, .Reserved = 0};
    return Number;
}

/* [WDK KeQueryMaximumProcessorCountEx] What the machine has room for. */
ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return (GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS) ? KePresentProcessorCount : 0;
}
