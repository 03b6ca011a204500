/* SPDX-License-Identifier: MIT
 * The two processes of the attack and their threads. */
#include "attack.h"
#include "ob.h"
#include "ps.h"
#include "se.h"

PEPROCESS AttackProcesses[ATTACK_PROCESSES];
PSECURITY_DESCRIPTOR AttackDescriptor;
static HANDLE AttackProcessHandle[ATTACK_PROCESSES];
static PVOID AttackKeeper[ATTACK_PROCESSES]; /* a thread of each process: without one it would end */
static KEVENT AttackOver;

static VOID NTAPI AttackKeep(PVOID Context)
{
    (void)KeWaitForSingleObject(&AttackOver, Executive, KernelMode, FALSE, NULL);
}

PVOID AttackStart(ULONG Process, PKSTART_ROUTINE Routine, PVOID Context)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    HANDLE Thread;
    PVOID Object = NULL;
    NTSTATUS Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes,
                                           AttackProcessHandle[Process], NULL, Routine, Context);
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        return NULL;
    STRESS_EQUAL(Status, STATUS_SUCCESS);
    if (!NT_SUCCESS(Status))
        return NULL;
    (void)ObReferenceObjectByHandle(Thread, 0, PsThreadType, KernelMode, &Object, NULL);
    ZwClose(Thread);
    (void)ObSetDescriptor(Object, AttackDescriptor, TRUE); /* that the others may open it */
    return Object;
}

/* The current thread gets a token of its own: that of its process. It has it until it ends. */
VOID AttackImpersonate(VOID)
{
    PACCESS_TOKEN Primary = PsReferencePrimaryToken(PsGetCurrentProcess());
    (void)PsImpersonateClient(PsGetCurrentThread(), Primary, FALSE, FALSE, SecurityImpersonation);
    PsDereferencePrimaryToken(Primary);
}

static NTSTATUS AttackReserve(PEPROCESS Process, ULONG64 At, SIZE_T Size)
{
    PVOID Base = (PVOID)At;
    return MmAllocateVirtual(Process->Pcb.AddressSpace, &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE,
                             PAGE_READWRITE);
}

static VOID AttackWriteTimes(PEPROCESS Process)
{
    KAPC_STATE State;
    STRESS_EXPECT(NT_SUCCESS(AttackReserve(Process, ATTACK_TIMES, PAGE_SIZE)));
    KeStackAttachProcess(&Process->Pcb, &State);
    for (LONG I = 0; I < (LONG)ATTACK_TIME_COUNT; I++)
        ((PLARGE_INTEGER)ATTACK_TIMES)[I].QuadPart = -I * STRESS_MILLISECOND;
    KeUnstackDetachProcess(&State);
}

static VOID AttackGiveToken(PEPROCESS Process, SE_ACCOUNT Account)
{
    PACCESS_TOKEN Token, System = Process->Token;
    STRESS_EXPECT(NT_SUCCESS(SeCreateAccountToken(Account, &Token)));
    Process->Token = Token;
    ObDereferenceObject(System);
}

/* The attackers may open each other. */
static VOID AttackMakeProcess(ULONG I)
{
    STRESS_EXPECT(NT_SUCCESS(PsCreateEmptyProcess(&AttackProcesses[I])));
    AttackGiveToken(AttackProcesses[I], I == 0 ? SeAccountUser : SeAccountRestricted);
    STRESS_EXPECT(NT_SUCCESS(ObSetDescriptor(AttackProcesses[I], AttackDescriptor, TRUE)));
    AttackWriteTimes(AttackProcesses[I]);
    STRESS_EXPECT(
        NT_SUCCESS(ObOpenObjectByPointer(AttackProcesses[I], OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                         PsProcessType, KernelMode, &AttackProcessHandle[I])));
    AttackKeeper[I] = AttackStart(I, AttackKeep, NULL);
    STRESS_EXPECT(AttackKeeper[I] != NULL);
}

VOID AttackMakeProcesses(VOID)
{
    UNICODE_STRING All = RTL_CONSTANT_STRING(L"D:(A;;0x1fffff;;;WD)(A;;0x1fffff;;;RC)S:(ML;;NW;;;LW)");
    STRESS_EXPECT(NT_SUCCESS(SeSddlToDescriptor(&All, &AttackDescriptor)));
    KeInitializeEvent(&AttackOver, NotificationEvent, FALSE);
    for (ULONG I = 0; I < ATTACK_PROCESSES; I++)
        AttackMakeProcess(I);
    for (ULONG I = 0; I < StressWorkerCount; I++)
        AttackRestoreArena(I);
}

/* The last threads of the processes end, and so do these with all they have. */
VOID AttackEndProcesses(VOID)
{
    KeSetEvent(&AttackOver, IO_NO_INCREMENT, FALSE);
    for (ULONG I = 0; I < ATTACK_PROCESSES; I++) {
        (void)KeWaitForSingleObject(AttackProcesses[I], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(AttackKeeper[I]);
        ZwClose(AttackProcessHandle[I]);
        ObDereferenceObject(AttackProcesses[I]);
    }
    (void)KeWaitForThreadEnds(); /* each holds its process until it is freed */
    AttackForgetHandles();
}

VOID AttackFreeDescriptor(VOID)
{
    SeFreeDescriptor(AttackDescriptor);
    AttackDescriptor = NULL;
}
