/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: device nodes, and what the files of the PnP manager share.
 *
 * One thread, the PnP thread, changes nodes and sends PnP requests (p). The shape of the tree (t) has a lock, PnpTreeLock, a guarded mutex that is
 * never held over a call into a driver; jobs of the PnP thread (q) have a spin lock of rank LockRankPnp. What is (c) is set before others see it. */
#pragma once
#include <cfg.h>
#include <wdmguid.h>
#include "pnp.h"
#include "io.h"
#include "ke_bugcheck.h"

#define PNP_TAG_NODE 'oNpP'
#define PNP_TAG_TEXT 'xTpP'
#define PNP_TAG_LIST 'sLpP'
#define PNP_TAG_RESOURCE 'eRpP'
#define PNP_TAG_NOTIFY 'tNpP'

#define PNP_MAX_ID 200u   /* characters with the terminator [WDK "Device Identification Strings"] */
#define PNP_MAX_IDS 8192u /* characters of a REG_MULTI_SZ of IDs */

/* [WDK !devnode] names the states; what an enumeration or a start passes through is none here, because one thread does it. */
typedef enum _PNP_STATE {
    DeviceNodeUninitialized, /* reported by its bus driver */
    DeviceNodeInitialized,   /* its IDs are known, its key exists */
    DeviceNodeDriversAdded,  /* its stack is complete */
    DeviceNodeResourcesAssigned,
    DeviceNodeStarted,
    DeviceNodeQueryStopped,
    DeviceNodeStopped,
    DeviceNodeQueryRemoved,
    DeviceNodeRemovePendingCloses, /* surprise-removed; files are open */
    DeviceNodeRemoved,             /* its stack is gone; the device may be there still */
    DeviceNodeDeleted              /* its bus driver does not report it any more */
} PNP_STATE;

/* What the PnP thread is asked to do with a node. One of each kind waits at most, so that asking never fails. */
typedef enum _PNP_JOB_KIND {
    PnpJobEnumerate, /* ask its bus driver for its children */
    PnpJobState,     /* ask for its PNP_DEVICE_STATE */
    PnpJobEject,
    PnpJobClosed, /* the last file of a surprise-removed stack was closed */
    PnpJobKinds,
    PnpJobCall = PnpJobKinds /* in no node: a routine that is waited for */
} PNP_JOB_KIND;

typedef struct _PNP_JOB {
    LIST_ENTRY Entry;  /* (q) */
    BOOLEAN Queued;    /* (q) */
    PNP_JOB_KIND Kind; /* (c) its place in PNP_NODE.Jobs */
} PNP_JOB;

/* Lives as long as its PDO, which the tree references while the node is in it. */
typedef struct _PNP_NODE {
    IO_DEVICE_NODE Io;                                      /* first: what io knows of it */
    PDEVICE_OBJECT Pdo;                                     /* (c) */
    struct _PNP_NODE *Parent;                               /* (t) NULL: the root */
    LIST_ENTRY Children;                                    /* (t) */
    LIST_ENTRY Sibling;                                     /* (t) */
    ULONG Level;                                            /* (c) 0: the root */
    PNP_STATE State;                                        /* (p) */
    ULONG Problem;                                          /* (p) CM_PROB_..., 0: none */
    BOOLEAN Reported;                                       /* (p) by the last enumeration */
    BOOLEAN Found;                                          /* (p) mark of the enumeration that runs */
    PNP_DEVICE_STATE DeviceState;                           /* (p) */
    DEVICE_CAPABILITIES Capabilities;                       /* (p) */
    PNP_BUS_INFORMATION Bus;                                /* (c) when it is initialized: what it is on */
    BOOLEAN HasBus;                                         /* (c) its bus driver says */
    PIO_RESOURCE_REQUIREMENTS_LIST Requirements;            /* (p) NULL: none */
    PCM_RESOURCE_LIST BootResources, Resources, Translated; /* (p) NULL: none */
    CHAR Driver[64]; /* (p) file of its function driver, or of the one that has failed; empty: none yet */
    PNP_JOB Jobs[PnpJobKinds];
} PNP_NODE;

static inline PNP_NODE *PnpNodeOf(PDEVICE_OBJECT Pdo)
{
    return CONTAINING_RECORD(IoGetDeviceNode(Pdo), PNP_NODE, Io);
}

extern PNP_NODE *PnpRoot; /* (c) after PnpInitSystem */

/* --- node.c: the tree --- */

VOID PnpInitTree(VOID);
VOID PnpLockTree(VOID);
VOID PnpUnlockTree(VOID);
/* A node for a PDO that has none; nobody else sees it yet. NULL: no memory. */
PNP_NODE *PnpMakeNode(PDEVICE_OBJECT Pdo);
/* Takes over the caller's reference of its PDO. */
VOID PnpLinkNode(PNP_NODE *Parent, PNP_NODE *Node);
/* Gives back the tree's reference: the node may be gone. It has no children. */
VOID PnpUnlinkNode(PNP_NODE *Node);
/* In the PnP thread, which alone changes the tree: children first, or the node itself when it has none; up to Top, which is the last. */
PNP_NODE *PnpDeepest(PNP_NODE *Top);
PNP_NODE *PnpNextUp(PNP_NODE *Node, const PNP_NODE *Top);
PNP_NODE *PnpNextDown(PNP_NODE *Node, const PNP_NODE *Top); /* the node itself before its children */
PNP_NODE *PnpFirstChild(PNP_NODE *Node);
PNP_NODE *PnpNextSibling(PNP_NODE *Node);

/* --- queue.c: the PnP thread --- */

VOID PnpStartThread(VOID);
VOID PnpAsk(PNP_NODE *Node, PNP_JOB_KIND Kind); /* IRQL <= DISPATCH_LEVEL */
/* What the routine returns, in the PnP thread, after what was asked for before. The PnP thread itself calls it at once. PASSIVE_LEVEL. */
NTSTATUS PnpCall(NTSTATUS (*Routine)(PVOID Context), PVOID Context);
/* The same without waiting. STATUS_INSUFFICIENT_RESOURCES: it is not called. IRQL <= DISPATCH_LEVEL. */
NTSTATUS PnpPost(NTSTATUS (*Routine)(PVOID Context), PVOID Context);
/* Until nothing is asked for. Not in the PnP thread. PASSIVE_LEVEL. */
VOID PnpWaitIdle(VOID);

/* --- request.c: requests to the top of the node's stack. PASSIVE_LEVEL, in the PnP thread --- */

/* STATUS_NOT_SUPPORTED: no driver has an answer. What is returned in memory is the caller's to free with ExFreePool. */
NTSTATUS PnpSend(PNP_NODE *Node, UCHAR Minor);
NTSTATUS PnpSendLocation(PNP_NODE *Node, const IO_STACK_LOCATION *Location, PULONG_PTR Information);
NTSTATUS PnpQueryId(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, PWSTR *Id);
NTSTATUS PnpQueryText(PNP_NODE *Node, DEVICE_TEXT_TYPE Type, PWSTR *Text);
NTSTATUS PnpQueryCapabilities(PNP_NODE *Node);
NTSTATUS PnpQueryRelations(PNP_NODE *Node, DEVICE_RELATION_TYPE Type, PDEVICE_RELATIONS *Relations);
NTSTATUS PnpQueryBus(PNP_NODE *Node, PPNP_BUS_INFORMATION *Bus);
NTSTATUS PnpQueryResources(PNP_NODE *Node, PCM_RESOURCE_LIST *Resources);
NTSTATUS PnpQueryRequirements(PNP_NODE *Node, PIO_RESOURCE_REQUIREMENTS_LIST *Requirements);
VOID PnpFilterRequirements(PNP_NODE *Node); /* Node->Requirements, which may be NULL */
PNP_DEVICE_STATE PnpQueryDeviceState(PNP_NODE *Node);
NTSTATUS PnpSendStart(PNP_NODE *Node); /* with the resources that it has */

/* --- identify.c --- */

/* Its IDs, texts and capabilities; its instance path and its key. STATUS_SUCCESS: it is DeviceNodeInitialized. */
NTSTATUS PnpIdentify(PNP_NODE *Node);

/* --- key.c: registry keys. PASSIVE_LEVEL --- */

#define PNP_CONTROL_SET L"\\Registry\\Machine\\System\\CurrentControlSet\\"
/* Prefix, text and suffix make the path below Root (NULL: it is absolute). */
NTSTATUS PnpOpenKey(HANDLE Root, PCWSTR Prefix, PCUNICODE_STRING Text, PCWSTR Suffix, ACCESS_MASK Access,
                    PHANDLE Key);
NTSTATUS PnpMakeKey(HANDLE Root, PCWSTR Prefix, PCUNICODE_STRING Text, PCWSTR Suffix, ULONG Options,
                    PHANDLE Key);
NTSTATUS PnpOpenNodeKey(const PNP_NODE *Node, PHANDLE Key); /* Enum\<instance path>, KEY_READ | KEY_WRITE */
NTSTATUS PnpSetText(HANDLE Key, PCWSTR Name, PCUNICODE_STRING Text);
NTSTATUS PnpSetNumber(HANDLE Key, PCWSTR Name, ULONG Number);
NTSTATUS PnpSetData(HANDLE Key, PCWSTR Name, ULONG Type, const void *Data, ULONG Length);
/* A value with its data behind the information; the caller frees it with ExFreePool. STATUS_OBJECT_TYPE_MISMATCH: it is not of Type. */
NTSTATUS PnpQueryAny(HANDLE Key, PCWSTR Name, PKEY_VALUE_PARTIAL_INFORMATION *Value); /* of any type */
NTSTATUS PnpQueryValue(HANDLE Key, PCWSTR Name, ULONG Type, PKEY_VALUE_PARTIAL_INFORMATION *Value);
/* The text of a REG_SZ without terminators; it points into the value. */
UNICODE_STRING PnpValueText(const KEY_VALUE_PARTIAL_INFORMATION *Value);
ULONG PnpQueryNumber(HANDLE Key, PCWSTR Name, ULONG Otherwise);

/* --- text.c: REG_MULTI_SZ --- */

/* The next string of a list that ends with an empty one or with Length bytes; FALSE: no more. *At begins with 0. */
BOOLEAN PnpNextText(const WCHAR *List, ULONG Length, PULONG At, PUNICODE_STRING Text);
/* Bytes with both terminators. */
ULONG PnpListLength(const WCHAR *List);

/* --- match.c: the driver database --- */

/* install.c: a device without a service gets the best driver of DriverDatabase: Service, Driver, ClassGUID and what its INF says. Device is its key.
 * STATUS_OBJECT_NAME_NOT_FOUND: no package has one of its IDs. */
NTSTATUS PnpInstallDriver(PNP_NODE *Node, HANDLE Device);

/* --- stack.c, start.c, enumerate.c, remove.c: in the PnP thread. What fails is told and becomes the node's problem --- */

/* AddDevice of its filters and its function driver. On failure the stack is removed again. */
NTSTATUS PnpBuildStack(PNP_NODE *Node);
/* On failure the stack is removed. */
NTSTATUS PnpStartNode(PNP_NODE *Node);
VOID PnpRestart(
    PNP_NODE *Node); /* stopped and started with the resources that it needs now, if its drivers agree */
NTSTATUS PnpQueryStop(PNP_NODE *Node);
VOID PnpAskRequirementsAgain(PNP_NODE *Node); /* its stack is not started */
VOID PnpUpdateState(PNP_NODE *Node);
VOID PnpSetProblem(PNP_NODE *Node, ULONG Problem, NTSTATUS Status);

VOID PnpEnumerateNode(PNP_NODE *Node);
VOID PnpBringUp(PNP_NODE *Node); /* as far as it comes */

/* Asks the drivers of the node and of all below it. STATUS_UNSUCCESSFUL: one does not agree or a file is open; all have heard that nothing comes of it. */
NTSTATUS PnpQueryRemove(PNP_NODE *Top);
/* IRP_MN_REMOVE_DEVICE; drivers without a device are unloaded. */
VOID PnpDropStack(PNP_NODE *Node);
/* The stacks of the node and of all below it; nobody is asked. Nodes below it go; it goes when its bus driver does not report it any more. */
VOID PnpRemoveStacks(PNP_NODE *Top, ULONG Problem);
VOID PnpSurpriseRemove(PNP_NODE *Top);
VOID PnpFinishRemoval(PNP_NODE *Node); /* of a surprise-removed one, if no file is open */
VOID PnpVanish(PNP_NODE *Node);        /* its bus driver does not report it any more */
VOID PnpEject(PNP_NODE *Node);

/* First parameter of bug check 0xC4: p2 the device, p3 its PDO. See docs/deviations.md (D-008). */
#define PNP_RULE_NOT_DETACHED 0x4E540017u

/* --- notify.c --- */

VOID PnpInitWatches(VOID);

/* Those who watch the device are told. What the first that refuses GUID_TARGET_DEVICE_QUERY_REMOVE returned. */
NTSTATUS PnpNotifyTarget(PNP_NODE *Node, const GUID *Event);
/* The same with a TARGET_DEVICE_..._NOTIFICATION of any kind, whose FileObject is filled in. Who refuses a query is the last to be asked. */
NTSTATUS PnpNotifyFiles(PDEVICE_OBJECT Pdo, PVOID Notification);

/* relations.c: bug check 0xCA when it is no PDO that a bus driver has reported. */
PNP_NODE *PnpRequireNode(PDEVICE_OBJECT Pdo);

/* --- resource_list.c, resources.c --- */

ULONG PnpResourcesLength(const CM_RESOURCE_LIST *List); /* bytes */
VOID PnpInitResources(VOID);
VOID PnpReserveBootResources(PNP_NODE *Node);
/* What it needs, asked for first. STATUS_CONFLICTING_ADDRESSES: it cannot be had; STATUS_INVALID_PARAMETER: the list is none. */
NTSTATUS PnpAssignResources(PNP_NODE *Node);
VOID PnpReleaseResources(PNP_NODE *Node);
/* rebalance.c: it has its resources, because another was stopped, which is now to be started again on its new ones. NULL: nobody could make room. */
PNP_NODE *PnpRebalance(PNP_NODE *Node);

/* --- root.c: the root of the tree and the devices that nothing enumerates --- */

VOID PnpMakeRoot(VOID);
/* acpi.c: \\Driver\\ACPI and the key of its device. */
VOID PnpMakeAcpi(VOID);

/* --- report.c --- */

VOID PnpTell(const PNP_NODE *Node, PCSTR What, NTSTATUS Status);
/* Whom the lines of the node name from now on. */
VOID PnpNoteDriver(PNP_NODE *Node, PDRIVER_OBJECT Driver);
