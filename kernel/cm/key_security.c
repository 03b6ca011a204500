/* SPDX-License-Identifier: MIT
 * Descriptors of keys lie in the hive, where all handles of a key see them. [WDK ZwQuerySecurityObject, ZwSetSecurityObject] */
#include "cm/cmp.h"
#include "ke.h"

/* (r). *Descriptor lies in the hive; NULL: the key has none. */
static NTSTATUS CmpFindSecurity(const CMP_KEY *Key, CMP_NODE *Node, PSECURITY_DESCRIPTOR *Descriptor)
{
    const uint8_t *Bytes = NULL;
    uint32_t Length = 0;
    NTSTATUS Status = CmpReadNode(Key->Kcb, Node);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveReadSecurity(&Key->Kcb->Hive->Hive, &Node->Key, &Bytes, &Length));
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
    NTSTATUS Status = CmpFindSecurity(Key, &Node, &Descriptor);
    if (NT_SUCCESS(Status))
        Status =
            SeQuerySecurityDescriptorInfo(&Call->Information, Call->Descriptor, &Call->Length, &Descriptor);
    CmpUnlockShared();
    return Status;
}

/* (r) alone. What is not set stays as it is. */
static NTSTATUS CmpSetSecurity(CMP_KEY *Key, OB_SECURITY_CALL *Call)
{
    static GENERIC_MAPPING Mapping = {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS};
    SECURITY_DESCRIPTOR Empty;
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Old, Merged;
    NTSTATUS Status = CmpFindSecurity(Key, &Node, &Old);
    if (!NT_SUCCESS(Status))
        return Status;
    (void)RtlCreateSecurityDescriptor(&Empty, SECURITY_DESCRIPTOR_REVISION);
    Merged = Old != NULL ? Old : &Empty;
    Status =
        SeSetSecurityDescriptorInfo(Key, &Call->Information, Call->Descriptor, &Merged, PagedPool, &Mapping);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpStatus(HiveSetSecurity(&Key->Kcb->Hive->Hive, Key->Kcb->Cell, Merged,
                                       RtlLengthSecurityDescriptor(Merged), CmpNow()));
    ExFreePool(Merged);
    if (NT_SUCCESS(Status))
        CmpReportChange(Key->Kcb, REG_NOTIFY_CHANGE_ATTRIBUTES);
    return Status;
}

NTSTATUS CmpKeySecurity(PVOID Object, OB_SECURITY_CALL *Call)
{
    if (!Call->Set)
        return CmpQuerySecurity(Object, Call);
    CmpLockExclusive();
    NTSTATUS Status = CmpSetSecurity(Object, Call);
    CmpUnlockExclusive();
    return Status;
}
