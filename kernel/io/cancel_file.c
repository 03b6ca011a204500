/* SPDX-License-Identifier: MIT
 * Cancelling what the calling thread has under way on a file. [Win32 CancelIo] The requests end when their drivers end them, which is not
 * waited for. */
#include "iop.h"
#include "mm_caller.h"

static NTSTATUS IopCancelFile(HANDLE Handle, PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode)
{
    static const IO_STATUS_BLOCK Done = {.Status = STATUS_SUCCESS};
    PFILE_OBJECT File;
    NTSTATUS Status = MmProbeCallerOutput(Iosb, sizeof(*Iosb), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, 0, IoFileObjectType, Mode, (PVOID *)&File, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    while (IopCancelThreadIrp(CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb), File))
        ;
    ObfDereferenceObject(File);
    return MmWriteCaller(Iosb, &Done, sizeof(Done), Mode);
}

NTSTATUS NTAPI ZwCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IopCancelFile(FileHandle, IoStatusBlock, KernelMode);
}
