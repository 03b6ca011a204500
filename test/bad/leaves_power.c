/* SPDX-License-Identifier: MIT
 * Bad on purpose: goes with a power setting callback, a system state, a power request and a registration with the power management framework left. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static const GUID Source = {0x5d3e9a59, 0xe9d5, 0x4b00, {0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48}};
static PDEVICE_OBJECT LeavesDevice;

static PO_FX_COMPONENT_IDLE_STATE Full;
static PO_FX_DEVICE Fx = {.Version = PO_FX_VERSION_V2,
                          .ComponentCount = 1,
                          .Components = {{.IdleStateCount = 1, .IdleStates = &Full}}};

static NTSTATUS NTAPI Changed(LPCGUID Setting, PVOID Value, ULONG Length, PVOID Context)
{
    UNREFERENCED_PARAMETER(Setting);
    UNREFERENCED_PARAMETER(Value);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    IoDeleteDevice(LeavesDevice);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PVOID Handle;
    POHANDLE FxHandle;
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->DriverUnload = Unload;
    NTSTATUS Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &LeavesDevice);
    if (!NT_SUCCESS(Status))
        return Status;
    PoRegisterSystemState(NULL, ES_SYSTEM_REQUIRED);
    PoRegisterPowerSettingCallback(NULL, &Source, Changed, NULL, &Handle);
    PoCreatePowerRequest(&Handle, LeavesDevice, NULL);
    return PoFxRegisterDevice(LeavesDevice, &Fx, &FxHandle);
}
