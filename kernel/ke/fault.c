/* SPDX-License-Identifier: MIT
 * Page faults. What Windows lets a handler catch (user addresses at low IRQL) becomes an exception, the rest is the bug
 * check that Windows makes of it, with the reason in words. */
#include "ki.h"
#include "crt.h"
#include "ke_bugcheck.h"
#include "ke_paged.h"
#include "mm_user.h"

#define FAULT_PROTECTION 1
#define FAULT_FOREIGN_TEXT                                                                                   \
    "a user-mode address, touched by a DPC or an interrupt: whose process that is depends on chance"
#define FAULT_WRITE 2
#define FAULT_EXECUTE 0x10
#define FLAG_INTERRUPTS 0x200
#define FAULT_KEY 0x20

/* What was hit, and whose pool block it is. */
static PCSTR KiDescribeFault(const MM_FAULT *Fault, ULONG64 Address, PCHAR Text, SIZE_T Room)
{
    CHAR Block[160];

    if (Fault->Region != MmRegionNonPagedPool && Fault->Region != MmRegionPagedPool &&
        Fault->Region != MmRegionSpecialPool)
        return Fault->Text;
    KiUpcalls->DescribePool((PVOID)Address, Block, sizeof(Block));
    if (Block[0] == 0)
        return Fault->Text;
    _snprintf(Text, Room, "%s: %s", Fault->Text, Block);
    return Text;
}

/* [WDK bug checks 0xCC, 0xCD, 0xD5, 0xD6] p1 address, p2 0 read, 1 write, p3 the instruction. 0xD5, 0xD6 when a driver did it. */
static DECLSPEC_NORETURN VOID KiSpecialPoolFault(ARCH_TRAP_FRAME *Frame, PCONTEXT Context, ULONG64 Address,
                                                 BOOLEAN Freed, PCSTR Text)
{
    BOOLEAN Kernel = KiUpcalls->IsKernelAddress((PVOID)Frame->Rip);
    ULONG Code =
        Freed ? (Kernel ? PAGE_FAULT_IN_FREED_SPECIAL_POOL : DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL)
              : (Kernel ? PAGE_FAULT_BEYOND_END_OF_ALLOCATION : DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION);

    KiBugCheck(Code, Address, (Frame->ErrorCode & FAULT_WRITE) != 0, Frame->Rip, 0, Context, Text);
}

/* [WDK bug checks 0x0A, 0xD1] p1 address, p2 IRQL, p3 0 read, 1 write, 8 execute, p4 the instruction. 0xD1 when a driver did it. */
static DECLSPEC_NORETURN VOID KiFaultAtHighIrql(ARCH_TRAP_FRAME *Frame, PCONTEXT Context, ULONG64 Address,
                                                PCSTR Text)
{
    ULONG64 Operation = (Frame->ErrorCode & FAULT_EXECUTE) ? 8 : (Frame->ErrorCode & FAULT_WRITE) ? 1 : 0;
    ULONG Code = KiUpcalls->IsKernelAddress((PVOID)Frame->Rip) ? IRQL_NOT_LESS_OR_EQUAL
                                                               : DRIVER_IRQL_NOT_LESS_OR_EQUAL;

    KiBugCheck(Code, Address, Frame->Irql, Operation, Frame->Rip, Context, Text);
}

/* [WDK bug checks 0x50, 0xBE, 0xFC] p1 address; 0x50: p2 0 read, 2 write, 0x10 execute, p3 the instruction; the others: p2 the page-table entry */
static DECLSPEC_NORETURN VOID KiFatalFault(ARCH_TRAP_FRAME *Frame, PCONTEXT Context, ULONG64 Address,
                                           const MM_FAULT *Fault)
{
    ULONG64 Operation = (Frame->ErrorCode & FAULT_EXECUTE) ? 16 : (Frame->ErrorCode & FAULT_WRITE) ? 2 : 0;

    if (Fault->Kind == MmFaultReadOnly)
        KiBugCheck(ATTEMPTED_WRITE_TO_READONLY_MEMORY, Address, Fault->Entry, (ULONG64)Frame, 10, Context,
                   Fault->Text);
    if (Fault->Kind == MmFaultNoExecute)
        KiBugCheck(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, Address, Fault->Entry, (ULONG64)Frame, 2, Context,
                   Fault->Region == MmRegionUser ? "a user-mode address, called in kernel mode"
                                                 : Fault->Text);
    KiBugCheck(PAGE_FAULT_IN_NONPAGED_AREA, Address, Operation, Frame->Rip, 2, Context, Fault->Text);
}

/* The user address is mapped and what touched it is the kernel half, for which access is forbidden: was it a thread's own code? Interrupts off. */
static BOOLEAN KiIsForbiddenUserAccess(const ARCH_TRAP_FRAME *Frame, ULONG64 Address)
{
    return Address < MM_USER_END && (Frame->ErrorCode & FAULT_PROTECTION) && !(Frame->SegCs & 3) &&
           !(Frame->ErrorCode & FAULT_EXECUTE) && !(Frame->EFlags & ARCH_EFLAGS_AC) &&
           (ArchReadCr4() & ARCH_CR4_SMAP);
}

/* Interrupts off. APCs run for their thread, in its process. */
static BOOLEAN KiIsInArbitraryContext(VOID)
{
    const KE_GATE *Gate = KiCurrentThread()->Gate;
    return KeGetPrcb()->DpcActive || (Gate != NULL && (Gate->Kind == GateIsr || Gate->Kind == GateNmi));
}

/* [EXCEPTION_RECORD] p1 0 read, 1 write, 8 execute, p2 the address; of STATUS_IN_PAGE_ERROR p3 why. */
static VOID KiRaiseFault(ARCH_TRAP_FRAME *Frame, ULONG64 Address, NTSTATUS Status)
{
    ULONG64 Operation = (Frame->ErrorCode & FAULT_EXECUTE) ? 8 : (Frame->ErrorCode & FAULT_WRITE) ? 1 : 0;

    if (Status == STATUS_ACCESS_VIOLATION || Status == STATUS_GUARD_PAGE_VIOLATION ||
        Status == STATUS_STACK_OVERFLOW)
        KiDispatchException(Frame, Status, 2, Operation, Address, 0);
    else
        KiDispatchException(Frame, STATUS_IN_PAGE_ERROR, 3, Operation, Address, (ULONG64)(LONG64)Status);
}

/* Nobody may touch user memory while he keeps others from changing it. */
static DECLSPEC_NORETURN VOID KiFaultUnderLock(ARCH_TRAP_FRAME *Frame, ULONG64 Address)
{
    MM_FAULT Fault = {.Text =
                          "user memory, touched by a thread that has its address space or a section locked"};
    CONTEXT Context;

    ArchContextFromTrapFrame(Frame, &Context);
    KiFatalFault(Frame, &Context, Address, &Fault);
}

/* A user address where the thread may wait: mm makes the page present or says why not. */
static VOID KiUserFault(ARCH_TRAP_FRAME *Frame, ULONG64 Address)
{
    __asm__ volatile("sti" : : : "memory");
    NTSTATUS Status = MmAccessFault(Address, Frame->ErrorCode);
    __asm__ volatile("cli" : : : "memory");
    if (Status == STATUS_POSSIBLE_DEADLOCK)
        KiFaultUnderLock(Frame, Address);
    if (!NT_SUCCESS(Status))
        KiRaiseFault(Frame, Address, Status);
    else if (!(Frame->SegCs & 3))
        Frame->EFlags |= ARCH_EFLAGS_AC; /* else the next fault would come at once */
}

/* The thread may wait for its memory. The kernel never runs code there, and what is near NULL is nobody's memory. */
static BOOLEAN KiMayResolve(const ARCH_TRAP_FRAME *Frame, ULONG64 Address)
{
    return Address < MM_USER_END && Frame->Irql < DISPATCH_LEVEL && (Frame->EFlags & FLAG_INTERRUPTS) &&
           ((Frame->SegCs & 3) || (Address >= MM_USER_LOWEST && !(Frame->ErrorCode & FAULT_EXECUTE)));
}

VOID KiPageFault(ARCH_TRAP_FRAME *Frame)
{
    ULONG64 Address = ArchReadCr2();
    MM_FAULT Fault;
    CONTEXT Context;
    CHAR Text[288];

    if (KiUpcalls->FixFault(Frame))
        return;
    if (KiIsForbiddenUserAccess(Frame, Address)) {
        if (KiIsInArbitraryContext()) {
            ArchContextFromTrapFrame(Frame, &Context);
            KiFaultAtHighIrql(Frame, &Context, Address, FAULT_FOREIGN_TEXT);
        }
        Frame->EFlags |= ARCH_EFLAGS_AC; /* until the thread is interrupted; then this comes again */
        return;
    }
    if (KiMayResolve(Frame, Address)) {
        KiUserFault(Frame, Address);
        return;
    }
    if ((Frame->ErrorCode & FAULT_KEY) && (Frame->Irql < DISPATCH_LEVEL || KiIsPagedPoolUsable(Address))) {
        KePermitPagedPool();
        return;
    }
    MmClassifyFault((PVOID)Address, Frame->ErrorCode, &Fault);
    if (Frame->Irql < DISPATCH_LEVEL && (Fault.Kind == MmFaultUser || Fault.Kind == MmFaultNull)) {
        KiRaiseFault(Frame, Address, STATUS_ACCESS_VIOLATION);
        return;
    }
    ArchContextFromTrapFrame(Frame, &Context);
    Fault.Text = KiDescribeFault(&Fault, Address, Text, sizeof(Text));
    if (Fault.Kind == MmFaultSpecialFreed || Fault.Kind == MmFaultSpecialGuard)
        KiSpecialPoolFault(Frame, &Context, Address, Fault.Kind == MmFaultSpecialFreed, Fault.Text);
    if (Frame->Irql >= DISPATCH_LEVEL && Fault.Kind != MmFaultReadOnly && Fault.Kind != MmFaultNoExecute)
        KiFaultAtHighIrql(Frame, &Context, Address, Fault.Text);
    KiFatalFault(Frame, &Context, Address, &Fault);
}
