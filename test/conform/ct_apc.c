/* SPDX-License-Identifier: MIT
 * Asynchronous procedure calls and alerts. [WDK "Types of APCs", "Disabling APCs", "Do waiting threads receive alerts and APCs?",
 * KeEnterCriticalRegion, KeEnterGuardedRegion, KeAreAllApcsDisabled] */
#include "ct_threads.h"

typedef struct SEEN {
    KAPC Apc;
    volatile LONG Kernel, Normal, Rundown;
    KIRQL KernelIrql, NormalIrql;
    PKTHREAD Thread;
    PVOID Context, Argument1, Argument2;
    volatile LONG *Order;
    LONG Place;
    KEVENT KernelRan, NormalRan;
} SEEN;

static VOID NTAPI KernelRoutine(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                                PVOID *Argument1, PVOID *Argument2)
{
    SEEN *Seen = CONTAINING_RECORD(Apc, SEEN, Apc);
    UNREFERENCED_PARAMETER(NormalRoutine);
    UNREFERENCED_PARAMETER(NormalContext);
    Seen->KernelIrql = KeGetCurrentIrql();
    Seen->Thread = (PKTHREAD)KeGetCurrentThread();
    Seen->Argument1 = *Argument1;
    Seen->Argument2 = *Argument2;
    if (Seen->Order != NULL)
        Seen->Place = InterlockedIncrement(Seen->Order);
    InterlockedIncrement(&Seen->Kernel);
    KeSetEvent(&Seen->KernelRan, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI NormalRoutine(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    SEEN *Seen = Context;
    Seen->NormalIrql = KeGetCurrentIrql();
    Seen->Argument1 = Argument1;
    Seen->Argument2 = Argument2;
    InterlockedIncrement(&Seen->Normal);
    KeSetEvent(&Seen->NormalRan, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI RundownRoutine(PKAPC Apc)
{
    InterlockedIncrement(&CONTAINING_RECORD(Apc, SEEN, Apc)->Rundown);
}

static VOID Initialize(SEEN *Seen, PKTHREAD Thread, BOOLEAN Normal, KPROCESSOR_MODE Mode)
{
    RtlZeroMemory(Seen, sizeof(*Seen));
    Seen->KernelIrql = Seen->NormalIrql = 0xff;
    KeInitializeEvent(&Seen->KernelRan, NotificationEvent, FALSE);
    KeInitializeEvent(&Seen->NormalRan, NotificationEvent, FALSE);
    KeInitializeApc(&Seen->Apc, Thread, OriginalApcEnvironment, KernelRoutine, RundownRoutine,
                    Normal ? NormalRoutine : NULL, Mode, Seen);
}

static BOOLEAN Insert(SEEN *Seen)
{
    return KeInsertQueueApc(&Seen->Apc, (PVOID)1, (PVOID)2, IO_NO_INCREMENT);
}

/* Each environment is this process here: the one that the thread is in when the APC is initialized, or when it is queued. */
static VOID ApcEnvironments(VOID)
{
    static const KAPC_ENVIRONMENT All[] = {OriginalApcEnvironment, CurrentApcEnvironment,
                                           InsertApcEnvironment};
    for (ULONG i = 0; i < RTL_NUMBER_OF(All); i++) {
        SEEN Seen;
        Initialize(&Seen, (PKTHREAD)KeGetCurrentThread(), FALSE, KernelMode);
        KeInitializeApc(&Seen.Apc, (PKTHREAD)KeGetCurrentThread(), All[i], KernelRoutine, RundownRoutine,
                        NULL, KernelMode, NULL);
        CT_CHECK(Insert(&Seen));
        CT_EQUAL(Seen.Kernel, 1);
    }
}

/* Without a normal routine an APC is a special kernel one, whatever the mode. */
static VOID ApcInit(VOID)
{
    SEEN Seen;
    Initialize(&Seen, (PKTHREAD)KeGetCurrentThread(), FALSE, UserMode);
    CT_EQUAL(Seen.Apc.ApcMode, KernelMode);
    CT_EQUAL(Seen.Apc.Inserted, FALSE);
    CT_EQUAL((ULONG_PTR)Seen.Apc.Thread, (ULONG_PTR)KeGetCurrentThread());
    Initialize(&Seen, (PKTHREAD)KeGetCurrentThread(), TRUE, UserMode);
    CT_EQUAL(Seen.Apc.ApcMode, UserMode);
}

/* To the current thread: runs before KeInsertQueueApc returns at PASSIVE_LEVEL. The kernel routine at APC_LEVEL, then the normal
 * routine at PASSIVE_LEVEL. */
static VOID ApcSelf(VOID)
{
    SEEN Special, Normal;
    Initialize(&Special, (PKTHREAD)KeGetCurrentThread(), FALSE, KernelMode);
    Initialize(&Normal, (PKTHREAD)KeGetCurrentThread(), TRUE, KernelMode);
    CT_CHECK(Insert(&Special));
    CT_EQUAL(Special.Kernel, 1);
    CT_EQUAL(Special.KernelIrql, APC_LEVEL);
    CT_EQUAL((ULONG_PTR)Special.Thread, (ULONG_PTR)KeGetCurrentThread());
    CT_EQUAL((ULONG_PTR)Special.Argument1, 1);
    CT_EQUAL((ULONG_PTR)Special.Argument2, 2);
    CT_CHECK(Insert(&Normal));
    CT_EQUAL(Normal.Kernel, 1);
    CT_EQUAL(Normal.KernelIrql, APC_LEVEL);
    CT_EQUAL(Normal.Normal, 1);
    CT_EQUAL(Normal.NormalIrql, PASSIVE_LEVEL);
}

/* At APC_LEVEL and above nothing is delivered until the IRQL falls, also when it falls by a direct write of CR8. */
static VOID ApcIrql(VOID)
{
    SEEN Seen;
    KIRQL OldIrql;
    Initialize(&Seen, (PKTHREAD)KeGetCurrentThread(), FALSE, KernelMode);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    CT_CHECK(Insert(&Seen));
    CT_CHECK(!Insert(&Seen)); /* it is queued already */
    CT_EQUAL(Seen.Kernel, 0);
    KeLowerIrql(OldIrql);
    CT_EQUAL(Seen.Kernel, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_CHECK(Insert(&Seen));
    CT_EQUAL(Seen.Kernel, 1);
    __asm__ volatile("mov %0, %%cr8" : : "r"((ULONG64)PASSIVE_LEVEL) : "memory");
    CT_EQUAL(Seen.Kernel, 2);
}

/* A critical region holds normal APCs back, a guarded region special ones too. */
static VOID ApcRegions(VOID)
{
    SEEN Special, Normal;
    Initialize(&Special, (PKTHREAD)KeGetCurrentThread(), FALSE, KernelMode);
    Initialize(&Normal, (PKTHREAD)KeGetCurrentThread(), TRUE, KernelMode);
    KeEnterCriticalRegion();
    CT_CHECK(KeAreApcsDisabled());
    CT_CHECK(!KeAreAllApcsDisabled());
    CT_CHECK(Insert(&Normal));
    CT_CHECK(Insert(&Special));
    CT_EQUAL(Special.Kernel, 1);
    CT_EQUAL(Normal.Kernel, 0);
    KeLeaveCriticalRegion();
    CT_EQUAL(Normal.Normal, 1);
    KeEnterGuardedRegion();
    CT_CHECK(KeAreAllApcsDisabled());
    CT_CHECK(Insert(&Special));
    CT_EQUAL(Special.Kernel, 1);
    KeLeaveGuardedRegion();
    CT_EQUAL(Special.Kernel, 2);
    CT_CHECK(!KeAreAllApcsDisabled());
}

/* Specials run before normal ones, equals in the order of their insertion. */
static VOID ApcOrder(VOID)
{
    SEEN Seen[4];
    volatile LONG Order = 0;
    KIRQL OldIrql;
    for (ULONG i = 0; i < 4; i++) {
        Initialize(&Seen[i], (PKTHREAD)KeGetCurrentThread(), i < 2, KernelMode);
        Seen[i].Order = &Order;
    }
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    for (ULONG i = 0; i < 4; i++)
        CT_CHECK(Insert(&Seen[i]));
    KeLowerIrql(OldIrql);
    CT_EQUAL(Seen[2].Place, 1);
    CT_EQUAL(Seen[3].Place, 2);
    CT_EQUAL(Seen[0].Place, 3);
    CT_EQUAL(Seen[1].Place, 4);
}

static VOID ApcRemove(VOID)
{
    SEEN Seen;
    KIRQL OldIrql;
    Initialize(&Seen, (PKTHREAD)KeGetCurrentThread(), FALSE, KernelMode);
    CT_CHECK(!KeRemoveQueueApc(&Seen.Apc));
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    CT_CHECK(Insert(&Seen));
    CT_CHECK(KeRemoveQueueApc(&Seen.Apc));
    CT_CHECK(!KeRemoveQueueApc(&Seen.Apc));
    KeLowerIrql(OldIrql);
    CT_EQUAL(Seen.Kernel, 0);
    CT_CHECK(Insert(&Seen));
    CT_EQUAL(Seen.Kernel, 1);
}

typedef struct TARGET {
    KEVENT Ready, Go;
    KPROCESSOR_MODE Mode;
    BOOLEAN Alertable, Critical, Spin;
    volatile LONG Stop;
    NTSTATUS Status;
} TARGET;

static VOID NTAPI RunTarget(PVOID Context)
{
    TARGET *Target = Context;
    if (Target->Critical)
        KeEnterCriticalRegion();
    KeSetEvent(&Target->Ready, IO_NO_INCREMENT, FALSE);
    while (Target->Spin && !Target->Stop)
        CtSpin();
    if (!Target->Spin)
        Target->Status =
            KeWaitForSingleObject(&Target->Go, Executive, Target->Mode, Target->Alertable, &CtPatience);
    if (Target->Critical)
        KeLeaveCriticalRegion();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static PKTHREAD StartTarget(TARGET *Target, KPROCESSOR_MODE Mode, BOOLEAN Alertable)
{
    Target->Mode = Mode;
    Target->Alertable = Alertable;
    Target->Status = STATUS_PENDING;
    KeInitializeEvent(&Target->Ready, NotificationEvent, FALSE);
    KeInitializeEvent(&Target->Go, NotificationEvent, FALSE);
    PKTHREAD Thread = CtStart(RunTarget, Target);
    if (Thread != NULL)
        CtExpect(&Target->Ready);
    return Thread;
}

/* A waiting thread runs the APC and waits on: the wait does not end. So does one that runs on another processor. */
static VOID ApcOther(VOID)
{
    TARGET Waiting = {0}, Running = {.Spin = TRUE};
    SEEN Seen;
    PKTHREAD Thread = StartTarget(&Waiting, KernelMode, FALSE);
    CT_REQUIRE(Thread != NULL);
    Initialize(&Seen, Thread, TRUE, KernelMode);
    CT_CHECK(Insert(&Seen));
    CtExpect(&Seen.NormalRan);
    CT_EQUAL((ULONG_PTR)Seen.Thread, (ULONG_PTR)Thread);
    CT_STATUS(Waiting.Status, STATUS_PENDING);
    KeSetEvent(&Waiting.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_SUCCESS(Waiting.Status);
    Thread = StartTarget(&Running, KernelMode, FALSE);
    CT_REQUIRE(Thread != NULL);
    Initialize(&Seen, Thread, FALSE, KernelMode);
    CT_CHECK(Insert(&Seen));
    CtExpect(&Seen.KernelRan);
    Running.Stop = 1;
    CtJoin(Thread);
}

/* A wait in a critical region is not interrupted by a normal APC; it runs when the region is left. */
static VOID ApcOtherCritical(VOID)
{
    TARGET Waiting = {.Critical = TRUE};
    SEEN Normal, Special;
    PKTHREAD Thread = StartTarget(&Waiting, KernelMode, FALSE);
    CT_REQUIRE(Thread != NULL);
    Initialize(&Normal, Thread, TRUE, KernelMode);
    Initialize(&Special, Thread, FALSE, KernelMode);
    CT_CHECK(Insert(&Normal));
    CT_CHECK(Insert(&Special));
    CtExpect(&Special.KernelRan);
    CT_EQUAL(Normal.Kernel, 0);
    KeSetEvent(&Waiting.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_EQUAL(Normal.Normal, 1);
    CT_SUCCESS(Waiting.Status);
}

/* A user APC ends an alertable wait in user mode, and no other; a thread that ends runs it down. */
static VOID ApcUser(VOID)
{
    TARGET Alertable = {0}, Deaf = {0};
    SEEN Seen;
    PKTHREAD Thread = StartTarget(&Alertable, UserMode, TRUE);
    CT_REQUIRE(Thread != NULL);
    Initialize(&Seen, Thread, TRUE, UserMode);
    CT_CHECK(Insert(&Seen));
    CtJoin(Thread);
    CT_STATUS(Alertable.Status, STATUS_USER_APC);
    CT_EQUAL(Seen.Rundown, 1);
    CT_EQUAL(Seen.Normal, 0);
    Thread = StartTarget(&Deaf, KernelMode, TRUE);
    CT_REQUIRE(Thread != NULL);
    Initialize(&Seen, Thread, TRUE, UserMode);
    CT_CHECK(Insert(&Seen));
    KeSetEvent(&Deaf.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_SUCCESS(Deaf.Status);
    CT_EQUAL(Seen.Rundown, 1);
}

/* A thread that has ended takes no APC. */
static VOID ApcEnded(VOID)
{
    TARGET Waiting = {0};
    SEEN Seen;
    PKTHREAD Thread = StartTarget(&Waiting, KernelMode, FALSE);
    CT_REQUIRE(Thread != NULL);
    ObReferenceObject(Thread);
    KeSetEvent(&Waiting.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    Initialize(&Seen, Thread, FALSE, KernelMode);
    CT_CHECK(!Insert(&Seen));
    ObDereferenceObject(Thread);
}

/* An alert ends an alertable wait with STATUS_ALERTED, or is remembered for the next; KeTestAlertThread takes it back. */
static VOID ApcAlert(VOID)
{
    TARGET Alertable = {0};
    PKTHREAD Self = (PKTHREAD)KeGetCurrentThread();
    KEVENT Never;
    LARGE_INTEGER Short = CtMilliseconds(5), None = {.QuadPart = 0};
    PKTHREAD Thread = StartTarget(&Alertable, KernelMode, TRUE);
    CT_REQUIRE(Thread != NULL);
    CT_CHECK(!KeAlertThread(Thread, KernelMode));
    CtJoin(Thread);
    CT_STATUS(Alertable.Status, STATUS_ALERTED);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    CT_CHECK(!KeAlertThread(Self, KernelMode));
    CT_CHECK(KeAlertThread(Self, KernelMode));
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, &Short), STATUS_TIMEOUT);
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, KernelMode, TRUE, &Short), STATUS_ALERTED);
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, KernelMode, TRUE, &Short), STATUS_TIMEOUT);
    CT_CHECK(!KeTestAlertThread(KernelMode));
    CT_CHECK(!KeAlertThread(Self, KernelMode));
    CT_CHECK(KeTestAlertThread(KernelMode));
    CT_CHECK(!KeTestAlertThread(KernelMode));
    CT_STATUS(KeDelayExecutionThread(KernelMode, TRUE, &Short), STATUS_SUCCESS);
    CT_CHECK(!KeAlertThread(Self, KernelMode));
    CT_STATUS(KeDelayExecutionThread(KernelMode, TRUE, &Short), STATUS_ALERTED);
    CT_CHECK(!KeAlertThread(Self, KernelMode)); /* a wait in user mode is not above it */
    CT_STATUS(KeDelayExecutionThread(UserMode, TRUE, &Short), STATUS_ALERTED);
    CT_CHECK(!KeAlertThread(Self, KernelMode)); /* a delay that is over when it begins */
    CT_STATUS(KeDelayExecutionThread(KernelMode, FALSE, &None), STATUS_SUCCESS);
    CT_STATUS(KeDelayExecutionThread(KernelMode, TRUE, &None), STATUS_ALERTED);
    CT_STATUS(KeDelayExecutionThread(KernelMode, TRUE, &None), STATUS_SUCCESS);
}

/* There is one process: attaching to it changes nothing, and detaching undoes nothing. */
static VOID ApcAttach(VOID)
{
    KAPC_STATE State;
    PEPROCESS Process = IoGetCurrentProcess();
    KeStackAttachProcess((PKPROCESS)Process, &State);
    CT_EQUAL((ULONG_PTR)IoGetCurrentProcess(), (ULONG_PTR)Process);
    CT_CHECK(!KeAreApcsDisabled());
    KeUnstackDetachProcess(&State);
    CT_EQUAL((ULONG_PTR)IoGetCurrentProcess(), (ULONG_PTR)Process);
}

static const CT_CASE Cases[] = {
    {"apc.init", ApcInit},
    {"apc.self", ApcSelf},
    {"apc.irql", ApcIrql},
    {"apc.regions", ApcRegions},
    {"apc.order", ApcOrder},
    {"apc.remove", ApcRemove},
    {"apc.other", ApcOther},
    {"apc.other_critical", ApcOtherCritical},
    {"apc.user", ApcUser},
    {"apc.ended", ApcEnded},
    {"apc.alert", ApcAlert},
    {"apc.attach", ApcAttach},
    {"apc.environments", ApcEnvironments},
};
CT_DRIVER(Cases)
