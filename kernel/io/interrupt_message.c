/* SPDX-License-Identifier: MIT
 * Message-signaled interrupts: one interrupt object for each message, one routine for all. [WDK "Using Message-Signaled Interrupts", IoConnectInterruptEx,
 * IO_INTERRUPT_MESSAGE_INFO] */
#include "interrupt.h"
#include "ex.h"
#include "hal.h"

/* Messages of a device, and the highest IRQL among them. */
static ULONG IopCountMessages(PDEVICE_OBJECT Pdo, PKIRQL Highest)
{
    ULONG At = 0, Count = 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Interrupt, *Raw;
    *Highest = 0;
    while ((Interrupt = IopNextInterrupt(Pdo, &At, &Raw)) != NULL) {
        if (!(Interrupt->Flags & CM_RESOURCE_INTERRUPT_MESSAGE))
            continue;
        Count += Raw->u.MessageInterrupt.Raw.MessageCount;
        *Highest = max(*Highest, (KIRQL)Interrupt->u.MessageInterrupt.Translated.Level);
    }
    return Count;
}

static VOID IopDescribeMessage(PIO_INTERRUPT_MESSAGE_INFO_ENTRY Entry, ULONG Vector, KAFFINITY Processors)
{
    ULONG64 Address;
    Entry->Vector = Vector;
    Entry->Irql = (KIRQL)(Vector >> 4);
    Entry->TargetProcessorSet = Processors;
    Entry->Mode = Latched;
    Entry->Polarity = InterruptPolarityUnknown;
    HalDescribeMessage((UCHAR)Vector, (ULONG)__builtin_ctzll(Processors), &Address, &Entry->MessageData);
    Entry->MessageAddress.QuadPart = (LONGLONG)Address;
}

static VOID IopFillTable(PDEVICE_OBJECT Pdo, PIO_INTERRUPT_MESSAGE_INFO Table)
{
    ULONG At = 0, Id = 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Interrupt, *Raw;
    while ((Interrupt = IopNextInterrupt(Pdo, &At, &Raw)) != NULL) {
        if (!(Interrupt->Flags & CM_RESOURCE_INTERRUPT_MESSAGE))
            continue;
        for (ULONG i = 0; i < Raw->u.MessageInterrupt.Raw.MessageCount; i++)
            IopDescribeMessage(&Table->MessageInfo[Id++], Interrupt->u.MessageInterrupt.Translated.Vector + i,
                               Interrupt->u.MessageInterrupt.Translated.Affinity);
    }
}

/* Those that are connected. */
VOID IopDisconnectMessages(PIO_INTERRUPT_MESSAGE_INFO Table)
{
    for (ULONG i = 0; i < Table->MessageCount; i++) {
        if (Table->MessageInfo[i].InterruptObject != NULL)
            IoDisconnectInterrupt(Table->MessageInfo[i].InterruptObject);
    }
    ExFreePoolWithTag(Table, IOP_INTERRUPT_TAG);
}

static NTSTATUS IopConnectTable(const IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS *Given,
                                PIO_INTERRUPT_MESSAGE_INFO Table)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG Id = 0; NT_SUCCESS(Status) && Id < Table->MessageCount; Id++) {
        PIO_INTERRUPT_MESSAGE_INFO_ENTRY Entry = &Table->MessageInfo[Id];
        KE_INTERRUPT_PARAMETERS Parameters = {
            .ServiceRoutine = (PKSERVICE_ROUTINE)(PVOID)Given->MessageServiceRoutine,
            .ServiceContext = Given->ServiceContext,
            .SpinLock = Given->SpinLock,
            .Vector = Entry->Vector,
            .Irql = Entry->Irql,
            .SynchronizeIrql = Given->SpinLock != NULL ? Table->UnifiedIrql : Entry->Irql,
            .Mode = Latched,
            .Processors = Entry->TargetProcessorSet,
            .IsMessage = TRUE,
            .MessageId = Id};
        Status = IopConnect(&Parameters, &Entry->InterruptObject);
    }
    return Status;
}

/* [WDK IoConnectInterruptEx] the table is there before the first message can come. UnifiedIrql: the highest, when one lock is for all. */
static NTSTATUS IopConnectAll(const IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS *Given, ULONG Count,
                              KIRQL Highest)
{
    PIO_INTERRUPT_MESSAGE_INFO Table = ExAllocatePool2(
        POOL_FLAG_NON_PAGED, sizeof(*Table) + Count * sizeof(Table->MessageInfo[0]), IOP_INTERRUPT_TAG);
    if (Table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Table->MessageCount = Count;
    Table->UnifiedIrql = Given->SpinLock != NULL ? max(Highest, Given->SynchronizeIrql) : 0;
    IopFillTable(Given->PhysicalDeviceObject, Table);
    *Given->ConnectionContext.InterruptMessageTable = Table;
    NTSTATUS Status = IopConnectTable(Given, Table);
    if (NT_SUCCESS(Status))
        return Status;
    IopDisconnectMessages(Table);
    *Given->ConnectionContext.InterruptMessageTable = NULL;
    return Status;
}

/* [WDK IoConnectInterruptEx] a device without messages, and a driver with a fall-back routine: it is as if it had asked for its line. */
static NTSTATUS IopFallBack(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    const IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS *Given = &Parameters->MessageBased;
    IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS Line = {.PhysicalDeviceObject = Given->PhysicalDeviceObject,
                                                       .InterruptObject =
                                                           Given->ConnectionContext.InterruptObject,
                                                       .ServiceRoutine = Given->FallBackServiceRoutine,
                                                       .ServiceContext = Given->ServiceContext,
                                                       .SpinLock = Given->SpinLock,
                                                       .SynchronizeIrql = Given->SynchronizeIrql,
                                                       .FloatingSave = Given->FloatingSave};
    NTSTATUS Status = IopConnectLine(&Line);
    if (NT_SUCCESS(Status))
        Parameters->Version = CONNECT_LINE_BASED;
    return Status;
}

NTSTATUS IopConnectMessages(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    const IO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS *Given = &Parameters->MessageBased;
    KIRQL Highest;
    if (Given->PhysicalDeviceObject == NULL)
        return STATUS_INVALID_PARAMETER;
    ULONG Count = IopCountMessages(Given->PhysicalDeviceObject, &Highest);
    if (Count != 0)
        return IopConnectAll(Given, Count, Highest);
    return Given->FallBackServiceRoutine != NULL ? IopFallBack(Parameters) : STATUS_NOT_FOUND;
}
