/* SPDX-License-Identifier: MIT
 * The attack on the services for user mode: `stress-only=attack`; `stress-only=samples`: on the devices of the samples only. Any status is
 * right; a bug check, a hang, an exception, a lost IRQL or region is not, nor memory, handles and objects that stay. A service that never
 * succeeds is not attacked any more: that is a failure too. */
#include "attack.h"
#include "ps.h"

#define ATTACK_ENOUGH 500 /* calls, of which one has succeeded: of the rarest ones in a hundred do */

typedef struct _ATTACK_COUNT {
    const ATTACK_SERVICE *Service;
    volatile LONG Calls, Successes; /* (a) */
} ATTACK_COUNT;

static ATTACK_COUNT AttackServices[128];
static ULONG AttackServiceCount;

static VOID AttackAdd(const ATTACK_SERVICE *Services, ULONG Count)
{
    NT_CHECK(AttackServiceCount + Count <= RTL_NUMBER_OF(AttackServices));
    for (ULONG I = 0; I < Count; I++)
        AttackServices[AttackServiceCount++].Service = &Services[I];
}

static VOID AttackAddAll(VOID)
{
    AttackAdd(AttackFileServices, AttackFileServiceCount);
    AttackAdd(AttackDirectoryServices, AttackDirectoryServiceCount);
    AttackAdd(AttackPipeServices, AttackPipeServiceCount);
    AttackAdd(AttackMemoryServices, AttackMemoryServiceCount);
    AttackAdd(AttackHandleServices, AttackHandleServiceCount);
    AttackAdd(AttackPortServices, AttackPortServiceCount);
    AttackAdd(AttackProcessServices, AttackProcessServiceCount);
    AttackAdd(AttackTokenServices, AttackTokenServiceCount);
    AttackAdd(AttackKeyServices, AttackKeyServiceCount);
    AttackAdd(AttackSignalServices, AttackSignalServiceCount);
}

static VOID AttackPrepareBoth(VOID)
{
    AttackCountBefore();
    AttackMakeProcesses();
}

static VOID AttackPrepare(VOID)
{
    AttackAddAll();
    AttackPrepareBoth();
    AttackMakeNames();
}

static VOID AttackPrepareSamples(VOID)
{
    AttackAdd(AttackSampleServices, AttackSampleServiceCount);
    AttackPrepareBoth();
    AttackOpenSamples();
}

/* --- one service --- */

static VOID AttackCall(ATTACKER *A, ATTACK_COUNT *Count)
{
    A->Hostile = ATTACK_PICK(A, 2) == 0;
    A->Out = NULL;
    A->Used = ATTACK_PICK(A, 8) * 64;
    __try {
        NTSTATUS Status = Count->Service->Routine(A);
        InterlockedIncrement(&Count->Calls);
        if (!NT_SUCCESS(Status))
            return;
        InterlockedIncrement(&Count->Successes);
        AttackTakeMade(A);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        StressFail("%s raised 0x%08X", Count->Service->Name, (unsigned)GetExceptionCode());
    }
}

/* A thread of the process. What it has under way when it ends is cancelled. */
static VOID NTAPI AttackBurst(PVOID Context)
{
    ATTACKER *A = Context;
    PKTHREAD Thread = KiCurrentThread();
    if (ATTACK_PICK(A, 4) == 0) {
        AttackRace(A);
        return;
    }
    AttackRestoreArena(A->Worker->Index);
    if (ATTACK_PICK(A, 4) == 0)
        AttackImpersonate();
    for (ULONG I = ATTACK_PICK(A, 64); I != 0; I--) {
        ATTACK_COUNT *Count = &AttackServices[ATTACK_PICK(A, AttackServiceCount)];
        A->Worker->Doing = Count->Service->Name;
        Thread->PreviousMode = UserMode;
        AttackCall(A, Count);
        Thread->PreviousMode = KernelMode;
        if (KeGetCurrentIrql() != PASSIVE_LEVEL || KeAreApcsDisabled() || KeAreAllApcsDisabled())
            StressFail("%s left IRQL %u or a region", Count->Service->Name, (unsigned)KeGetCurrentIrql());
    }
    A->Worker->Doing = "the end of an attack";
}

static VOID AttackOperate(STRESS_WORKER *Worker)
{
    ATTACKER Attacker = {.Worker = Worker, .Process = Worker->Index % ATTACK_PROCESSES};
    PVOID Thread = AttackStart(Attacker.Process, AttackBurst, &Attacker);
    if (Thread == NULL)
        return;
    Worker->Other = Thread;
    (void)KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    Worker->Other = NULL;
    ObDereferenceObject(Thread);
}

/* --- afterwards --- */

static VOID AttackJudge(const ATTACK_COUNT *Count)
{
    KdLog("attack: %s: %d of %d calls succeeded", Count->Service->Name, (int)Count->Successes,
          (int)Count->Calls);
    if (Count->Successes == 0 && Count->Calls >= ATTACK_ENOUGH && Count->Service->WhyNever == NULL)
        StressFail("%s: none of %d calls succeeded: it is not attacked any more", Count->Service->Name,
                   (int)Count->Calls);
    if (Count->Successes != 0 && Count->Service->WhyNever != NULL)
        StressFail("%s succeeds, though %s", Count->Service->Name, Count->Service->WhyNever);
}

static VOID AttackCheck(VOID)
{
    BOOLEAN Names = AttackServices[0].Service == AttackFileServices;
    AttackEndProcesses();
    if (Names)
        AttackDeleteNames();
    AttackFreeDescriptor();
    AttackCountAfter();
    for (ULONG I = 0; I < AttackServiceCount; I++)
        AttackJudge(&AttackServices[I]);
}

/* Alone only: what the services allow a user takes memory and time from the others. */
const STRESS_KIND StressAttackKinds[] = {{"attack", 1, AttackPrepare, AttackOperate, AttackCheck}};
const ULONG StressAttackKindCount = RTL_NUMBER_OF(StressAttackKinds);
const STRESS_KIND StressSampleKinds[] = {{"samples", 1, AttackPrepareSamples, AttackOperate, AttackCheck}};
const ULONG StressSampleKindCount = RTL_NUMBER_OF(StressSampleKinds);
