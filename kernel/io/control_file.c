/* SPDX-License-Identifier: MIT
 * ZwDeviceIoControlFile, ZwFsControlFile and ZwFlushBuffersFile, and what user mode calls. */
#include "fast_io.h"
#include "mm_caller.h"

/* [WDK Defining I/O Control Codes] the code says which access the handle must have. */
ACCESS_MASK IopAccessOfCode(ULONG Code)
{
    ULONG Required = (Code >> 14) & (FILE_READ_ACCESS | FILE_WRITE_ACCESS);
    return (Required & FILE_READ_ACCESS ? FILE_READ_DATA : 0u) |
           (Required & FILE_WRITE_ACCESS ? FILE_WRITE_DATA : 0u);
}

/* [WDK Buffer Descriptions for I/O Control Codes] METHOD_NEITHER: the driver looks at the caller's addresses itself. */
static NTSTATUS IopProbeControl(const IOP_CONTROL *Control, KPROCESSOR_MODE Mode)
{
    if (METHOD_FROM_CTL_CODE(Control->Code) == METHOD_NEITHER)
        return STATUS_SUCCESS;
    NTSTATUS Status = Control->InputLength != 0
                          ? MmProbeCallerInput(Control->Input, Control->InputLength, Mode)
                          : STATUS_SUCCESS;
    if (NT_SUCCESS(Status) && METHOD_FROM_CTL_CODE(Control->Code) == METHOD_BUFFERED &&
        Control->OutputLength != 0)
        Status = MmProbeCallerOutput(Control->Output, Control->OutputLength, Mode);
    return Status;
}

static NTSTATUS IopControlFile(const IOP_CALLER *Caller, UCHAR Major, const IOP_CONTROL *Control)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status = IopProbeControl(Control, Caller->Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, Caller, Major);
    if (Status != STATUS_SUCCESS)
        return Status;
    IO_STATUS_BLOCK Iosb = {0};
    if (Major == IRP_MJ_DEVICE_CONTROL && IopFastControl(&Request, Control, &Iosb))
        return IopEndFastRequest(&Request, &Iosb);
    if (Major == IRP_MJ_DEVICE_CONTROL)
        Request.Stack->Flags |= Request.Granted; /* for IoValidateDeviceIoControlAccess */
    Status = IopSetUpControl(Request.Irp, Control, Caller->Mode);
    if (NT_SUCCESS(Status))
        return IopSendRequest(&Request, FALSE);
    IopAbandonRequest(&Request);
    return Status;
}

/* [WDK ZwDeviceIoControlFile] */
NTSTATUS NTAPI ZwDeviceIoControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                     PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                                     PVOID Output, ULONG OutputLength)
{
    const IOP_CALLER Caller = {File, 0, FALSE, Event, ApcRoutine, ApcContext, Iosb, KernelMode};
    const IOP_CONTROL Control = {Code, Input, InputLength, Output, OutputLength, NULL};
    return IopControlFile(&Caller, IRP_MJ_DEVICE_CONTROL, &Control);
}

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                     PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                                     PVOID Output, ULONG OutputLength)
{
    const IOP_CALLER Caller = {File, IopAccessOfCode(Code), FALSE, Event, ApcRoutine, ApcContext,
                               Iosb, ExGetPreviousMode()};
    const IOP_CONTROL Control = {Code, Input, InputLength, Output, OutputLength, NULL};
    return IopControlFile(&Caller, IRP_MJ_DEVICE_CONTROL, &Control);
}

/* [WDK ZwFsControlFile] the parameters lie as with a device control; the minor function is IRP_MN_USER_FS_REQUEST (0). */
NTSTATUS NTAPI ZwFsControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                               PVOID Output, ULONG OutputLength)
{
    const IOP_CALLER Caller = {File, 0, FALSE, Event, ApcRoutine, ApcContext, Iosb, KernelMode};
    const IOP_CONTROL Control = {Code, Input, InputLength, Output, OutputLength, NULL};
    return IopControlFile(&Caller, IRP_MJ_FILE_SYSTEM_CONTROL, &Control);
}

NTSTATUS NTAPI NtFsControlFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID Input, ULONG InputLength,
                               PVOID Output, ULONG OutputLength)
{
    const IOP_CALLER Caller = {File, IopAccessOfCode(Code), FALSE, Event, ApcRoutine, ApcContext,
                               Iosb, ExGetPreviousMode()};
    const IOP_CONTROL Control = {Code, Input, InputLength, Output, OutputLength, NULL};
    return IopControlFile(&Caller, IRP_MJ_FILE_SYSTEM_CONTROL, &Control);
}

static NTSTATUS IopFlush(HANDLE File, PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CALLER Caller = {.File = File,
                               .Access = FILE_WRITE_DATA | FILE_APPEND_DATA,
                               .AnyAccess = TRUE,
                               .Iosb = Iosb,
                               .Mode = Mode};
    NTSTATUS Status = IopBeginRequest(&Request, &Caller, IRP_MJ_FLUSH_BUFFERS);
    return Status == STATUS_SUCCESS ? IopSendRequest(&Request, TRUE) : Status;
}

/* [WDK ZwFlushBuffersFile] returns when the data is written. */
NTSTATUS NTAPI ZwFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK Iosb)
{
    return IopFlush(File, Iosb, KernelMode);
}
