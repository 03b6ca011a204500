/* SPDX-License-Identifier: MIT
 * Racers: other threads of the same process that change what an attacker passes while the kernel looks at it. */
#include "attack.h"
#include "mm_caller.h"
#include "ps.h"

/* A page of somebody's arena. */
static ULONG64 RacePage(ATTACKER *A)
{
    ULONG Victim = ATTACK_PICK(A, StressWorkerCount / ATTACK_PROCESSES) * ATTACK_PROCESSES + A->Process;
    return AttackArena(Victim) + ATTACK_PICK(A, ATTACK_ARENA_PAGES) * PAGE_SIZE;
}

static VOID RaceProtect(ATTACKER *A)
{
    static const ULONG Protections[] = {PAGE_READONLY, PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD,
                                        PAGE_EXECUTE_READ};
    PMM_ADDRESS_SPACE Space = AttackProcesses[A->Process]->Pcb.AddressSpace;
    PVOID Base = (PVOID)RacePage(A);
    SIZE_T Size = PAGE_SIZE;
    ULONG Old;
    (void)MmProtectVirtual(Space, &Base, &Size, Protections[ATTACK_PICK(A, RTL_NUMBER_OF(Protections))],
                           &Old);
    StressDelay(A->Worker);
    (void)MmProtectVirtual(Space, &Base, &Size, PAGE_READWRITE, &Old);
}

static VOID RaceFree(ATTACKER *A)
{
    PMM_ADDRESS_SPACE Space = AttackProcesses[A->Process]->Pcb.AddressSpace;
    PVOID Base = (PVOID)RacePage(A);
    SIZE_T Size = PAGE_SIZE;
    (void)MmFreeVirtual(Space, &Base, &Size, MEM_DECOMMIT);
    StressDelay(A->Worker);
    (void)MmAllocateVirtual(Space, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
}

/* One word is now this, now that: a length, an address, half of either. */
static VOID RaceWord(ATTACKER *A)
{
    PULONG Word = (PVOID)(RacePage(A) + ATTACK_PICK(A, 128) * 4);
    ULONG Right, Wrong = ATTACK_PICK(A, 2) == 0 ? (ULONG)AttackHostileAddress(A) : ATTACK_PICK(A, 0x10000);
    if (!NT_SUCCESS(MmReadCaller(&Right, Word, sizeof(Right), UserMode)))
        return;
    for (ULONG I = 0; I < 64; I++) {
        if (!NT_SUCCESS(MmWriteCaller(Word, I % 2 == 0 ? &Wrong : &Right, sizeof(*Word), UserMode)))
            return;
        if (I % 16 == 0)
            StressDelay(A->Worker);
    }
}

static VOID RaceClose(ATTACKER *A)
{
    KiCurrentThread()->PreviousMode = UserMode;
    (void)NtClose(AttackTakeAnyHandle(A));
    KiCurrentThread()->PreviousMode = KernelMode;
}

VOID AttackRace(ATTACKER *A)
{
    A->Worker->Doing = "a race";
    for (ULONG I = ATTACK_PICK(A, 16); I != 0; I--)
        switch (ATTACK_PICK(A, 8)) {
        case 0:
            RaceProtect(A);
            break;
        case 1:
            RaceFree(A);
            break;
        case 2:
            RaceClose(A);
            break;
        default:
            RaceWord(A);
        }
}
