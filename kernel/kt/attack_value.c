/* SPDX-License-Identifier: MIT
 * The arguments of an attack. They lie in the attacker's arena, a few pages that are its own as far as racers leave them alone. */
#include "attack.h"
#include "mm_caller.h"
#include "ps.h"

BOOLEAN AttackOdd(ATTACKER *A)
{
    return A->Hostile && ATTACK_PICK(A, 6) == 0;
}

ULONG64 AttackAnything(ATTACKER *A)
{
    return (ULONG64)ATTACK_PICK(A, MAXULONG) << 32 | ATTACK_PICK(A, MAXULONG);
}

ULONG64 AttackArena(ULONG Worker)
{
    return ATTACK_ARENAS + (ULONG64)Worker * MM_GRANULARITY;
}

/* Services and racers free and protect it. */
VOID AttackRestoreArena(ULONG Worker)
{
    PMM_ADDRESS_SPACE Space = AttackProcesses[Worker % ATTACK_PROCESSES]->Pcb.AddressSpace;
    PVOID Base = (PVOID)AttackArena(Worker);
    SIZE_T Size = ATTACK_ARENA_PAGES * PAGE_SIZE;
    ULONG Old;
    if (NT_SUCCESS(MmAllocateVirtual(Space, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE)))
        (void)MmProtectVirtual(Space, &Base, &Size, PAGE_READWRITE, &Old);
    else
        (void)MmAllocateVirtual(Space, &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
}

ULONG64 AttackHostileAddress(ATTACKER *A)
{
    ULONG64 Arena = AttackArena(A->Worker->Index), Page = ATTACK_PICK(A, ATTACK_ARENA_PAGES + 1) * PAGE_SIZE;
    switch (ATTACK_PICK(A, 8)) {
    case 0:
        return 0;
    case 1:
        return (ULONG64)AttackProcesses[0]; /* pool */
    case 2:
        return MM_IMAGE_BASE;
    case 3:
        return AttackAnything(A);
    case 4:
        return (ULONG64)MmHighestUserAddress - ATTACK_PICK(A, 64);
    case 5:
        return Arena + Page - ATTACK_PICK(A, 64); /* over the end of a page, and of the arena */
    case 6:
        return AttackRange(A, ATTACK_PICK(A, 2) == 0) + ATTACK_PICK(A, 2 * PAGE_SIZE);
    default:
        return Arena + ATTACK_PICK(A, ATTACK_ARENA_PAGES * PAGE_SIZE);
    }
}

ULONG AttackWord(ATTACKER *A, const ULONG *Words, ULONG Count)
{
    if (!AttackOdd(A))
        return Words[ATTACK_PICK(A, Count)];
    return ATTACK_PICK(A, 2) == 0 ? (ULONG)AttackAnything(A) : ATTACK_PICK(A, 64);
}

PVOID AttackRoom(ATTACKER *A, ULONG Length)
{
    ULONG64 Arena = AttackArena(A->Worker->Index), View = AttackRange(A, TRUE);
    if (AttackOdd(A))
        return (PVOID)AttackHostileAddress(A);
    if (ATTACK_PICK(A, 16) == 0 && View != 0)
        return (PVOID)(View + ATTACK_PICK(A, 64) * 8);
    if (ATTACK_PICK(A, 8) == 0) /* whoever goes on behind it meets the next page */
        A->Used = ((A->Used + Length + PAGE_MASK) & ~(ULONG64)PAGE_MASK) - (Length & ~7u);
    if (A->Used + Length > ATTACK_ARENA_PAGES * PAGE_SIZE)
        A->Used = 0;
    PVOID Room = (PVOID)(Arena + A->Used);
    A->Used = (A->Used + Length + 15) & ~15ull;
    return Room;
}

/* What cannot be written even now, the service cannot read either. */
static VOID AttackPut(ATTACKER *A, PVOID To, const VOID *Data, ULONG Length)
{
    if (NT_SUCCESS(MmWriteCaller(To, Data, Length, UserMode)))
        return;
    AttackRestoreArena(A->Worker->Index);
    (void)MmWriteCaller(To, Data, Length, UserMode);
}

PVOID AttackCopy(ATTACKER *A, const VOID *Data, ULONG Length)
{
    PVOID Room = AttackRoom(A, Length);
    AttackPut(A, Room, Data, Length);
    if (AttackOdd(A) && Length >= sizeof(ULONG)) {
        ULONG Word = ATTACK_PICK(A, 2) == 0 ? (ULONG)AttackHostileAddress(A) : ATTACK_PICK(A, 1024);
        AttackPut(A, (PUCHAR)Room + (ATTACK_PICK(A, Length / 4) * 4), &Word, sizeof(Word));
    }
    return Room;
}

/* What lies there: answers, names and numbers of earlier calls. */
PVOID AttackBytes(ATTACKER *A, ULONG Length)
{
    ULONG64 Value = AttackAnything(A);
    PVOID Room = AttackRoom(A, Length);
    if (Length >= sizeof(Value))
        AttackPut(A, Room, &Value, sizeof(Value));
    return Room;
}

ULONG AttackLength(ATTACKER *A, ULONG Right)
{
    static const ULONG Huge[] = {0x7fffffff, 0xffffffff, 0xfffffff0, 0x10000, 0x100000, 0x80000000};
    if (!AttackOdd(A))
        return Right;
    switch (ATTACK_PICK(A, 4)) {
    case 0:
        return Right - 1;
    case 1:
        return Right + 1;
    case 2:
        return ATTACK_PICK(A, Right + 1);
    default:
        return Huge[ATTACK_PICK(A, RTL_NUMBER_OF(Huge))];
    }
}

PVOID AttackPointer(ATTACKER *A, ULONG64 Value)
{
    ULONG64 Odd = ATTACK_PICK(A, 2) == 0 ? AttackHostileAddress(A) : 1ull << ATTACK_PICK(A, 64);
    if (AttackOdd(A))
        Value = Odd;
    PVOID Room = AttackRoom(A, sizeof(Value));
    AttackPut(A, Room, &Value, sizeof(Value));
    return Room;
}

/* Never in an arena: a time that somebody changes may be for ever. */
PLARGE_INTEGER AttackTimeout(ATTACKER *A)
{
    if (AttackOdd(A))
        return (PVOID)(ATTACK_PICK(A, 2) == 0 ? MM_IMAGE_BASE : ATTACK_TIMES - PAGE_SIZE);
    return (PLARGE_INTEGER)ATTACK_TIMES + ATTACK_PICK(A, ATTACK_TIME_COUNT);
}

PIO_STATUS_BLOCK AttackIosb(ATTACKER *A)
{
    return AttackRoom(A, sizeof(IO_STATUS_BLOCK));
}

PUNICODE_STRING AttackString(ATTACKER *A, PCWSTR Text)
{
    USHORT Length = (USHORT)(wcslen(Text) * sizeof(WCHAR));
    UNICODE_STRING String = {Length, Length, AttackCopy(A, Text, Length)};
    if (AttackOdd(A))
        String.Length = (USHORT)(ATTACK_PICK(A, 2) == 0 ? Length + 1u : ATTACK_PICK(A, 0x10000));
    return AttackCopy(A, &String, sizeof(String));
}

static VOID AttackSpoilAttributes(ATTACKER *A, OBJECT_ATTRIBUTES *Attributes)
{
    switch (ATTACK_PICK(A, 5)) {
    case 0:
        Attributes->Length = ATTACK_PICK(A, 64);
        break;
    case 1:
        Attributes->RootDirectory = AttackAnyHandle(A);
        break;
    case 2:
        Attributes->Attributes = (ULONG)AttackAnything(A);
        break;
    case 3:
        Attributes->SecurityDescriptor = (PVOID)AttackHostileAddress(A);
        break;
    default:
        Attributes->SecurityQualityOfService = (PVOID)AttackHostileAddress(A);
    }
}

POBJECT_ATTRIBUTES AttackAttributes(ATTACKER *A, PCWSTR Text)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Text != NULL ? AttackString(A, Text) : NULL,
                               OBJ_CASE_INSENSITIVE | (Text != NULL ? OBJ_OPENIF : 0), NULL, NULL);
    if (ATTACK_PICK(A, 8) == 0)
        Attributes.SecurityDescriptor =
            AttackCopy(A, AttackDescriptor, RtlLengthSecurityDescriptor(AttackDescriptor));
    if (AttackOdd(A))
        AttackSpoilAttributes(A, &Attributes);
    return AttackCopy(A, &Attributes, sizeof(Attributes));
}

PCWSTR AttackNumbered(ATTACKER *A, PCWSTR Prefix, PWSTR Text)
{
    SIZE_T Length = wcslen(Prefix);
    RtlCopyMemory(Text, Prefix, Length * sizeof(WCHAR));
    Text[Length] = (WCHAR)(L'0' + ATTACK_PICK(A, 8));
    Text[Length + 1] = 0;
    return Text;
}

ACCESS_MASK AttackAccess(ATTACKER *A)
{
    return ATTACK_WORD(A, MAXIMUM_ALLOWED, MAXIMUM_ALLOWED, GENERIC_READ | GENERIC_WRITE, GENERIC_ALL);
}
