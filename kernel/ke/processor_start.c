/* SPDX-License-Identifier: MIT
 * Starts the other processors: memory for each, then INIT and start-up to all of them, so that they come up side by side. A
 * processor begins in the trampoline (arch), initialises itself on the stack of its idle thread and stays there, idle.
 * [Intel SDM volume 3, 9.4.4.1 "Typical BSP initialization sequence"] */
#include "ki.h"
#include "arch_start.h"

#define KI_START_REPEAT_US 10000     /* the second start-up request goes to who has not come by then */
#define KI_START_LIMIT_US 60000000ul /* nobody needs so long, not even 64 on one core of the host */

static struct {
    volatile ULONG Arrived;                   /* interlocked */
    volatile BOOLEAN Here[KI_MAX_PROCESSORS]; /* by number, set by the processor itself */
    volatile BOOLEAN Go;                      /* all are here and counted: they may run threads */
    ULONG TickLength; /* (c) ms between clock interrupts of every processor but the first */
    ULONG64 Cr4;      /* (c) what the boot processor has: others must agree */
    ARCH_START_SLOT Slots[KI_MAX_PROCESSORS];
} KiStart;

/* First C code of a processor, interrupts off, on its idle thread's stack. It takes part when all are here. */
static VOID KiProcessorMain(PVOID Context)
{
    KI_PROCESSOR *Processor = Context;

    ArchInitializeProcessor(&Processor->Tables, &Processor->Pcr, Processor->IdleThread.StackBase);
    ArchEnableFeatures();
    ArchLoadMemoryTypes();
    MmInitProcessor();
    HalInitProcessorApic();
    NT_CHECK(ArchReadCr4() == KiStart.Cr4 && HalLocalApicId() == HalApicIdOf(Processor->Prcb.Number));
    ArchSetIrql(HIGH_LEVEL);
    Processor->Prcb.TickLength = KiStart.TickLength;
    HalStartClock(HAL_CLOCK_PERIOD * KiStart.TickLength);
    KiStart.Here[Processor->Prcb.Number] = TRUE;
    __atomic_add_fetch(&KiStart.Arrived, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&KiStart.Go, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    KeIdleLoop();
}

/* Memory of one processor; it stays for good. */
static BOOLEAN KiPrepareProcessor(ULONG Number)
{
    KI_PROCESSOR *Processor = MmAllocateSystemPages(BYTES_TO_PAGES(sizeof(*Processor)), MmReadWrite);
    PVOID XSaveArea = MmAllocateSystemPages(BYTES_TO_PAGES(KeXSaveAreaSize()), MmReadWrite);
    PVOID StackBase, StackLimit;

    if (Processor == NULL || XSaveArea == NULL ||
        !MmAllocateKernelStack(MM_KERNEL_STACK_SIZE, &StackBase, &StackLimit))
        return FALSE;
    KiInitializeProcessorBlock(Processor, Number);
    Processor->Pcr.KdVersionBlock = KiProcessorOf(KiProcessorBlock[0])->Pcr.KdVersionBlock;
    KiInitializeIdleThread(Processor, StackBase, StackLimit, XSaveArea);
    KiUpcalls->PrepareProcessor(&Processor->Prcb);
    KiStart.Slots[Number] =
        (ARCH_START_SLOT){.ApicId = HalApicIdOf(Number), .StackTop = StackBase, .Argument = Processor};
    return TRUE;
}

static VOID KiSendStartUp(ULONG Count, ULONG Page)
{
    for (ULONG Number = 1; Number < Count; Number++)
        if (!KiStart.Here[Number])
            HalStartProcessor(Number, Page);
}

/* TRUE when all have come before MicroSeconds are over. */
static BOOLEAN KiAwaitArrival(ULONG Count, ULONG64 MicroSeconds)
{
    ULONG64 End = HalQueryInterruptTime() + MicroSeconds * 10;

    while (__atomic_load_n(&KiStart.Arrived, __ATOMIC_ACQUIRE) != Count - 1) {
        if (HalQueryInterruptTime() > End)
            return FALSE;
        __builtin_ia32_pause();
    }
    return TRUE;
}

/* INIT needs no pause before the start-up request on any processor that has long mode. */
static VOID KiStartAll(ULONG Count, ULONG Page)
{
    for (ULONG Number = 1; Number < Count; Number++)
        HalResetProcessor(Number);
    KiSendStartUp(Count, Page);
    if (KiAwaitArrival(Count, KI_START_REPEAT_US))
        return;
    KiSendStartUp(Count, Page);
    if (!KiAwaitArrival(Count, KI_START_LIMIT_US)) {
        KdLogError("only %u of %u processors started", (unsigned)KiStart.Arrived + 1, (unsigned)Count);
        KeBugCheckEx(HAL_INITIALIZATION_FAILED, Count, KiStart.Arrived + 1, 0, 0);
    }
}

/* [WDK bug check 0x5C] is also what a machine without memory for the start-up ends with. */
VOID KeStartProcessors(VOID)
{
    ULONG Count = KePresentProcessorCount;
    MM_START_SPACE Space;

    if (Count == 1)
        return;
    if (!MmCreateStartSpace(&Space))
        KeBugCheckEx(HAL_INITIALIZATION_FAILED, Count, 0, 1, 0);
    for (ULONG Number = 1; Number < Count; Number++)
        if (!KiPrepareProcessor(Number))
            KeBugCheckEx(HAL_INITIALIZATION_FAILED, Count, Number, 2, 0);
    KiStart.Cr4 = ArchReadCr4();
    KiStart.TickLength = max(1, Count / 4);
    ArchFillTrampoline(MmDirectMap(Space.Code), Space.Code, Space.Root);
    ArchSetStartSlots(&KiStart.Slots[1], Count - 1, KiProcessorMain);
    KiStartAll(Count, Space.Code);
    KeActiveProcessorCount = Count;
    KeNumberProcessors = (CCHAR)Count;
    KiPublishProcessorCount();
    __atomic_store_n(&KiStart.Go, TRUE,
                     __ATOMIC_RELEASE); /* who runs a thread is reached by calls to all processors */
    MmDeleteStartSpace(&Space);
}
