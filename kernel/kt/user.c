/* SPDX-License-Identifier: MIT
 * The calling thread as one of a program's, between two system calls: in a process of its own, with memory, previous mode UserMode. */
#include "kt.h"
#include "ke.h"
#include "mm_user.h"
#include "ps.h"

NTSTATUS KtBecomeUser(KT_USER *User, ULONG Pages)
{
    PVOID Base = (PVOID)KT_USER_BASE;
    SIZE_T Size = (SIZE_T)Pages * PAGE_SIZE;

    NTSTATUS Status = PsCreateEmptyProcess(&User->Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmAllocateVirtual(User->Process->Pcb.AddressSpace, &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE,
                               PAGE_READWRITE);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(User->Process);
        return Status;
    }
    KeStackAttachProcess(&User->Process->Pcb, &User->State);
    KiCurrentThread()->PreviousMode = UserMode;
    return STATUS_SUCCESS;
}

VOID KtBecomeKernel(KT_USER *User)
{
    KiCurrentThread()->PreviousMode = KernelMode;
    KeUnstackDetachProcess(&User->State);
    ObDereferenceObject(User->Process);
}

VOID KtAsUser(KT_CONTEXT *Kt, ULONG Pages, KT_ROUTINE Body)
{
    KT_USER User;

    KT_EXPECT(KtBecomeUser(&User, Pages) == STATUS_SUCCESS);
    Body(Kt);
    KtBecomeKernel(&User);
}
