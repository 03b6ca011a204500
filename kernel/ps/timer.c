/* SPDX-License-Identifier: MIT
 * Timers by handle: a kernel timer, and an APC to the thread that set it. [WDK ZwCreateTimer, ZwSetTimer, ZwSetTimerEx, ZwCancelTimer;
 * Win32 SetWaitableTimer: the timer is cancelled when the thread ends that set it with a routine] */
#include "ps_service.h"
#include "psp.h"
#include "mm_caller.h"
#include "image.h"
#include "kd.h"
#include "ke_bugcheck.h"
#include "ob.h"

/* (m) Mutex; (t) PspTimerLock. Who sets or cancels holds Mutex; it is taken before PspTimerLock. */
typedef struct _PSP_TIMER {
    KTIMER Timer;
    EX_PUSH_LOCK Mutex; /* in a critical region */
    KDPC Dpc;           /* expired: queues Apc */
    KAPC Apc;        /* (m), and the DPC while the timer is set; queued: it holds a reference on the timer */
    PETHREAD Thread; /* (m)(t) whose list it is in; NULL: there is no routine */
    LIST_ENTRY ThreadEntry, Entry; /* (t) the second is of PspRoutineTimers */
} PSP_TIMER;

static POBJECT_TYPE PspTimerType;
static LIST_ENTRY PspRoutineTimers = {&PspRoutineTimers, &PspRoutineTimers}; /* (t) those with a routine */
static ARCH_LOCK PspTimerLock = ARCH_LOCK_INIT("PspTimer", LockRankPs, DISPATCH_LEVEL);

/* --- the routine --- */

/* [WDK ZwSetTimer] TimerLowValue, TimerHighValue: the time at which the timer was signalled. */
static VOID NTAPI PspTimerExpired(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PSP_TIMER *Timer = Context;
    LARGE_INTEGER Now;

    if (!ObReferenceObjectSafe(Timer))
        return; /* its last handle was closed: the one who deletes it waits for this DPC */
    KeQuerySystemTime(&Now);
    if (!KeInsertQueueApc(&Timer->Apc, (PVOID)(ULONG_PTR)Now.LowPart, (PVOID)(LONG_PTR)Now.HighPart,
                          IO_NO_INCREMENT))
        ObDereferenceObjectDeferDelete(Timer);
}

static VOID NTAPI PspTimerApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                              PVOID *Argument1, PVOID *Argument2)
{
    ObDereferenceObjectDeferDelete(CONTAINING_RECORD(Apc, PSP_TIMER, Apc));
}

static VOID NTAPI PspTimerRundown(PKAPC Apc)
{
    ObDereferenceObjectDeferDelete(CONTAINING_RECORD(Apc, PSP_TIMER, Apc));
}

/* --- setting and stopping --- */

static VOID PspUnlinkTimer(PSP_TIMER *Timer)
{
    KIRQL OldIrql = ArchAcquireLock(&PspTimerLock);

    RemoveEntryList(&Timer->ThreadEntry);
    RemoveEntryList(&Timer->Entry);
    Timer->Thread = NULL;
    ArchReleaseLock(&PspTimerLock, OldIrql);
}

/* Mutex held. Afterwards neither the DPC nor the APC begins for what was set; the APC may be running. */
static VOID PspStopTimer(PSP_TIMER *Timer)
{
    (void)KeCancelTimer(&Timer->Timer);
    if (Timer->Thread == NULL)
        return;
    KeFlushQueuedDpcs();
    if (KeRemoveQueueApc(&Timer->Apc))
        ObDereferenceObjectDeferDelete(Timer);
    PspUnlinkTimer(Timer);
}

/* An APC would hold a reference: there is none, and the thread may be gone. */
static VOID PspDeleteTimer(PVOID Object)
{
    PSP_TIMER *Timer = Object;

    (void)KeCancelTimer(&Timer->Timer);
    if (Timer->Thread == NULL)
        return;
    KeFlushQueuedDpcs();
    PspUnlinkTimer(Timer);
}

/* Mutex held, the timer is stopped. */
static VOID PspStartTimer(PSP_TIMER *Timer, const PS_TIMER_SETTING *Setting, KPROCESSOR_MODE Mode)
{
    PETHREAD Thread = (PETHREAD)KiCurrentThread();

    if (Setting->Routine != NULL) {
        KeInitializeApc(&Timer->Apc, &Thread->Tcb, CurrentApcEnvironment, PspTimerApc, PspTimerRundown,
                        (PKNORMAL_ROUTINE)(PVOID)Setting->Routine, Mode, Setting->Context);
        KIRQL OldIrql = ArchAcquireLock(&PspTimerLock);
        Timer->Thread = Thread;
        InsertTailList(&Thread->TimerList, &Timer->ThreadEntry);
        InsertTailList(&PspRoutineTimers, &Timer->Entry);
        ArchReleaseLock(&PspTimerLock, OldIrql);
    }
    (void)KeSetCoalescableTimer(&Timer->Timer, Setting->DueTime, Setting->Period, Setting->TolerableDelay,
                                Setting->Routine != NULL ? &Timer->Dpc : NULL);
}

static VOID PspLockTimer(PSP_TIMER *Timer)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Timer->Mutex);
}

static VOID PspUnlockTimer(PSP_TIMER *Timer)
{
    ExReleasePushLockExclusive(&Timer->Mutex);
    KeLeaveCriticalRegion();
}

/* Referenced. One that is being deleted needs its thread no more and is taken out. */
static PSP_TIMER *PspFirstTimerOf(PETHREAD Thread)
{
    PSP_TIMER *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PspTimerLock);

    while (Found == NULL && !IsListEmpty(&Thread->TimerList)) {
        PSP_TIMER *Timer = CONTAINING_RECORD(Thread->TimerList.Flink, PSP_TIMER, ThreadEntry);
        if (ObReferenceObjectSafe(Timer)) {
            Found = Timer;
        } else {
            RemoveEntryList(&Timer->ThreadEntry);
            InitializeListHead(&Timer->ThreadEntry);
        }
    }
    ArchReleaseLock(&PspTimerLock, OldIrql);
    return Found;
}

VOID PspStopTimersOf(PETHREAD Thread)
{
    PSP_TIMER *Timer;

    while ((Timer = PspFirstTimerOf(Thread)) != NULL) {
        PspLockTimer(Timer);
        if (Timer->Thread == Thread)
            PspStopTimer(Timer);
        PspUnlockTimer(Timer);
        ObDereferenceObject(Timer);
    }
}

/* A timer whose routine lies in the module, referenced. While it is in the list its APC stays as it is. */
static PSP_TIMER *PspTimerInto(const IM_MODULE *Module)
{
    PSP_TIMER *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PspTimerLock);

    for (LIST_ENTRY *E = PspRoutineTimers.Flink; E != &PspRoutineTimers && Found == NULL; E = E->Flink) {
        PSP_TIMER *Timer = CONTAINING_RECORD(E, PSP_TIMER, Entry);
        if ((ULONG_PTR)Timer->Apc.NormalRoutine - (ULONG_PTR)Module->Base < Module->Size &&
            ObReferenceObjectSafe(Timer))
            Found = Timer;
    }
    ArchReleaseLock(&PspTimerLock, OldIrql);
    return Found;
}

ULONG PsReportDriverTimers(PIM_MODULE Module)
{
    PSP_TIMER *Timer;
    ULONG Count = 0;

    for (; (Timer = PspTimerInto(Module)) != NULL; Count++) {
        PspLockTimer(Timer);
        PspStopTimer(Timer);
        PspUnlockTimer(Timer);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "timer"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Timer));
        ObDereferenceObject(Timer);
    }
    return Count;
}

NTSTATUS PsSetTimer(HANDLE TimerHandle, const PS_TIMER_SETTING *Setting, KPROCESSOR_MODE Mode)
{
    PSP_TIMER *Timer;
    NTSTATUS Status = MmProbeCaller(Setting->PreviousState, sizeof(BOOLEAN), Mode);

    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(TimerHandle, TIMER_MODIFY_STATE, PspTimerType, Mode,
                                           (PVOID *)&Timer, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    PspLockTimer(Timer);
    BOOLEAN Previous = KeReadStateTimer(&Timer->Timer);
    PspStopTimer(Timer);
    PspStartTimer(Timer, Setting, Mode);
    PspUnlockTimer(Timer);
    ObDereferenceObject(Timer);
    if (Setting->PreviousState != NULL)
        Status = MmWriteCaller(Setting->PreviousState, &Previous, sizeof(Previous), Mode);
    return NT_SUCCESS(Status) && Setting->Resume ? STATUS_TIMER_RESUME_IGNORED : Status;
}

NTSTATUS PsCancelTimer(HANDLE TimerHandle, PBOOLEAN CurrentState, KPROCESSOR_MODE Mode)
{
    PSP_TIMER *Timer;
    NTSTATUS Status = MmProbeCaller(CurrentState, sizeof(BOOLEAN), Mode);

    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(TimerHandle, TIMER_MODIFY_STATE, PspTimerType, Mode,
                                           (PVOID *)&Timer, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    PspLockTimer(Timer);
    PspStopTimer(Timer);
    BOOLEAN State = KeReadStateTimer(&Timer->Timer);
    PspUnlockTimer(Timer);
    ObDereferenceObject(Timer);
    return CurrentState != NULL ? MmWriteCaller(CurrentState, &State, sizeof(State), Mode) : STATUS_SUCCESS;
}

/* A driver's routine lies in an image; else the APC that calls it would be the first to find out, and who set it would not be on the stack. */
static VOID PspRequireRoutine(PTIMER_APC_ROUTINE Routine)
{
    if (Routine != NULL && ImFindModule((PVOID)Routine) == NULL)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ARGUMENT, (ULONG_PTR)Routine, 0,
                          0, "the APC routine of a timer lies where no code is");
}

NTSTATUS NTAPI ZwSetTimer(HANDLE TimerHandle, PLARGE_INTEGER DueTime, PTIMER_APC_ROUTINE TimerApcRoutine,
                          PVOID TimerContext, BOOLEAN ResumeTimer, LONG Period, PBOOLEAN PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Period < 0)
        return STATUS_INVALID_PARAMETER;
    PspRequireRoutine(TimerApcRoutine);
    const PS_TIMER_SETTING Setting = {.DueTime = *DueTime,
                                      .Routine = TimerApcRoutine,
                                      .Context = TimerContext,
                                      .Period = (ULONG)Period,
                                      .Resume = ResumeTimer,
                                      .PreviousState = PreviousState};
    return PsSetTimer(TimerHandle, &Setting, KernelMode);
}

/* [WDK ZwSetTimerEx] A WakeContext asks for what ResumeTimer does. */
NTSTATUS NTAPI ZwSetTimerEx(HANDLE TimerHandle, TIMER_SET_INFORMATION_CLASS TimerSetInformationClass,
                            PVOID TimerSetInformation, ULONG TimerSetInformationLength)
{
    const TIMER_SET_COALESCABLE_TIMER_INFO *Info = TimerSetInformation;

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (TimerSetInformationClass != TimerSetCoalescableTimer)
        return STATUS_INVALID_INFO_CLASS;
    if (TimerSetInformationLength != sizeof(*Info))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Info->Period > MAXLONG)
        return STATUS_INVALID_PARAMETER;
    PspRequireRoutine(Info->TimerApcRoutine);
    const PS_TIMER_SETTING Setting = {.DueTime = Info->DueTime,
                                      .Routine = Info->TimerApcRoutine,
                                      .Context = Info->TimerContext,
                                      .Period = Info->Period,
                                      .TolerableDelay = Info->TolerableDelay,
                                      .Resume = Info->WakeContext != NULL,
                                      .PreviousState = Info->PreviousState};
    return PsSetTimer(TimerHandle, &Setting, KernelMode);
}

NTSTATUS NTAPI ZwCancelTimer(HANDLE TimerHandle, PBOOLEAN CurrentState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PsCancelTimer(TimerHandle, CurrentState, KernelMode);
}

/* --- the object --- */

static const OB_TYPE_INFO PspTimerTypeInfo = {
    .Name = L"Timer",
    .PoolTag = 'miTP',
    .Mapping = {STANDARD_RIGHTS_READ | TIMER_QUERY_STATE, STANDARD_RIGHTS_WRITE | TIMER_MODIFY_STATE,
                STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, TIMER_ALL_ACCESS},
    .ValidAccess = TIMER_ALL_ACCESS,
    .WaitOffset = FIELD_OFFSET(PSP_TIMER, Timer.Header),
    .Methods = {.Delete = PspDeleteTimer},
};

VOID PspInitializeTimers(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&PspTimerTypeInfo, &PspTimerType);

    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
}

static VOID PspInitializeTimer(PSP_TIMER *Timer, TIMER_TYPE Type)
{
    KeInitializeTimerEx(&Timer->Timer, Type);
    KeInitializeDpc(&Timer->Dpc, PspTimerExpired, Timer);
    ExInitializePushLock(&Timer->Mutex);
    Timer->Thread = NULL;
}

/* [WDK ZwCreateTimer] STATUS_OBJECT_NAME_EXISTS with OBJ_OPENIF, STATUS_OBJECT_NAME_COLLISION without. */
NTSTATUS PsCreateTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                       TIMER_TYPE TimerType, KPROCESSOR_MODE Mode)
{
    PSP_TIMER *Timer;
    HANDLE Handle;

    if (TimerType != NotificationTimer && TimerType != SynchronizationTimer)
        return STATUS_INVALID_PARAMETER_4;
    NTSTATUS Status = MmProbeCallerOutput(TimerHandle, sizeof(*TimerHandle), Mode);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, PspTimerType, ObjectAttributes, Mode, NULL, sizeof(*Timer), 0, 0,
                                (PVOID *)&Timer);
    if (!NT_SUCCESS(Status))
        return Status;
    PspInitializeTimer(Timer, TimerType);
    Status = ObInsertObject(Timer, NULL, DesiredAccess, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(TimerHandle, Handle, Mode);
    return NT_SUCCESS(Given) ? Status : Given;
}

NTSTATUS PsOpenTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                     KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(TimerHandle, sizeof(*TimerHandle), Mode);

    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(ObjectAttributes, PspTimerType, Mode, DesiredAccess, NULL, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(TimerHandle, Handle, Mode) : Status;
}

NTSTATUS NTAPI ZwCreateTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes, TIMER_TYPE TimerType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PsCreateTimer(TimerHandle, DesiredAccess, ObjectAttributes, TimerType, KernelMode);
}

NTSTATUS NTAPI ZwOpenTimer(PHANDLE TimerHandle, ACCESS_MASK DesiredAccess,
                           POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PsOpenTimer(TimerHandle, DesiredAccess, ObjectAttributes, KernelMode);
}
