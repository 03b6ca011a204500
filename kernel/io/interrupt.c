/* SPDX-License-Identifier: MIT
 * Connecting interrupts: checks what the driver gives, and makes the interrupt object. */
#include "interrupt.h"
#include "ex.h"

#define IOP_FIRST_DIRQL 3
#define IOP_LAST_DIRQL 12

BOOLEAN IopCheckInterrupt(KE_INTERRUPT_PARAMETERS *Parameters)
{
    Parameters->Processors &= KeQueryActiveProcessors();
    return Parameters->ServiceRoutine != NULL && Parameters->Irql >= IOP_FIRST_DIRQL &&
           Parameters->Irql <= IOP_LAST_DIRQL && Parameters->Vector >> 4 == Parameters->Irql &&
           Parameters->SynchronizeIrql >= Parameters->Irql && Parameters->SynchronizeIrql <= HIGH_LEVEL &&
           Parameters->Processors != 0;
}

NTSTATUS IopConnect(const KE_INTERRUPT_PARAMETERS *Parameters, PKINTERRUPT *InterruptObject)
{
    KE_INTERRUPT_PARAMETERS Checked = *Parameters;

    if (!IopCheckInterrupt(&Checked))
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
    KE_INTERRUPT_PARAMETERS Parameters = {.ServiceRoutine = ServiceRoutine,
                                          .ServiceContext = ServiceContext,
                                          .SpinLock = SpinLock,
                                          .Vector = Vector,
                                          .Irql = Irql,
                                          .SynchronizeIrql = SynchronizeIrql,
                                          .Mode = InterruptMode,
                                          .ShareVector = ShareVector,
                                          .Processors = ProcessorEnableMask};
    return IopConnect(&Parameters, InterruptObject);
}

static NTSTATUS IopConnectFullySpecified(const IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS *Given,
                                         BOOLEAN HasGroup)
{
    KE_INTERRUPT_PARAMETERS Parameters = {.ServiceRoutine = Given->ServiceRoutine,
                                          .ServiceContext = Given->ServiceContext,
                                          .SpinLock = Given->SpinLock,
                                          .Vector = Given->Vector,
                                          .Irql = Given->Irql,
                                          .SynchronizeIrql = Given->SynchronizeIrql,
                                          .Mode = Given->InterruptMode,
                                          .ShareVector = Given->ShareVector,
                                          .Processors = Given->ProcessorEnableMask};
    if (Given->PhysicalDeviceObject == NULL || (HasGroup && Given->Group != 0))
        return STATUS_INVALID_PARAMETER;
    if (Given->Irql == PASSIVE_LEVEL && Given->SynchronizeIrql == PASSIVE_LEVEL)
        return IopConnectPassive(&Parameters, Given->InterruptObject);
    return IopConnect(&Parameters, Given->InterruptObject);
}

/* --- what PnP gave the device --- */

/* The translated and the raw descriptor of its interrupts, one after the other; NULL: no more. *At begins with 0. */
const CM_PARTIAL_RESOURCE_DESCRIPTOR *IopNextInterrupt(PDEVICE_OBJECT Pdo, PULONG At,
                                                       const CM_PARTIAL_RESOURCE_DESCRIPTOR **Raw)
{
    const IO_DEVICE_NODE *Node = IoGetDeviceNode(Pdo);
    if (Node == NULL || Node->Translated == NULL)
        return NULL;
    const CM_PARTIAL_RESOURCE_LIST *List = &Node->Translated->List[0].PartialResourceList;
    for (ULONG i = *At; i < List->Count; i++) {
        if (List->PartialDescriptors[i].Type != CmResourceTypeInterrupt)
            continue;
        *At = i + 1;
        *Raw = &Node->Raw->List[0].PartialResourceList.PartialDescriptors[i];
        return &List->PartialDescriptors[i];
    }
    return NULL;
}

/* The device's first line; NULL: it has none. */
static const CM_PARTIAL_RESOURCE_DESCRIPTOR *IopFindLine(PDEVICE_OBJECT Pdo)
{
    ULONG At = 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Line, *Raw;
    while ((Line = IopNextInterrupt(Pdo, &At, &Raw)) != NULL) {
        if (!(Line->Flags & CM_RESOURCE_INTERRUPT_MESSAGE))
            return Line;
    }
    return NULL;
}

/* [WDK IoConnectInterruptEx] STATUS_NOT_FOUND: the device has no line. */
NTSTATUS IopConnectLine(const IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS *Given)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Line =
        Given->PhysicalDeviceObject != NULL ? IopFindLine(Given->PhysicalDeviceObject) : NULL;
    if (Given->PhysicalDeviceObject == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Line == NULL)
        return STATUS_NOT_FOUND;
    KIRQL Irql = (KIRQL)Line->u.Interrupt.Level;
    KINTERRUPT_MODE Mode = Line->Flags & CM_RESOURCE_INTERRUPT_LATCHED ? Latched : LevelSensitive;
    KE_INTERRUPT_PARAMETERS Parameters = {.ServiceRoutine = Given->ServiceRoutine,
                                          .ServiceContext = Given->ServiceContext,
                                          .SpinLock = Given->SpinLock,
                                          .Vector = Line->u.Interrupt.Vector,
                                          .Irql = Irql,
                                          .SynchronizeIrql = max(Irql, Given->SynchronizeIrql),
                                          .Mode = Mode,
                                          .ShareVector = Line->ShareDisposition == CmResourceShareShared,
                                          .Processors = Line->u.Interrupt.Affinity};
    return IopConnect(&Parameters, Given->InterruptObject);
}

/* [WDK IoConnectInterruptEx] A version that is none: STATUS_NOT_SUPPORTED, and Version says what is. */
NTSTATUS NTAPI IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    switch (Parameters->Version) {
    case CONNECT_FULLY_SPECIFIED:
        return IopConnectFullySpecified(&Parameters->FullySpecified, FALSE);
    case CONNECT_FULLY_SPECIFIED_GROUP:
        return IopConnectFullySpecified(&Parameters->FullySpecified, TRUE);
    case CONNECT_LINE_BASED:
        return IopConnectLine(&Parameters->LineBased);
    case CONNECT_MESSAGE_BASED:
        return IopConnectMessages(Parameters);
    default:
        Parameters->Version = CONNECT_FULLY_SPECIFIED;
        return STATUS_NOT_SUPPORTED;
    }
}

/* [WDK IoDisconnectInterrupt] PASSIVE_LEVEL. The routine is not called any more when it returns. */
VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    if (InterruptObject->PassiveLock != NULL) {
        IopDisconnectPassive(InterruptObject);
        return;
    }
    KeDisconnectInterrupt(InterruptObject);
    ExFreePoolWithTag(InterruptObject, IOP_INTERRUPT_TAG);
}

/* [WDK IoDisconnectInterruptEx] */
VOID NTAPI IoDisconnectInterruptEx(PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters)
{
    if (Parameters->Version == CONNECT_MESSAGE_BASED)
        IopDisconnectMessages(Parameters->ConnectionContext.InterruptMessageTable);
    else
        IoDisconnectInterrupt(Parameters->ConnectionContext.InterruptObject);
}
