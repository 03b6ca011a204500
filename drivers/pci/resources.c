/* SPDX-License-Identifier: MIT
 * What a function needs, what the firmware gave it, and putting into its registers what the PnP manager chose.
 * [WDK IRP_MN_QUERY_RESOURCES, IRP_MN_QUERY_RESOURCE_REQUIREMENTS, "Using Interrupt Resource Descriptors"] */
#include "pci.h"

/* A length of 4 GB and more fits in no descriptor of these kinds: such a register is left alone. */
static BOOLEAN IsUsable(const PCI_BAR *Bar)
{
    return Bar->Type != CmResourceTypeNull && Bar->Length != 0 && Bar->Length <= MAXULONG;
}

/* One of 4 GB and more keeps its place, above all that we give. */
static BOOLEAN IsUsableWindow(const PCI_WINDOW *Window)
{
    return Window->Type != CmResourceTypeNull && Window->Last - Window->First < MAXULONG;
}

static ULONG WindowLength(const PCI_WINDOW *Window)
{
    return (ULONG)(Window->Last - Window->First + 1);
}

static USHORT WindowFlags(const PCI_WINDOW *Window)
{
    if (Window->Type == CmResourceTypePort)
        return CM_RESOURCE_PORT_IO | CM_RESOURCE_PORT_16_BIT_DECODE | CM_RESOURCE_PORT_WINDOW_DECODE;
    return CM_RESOURCE_MEMORY_WINDOW_DECODE | (Window->Prefetchable ? CM_RESOURCE_MEMORY_PREFETCHABLE : 0);
}

static BOOLEAN IsWindow(const CM_PARTIAL_RESOURCE_DESCRIPTOR *D)
{
    USHORT Flag =
        D->Type == CmResourceTypePort ? CM_RESOURCE_PORT_WINDOW_DECODE : CM_RESOURCE_MEMORY_WINDOW_DECODE;
    return (D->Flags & Flag) != 0;
}

/* --- what the firmware gave --- */

/* Registers and windows. */
static ULONG CountPlaces(const PCI_FUNCTION *Function)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < PCI_TYPE0_ADDRESSES; i++)
        Count += IsUsable(&Function->Bars[i]);
    for (ULONG i = 0; i < PCI_WINDOWS; i++)
        Count += IsUsableWindow(&Function->Windows[i]);
    return Count;
}

static BOOLEAN IsDecoded(const PCI_BAR *Bar, USHORT Command)
{
    USHORT Bit = Bar->Type == CmResourceTypePort ? PCI_ENABLE_IO_SPACE : PCI_ENABLE_MEMORY_SPACE;
    return IsUsable(Bar) && Bar->Base != 0 && (Command & Bit) != 0;
}

static VOID Tell(PCM_PARTIAL_RESOURCE_LIST List, UCHAR Type, USHORT Flags, ULONG64 First, ULONG Length)
{
    CM_PARTIAL_RESOURCE_DESCRIPTOR *D = &List->PartialDescriptors[List->Count++];
    D->Type = Type;
    D->Flags = Flags;
    D->ShareDisposition = CmResourceShareDeviceExclusive;
    D->u.Generic.Start.QuadPart = (LONGLONG)First;
    D->u.Generic.Length = Length;
}

NTSTATUS PciQueryResources(const PCI_FUNCTION *Function, PCM_RESOURCE_LIST *List)
{
    USHORT Command = PciRead16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command));
    ULONG Count = CountPlaces(Function);
    if (Count == 0)
        return STATUS_NOT_SUPPORTED;
    *List = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(**List) + Count * sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR),
                            PCI_TAG);
    if (*List == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*List)->Count = 1;
    (*List)->List[0].InterfaceType = PCIBus;
    (*List)->List[0].BusNumber = Function->Bus->Number;
    PCM_PARTIAL_RESOURCE_LIST Partial = &(*List)->List[0].PartialResourceList;
    Partial->Version = Partial->Revision = 1;
    for (ULONG i = 0; i < PCI_TYPE0_ADDRESSES; i++) {
        const PCI_BAR *Bar = &Function->Bars[i];
        if (IsDecoded(Bar, Command))
            Tell(Partial, Bar->Type, 0, Bar->Base, (ULONG)Bar->Length);
    }
    for (ULONG i = 0; i < PCI_WINDOWS; i++) {
        const PCI_WINDOW *Window = &Function->Windows[i];
        if (IsUsableWindow(Window))
            Tell(Partial, Window->Type, WindowFlags(Window), Window->First, WindowLength(Window));
    }
    return STATUS_SUCCESS;
}

/* --- what it needs --- */

typedef struct REQUIREMENTS {
    PIO_RESOURCE_REQUIREMENTS_LIST Whole; /* NULL: only the bytes are counted */
    ULONG Length;
    PIO_RESOURCE_LIST List; /* the last one */
} REQUIREMENTS;

static VOID BeginList(REQUIREMENTS *R)
{
    if (R->Whole != NULL) {
        R->List = (PIO_RESOURCE_LIST)((PUCHAR)R->Whole + R->Length);
        R->List->Version = R->List->Revision = 1;
        R->Whole->AlternativeLists++;
    }
    R->Length += FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors);
}

static VOID AddDescriptor(REQUIREMENTS *R, const IO_RESOURCE_DESCRIPTOR *D)
{
    if (R->Whole != NULL)
        R->List->Descriptors[R->List->Count++] = *D;
    R->Length += sizeof(*D);
}

/* Where it is, if it is somewhere, else anywhere. */
static VOID AddBar(REQUIREMENTS *R, const PCI_FUNCTION *Function, const PCI_BAR *Bar)
{
    BOOLEAN Port = Bar->Type == CmResourceTypePort, Placed = Bar->Base != 0;
    IO_RESOURCE_DESCRIPTOR D = {.Option = Placed ? IO_RESOURCE_PREFERRED : 0,
                                .Type = Bar->Type,
                                .ShareDisposition = CmResourceShareDeviceExclusive};
    D.Flags = Port                ? CM_RESOURCE_PORT_IO | CM_RESOURCE_PORT_16_BIT_DECODE
              : Bar->Prefetchable ? CM_RESOURCE_MEMORY_PREFETCHABLE
                                  : CM_RESOURCE_MEMORY_READ_WRITE;
    D.u.Generic.Length = D.u.Generic.Alignment = (ULONG)Bar->Length;
    if (Placed) {
        D.u.Generic.MinimumAddress.QuadPart = (LONGLONG)Bar->Base;
        D.u.Generic.MaximumAddress.QuadPart = (LONGLONG)(Bar->Base + Bar->Length - 1);
        AddDescriptor(R, &D);
        D.Option = IO_RESOURCE_ALTERNATIVE;
    }
    PCI_WINDOW Window = PciWindowOf(Function, Bar);
    if (Placed && Window.Type == CmResourceTypeNull)
        return;
    D.u.Generic.MinimumAddress.QuadPart = (LONGLONG)Window.First;
    D.u.Generic.MaximumAddress.QuadPart = (LONGLONG)Window.Last;
    AddDescriptor(R, &D);
}

/* A bridge needs what it passes on; it stays where it is. */
static VOID AddWindow(REQUIREMENTS *R, const PCI_WINDOW *Window)
{
    IO_RESOURCE_DESCRIPTOR D = {.Type = Window->Type, .ShareDisposition = CmResourceShareDeviceExclusive};
    D.Flags = WindowFlags(Window);
    D.u.Generic.Length = WindowLength(Window);
    D.u.Generic.Alignment = 1;
    D.u.Generic.MinimumAddress.QuadPart = (LONGLONG)Window->First;
    D.u.Generic.MaximumAddress.QuadPart = (LONGLONG)Window->Last;
    AddDescriptor(R, &D);
}

/* Windows first: no register of the bridge itself is to lie in one. */
static VOID AddPlaces(REQUIREMENTS *R, const PCI_FUNCTION *Function, BOOLEAN PortWindow)
{
    BeginList(R);
    for (ULONG i = 0; i < PCI_WINDOWS; i++)
        if (IsUsableWindow(&Function->Windows[i]) &&
            (PortWindow || Function->Windows[i].Type != CmResourceTypePort))
            AddWindow(R, &Function->Windows[i]);
    for (ULONG i = 0; i < PCI_TYPE0_ADDRESSES; i++)
        if (IsUsable(&Function->Bars[i]))
            AddBar(R, Function, &Function->Bars[i]);
}

/* [WDK IO_RESOURCE_DESCRIPTOR] */
static VOID AddInterrupt(REQUIREMENTS *R, const PCI_POLICY *Policy, IO_RESOURCE_DESCRIPTOR D, ULONG First,
                         ULONG Last)
{
    NTBOX_INTERRUPT_REQUIREMENT *Interrupt = NTBOX_INTERRUPT_OF(&D);
    D.Type = CmResourceTypeInterrupt;
    Interrupt->MinimumVector = First;
    Interrupt->MaximumVector = Last;
    if (Policy->HasAffinity) {
        D.Flags |= CM_RESOURCE_INTERRUPT_POLICY_INCLUDED;
        Interrupt->AffinityPolicy = Policy->Affinity;
        Interrupt->PriorityPolicy = Policy->Priority;
        Interrupt->TargetedProcessors = Policy->Processors;
    }
    AddDescriptor(R, &D);
}

static VOID AddLine(REQUIREMENTS *R, const PCI_POLICY *Policy, ULONG Line)
{
    IO_RESOURCE_DESCRIPTOR D = {.ShareDisposition = CmResourceShareShared,
                                .Flags = CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE};
    AddInterrupt(R, Policy, D, Line, Line);
}

/* [WDK "Using Interrupt Resource Descriptors"] for MSI one descriptor with their number, for MSI-X one for each. */
static VOID AddMessages(REQUIREMENTS *R, const PCI_FUNCTION *Function, const PCI_POLICY *Policy, ULONG Count)
{
    IO_RESOURCE_DESCRIPTOR D = {.ShareDisposition = CmResourceShareDeviceExclusive,
                                .Flags = CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE};
    ULONG Token = CM_RESOURCE_INTERRUPT_MESSAGE_TOKEN;
    if (Function->MessageXCapability == 0) {
        AddInterrupt(R, Policy, D, Token - Count + 1, Token);
        return;
    }
    for (ULONG i = 0; i < Count; i++)
        AddInterrupt(R, Policy, D, Token, Token);
}

/* How many it wants: as many as it can have, if the registry does not say less. */
static ULONG WantedMessages(const PCI_FUNCTION *Function, const PCI_POLICY *Policy)
{
    ULONG Most = Policy->Messages && Policy->Limit != 0 ? PciMostMessages(Function) : 0, Wanted = 1;
    if (Most == 0 || Function->MessageXCapability != 0)
        return min(Most, Policy->Limit);
    while (Wanted * 2 <= min(Most, Policy->Limit))
        Wanted *= 2; /* MSI knows powers of 2 only */
    return Wanted;
}

static VOID AddLists(REQUIREMENTS *R, const PCI_FUNCTION *Function, const PCI_POLICY *Policy,
                     BOOLEAN PortWindow)
{
    ULONG Messages = WantedMessages(Function, Policy);
    for (ULONG Count = Messages; Count != 0; Count = Count == 1 ? 0 : 1) {
        AddPlaces(R, Function, PortWindow);
        AddMessages(R, Function, Policy, Count);
    }
    if (Function->Pin == 0 && Messages != 0)
        return;
    AddPlaces(R, Function, PortWindow);
    if (Function->Pin != 0)
        AddLine(R, Policy, Function->Line);
}

/* In the order in which they are tried: all messages, one, the line. A bridge does without a window for ports, if need be: firmware makes them as small as
 * 512 bytes (OVMF), for a kind of bridge that knows that, and places others within the 4 KB that ours decodes. */
static VOID AddAll(REQUIREMENTS *R, const PCI_FUNCTION *Function, const PCI_POLICY *Policy)
{
    R->Length = FIELD_OFFSET(IO_RESOURCE_REQUIREMENTS_LIST, List);
    AddLists(R, Function, Policy, TRUE);
    if (IsUsableWindow(&Function->Windows[0]))
        AddLists(R, Function, Policy, FALSE);
}

NTSTATUS PciQueryRequirements(const PCI_FUNCTION *Function, PIO_RESOURCE_REQUIREMENTS_LIST *List)
{
    REQUIREMENTS R = {0};
    PCI_POLICY Policy;
    PciReadPolicy(Function, &Policy);
    if (Function->HotPlug) { /* ours, without an INF file */
        Policy.Messages = TRUE;
        Policy.Limit = 1;
    }
    if (Function->Header > PCI_BRIDGE_TYPE ||
        (CountPlaces(Function) == 0 && Function->Pin == 0 && WantedMessages(Function, &Policy) == 0))
        return STATUS_NOT_SUPPORTED;
    AddAll(&R, Function, &Policy);
    R.Whole = *List =
        ExAllocatePool2(POOL_FLAG_PAGED, max(R.Length, sizeof(IO_RESOURCE_REQUIREMENTS_LIST)), PCI_TAG);
    if (*List == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    R.Whole->ListSize = R.Length;
    R.Whole->InterfaceType = PCIBus;
    R.Whole->BusNumber = Function->Bus->Number;
    R.Whole->SlotNumber = Function->Slot;
    AddAll(&R, Function, &Policy);
    return STATUS_SUCCESS;
}

/* --- what it was given --- */

/* The next base address register that is one; PCI_TYPE0_ADDRESSES: no more. */
static ULONG NextBar(const PCI_FUNCTION *Function, ULONG Index)
{
    while (Index < PCI_TYPE0_ADDRESSES && !IsUsable(&Function->Bars[Index]))
        Index++;
    return Index;
}

static BOOLEAN HasPortWindow(const CM_PARTIAL_RESOURCE_LIST *Raw)
{
    for (ULONG i = 0; i < Raw->Count; i++)
        if (Raw->PartialDescriptors[i].Type == CmResourceTypePort && IsWindow(&Raw->PartialDescriptors[i]))
            return TRUE;
    return FALSE;
}

#define DECODES (PCI_ENABLE_IO_SPACE | PCI_ENABLE_MEMORY_SPACE)

/* The order of the descriptors is that of the requirements. *Command gets what is to be decoded. */
static NTSTATUS WriteBars(PCI_FUNCTION *Function, const CM_PARTIAL_RESOURCE_LIST *Raw, PUSHORT Command)
{
    ULONG Bar = NextBar(Function, 0);
    for (ULONG i = 0; i < Raw->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *D = &Raw->PartialDescriptors[i];
        if (D->Type != CmResourceTypePort && D->Type != CmResourceTypeMemory)
            continue;
        *Command |= D->Type == CmResourceTypePort ? PCI_ENABLE_IO_SPACE : PCI_ENABLE_MEMORY_SPACE;
        if (IsWindow(D))
            continue;
        if (Bar == PCI_TYPE0_ADDRESSES || Function->Bars[Bar].Type != D->Type)
            return STATUS_INVALID_PARAMETER;
        PciWriteBar(Function, Bar, (ULONG64)D->u.Generic.Start.QuadPart);
        Function->Bars[Bar].Base = (ULONG64)D->u.Generic.Start.QuadPart;
        Bar = NextBar(Function, Bar + 1);
    }
    return STATUS_SUCCESS;
}

/* [PCI 3.0 6.8.3.3] a function with messages leaves its pin alone anyway; the bit says so to everybody. */
static NTSTATUS ConfigureFrom(PCI_FUNCTION *Function, const CM_PARTIAL_RESOURCE_LIST *Raw)
{
    (void)PciSetPower(Function, PowerDeviceD0); /* each function has it */
    USHORT Command = PciRead16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command)) &
                     (USHORT) ~(DECODES | PCI_DISABLE_LEVEL_INTERRUPT);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command), Command);
    NTSTATUS Status = WriteBars(Function, Raw, &Command);
    if (!NT_SUCCESS(Status))
        return Status;
    if (IsUsableWindow(&Function->Windows[0]) && !HasPortWindow(Raw))
        PciClosePortWindow(Function);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command), Command);
    Status = PciTakeMessages(Function, Raw);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Function->MessageCount != 0)
        Command |= PCI_DISABLE_LEVEL_INTERRUPT;
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command), Command | PCI_ENABLE_BUS_MASTER);
    return STATUS_SUCCESS;
}

NTSTATUS PciConfigure(PCI_FUNCTION *Function, const CM_RESOURCE_LIST *Raw)
{
    static const CM_PARTIAL_RESOURCE_LIST Nothing;
    return ConfigureFrom(Function,
                         Raw != NULL && Raw->Count != 0 ? &Raw->List[0].PartialResourceList : &Nothing);
}

/* Nothing is decoded, nothing written to memory, no interrupt raised. */
VOID PciDisable(PCI_FUNCTION *Function)
{
    USHORT Command = PciRead16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command));
    PciStopMessages(Function);
    PciDropMessages(Function);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command),
               Command & (USHORT) ~(DECODES | PCI_ENABLE_BUS_MASTER));
}
