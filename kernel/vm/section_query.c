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

static NTSTATUS VmpAnswer(PVOID Buffer, SIZE_T Length, const VOID *Answer, SIZE_T Size)
{
    if (Length < Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    RtlCopyMemory(Buffer, Answer, Size);
    return STATUS_SUCCESS;
}

static NTSTATUS VmpQuerySection(const VM_SECTION *Section, SECTION_INFORMATION_CLASS Class, PVOID Buffer,
                                SIZE_T Length, SIZE_T *Size)
{
    if (Class == SectionBasicInformation) {
        SECTION_BASIC_INFORMATION Basic = VmpBasicOf(Section);
        *Size = sizeof(Basic);
        return VmpAnswer(Buffer, Length, &Basic, sizeof(Basic));
    }
    if (Class != SectionImageInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (MmSegmentKindOf(Section->Segment) != MmSegmentImage)
        return STATUS_SECTION_NOT_IMAGE;
    SECTION_IMAGE_INFORMATION Image = VmpImageOf(MmSegmentImageHeader(Section->Segment));
    *Size = sizeof(Image);
    return VmpAnswer(Buffer, Length, &Image, sizeof(Image));
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwQuerySection(HANDLE SectionHandle, SECTION_INFORMATION_CLASS SectionInformationClass,
                              PVOID SectionInformation, SIZE_T SectionInformationLength, PSIZE_T ReturnLength)
{
    VM_SECTION *Section;
    SIZE_T Size = 0;

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = VmpReferenceSection(SectionHandle, SECTION_QUERY, KernelMode, &Section);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpQuerySection(Section, SectionInformationClass, SectionInformation, SectionInformationLength,
                             &Size);
    ObDereferenceObject(Section);
    if (ReturnLength != NULL && NT_SUCCESS(Status))
        *ReturnLength = Size;
    return Status;
}
