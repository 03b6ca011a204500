/* SPDX-License-Identifier: MIT
 * Phase 1, a system thread: system volume, registry, then the agent, which runs the scenario; then the power goes off. */
#include "initp.h"
#include "cm.h"
#include "ex.h"
#include "hal.h"
#include "io.h"
#include "kd.h"
#include "ke_failure.h"
#include "kt.h"
#include "mm.h"
#include "pnp.h"
#include "po.h"
#include "vm.h"

static VOID InitMountSystemVolume(VOID)
{
    NTSTATUS Status = IopMountBootArchive((PVOID)InitLoaderBlock.Archive, InitLoaderBlock.ArchiveLength);

    if (!NT_SUCCESS(Status))
        KeBugCheckEx(INACCESSIBLE_BOOT_DEVICE, InitLoaderBlock.Archive, (ULONG_PTR)Status, 0, 0);
}

static VOID InitStartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Thread;
    NTSTATUS Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context);

    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
    ZwClose(Thread);
}

static VOID InitStartDpcThreads(VOID)
{
    for (ULONG_PTR Processor = 0; Processor < KeActiveProcessorCount; Processor++)
        InitStartThread(KeDpcThread, (PVOID)Processor);
}

/* The end of the memory manager's start, which is measured. */
static VOID InitReleaseLoader(VOID)
{
    MM_COUNTERS Counters;

    InitMemoryTicks -= ArchReadTsc();
    MmReleaseLoaderMemory();
    InitMemoryTicks += ArchReadTsc();
    MmQueryCounters(&Counters);
    if (InitOptions.Image.MeasureLoads)
        KdLog("bench: memory manager: %llu pages, started in %llu ticks, %llu pages of page frame database",
              (ULONG64)Counters.TotalPages, InitMemoryTicks, (ULONG64)Counters.PfnPages);
}

static VOID InitRunTests(VOID)
{
#if NTBOX_CHECKED
    KtRunTests();
#else
    KdLogError("the free kernel has no in-kernel tests: use the checked one");
#endif
}

/* With the services there: the file systems among them. */
static VOID InitRunStress(VOID)
{
#if NTBOX_CHECKED
    KtStress(InitOptions.StressTime, InitOptions.StressSeed, InitOptions.StressOnly);
#else
    KdLogError("the free kernel has no stress test: use the checked one");
#endif
}

static VOID InitEndFailBoot(VOID)
{
    NTBOX_FAILURE_RESULT Result;

    if (InitOptions.FailBoot == 0)
        return;
    KeReportFailure();
    KeEndFailure(&Result);
}

/* The agent is an ordinary driver; its DriverEntry runs the whole scenario. */
static VOID InitRunAgent(VOID)
{
    UNICODE_STRING Service =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\agent");
    NTSTATUS Status = ZwLoadDriver(&Service);
    ULONG64 Hash, Events;

    if (!NT_SUCCESS(Status))
        KdLogError("the agent could not be loaded: status 0x%08X", (unsigned)Status);
    PnpRemoveDevices();
    IoReportWaitingUnloads();
    IoShutdownSystem(FALSE);
    CmShutdownSystem();
    IoShutdownSystem(TRUE);
    PoShutDownDevices();
    if (InitOptions.SaveHive)
        CmReportSystemHive();
    if (InitOptions.PoolReport)
        ExReportPoolUsage();
    KeQuerySchedulerTrace(&Hash, &Events);
    KdReport(ReportDone, KD_NUMBER(ReportKeyStatus, (ULONG)Status), KD_NUMBER(ReportKeyHash, Hash),
             KD_NUMBER(ReportKeyCount, Events));
}

VOID NTAPI InitPhase1(PVOID Context)
{
    ImInitPhase1();
    ObWatchMemory();
    ExTuneLookasideLists();
    KeStartProcessors();
    InitStartDpcThreads();
    ExpInitializeWorkers();
    IoInitSystem();
    InitMountSystemVolume();
    InitReleaseLoader();
    InitStartThread(MmZeroPageThread, NULL);
    VmInitSystem();
    CmInitSystem();
    PoInitSystem(InitOptions.PowerLimit);
    PnpInitSystem();
    if (NTBOX_CHECKED)
        MmRequireNoWritableCode();
    if (InitOptions.RunTests)
        InitRunTests();
    IoStartServices(PnpStartDevices);
    InitEndFailBoot();
    if (InitOptions.StressTime != 0)
        InitRunStress();
    InitRunAgent();
    KdLog("ntbox: done");
    HalPowerOff(KI_EXIT_DONE);
}
