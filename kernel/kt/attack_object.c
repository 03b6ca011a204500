/* SPDX-License-Identifier: MIT
 * Handles and memory that the attackers of a process share. Whoever closes one may leave its number behind: the next call that takes it
 * finds nothing there, or an object of another type. */
#include "attack.h"
#include "mm_caller.h"
#include "ps.h"
#include "vm.h"

/* atomic words */
static HANDLE AttackHandles[ATTACK_PROCESSES][AttackTypes][ATTACK_SLOTS];
static PVOID AttackRanges[ATTACK_PROCESSES][2][ATTACK_SLOTS];

static HANDLE AttackStranger(ATTACKER *A)
{
    switch (ATTACK_PICK(A, 5)) {
    case 0:
        return NULL;
    case 1:
        return ZwCurrentThread();
    case 2:
        return (HANDLE)(0xffffffff80000000ull + ATTACK_PICK(A, 256) * 4);
    case 3:
        return (HANDLE)AttackAnything(A);
    default:
        return (HANDLE)(ATTACK_PICK(A, 128) * 4ull);
    }
}

HANDLE AttackHandle(ATTACKER *A, ATTACK_TYPE Type)
{
    if (AttackOdd(A))
        return ATTACK_PICK(A, 2) == 0 ? AttackStranger(A) : AttackAnyHandle(A);
    for (ULONG At = ATTACK_PICK(A, ATTACK_SLOTS), I = 0; I < ATTACK_SLOTS; I++, At++) {
        HANDLE Handle = AttackHandles[A->Process][Type][At % ATTACK_SLOTS];
        if (Handle != NULL)
            return Handle;
    }
    return NULL;
}

HANDLE AttackAnyHandle(ATTACKER *A)
{
    return AttackHandles[A->Process][ATTACK_PICK(A, AttackTypes)][ATTACK_PICK(A, ATTACK_SLOTS)];
}

/* To be closed: mostly nobody else looks for it any more. */
HANDLE AttackTakeAnyHandle(ATTACKER *A)
{
    HANDLE *Slot = &AttackHandles[A->Process][ATTACK_PICK(A, AttackTypes)][ATTACK_PICK(A, ATTACK_SLOTS)];
    return ATTACK_PICK(A, 4) == 0 ? *Slot : InterlockedExchangePointer(Slot, NULL);
}

HANDLE AttackAnyFile(ATTACKER *A)
{
    static const ATTACK_TYPE Files[] = {AttackFile, AttackFile, AttackFolder, AttackServer, AttackClient};
    return AttackHandle(A, Files[ATTACK_PICK(A, RTL_NUMBER_OF(Files))]);
}

HANDLE AttackMaybeEvent(ATTACKER *A)
{
    return ATTACK_PICK(A, 4) == 0 ? AttackHandle(A, AttackEvent) : NULL;
}

HANDLE AttackWhose(ATTACKER *A)
{
    return ATTACK_PICK(A, 4) == 0 ? AttackHandle(A, AttackProcess) : ZwCurrentProcess();
}

PHANDLE AttackMake(ATTACKER *A, ATTACK_TYPE Type)
{
    A->Made = Type;
    return A->Out = AttackRoom(A, sizeof(HANDLE));
}

/* The handle is where the service wrote it, unless somebody has changed that already. */
VOID AttackTakeMade(ATTACKER *A)
{
    HANDLE Handle;
    if (A->Out == NULL || !NT_SUCCESS(MmReadCaller(&Handle, A->Out, sizeof(Handle), UserMode)))
        return;
    Handle =
        InterlockedExchangePointer(&AttackHandles[A->Process][A->Made][ATTACK_PICK(A, ATTACK_SLOTS)], Handle);
    if (Handle != NULL)
        (void)NtClose(Handle);
}

VOID AttackForgetHandles(VOID)
{
    RtlZeroMemory(AttackHandles, sizeof(AttackHandles));
    RtlZeroMemory(AttackRanges, sizeof(AttackRanges));
}

VOID AttackKeepRange(ATTACKER *A, BOOLEAN View, PVOID *Base)
{
    PVOID Range;
    SIZE_T Size = 0;
    if (!NT_SUCCESS(MmReadCaller(&Range, Base, sizeof(Range), UserMode)))
        return;
    Range = InterlockedExchangePointer(&AttackRanges[A->Process][View][ATTACK_PICK(A, ATTACK_SLOTS)], Range);
    if ((ULONG64)Range < ATTACK_ARENAS + StressWorkerCount * MM_GRANULARITY)
        return; /* no range, or an arena */
    if (View)
        (void)NtUnmapViewOfSection(ZwCurrentProcess(), Range);
    else
        (void)MmFreeVirtual(AttackProcesses[A->Process]->Pcb.AddressSpace, &Range, &Size, MEM_RELEASE);
}

ULONG64 AttackRange(ATTACKER *A, BOOLEAN View)
{
    return (ULONG64)AttackRanges[A->Process][View][ATTACK_PICK(A, ATTACK_SLOTS)];
}
