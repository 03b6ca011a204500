/* SPDX-License-Identifier: MIT
 * Descriptors of objects. [WDK ObGetObjectSecurity, ZwQuerySecurityObject, ZwSetSecurityObject] A descriptor is a counted block that never
 * changes: a new one takes its place. Types whose objects keep theirs elsewhere (files) have a Security method. */
#include "obp.h"
#include "ob_security.h"
#include "ke.h"
#include "mm_caller.h"
#include "se.h"

#define OBP_TAG_SECURITY 'sSbO'
#define OBP_MAX_SECURITY 0x20000u /* two ACLs at their largest, and more */

/* In front of each descriptor. */
typedef struct _OBP_SECURITY {
    volatile LONG64 References;
    ULONG64 Reserved; /* the descriptor behind is 16-byte aligned */
} OBP_SECURITY;

/* Guards OBP_HEADER.Security of all objects, for a few instructions. */
static ARCH_LOCK ObpSecurityLock = ARCH_LOCK_INIT("ObpSecurityLock", LockRankObject, DISPATCH_LEVEL);

static VOID ObpDereferenceSecurity(PSECURITY_DESCRIPTOR Descriptor)
{
    if (Descriptor == NULL)
        return;
    OBP_SECURITY *Block = (OBP_SECURITY *)Descriptor - 1;
    if (InterlockedDecrement64(&Block->References) == 0)
        ExFreePoolWithTag(Block, OBP_TAG_SECURITY);
}

/* NULL: the object has none. */
static PSECURITY_DESCRIPTOR ObpReferenceSecurity(OBP_HEADER *Header)
{
    KIRQL OldIrql = ArchAcquireLock(&ObpSecurityLock);
    PSECURITY_DESCRIPTOR Descriptor = Header->Security;
    if (Descriptor != NULL)
        InterlockedIncrement64(&((OBP_SECURITY *)Descriptor - 1)->References);
    ArchReleaseLock(&ObpSecurityLock, OldIrql);
    return Descriptor;
}

/* New, with one reference, becomes the object's if it still has Old. */
static BOOLEAN ObpExchangeSecurity(OBP_HEADER *Header, PSECURITY_DESCRIPTOR Old, PSECURITY_DESCRIPTOR New)
{
    KIRQL OldIrql = ArchAcquireLock(&ObpSecurityLock);
    BOOLEAN Same = Header->Security == Old;
    if (Same)
        Header->Security = New;
    ArchReleaseLock(&ObpSecurityLock, OldIrql);
    return Same;
}

static NTSTATUS ObpMakeSecurity(PSECURITY_DESCRIPTOR Descriptor, PSECURITY_DESCRIPTOR *Made)
{
    ULONG Length = RtlLengthSecurityDescriptor(Descriptor);
    OBP_SECURITY *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Block) + Length, OBP_TAG_SECURITY);
    if (Block == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Block->References = 1;
    RtlCopyMemory(Block + 1, Descriptor, Length);
    *Made = Block + 1;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpMakeTypeDefault(POBJECT_TYPE Type)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    PSECURITY_DESCRIPTOR Given, Made, Block;
    UNICODE_STRING Sddl;
    RtlInitUnicodeString(&Sddl, Type->Info.Sddl);
    NTSTATUS Status = SeSddlToDescriptor(&Sddl, &Given);
    if (!NT_SUCCESS(Status))
        return Status;
    SeCaptureSubjectContext(&Subject);
    Status =
        SeAssignSecurityEx(NULL, Given, &Made, NULL, FALSE, SEF_AVOID_OWNER_CHECK | SEF_AVOID_PRIVILEGE_CHECK,
                           &Subject, &Type->Info.Mapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    SeFreeDescriptor(Given);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpMakeSecurity(Made, &Block);
    (void)SeDeassignSecurity(&Made);
    if (NT_SUCCESS(Status) && InterlockedCompareExchangePointer((PVOID *)&Type->Default, Block, NULL) != NULL)
        ObpDereferenceSecurity(Block); /* somebody was faster */
    return Status;
}

/* The object's descriptor, or its type's, referenced; NULL: there is none. PASSIVE_LEVEL. */
static NTSTATUS ObpReferenceEffective(OBP_HEADER *Header, PSECURITY_DESCRIPTOR *Descriptor)
{
    POBJECT_TYPE Type = Header->Type;
    *Descriptor = ObpReferenceSecurity(Header);
    if (*Descriptor != NULL || Type->Info.Sddl == NULL)
        return STATUS_SUCCESS;
    if (Type->Default == NULL) {
        NTSTATUS Status = ObpMakeTypeDefault(Type);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    *Descriptor = Type->Default;
    InterlockedIncrement64(&((OBP_SECURITY *)*Descriptor - 1)->References);
    return STATUS_SUCCESS;
}

VOID ObpFreeSecurity(OBP_HEADER *Header)
{
    ObpDereferenceSecurity(Header->Security);
    Header->Security = NULL;
}

BOOLEAN ObHasDescriptor(PVOID Object)
{
    return ObpCheckedHeader(Object)->Security != NULL;
}

NTSTATUS ObSetDescriptor(PVOID Object, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Replace)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    PSECURITY_DESCRIPTOR New, Old;
    NTSTATUS Status = ObpMakeSecurity(Descriptor, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    do {
        Old = Header->Security;
    } while ((Replace || Old == NULL) && !ObpExchangeSecurity(Header, Old, New));
    ObpDereferenceSecurity(Replace || Old == NULL ? Old : New);
    return STATUS_SUCCESS;
}

/* [WDK SeSinglePrivilegeCheck] kernel mode has every privilege, whatever token the thread has. */
static ULONG ObpPowers(KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode ? SEF_AVOID_OWNER_CHECK | SEF_AVOID_PRIVILEGE_CHECK : 0;
}

/* [WDK OBJECT_ATTRIBUTES] the descriptor that the creator gives; a user-mode creator who gives a name but none gets that of his token. */
NTSTATUS ObpAssignSecurity(OBP_HEADER *Header)
{
    const OBP_CREATE_INFO *Create = Header->Create;
    SECURITY_SUBJECT_CONTEXT Subject;
    PSECURITY_DESCRIPTOR Descriptor;
    if (Create == NULL ||
        (Create->Security == NULL && (Create->Mode == KernelMode || Create->Name.Length == 0)))
        return STATUS_SUCCESS;
    SeCaptureSubjectContext(&Subject);
    NTSTATUS Status =
        SeAssignSecurityEx(NULL, Create->Security, &Descriptor, NULL, Header->Type == ObDirectoryObjectType,
                           ObpPowers(Create->Mode), &Subject, &Header->Type->Info.Mapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObSetDescriptor(ObpBody(Header), Descriptor, TRUE);
    (void)SeDeassignSecurity(&Descriptor);
    return Status;
}

NTSTATUS ObpCheckAccess(OBP_HEADER *Header, KPROCESSOR_MODE Mode, ACCESS_MASK Desired, PACCESS_MASK Granted)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    NTSTATUS Status = STATUS_SUCCESS;
    *Granted = ObMapAccess(Header->Type, Desired);
    if (Mode == KernelMode || Desired == 0)
        return STATUS_SUCCESS;
    PSECURITY_DESCRIPTOR Descriptor;
    Status = ObpReferenceEffective(Header, &Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Descriptor == NULL) /* the SACL is a privilege's all the same */
        return !(Desired & ACCESS_SYSTEM_SECURITY) ||
                       SeSinglePrivilegeCheck((LUID){SE_SECURITY_PRIVILEGE, 0}, Mode)
                   ? STATUS_SUCCESS
                   : STATUS_PRIVILEGE_NOT_HELD;
    SeCaptureSubjectContext(&Subject);
    (void)SeAccessCheck(Descriptor, &Subject, FALSE, Desired, 0, NULL, &Header->Type->Info.Mapping, Mode,
                        Granted, &Status);
    SeReleaseSubjectContext(&Subject);
    ObpDereferenceSecurity(Descriptor);
    return Status;
}

NTSTATUS ObpOpenHandle(PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess, ULONG Attributes,
                       PHANDLE Handle)
{
    ACCESS_MASK Granted;
    NTSTATUS Status =
        ObpCheckAccess(ObpHeader(Object), ObCheckMode(Attributes, Mode), DesiredAccess, &Granted);
    return NT_SUCCESS(Status) ? ObpCreateHandle(Object, Mode, Granted, Attributes, Handle) : Status;
}

/* --- reading and changing --- */

static NTSTATUS ObpQueryDefault(OBP_HEADER *Header, OB_SECURITY_CALL *Call)
{
    PSECURITY_DESCRIPTOR Descriptor;
    NTSTATUS Status = ObpReferenceEffective(Header, &Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SeQuerySecurityDescriptorInfo(&Call->Information, Call->Descriptor, &Call->Length, &Descriptor);
    ObpDereferenceSecurity(Descriptor);
    return Status;
}

/* An object without a descriptor gets one that has nothing but what is set. */
static NTSTATUS ObpSetDefault(OBP_HEADER *Header, OB_SECURITY_CALL *Call)
{
    SECURITY_DESCRIPTOR Empty;
    NTSTATUS Status;
    BOOLEAN Done = FALSE;
    (void)RtlCreateSecurityDescriptor(&Empty, SECURITY_DESCRIPTOR_REVISION);
    while (!Done) {
        PSECURITY_DESCRIPTOR Old = ObpReferenceSecurity(Header), Base, Merged, New;
        Status = ObpReferenceEffective(Header, &Base);
        Merged = Base != NULL ? Base : &Empty;
        if (NT_SUCCESS(Status))
            Status =
                SeSetSecurityDescriptorInfoEx(ObpBody(Header), &Call->Information, Call->Descriptor, &Merged,
                                              ObpPowers(Call->Mode), PagedPool, &Header->Type->Info.Mapping);
        if (NT_SUCCESS(Status)) {
            Status = ObpMakeSecurity(Merged, &New);
            ExFreePool(Merged);
        }
        Done = !NT_SUCCESS(Status) || ObpExchangeSecurity(Header, Old, New);
        if (NT_SUCCESS(Status))
            ObpDereferenceSecurity(Done ? Old : New); /* the object's reference, or the loser's */
        ObpDereferenceSecurity(Old);
        ObpDereferenceSecurity(Base);
    }
    return Status;
}

NTSTATUS ObDefaultSecurity(PVOID Object, OB_SECURITY_CALL *Call)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    return Call->Set ? ObpSetDefault(Header, Call) : ObpQueryDefault(Header, Call);
}

static NTSTATUS ObpCallSecurity(PVOID Object, OB_SECURITY_CALL *Call)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    return Header->Type->Info.Methods.Security != NULL ? Header->Type->Info.Methods.Security(Object, Call)
                                                       : ObDefaultSecurity(Object, Call);
}

/* The whole descriptor in a pool block: how much it needs is known when it has been asked for. */
static NTSTATUS ObpAskForSecurity(PVOID Object, PSECURITY_DESCRIPTOR *Descriptor)
{
    OB_SECURITY_CALL Call = {.Information = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                                            DACL_SECURITY_INFORMATION | SACL_SECURITY_INFORMATION};
    NTSTATUS Status;
    for (ULONG Room = 256;; Room = Call.Length) {
        Call.Length = Room;
        Call.Descriptor = ExAllocatePool2(POOL_FLAG_PAGED, Room, OBP_TAG_SECURITY);
        if (Call.Descriptor == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Status = ObpCallSecurity(Object, &Call);
        if (NT_SUCCESS(Status))
            break;
        ExFreePoolWithTag(Call.Descriptor, OBP_TAG_SECURITY);
        if (Status != STATUS_BUFFER_TOO_SMALL || Call.Length <= Room || Call.Length > OBP_MAX_SECURITY)
            return Status;
    }
    *Descriptor = Call.Descriptor;
    return STATUS_SUCCESS;
}

/* [WDK ObGetObjectSecurity] *MemoryAllocated: it is a copy in pool. Both go to ObReleaseObjectSecurity. NULL: the object has none. */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                   PBOOLEAN MemoryAllocated)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    *MemoryAllocated = Header->Type->Info.Methods.Security != NULL;
    if (*MemoryAllocated)
        return ObpAskForSecurity(Object, SecurityDescriptor);
    return ObpReferenceEffective(Header, SecurityDescriptor);
}

/* [WDK ObReleaseObjectSecurity] */
VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN MemoryAllocated)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (!MemoryAllocated)
        ObpDereferenceSecurity(SecurityDescriptor);
    else if (SecurityDescriptor != NULL)
        ExFreePoolWithTag(SecurityDescriptor, OBP_TAG_SECURITY);
}

/* --- by handle --- */

/* [Win32 SECURITY_INFORMATION] the rights that each part needs. */
static const struct {
    SECURITY_INFORMATION Part;
    ACCESS_MASK Query, Set;
} ObpSecurityRights[] = {
    {OWNER_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER},
    {GROUP_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER},
    {DACL_SECURITY_INFORMATION, READ_CONTROL, WRITE_DAC},
    {SACL_SECURITY_INFORMATION, ACCESS_SYSTEM_SECURITY, ACCESS_SYSTEM_SECURITY},
    {LABEL_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER},
    {ATTRIBUTE_SECURITY_INFORMATION, READ_CONTROL, WRITE_DAC},
    {SCOPE_SECURITY_INFORMATION, READ_CONTROL, ACCESS_SYSTEM_SECURITY},
    {BACKUP_SECURITY_INFORMATION, READ_CONTROL | ACCESS_SYSTEM_SECURITY,
     WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY},
    {PROTECTED_DACL_SECURITY_INFORMATION, 0, WRITE_DAC},
    {UNPROTECTED_DACL_SECURITY_INFORMATION, 0, WRITE_DAC},
    {PROTECTED_SACL_SECURITY_INFORMATION, 0, ACCESS_SYSTEM_SECURITY},
    {UNPROTECTED_SACL_SECURITY_INFORMATION, 0, ACCESS_SYSTEM_SECURITY},
};

NTSTATUS ObAccessForParts(SECURITY_INFORMATION Parts, BOOLEAN Set, PACCESS_MASK Access)
{
    SECURITY_INFORMATION Known = 0;
    *Access = 0;
    for (ULONG I = 0; I < ARRAYSIZE(ObpSecurityRights); I++) {
        Known |= ObpSecurityRights[I].Part;
        if (Parts & ObpSecurityRights[I].Part)
            *Access |= Set ? ObpSecurityRights[I].Set : ObpSecurityRights[I].Query;
    }
    return Parts & ~Known ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* The object, if the handle grants what these parts need. */
static NTSTATUS ObpReferenceFor(HANDLE Handle, SECURITY_INFORMATION Information, BOOLEAN Set,
                                KPROCESSOR_MODE Mode, PVOID *Object)
{
    ACCESS_MASK Access;
    NTSTATUS Status = ObAccessForParts(Information, Set, &Access);
    return NT_SUCCESS(Status) ? ObReferenceObjectByHandle(Handle, Access, NULL, Mode, Object, NULL) : Status;
}

typedef struct _OBP_SECURITY_QUERY {
    HANDLE Handle;
    SECURITY_INFORMATION Information;
    PVOID Buffer;
    ULONG Room;
    PULONG Needed;
    KPROCESSOR_MODE Mode;
} OBP_SECURITY_QUERY;

static NTSTATUS ObpQueryInto(PVOID Object, const OBP_SECURITY_QUERY *Q, PULONG Needed)
{
    ULONG Room = Q->Room < OBP_MAX_SECURITY ? Q->Room : OBP_MAX_SECURITY;
    OB_SECURITY_CALL Call = {.Mode = Q->Mode, .Information = Q->Information, .Length = Room};
    if (Room != 0) {
        Call.Descriptor = ExAllocatePool2(POOL_FLAG_PAGED, Room, OBP_TAG_SECURITY);
        if (Call.Descriptor == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = ObpCallSecurity(Object, &Call);
    *Needed = Call.Length;
    if (NT_SUCCESS(Status))
        Status = MmWriteCaller(Q->Buffer, Call.Descriptor, Call.Length < Room ? Call.Length : Room, Q->Mode);
    if (Call.Descriptor != NULL)
        ExFreePoolWithTag(Call.Descriptor, OBP_TAG_SECURITY);
    return Status;
}

static NTSTATUS ObpQuerySecurity(const OBP_SECURITY_QUERY *Q)
{
    PVOID Object;
    ULONG Needed = 0;
    NTSTATUS Status = MmProbeCaller(Q->Needed, sizeof(*Q->Needed), Q->Mode);
    if (NT_SUCCESS(Status))
        Status = ObpReferenceFor(Q->Handle, Q->Information, FALSE, Q->Mode, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpQueryInto(Object, Q, &Needed);
    ObDereferenceObject(Object);
    if (!NT_SUCCESS(Status) && Status != STATUS_BUFFER_TOO_SMALL)
        return Status;
    NTSTATUS Written = MmWriteCaller(Q->Needed, &Needed, sizeof(Needed), Q->Mode);
    return NT_SUCCESS(Written) ? Status : Written;
}

/* [WDK ZwQuerySecurityObject] STATUS_BUFFER_TOO_SMALL with what is needed. */
NTSTATUS NTAPI ZwQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
                                     PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_SECURITY_QUERY Query = {Handle, SecurityInformation, SecurityDescriptor,
                                Length, ResultLength,        KernelMode};
    return ObpQuerySecurity(&Query);
}

NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
                                     PULONG LengthNeeded)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_SECURITY_QUERY Query = {Handle, SecurityInformation, SecurityDescriptor,
                                Length, LengthNeeded,        ExGetPreviousMode()};
    return ObpQuerySecurity(&Query);
}

/* [WDK ZwSetSecurityObject] an owner or a group cannot be taken away. */
static NTSTATUS ObpCheckNewSecurity(PSECURITY_DESCRIPTOR Descriptor, SECURITY_INFORMATION Information)
{
    RTL_SECURITY_PARTS Parts;
    RtlGetSecurityParts(Descriptor, &Parts);
    if (((Information & OWNER_SECURITY_INFORMATION) && Parts.Owner == NULL) ||
        ((Information & GROUP_SECURITY_INFORMATION) && Parts.Group == NULL))
        return STATUS_INVALID_SECURITY_DESCR;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpSetSecurity(HANDLE Handle, SECURITY_INFORMATION Information,
                               PSECURITY_DESCRIPTOR Descriptor, KPROCESSOR_MODE Mode)
{
    PVOID Object;
    OB_SECURITY_CALL Call = {.Set = TRUE, .Mode = Mode, .Information = Information};
    if (Descriptor == NULL)
        return STATUS_ACCESS_VIOLATION;
    NTSTATUS Status = ObpReferenceFor(Handle, Information, TRUE, Mode, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SeCaptureSecurityDescriptor(Descriptor, Mode, PagedPool, TRUE, &Call.Descriptor);
    if (NT_SUCCESS(Status)) {
        Status = ObpCheckNewSecurity(Call.Descriptor, Information);
        if (NT_SUCCESS(Status))
            Status = ObpCallSecurity(Object, &Call);
        SeReleaseSecurityDescriptor(Call.Descriptor, Mode, TRUE);
    }
    ObDereferenceObject(Object);
    return Status;
}

NTSTATUS NTAPI ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpSetSecurity(Handle, SecurityInformation, SecurityDescriptor, KernelMode);
}

NTSTATUS NTAPI NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpSetSecurity(Handle, SecurityInformation, SecurityDescriptor, ExGetPreviousMode());
}
