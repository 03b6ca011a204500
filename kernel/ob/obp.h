/* SPDX-License-Identifier: MIT
 * Tier 3, ob: the object header, types, the name space and handle tables, for this folder only.
 *
 * Locks. ObpNameLock (n), LockRankObject: directories, names, the link between an object and its name. It is held for one
 * path component, never over a parse procedure. The lock of a handle table (h), LockRankObject too. Neither is taken
 * while the other is held. Counts are interlocked. */
#pragma once
#include "ob.h"
#include "arch.h"

#define OBP_TAG_NAME 'mNbO'
#define OBP_TAG_HANDLES 'tHbO'
#define OBP_TAG_CREATE 'rCbO'
#define OBP_HEADER_CHECK 0x4a624f4eu /* "NObJ" */

#define OBP_FLAG_PERMANENT 0x1u
#define OBP_FLAG_REMOVED 0x2u /* the name was taken away */

/* Our own layout; the first fields stand where drivers' debug code expects a list head and the name. */
typedef struct _OBJECT_TYPE {
    LIST_ENTRY TypeList;
    UNICODE_STRING Name;
    OB_TYPE_INFO Info;
    ULONG Index;                           /* (c) */
    PSECURITY_DESCRIPTOR volatile Default; /* of Info.Sddl, made when it is first asked for; never freed */
    volatile LONG64 ObjectCount;
    volatile LONG64 HandleCount;
} OBJECT_TYPE;

/* From ObCreateObject to ObInsertObject. */
typedef struct _OBP_CREATE_INFO {
    HANDLE RootDirectory;
    ULONG Attributes;
    KPROCESSOR_MODE Mode; /* of who asked */
    UNICODE_STRING Name;
    PSECURITY_DESCRIPTOR Security; /* captured, or NULL */
} OBP_CREATE_INFO;

typedef struct _OBP_NAME {
    LIST_ENTRY Bucket;                /* (n) */
    struct _OBP_HEADER *Header;       /* (c) */
    struct _OBP_DIRECTORY *Directory; /* (c) referenced */
    ULONG Hash;                       /* (c) of the upper-case name */
    UNICODE_STRING Name;              /* (c) */
} OBP_NAME;

/* In front of each body. */
typedef struct DECLSPEC_ALIGN(16) _OBP_HEADER {
    volatile LONG64 PointerCount;
    volatile LONG64 HandleCount;
    POBJECT_TYPE Type;               /* (c) */
    OBP_NAME *Name;                  /* (n) NULL while it has none */
    OBP_CREATE_INFO *Create;         /* creator only */
    PSECURITY_DESCRIPTOR Security;   /* ObpSecurityLock; self-relative, in a counted block, or NULL */
    struct _OBP_HEADER *NextDeleted; /* in the list of deferred deletions */
    volatile LONG Flags;             /* OBP_FLAG_... */
    ULONG Check;                     /* OBP_HEADER_CHECK */
} OBP_HEADER;
_Static_assert(sizeof(OBP_HEADER) % 16 == 0, "an object's body is 16-byte aligned");

#define OBP_BUCKETS 32

typedef struct _OBP_DIRECTORY {
    LIST_ENTRY Bucket[OBP_BUCKETS]; /* (n) of OBP_NAME */
} OBP_DIRECTORY;

typedef struct _OBP_LINK {
    UNICODE_STRING Target; /* (c) */
    LARGE_INTEGER CreationTime;
} OBP_LINK;

static inline OBP_HEADER *ObpHeader(const void *Object)
{
    return (OBP_HEADER *)((ULONG_PTR)Object - sizeof(OBP_HEADER));
}

static inline PVOID ObpBody(OBP_HEADER *Header)
{
    return Header + 1;
}

extern ARCH_LOCK ObpNameLock;
extern POBJECT_TYPE ObpTypeObjectType;
extern OBP_DIRECTORY *ObpRootDirectory;

/* object.c */
OBP_HEADER *ObpCheckedHeader(const void *Object); /* bug check when Object is no object */
/* Any IRQL <= DISPATCH_LEVEL: fails when the object is on its way out (count 0). */
BOOLEAN ObpReferenceSafe(OBP_HEADER *Header);

VOID ObpFreeCreateInfo(OBP_HEADER *Header);

/* security.c. PASSIVE_LEVEL. */
NTSTATUS ObpAssignSecurity(OBP_HEADER *Header); /* of a new object, by its creator's words */
/* What the caller gets of what he asks for; STATUS_ACCESS_DENIED and others. Mode: ObCheckMode. */
NTSTATUS ObpCheckAccess(OBP_HEADER *Header, KPROCESSOR_MODE Mode, ACCESS_MASK Desired, PACCESS_MASK Granted);
/* A handle to an object that is there already: user mode must be allowed what it asks for. */
NTSTATUS ObpOpenHandle(PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess, ULONG Attributes,
                       PHANDLE Handle);
VOID ObpFreeSecurity(OBP_HEADER *Header); /* the object is being deleted */

/* type.c */
VOID ObpInitTypeType(VOID);
NTSTATUS ObpInsertTypeName(POBJECT_TYPE Type);

/* directory.c. Each IRQL PASSIVE_LEVEL and takes ObpNameLock. */
NTSTATUS ObpMakeDirectory(OBP_DIRECTORY **Directory);
/* One more character of a name. All that has the same upper-case form counts the same: of ASCII, what differs in one bit. */
static inline ULONG ObpHashStep(ULONG Hash, WCHAR C)
{
    if (C >= 0x80)
        C = RtlUpcaseUnicodeChar(C);
    return ((Hash << 5) | (Hash >> 27)) ^ (C & ~(WCHAR)('a' - 'A'));
}

static inline VOID ObpSkip(PUNICODE_STRING Name, ULONG Bytes)
{
    Name->Buffer += Bytes / sizeof(WCHAR);
    Name->Length -= (USHORT)Bytes;
    Name->MaximumLength -= (USHORT)Bytes;
}

/* Where a walk is. */
typedef struct _OBP_PLACE {
    OBP_DIRECTORY *Directory; /* referenced */
    UNICODE_STRING Rest;      /* of the name: below Directory, then behind Component */
    UNICODE_STRING Component;
    ULONG Hash;
    BOOLEAN IgnoreCase;
} OBP_PLACE;

/* Follows Rest through directories, which it does at one holding of the lock, to the first entry that is none, or is the last. That is
 * returned referenced, and Directory has lost its reference. NULL: Directory, which is referenced, has no such entry. */
PVOID ObpDescend(OBP_PLACE *Place);
/* The entry as a referenced body, NULL when there is none. With NewName the entry is inserted when there is none, which
 * takes over NewName; then NULL is returned too. Hash: ObpHashStep over all of Name. */
PVOID ObpFindOrInsert(OBP_DIRECTORY *Directory, PCUNICODE_STRING Name, ULONG Hash, BOOLEAN IgnoreCase,
                      OBP_NAME *NewName);
NTSTATUS ObpMakeName(OBP_HEADER *Header, OBP_DIRECTORY *Directory, PCUNICODE_STRING Name, OBP_NAME **NewName);
VOID ObpFreeNameNode(OBP_NAME *Name);
VOID ObpRemoveName(OBP_HEADER *Header); /* nothing when it has none */

/* lookup.c */
typedef struct _OBP_LOOKUP {
    HANDLE RootDirectory;
    UNICODE_STRING Name; /* captured */
    OB_PARSE Parse;
    OBP_HEADER *Insert; /* object that gets the name, or NULL */
    BOOLEAN Inserted;   /* out */
    PVOID Found;        /* out: referenced, unless Inserted */
} OBP_LOOKUP;

NTSTATUS ObpLookup(OBP_LOOKUP *Lookup);

/* capture.c: Mode says whose memory From and what it points to are (ObCaptureAttributes: ob.h). The name goes back with ObFreeName. */
NTSTATUS ObpCaptureName(PUNICODE_STRING Copy, const UNICODE_STRING *From, KPROCESSOR_MODE Mode);
/* From attributes that are captured already; *Quality: Copy, or NULL when they have none. PASSIVE_LEVEL. */
NTSTATUS ObpCaptureQuality(SECURITY_QUALITY_OF_SERVICE *Copy, const OBJECT_ATTRIBUTES *Captured,
                           KPROCESSOR_MODE Mode, PSECURITY_QUALITY_OF_SERVICE *Quality);

/* handle.c */
VOID ObpDropHandleCount(OBP_HEADER *Header); /* of a count that is no handle of a table */
NTSTATUS ObpCreateHandle(PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess, ULONG Attributes,
                         PHANDLE Handle);

/* start-up of the parts, from ObInitSystem */
VOID ObpInitHandles(VOID);
VOID ObpInitDirectoryType(VOID);
VOID ObpInitLinkType(VOID);
VOID ObpInitEventType(VOID);
VOID ObpInitSemaphoreType(VOID); /* semaphore.c */
VOID ObpInitMutantType(VOID);    /* mutant.c */
