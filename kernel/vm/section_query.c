/* SPDX-License-Identifier: MIT
 * ZwQuerySection: size and attributes of a section, and what the headers of its image say. */
#include "vmp.h"
#include "ke.h"

static SECTION_BASIC_INFORMATION VmpBasicOf(const VM_SECTION *Section)
{
    ULONG64 Size =
        MmSegmentKindOf(Section->Segment) == MmSegmentImage ? MmSegmentSize(Section->Segment) : Section->Size;
    return (SECTION_BASIC_INFORMATION){.AllocationAttributes = Section->Attributes,
                                       .MaximumSize = {.QuadPart = (LONGLONG)Size}};
}

static SECTION_IMAGE_INFORMATION VmpImageOf(const MM_IMAGE_HEADER *Header)
{
    return (SECTION_IMAGE_INFORMATION){
        .TransferAddress = (PVOID)(Header->EntryPoint != 0 ? Header->PreferredBase + Header->EntryPoint : 0),
        .MaximumStackSize = Header->StackReserve,
        .CommittedStackSize = Header->StackCommit,
        .SubSystemType = Header->SubSystem,
        .SubSystemMinorVersion = Header->SubSystemMinor,
        .SubSystemMajorVersion = Header->SubSystemMajor,
        .ImageCharacteristics = Header->Characteristics,
        .DllCharacteristics = Header->DllCharacteristics,
        .Machine = Header->Machine,
        .ImageContainsCode = Header->ContainsCode,
        .ImageFileSize = Header->FileSize,
        .CheckSum = Header->CheckSum};
}

/* The caller's variables of one call. */
typedef struct _VM_SECTION_QUERY {
    SECTION_INFORMATION_CLASS Class;
    PVOID Buffer;
    SIZE_T Length;
    PSIZE_T ReturnLength; /* may be NULL */
    KPROCESSOR_MODE Mode;
} VM_SECTION_QUERY;

static NTSTATUS VmpAnswer(const VM_SECTION_QUERY *Query, const VOID *Answer, SIZE_T Size)
{
    if (Query->Length < Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmWriteCaller(Query->Buffer, Answer, Size, Query->Mode);
    if (NT_SUCCESS(Status) && Query->ReturnLength != NULL)
        Status = MmWriteCaller(Query->ReturnLength, &Size, sizeof(Size), Query->Mode);
    return Status;
}

static NTSTATUS VmpAnswerOf(const VM_SECTION *Section, const VM_SECTION_QUERY *Query)
{
    if (Query->Class == SectionBasicInformation) {
        SECTION_BASIC_INFORMATION Basic = VmpBasicOf(Section);
        return VmpAnswer(Query, &Basic, sizeof(Basic));
    }
    if (Query->Class != SectionImageInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (MmSegmentKindOf(Section->Segment) != MmSegmentImage)
        return STATUS_SECTION_NOT_IMAGE;
    SECTION_IMAGE_INFORMATION Image = VmpImageOf(MmSegmentImageHeader(Section->Segment));
    return VmpAnswer(Query, &Image, sizeof(Image));
}

static NTSTATUS VmpQuerySection(HANDLE SectionHandle, const VM_SECTION_QUERY *Query)
{
    VM_SECTION *Section;
    NTSTATUS Status = VmpReferenceSection(SectionHandle, SECTION_QUERY, Query->Mode, &Section);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpAnswerOf(Section, Query);
    ObDereferenceObject(Section);
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwQuerySection(HANDLE SectionHandle, SECTION_INFORMATION_CLASS SectionInformationClass,
                              PVOID SectionInformation, SIZE_T SectionInformationLength, PSIZE_T ReturnLength)
{
    VM_SECTION_QUERY Query = {SectionInformationClass, SectionInformation, SectionInformationLength,
                              ReturnLength, KernelMode};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpQuerySection(SectionHandle, &Query);
}

NTSTATUS NTAPI NtQuerySection(HANDLE SectionHandle, SECTION_INFORMATION_CLASS SectionInformationClass,
                              PVOID SectionInformation, SIZE_T SectionInformationLength, PSIZE_T ReturnLength)
{
    VM_SECTION_QUERY Query = {SectionInformationClass, SectionInformation, SectionInformationLength,
                              ReturnLength, ExGetPreviousMode()};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpQuerySection(SectionHandle, &Query);
}
