/* SPDX-License-Identifier: MIT
 * ZwQueryVirtualMemory. [WDK ZwQueryVirtualMemory] */
#include "vmp.h"
#include "ke.h"

typedef struct _VM_QUERY {
    PMM_ADDRESS_SPACE Space;
    ULONG_PTR Address;
    PVOID Buffer; /* the caller's, SIZE_T Length */
    SIZE_T Length;
    SIZE_T Needed; /* out */
} VM_QUERY;

static NTSTATUS VmpQueryBasic(VM_QUERY *Query)
{
    MEMORY_BASIC_INFORMATION Information;
    Query->Needed = sizeof(Information);
    if (Query->Length < sizeof(Information))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmQueryBasic(Query->Space, Query->Address, &Information);
    return NT_SUCCESS(Status) ? VmpWrite(Query->Buffer, &Information, sizeof(Information), KernelMode)
                              : Status;
}

static NTSTATUS VmpQueryRegion(VM_QUERY *Query)
{
    MEMORY_REGION_INFORMATION Information;
    Query->Needed = sizeof(Information);
    if (Query->Length < sizeof(Information))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmQueryRegion(Query->Space, Query->Address, &Information);
    return NT_SUCCESS(Status) ? VmpWrite(Query->Buffer, &Information, sizeof(Information), KernelMode)
                              : Status;
}

/* [PSAPI_WORKING_SET_EX_INFORMATION] addresses come in with the buffer, whatever BaseAddress is. */
static NTSTATUS VmpQueryPages(VM_QUERY *Query)
{
    MEMORY_WORKING_SET_EX_INFORMATION *Pages = Query->Buffer;
    SIZE_T Count = Query->Length / sizeof(*Pages);
    Query->Needed = Count * sizeof(*Pages);
    if (Count == 0)
        return STATUS_INFO_LENGTH_MISMATCH;
    for (SIZE_T I = 0; I < Count; I++)
        Pages[I].VirtualAttributes = MmQueryPage(Query->Space, (ULONG_PTR)Pages[I].VirtualAddress);
    return STATUS_SUCCESS;
}

static NTSTATUS VmpQueryImage(VM_QUERY *Query)
{
    MM_VIEW View;
    Query->Needed = sizeof(MEMORY_IMAGE_INFORMATION);
    if (Query->Length < sizeof(MEMORY_IMAGE_INFORMATION))
        return STATUS_INFO_LENGTH_MISMATCH;
    PMM_SEGMENT Segment = MmReferenceSegmentAt(Query->Space, Query->Address, &View);
    if (Segment == NULL)
        return STATUS_INVALID_ADDRESS;
    MEMORY_IMAGE_INFORMATION Information = {.ImageBase = (PVOID)View.Base,
                                            .SizeOfImage = MmSegmentSize(Segment)};
    BOOLEAN Image = MmSegmentKindOf(Segment) == MmSegmentImage;
    MmReleaseSegment(Segment);
    return Image ? VmpWrite(Query->Buffer, &Information, sizeof(Information), KernelMode)
                 : STATUS_INVALID_ADDRESS;
}

/* [WDK GetMappedFileName] the name of the file whose section is mapped there. STATUS_FILE_INVALID: it has none. */
static NTSTATUS VmpQueryName(VM_QUERY *Query)
{
    MM_VIEW View;
    ULONG Needed = 0;
    NTSTATUS Status = STATUS_FILE_INVALID;
    PMM_SEGMENT Segment = MmReferenceSegmentAt(Query->Space, Query->Address, &View);
    if (Segment == NULL)
        return STATUS_INVALID_ADDRESS;
    PFILE_OBJECT File = MmSegmentFileObject(Segment);
    if (File != NULL)
        Status = ObQueryNameString(File, Query->Buffer, (ULONG)Query->Length, &Needed);
    Query->Needed = Needed;
    MmReleaseSegment(Segment);
    return Status;
}

static NTSTATUS VmpQuery(VM_QUERY *Query, MEMORY_INFORMATION_CLASS Class)
{
    switch (Class) {
    case MemoryBasicInformation:
        return VmpQueryBasic(Query);
    case MemoryMappedFilenameInformation:
        return VmpQueryName(Query);
    case MemoryRegionInformation:
        return VmpQueryRegion(Query);
    case MemoryWorkingSetExInformation:
        return VmpQueryPages(Query);
    case MemoryImageInformation:
        return VmpQueryImage(Query);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
                                    MEMORY_INFORMATION_CLASS MemoryInformationClass, PVOID MemoryInformation,
                                    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
    PEPROCESS Process;

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = VmpReferenceProcess(ProcessHandle, PROCESS_QUERY_INFORMATION, KernelMode, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    VM_QUERY Query = {VmpSpaceOf(Process), (ULONG_PTR)BaseAddress, MemoryInformation, MemoryInformationLength,
                      0};
    Status = VmpQuery(&Query, MemoryInformationClass);
    ObDereferenceObject(Process);
    if (ReturnLength != NULL)
        *ReturnLength = Query.Needed;
    return Status;
}
