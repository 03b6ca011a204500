/* SPDX-License-Identifier: MIT
 * Loading a driver by the name of its service key: the image, the driver object, DriverEntry. On failure nothing stays. */
#include "reinitialize.h"
#include "kd.h"

static VOID IopReportEntry(PIM_MODULE Module, NTSTATUS Status)
{
    KdLog("%s: DriverEntry returned %08lx", Module->Name, (ULONG)Status);
    if (Status == STATUS_PENDING)
        ImReportPending(Module, "DriverEntry");
    KdReport(ReportEntry, KD_TEXT(ReportKeyDriver, Module->Name), KD_NUMBER(ReportKeyStatus, (ULONG)Status));
}

static NTSTATUS IopMakeServiceDriver(const IOP_SERVICE *Service, PCUNICODE_STRING Name,
                                     PDRIVER_OBJECT *Driver)
{
    UNICODE_STRING ObjectName;
    PCWSTR Prefix = Service->Type == IOP_SERVICE_KERNEL_DRIVER ? L"\\Driver\\" : L"\\FileSystem\\";
    NTSTATUS Status = IopMakePath(&ObjectName, Prefix, Name, L"");
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopMakeDriverObject(&ObjectName, Name, Driver);
    ObFreeName(&ObjectName);
    /* [WDK ZwLoadDriver] the driver is loaded already. */
    return Status == STATUS_OBJECT_NAME_COLLISION ? STATUS_IMAGE_ALREADY_LOADED : Status;
}

static VOID IopBindImage(PDRIVER_OBJECT Driver, PIM_MODULE Module)
{
    Driver->DriverStart = Module->Base;
    Driver->DriverSize = Module->Size;
    Driver->DriverSection = Module;
    Driver->DriverInit = (PDRIVER_INITIALIZE)Module->EntryPoint;
    Module->DriverObject = Driver;
}

/* The driver object comes first: it fails cheaply when the driver is loaded already. From IopBindImage on the driver object owns
 * the image. */
static NTSTATUS IopLoadService(IOP_SERVICE *Service, PCUNICODE_STRING Name)
{
    PDRIVER_OBJECT Driver;
    PIM_MODULE Module;
    NTSTATUS Status = IopMakeServiceDriver(Service, Name, &Driver);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ImLoadImage(&Service->ImagePath, &Module);
    if (NT_SUCCESS(Status)) {
        IopBindImage(Driver, Module);
        Status = IopRunDriverEntry(Driver, &Service->KeyPath);
        IopReportEntry(Module, Status);
        if (NT_SUCCESS(Status)) {
            ImDiscardInit(Module);
            return Status;
        }
        IopReportLeaks(Driver);
    }
    IopDropDriverObject(Driver);
    return Status;
}

/* [WDK ZwLoadDriver] PASSIVE_LEVEL. Every caller runs in the System process, so DriverEntry is called right here. */
NTSTATUS NTAPI ZwLoadDriver(PUNICODE_STRING DriverServiceName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNICODE_STRING Name;
    IOP_SERVICE Service;
    NTSTATUS Status = IopServiceName(DriverServiceName, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReadService(DriverServiceName, &Name, &Service);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopLoadService(&Service, &Name);
    IopRunReinitialization();
    IopFreeService(&Service);
    return Status;
}
