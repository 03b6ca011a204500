/* SPDX-License-Identifier: MIT
 * What drivers ask of the system and tell it: error log, shutdown notifications, configuration, who issued a request.
 * [WDK IoAllocateErrorLogEntry, IoRegisterShutdownNotification, IoGetConfigurationInformation, IoGetRequestorProcessId] */
#include "ct_irp.h"

/* An entry has room for what was asked for, zeroed; one that is too large or too small is refused. */
static VOID SystemErrorLog(VOID)
{
    UCHAR Size = (UCHAR)(sizeof(IO_ERROR_LOG_PACKET) + 3 * sizeof(WCHAR));
    PIO_ERROR_LOG_PACKET Entry = IoAllocateErrorLogEntry(CtDriverObject, Size);
    CT_REQUIRE(Entry != NULL);
    CT_CHECK(Entry->ErrorCode == 0 && Entry->NumberOfStrings == 0 && ((PUCHAR)Entry)[Size - 1] == 0);
    Entry->ErrorCode = (NTSTATUS)0xC0040003;
    Entry->UniqueErrorValue = 77;
    Entry->FinalStatus = STATUS_DEVICE_NOT_READY;
    Entry->NumberOfStrings = 1;
    Entry->StringOffset = sizeof(IO_ERROR_LOG_PACKET);
    RtlCopyMemory((PUCHAR)Entry + Entry->StringOffset, L"ab", 3 * sizeof(WCHAR));
    IoWriteErrorLogEntry(Entry);
    Entry = IoAllocateErrorLogEntry(CtDriverObject, (UCHAR)sizeof(IO_ERROR_LOG_PACKET));
    CT_REQUIRE(Entry != NULL);
    Entry->NumberOfStrings = 0xFFFF; /* more than there are: nothing beyond the entry is read */
    Entry->StringOffset = 1;
    RtlFillMemory((PUCHAR)Entry + sizeof(*Entry) - 4, 4, 'x');
    IoWriteErrorLogEntry(Entry);
    Entry = IoAllocateErrorLogEntry(CtDriverObject, ERROR_LOG_MAXIMUM_SIZE);
    CT_REQUIRE(Entry != NULL);
    IoFreeErrorLogEntry(Entry);
    CT_CHECK(IoAllocateErrorLogEntry(CtDriverObject, sizeof(IO_ERROR_LOG_PACKET) - 1) == NULL);
    CT_CHECK(IoAllocateErrorLogEntry(CtDriverObject, ERROR_LOG_MAXIMUM_SIZE + 1) == NULL);
}

/* Both kinds are taken back by one call; a driver that forgets it is reported as leaking. */
static VOID SystemShutdown(VOID)
{
    PDEVICE_OBJECT Device;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    CT_SUCCESS(IoRegisterShutdownNotification(Device));
    CT_CHECK((Device->Flags & DO_SHUTDOWN_REGISTERED) != 0);
    CT_SUCCESS(IoRegisterLastChanceShutdownNotification(Device));
    IoUnregisterShutdownNotification(Device);
    CT_CHECK((Device->Flags & DO_SHUTDOWN_REGISTERED) == 0);
    IoDeleteDevice(Device);
}

static VOID SystemConfiguration(VOID)
{
    PCONFIGURATION_INFORMATION Configuration = IoGetConfigurationInformation();
    CT_REQUIRE(Configuration != NULL);
    CT_EQUAL(Configuration->Version, sizeof(*Configuration));
    ULONG Disks = Configuration->DiskCount++; /* a disk driver counts its own */
    CT_EQUAL(IoGetConfigurationInformation()->DiskCount, Disks + 1);
    Configuration->DiskCount--;
    CT_CHECK(IoIsWdmVersionAvailable(1, 0x30) && IoIsWdmVersionAvailable(6, 0));
    CT_CHECK(!IoIsWdmVersionAvailable(6, 1) && !IoIsWdmVersionAvailable(7, 0));
}

static VOID SystemRequestor(VOID)
{
    ULONG Session = 77;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    CT_REQUIRE(Irp != NULL);
    CT_STATUS(IoGetRequestorSessionId(Irp, &Session), STATUS_UNSUCCESSFUL);
    CT_EQUAL(Session, (ULONG)-1);
    CT_EQUAL(IoGetRequestorProcessId(Irp), 0);
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    CT_SUCCESS(IoGetRequestorSessionId(Irp, &Session));
    CT_EQUAL(Session, 0);
    CT_EQUAL(IoGetRequestorProcessId(Irp), (ULONG)(ULONG_PTR)PsGetCurrentProcessId());
    CT_CHECK(!IoIs32bitProcess(Irp));
    IoFreeIrp(Irp);
    CT_CHECK(IoIsSystemThread(PsGetCurrentThread()));
    CT_EQUAL(IoThreadToProcess(PsGetCurrentThread()), PsGetCurrentProcess());
}

static VOID SystemTypes(VOID)
{
    PDEVICE_OBJECT Device;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    CT_SUCCESS(ObReferenceObjectByPointer(Device, 0, *IoDeviceObjectType, KernelMode));
    ObDereferenceObject(Device);
    CT_STATUS(ObReferenceObjectByPointer(Device, 0, *IoDriverObjectType, KernelMode),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_SUCCESS(ObReferenceObjectByPointer(CtDriverObject, 0, *IoDriverObjectType, KernelMode));
    ObDereferenceObject(CtDriverObject);
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {
    {"system.error_log", SystemErrorLog},
    {"system.shutdown", SystemShutdown},
    {"system.configuration", SystemConfiguration},
    {"system.requestor", SystemRequestor},
    {"system.types", SystemTypes},
};
CT_DRIVER(Cases)
