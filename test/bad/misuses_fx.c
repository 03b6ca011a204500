/* SPDX-License-Identifier: MIT
 * Bad on purpose: tells the power management framework that a component is idle which it did not activate. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static PO_FX_COMPONENT_IDLE_STATE Full;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    POHANDLE Handle;
    PO_FX_DEVICE Fx = {.Version = PO_FX_VERSION_V2,
                       .ComponentCount = 1,
                       .Components = {{.IdleStateCount = 1, .IdleStates = &Full}}};
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PoFxRegisterDevice(Device, &Fx, &Handle);
    if (NT_SUCCESS(Status))
        PoFxIdleComponent(Handle, 0, 0);
    return Status;
}
