/* SPDX-License-Identifier: MIT
 * Connecting interrupts: checks what the driver gives, and makes the interrupt object. */
#include "iop.h"
#include "ex.h"

#define IOP_INTERRUPT_TAG 0x746e4949u /* "IInt" */
#define IOP_FIRST_DIRQL 3
#define IOP_LAST_DIRQL 12

/* [WDK IoConnectInterrupt] STATUS_INVALID_PARAMETER: vector, IRQLs or processors are not possible, or the vector is not to be shared. */
static NTSTATUS IopConnect(const KE_INTERRUPT_PARAMETERS *Parameters, PKINTERRUPT *InterruptObject)
{
    KE_INTERRUPT_PARAMETERS Checked = *Parameters;

    Checked.Processors &= KeQueryActiveProcessors();
    if (Checked.ServiceRoutine == NULL || Checked.Irql < IOP_FIRST_DIRQL || Checked.Irql > IOP_LAST_DIRQL ||
        Checked.Vector >> 4 != Checked.Irql || Checked.SynchronizeIrql < Checked.Irql ||
        Checked.SynchronizeIrql > HIGH_LEVEL || Checked.Processors == 0)
        return STATUS_INVALID_PARAMETER;
    PKINTERRUPT Interrupt = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Interrupt), IOP_INTERRUPT_TAG);
    if (Interrupt == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeInterrupt(Interrupt, &Checked);
    *InterruptObject = Interrupt; /* before the first interrupt can come */
    if (KeConnectInterrupt(Interrupt))
        return STATUS_SUCCESS;
    *InterruptObject = NULL;
    ExFreePoolWithTag(Interrupt, IOP_INTERRUPT_TAG);
    return STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI IoConnectInterrupt(PKINTERRUPT *InterruptObject, PKSERVICE_ROUTINE ServiceRoutine,
                                  PVOID ServiceContext, PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql,
                                  KIRQL SynchronizeIrql, KINTERRUPT_MODE InterruptMode, BOOLEAN ShareVector,
                                  KAFFINITY ProcessorEnableMask, BOOLEAN FloatingSave)
{
    KE_INTERRUPT_PARAMETERS Parameters = {ServiceRoutine, ServiceContext, SpinLock,
                                          Vector,         Irql,           SynchronizeIrql,
                                          InterruptMode,  ShareVector,    ProcessorEnableMask};
    return IopConnect(&Parameters, InterruptObject);
}

static NTSTATUS IopConnectFullySpecified(const IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS *Given,
                                         BOOLEAN HasGroup)
{
    KE_INTERRUPT_PARAMETERS Parameters = {
        Given->ServiceRoutine, Given->ServiceContext, Given->SpinLock,
        Given->Vector,         Given->Irql,           Given->SynchronizeIrql,
        Given->InterruptMode,  Given->ShareVector,    Given->ProcessorEnableMask};
    if (Given->PhysicalDeviceObject == NULL || (HasGroup && Given->Group != 0))
        return STATUS_INVALID_PARAMETER;
    return IopConnect(&Parameters, Given->InterruptObject);
}

/* [WDK IoConnectInterruptEx] The line-based and message-based forms take vectors from the device's resources. No device has resources
 * before there is PnP: STATUS_NOT_FOUND (D-057). A version that is none: STATUS_NOT_SUPPORTED, and Version says what is. */
NTSTATUS NTAPI IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    switch (Parameters->Version) {
    case CONNECT_FULLY_SPECIFIED:
        return IopConnectFullySpecified(&Parameters->FullySpecified, FALSE);
    case CONNECT_FULLY_SPECIFIED_GROUP:
        return IopConnectFullySpecified(&Parameters->FullySpecified, TRUE);
    case CONNECT_LINE_BASED:
        return Parameters->LineBased.PhysicalDeviceObject == NULL ? STATUS_INVALID_PARAMETER
                                                                  : STATUS_NOT_FOUND;
    case CONNECT_MESSAGE_BASED:
        return Parameters->MessageBased.PhysicalDeviceObject == NULL ? STATUS_INVALID_PARAMETER
                                                                     : STATUS_NOT_FOUND;
    default:
        Parameters->Version = CONNECT_FULLY_SPECIFIED;
        return STATUS_NOT_SUPPORTED;
    }
}

/* [WDK IoDisconnectInterrupt] PASSIVE_LEVEL. The routine is not called any more when it returns. */
VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    KeDisconnectInterrupt(InterruptObject);
    ExFreePoolWithTag(InterruptObject, IOP_INTERRUPT_TAG);
}

/* [WDK IoDisconnectInterruptEx] */
VOID NTAPI IoDisconnectInterruptEx(PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters)
{
    IoDisconnectInterrupt(Parameters->ConnectionContext.InterruptObject);
}
