/* SPDX-License-Identifier: MIT
 * Descriptors of keys lie in the hive, where all handles of a key see them. [WDK ZwQuerySecurityObject, ZwSetSecurityObject] */
#include "cm/cmp.h"
#include "ke.h"
#include "se.h"

static GENERIC_MAPPING CmpMapping = CMP_KEY_MAPPING;

/* (r). *Descriptor lies in the hive; NULL: the key has none. */
static NTSTATUS CmpFindSecurity(const CMP_KCB *Kcb, CMP_NODE *Node, PSECURITY_DESCRIPTOR *Descriptor)
{
    const uint8_t *Bytes = NULL;
    uint32_t Length = 0;
    NTSTATUS Status = CmpReadNode(Kcb, Node);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveReadSecurity(&Kcb->Hive->Hive, &Node->Key, &Bytes, &Length));
    if (!NT_SUCCESS(Status))
        return Status;
    *Descriptor = Length != 0 ? (PSECURITY_DESCRIPTOR)Bytes : NULL;
    if (Length != 0 && !RtlValidRelativeSecurityDescriptor(*Descriptor, Length, 0))
        return STATUS_INVALID_SECURITY_DESCR;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpQuerySecurity(const CMP_KEY *Key, OB_SECURITY_CALL *Call)
{
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Descriptor;
    CmpLockShared();
    NTSTATUS Status = CmpFindSecurity(Key->Kcb, &Node, &Descriptor);
    if (NT_SUCCESS(Status))
        Status =
            SeQuerySecurityDescriptorInfo(&Call->Information, Call->Descriptor, &Call->Length, &Descriptor);
    CmpUnlockShared();
    return Status;
}

/* (r) alone. What is not set stays as it is. */
static NTSTATUS CmpSetSecurity(CMP_KEY *Key, OB_SECURITY_CALL *Call)
{
    SECURITY_DESCRIPTOR Empty;
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Old, Merged;
    NTSTATUS Status = CmpFindSecurity(Key->Kcb, &Node, &Old);
    if (!NT_SUCCESS(Status))
        return Status;
    (void)RtlCreateSecurityDescriptor(&Empty, SECURITY_DESCRIPTOR_REVISION);
    Merged = Old != NULL ? Old : &Empty;
    Status = SeSetSecurityDescriptorInfo(Key, &Call->Information, Call->Descriptor, &Merged, PagedPool,
                                         &CmpMapping);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpStatus(HiveSetSecurity(&Key->Kcb->Hive->Hive, Key->Kcb->Cell, Merged,
                                       RtlLengthSecurityDescriptor(Merged), CmpNow()));
    ExFreePool(Merged);
    if (NT_SUCCESS(Status))
        CmpReportChange(Key->Kcb, REG_NOTIFY_CHANGE_ATTRIBUTES);
    return Status;
}

static NTSTATUS CmpCallSecurity(CMP_KEY *Key, OB_SECURITY_CALL *Call)
{
    if (!Call->Set)
        return CmpQuerySecurity(Key, Call);
    CmpLockExclusive();
    NTSTATUS Status = CmpSetSecurity(Key, Call);
    CmpUnlockExclusive();
    return Status;
}

/* [WDK REG_QUERY_KEY_SECURITY_INFORMATION] */
static NTSTATUS CmpQuerySecurityAndTell(CMP_KEY *Key, OB_SECURITY_CALL *Security)
{
    NTSTATUS Status;
    REG_QUERY_KEY_SECURITY_INFORMATION Information = {.Object = Key,
                                                      .SecurityInformation = &Security->Information,
                                                      .SecurityDescriptor = Security->Descriptor,
                                                      .Length = &Security->Length};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreQueryKeySecurity, RegNtPostQueryKeySecurity, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpCallSecurity(Key, Security));
}

/* [WDK REG_SET_KEY_SECURITY_INFORMATION] */
static NTSTATUS CmpSetSecurityAndTell(CMP_KEY *Key, OB_SECURITY_CALL *Security)
{
    NTSTATUS Status;
    REG_SET_KEY_SECURITY_INFORMATION Information = {.Object = Key,
                                                    .SecurityInformation = &Security->Information,
                                                    .SecurityDescriptor = Security->Descriptor};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreSetKeySecurity, RegNtPostSetKeySecurity, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpCallSecurity(Key, Security));
}

NTSTATUS CmpKeySecurity(PVOID Object, OB_SECURITY_CALL *Call)
{
    if (!CmpHasCallbacks())
        return CmpCallSecurity(Object, Call);
    return Call->Set ? CmpSetSecurityAndTell(Object, Call) : CmpQuerySecurityAndTell(Object, Call);
}

/* --- who may ------------------------------------------------------------------------------------------------------- */

/* A key without a descriptor grants all, as other objects do. */
static NTSTATUS CmpEvaluate(PSECURITY_DESCRIPTOR Descriptor, KPROCESSOR_MODE Mode, PACCESS_MASK Access)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    ACCESS_MASK Granted = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Descriptor == NULL)
        return STATUS_SUCCESS;
    SeCaptureSubjectContext(&Subject);
    (void)SeAccessCheck(Descriptor, &Subject, FALSE, *Access, 0, NULL, &CmpMapping, Mode, &Granted, &Status);
    SeReleaseSubjectContext(&Subject);
    *Access = Granted;
    return Status;
}

NTSTATUS CmpCheckAccess(const CMP_KCB *Kcb, KPROCESSOR_MODE Mode, PACCESS_MASK Access)
{
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Descriptor;
    if (Mode == KernelMode || *Access == 0)
        return STATUS_SUCCESS;
    NTSTATUS Status = CmpFindSecurity(Kcb, &Node, &Descriptor);
    return NT_SUCCESS(Status) ? CmpEvaluate(Descriptor, Mode, Access) : Status;
}

/* [WDK SeAssignSecurity] an explicit DACL is taken as it is; without one the key has what its parent passes on. Kernel mode may give any owner and
 * SACL. */
NTSTATUS CmpMakeSecurity(const CMP_KCB *Parent, PSECURITY_DESCRIPTOR Explicit, KPROCESSOR_MODE Mode,
                         PSECURITY_DESCRIPTOR *Descriptor)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Above;
    ULONG Flags = 0;
    NTSTATUS Status = CmpFindSecurity(Parent, &Node, &Above);
    if (!NT_SUCCESS(Status) || (Above == NULL && Explicit == NULL))
        return Status;
    if (Mode == KernelMode)
        Flags = SEF_AVOID_OWNER_CHECK | SEF_AVOID_PRIVILEGE_CHECK;
    SeCaptureSubjectContext(&Subject);
    Status =
        SeAssignSecurityEx(Above, Explicit, Descriptor, NULL, TRUE, Flags, &Subject, &CmpMapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    return Status;
}
