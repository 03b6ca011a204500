/* SPDX-License-Identifier: MIT
 * \Device\Null: reads end at once, writes go nowhere. [WDK FILE_DEVICE_NULL] */
#include "iop.h"

static NTSTATUS NTAPI IopNullOpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IopCompleteNow(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI IopNullRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IopCompleteNow(Irp, STATUS_END_OF_FILE, 0);
}

static NTSTATUS NTAPI IopNullWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IopCompleteNow(Irp, STATUS_SUCCESS, IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length);
}

/* An empty file. The I/O manager has checked the length. */
static NTSTATUS NTAPI IopNullQuery(PDEVICE_OBJECT Device, PIRP Irp)
{
    FILE_STANDARD_INFORMATION *Standard = Irp->AssociatedIrp.SystemBuffer;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryFile.FileInformationClass !=
        FileStandardInformation)
        return IopCompleteNow(Irp, STATUS_INVALID_INFO_CLASS, 0);
    *Standard = (FILE_STANDARD_INFORMATION){.NumberOfLinks = 1};
    return IopCompleteNow(Irp, STATUS_SUCCESS, sizeof(*Standard));
}

static NTSTATUS NTAPI IopNullEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Null");
    PDEVICE_OBJECT Device;
    Driver->MajorFunction[IRP_MJ_CREATE] = IopNullOpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = IopNullOpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = IopNullOpenClose;
    Driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = IopNullOpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = IopNullRead;
    Driver->MajorFunction[IRP_MJ_WRITE] = IopNullWrite;
    Driver->MajorFunction[IRP_MJ_QUERY_INFORMATION] = IopNullQuery;
    return IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_NULL, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
}

VOID IopInitNullDevice(VOID)
{
    NTSTATUS Status = IoCreateDriver(L"\\Driver\\Null", IopNullEntry);
    if (NT_SUCCESS(Status))
        Status = ObCreateKernelLink(L"\\GLOBAL??\\NUL", L"\\Device\\Null");
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 6, 0, 0);
}
