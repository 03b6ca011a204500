/* SPDX-License-Identifier: MIT
 * Misuses what belongs to its device: a timer whose routine is nowhere, a request of its own that its completion routine lets go. */
#define DEVICE_NAME L"\\Device\\NtboxDeviceMisuse"
#include "rules.h"

#define NOWHERE 0x1234

static PDEVICE_OBJECT Mine;

BREAKS StartTimer(VOID)
{
    LARGE_INTEGER TwoSeconds = {.QuadPart = -20000000};
    if (NT_SUCCESS(IoInitializeTimer(Mine, (PIO_TIMER_ROUTINE)NOWHERE, NULL)))
        IoStartTimer(Mine);
    KeDelayExecutionThread(KernelMode, FALSE, &TwoSeconds);
}

static NTSTATUS NTAPI NotKept(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_CONTINUE_COMPLETION;
}

/* [WDK IoAllocateIrp] who made an IRP keeps it, by STATUS_MORE_PROCESSING_REQUIRED, and frees it. */
BREAKS LetGo(VOID)
{
    PIRP Irp = IoAllocateIrp(Mine->StackSize, FALSE);
    if (Irp == NULL)
        return;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    IoGetNextIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode = 0x22fffc;
    IoSetCompletionRoutine(Irp, NotKept, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Mine, Irp);
}

static VOID (*const Rules[])(VOID) = {StartTimer, LetGo};
RULES(Rules, Mine = Device)
