/* SPDX-License-Identifier: MIT
 * Access control entries. [MS-DTYP 2.4.4] What follows an ACE's header and mask depends on its type: a SID; in an object ACE up
 * to two GUIDs before it; in a compound ACE two SIDs. */
#include "rtl_security.h"
#include "rtlp.h"

/* ACE_OBJECT_TYPE_PRESENT, ACE_INHERITED_OBJECT_TYPE_PRESENT [MS-DTYP 2.4.4.3] */
#define RTLP_HAS_OBJECT_TYPE 0x1u
#define RTLP_HAS_INHERITED_TYPE 0x2u
#define RTLP_OBJECT_FLAGS_END (sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) + sizeof(ULONG))

/* The types after SYSTEM_MANDATORY_LABEL_ACE: resource attribute, scoped policy, process trust label, access filter. */
#define RTLP_LAST_SIMPLE_TYPE 0x15

BOOLEAN RtlIsObjectAce(UCHAR Type)
{
    switch (Type) {
    case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case SYSTEM_AUDIT_OBJECT_ACE_TYPE:
    case SYSTEM_ALARM_OBJECT_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE:
    case SYSTEM_AUDIT_CALLBACK_OBJECT_ACE_TYPE:
    case SYSTEM_ALARM_CALLBACK_OBJECT_ACE_TYPE:
        return TRUE;
    }
    return FALSE;
}

static ULONG RtlpObjectFlags(const ACE_HEADER *Ace)
{
    return ((const ULONG *)Ace)[2];
}

/* Bytes of ACE before its (first) SID; 0: the type is not known. The header and, if there is one, the flags can be read. */
static ULONG RtlpSidOffset(const ACE_HEADER *Ace)
{
    if (Ace->AceType == ACCESS_ALLOWED_COMPOUND_ACE_TYPE)
        return RTLP_OBJECT_FLAGS_END; /* a word for the kind of compound lies where the flags are */
    if (RtlIsObjectAce(Ace->AceType)) {
        ULONG Flags = Ace->AceSize < RTLP_OBJECT_FLAGS_END ? 0 : RtlpObjectFlags(Ace);
        return RTLP_OBJECT_FLAGS_END + (Flags & RTLP_HAS_OBJECT_TYPE ? sizeof(GUID) : 0) +
               (Flags & RTLP_HAS_INHERITED_TYPE ? sizeof(GUID) : 0);
    }
    return Ace->AceType <= RTLP_LAST_SIMPLE_TYPE ? sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) : 0;
}

/* Ace lies in Room bytes, whole. */
static BOOLEAN RtlpValidAce(const ACE_HEADER *Ace, SIZE_T Room)
{
    if (Room < sizeof(*Ace) || Ace->AceSize < sizeof(*Ace) || Ace->AceSize > Room ||
        Ace->AceSize % sizeof(ULONG) != 0)
        return FALSE;
    ULONG Offset = RtlpSidOffset(Ace);
    if (Offset == 0)
        return TRUE;
    return Ace->AceSize >= Offset && RtlSidFits((const UCHAR *)Ace + Offset, Ace->AceSize - Offset);
}

PSID RtlAceSid(const ACE_HEADER *Ace)
{
    ULONG Offset = RtlpSidOffset(Ace);
    return Offset != 0 ? (PUCHAR)Ace + Offset : NULL;
}

const GUID *RtlAceObjectType(const ACE_HEADER *Ace)
{
    if (!RtlIsObjectAce(Ace->AceType) || !(RtlpObjectFlags(Ace) & RTLP_HAS_OBJECT_TYPE))
        return NULL;
    return (const GUID *)((const UCHAR *)Ace + RTLP_OBJECT_FLAGS_END);
}

/* Bytes of Count valid ACEs in Room bytes; MAXULONG when they are not. */
static ULONG RtlpAceBytes(const ACE_HEADER *Ace, ULONG Count, SIZE_T Room)
{
    ULONG Bytes = 0;
    for (; Count != 0; Count--) {
        const ACE_HEADER *Next = (const ACE_HEADER *)((const UCHAR *)Ace + Bytes);
        if (!RtlpValidAce(Next, Room - Bytes))
            return MAXULONG;
        Bytes += Next->AceSize;
    }
    return Bytes;
}

BOOLEAN RtlIsValidAcl(const ACL *Acl, SIZE_T Length)
{
    if (Length < sizeof(*Acl) || Acl->AclRevision < MIN_ACL_REVISION || Acl->AclRevision > MAX_ACL_REVISION)
        return FALSE;
    if (Acl->AclSize < sizeof(*Acl) || Acl->AclSize > Length || Acl->AclSize % sizeof(ULONG) != 0)
        return FALSE;
    return RtlpAceBytes((const ACE_HEADER *)(Acl + 1), Acl->AceCount, Acl->AclSize - sizeof(*Acl)) !=
           MAXULONG;
}

ACE_HEADER *RtlAclEnd(const ACL *Acl)
{
    ACE_HEADER *First = (ACE_HEADER *)(Acl + 1);
    return (ACE_HEADER *)((PUCHAR)First + RtlpAceBytes(First, Acl->AceCount, Acl->AclSize - sizeof(*Acl)));
}

/* The Index-th ACE, or the end when there are not so many. */
static ACE_HEADER *RtlpAceAt(const ACL *Acl, ULONG Index)
{
    ACE_HEADER *First = (ACE_HEADER *)(Acl + 1);
    ULONG Count = Index < Acl->AceCount ? Index : Acl->AceCount;
    return (ACE_HEADER *)((PUCHAR)First + RtlpAceBytes(First, Count, Acl->AclSize - sizeof(*Acl)));
}

/* [WDK RtlCreateAcl] STATUS_BUFFER_TOO_SMALL; STATUS_INVALID_PARAMETER for a revision that is not known or a length beyond the
 * size field. An ACL ends at a ULONG. */
NTSTATUS NTAPI RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    if (AclLength < sizeof(*Acl))
        return STATUS_BUFFER_TOO_SMALL;
    if (AclRevision < MIN_ACL_REVISION || AclRevision > MAX_ACL_REVISION || AclLength > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    memset(Acl, 0, sizeof(*Acl));
    Acl->AclRevision = (UCHAR)AclRevision;
    Acl->AclSize = (USHORT)(AclLength & ~3u);
    return STATUS_SUCCESS;
}

/* [WDK RtlGetAce] STATUS_INVALID_PARAMETER: no such ACE, or the ACL is damaged. */
NTSTATUS NTAPI RtlGetAce(PACL Acl, ULONG AceIndex, PVOID *Ace)
{
    if (!RtlIsValidAcl(Acl, MAXUSHORT) || AceIndex >= Acl->AceCount)
        return STATUS_INVALID_PARAMETER;
    *Ace = RtlpAceAt(Acl, AceIndex);
    return STATUS_SUCCESS;
}

/* [WDK RtlDeleteAce] the later ones move up; the size of the ACL stays. */
NTSTATUS NTAPI RtlDeleteAce(PACL Acl, ULONG AceIndex)
{
    if (!RtlIsValidAcl(Acl, MAXUSHORT) || AceIndex >= Acl->AceCount)
        return STATUS_INVALID_PARAMETER;
    PUCHAR Ace = (PUCHAR)RtlpAceAt(Acl, AceIndex), End = (PUCHAR)RtlAclEnd(Acl);
    ULONG Size = ((ACE_HEADER *)Ace)->AceSize;
    memmove(Ace, Ace + Size, (SIZE_T)(End - Ace) - Size);
    memset(End - Size, 0, Size);
    Acl->AceCount--;
    return STATUS_SUCCESS;
}

/* How many whole, valid ACEs Length bytes are; MAXULONG when they are something else. */
static ULONG RtlpCountAces(const VOID *List, ULONG Length)
{
    ULONG Count = 0, At = 0;
    for (; At < Length; Count++) {
        const ACE_HEADER *Ace = (const ACE_HEADER *)((const UCHAR *)List + At);
        if (!RtlpValidAce(Ace, Length - At))
            return MAXULONG;
        At += Ace->AceSize;
    }
    return Count;
}

/* Opens a gap of Bytes before the Index-th ACE; NULL when the ACL has no room. */
static PVOID RtlpOpenGap(PACL Acl, ULONG Index, ULONG Bytes)
{
    PUCHAR End = (PUCHAR)RtlAclEnd(Acl), At = (PUCHAR)RtlpAceAt(Acl, Index);
    if (Bytes > Acl->AclSize - (SIZE_T)(End - (PUCHAR)Acl))
        return NULL;
    memmove(At + Bytes, At, (SIZE_T)(End - At));
    return At;
}

/* [WDK RtlAddAce] StartingAceIndex MAXULONG, or more than there are: at the end. STATUS_INVALID_PARAMETER: a damaged ACL or
 * list, or a revision that is not known; STATUS_BUFFER_TOO_SMALL. */
NTSTATUS NTAPI RtlAddAce(PACL Acl, ULONG AceRevision, ULONG StartingAceIndex, PVOID AceList,
                         ULONG AceListLength)
{
    if (!RtlIsValidAcl(Acl, MAXUSHORT) || AceRevision < MIN_ACL_REVISION || AceRevision > MAX_ACL_REVISION)
        return STATUS_INVALID_PARAMETER;
    ULONG Count = RtlpCountAces(AceList, AceListLength);
    if (Count == MAXULONG || Count > (ULONG)MAXUSHORT - Acl->AceCount)
        return STATUS_INVALID_PARAMETER;
    PVOID Gap = RtlpOpenGap(Acl, StartingAceIndex, AceListLength);
    if (Gap == NULL)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(Gap, AceList, AceListLength);
    Acl->AceCount += (USHORT)Count;
    if (AceRevision > Acl->AclRevision)
        Acl->AclRevision = (UCHAR)AceRevision;
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendAce(PACL Acl, UCHAR Type, UCHAR Flags, ACCESS_MASK Mask, PSID Sid)
{
    if (!RtlValidSid(Sid))
        return STATUS_INVALID_SID;
    if (!RtlIsValidAcl(Acl, MAXUSHORT) || Acl->AceCount == MAXUSHORT)
        return STATUS_INVALID_ACL;
    ULONG Size = (ULONG)(sizeof(ACE_HEADER) + sizeof(ACCESS_MASK) + RtlLengthSid(Sid));
    ACCESS_ALLOWED_ACE *Ace = RtlpOpenGap(Acl, MAXULONG, Size);
    if (Ace == NULL)
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    Ace->Header = (ACE_HEADER){Type, Flags, (USHORT)Size};
    Ace->Mask = Mask;
    memcpy(&Ace->SidStart, Sid, RtlLengthSid(Sid));
    Acl->AceCount++;
    return STATUS_SUCCESS;
}

/* [WDK RtlAddAccessAllowedAceEx] STATUS_REVISION_MISMATCH, STATUS_INVALID_PARAMETER (flags), STATUS_INVALID_SID,
 * STATUS_INVALID_ACL, STATUS_ALLOTTED_SPACE_EXCEEDED. */
NTSTATUS NTAPI RtlAddAccessAllowedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags, ACCESS_MASK AccessMask,
                                        PSID Sid)
{
    if (AceRevision < MIN_ACL_REVISION || AceRevision > MAX_ACL_REVISION ||
        Acl->AclRevision > MAX_ACL_REVISION)
        return STATUS_REVISION_MISMATCH;
    if (AceFlags & ~(ULONG)VALID_INHERIT_FLAGS)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = RtlAppendAce(Acl, ACCESS_ALLOWED_ACE_TYPE, (UCHAR)AceFlags, AccessMask, Sid);
    if (NT_SUCCESS(Status) && AceRevision > Acl->AclRevision)
        Acl->AclRevision = (UCHAR)AceRevision;
    return Status;
}

/* [WDK RtlAddAccessAllowedAce] */
NTSTATUS NTAPI RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlAddAccessAllowedAceEx(Acl, AceRevision, 0, AccessMask, Sid);
}

/* [WDK RtlMapGenericMask] */
VOID NTAPI RtlMapGenericMask(PACCESS_MASK AccessMask, PGENERIC_MAPPING GenericMapping)
{
    ACCESS_MASK Mask = *AccessMask & ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
    if (*AccessMask & GENERIC_READ)
        Mask |= GenericMapping->GenericRead;
    if (*AccessMask & GENERIC_WRITE)
        Mask |= GenericMapping->GenericWrite;
    if (*AccessMask & GENERIC_EXECUTE)
        Mask |= GenericMapping->GenericExecute;
    if (*AccessMask & GENERIC_ALL)
        Mask |= GenericMapping->GenericAll;
    *AccessMask = Mask;
}
