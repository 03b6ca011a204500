/* SPDX-License-Identifier: MIT
 * What the threads that do not run wait for, for the report of a machine that hangs. Bug check only: no other processor runs, no
 * lock is taken, and what a driver may have written over is looked at before it is followed. */
#include "ki.h"
#include "crt.h"

#define KI_THREAD_FRAMES 32

static BOOLEAN KiIsReadable(const void *Address, SIZE_T Size)
{
    return MmIsAddressValid((PVOID)Address) && MmIsAddressValid((PUCHAR)Address + Size - 1);
}

static PCSTR KiObjectName(const DISPATCHER_HEADER *Object)
{
    switch (KiObjectType(Object)) {
    case EventNotificationObject:
    case EventSynchronizationObject:
        return "event";
    case MutantObject:
        return "mutex";
    case ProcessObject:
        return "process";
    case QueueObject:
        return "queue";
    case SemaphoreObject:
        return "semaphore";
    case ThreadObject:
        return "thread";
    case TimerNotificationObject:
    case TimerSynchronizationObject:
        return "timer";
    default:
        return "object of no known type";
    }
}

#define NAMED(Reason) [Reason] = #Reason

static PCSTR KiReasonName(UCHAR Reason)
{
    static const PCSTR Names[MaximumWaitReason] = {
        NAMED(Executive),      NAMED(FreePage),      NAMED(PageIn),           NAMED(PoolAllocation),
        NAMED(DelayExecution), NAMED(Suspended),     NAMED(UserRequest),      NAMED(WrExecutive),
        NAMED(WrFreePage),     NAMED(WrPageIn),      NAMED(WrPoolAllocation), NAMED(WrDelayExecution),
        NAMED(WrSuspended),    NAMED(WrUserRequest), NAMED(WrQueue),          NAMED(WrVirtualMemory),
        NAMED(WrRendezvous),   NAMED(WrKernel),      NAMED(WrResource),       NAMED(WrPushLock),
        NAMED(WrMutex),        NAMED(WrFastMutex),   NAMED(WrGuardedMutex),   NAMED(WrRundown),
    };

    return Reason < MaximumWaitReason && Names[Reason] != NULL ? Names[Reason] : "another reason";
}

typedef struct _KI_LINE {
    CHAR Text[192];
    ULONG Length;
} KI_LINE;

static VOID KiAppend(KI_LINE *Line, PCSTR Format, ...)
{
    ULONG Room = sizeof(Line->Text) - Line->Length;
    va_list Arguments;

    va_start(Arguments, Format);
    int Written = _vsnprintf(Line->Text + Line->Length, Room, Format, Arguments);
    va_end(Arguments);
    Line->Length =
        Written < 0 || (ULONG)Written >= Room ? sizeof(Line->Text) - 1 : Line->Length + (ULONG)Written;
    Line->Text[Line->Length] = 0;
}

static VOID KiAppendOwner(KI_LINE *Line, PKTHREAD Thread, PKTHREAD Owner)
{
    if (Owner == Thread)
        KiAppend(Line, ", which it has itself");
    else if (Owner != NULL)
        KiAppend(Line, ", which thread 0x%llx has", (unsigned long long)Owner);
}

static VOID KiAppendLock(KI_LINE *Line, PKTHREAD Thread)
{
    const VOID *Lock = Thread->WaitLock;
    KE_LOCK_STATE State = {.Owner = NULL};

    KiAppend(Line, "%s 0x%llx", Thread->WaitLockKind->Name, (unsigned long long)Lock);
    if (!KiIsReadable(Lock, Thread->WaitLockKind->Size)) {
        KiAppend(Line, ", whose memory was freed");
        return;
    }
    Thread->WaitLockKind->Tell(Lock, Thread, &State);
    KiAppendOwner(Line, Thread, State.Owner);
    if (State.Owner == NULL && State.Holders != 0)
        KiAppend(Line, ", of which %lld %s out", (long long)State.Holders, State.Holders == 1 ? "is" : "are");
}

static VOID KiAppendObjects(KI_LINE *Line, PKTHREAD Thread)
{
    const KWAIT_BLOCK *Blocks = Thread->WaitBlockList;

    if (Thread->WaitCount == 0 || !KiIsReadable(Blocks, sizeof(*Blocks))) {
        KiAppend(Line, Thread->WaitReason == WrQueue ? "work from a queue" : "its time");
        return;
    }
    DISPATCHER_HEADER *Object = Blocks[0].Object;
    if (Thread->WaitCount > 1)
        KiAppend(Line, "%s of %u objects, first ", Blocks[0].WaitType == WaitAll ? "all" : "one",
                 (unsigned)Thread->WaitCount);
    if (!KiIsReadable(Object, sizeof(KMUTANT))) {
        KiAppend(Line, "object 0x%llx, whose memory was freed", (unsigned long long)Object);
        return;
    }
    KiAppend(Line, "%s 0x%llx", KiObjectName(Object), (unsigned long long)Object);
    if (KiObjectType(Object) == MutantObject)
        KiAppendOwner(Line, Thread, ((PKMUTANT)Object)->OwnerThread);
}

static VOID KiDescribeWait(KI_LINE *Line, PKTHREAD Thread)
{
    if (Thread->State != ThreadWaiting) {
        KiAppend(Line, "is ready to run, priority %d", (int)Thread->Priority);
        return;
    }
    KiAppend(Line, "waits for ");
    if (Thread->WaitLockKind != NULL)
        KiAppendLock(Line, Thread);
    else
        KiAppendObjects(Line, Thread);
    LONG64 Left = ((LONG64)Thread->Timer.DueTime.QuadPart - (LONG64)HalQueryInterruptTime()) / 10000;
    if (Thread->Timer.Header.Inserted)
        KiAppend(Line, ", for %lld ms more", (long long)Left);
    else
        KiAppend(Line, ", without a time-out");
    KiAppend(Line, " (%s)", KiReasonName(Thread->WaitReason));
}

/* The innermost frame outside the kernel; FALSE: there is none. */
static BOOLEAN KiFindDriverFrame(PCONTEXT Context, KI_SYMBOL *Symbol)
{
    CONTEXT Walk = *Context;

    for (ULONG Depth = 0; Depth < KI_THREAD_FRAMES && Walk.Rip != 0; Depth++) {
        if (!KiUpcalls->IsKernelAddress((PVOID)Walk.Rip)) {
            KiUpcalls->Symbolize((PVOID)(Walk.Rip - 1), Symbol);
            return TRUE;
        }
        if (!KiUpcalls->UnwindOne(&Walk))
            break;
    }
    return FALSE;
}

static VOID KiReportStack(PCONTEXT Context)
{
    CONTEXT Walk = *Context;

    for (ULONG Depth = 0; Depth < KI_THREAD_FRAMES && Walk.Rip != 0; Depth++) {
        KI_SYMBOL Symbol;
        KiUpcalls->Symbolize((PVOID)Walk.Rip, &Symbol);
        KdLog("  #%-2u %016llx %s", (unsigned)Depth, (unsigned long long)Walk.Rip, Symbol.Text);
        KdReport(ReportThreadFrame, KD_NUMBER(ReportKeyDepth, Depth), KD_NUMBER(ReportKeyAddress, Walk.Rip),
                 KD_TEXT(ReportKeyModule, Symbol.Module), KD_NUMBER(ReportKeyOffset, Symbol.Offset),
                 KD_TEXT(ReportKeySymbol, Symbol.Function));
        if (!KiUpcalls->UnwindOne(&Walk))
            break;
    }
}

static BOOLEAN KiRuns(PKTHREAD Thread)
{
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++)
        if (KiProcessorBlock[Number]->CurrentThread == Thread)
            return TRUE;
    return Thread->SwapBusy; /* its registers are in no place that is known */
}

VOID KeReportThreadFrozen(PKTHREAD Thread)
{
    KI_LINE Line = {.Length = 0};
    KI_SYMBOL Driver;
    CONTEXT Context;

    if ((Thread->State != ThreadWaiting && Thread->State != ThreadReady) || KiRuns(Thread) ||
        !KiIsReadable(Thread->KernelStack, ARCH_SWITCH_FRAME_SIZE))
        return;
    ArchContextFromSwitch(Thread->KernelStack, &Context);
    KiWalkedThread = Thread;
    if (KiFindDriverFrame(&Context, &Driver)) {
        KiDescribeWait(&Line, Thread);
        KdLog("*** thread 0x%llx, in %s, %s", (unsigned long long)Thread, Driver.Text, Line.Text);
        KdReport(ReportThread, KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Thread),
                 KD_TEXT(ReportKeyText, Line.Text), KD_TEXT(ReportKeyModule, Driver.Module),
                 KD_NUMBER(ReportKeyOffset, Driver.Offset), KD_TEXT(ReportKeySymbol, Driver.Function),
                 KD_TEXT(ReportKeyKind, Thread->WaitLockKind != NULL ? Thread->WaitLockKind->Name : NULL));
        KiReportStack(&Context);
    }
    KiWalkedThread = NULL;
}
