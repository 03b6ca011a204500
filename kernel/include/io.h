/* SPDX-License-Identifier: MIT
 * Tier 2, io: the I/O manager for the other subsystems. The IoXxx and ZwXxxFile names are declared by the DDK
 * headers. */
#pragma once
#include "ps.h"
#include "ob.h"

/* --- start-up, by init
 * ------------------------------------------------------------------------------------------------ */

/* After ObInitSystem and the scheduler: the types Device, Driver, File; \Driver\Report and \Device\Report. */
VOID IoInitSystem(VOID);

/* PASSIVE_LEVEL, once, after IoInitSystem: mounts boot.cpio, which stays in memory, as \Device\BootArchive
 * and makes the link
 * \SystemRoot to its folder Windows. On failure the log has a sentence, and init stops with
 * INACCESSIBLE_BOOT_DEVICE. STATUS_DISK_CORRUPT_ERROR: the archive is damaged. */
NTSTATUS IopMountBootArchive(const void *Archive, ULONG64 Length);

/* PASSIVE_LEVEL, once, when the registry is there: the drivers of boot, system and auto start are loaded, in the order that Group, Tag and
 * the dependencies of their service keys ask for. Each one is in the report. A failure is told as its ErrorControl says; a critical one
 * is bug check CRITICAL_SERVICE_FAILED. StartDevices is called between the drivers of boot start and the others. */
typedef VOID IO_START_DEVICES(VOID);
VOID IoStartServices(IO_START_DEVICES *StartDevices);

/* PASSIVE_LEVEL, once each, at the end: drivers that registered for it are told; LastChance: those that wanted to be after the registry's
 * hives are written, by IoRegisterLastChanceShutdownNotification. */
VOID IoShutdownSystem(BOOLEAN LastChance);

/* At the end of a run: reports drivers whose unload was asked for and still waits, with the files and attached devices that it waits for, as
 * leaks. Gives them a second. PASSIVE_LEVEL. */
VOID IoReportWaitingUnloads(VOID);

/* --- drivers
 * ------------------------------------------------------------------------------------------------------------
 */

/* PASSIVE_LEVEL. A driver that is part of the kernel: makes the driver object Name ("\Driver\Report",
 * "\FileSystem\Ram") with all dispatch entries refusing, calls Init with an empty registry path. On failure
 * nothing is left. A file system creates its device with IoCreateDevice (FILE_DEVICE_DISK_FILE_SYSTEM) in
 * Init, clears DO_DEVICE_INITIALIZING itself, and gets every IRP_MJ_CREATE below the device's name with the
 * rest of the path in FileObject->FileName. */
NTSTATUS IoCreateDriver(PCWSTR Name, PDRIVER_INITIALIZE Init);

/* Loading and unloading by service name is ZwLoadDriver and ZwUnloadDriver (DDK headers), PASSIVE_LEVEL:
 * "\Registry\Machine\System\CurrentControlSet\Services\<name>". */

extern POBJECT_TYPE IoDeviceObjectType, IoDriverObjectType; /* IoFileObjectType: DDK headers */

/* --- threads
 * ------------------------------------------------------------------------------------------------------------
 * ps initialises ETHREAD.IrpList (InitializeListHead) and TopLevelIrp (NULL) before the thread runs. */

/* PASSIVE_LEVEL, by ps in the thread that ends, before it is gone: cancels the IRPs the thread has issued and
 * waits until they are complete. */
VOID IoCancelThreadIo(PETHREAD Thread);

/* Once, phase 0: which event providers are traced: the rest of the command line behind `etw=`. */
VOID IoSetTracing(PCSTR Option);

/* --- completion ports, as user mode calls them: PASSIVE_LEVEL, for the previous mode of the thread. ntoskrnl.exe exports Zw forms of the
 * first two and of NtRemoveIoCompletionEx. [Win32 "I/O Completion Ports"] --- */

typedef enum _IO_COMPLETION_INFORMATION_CLASS {
    IoCompletionBasicInformation
} IO_COMPLETION_INFORMATION_CLASS;

typedef struct _IO_COMPLETION_BASIC_INFORMATION {
    LONG Depth; /* packets in the port */
} IO_COMPLETION_BASIC_INFORMATION;

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                    ULONG Count);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Handle, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Iosb,
                                    PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE Handle, PFILE_IO_COMPLETION_INFORMATION Information, ULONG Count,
                                      PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable);
NTSTATUS NTAPI NtOpenIoCompletion(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE Handle, PVOID Key, PVOID Context, NTSTATUS Status,
                                 ULONG_PTR Information);
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE Handle, IO_COMPLETION_INFORMATION_CLASS Class, PVOID Buffer,
                                   ULONG Length, PULONG ReturnLength);

/* --- files of sections: paging.c. IRQL <= APC_LEVEL; special kernel APCs need not be delivered --- */

/* As MM_UPCALLS.TransferPages. */
NTSTATUS IoTransferPages(PVOID File, ULONG64 Offset, PVOID Buffer, ULONG Length, BOOLEAN Write,
                         PULONG_PTR Done);
NTSTATUS IoQueryFileSize(PFILE_OBJECT File, PULONG64 Size);
NTSTATUS IoSetFileSize(PFILE_OBJECT File, ULONG64 Size);

/* Bug check only, when no other processor runs: a ReportRequest for each IRP that a thread waits for. */
VOID IoReportPendingIrps(VOID);
/* The same of one that is no thread's. */
VOID IoReportPendingIrp(PIRP Irp);

/* What a module that is about to go has left behind is reported, and taken out where it would run the module's code. TRUE: something
 * points into the image, it must stay. PASSIVE_LEVEL, after the unload routine. */
struct _IM_MODULE;
BOOLEAN IoReportModuleLeaks(struct _IM_MODULE *Module);

/* --- for the PnP manager: pnp.c --- */

/* What io knows of a PDO: the PnP manager makes it, and it lives as long as the device object. */
typedef struct _IO_DEVICE_NODE {
    UNICODE_STRING
    InstancePath; /* "ROOT\FOO\0000", set before a driver other than its bus driver sees the device; ObFreeName */
    UNICODE_STRING DriverKey; /* "{class}\0000", the same; empty: no driver is installed */
    /* what it was given; NULL: nothing. They change only while the device is not started */
    const CM_RESOURCE_LIST *Raw, *Translated;
} IO_DEVICE_NODE;

/* NULL: the PnP manager does not know it as a PDO. */
IO_DEVICE_NODE *IoGetDeviceNode(PDEVICE_OBJECT Pdo);
VOID IoSetDeviceNode(PDEVICE_OBJECT Pdo, IO_DEVICE_NODE *Node);

typedef struct _IO_UPCALLS {
    VOID (*FreeNode)(IO_DEVICE_NODE *Node);   /* its device object goes */
    VOID (*FilesClosed)(PDEVICE_OBJECT Base); /* the last file of a device in a closed stack; referenced */
    /* under the lock of the interfaces */
    VOID (*InterfaceChanged)(const GUID *Class, PCUNICODE_STRING Name, BOOLEAN Enabled);
    VOID (*DeviceDeleted)(PDEVICE_OBJECT Device); /* by its driver. IRQL <= APC_LEVEL */
    VOID (*ReportPowerLeaks)(
        struct _IM_MODULE *Module); /* what it has registered is reported and taken out. PASSIVE_LEVEL */
    VOID (*ReportNotificationLeaks)(struct _IM_MODULE *Module); /* the same */
} IO_UPCALLS;
extern const IO_UPCALLS *IoUpcalls;

/* PASSIVE_LEVEL. The driver of Services\<Service>, loaded if it is not; referenced. What ZwLoadDriver returns. */
NTSTATUS IoGetDriverOfService(PCUNICODE_STRING Service, PDRIVER_OBJECT *Driver);
/* PASSIVE_LEVEL. Through the gate. */
NTSTATUS IoCallAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo);
/* PASSIVE_LEVEL. A PnP driver that has no device any more is unloaded, if it has an unload routine. The caller has a reference. */
VOID IoUnloadIdleDriver(PDRIVER_OBJECT Driver);
/* PASSIVE_LEVEL. Sends an IRP_MJ_PNP that begins with STATUS_NOT_SUPPORTED and waits for it; its final status. */
NTSTATUS IoSendPnpRequest(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Location, PULONG_PTR Information);
/* PASSIVE_LEVEL. The drivers of the device have seen its removal: interfaces that are enabled still are leaks of who enabled them. */
VOID IoReportEnabledInterfaces(PDEVICE_OBJECT Pdo);
/* A request to a stack comes back, its devices are still there. Location: as it was sent. A driver that should have passed it down, or made it
 * fail though it may not, is reported as a violation. IRQL <= DISPATCH_LEVEL. */
VOID IoCheckDuty(PIRP Irp, const IO_STACK_LOCATION *Location, PDEVICE_OBJECT Base, PDEVICE_OBJECT Top);
/* The power state that the device's driver tells; the one before. IRQL <= DISPATCH_LEVEL. */
POWER_STATE IoExchangePowerState(PDEVICE_OBJECT Device, POWER_STATE_TYPE Type, POWER_STATE State);
/* Open files on all devices of the stack. */
ULONG IoCountStackFiles(PDEVICE_OBJECT Base);
/* No device of the stack is opened any more, and IO_UPCALLS.FilesClosed is told when files are closed. */
VOID IoCloseStack(PDEVICE_OBJECT Base);
/* PASSIVE_LEVEL. Interfaces of a PDO that is gone are disabled and forgotten; the registry keeps them. */
VOID IoForgetInterfaces(PDEVICE_OBJECT Pdo);
/* PASSIVE_LEVEL. The registry key of an interface by its symbolic link. STATUS_INVALID_PARAMETER: the name is none. */
NTSTATUS IoOpenInterfaceKey(PCUNICODE_STRING Name, PHANDLE Key);
