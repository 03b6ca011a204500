/* SPDX-License-Identifier: MIT
 * Checks that file systems and their filters ask the I/O manager for: access of requests, and lists of quotas. [WDK IoCheckDesiredAccess,
 * IoCheckFunctionAccess, IoCheckQuotaBufferValidity] */
#include "iop.h"
#include "ob_security.h"

/* What is asked becomes specific rights. IRQL: any. */
NTSTATUS NTAPI IoCheckDesiredAccess(PACCESS_MASK DesiredAccess, ACCESS_MASK GrantedAccess)
{
    RtlMapGenericMask(DesiredAccess, IoGetFileObjectGenericMapping());
    return *DesiredAccess & ~GrantedAccess ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* What a request needs: all of All, and one of Any. */
typedef struct _IOP_NEEDS {
    ACCESS_MASK All, Any;
} IOP_NEEDS;

static NTSTATUS IopNeedsOfClass(ACCESS_MASK Access, IOP_NEEDS *Needs)
{
    if (Access == IOP_NO_SUCH_CLASS)
        return STATUS_INVALID_INFO_CLASS;
    Needs->All = Access;
    return STATUS_SUCCESS;
}

static NTSTATUS IopNeedsOfFunction(UCHAR Major, ULONG Code, PVOID Argument1, PVOID Argument2,
                                   IOP_NEEDS *Needs)
{
    switch (Major) {
    case IRP_MJ_READ:
        Needs->All = FILE_READ_DATA;
        return STATUS_SUCCESS;
    case IRP_MJ_DIRECTORY_CONTROL:
        Needs->All = FILE_LIST_DIRECTORY;
        return STATUS_SUCCESS;
    case IRP_MJ_WRITE:
    case IRP_MJ_FLUSH_BUFFERS:
        Needs->Any = FILE_WRITE_DATA | FILE_APPEND_DATA;
        return STATUS_SUCCESS;
    case IRP_MJ_LOCK_CONTROL:
        Needs->Any = FILE_READ_DATA | FILE_WRITE_DATA;
        return STATUS_SUCCESS;
    case IRP_MJ_QUERY_EA:
        Needs->All = FILE_READ_EA;
        return STATUS_SUCCESS;
    case IRP_MJ_SET_EA:
        Needs->All = FILE_WRITE_EA;
        return STATUS_SUCCESS;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        Needs->All = IopAccessOfCode(Code);
        return STATUS_SUCCESS;
    case IRP_MJ_QUERY_SECURITY:
    case IRP_MJ_SET_SECURITY:
        return ObAccessForParts(*(SECURITY_INFORMATION *)Argument1, Major == IRP_MJ_SET_SECURITY,
                                &Needs->All);
    case IRP_MJ_QUERY_INFORMATION:
    case IRP_MJ_SET_INFORMATION:
        return IopNeedsOfClass(
            IopAccessOfClass(*(FILE_INFORMATION_CLASS *)Argument1, Major == IRP_MJ_SET_INFORMATION), Needs);
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        return IopNeedsOfClass(IopAccessOfVolumeClass(*(FS_INFORMATION_CLASS *)Argument2,
                                                      Major == IRP_MJ_SET_VOLUME_INFORMATION),
                               Needs);
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Argument1 points to the class of file information or to the security information, Argument2 to the class of volume information. */
NTSTATUS NTAPI IoCheckFunctionAccess(ACCESS_MASK GrantedAccess, UCHAR MajorFunction, UCHAR MinorFunction,
                                     ULONG IoControlCode, PVOID Argument1, PVOID Argument2)
{
    IOP_NEEDS Needs = {0, 0};
    NTSTATUS Status = IopNeedsOfFunction(MajorFunction, IoControlCode, Argument1, Argument2, &Needs);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Granted =
        (Needs.All & ~GrantedAccess) == 0 && (Needs.Any == 0 || (Needs.Any & GrantedAccess) != 0);
    return Granted ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* Aligned entries with whole SIDs, the last one last; the offset of the first wrong one. */
NTSTATUS NTAPI IoCheckQuotaBufferValidity(PFILE_QUOTA_INFORMATION Buffer, ULONG Length, PULONG ErrorOffset)
{
    const ULONG Fixed = FIELD_OFFSET(FILE_QUOTA_INFORMATION, Sid), SidFixed = FIELD_OFFSET(SID, SubAuthority);
    for (ULONG Offset = 0;;) {
        ULONG Left = Length - Offset;
        const FILE_QUOTA_INFORMATION *Entry = (PVOID)((PUCHAR)Buffer + Offset);
        *ErrorOffset = Offset;
        if (Left < Fixed + SidFixed || Entry->SidLength < SidFixed || Entry->SidLength > Left - Fixed)
            return STATUS_QUOTA_LIST_INCONSISTENT;
        if (!RtlValidSid((PSID)&Entry->Sid) || RtlLengthSid((PSID)&Entry->Sid) != Entry->SidLength)
            return STATUS_QUOTA_LIST_INCONSISTENT;
        ULONG Size = Fixed + Entry->SidLength, Next = Entry->NextEntryOffset;
        if (Next == 0)
            return STATUS_SUCCESS;
        if (Next % 8 != 0 || Next < Size || Next > Left)
            return STATUS_QUOTA_LIST_INCONSISTENT;
        Offset += Next;
    }
}
