/* SPDX-License-Identifier: MIT
 * User pages for MDLs: made present and kept where they are, whatever their process does meanwhile. [WDK MmProbeAndLockPages] */
#include "ke.h"
#include "mm/pfn.h"
#include "mm/user_space.h"

NTSTATUS MiMakePresent(PMM_ADDRESS_SPACE Space, ULONG64 Page, BOOLEAN Write)
{
    NTSTATUS Status = MiResolveFault(Space, Page, Write, FALSE);
    while (Status == STATUS_RETRY) {
        Status = MiReadForFault(Space, Page);
        if (NT_SUCCESS(Status))
            Status = MiResolveFault(Space, Page, Write, FALSE);
    }
    return Status;
}

/* Device memory, which a view of physical memory shows, cannot go: it is not counted. */
static NTSTATUS MiLockShown(PMM_ADDRESS_SPACE Space, ULONG64 Page, BOOLEAN Write, PFN_NUMBER *Frame)
{
    ULONG64 Next;
    NTSTATUS Status = MiMakePresent(Space, Page, Write);
    if (!NT_SUCCESS(Status))
        return Status;
    *Frame = MiFrameOf(*MiFindUserPte(Space, Page, &Next));
    return !MiIsManaged(*Frame) || MiLockFrame(*Frame) ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
}

VOID MiUnlockFrames(const PFN_NUMBER *Frames, SIZE_T Count)
{
    for (SIZE_T I = 0; I < Count; I++)
        if (MiIsManaged(Frames[I]))
            MiUnlockFrame(Frames[I]);
}

/* [WDK MmProbeAndLockPages] user addresses only below DISPATCH_LEVEL */
DECLSPEC_NOINLINE NTSTATUS MiLockUserPages(ULONG_PTR Base, SIZE_T Count, BOOLEAN Write, PFN_NUMBER *Frames)
{
    PKPROCESS Process = KiCurrentThread()->ApcState.Process;
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T Done = 0;

    if (KeGetCurrentIrql() > APC_LEVEL)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, Base, KeGetCurrentIrql(), Write,
                     (ULONG_PTR)__builtin_return_address(0));
    if (Process == NULL || Process->AddressSpace == NULL)
        return STATUS_ACCESS_VIOLATION;
    MiLockSpace(Process->AddressSpace);
    for (; Done < Count && NT_SUCCESS(Status); Done += NT_SUCCESS(Status))
        Status = MiLockShown(Process->AddressSpace, (Base >> PAGE_SHIFT) + Done, Write, &Frames[Done]);
    MiUnlockSpace(Process->AddressSpace);
    if (!NT_SUCCESS(Status))
        MiUnlockFrames(Frames, Done);
    return Status;
}
