/* SPDX-License-Identifier: MIT
 * Controller objects: who of several devices may use the hardware that they share. The next one waits in the controller's device queue. */
#include "iop.h"
#include "ex.h"

/* [WDK IoCreateController] NULL when memory is short. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE PCONTROLLER_OBJECT NTAPI IoCreateController(ULONG Size)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SIZE_T Whole = sizeof(CONTROLLER_OBJECT) + (SIZE_T)Size;
    PCONTROLLER_OBJECT Controller =
        ExAllocatePoolForOwner(NonPagedPoolNx, Whole, IOP_TAG_CONTROLLER, __builtin_return_address(0));
    if (Controller == NULL)
        return NULL;
    RtlZeroMemory(Controller, Whole);
    Controller->Type = IO_TYPE_CONTROLLER;
    Controller->Size = sizeof(CONTROLLER_OBJECT);
    Controller->ControllerExtension = Controller + 1;
    KeInitializeDeviceQueue(&Controller->DeviceWaitQueue);
    return Controller;
}

/* [WDK IoDeleteController] nobody has it or waits for it. PASSIVE_LEVEL. */
VOID NTAPI IoDeleteController(PCONTROLLER_OBJECT Controller)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ExFreePoolWithTag(Controller, IOP_TAG_CONTROLLER);
}

/* The device has the controller. TRUE: its routine keeps it until IoFreeController. */
static BOOLEAN IopGiveController(PDEVICE_OBJECT Device)
{
    PWAIT_CONTEXT_BLOCK Wait = &Device->Queue.Wcb;
    return IopCallController(Wait->DeviceRoutine, Device, Device->CurrentIrp, Wait->DeviceContext) ==
           KeepObject;
}

/* [WDK IoAllocateController] the routine is called at once when the controller is free, else when it is the device's turn; it returns KeepObject or
 * DeallocateObject. DISPATCH_LEVEL. */
VOID NTAPI IoAllocateController(PCONTROLLER_OBJECT Controller, PDEVICE_OBJECT Device, PDRIVER_CONTROL Routine,
                                PVOID Context)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    Device->Queue.Wcb.DeviceRoutine = Routine;
    Device->Queue.Wcb.DeviceContext = Context;
    if (!KeInsertDeviceQueue(&Controller->DeviceWaitQueue, &Device->Queue.Wcb.WaitQueueEntry) &&
        !IopGiveController(Device))
        IoFreeController(Controller);
}

/* [WDK IoFreeController] DISPATCH_LEVEL. The next that waits gets it, and whoever comes after one that does not keep it. */
VOID NTAPI IoFreeController(PCONTROLLER_OBJECT Controller)
{
    PKDEVICE_QUEUE_ENTRY Entry;
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    while ((Entry = KeRemoveDeviceQueue(&Controller->DeviceWaitQueue)) != NULL) {
        if (IopGiveController(CONTAINING_RECORD(Entry, DEVICE_OBJECT, Queue.Wcb.WaitQueueEntry)))
            return;
    }
}
