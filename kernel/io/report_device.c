/* SPDX-License-Identifier: MIT
 * \Device\Report: a driver of the kernel's own, through which the agent writes records to the report channel. One write is one record:
 * the type, then fields as report_format.h has them. Only what a scenario or a test has to say is accepted: nobody can forge a bug check
 * or hide a leak. */
#include "iop.h"
#include "kd.h"

typedef struct _IOP_REPORT_WRITE {
    USHORT Type; /* REPORT_TYPE */
    USHORT Reserved;
    ULONG Reserved2;
} IOP_REPORT_WRITE; /* followed by REPORT_FIELDs */

static BOOLEAN IopMayReport(USHORT Type)
{
    switch (Type) {
    case ReportPrint:
    case ReportStepBegin:
    case ReportStepEnd:
    case ReportCaseBegin:
    case ReportCaseEnd:
    case ReportDone:
    case ReportMark:
    case ReportPassBegin:
        return TRUE;
    default:
        return FALSE;
    }
}

/* The value of the Case field; empty when there is none. The fields are valid. */
static const REPORT_FIELD *IopFindCase(const UCHAR *Fields, ULONG Length)
{
    for (ULONG At = 0; At < Length;) {
        const REPORT_FIELD *Field = (const REPORT_FIELD *)(Fields + At);
        if (Field->Key == ReportKeyCase && Field->Kind == ReportKindText)
            return Field;
        At += sizeof(*Field) + ((Field->Length + 7) & ~7u);
    }
    return NULL;
}

/* Calls across bindings are counted by case. */
static VOID IopFollowCase(USHORT Type, const UCHAR *Fields, ULONG Length)
{
    if (Type == ReportCaseEnd)
        ImEndCase();
    const REPORT_FIELD *Case = Type == ReportCaseBegin ? IopFindCase(Fields, Length) : NULL;
    if (Case != NULL)
        ImBeginCase((PCSTR)(Case + 1), Case->Length);
}

static NTSTATUS IopWriteRecord(const IOP_REPORT_WRITE *Write, ULONG Length)
{
    if (Length < sizeof(*Write))
        return STATUS_BUFFER_TOO_SMALL;
    if (Length > REPORT_MAX_RECORD - sizeof(REPORT_RECORD))
        return STATUS_INVALID_BUFFER_SIZE;
    if (!IopMayReport(Write->Type))
        return STATUS_ACCESS_DENIED;
    if (!KdFieldsAreValid(Write + 1, Length - sizeof(*Write)))
        return STATUS_INVALID_PARAMETER;
    KdReportEncoded(Write->Type, Write + 1, Length - sizeof(*Write));
    IopFollowCase(Write->Type, (const UCHAR *)(Write + 1), Length - sizeof(*Write));
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI IopReportOpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IopCompleteNow(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI IopReportWriteRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    NTSTATUS Status = IopWriteRecord(Irp->AssociatedIrp.SystemBuffer, Length);
    return IopCompleteNow(Irp, Status, NT_SUCCESS(Status) ? Length : 0);
}

/* The host's answer to marks: REPORT_ANSWER. */
static NTSTATUS NTAPI IopReportRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    REPORT_ANSWER *Answer = Irp->AssociatedIrp.SystemBuffer;
    ULONG64 Answered;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length < sizeof(*Answer))
        return IopCompleteNow(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    Answer->Refused = KdReadAnswer(&Answered);
    Answer->Answered = Answered;
    return IopCompleteNow(Irp, STATUS_SUCCESS, sizeof(*Answer));
}

/* [WDK IRP_MN_QUERY_INTERFACE] in spirit: functions are handed out as data. */
static NTSTATUS NTAPI IopReportControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTBOX_FAILURE_INTERFACE *Interface = Irp->AssociatedIrp.SystemBuffer;

    if (!NTBOX_CHECKED || Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_NTBOX_FAILURE)
        return IopCompleteNow(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(*Interface))
        return IopCompleteNow(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    *Interface = IopFailureInterface;
    return IopCompleteNow(Irp, STATUS_SUCCESS, sizeof(*Interface));
}

static NTSTATUS NTAPI IopReportEntryPoint(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Report");
    PDEVICE_OBJECT Device;
    Driver->MajorFunction[IRP_MJ_CREATE] = IopReportOpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = IopReportOpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = IopReportOpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = IopReportControl;
    Driver->MajorFunction[IRP_MJ_READ] = IopReportRead;
    Driver->MajorFunction[IRP_MJ_WRITE] = IopReportWriteRequest;
    NTSTATUS Status =
        IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (NT_SUCCESS(Status))
        Device->Flags |= DO_BUFFERED_IO;
    return Status;
}

VOID IopInitReportDevice(VOID)
{
    NTSTATUS Status = IoCreateDriver(L"\\Driver\\Report", IopReportEntryPoint);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 4, 0, 0);
}
