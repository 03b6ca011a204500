/* SPDX-License-Identifier: MIT
 * Descriptors that come from callers: captured, checked, released. [WDK SeCaptureSecurityDescriptor, SeValidSecurityDescriptor] */
#include "sep.h"
#include "mm.h"

/* [WDK SeValidSecurityDescriptor] a self-relative descriptor in this many bytes. */
BOOLEAN NTAPI SeValidSecurityDescriptor(ULONG Length, PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    return RtlValidRelativeSecurityDescriptor(SecurityDescriptor, Length, 0);
}

/* One part of a descriptor that is being captured. */
typedef struct _SEP_PART {
    const VOID *From; /* in the caller's memory, or NULL */
    ULONG Length;
    PVOID Copy;
} SEP_PART;

/* Head has a SID's or ACL's first eight bytes: they tell its length. */
static NTSTATUS SepMeasurePart(SEP_PART *Part, BOOLEAN IsSid, KPROCESSOR_MODE Mode)
{
    union {
        UCHAR Bytes[8];
        ACL Acl;
    } Head;
    if (Part->From == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmReadCaller(&Head, Part->From, sizeof(Head), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (IsSid ? Head.Bytes[1] > SID_MAX_SUB_AUTHORITIES : Head.Acl.AclSize < sizeof(ACL))
        return IsSid ? STATUS_INVALID_SID : STATUS_INVALID_ACL;
    Part->Length = IsSid ? RtlLengthRequiredSid(Head.Bytes[1]) : Head.Acl.AclSize;
    return STATUS_SUCCESS;
}

static NTSTATUS SepCopyPart(SEP_PART *Part, BOOLEAN IsSid, KPROCESSOR_MODE Mode)
{
    if (Part->From == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmReadCaller(Part->Copy, Part->From, Part->Length, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (IsSid)
        return RtlSidFits(Part->Copy, Part->Length) ? STATUS_SUCCESS : STATUS_INVALID_SID;
    return RtlIsValidAcl(Part->Copy, Part->Length) ? STATUS_SUCCESS : STATUS_INVALID_ACL;
}

enum { SepOwnerPart, SepGroupPart, SepSaclPart, SepDaclPart, SepPartCount };

/* The head of either form, and where the caller says that the parts are. */
static NTSTATUS SepReadHead(PSECURITY_DESCRIPTOR Original, KPROCESSOR_MODE Mode, SECURITY_DESCRIPTOR *Head,
                            SEP_PART Part[SepPartCount])
{
    RTL_SECURITY_PARTS Parts;
    SECURITY_DESCRIPTOR_RELATIVE Relative;
    NTSTATUS Status = MmReadCaller(&Relative, Original, sizeof(Relative), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Relative.Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    if (Relative.Control & SE_SELF_RELATIVE) {
        *Head = (SECURITY_DESCRIPTOR){.Sbz1 = Relative.Sbz1, .Control = Relative.Control};
        Part[SepOwnerPart].From = Relative.Owner != 0 ? (PUCHAR)Original + Relative.Owner : NULL;
        Part[SepGroupPart].From = Relative.Group != 0 ? (PUCHAR)Original + Relative.Group : NULL;
        Part[SepSaclPart].From = Relative.Sacl != 0 ? (PUCHAR)Original + Relative.Sacl : NULL;
        Part[SepDaclPart].From = Relative.Dacl != 0 ? (PUCHAR)Original + Relative.Dacl : NULL;
    } else {
        Status = MmReadCaller(Head, Original, sizeof(*Head), Mode);
        if (!NT_SUCCESS(Status))
            return Status;
        Head->Control &=
            (SECURITY_DESCRIPTOR_CONTROL)~SE_SELF_RELATIVE; /* it may say something else by now */
        RtlGetSecurityParts(Head, &Parts);
        Part[SepOwnerPart].From = Parts.Owner;
        Part[SepGroupPart].From = Parts.Group;
        Part[SepSaclPart].From = Head->Sacl;
        Part[SepDaclPart].From = Head->Dacl;
    }
    if (!(Head->Control & SE_SACL_PRESENT))
        Part[SepSaclPart].From = NULL;
    if (!(Head->Control & SE_DACL_PRESENT))
        Part[SepDaclPart].From = NULL;
    return STATUS_SUCCESS;
}

/* The parts, measured, in one block behind each other, in self-relative form. */
static NTSTATUS SepCaptureParts(const SECURITY_DESCRIPTOR *Head, SEP_PART Part[SepPartCount],
                                KPROCESSOR_MODE Mode, POOL_TYPE PoolType, PSECURITY_DESCRIPTOR *Captured)
{
    ULONG Length = sizeof(SECURITY_DESCRIPTOR_RELATIVE), Offset[SepPartCount] = {0};
    for (ULONG I = 0; I < SepPartCount; I++) {
        NTSTATUS Status = SepMeasurePart(&Part[I], I <= SepGroupPart, Mode);
        if (!NT_SUCCESS(Status))
            return Status;
        Offset[I] = Part[I].From != NULL ? Length : 0;
        Length += (Part[I].Length + 3) & ~3u;
    }
    SECURITY_DESCRIPTOR_RELATIVE *New = ExAllocatePoolWithTag(PoolType, Length, SE_TAG_DESCRIPTOR);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(New, Length);
    *New = (SECURITY_DESCRIPTOR_RELATIVE){
        SECURITY_DESCRIPTOR_REVISION, Head->Sbz1,           Head->Control | SE_SELF_RELATIVE,
        Offset[SepOwnerPart],         Offset[SepGroupPart], Offset[SepSaclPart],
        Offset[SepDaclPart]};
    for (ULONG I = 0; I < SepPartCount; I++) {
        Part[I].Copy = (PUCHAR)New + Offset[I];
        NTSTATUS Status = SepCopyPart(&Part[I], I <= SepGroupPart, Mode);
        if (!NT_SUCCESS(Status)) {
            ExFreePoolWithTag(New, SE_TAG_DESCRIPTOR);
            return Status;
        }
    }
    *Captured = New;
    return STATUS_SUCCESS;
}

/* [WDK SeCaptureSecurityDescriptor] a copy in self-relative form. A kernel-mode caller's is taken as it is unless CaptureIfKernel. */
NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR OriginalSecurityDescriptor,
                                           KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
                                           BOOLEAN CaptureIfKernel,
                                           PSECURITY_DESCRIPTOR *CapturedSecurityDescriptor)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    SECURITY_DESCRIPTOR Head;
    SEP_PART Part[SepPartCount] = {{0}};
    *CapturedSecurityDescriptor = NULL;
    if (OriginalSecurityDescriptor == NULL)
        return STATUS_SUCCESS;
    if (CurrentMode == KernelMode && !CaptureIfKernel) {
        *CapturedSecurityDescriptor = OriginalSecurityDescriptor;
        return STATUS_SUCCESS;
    }
    NTSTATUS Status = SepReadHead(OriginalSecurityDescriptor, CurrentMode, &Head, Part);
    return NT_SUCCESS(Status)
               ? SepCaptureParts(&Head, Part, CurrentMode, PoolType, CapturedSecurityDescriptor)
               : Status;
}

/* [WDK SeReleaseSecurityDescriptor] with the arguments of the capture. */
VOID NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR CapturedSecurityDescriptor,
                                       KPROCESSOR_MODE CurrentMode, BOOLEAN CaptureIfKernelMode)
{
    if (CapturedSecurityDescriptor != NULL && (CurrentMode != KernelMode || CaptureIfKernelMode))
        ExFreePoolWithTag(CapturedSecurityDescriptor, SE_TAG_DESCRIPTOR);
}

NTSTATUS SepPartsOf(PSECURITY_DESCRIPTOR Descriptor, RTL_SECURITY_PARTS *Parts)
{
    if (!RtlValidSecurityDescriptor(Descriptor))
        return STATUS_INVALID_SECURITY_DESCR;
    RtlGetSecurityParts(Descriptor, Parts);
    return STATUS_SUCCESS;
}
