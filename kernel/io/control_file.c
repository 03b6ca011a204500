/* SPDX-License-Identifier: MIT
 * ZwDeviceIoControlFile, ZwFsControlFile and ZwFlushBuffersFile. */
#include "iop.h"

typedef struct _IOP_CONTROL_CALL {
    ULONG Code;
    PVOID Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
} IOP_CONTROL_CALL;

static NTSTATUS IopControl(IOP_REQUEST *Request, const IOP_CONTROL_CALL *Call)
{
    NTSTATUS Status = IopSetUpControl(Request->Irp, Call->Code, Call->Input, Call->InputLength, Call->Output,
                                      Call->OutputLength, KernelMode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(Request);
        return Status;
    }
    return IopSendRequest(Request, FALSE);
}

/* [WDK ZwDeviceIoControlFile] */
NTSTATUS NTAPI ZwDeviceIoControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                     PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                                     PVOID Output, ULONG OutputLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    IOP_CONTROL_CALL Call = {Code, Input, InputLength, Output, OutputLength};
    NTSTATUS Status =
        IopBeginRequest(&Request, File, 0, Event, IRP_MJ_DEVICE_CONTROL, Iosb, ApcRoutine, ApcContext);
    return NT_SUCCESS(Status) ? IopControl(&Request, &Call) : Status;
}

/* [WDK ZwFsControlFile] the parameters lie as with a device control; the minor function is IRP_MN_USER_FS_REQUEST (0). */
NTSTATUS NTAPI ZwFsControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                               PVOID Output, ULONG OutputLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    IOP_CONTROL_CALL Call = {Code, Input, InputLength, Output, OutputLength};
    NTSTATUS Status =
        IopBeginRequest(&Request, File, 0, Event, IRP_MJ_FILE_SYSTEM_CONTROL, Iosb, ApcRoutine, ApcContext);
    return NT_SUCCESS(Status) ? IopControl(&Request, &Call) : Status;
}

/* [WDK ZwFlushBuffersFile] returns when the data is written. */
NTSTATUS NTAPI ZwFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK Iosb)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status =
        IopBeginRequest(&Request, File, FILE_WRITE_DATA, NULL, IRP_MJ_FLUSH_BUFFERS, Iosb, NULL, NULL);
    return NT_SUCCESS(Status) ? IopSendRequest(&Request, TRUE) : Status;
}
