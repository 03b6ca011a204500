/* SPDX-License-Identifier: MIT
 * Message-signaled interrupts of a function: the MSI capability, which has one address and data whose low bits are the message, or the table of MSI-X, which lies
 * behind a base address register. [PCI 3.0 6.8.1, 6.8.2; WDK "Using Interrupt Resource Descriptors", "Dynamically Configuring MSI-X"] */
#include "pci.h"

#define CONTROL 2 /* of both capabilities */
#define ADDRESS 4

#define MSI_ENABLE 0x0001u
#define MSI_MOST(Control) ((Control) >> 1 & 7) /* powers of 2 */
#define MSI_GIVEN(Power) ((USHORT)((Power) << 4))
#define MSI_WIDE 0x0080u
#define MSI_MASKS 0x0100u
#define MSI_LARGEST 16u /* [WDK "Enabling Message-Signaled Interrupts in the Registry"] */

#define MSIX_LAST(Control) ((Control) & 0x07ff)
#define MSIX_MASK_ALL 0x4000u
#define MSIX_ENABLE 0x8000u
#define MSIX_TABLE 4
#define MSIX_BAR_BITS 7u

#define ENTRY_WORDS 4u /* address, upper address, data, control */
#define ENTRY_DATA 2
#define ENTRY_CONTROL 3
#define ENTRY_MASKED 1u

ULONG PciMostMessages(const PCI_FUNCTION *Function)
{
    if (Function->MessageXCapability != 0)
        return MSIX_LAST(PciRead16(Function, Function->MessageXCapability + CONTROL)) + 1u;
    if (Function->MessageCapability == 0)
        return 0;
    return min(1u << MSI_MOST(PciRead16(Function, Function->MessageCapability + CONTROL)), MSI_LARGEST);
}

/* --- MSI --- */

/* The largest power of 2 that is not more; Count is not 0. */
static ULONG PowerOf(ULONG Count)
{
    ULONG Power = 0;
    while (Count >> (Power + 1) != 0)
        Power++;
    return Power;
}

/* Where the data lie; behind them, after a word, the masks. */
static ULONG DataOffset(const PCI_FUNCTION *Function, USHORT Control)
{
    return Function->MessageCapability + (Control & MSI_WIDE ? ADDRESS + 8u : ADDRESS + 4u);
}

static VOID WriteMsi(const PCI_FUNCTION *Function)
{
    ULONG At = Function->MessageCapability;
    USHORT Control = PciRead16(Function, At + CONTROL) & (USHORT) ~(MSI_ENABLE | MSI_GIVEN(7));
    ULONG Data = DataOffset(Function, Control);
    PciWrite16(Function, At + CONTROL, Control);
    PciWrite32(Function, At + ADDRESS, (ULONG)Function->Messages[0].Address);
    if (Control & MSI_WIDE)
        PciWrite32(Function, At + ADDRESS + 4, (ULONG)(Function->Messages[0].Address >> 32));
    PciWrite16(Function, Data, (USHORT)Function->Messages[0].Data);
    if (Control & MSI_MASKS)
        PciWrite32(Function, Data + 4, 0);
    PciWrite16(Function, At + CONTROL, Control | MSI_ENABLE | MSI_GIVEN(PowerOf(Function->MessageCount)));
}

/* --- MSI-X --- */

static volatile ULONG *EntryOf(const PCI_FUNCTION *Function, ULONG Entry)
{
    return Function->Table + Entry * ENTRY_WORDS;
}

/* [PCI 3.0 6.8.2.9] an entry is masked while it is changed. It keeps its mask. */
static VOID WriteEntry(const PCI_FUNCTION *Function, ULONG Entry, const PCI_MESSAGE *Message)
{
    volatile ULONG *At = EntryOf(Function, Entry);
    ULONG Control = At[ENTRY_CONTROL];
    At[ENTRY_CONTROL] = Control | ENTRY_MASKED;
    At[0] = (ULONG)Message->Address;
    At[1] = (ULONG)(Message->Address >> 32);
    At[ENTRY_DATA] = Message->Data;
    At[ENTRY_CONTROL] = Control;
}

static VOID SetMask(const PCI_FUNCTION *Function, ULONG Entry, BOOLEAN Masked)
{
    volatile ULONG *Control = &EntryOf(Function, Entry)[ENTRY_CONTROL];
    *Control = Masked ? *Control | ENTRY_MASKED : *Control & ~ENTRY_MASKED;
    (void)*Control; /* the device has it */
}

static BOOLEAN MapTable(PCI_FUNCTION *Function)
{
    ULONG Where = PciRead32(Function, Function->MessageXCapability + MSIX_TABLE);
    ULONG Bar = Where & MSIX_BAR_BITS, Offset = Where & ~MSIX_BAR_BITS;
    ULONG Length = PciMostMessages(Function) * ENTRY_WORDS * (ULONG)sizeof(ULONG);
    if (Function->Table != NULL)
        return TRUE;
    if (Bar >= PCI_TYPE0_ADDRESSES || Function->Bars[Bar].Type != CmResourceTypeMemory ||
        Offset >= Function->Bars[Bar].Length || Length > Function->Bars[Bar].Length - Offset)
        return FALSE;
    PHYSICAL_ADDRESS Address = {.QuadPart = (LONGLONG)(Function->Bars[Bar].Base + Offset)};
    Function->Table = MmMapIoSpace(Address, Length, MmNonCached);
    Function->TableEntries = Length / (ENTRY_WORDS * (ULONG)sizeof(ULONG));
    return Function->Table != NULL;
}

/* [WDK "Dynamically Configuring MSI-X"] entry 0 is message 0, and so on; entries that are left are message 0. */
static VOID WriteTable(const PCI_FUNCTION *Function)
{
    ULONG Control = Function->MessageXCapability + CONTROL;
    PciWrite16(Function, Control, MSIX_ENABLE | MSIX_MASK_ALL);
    for (ULONG i = 0; i < Function->TableEntries; i++) {
        WriteEntry(Function, i, &Function->Messages[i < Function->MessageCount ? i : 0]);
        SetMask(Function, i, FALSE);
    }
    PciWrite16(Function, Control, MSIX_ENABLE);
}

/* --- what it was given --- */

static BOOLEAN IsMessage(const CM_PARTIAL_RESOURCE_DESCRIPTOR *D)
{
    return D->Type == CmResourceTypeInterrupt && (D->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) != 0;
}

static ULONG CountMessages(const CM_PARTIAL_RESOURCE_LIST *Raw)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < Raw->Count; i++)
        if (IsMessage(&Raw->PartialDescriptors[i]))
            Count += Raw->PartialDescriptors[i].u.MessageInterrupt.Raw.MessageCount;
    return Count;
}

/* The messages of a descriptor follow each other. */
static VOID Describe(PCI_FUNCTION *Function, const CM_PARTIAL_RESOURCE_LIST *Raw)
{
    const NTBOX_MESSAGE_INTERFACE *Root = &Function->Bus->Root->Interface;
    ULONG Id = 0;
    for (ULONG i = 0; i < Raw->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *D = &Raw->PartialDescriptors[i];
        ULONG Count = IsMessage(D) ? D->u.MessageInterrupt.Raw.MessageCount : 0;
        for (ULONG k = 0; k < Count; k++, Id++)
            Root->DescribeMessage(Root->Context, D->u.MessageInterrupt.Raw.Vector + k,
                                  D->u.MessageInterrupt.Raw.Affinity, &Function->Messages[Id].Address,
                                  &Function->Messages[Id].Data);
    }
}

VOID PciWriteMessages(const PCI_FUNCTION *Function)
{
    if (Function->Messages == NULL)
        return;
    if (Function->MessageXCapability != 0)
        WriteTable(Function);
    else
        WriteMsi(Function);
}

NTSTATUS PciTakeMessages(PCI_FUNCTION *Function, const CM_PARTIAL_RESOURCE_LIST *Raw)
{
    ULONG Count = CountMessages(Raw);
    PciDropMessages(Function);
    if (Count == 0)
        return STATUS_SUCCESS;
    if (Count > PciMostMessages(Function) || Function->Bus->Root->Interface.DescribeMessage == NULL)
        return STATUS_INVALID_PARAMETER;
    Function->Messages = ExAllocatePool2(POOL_FLAG_NON_PAGED, Count * sizeof(PCI_MESSAGE), PCI_TAG);
    if (Function->Messages == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Function->MessageCount = Count;
    Describe(Function, Raw);
    if (Function->MessageXCapability != 0 && !MapTable(Function)) {
        PciDropMessages(Function);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PciWriteMessages(Function);
    return STATUS_SUCCESS;
}

VOID PciStopMessages(const PCI_FUNCTION *Function)
{
    if (Function->MessageXCapability != 0)
        PciWrite16(Function, Function->MessageXCapability + CONTROL, MSIX_MASK_ALL);
    if (Function->MessageCapability != 0)
        PciWrite16(Function, Function->MessageCapability + CONTROL,
                   PciRead16(Function, Function->MessageCapability + CONTROL) & (USHORT)~MSI_ENABLE);
}

VOID PciDropMessages(PCI_FUNCTION *Function)
{
    if (Function->Table != NULL)
        MmUnmapIoSpace((PVOID)Function->Table, Function->TableEntries * ENTRY_WORDS * sizeof(ULONG));
    if (Function->Messages != NULL)
        ExFreePoolWithTag(Function->Messages, PCI_TAG);
    Function->Table = NULL;
    Function->Messages = NULL;
    Function->TableEntries = Function->MessageCount = 0;
}

/* --- for its function driver, while it is started: IRQL <= DIRQL [WDK PCI_MSIX_SET_ENTRY, PCI_MSIX_MASKUNMASK_ENTRY] --- */

NTSTATUS NTAPI PciSetTableEntry(PVOID Context, ULONG TableEntry, ULONG MessageNumber)
{
    const PCI_FUNCTION *Function = Context;
    if (TableEntry >= Function->TableEntries || MessageNumber >= Function->MessageCount)
        return STATUS_INVALID_PARAMETER;
    WriteEntry(Function, TableEntry, &Function->Messages[MessageNumber]);
    return STATUS_SUCCESS;
}

static NTSTATUS MaskOrUnmask(const PCI_FUNCTION *Function, ULONG TableEntry, BOOLEAN Masked)
{
    if (TableEntry >= Function->TableEntries)
        return STATUS_INVALID_PARAMETER;
    SetMask(Function, TableEntry, Masked);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PciMaskTableEntry(PVOID Context, ULONG TableEntry)
{
    return MaskOrUnmask(Context, TableEntry, TRUE);
}

NTSTATUS NTAPI PciUnmaskTableEntry(PVOID Context, ULONG TableEntry)
{
    return MaskOrUnmask(Context, TableEntry, FALSE);
}
