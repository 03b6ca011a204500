/* SPDX-License-Identifier: MIT
 * pci.sys: the PCI bus driver. It drives the root of the bus (ACPI\PNP0A03, PNP0A08) and bridges (PCI\CC_0604), and reports the functions that it finds on
 * their buses. Exported border only: configuration space is reached by HalGetBusDataByOffset.
 *
 * A bus's list of functions is changed by PnP requests, which come one at a time, and guarded (b) against readers by its mutex. */
#pragma once
#include <ntddk.h>
#include "ntbox/interrupt_resource.h"
#include "ntbox/message_interface.h"

#define PCI_TAG 'icPN'

/* A base address register as it was found. */
typedef struct PCI_BAR {
    UCHAR Type;      /* CmResourceTypePort, CmResourceTypeMemory, CmResourceTypeNull: not there */
    UCHAR Registers; /* 1, or 2 for 64 bits */
    BOOLEAN Prefetchable;
    ULONG64 Base, Length;
} PCI_BAR;

/* Addresses that a bridge passes on. */
typedef struct PCI_WINDOW {
    UCHAR Type; /* as of a base address register */
    BOOLEAN Prefetchable;
    ULONG64 First, Last;
} PCI_WINDOW;
#define PCI_WINDOWS 3 /* ports, memory, prefetchable memory */

/* What a function writes to raise a message. */
typedef struct PCI_MESSAGE {
    ULONG64 Address;
    ULONG Data;
} PCI_MESSAGE;

/* What the registry says of its interrupts. */
typedef struct PCI_POLICY {
    BOOLEAN Messages;    /* it may have them */
    ULONG Limit;         /* of their number */
    BOOLEAN HasAffinity; /* the rest counts */
    USHORT Affinity;     /* IRQ_DEVICE_POLICY */
    ULONG Priority;      /* IRQ_PRIORITY */
    KAFFINITY Processors;
} PCI_POLICY;

typedef struct PCI_BUS PCI_BUS;

/* Extension of a PDO. */
typedef struct PCI_FUNCTION {
    BOOLEAN IsBus; /* FALSE; the first field of both extensions */
    PCI_BUS *Bus;
    PDEVICE_OBJECT Device;
    LIST_ENTRY Entry; /* (b) in Bus->Functions */
    ULONG Slot;       /* PCI_SLOT_NUMBER */
    BOOLEAN Present;  /* at the last enumeration */
    USHORT Vendor, Product, SubVendor, SubSystem, Command;
    UCHAR Revision, Class[3], Header, Pin, MessageCapability, MessageXCapability;
    PCI_BAR Bars[PCI_TYPE0_ADDRESSES];
    ULONG Line;                      /* the interrupt line that its pin leads to */
    PCI_WINDOW Windows[PCI_WINDOWS]; /* of a bridge */
    UCHAR ExpressCapability;         /* 0: it is no function of PCI Express */
    BOOLEAN HotPlug;                 /* a port whose slot devices come to and go from */
    BOOLEAN Ejected;                 /* its drivers are gone, so that it may go */
    BOOLEAN Gone;                    /* somebody took it away: its registers are not touched any more */
    KEVENT Removed;                  /* its drivers know that it is gone */
    PCI_BUS *Behind;                 /* of a bridge: the bus, while it has a driver */
    UCHAR PowerCapability;           /* 0: its registers know no power states */
    BOOLEAN HasD1, HasD2;
    DEVICE_POWER_STATE Power;
    ULONG Saved[sizeof(PCI_COMMON_HEADER) / 4]; /* below D0: what it was */
    PCI_MESSAGE *Messages;                      /* that it was given; NULL: none */
    ULONG MessageCount, TableEntries;           /* 0: none */
    volatile ULONG *Table;                      /* of MSI-X, when it has messages */
} PCI_FUNCTION;

/* The slot of a port. Its registers and what it wants are changed by (s), under its mutex. */
typedef struct PCI_SLOT {
    PCI_BUS *Bus;
    ULONG Version;    /* of the connected interrupt, CONNECT_...; 0: the slot is not served */
    PVOID Connection; /* as the version says */
    FAST_MUTEX Lock;  /* s */
    BOOLEAN Leaving;  /* (s) the button was pressed: its functions are to go */
    LONG Events;      /* that were not looked at yet */
    LONG Queued;      /* the work item is */
    LONG Users;       /* work items and the slot itself */
    KEVENT Unused;    /* there are none any more */
    PIO_WORKITEM Work;
    PIO_WORKITEM_ROUTINE Routine;
    KDPC Dpc, TimeDpc;
    KTIMER Timer; /* from the button to the removal */
} PCI_SLOT;

/* Extension of \Device\NtboxPci. */
typedef struct PCI_CONTROL {
    BOOLEAN IsBus; /* FALSE, and nobody sends it PnP requests */
} PCI_CONTROL;

/* Extension of a function device. */
struct PCI_BUS {
    BOOLEAN IsBus; /* TRUE */
    PDEVICE_OBJECT Device, Pdo, Lower;
    FAST_MUTEX Lock;      /* b */
    LIST_ENTRY Functions; /* (b) */
    ULONG Number;
    PCI_FUNCTION *Bridge;              /* NULL: the root */
    ULONG64 GoneSlots[4];              /* by device and function: taken away, never found again */
    PCI_SLOT Slot;                     /* of the bridge, if it is for hot plug */
    PCI_BUS *Root;                     /* of the tree of buses, itself for the root */
    BOOLEAN InReset;                   /* the bridge holds the bus in reset while the system sleeps */
    NTBOX_MESSAGE_INTERFACE Interface; /* the root's; no DescribeMessage: there are no messages */
};

/* config.c */
VOID PciRead(const PCI_FUNCTION *Function, ULONG Offset, PVOID Buffer, ULONG Length);
VOID PciWrite(const PCI_FUNCTION *Function, ULONG Offset, const VOID *Buffer, ULONG Length);
ULONG PciRead32(const PCI_FUNCTION *Function, ULONG Offset);
USHORT PciRead16(const PCI_FUNCTION *Function, ULONG Offset);
UCHAR PciRead8(const PCI_FUNCTION *Function, ULONG Offset);
VOID PciWrite32(const PCI_FUNCTION *Function, ULONG Offset, ULONG Value);
VOID PciWrite16(const PCI_FUNCTION *Function, ULONG Offset, USHORT Value);
/* 0: it has no such capability. */
UCHAR PciFindCapability(const PCI_FUNCTION *Function, UCHAR Id);

/* scan.c: the functions on the bus; those that are gone are not Present. */
NTSTATUS PciScan(PCI_BUS *Bus);

/* bar.c: sizes of the base address registers; decoding is off meanwhile. */
VOID PciReadBars(PCI_FUNCTION *Function);
VOID PciWriteBar(const PCI_FUNCTION *Function, ULONG Index, ULONG64 Base);

/* route.c: the I/O APIC line of an interrupt pin (1 to 4). */
ULONG PciRoute(const PCI_FUNCTION *Function);

/* slot.c. PASSIVE_LEVEL. */
VOID PciReadSlotCapability(PCI_FUNCTION *Function);
NTSTATUS PciStartSlot(PCI_BUS *Bus);
VOID PciStopSlot(PCI_BUS *Bus);
VOID PciWakeSlot(PCI_BUS *Bus);  /* the port was without power */
VOID PciSlotStays(PCI_BUS *Bus); /* its functions do not go, though they were asked to */
VOID PciSlotEmpty(PCI_BUS *Bus); /* all have gone: off with it */

/* control.c */
NTSTATUS PciMakeControl(PCI_BUS *Root);
VOID PciDeleteControl(const PCI_BUS *Root);
DRIVER_DISPATCH PciOpenClose, PciControl;

/* bridge.c */
VOID PciReadWindows(PCI_FUNCTION *Bridge);
VOID PciClosePortWindow(PCI_FUNCTION *Bridge); /* nothing is passed on, from now on */
/* Where a base address register may be: the window of the bridge above, or what the board leaves to its root bus. CmResourceTypeNull: nowhere. */
PCI_WINDOW PciWindowOf(const PCI_FUNCTION *Function, const PCI_BAR *Bar);

/* power.c */
VOID PciReadPowerCapability(PCI_FUNCTION *Function);
/* IRQL <= DISPATCH_LEVEL. STATUS_INVALID_PARAMETER: it has no such state. */
NTSTATUS PciSetPower(PCI_FUNCTION *Function, DEVICE_POWER_STATE State);
NTSTATUS PciFunctionPower(PCI_FUNCTION *Function, PIRP Irp);
/* Into Function->Saved, and from there. IRQL <= DISPATCH_LEVEL. */
VOID PciSaveConfiguration(PCI_FUNCTION *Function);
VOID PciRestoreConfiguration(const PCI_FUNCTION *Function);

/* sleep.c. PASSIVE_LEVEL: the stack of a bridge is pageable. */
NTSTATUS PciBusPower(PCI_BUS *Bus, PIRP Irp);

/* policy.c. PASSIVE_LEVEL. */
VOID PciReadPolicy(const PCI_FUNCTION *Function, PCI_POLICY *Policy);

/* message.c */
ULONG PciMostMessages(const PCI_FUNCTION *Function); /* that it can have; 0: none */
/* The messages of the list, from now on; without any, none. Its memory is decoded. STATUS_INVALID_PARAMETER: it cannot have so many. */
NTSTATUS PciTakeMessages(PCI_FUNCTION *Function, const CM_PARTIAL_RESOURCE_LIST *Raw);
VOID PciWriteMessages(const PCI_FUNCTION *Function); /* that it has, into its registers again */
VOID PciStopMessages(const PCI_FUNCTION *Function);  /* in its registers */
VOID PciDropMessages(PCI_FUNCTION *Function);        /* in memory; the registers are not touched */
PCI_MSIX_SET_ENTRY PciSetTableEntry;
PCI_MSIX_MASKUNMASK_ENTRY PciMaskTableEntry, PciUnmaskTableEntry;

/* identify.c, resources.c, function.c, bus.c: answers to PnP requests */
NTSTATUS PciQueryId(const PCI_FUNCTION *Function, BUS_QUERY_ID_TYPE Type, PWSTR *Id);
NTSTATUS PciQueryText(const PCI_FUNCTION *Function, DEVICE_TEXT_TYPE Type, PWSTR *Text);
NTSTATUS PciQueryResources(const PCI_FUNCTION *Function, PCM_RESOURCE_LIST *List);
NTSTATUS PciQueryRequirements(const PCI_FUNCTION *Function, PIO_RESOURCE_REQUIREMENTS_LIST *List);
/* Base addresses, messages and what is decoded, as it was given. */
NTSTATUS PciConfigure(PCI_FUNCTION *Function, const CM_RESOURCE_LIST *Raw);
VOID PciDisable(PCI_FUNCTION *Function);

/* It decodes nothing and is not found any more. PASSIVE_LEVEL. */
VOID PciGoAway(PCI_FUNCTION *Function);
NTSTATUS PciFunctionPnp(PCI_FUNCTION *Function, PIRP Irp);
NTSTATUS PciBusPnp(PCI_BUS *Bus, PIRP Irp);
NTSTATUS PciQueryInterface(PCI_FUNCTION *Function, PIO_STACK_LOCATION Stack);

NTSTATUS PciComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
