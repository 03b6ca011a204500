/* SPDX-License-Identifier: MIT
 * Slots with native hot plug: a port of PCI Express below which a device comes and goes while the system runs. The port interrupts when somebody presses the
 * slot's button or when the presence of a device changes; a work item then does what the slot wants:
 *   button at a device in use    the power indicator blinks; five seconds later, unless the button was pressed again, the functions are ejected. When the PnP
 *                                manager has removed the drivers of all (IRP_MN_EJECT), the slot is switched off. If one refuses, the indicator is on again.
 *   a device that was not there  the slot is switched on, and the functions on the bus behind the port are looked for
 *   no device any more           the same: they vanish
 * [PCI Express 3.0 6.7.1, 7.8.9 to 7.8.11; WDK IoRequestDeviceEject, IRP_MN_EJECT] */
#include "pci.h"

#define EXPRESS_FLAGS 2 /* of the PCI Express capability */
#define FLAG_SLOT 0x0100u
#define LINK_CAPABILITIES 0x0c
#define LINK_TELLS 0x00100000u
#define LINK_STATUS 0x12
#define LINK_ACTIVE 0x2000u
#define SLOT_CAPABILITIES 0x14
#define CAPABLE_OF_HOT_PLUG 0x40u
#define SLOT_CONTROL 0x18
#define ENABLE_BUTTON 0x0001u
#define ENABLE_PRESENCE 0x0008u
#define ENABLE_INTERRUPT 0x0020u
#define INDICATOR_ON 0x0100u
#define INDICATOR_BLINK 0x0200u
#define INDICATOR_OFF 0x0300u
#define INDICATOR_BITS 0x0300u
#define POWER_OFF 0x0400u
#define SLOT_STATUS 0x1a
#define EVENT_BUTTON 0x0001u
#define EVENT_PRESENCE 0x0008u
#define EVENTS (EVENT_BUTTON | EVENT_PRESENCE)
#define COMMAND_COMPLETED 0x0010u
#define OCCUPIED 0x0040u

#define REGRET_MS 5000     /* from the button to the removal [6.7.1.5] */
#define COMMAND_MS 1000    /* that a command may take [6.7.3.2] */
#define POWER_MS 1000      /* that the link may take after the power is on */
#define EVENT_TIME 0x8000u /* of ours: REGRET_MS are over */

VOID PciReadSlotCapability(PCI_FUNCTION *Function)
{
    UCHAR At = PciFindCapability(Function, PCI_CAPABILITY_ID_PCI_EXPRESS);
    Function->ExpressCapability = At;
    Function->HotPlug = At != 0 && Function->Header == PCI_BRIDGE_TYPE &&
                        (PciRead16(Function, At + EXPRESS_FLAGS) & FLAG_SLOT) != 0 &&
                        (PciRead32(Function, At + SLOT_CAPABILITIES) & CAPABLE_OF_HOT_PLUG) != 0;
}

static VOID Sleep(ULONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -10000LL * Milliseconds};
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

/* --- registers --- */

static USHORT Status(const PCI_BUS *Bus)
{
    return PciRead16(Bus->Bridge, Bus->Bridge->ExpressCapability + SLOT_STATUS);
}

/* A command is done when the slot says so; the next one waits for that. PASSIVE_LEVEL. */
static VOID Command(const PCI_BUS *Bus, USHORT Bits, USHORT Value)
{
    ULONG At = Bus->Bridge->ExpressCapability;
    USHORT Old = PciRead16(Bus->Bridge, At + SLOT_CONTROL), New = (Old & (USHORT)~Bits) | Value;
    if (Old == New)
        return;
    PciWrite16(Bus->Bridge, At + SLOT_STATUS, COMMAND_COMPLETED);
    PciWrite16(Bus->Bridge, At + SLOT_CONTROL, New);
    for (ULONG i = 0; i < COMMAND_MS / 10 && !(Status(Bus) & COMMAND_COMPLETED); i++)
        Sleep(10);
}

static BOOLEAN IsOn(const PCI_BUS *Bus)
{
    return (PciRead16(Bus->Bridge, Bus->Bridge->ExpressCapability + SLOT_CONTROL) & POWER_OFF) == 0;
}

/* [6.6.1, 6.7.3.3] the link is up when the port says so, if it can; then the device has 100 ms. */
static VOID AwaitLink(const PCI_BUS *Bus)
{
    ULONG At = Bus->Bridge->ExpressCapability;
    BOOLEAN Tells = (PciRead32(Bus->Bridge, At + LINK_CAPABILITIES) & LINK_TELLS) != 0;
    for (ULONG i = 0; Tells && i < POWER_MS / 10; i++) {
        if (PciRead16(Bus->Bridge, At + LINK_STATUS) & LINK_ACTIVE)
            break;
        Sleep(10);
    }
    Sleep(100);
}

static VOID SwitchOn(const PCI_BUS *Bus)
{
    if (!IsOn(Bus)) {
        Command(Bus, POWER_OFF, 0);
        AwaitLink(Bus);
    }
    Command(Bus, INDICATOR_BITS, INDICATOR_ON);
}

static VOID SwitchOff(const PCI_BUS *Bus)
{
    Command(Bus, INDICATOR_BITS, INDICATOR_OFF);
    Command(Bus, POWER_OFF, POWER_OFF);
}

/* --- the interrupt, its DPC, the time --- */

static VOID Release(PCI_SLOT *Slot)
{
    if (InterlockedDecrement(&Slot->Users) == 0)
        KeSetEvent(&Slot->Unused, IO_NO_INCREMENT, FALSE);
}

static VOID Later(PCI_SLOT *Slot, LONG Events)
{
    InterlockedOr(&Slot->Events, Events);
    if (InterlockedExchange(&Slot->Queued, 1) != 0)
        return;
    InterlockedIncrement(&Slot->Users); /* the work item gives it back */
    IoQueueWorkItem(Slot->Work, Slot->Routine, DelayedWorkQueue, Slot->Bus);
}

static VOID NTAPI Deferred(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Later(Context, 0);
}

static VOID NTAPI TimeIsOver(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Later(Context, EVENT_TIME);
}

/* A port that is gone itself has all of them, for ever. */
static USHORT TakeEvents(const PCI_BUS *Bus)
{
    USHORT Now = Status(Bus), Events = Now & EVENTS;
    if (Now == 0xffff || Events == 0)
        return 0;
    PciWrite16(Bus->Bridge, Bus->Bridge->ExpressCapability + SLOT_STATUS, Events);
    return Events;
}

/* What comes while the routine runs raises no new message: it looks until there is nothing. */
static BOOLEAN NTAPI Serve(PKINTERRUPT Interrupt, PVOID Context)
{
    PCI_SLOT *Slot = Context;
    USHORT Events, All = 0;
    UNREFERENCED_PARAMETER(Interrupt);
    while ((Events = TakeEvents(Slot->Bus)) != 0)
        All |= Events;
    if (All == 0)
        return FALSE;
    InterlockedOr(&Slot->Events, All);
    KeInsertQueueDpc(&Slot->Dpc, NULL, NULL);
    return TRUE;
}

static BOOLEAN NTAPI ServeMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Id)
{
    UNREFERENCED_PARAMETER(Id);
    return Serve(Interrupt, Context);
}

/* --- what the slot wants: (s) --- */

static VOID EjectAll(PCI_BUS *Bus)
{
    ExAcquireFastMutex(&Bus->Lock);
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink)
        IoRequestDeviceEject(CONTAINING_RECORD(E, PCI_FUNCTION, Entry)->Device);
    ExReleaseFastMutex(&Bus->Lock);
}

static VOID Stay(PCI_BUS *Bus)
{
    if (Bus->Slot.Leaving)
        Command(Bus, INDICATOR_BITS, INDICATOR_ON);
    Bus->Slot.Leaving = FALSE;
}

/* The second time within REGRET_MS takes the first back. */
static VOID ButtonPressed(PCI_BUS *Bus)
{
    PCI_SLOT *Slot = &Bus->Slot;
    LARGE_INTEGER Time = {.QuadPart = -10000LL * REGRET_MS};
    if (!IsOn(Bus) || !(Status(Bus) & OCCUPIED))
        return; /* the device, when it is there, comes by its presence */
    if (!Slot->Leaving) {
        Slot->Leaving = TRUE;
        Command(Bus, INDICATOR_BITS, INDICATOR_BLINK);
        KeSetTimer(&Slot->Timer, Time, &Slot->TimeDpc);
    } else if (KeCancelTimer(&Slot->Timer)) {
        Stay(Bus);
    }
}

static VOID PresenceChanged(PCI_BUS *Bus)
{
    KeCancelTimer(&Bus->Slot.Timer);
    Bus->Slot.Leaving = FALSE;
    if (Status(Bus) & OCCUPIED)
        SwitchOn(Bus);
    else
        SwitchOff(Bus);
    IoInvalidateDeviceRelations(Bus->Pdo, BusRelations);
}

static VOID NTAPI Work(PDEVICE_OBJECT Device, PVOID Context)
{
    PCI_BUS *Bus = Context;
    PCI_SLOT *Slot = &Bus->Slot;
    UNREFERENCED_PARAMETER(Device);
    InterlockedExchange(&Slot->Queued, 0);
    ExAcquireFastMutex(&Slot->Lock);
    LONG Events = InterlockedExchange(&Slot->Events, 0);
    if (Events & EVENT_BUTTON)
        ButtonPressed(Bus);
    if (Events & EVENT_TIME)
        EjectAll(Bus);
    if (Events & EVENT_PRESENCE)
        PresenceChanged(Bus);
    ExReleaseFastMutex(&Slot->Lock);
    Release(Slot);
}

VOID PciSlotStays(PCI_BUS *Bus)
{
    if (Bus->Slot.Version == 0)
        return;
    ExAcquireFastMutex(&Bus->Slot.Lock);
    Stay(Bus);
    ExReleaseFastMutex(&Bus->Slot.Lock);
}

VOID PciSlotEmpty(PCI_BUS *Bus)
{
    if (Bus->Slot.Version == 0)
        return;
    ExAcquireFastMutex(&Bus->Slot.Lock);
    Bus->Slot.Leaving = FALSE;
    SwitchOff(Bus);
    ExReleaseFastMutex(&Bus->Slot.Lock);
}

/* --- start and end --- */

static NTSTATUS ConnectSlot(PCI_BUS *Bus)
{
    PCI_SLOT *Slot = &Bus->Slot;
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    P.MessageBased.PhysicalDeviceObject = Bus->Pdo;
    P.MessageBased.ConnectionContext.Generic = &Slot->Connection;
    P.MessageBased.MessageServiceRoutine = ServeMessage;
    P.MessageBased.FallBackServiceRoutine = Serve;
    P.MessageBased.ServiceContext = Slot;
    NTSTATUS Status = IoConnectInterruptEx(&P);
    Slot->Version = NT_SUCCESS(Status) ? P.Version : 0;
    return Status;
}

static VOID SetUp(PCI_BUS *Bus)
{
    PciWrite16(Bus->Bridge, Bus->Bridge->ExpressCapability + SLOT_STATUS, EVENTS); /* from before */
    if (Status(Bus) & OCCUPIED)
        SwitchOn(Bus);
    else
        SwitchOff(Bus);
    Command(Bus, 0, ENABLE_BUTTON | ENABLE_PRESENCE | ENABLE_INTERRUPT);
}

NTSTATUS PciStartSlot(PCI_BUS *Bus)
{
    PCI_SLOT *Slot = &Bus->Slot;
    Slot->Bus = Bus;
    Slot->Routine = Work;
    Slot->Work = IoAllocateWorkItem(Bus->Device);
    if (Slot->Work == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeDpc(&Slot->Dpc, Deferred, Slot);
    KeInitializeDpc(&Slot->TimeDpc, TimeIsOver, Slot);
    KeInitializeTimer(&Slot->Timer);
    KeInitializeEvent(&Slot->Unused, NotificationEvent, FALSE);
    ExInitializeFastMutex(&Slot->Lock);
    Slot->Users = 1;
    NTSTATUS Result = ConnectSlot(Bus);
    if (!NT_SUCCESS(Result)) {
        IoFreeWorkItem(Slot->Work);
        return Result;
    }
    SetUp(Bus);
    return STATUS_SUCCESS;
}

/* A port that kept its registers kept its events too. */
VOID PciWakeSlot(PCI_BUS *Bus)
{
    if (Bus->Slot.Version == 0 ||
        (PciRead16(Bus->Bridge, Bus->Bridge->ExpressCapability + SLOT_CONTROL) & ENABLE_INTERRUPT) != 0)
        return;
    ExAcquireFastMutex(&Bus->Slot.Lock);
    SetUp(Bus);
    ExReleaseFastMutex(&Bus->Slot.Lock);
    IoInvalidateDeviceRelations(Bus->Pdo, BusRelations); /* something else may be in it */
}

VOID PciStopSlot(PCI_BUS *Bus)
{
    PCI_SLOT *Slot = &Bus->Slot;
    IO_DISCONNECT_INTERRUPT_PARAMETERS P = {.Version = Slot->Version};
    if (Slot->Version == 0)
        return;
    Command(Bus, ENABLE_BUTTON | ENABLE_PRESENCE | ENABLE_INTERRUPT, 0);
    P.ConnectionContext.Generic = Slot->Connection;
    IoDisconnectInterruptEx(&P);
    KeCancelTimer(&Slot->Timer);
    KeFlushQueuedDpcs();
    Release(Slot);
    KeWaitForSingleObject(&Slot->Unused, Executive, KernelMode, FALSE, NULL);
    IoFreeWorkItem(Slot->Work);
    Slot->Version = 0;
}
