/* SPDX-License-Identifier: MIT
 * ZwQueryVirtualMemory. [WDK ZwQueryVirtualMemory] */
#include "vmp.h"
#include "ke.h"

#define VM_TAG_NAME 'aNmV'
#define VM_MAX_NAME 0x10100u /* a UNICODE_STRING and its 64 KiB */

typedef struct _VM_QUERY {
    PMM_ADDRESS_SPACE Space;
    ULONG_PTR Address;
    PVOID Buffer; /* the caller's, SIZE_T Length */
    SIZE_T Length;
    SIZE_T Needed; /* out */
    KPROCESSOR_MODE Mode;
} VM_QUERY;

static NTSTATUS VmpQueryBasic(VM_QUERY *Query)
{
    MEMORY_BASIC_INFORMATION Information;
    Query->Needed = sizeof(Information);
    if (Query->Length < sizeof(Information))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmQueryBasic(Query->Space, Query->Address, &Information);
    return NT_SUCCESS(Status) ? MmWriteCaller(Query->Buffer, &Information, sizeof(Information), Query->Mode)
                              : Status;
}

static NTSTATUS VmpQueryRegion(VM_QUERY *Query)
{
    MEMORY_REGION_INFORMATION Information;
    Query->Needed = sizeof(Information);
    if (Query->Length < sizeof(Information))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmQueryRegion(Query->Space, Query->Address, &Information);
    return NT_SUCCESS(Status) ? MmWriteCaller(Query->Buffer, &Information, sizeof(Information), Query->Mode)
                              : Status;
}

#define VM_PAGES_AT_ONCE 64

/* [PSAPI_WORKING_SET_EX_INFORMATION] addresses come in with the buffer, whatever BaseAddress is. Many under one lock: others want it too. */
static NTSTATUS VmpQueryPages(VM_QUERY *Query)
{
    MEMORY_WORKING_SET_EX_INFORMATION *Pages = Query->Buffer, Some[VM_PAGES_AT_ONCE];
    SIZE_T Count = Query->Length / sizeof(*Pages);
    Query->Needed = Count * sizeof(*Pages);
    if (Count == 0)
        return STATUS_INFO_LENGTH_MISMATCH;
    for (SIZE_T I = 0; I < Count; I += VM_PAGES_AT_ONCE) {
        ULONG Now = (ULONG)min(Count - I, VM_PAGES_AT_ONCE);
        NTSTATUS Status = MmReadCaller(Some, &Pages[I], Now * sizeof(*Pages), Query->Mode);
        if (!NT_SUCCESS(Status))
            return Status;
        MmQueryPages(Query->Space, Some, Now);
        Status = MmWriteCaller(&Pages[I], Some, Now * sizeof(*Pages), Query->Mode);
        if (!NT_SUCCESS(Status))
            return Status;
    }
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
    return Image ? MmWriteCaller(Query->Buffer, &Information, sizeof(Information), Query->Mode)
                 : STATUS_INVALID_ADDRESS;
}

/* The string's pointer is the caller's, whose buffer it goes to. */
static NTSTATUS VmpWriteName(const VM_QUERY *Query, POBJECT_NAME_INFORMATION Name, SIZE_T Length)
{
    if (Name->Name.Buffer != NULL)
        Name->Name.Buffer = (PWCH)((PUCHAR)Query->Buffer + ((PUCHAR)Name->Name.Buffer - (PUCHAR)Name));
    return MmWriteCaller(Query->Buffer, Name, Length, Query->Mode);
}

static NTSTATUS VmpQueryFileName(VM_QUERY *Query, PFILE_OBJECT File)
{
    ULONG Length = Query->Length < VM_MAX_NAME ? (ULONG)Query->Length : VM_MAX_NAME, Needed = 0;
    POBJECT_NAME_INFORMATION Name = ExAllocatePool2(POOL_FLAG_PAGED, VM_MAX_NAME, VM_TAG_NAME);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObQueryNameString(File, Name, Length, &Needed);
    Query->Needed = Needed;
    if (Status == STATUS_BUFFER_OVERFLOW)
        Status = STATUS_INFO_LENGTH_MISMATCH;
    if (NT_SUCCESS(Status))
        Status = VmpWriteName(Query, Name, Needed);
    ExFreePoolWithTag(Name, VM_TAG_NAME);
    return Status;
}

/* [WDK GetMappedFileName] the name of the file whose section is mapped there. STATUS_FILE_INVALID: it has none. */
static NTSTATUS VmpQueryName(VM_QUERY *Query)
{
    MM_VIEW View;
    PMM_SEGMENT Segment = MmReferenceSegmentAt(Query->Space, Query->Address, &View);
    if (Segment == NULL)
        return STATUS_INVALID_ADDRESS;
    PFILE_OBJECT File = MmSegmentFileObject(Segment);
    NTSTATUS Status = File != NULL ? VmpQueryFileName(Query, File) : STATUS_FILE_INVALID;
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

static NTSTATUS VmpQueryProcess(HANDLE ProcessHandle, MEMORY_INFORMATION_CLASS Class, VM_QUERY *Query,
                                PSIZE_T ReturnLength)
{
    PEPROCESS Process;
    NTSTATUS Status = MmProbeCaller(ReturnLength, sizeof(*ReturnLength), Query->Mode);

    if (NT_SUCCESS(Status))
        Status = VmpReferenceProcess(ProcessHandle, PROCESS_QUERY_INFORMATION, Query->Mode, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Query->Space = VmpSpaceOf(Process);
    Status = VmpQuery(Query, Class);
    ObDereferenceObject(Process);
    if (ReturnLength == NULL)
        return Status;
    NTSTATUS Written = MmWriteCaller(ReturnLength, &Query->Needed, sizeof(Query->Needed), Query->Mode);
    return NT_SUCCESS(Written) ? Status : Written;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
                                    MEMORY_INFORMATION_CLASS MemoryInformationClass, PVOID MemoryInformation,
                                    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
    VM_QUERY Query = {.Address = (ULONG_PTR)BaseAddress,
                      .Buffer = MemoryInformation,
                      .Length = MemoryInformationLength,
                      .Mode = KernelMode};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpQueryProcess(ProcessHandle, MemoryInformationClass, &Query, ReturnLength);
}

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
                                    MEMORY_INFORMATION_CLASS MemoryInformationClass, PVOID MemoryInformation,
                                    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
    VM_QUERY Query = {.Address = (ULONG_PTR)BaseAddress,
                      .Buffer = MemoryInformation,
                      .Length = MemoryInformationLength,
                      .Mode = ExGetPreviousMode()};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpQueryProcess(ProcessHandle, MemoryInformationClass, &Query, ReturnLength);
}
