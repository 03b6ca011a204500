/* SPDX-License-Identifier: MIT
 * Stubs between a driver and what it imports. One allocation of image space: pages of code (executable, read-only once
 * sealed), then pages of slots that the code reaches RIP-relative. A stub never touches RSP or an argument register.
 *
 *   counting:  lock inc qword [slot.Count]      missing:  lea r10, [slot]
 *              jmp  qword [slot.Target]                   jmp qword [slot.Target]   (ImpMissingCalled) */
#include "imp.h"
#include "crt.h"
#include "ke_bugcheck.h"
#include "mm.h"

#define STUB_SIZE 32u

typedef struct _IMP_SLOT {
    volatile ULONG64 Count;
    PVOID Target;
    PCSTR Name;
    PCSTR Dll;
} IMP_SLOT;

struct _IM_THUNKS {
    PUCHAR Code;
    IMP_SLOT *Slots;
    ULONG Capacity;
    volatile LONG Used;
    SIZE_T CodeSize, SlotSize;
};

IM_THUNKS *ImpRoutineThunks;

VOID ImpMissingTrap(VOID);

IM_THUNKS *ImpCreateThunks(ULONG Capacity)
{
    IM_THUNKS *Thunks = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Thunks), 'hTmI');

    if (Thunks == NULL)
        return NULL;
    Thunks->Capacity = max(Capacity, 1);
    Thunks->Used = 0;
    Thunks->CodeSize = ALIGN_UP_BY((SIZE_T)Thunks->Capacity * STUB_SIZE, PAGE_SIZE);
    Thunks->SlotSize = ALIGN_UP_BY((SIZE_T)Thunks->Capacity * sizeof(IMP_SLOT), PAGE_SIZE);
    Thunks->Code = MmAllocateImageSpace(Thunks->CodeSize + Thunks->SlotSize);
    if (Thunks->Code == NULL) {
        ExFreePool(Thunks);
        return NULL;
    }
    Thunks->Slots = (IMP_SLOT *)(Thunks->Code + Thunks->CodeSize);
    return Thunks;
}

VOID ImpDeleteThunks(IM_THUNKS *Thunks)
{
    for (LONG i = 0; i < Thunks->Used; i++)
        if (Thunks->Slots[i].Dll != NULL) /* of a missing import: the names are a copy */
            ExFreePool((PVOID)Thunks->Slots[i].Name);
    MmFreeImageSpace(Thunks->Code, Thunks->CodeSize + Thunks->SlotSize);
    ExFreePool(Thunks);
}

VOID ImpSealThunks(IM_THUNKS *Thunks)
{
    MmProtectImage(Thunks->Code, Thunks->CodeSize, MmExecuteRead);
}

/* The same byte through the direct map: stubs for MmGetSystemRoutineAddress are added to sealed pages, while others
 * on them run. A stub does not cross a page. */
static PUCHAR ImpWritable(PUCHAR Code)
{
    return (PUCHAR)(MM_DIRECT_MAP_BASE + (ULONG64)MmGetPhysicalAddress(Code).QuadPart);
}

/* Emits an instruction of OpcodeLength bytes whose operand is Address, RIP-relative. */
static PUCHAR ImpEmit(PUCHAR At, const UCHAR *Opcode, ULONG OpcodeLength, const volatile void *Address)
{
    PUCHAR End = At + OpcodeLength + 4;
    LONG Displacement = (LONG)((LONG_PTR)Address - (LONG_PTR)End);

    memcpy(ImpWritable(At), Opcode, OpcodeLength);
    memcpy(ImpWritable(At) + OpcodeLength, &Displacement, 4);
    return End;
}

static const UCHAR ImpLockInc[] = {0xf0, 0x48, 0xff, 0x05}, ImpLeaR10[] = {0x4c, 0x8d, 0x15},
                   ImpJump[] = {0xff, 0x25};

static IMP_SLOT *ImpTakeSlot(IM_THUNKS *Thunks, PCSTR Name, PCSTR Dll, PVOID Target, PUCHAR *Code)
{
    ULONG Index = (ULONG)InterlockedIncrement(&Thunks->Used) - 1;

    if (Index >= Thunks->Capacity) {
        InterlockedDecrement(&Thunks->Used);
        return NULL;
    }
    *Code = Thunks->Code + (SIZE_T)Index * STUB_SIZE;
    Thunks->Slots[Index] = (IMP_SLOT){0, Target, Name, Dll};
    return &Thunks->Slots[Index];
}

PVOID ImpAddCountingThunk(IM_THUNKS *Thunks, PCSTR Name, PVOID Target)
{
    PUCHAR Code;
    IMP_SLOT *Slot = ImpTakeSlot(Thunks, Name, NULL, Target, &Code);

    if (Slot == NULL)
        return NULL;
    PUCHAR Next = ImpEmit(Code, ImpLockInc, sizeof(ImpLockInc), &Slot->Count);
    ImpEmit(Next, ImpJump, sizeof(ImpJump), &Slot->Target);
    return Code;
}

/* Name and Dll lie in the driver's image, perhaps in INIT: copied. */
PVOID ImpAddMissingThunk(IM_THUNKS *Thunks, PCSTR Name, PCSTR Dll)
{
    SIZE_T NameSize = strlen(Name) + 1, DllSize = strlen(Dll) + 1;
    PCHAR Copy = ExAllocatePoolWithTag(NonPagedPoolNx, NameSize + DllSize, 'sMmI');
    PUCHAR Code;

    if (Copy == NULL)
        return NULL;
    memcpy(Copy, Name, NameSize);
    memcpy(Copy + NameSize, Dll, DllSize);
    IMP_SLOT *Slot = ImpTakeSlot(Thunks, Copy, Copy + NameSize, (PVOID)ImpMissingTrap, &Code);
    if (Slot == NULL) {
        ExFreePool(Copy);
        return NULL;
    }
    PUCHAR Next = ImpEmit(Code, ImpLeaR10, sizeof(ImpLeaR10), Slot);
    ImpEmit(Next, ImpJump, sizeof(ImpJump), &Slot->Target);
    return Code;
}

/* From ImpMissingTrap: Caller is the address behind the call instruction. */
DECLSPEC_NORETURN VOID ImpMissingCalled(IMP_SLOT *Slot, PVOID Caller)
{
    KI_SYMBOL Symbol;

    ImSymbolize(Caller, &Symbol);
    KdLogError("%s called %s!%s, which is not exported", Symbol.Text, Slot->Dll, Slot->Name);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Symbol.Module),
             KD_TEXT(ReportKeyKind, "missing import called"), KD_TEXT(ReportKeySymbol, Slot->Name),
             KD_NUMBER(ReportKeyOffset, Symbol.Offset));
    CHAR Text[160];
    _snprintf(Text, sizeof(Text), "%s!%s was called, which is not exported", Slot->Dll, Slot->Name);
    Text[sizeof(Text) - 1] = 0;
    KeBugCheckBlaming((PUCHAR)Caller - 1, (ULONG)STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, (ULONG_PTR)Slot->Name,
                      (ULONG_PTR)Slot->Dll, (ULONG_PTR)Caller, 0, Text);
}

VOID ImpForEachThunk(IM_THUNKS *Thunks, VOID (*Action)(PCSTR Name, volatile ULONG64 *Count))
{
    for (LONG i = 0; Thunks != NULL && i < Thunks->Used; i++)
        Action(Thunks->Slots[i].Name, &Thunks->Slots[i].Count);
}
