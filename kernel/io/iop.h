/* SPDX-License-Identifier: MIT
 * Tier 3, io: what the files of the I/O manager share.
 *
 * Locks, in the order of acquisition: the cancel spin lock (rank LockRankIoCancel; drivers hold it), the VPB lock (v), rank
 * LockRankIoVpb, which drivers hold too, then IopDatabaseLock (d), rank LockRankIoDatabase: device lists, attachments, reference counts of devices, the
 * IRP lists of threads, link records. Neither is held over a call into a driver, except that a cancel routine
 * is called with the cancel spin lock, as documented. */
#pragma once
#include "io.h"
#include "image.h"
#include "ke_bugcheck.h"
#include "ntbox/failure.h"

#define IOP_TAG_IRP ' prI'
#define IOP_TAG_BUFFER 'fBoI'
#define IOP_TAG_NAME 'mNoI'
#define IOP_TAG_DRIVER 'rDoI'
#define IOP_TAG_WORK_ITEM 'iWoI'
#define IOP_TAG_TIMER 'iToI'
#define IOP_TAG_LINK 'kLoI'
#define IOP_TAG_ERROR_LOG 'lEoI'
#define IOP_TAG_SHUTDOWN 'dSoI'
#define IOP_TAG_VPB 'bVoI'
#define IOP_TAG_COMPLETION 'pCoI'
#define IOP_TAG_CONTROLLER 'tCoI'
#define IOP_TAG_WMI 'mWoI'
#define IOP_TAG_INTERFACE 'fIoI'
#define IOP_TAG_ECP 'pEoI'

extern ARCH_LOCK IopDatabaseLock;

/* --- devices
 * ---------------------------------------------------------------------------------------------------------------
 */

#define DOE_UNLOAD_PENDING 0x1u
#define DOE_DELETE_PENDING 0x2u
#define DOE_REMOVE_PENDING 0x4u /* surprise-removed: nobody opens it any more */

/* DEVICE_OBJECT.DeviceObjectExtension; lies behind the driver's extension. Windows' order of fields up to
 * Vpb. */
typedef struct _IOP_DEVICE_STATE {
    CSHORT Type;
    USHORT Size;
    PDEVICE_OBJECT DeviceObject;
    ULONG PowerFlags;
    PVOID Dope;
    ULONG ExtensionFlags; /* (d) DOE_... */
    PVOID DeviceNode;
    PDEVICE_OBJECT AttachedTo; /* (d) the device below */
    LONG StartIoCount;
    LONG StartIoKey;
    ULONG StartIoFlags;
    PVPB Vpb;          /* (v) of a volume's device: where it is mounted */
    ULONG VolumeFiles; /* (v) of a volume's device: open files whose IOP_FILE.Volume it is */
} IOP_DEVICE_STATE;
ASSERT_OFFSET(IOP_DEVICE_STATE, AttachedTo, 0x30);

static inline IOP_DEVICE_STATE *IopDeviceState(PDEVICE_OBJECT Device)
{
    return (IOP_DEVICE_STATE *)Device->DeviceObjectExtension;
}

/* device.c */
VOID IopInitDeviceType(VOID);
/* IopDatabaseLock held. TRUE: the caller must finish the device (IopFinishDelete) or its driver
 * (IopTryUnload). */
BOOLEAN IopDeviceIsIdleLocked(PDEVICE_OBJECT Device);
NTSTATUS IopReferenceDeviceForOpen(PDEVICE_OBJECT Device, BOOLEAN Relative);
/* The same and an object reference, if it belongs to the stack on Base. STATUS_INVALID_DEVICE_OBJECT_PARAMETER. IRQL <= DISPATCH_LEVEL. */
NTSTATUS IopReferenceInStack(PDEVICE_OBJECT Base, PDEVICE_OBJECT Device);
VOID IopDereferenceDevice(PDEVICE_OBJECT Device); /* undoes it; may delete the device or unload its driver */
VOID IopAfterDetach(PDEVICE_OBJECT Device);       /* the same when a device above it went */
VOID IopReportDevice(PDEVICE_OBJECT Device, PCSTR Kind);

/* io_timer.c: the device's timer, if it has one. Stopped when the device is deleted, freed with the object (PASSIVE_LEVEL). */
VOID IopStopDeviceTimer(PDEVICE_OBJECT Device);
VOID IopFreeDeviceTimer(PDEVICE_OBJECT Device);

/* --- volumes: vpb.c --- */

/* [WDK IoCreateDevice] a disk, tape or CD-ROM gets one; nothing for other types. It goes with the device object. */
NTSTATUS IopCreateVpb(PDEVICE_OBJECT Device);
VOID IopFreeVpb(PDEVICE_OBJECT Device);
/* The device that requests of files on Device go to the stack of: the mounted volume's, else itself. */
PDEVICE_OBJECT IopBaseDevice(PFILE_OBJECT File);
/* A new open of File on its device: mounts a volume if need be (PASSIVE_LEVEL) and holds it by File->Vpb, which stays NULL when the device
 * itself is opened. */
NTSTATUS IopReferenceVolume(PFILE_OBJECT File, ACCESS_MASK DesiredAccess);
VOID IopDereferenceVolume(
    PFILE_OBJECT
        File); /* IopFile(File)->Vpb is not NULL. A raw volume is dismounted when its last file goes */
/* Sets DOE_DELETE_PENDING; a volume that no file uses is dismounted. The caller has a reference: the device may be idle and go at once. */
VOID IopMarkDeleted(PDEVICE_OBJECT Device);

/* file_system.c: asks the registered file systems, the newest first. PASSIVE_LEVEL, Vpb->RealDevice's DeviceLock held. Success: Vpb->DeviceObject is set. */
NTSTATUS IopMountVolume(PVPB Vpb, BOOLEAN AllowRaw);
/* A registered file system is told to mount; FileSystem is the top of its stack. */
NTSTATUS IopSendMount(PDEVICE_OBJECT FileSystem, PVPB Vpb, BOOLEAN AllowRaw);
/* raw.c */
VOID IopInitRaw(VOID);
NTSTATUS IopMountRaw(PVPB Vpb);

/* attach.c. IopDatabaseLock held. */
PDEVICE_OBJECT IopTopDeviceLocked(PDEVICE_OBJECT Device);
PDEVICE_OBJECT IopBaseDeviceLocked(PDEVICE_OBJECT Device);

/* pnp.c. IopDatabaseLock held. The lowest device, referenced, of a stack that IoCloseStack closed, when Device has no file; else NULL. */
PDEVICE_OBJECT IopReferenceClosedLocked(PDEVICE_OBJECT Device);

/* --- drivers
 * ---------------------------------------------------------------------------------------------------------------
 */

typedef struct _IOP_CLIENT_EXTENSION {
    struct _IOP_CLIENT_EXTENSION *Next;
    PVOID Id;
} IOP_CLIENT_EXTENSION; /* the driver's bytes follow */

/* Body of a driver object. */
typedef struct _IOP_DRIVER {
    DRIVER_OBJECT Object;
    DRIVER_EXTENSION Extension;
    IOP_CLIENT_EXTENSION *ClientExtensions; /* (d) */
    BOOLEAN UnloadRequested;                /* (d) */
    LIST_ENTRY WaitingEntry;                /* (d) while its unload waits: unload.c */
    BOOLEAN KeepImage;                      /* something still points into the image after unload */
    WORK_QUEUE_ITEM UnloadItem;
    const WCHAR *NameBuffer; /* Object.DriverName's, to see whether the driver has changed it */
} IOP_DRIVER;
ASSERT_OFFSET(IOP_DRIVER, Extension, 0x150);

static inline IOP_DRIVER *IopDriver(PDRIVER_OBJECT Object)
{
    return CONTAINING_RECORD(Object, IOP_DRIVER, Object);
}

static inline PIM_MODULE IopModule(PDRIVER_OBJECT Object)
{
    return Object->DriverSection;
}

/* First parameter of bug check 0xC4: p2 the object, p3 the driver object. See docs/deviations.md (D-008). */
#define IOP_RULE_DAMAGED_OBJECT 0x4E540008u

/* driver.c */
VOID IopInitDriverType(VOID);
/* A driver object named Name with refusing dispatch entries, permanent, one reference for the caller. */
NTSTATUS IopMakeDriverObject(PCUNICODE_STRING Name, PCUNICODE_STRING ServiceName, PDRIVER_OBJECT *Driver);
/* Name and reference go; when it is the last one the image goes too. */
VOID IopDropDriverObject(PDRIVER_OBJECT Driver);
/* Calls the entry routine and what Windows does after it: empty dispatch entries refuse, devices are
 * initialised. */
NTSTATUS IopRunDriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath);

/* load.c */
NTSTATUS IopServiceName(PCUNICODE_STRING ServiceKey, PUNICODE_STRING Name); /* last component, no copy */
NTSTATUS IopMakePath(PUNICODE_STRING Path, PCWSTR Prefix, PCUNICODE_STRING Middle, PCWSTR Suffix);

/* service.c: what the service key says. [WDK INF AddService directive, ServiceType] */
#define IOP_SERVICE_KERNEL_DRIVER 1u
#define IOP_SERVICE_FILE_SYSTEM_DRIVER 2u
#define IOP_SERVICE_RECOGNIZER_DRIVER 8u
static inline BOOLEAN IopIsDriverType(ULONG Type)
{
    return Type == IOP_SERVICE_KERNEL_DRIVER || Type == IOP_SERVICE_FILE_SYSTEM_DRIVER ||
           Type == IOP_SERVICE_RECOGNIZER_DRIVER;
}

typedef struct _IOP_SERVICE {
    ULONG Type;               /* IOP_SERVICE_... */
    UNICODE_STRING ImagePath; /* absolute; ObFreeName */
    UNICODE_STRING KeyPath;   /* the key's own name, for DriverEntry; ObFreeName */
} IOP_SERVICE;
NTSTATUS IopReadService(PUNICODE_STRING ServiceKey, PCUNICODE_STRING Name, IOP_SERVICE *Service);
VOID IopFreeService(IOP_SERVICE *Service);

/* unload.c */
VOID IopTryUnload(PDRIVER_OBJECT Driver); /* calls DriverUnload if it is asked for and no device is in use */
/* PASSIVE_LEVEL, the caller has one reference. What ZwUnloadDriver returns. */
NTSTATUS IopRequestUnload(PDRIVER_OBJECT Driver);
/* By the name of its service; referenced. STATUS_OBJECT_NAME_NOT_FOUND: it is not loaded. */
NTSTATUS IopFindDriver(PCUNICODE_STRING Name, PDRIVER_OBJECT *Driver);

/* leak.c. PASSIVE_LEVEL, after the unload routine: one ReportLeak for each thing left. Sets KeepImage. */
VOID IopReportLeaks(PDRIVER_OBJECT Driver);
/* What keeps the unload routine of a driver from being called. PASSIVE_LEVEL. */
VOID IopReportDevicesInUse(PDRIVER_OBJECT Driver);

/* shutdown.c. PASSIVE_LEVEL. Registrations of the driver's devices: taken out, reported, counted. */
ULONG IopReportShutdownLeaks(PDRIVER_OBJECT Driver);

/* etw.c. IRQL <= DISPATCH_LEVEL. The module's event providers are unregistered and reported. */
ULONG IopReportTraceLeaks(PIM_MODULE Module);

/* dma_leak.c. PASSIVE_LEVEL. Adapters that the module got and all that it has from them: taken from it, reported. */
VOID IopReportDmaLeaks(PIM_MODULE Module);

/* wmi.c. PASSIVE_LEVEL, the same for registrations as WMI providers, after the last IRP to each. */
ULONG IopReportWmiLeaks(PDRIVER_OBJECT Driver);

/* symlink.c */
VOID IopInitLinks(VOID);
/* The links whose creator lies in Module. */
ULONG IopReportLinkLeaks(PIM_MODULE Module);

/* --- the gate: every call into a driver's routine, gate.c
 * ----------------------------------------------------------------------- */

/* Is it code of some image? A driver may have stored anything. */
static inline BOOLEAN IopIsRoutine(const void *Routine)
{
    return ImFindModule(Routine) != NULL;
}

NTSTATUS IopCallEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath);
VOID IopCallUnload(PDRIVER_OBJECT Driver);
/* Caller: return address in who passes the IRP on. */
NTSTATUS IopCallDispatch(PDRIVER_DISPATCH Routine, PDEVICE_OBJECT Device, PIRP Irp, const void *Caller);
NTSTATUS IopCallCompletion(PIO_COMPLETION_ROUTINE Routine, PDEVICE_OBJECT Device, PIRP Irp, PVOID Context);
/* The cancel spin lock is held, taken at Irp->CancelIrql; the routine releases it. */
VOID IopCallCancel(PDRIVER_CANCEL Routine, PDEVICE_OBJECT Device, PIRP Irp);
VOID IopCallWorkItem(PIO_WORKITEM_ROUTINE Routine, PVOID IoObject, PVOID Context);
VOID IopCallWorkItemEx(PIO_WORKITEM_ROUTINE_EX Routine, PVOID IoObject, PVOID Context, PIO_WORKITEM Item);
VOID IopCallTimer(PIO_TIMER_ROUTINE Routine, PDEVICE_OBJECT Device, PVOID Context);
/* A read or write without an IRP; the routines of both have the same parameters. */
typedef struct _IOP_FAST_TRANSFER {
    PFILE_OBJECT File;
    PLARGE_INTEGER Offset;
    ULONG Length, Key;
    PVOID Buffer;
    PIO_STATUS_BLOCK Iosb;
} IOP_FAST_TRANSFER;
struct _IOP_CONTROL;
BOOLEAN IopCallFastTransfer(PFAST_IO_READ Routine, PDEVICE_OBJECT Device, const IOP_FAST_TRANSFER *Transfer);
BOOLEAN IopCallFastControl(PFAST_IO_DEVICE_CONTROL Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File,
                           const struct _IOP_CONTROL *Control, PIO_STATUS_BLOCK Iosb);
/* The three query routines differ in what Answer is. */
BOOLEAN IopCallFastQuery(PFAST_IO_QUERY_BASIC_INFO Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File,
                         PVOID Answer, PIO_STATUS_BLOCK Iosb);
VOID IopCallFastDetach(PFAST_IO_DETACH_DEVICE Routine, PDEVICE_OBJECT Source, PDEVICE_OBJECT Target);
typedef struct _IOP_FAST_LOCK {
    PFILE_OBJECT File;
    LARGE_INTEGER Offset, Length;
    ULONG Key;
    BOOLEAN Lock, FailImmediately, Exclusive;
} IOP_FAST_LOCK;
BOOLEAN IopCallFastLock(PFAST_IO_LOCK Routine, PDEVICE_OBJECT Device, const IOP_FAST_LOCK *Lock,
                        PIO_STATUS_BLOCK Iosb);
BOOLEAN IopCallFastUnlock(PFAST_IO_UNLOCK_SINGLE Routine, PDEVICE_OBJECT Device, const IOP_FAST_LOCK *Lock,
                          PIO_STATUS_BLOCK Iosb);
BOOLEAN IopCallFastUnlockAll(PFAST_IO_UNLOCK_ALL Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File);
IO_ALLOCATION_ACTION IopCallController(PDRIVER_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                                       PVOID Context);
IO_ALLOCATION_ACTION IopCallAdapterControl(PDRIVER_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                                           PVOID MapRegisterBase, PVOID Context);
VOID IopCallListControl(PDRIVER_LIST_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                        PSCATTER_GATHER_LIST List, PVOID Context);
VOID IopCallReinitialize(PDRIVER_REINITIALIZE Routine, PDRIVER_OBJECT Driver, PVOID Context, ULONG Count);
VOID IopCallEcpCleanup(PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Routine, PVOID Context, LPCGUID Type);
VOID IopCallTraceEnable(PETWENABLECALLBACK Routine, PVOID Context); /* all levels and keywords are enabled */
VOID IopCallStartIo(PDRIVER_STARTIO Routine, PDEVICE_OBJECT Device, PIRP Irp);

/* --- IRPs
 * -------------------------------------------------------------------------------------------------------------------
 */

/* What a dispatch routine of the I/O manager's own drivers ends with: the status is returned. IRQL <= DISPATCH_LEVEL. */
static inline NTSTATUS IopCompleteNow(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* complete.c calls it when all stack locations are done: results to the caller, buffers and the IRP freed. Teller: code of who set Information
 * last. IRQL <= DISPATCH_LEVEL. */
VOID IopFinishIrp(PIRP Irp, KPRIORITY Boost, const void *Teller);
/* What a driver may tell of a request that transfers at most Length bytes. Teller: the code that said Information is that much; NULL or the
 * kernel's: the driver that runs is blamed. Ends in a bug check (D-008). */
DECLSPEC_NORETURN VOID IopToldTooMuch(PIRP Irp, const void *Teller, ULONG_PTR Information, ULONG Length);

/* --- the end of a request: end_request.c, in the thread that issued it, IRQL <= APC_LEVEL --- */

VOID IopEndRequest(PIRP Irp);  /* all of it, the IRP is gone afterwards */
VOID IopDropRequest(PIRP Irp); /* the thread is gone: nobody is told */
/* [WDK IO_STATUS_BLOCK] a request that fails before it was pending tells its status by return value alone: neither the status block
 * nor the event change. */
BOOLEAN IopTellsResult(PIRP Irp);
BOOLEAN IopCopiesOutput(PIRP Irp);             /* from its system buffer to the caller's */
VOID IopReturnResults(PIRP Irp, BOOLEAN Tell); /* output, buffers; Tell: status block */
VOID IopFreeOrCall(PIRP Irp,
                   BOOLEAN Tell); /* the IRP goes, or becomes the call of the caller's APC routine */
/* The kernel's half: memory there goes away by nobody's leave but its owner's. */
static inline BOOLEAN IopIsSystemAddress(const VOID *Address)
{
    return (LONG_PTR)Address < 0;
}

/* From or to memory of the requestor, which may not be there any more: then a status. */
NTSTATUS IopReadRequestor(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);
NTSTATUS IopWriteRequestor(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);

/* A dispatch routine that runs; lies on the stack of IofCallDriver. (l) the IRP's lock of irp_calls.c */
typedef struct _IOP_CALL {
    PIRP Irp;                /* NULL: not watched */
    struct _IOP_CALL *Outer; /* (l) routine that has the same location and passed it on */
    PDEVICE_OBJECT Device;   /* only to be named: it may be gone */
    PDRIVER_DISPATCH Routine;
    LONG Location;
    BOOLEAN MarkedBefore; /* pending already when the routine was called */
    BOOLEAN Completed;    /* (l) the location is done, and the next two say how; else they are not set */
    BOOLEAN Marked;       /* (l) */
    NTSTATUS FinalStatus; /* (l) */
} IOP_CALL;

typedef struct _IOP_IRP_LOCATION {
    IOP_CALL *Running;        /* (l) innermost dispatch routine that has not returned */
    PDRIVER_DISPATCH Pending; /* (l) it returned STATUS_PENDING; the location is not completed yet */
    PDEVICE_OBJECT Device;    /* (l) its device, only to be named */
} IOP_IRP_LOCATION;

/* Who sends an IRP may wait for it and end it himself (send.c). In the sender's own thread, or set once by another one. */
typedef enum _IOP_WAIT { IopWaitNone, IopWaitSent, IopWaitEnded, IopWaitBlocked } IOP_WAIT;

/* In front of an IRP that IoAllocateIrp made. */
typedef struct DECLSPEC_ALIGN(16) _IOP_IRP_STATE {
    ULONG
    OutputLength; /* bytes of the caller's buffer, if the next says so or the system buffer is copied back to it */
    UCHAR Wait;          /* IOP_WAIT */
    BOOLEAN CountsBytes; /* of a request that succeeds Information is bytes of that buffer */
    PKEVENT Done;        /* of who waits */
    /* Whose memory the caller's addresses mean; lives while the IRP is in its thread's list, else only to be compared. */
    PKPROCESS Process;
} IOP_IRP_STATE;

/* NULL for an IRP that a driver made in memory of its own. */
static inline IOP_IRP_STATE *IopIrpState(PIRP Irp)
{
    return Irp->AllocationFlags & IRP_ALLOCATED_FIXED_SIZE ? (IOP_IRP_STATE *)Irp - 1 : NULL;
}

/* Behind the stack locations of such an IRP, for each of them. */
static inline SIZE_T IopCallRecordsSize(ULONG Locations)
{
    return NTBOX_CHECKED ? Locations * sizeof(IOP_IRP_LOCATION) : 0;
}

/* Irp is zeroed. */
static inline VOID IopFillIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CHAR)(StackSize + 1);
    Irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
    Irp->ApcEnvironment = (CCHAR)KiCurrentThread()->ApcStateIndex;
    InitializeListHead(&Irp->ThreadListEntry);
}

/* irp_memory.c. IRQL <= DISPATCH_LEVEL. IoAllocateIrp on behalf of the code at Owner; what IoFreeIrp does when it has looked at the IRP. */
PIRP IopAllocateIrp(CCHAR StackSize, PVOID Owner);
VOID IopReleaseIrp(PIRP Irp);

/* irp_calls.c, checked kernel. The IRP is at the location of the routine. EndCall may end in a bug check that blames it; AbandonCall is
 * for a routine that an exception has left. */
#if NTBOX_CHECKED
VOID IopBeginCall(IOP_CALL *Call, PDEVICE_OBJECT Device, PIRP Irp, PDRIVER_DISPATCH Routine);
VOID IopEndCall(IOP_CALL *Call, NTSTATUS Status);
VOID IopAbandonCall(IOP_CALL *Call);
VOID IopEndLocation(PIRP Irp);                 /* before the current location is completed */
VOID IopCheckNotInUse(PIRP Irp, PVOID Caller); /* Caller frees or reuses it */
/* The dispatch routine that has the current location; NULL: none is known. */
PVOID IopLocationHolder(PIRP Irp);
/* Caller's completion is the last one. Who was noted last for an IRP at this address, or NULL: only to be named. */
VOID IopNoteCompleted(PIRP Irp, PVOID Caller);
PVOID IopWhoCompleted(PIRP Irp);
/* irp_buffers.c. IRQL <= DISPATCH_LEVEL. Whoever had the IRP until now gives it away: a bug check that blames the code at Holder, or (NULL,
 * or no driver's) the innermost driver on the stack, if memory that the I/O manager allocated for the IRP is overrun. */
VOID IopCheckBuffers(PIRP Irp, UCHAR Major, const void *Holder);
#else
#define IopNoteCompleted(Irp, Caller) ((void)0)
#define IopWhoCompleted(Irp) NULL
#define IopCheckBuffers(Irp, Major, Holder) ((void)0)
#define IopEndLocation(Irp) ((void)0)
#define IopCheckNotInUse(Irp, Caller) ((void)0)
#endif

/* pending.c: "IRP_MJ_WRITE" */
PCSTR IopMajorName(UCHAR Major);

/* thread_irp.c: the list of IRPs that a thread has issued. */
VOID IopOwnIrp(PIRP Irp);         /* the current thread issues it, for the process that it is attached to */
VOID IopQueueThreadIrp(PIRP Irp); /* which has issued it so, enters it in its list. IRQL <= APC_LEVEL */
VOID IopDequeueThreadIrp(PIRP Irp);
/* Cancels one IRP of the current thread, on File or (NULL) any; FALSE when there is none left that was not cancelled. PASSIVE_LEVEL */
BOOLEAN IopCancelThreadIrp(PETHREAD Thread, const FILE_OBJECT *File);

/* The driver's Information of this request counts bytes of a buffer with Length of them. */
static inline VOID IopCountBytes(PIRP Irp, ULONG Length)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    State->OutputLength = Length;
    State->CountsBytes = TRUE;
}

/* buffers.c. On failure nothing is allocated. The IRP then owns the buffers. */
/* Owner: code address in the driver that has to free the buffers; NULL: the I/O manager frees them. */
NTSTATUS IopSetUpTransfer(PIRP Irp, PDEVICE_OBJECT Device, UCHAR Major, PVOID Buffer, ULONG Length,
                          KPROCESSOR_MODE Mode, PVOID Owner);
/* What a control request is given. */
typedef struct _IOP_CONTROL {
    ULONG Code;
    PVOID Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
    PVOID Owner; /* as of IopSetUpTransfer */
} IOP_CONTROL;
NTSTATUS IopSetUpControl(PIRP Irp, const IOP_CONTROL *Control, KPROCESSOR_MODE Mode);
VOID IopReturnBuffer(PIRP Irp, PVOID UserBuffer, ULONG Length);
VOID IopFreeBuffers(PIRP Irp); /* system buffer, MDLs and auxiliary buffer, without copying results */

/* [WDK IRP] the I/O manager's copy of a pattern or range: nobody needs it when the locations are done, and an APC comes to lie over the
 * pointer. IRQL <= DISPATCH_LEVEL. */
static inline VOID IopFreeAuxiliary(PIRP Irp)
{
    if (Irp->Tail.Overlay.AuxiliaryBuffer == NULL)
        return;
    ExFreePool(Irp->Tail.Overlay.AuxiliaryBuffer);
    Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
}

/* device_security.c, share_access.c. PASSIVE_LEVEL. */

/* The device's descriptor becomes that of the SDDL; without Replace only if it has none. */
NTSTATUS IopSecureDevice(PDEVICE_OBJECT Device, PCUNICODE_STRING Sddl, BOOLEAN Replace);
/* May the caller open it? MAXIMUM_ALLOWED in Parse->DesiredAccess becomes what it is. */
BOOLEAN
IopForcesCheck(const OB_PARSE *Parse); /* also kernel mode is checked, by the device and by its driver */
NTSTATUS IopCheckDeviceAccess(PDEVICE_OBJECT Device, PFILE_OBJECT Related, OB_PARSE *Parse);
NTSTATUS IopDeviceSecurity(PVOID Object, OB_SECURITY_CALL *Call);
NTSTATUS IopFileSecurity(PVOID Object, OB_SECURITY_CALL *Call);

/* send.c. IRQL <= APC_LEVEL; special kernel APCs need not be delivered. */

/* Sends an IRP of IopAllocateIrp with the next location filled in, and waits until its locations are done: the status that the driver
 * returned, or the IRP's when it pended. The IRP is still there with its buffers, in no thread's list. Busy, or NULL: an event that is cleared when the wait begins. */
NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp, PKEVENT Busy);
/* The same for a request of File, which is synchronous; with FO_ALERTABLE_IO an alert or a user APC cancels the request, whose
 * status it is then. */
NTSTATUS IopCallAndWaitForFile(PDEVICE_OBJECT Device, PIRP Irp, PFILE_OBJECT File);
/* An IRP of the I/O manager's own on File, whose requests Top gets, with the next location begun; NULL: no memory. */
PIRP IopMakeFileIrp(PFILE_OBJECT File, PDEVICE_OBJECT Top, UCHAR Major, PIO_STACK_LOCATION *Stack);
/* Sends and frees it; a synchronous file is locked meanwhile. */
NTSTATUS IopSendForFile(PFILE_OBJECT File, PDEVICE_OBJECT Top, PIRP Irp, PIO_STATUS_BLOCK Iosb);
/* The same for an IRP of the I/O manager's own, which is freed. */
NTSTATUS IopSendAndWait(PDEVICE_OBJECT Device, PIRP Irp, PIO_STATUS_BLOCK Iosb);

/* --- files
 * ------------------------------------------------------------------------------------------------------------------
 */

/* ParseContext of an open. */
typedef struct _IOP_OPEN {
    LARGE_INTEGER AllocationSize;
    ACCESS_MASK DesiredAccess;
    ULONG CreateOptions;
    ULONG Disposition;
    ULONG Options; /* IO_... of IoCreateFile */
    USHORT FileAttributes;
    USHORT ShareAccess;
    CREATE_FILE_TYPE Type;
    PVOID TypeParameters; /* of a pipe or mailslot: the kernel's copy */
    PVOID EaBuffer;
    ULONG EaLength;
    PDEVICE_OBJECT Hint;   /* only this device and those below it see the file's requests, or NULL */
    PECP_LIST Ecps;        /* the caller's, or NULL */
    NTSTATUS FinalStatus;  /* out: of the driver */
    ULONG_PTR Information; /* out: FILE_OPENED ... */
} IOP_OPEN;

/* The device itself is opened, not a name behind it: also by an empty name relative to an open of the device. */
static inline BOOLEAN IopOpensDevice(const FILE_OBJECT *Related, const OB_PARSE *Parse)
{
    return Parse->RemainingName.Length == 0 && (Related == NULL || (Related->Flags & FO_VOLUME_OPEN));
}

/* open.c: makes a file object on Device and sends IRP_MJ_CREATE; parse procedure of devices and files. */
NTSTATUS IopOpenFile(PDEVICE_OBJECT Device, PFILE_OBJECT Related, OB_PARSE *Parse, PVOID *Found);

/* Body of a file object. */
typedef struct _IOP_FILE {
    FILE_OBJECT Object;
    PVPB
        Vpb; /* that it holds, whatever a file system writes into Object.Vpb, or NULL. Constant once it is open */
    PDEVICE_OBJECT Volume; /* that it was opened on, with Vpb; the VPB may have another one since */
    PDEVICE_OBJECT
    Hint;           /* IOP_FO_HAS_HINT: gets the file's requests instead of the stack's top; referenced */
    BOOLEAN Opened; /* by its driver; set once */
} IOP_FILE;
#define IOP_FO_HAS_HINT 0x00800000u /* [WDK FILE_OBJECT] FO_FILE_OBJECT_HAS_EXTENSION */

static inline IOP_FILE *IopFile(PFILE_OBJECT Object)
{
    return CONTAINING_RECORD(Object, IOP_FILE, Object);
}

/* extra_create.c: where an IRP that opens a file has its list of extra create parameters. */
PECP_LIST *IopEcpListOf(PIRP Irp);
/* extra_create_live.c, PASSIVE_LEVEL, after a driver's unload routine: what it has allocated and not freed is reported. */
VOID IopReportEcpLeaks(PIM_MODULE Module);

/* file_name.c: the file type's QueryName method. PASSIVE_LEVEL; the file's driver may be asked. */
NTSTATUS IopQueryFileName(PVOID Object, PUNICODE_STRING Name, PULONG Needed);

/* file_object.c */
VOID IopInitFileType(VOID);
VOID IopLockFile(PFILE_OBJECT File);
/* For a request of a caller of this mode: STATUS_ALERTED or STATUS_USER_APC, and not locked, with FO_ALERTABLE_IO. */
NTSTATUS IopLockFileForRequest(PFILE_OBJECT File, KPROCESSOR_MODE Mode);
VOID IopUnlockFile(PFILE_OBJECT File);

/* request.c: a request on a file by handle (read, write, control, query, set, flush). */
typedef struct _IOP_CALLER {
    HANDLE File;
    ACCESS_MASK Access; /* that the handle of a user-mode caller must grant */
    BOOLEAN AnyAccess;  /* one of the bits is enough */
    HANDLE Event;
    PIO_APC_ROUTINE ApcRoutine;
    PVOID ApcContext;
    PIO_STATUS_BLOCK Iosb;
    KPROCESSOR_MODE Mode;
} IOP_CALLER;

typedef struct _IOP_REQUEST {
    PFILE_OBJECT File;     /* referenced; an asynchronous request takes over the reference */
    PDEVICE_OBJECT Device; /* top of the stack */
    PIRP Irp;
    PIO_STACK_LOCATION Stack;
    PKEVENT Event; /* the caller's, referenced (taken over too), or NULL */
    KPROCESSOR_MODE Mode;
    ACCESS_MASK GrantedAccess;
    UCHAR Granted;      /* SL_READ_ACCESS_GRANTED, SL_WRITE_ACCESS_GRANTED: of the handle */
    BOOLEAN AppendOnly; /* the handle may append and not write */
    BOOLEAN Locked;     /* synchronous file: its lock is held */
    BOOLEAN Moves;      /* at its end the file's position lies behind the bytes from Offset on */
    LARGE_INTEGER Offset;
} IOP_REQUEST;

/* Anything but STATUS_SUCCESS, also STATUS_ALERTED and STATUS_USER_APC: there is no request. */
NTSTATUS IopBeginRequest(IOP_REQUEST *Request, const IOP_CALLER *Caller, UCHAR Major);
NTSTATUS IopAnswerRequest(IOP_REQUEST *Request, NTSTATUS Status,
                          ULONG_PTR Information); /* without the driver; frees all */
VOID IopAbandonRequest(IOP_REQUEST *Request);     /* frees all; after a failed set-up */
/* buffers.c: a system buffer of Length bytes, which is not 0, all zero or (Set) with what the caller's holds; without Set it is copied
 * back at the end. On failure the request is abandoned. */
NTSTATUS IopUseSystemBuffer(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, BOOLEAN Set);
/* Sends it. SynchronousApi: the call waits even if the file is asynchronous. */
NTSTATUS IopSendRequest(IOP_REQUEST *Request, BOOLEAN SynchronousApi);

/* information.c, volume_information.c: which access a handle must grant for a class; IOP_NO_SUCH_CLASS: there is none. */
#define IOP_NO_SUCH_CLASS MAXULONG
ACCESS_MASK IopAccessOfClass(FILE_INFORMATION_CLASS Class, BOOLEAN Set);
ACCESS_MASK IopAccessOfVolumeClass(FS_INFORMATION_CLASS Class, BOOLEAN Set);
/* control_file.c: for a control code, which says it. */
ACCESS_MASK IopAccessOfCode(ULONG Code);

/* rename.c: the file that the request's name leads into, opened as its target; NULL for a name in the same folder. PASSIVE_LEVEL. */
NTSTATUS IopOpenRenameTarget(IOP_REQUEST *Request, HANDLE *Target);

/* create_pipe.c: a pipe's or mailslot's parameters, which are the calling driver's own memory; TRUE for a plain file. */
BOOLEAN IopTypeIsValid(const IOP_OPEN *Open);

/* create_file.c: a kernel-mode open on behalf of a caller of Mode. */
NTSTATUS IopCreateForCaller(PHANDLE Handle, POBJECT_ATTRIBUTES Attributes, IOP_OPEN *Open,
                            KPROCESSOR_MODE Mode);

/* --- start-up of the parts
 * ----------------------------------------------------------------------------------------------------- */
VOID IopInitReportDevice(VOID);
VOID IopInitNullDevice(VOID);

/* report_failure.c: what the agent gets */
extern const NTBOX_FAILURE_INTERFACE IopFailureInterface;
