/* SPDX-License-Identifier: MIT
 * Attacks: virtual memory and sections. */
#include "attack.h"
#include "vm.h"

static PVOID *MemoryBase(ATTACKER *A, BOOLEAN View)
{
    return AttackPointer(A, AttackRange(A, View) + (ATTACK_PICK(A, 4) == 0 ? PAGE_SIZE : 0));
}

static PSIZE_T MemorySize(ATTACKER *A)
{
    return AttackPointer(A, ATTACK_PICK(A, 4) * PAGE_SIZE / 2);
}

static ULONG MemoryProtection(ATTACKER *A)
{
    return ATTACK_WORD(A, PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY,
                       PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD, PAGE_EXECUTE_READ, PAGE_WRITECOPY);
}

static NTSTATUS AllocateVirtualMemory(ATTACKER *A)
{
    PVOID *Base = AttackPointer(A, 0);
    NTSTATUS Status = NtAllocateVirtualMemory(
        AttackWhose(A), Base, 0, AttackPointer(A, 0x4000),
        ATTACK_WORD(A, MEM_COMMIT | MEM_RESERVE, MEM_COMMIT | MEM_RESERVE, MEM_RESERVE, MEM_RESET),
        MemoryProtection(A));
    if (NT_SUCCESS(Status))
        AttackKeepRange(A, FALSE, Base);
    return Status;
}

static NTSTATUS CommitVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, FALSE);
    return NtAllocateVirtualMemory(AttackWhose(A), Base, 0, MemorySize(A), MEM_COMMIT, MemoryProtection(A));
}

static NTSTATUS FreeVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, FALSE);
    ULONG Type = ATTACK_PICK(A, 8) == 0 ? MEM_RELEASE : ATTACK_WORD(A, MEM_DECOMMIT, MEM_DECOMMIT);
    return NtFreeVirtualMemory(AttackWhose(A), Base,
                               Type == MEM_RELEASE ? AttackPointer(A, 0) : MemorySize(A), Type);
}

static NTSTATUS ProtectVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, (BOOLEAN)ATTACK_PICK(A, 2));
    PSIZE_T Size = MemorySize(A);
    return NtProtectVirtualMemory(AttackWhose(A), Base, Size, MemoryProtection(A), AttackRoom(A, 4));
}

static NTSTATUS LockVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, (BOOLEAN)ATTACK_PICK(A, 2));
    return NtLockVirtualMemory(AttackWhose(A), Base, MemorySize(A), ATTACK_WORD(A, 1, 1, 2));
}

static NTSTATUS UnlockVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, (BOOLEAN)ATTACK_PICK(A, 2));
    PSIZE_T Size = MemorySize(A);
    HANDLE Process = AttackWhose(A);
    if (ATTACK_PICK(A, 2) == 0)
        (void)NtLockVirtualMemory(Process, Base, Size, 1);
    return NtUnlockVirtualMemory(Process, Base, Size, ATTACK_WORD(A, 1, 1, 2));
}

static NTSTATUS FlushVirtualMemory(ATTACKER *A)
{
    PVOID *Base = MemoryBase(A, TRUE);
    return NtFlushVirtualMemory(AttackWhose(A), Base, MemorySize(A), AttackIosb(A));
}

static NTSTATUS QueryVirtualMemory(ATTACKER *A)
{
    ULONG Class =
        ATTACK_WORD(A, MemoryBasicInformation, MemoryBasicInformation, MemoryMappedFilenameInformation,
                    MemoryRegionInformation, MemoryWorkingSetExInformation, MemoryImageInformation);
    ULONG Length = Class == MemoryMappedFilenameInformation ? 256
                   : Class == MemoryBasicInformation        ? sizeof(MEMORY_BASIC_INFORMATION)
                                                            : 16 + ATTACK_PICK(A, 8) * 8;
    PVOID Address =
        (PVOID)(AttackOdd(A) ? AttackHostileAddress(A) : AttackRange(A, (BOOLEAN)ATTACK_PICK(A, 2)));
    PVOID Room = AttackPointer(A, AttackRange(A, TRUE)); /* of the working set, asked about */
    if (Class != MemoryWorkingSetExInformation)
        Room = AttackRoom(A, Length);
    return NtQueryVirtualMemory(AttackWhose(A), Address, Class, Room, AttackLength(A, Length),
                                AttackOdd(A) ? AttackRoom(A, 8) : NULL);
}

static NTSTATUS CreateSection(ATTACKER *A)
{
    WCHAR Text[64];
    BOOLEAN Named = ATTACK_PICK(A, 2) == 0, File = ATTACK_PICK(A, 2) == 0;
    PCWSTR Name = Named ? AttackNumbered(A, L"\\BaseNamedObjects\\attacks", Text) : NULL;
    return NtCreateSection(AttackMake(A, AttackSection), AttackOdd(A) ? AttackAccess(A) : SECTION_ALL_ACCESS,
                           AttackAttributes(A, Name), AttackPointer(A, ATTACK_PICK(A, 8) * PAGE_SIZE + 1),
                           ATTACK_WORD(A, PAGE_READWRITE, PAGE_READONLY, PAGE_WRITECOPY),
                           ATTACK_WORD(A, SEC_COMMIT, SEC_COMMIT, SEC_RESERVE, SEC_COMMIT, SEC_IMAGE),
                           File ? AttackHandle(A, AttackFile) : NULL);
}

static NTSTATUS OpenSection(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attacks", Text);
    return NtOpenSection(AttackMake(A, AttackSection), AttackAccess(A), AttackAttributes(A, Name));
}

static NTSTATUS MapViewOfSection(ATTACKER *A)
{
    PVOID *Base = AttackPointer(A, 0), Offset = ATTACK_PICK(A, 4) == 0 ? AttackPointer(A, 0) : NULL;
    NTSTATUS Status =
        NtMapViewOfSection(AttackHandle(A, AttackSection), AttackWhose(A), Base, 0,
                           AttackOdd(A) ? PAGE_SIZE : 0, Offset, AttackPointer(A, 0),
                           ATTACK_WORD(A, ViewShare, ViewUnmap), AttackOdd(A) ? (ULONG)AttackAnything(A) : 0,
                           ATTACK_WORD(A, PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY, PAGE_WRITECOPY));
    if (NT_SUCCESS(Status))
        AttackKeepRange(A, TRUE, Base);
    return Status;
}

static NTSTATUS UnmapViewOfSection(ATTACKER *A)
{
    PVOID Base = (PVOID)(AttackOdd(A) ? AttackHostileAddress(A) : AttackRange(A, TRUE));
    return NtUnmapViewOfSection(AttackWhose(A), Base);
}

static NTSTATUS QuerySection(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, SectionBasicInformation, SectionBasicInformation, SectionImageInformation);
    ULONG Length = Class == SectionBasicInformation ? sizeof(SECTION_BASIC_INFORMATION)
                                                    : sizeof(SECTION_IMAGE_INFORMATION);
    return NtQuerySection(AttackHandle(A, AttackSection), Class, AttackRoom(A, Length),
                          AttackLength(A, Length), AttackOdd(A) ? AttackRoom(A, 8) : NULL);
}

const ATTACK_SERVICE AttackMemoryServices[] = {
    {"NtAllocateVirtualMemory", AllocateVirtualMemory, NULL},
    {"NtAllocateVirtualMemory (commit)", CommitVirtualMemory, NULL},
    {"NtFreeVirtualMemory", FreeVirtualMemory, NULL},
    {"NtProtectVirtualMemory", ProtectVirtualMemory, NULL},
    {"NtLockVirtualMemory", LockVirtualMemory, NULL},
    {"NtUnlockVirtualMemory", UnlockVirtualMemory, NULL},
    {"NtFlushVirtualMemory", FlushVirtualMemory, NULL},
    {"NtQueryVirtualMemory", QueryVirtualMemory, NULL},
    {"NtCreateSection", CreateSection, NULL},
    {"NtOpenSection", OpenSection, NULL},
    {"NtMapViewOfSection", MapViewOfSection, NULL},
    {"NtUnmapViewOfSection", UnmapViewOfSection, NULL},
    {"NtQuerySection", QuerySection, NULL},
};
const ULONG AttackMemoryServiceCount = RTL_NUMBER_OF(AttackMemoryServices);
