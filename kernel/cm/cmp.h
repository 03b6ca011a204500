/* SPDX-License-Identifier: MIT
 * Tier 3, cm: hives, keys and key objects inside the kernel.
 *
 * Locks, in the order they are taken. Registry lock (r): a push lock, shared by those who read hives, alone for those who change
 * them or what KCBs say. KCB lock (k): a push lock over the table of KCBs; who has (r) alone needs it too. Callback lock (c): the
 * list of registry callbacks. None is held over a call into a driver. All are taken in a critical region at PASSIVE_LEVEL, (r) alone in a guarded one.
 * Outside of them: the flush mutex (f), by which one thread at a time writes hives to files and hives are unloaded. It is held while file
 * systems work, so it is a dispatcher object and may be acquired again by its owner. */
#pragma once
#include "cm.h"
#include "ob.h"
#include "cm/hive.h"

#define CMP_TAG_HIVE 'vHmC'
#define CMP_TAG_KCB 'bKmC'
#define CMP_TAG_NOTIFY 'nNmC'
#define CMP_TAG_CALLBACK 'cCmC'
#define CMP_TAG_QUERY 'uQmC'

#define CMP_MAX_NAME_BYTES 510u /* [WDK Registry Element Size Limits] 255 characters */
#define CMP_MAX_VALUE_NAME_BYTES 32766u

/* A hive and where it hangs in the tree. Never freed, but for one that ZwLoadKey brought. */
typedef struct _CMP_HIVE {
    LIST_ENTRY Entry;            /* (r) of CmpHives */
    HIVE Hive;                   /* (r) */
    struct _CMP_HIVE *MountHive; /* constant. NULL: the master hive, which is \Registry */
    ULONG MountCell;             /* constant: key in MountHive that has HIVE_KEY_EXIT */
    BOOLEAN VolatileOnly;        /* constant. Every key in it is volatile, as in HKLM\HARDWARE */
    BOOLEAN Loaded;              /* constant. By ZwLoadKey */
    BOOLEAN
    Trusted; /* constant. [WDK RtlQueryRegistryValues] a system hive: programs without rights do not write it */
    PVOID
    Owner; /* (f) routine of the driver that was running when it was loaded; NULL: none, or it is gone */
    BOOLEAN Writing;     /* (f) the mutex's owner writes it */
    BOOLEAN Unwritten;   /* (f) that it cannot be written is in the log; until it is written again */
    ULONG Failures;      /* (f) flushes since the last that did not fail */
    ULONG64 FlushAt;     /* (r) interrupt time; 0: it is not to be flushed by itself */
    HANDLE Held;         /* (f) File, open for the kernel alone; NULL: not held */
    UNICODE_STRING File; /* constant. Where it is flushed to; empty: nowhere. ObFreeName if Loaded */
} CMP_HIVE;

/* Key control block: one for each key that is in use, and for the keys above it. */
typedef struct _CMP_KCB {
    LIST_ENTRY Bucket;        /* (k) */
    volatile LONG References; /* becomes 0 under (k) only */
    BOOLEAN Deleted;          /* (r) the key is gone; in no bucket */
    ULONG64 Number;           /* constant. No other has or had it */
    CMP_HIVE *Hive;           /* constant */
    ULONG Cell;               /* (r) */
    struct _CMP_KCB *Parent;  /* constant, referenced. NULL: \REGISTRY */
    LIST_ENTRY Notifies;      /* (r) of CMP_NOTIFY */
    UNICODE_STRING Name;      /* (r) last component, with the hive's spelling; ObFreeName */
} CMP_KCB;

/* A key that was read. Name is what it is called in the tree: a mounted root takes the name of its mount point. Valid while (r) is
 * held. */
typedef struct _CMP_NODE {
    CMP_HIVE *Hive;
    HIVE_KEY Key;
    HIVE_NAME Name;
} CMP_NODE;

/* What a handle has asked to be told of: notify.c. */
typedef struct _CMP_NOTIFY {
    LIST_ENTRY Entry;    /* (r) of CMP_KCB.Notifies, when Armed */
    LIST_ENTRY Requests; /* (r) of CMP_REQUEST */
    ULONG Filter;        /* (r) REG_NOTIFY_xxx */
    BOOLEAN WatchTree;   /* (r) */
    BOOLEAN Armed;       /* (r) */
    BOOLEAN Missed;      /* (r) something changed while no request was there */
    BOOLEAN Closed;      /* (r), set with (r) shared. The last handle went away: nothing is armed any more */
} CMP_NOTIFY;

/* Body of a key object. */
typedef struct _CMP_KEY {
    CMP_KCB *Kcb;        /* constant, referenced */
    CMP_NOTIFY Notify;   /* (r) */
    LIST_ENTRY Contexts; /* (c) of registry callbacks */
    UNICODE_STRING Path; /* (c) what CmCallbackGetKeyObjectID gave out, or empty; ObFreeName */
} CMP_KEY;

extern CMP_HIVE CmpMasterHive;

/* --- locks: lock.c ------------------------------------------------------------------------------------------- */

VOID CmpLockShared(VOID);
VOID CmpLockExclusive(VOID);
VOID CmpUnlockShared(VOID);
VOID CmpUnlockExclusive(VOID);

/* --- hives: hive.c ------------------------------------------------------------------------------------------- */

/* HiveDamaged cannot happen in a hive that HiveLoad accepted; it is STATUS_REGISTRY_CORRUPT. */
NTSTATUS CmpStatus(HIVE_STATUS Status);
extern const HIVE_MEMORY CmpPagedMemory;
ULONG64 CmpNow(VOID);
/* Reads a hive file, and holds it: CmpReleaseFile. A sentence in the log when that fails. */
NTSTATUS CmpReadHiveFile(PCUNICODE_STRING Path, PHANDLE File, HIVE *Hive);
/* (r) alone. Hangs the hive into the key Parent of MountHive, as a new key Name. */
NTSTATUS CmpMountHive(CMP_HIVE *Hive, CMP_HIVE *MountHive, ULONG Parent, PCUNICODE_STRING Name);
CMP_HIVE *CmpMountedAt(const CMP_HIVE *MountHive, ULONG Cell); /* (r) */
VOID CmpAddHive(CMP_HIVE *Hive);                               /* (r) alone */
CMP_HIVE *CmpNextHive(const CMP_HIVE *Last);                   /* (f). NULL: the first, the end */

/* --- hives to files: file.c, flush.c --------------------------------------------------------------------------- */

NTSTATUS CmpWriteFile(HANDLE File, const uint8_t *Bytes, ULONG Length);
/* Opened so that nobody else may read, write or delete it; *File is NULL when that fails. [RegLoadKey] STATUS_SHARING_VIOLATION: somebody has
 * it open, as has the hive that was loaded from it. */
NTSTATUS CmpHoldFile(PCUNICODE_STRING Path, PHANDLE File);
VOID CmpReleaseFile(PHANDLE File); /* NULL: nothing is held */
/* The file Path has these bytes, or those that it had. Held: how it is held, which goes over to the new file; NULL when nobody holds it. */
NTSTATUS CmpReplaceFile(PCUNICODE_STRING Path, PHANDLE Held, const uint8_t *Bytes, ULONG Length);

VOID CmpInitFlush(VOID);
VOID CmpLockFlush(VOID);
VOID CmpUnlockFlush(VOID);
/* (f). Writes the hive if it changed. STATUS_REGISTRY_IO_FAILED: its file cannot be written. */
NTSTATUS CmpFlushHive(CMP_HIVE *Hive);
/* (r) alone. The hive may have changed: it will be flushed. */
VOID CmpFlushLater(CMP_HIVE *Hive);

/* --- keys: node.c, kcb.c. (r) is held ------------------------------------------------------------------------ */

NTSTATUS CmpReadNode(const CMP_KCB *Kcb, CMP_NODE *Node); /* STATUS_KEY_DELETED */
ULONG CmpSubKeyCount(const CMP_NODE *Node);
NTSTATUS CmpSubKey(const CMP_NODE *Node, ULONG Index, CMP_NODE *SubKey); /* STATUS_NO_MORE_ENTRIES */
NTSTATUS CmpFindSubKey(const CMP_NODE *Node, PCUNICODE_STRING Name,
                       CMP_NODE *SubKey); /* STATUS_OBJECT_NAME_NOT_FOUND */
BOOLEAN CmpIsVolatile(const CMP_NODE *Node);

/* The KCB of the key that was read, a subkey of Parent (NULL: \REGISTRY itself); referenced. */
NTSTATUS CmpGetKcb(CMP_KCB *Parent, const CMP_NODE *Node, CMP_KCB **Kcb);
VOID CmpReferenceKcb(CMP_KCB *Kcb);
VOID CmpDereferenceKcb(CMP_KCB *Kcb);                            /* (r) need not be held */
VOID CmpForgetKcb(CMP_KCB *Kcb);                                 /* (r) alone: deleted */
VOID CmpMoveKcb(CMP_KCB *Kcb, ULONG Cell, PUNICODE_STRING Name); /* (r) alone: renamed; takes over Name */
BOOLEAN CmpIsHiveInUse(const CMP_HIVE *Hive,
                       const CMP_KCB *But); /* (r) alone; one reference of But does not count */
/* The absolute name, "\REGISTRY\MACHINE\...": bytes, and the text, which goes where there is room for it. */
ULONG CmpPathLength(const CMP_KCB *Kcb);
VOID CmpPutPath(const CMP_KCB *Kcb, PWCHAR To);

/* --- key objects: key_object.c -------------------------------------------------------------------------------- */

VOID CmpInitKeyType(VOID);
NTSTATUS CmpMakeKeyObject(CMP_KEY **Key); /* for a key that is yet to be found: Kcb is NULL */
NTSTATUS CmpReferenceKey(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, CMP_KEY **Key);

/* [WDK ACCESS_MASK] what the generic rights mean for keys */
#define CMP_KEY_MAPPING {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS}

/* key_name.c: the type's name method. PASSIVE_LEVEL; drivers are called. */
NTSTATUS CmpQueryKeyName(PVOID Object, PUNICODE_STRING Name, PULONG Needed);

/* key_security.c: the type's security method. */
NTSTATUS CmpKeySecurity(PVOID Object, OB_SECURITY_CALL *Call);
/* (r). What the key's descriptor grants the thread's caller of *Access, which may have generic rights and MAXIMUM_ALLOWED. Kernel mode gets
 * what it asks. */
NTSTATUS CmpCheckAccess(const CMP_KCB *Kcb, KPROCESSOR_MODE Mode, PACCESS_MASK Access);
/* (r) alone. The descriptor of a new key below Parent: Explicit's parts, and what Parent's passes on; to CmpFreeSecurity. NULL: Parent has none
 * either. */
NTSTATUS CmpMakeSecurity(const CMP_KCB *Parent, PSECURITY_DESCRIPTOR Explicit, KPROCESSOR_MODE Mode,
                         PSECURITY_DESCRIPTOR *Descriptor);

/* A string of a caller. Text is NULL when he gave none; it is his own for kernel mode, else Copy. */
typedef struct _CMP_TEXT {
    PUNICODE_STRING Text;
    UNICODE_STRING Copy;
} CMP_TEXT;

/* What ZwCreateKey wants of the parse procedure; NULL: ZwOpenKey. */
typedef struct _CMP_CREATE {
    ULONG Options; /* REG_OPTION_xxx */
    UNICODE_STRING Class;
    CMP_TEXT ClassText;            /* what Class is of */
    PSECURITY_DESCRIPTOR Security; /* captured, or NULL */
    KPROCESSOR_MODE Mode;          /* whose rights count; set by the look-up */
    ULONG Disposition;             /* out */
    BOOLEAN Create;                /* FALSE: open only, with Options */
} CMP_CREATE;
/* parse.c: the type's parse procedure. */
NTSTATUS CmpParseKey(PVOID Object, OB_PARSE *Parse, PVOID *Found);
/* create.c, (r) alone. */
NTSTATUS CmpCreateSubKey(CMP_KCB *Parent, PCUNICODE_STRING Name, CMP_CREATE *Create, CMP_KCB **Kcb);

/* --- notifications: notify.c ------------------------------------------------------------------------------------ */

/* (r) alone. Something that Filter (REG_NOTIFY_xxx) names changed in the key: who waits for it is told, its hive is flushed later. */
VOID CmpReportChange(CMP_KCB *Kcb, ULONG Filter);
VOID CmpEndNotify(CMP_KEY *Key);      /* the handle's last close */
VOID CmpEndKcbNotifies(CMP_KCB *Kcb); /* (r) alone: deleted */

/* --- callbacks of drivers: callback.c ----------------------------------------------------------------------------- */

/* One operation that drivers are told of. Information is the REG_..._INFORMATION, in which CallContext and ObjectContext lie. */
typedef struct _CMP_CALL {
    REG_NOTIFY_CLASS Pre, Post;
    CMP_KEY *Key; /* whose object contexts are meant; may be NULL */
    PVOID Information;
    PVOID *CallContext, *ObjectContext;
    struct _CMP_CALLED *Called; /* who has been told before, to be told after */
    ULONG Count;
} CMP_CALL;
extern volatile LONG CmpCallbackCount;
/* PASSIVE_LEVEL, no lock. STATUS_SUCCESS: go on, and end with CmpEndCall. Else the operation is not done and *Result is what the
 * caller gets; drivers are not told of its end. */
BOOLEAN CmpBeginCall(CMP_CALL *Call, NTSTATUS *Result);
/* Object: of the operation, NULL when it failed. What the caller gets. */
NTSTATUS CmpEndCall(CMP_CALL *Call, PVOID Object, NTSTATUS Status);
VOID CmpCleanContexts(CMP_KEY *Key);

/* Fills a CMP_CALL for Information, a REG_..._INFORMATION with CallContext and ObjectContext. */
#define CMP_CALL_OF(PreClass, PostClass, KeyObject, Info)                                                    \
    {.Pre = (PreClass),                                                                                      \
     .Post = (PostClass),                                                                                    \
     .Key = (KeyObject),                                                                                     \
     .Information = &(Info),                                                                                 \
     .CallContext = &(Info).CallContext,                                                                     \
     .ObjectContext = &(Info).ObjectContext}

static inline BOOLEAN CmpHasCallbacks(VOID)
{
    return __atomic_load_n(&CmpCallbackCount, __ATOMIC_RELAXED) != 0;
}

/* --- results ----------------------------------------------------------------------------------------------------- */

/* output.c: a caller's buffer that may be too small. Offsets are from its start; what lies beyond its end is dropped. */
typedef struct _CMP_OUTPUT {
    PUCHAR Buffer;
    ULONG Length;
} CMP_OUTPUT;
VOID CmpPut(const CMP_OUTPUT *Output, ULONG Offset, const void *Bytes, ULONG Count);
VOID CmpPutName(const CMP_OUTPUT *Output, ULONG Offset, const HIVE_NAME *Name);
/* [WDK ZwQueryKey, ZwQueryValueKey] Fixed: bytes of the part without names and data; Whole: of all. Sets *ResultLength;
 * STATUS_BUFFER_TOO_SMALL: nothing may be written; STATUS_BUFFER_OVERFLOW: write what fits. */
NTSTATUS CmpOutputStatus(const CMP_OUTPUT *Output, ULONG Fixed, ULONG Whole, PULONG ResultLength);
