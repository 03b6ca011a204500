/* SPDX-License-Identifier: MIT
 * SEC_IMAGE: the segment of an image file, made of the file's bytes by ldr/pe (image), pristine and shared at the base that the image
 * wants; a view that lies elsewhere has copies of those pages that its relocations change. */
#include "vmp.h"
#include "image.h"

#define VM_TAG_IMAGE 'mImV'
#define VM_MAX_IMAGE (512u << 20)

/* The whole file in pool. */
static NTSTATUS VmpReadFile(PFILE_OBJECT File, PVOID *Bytes, ULONG64 *Size)
{
    NTSTATUS Status = VmUpcalls->FileSize(File, Size);

    if (!NT_SUCCESS(Status))
        return Status;
    if (*Size == 0 || *Size > VM_MAX_IMAGE)
        return *Size == 0 ? STATUS_INVALID_FILE_FOR_SECTION : STATUS_SECTION_TOO_BIG;
    SIZE_T Room = (*Size + PAGE_MASK) & ~(SIZE_T)PAGE_MASK;
    *Bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, Room, VM_TAG_IMAGE);
    if (*Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ULONG_PTR Done = 0;
    Status = MmUpcalls->TransferPages(File, 0, *Bytes, (ULONG)Room, FALSE, &Done);
    if (NT_SUCCESS(Status) && Done < *Size)
        Status = STATUS_END_OF_FILE;
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Bytes, VM_TAG_IMAGE);
    return Status;
}

static NTSTATUS VmpLayOut(PFILE_OBJECT File, const VOID *Bytes, ULONG64 Size, PMM_SEGMENT *Segment)
{
    IM_USER_IMAGE Image;
    MM_IMAGE_HEADER Header;
    NTSTATUS Status = ImLayOutUserImage(Bytes, Size, VM_TAG_IMAGE, &Image);

    if (!NT_SUCCESS(Status))
        return Status;
    Header = (MM_IMAGE_HEADER){.PreferredBase = Image.Base,
                               .EntryPoint = Image.EntryPoint,
                               .StackReserve = Image.StackReserve,
                               .StackCommit = Image.StackCommit,
                               .SubSystem = Image.SubSystem,
                               .SubSystemMajor = Image.SubSystemMajor,
                               .SubSystemMinor = Image.SubSystemMinor,
                               .Characteristics = Image.Characteristics,
                               .DllCharacteristics = Image.DllCharacteristics,
                               .Machine = Image.Machine,
                               .ContainsCode = Image.ContainsCode,
                               .Relocatable = Image.Relocatable,
                               .FileSize = (ULONG)Size,
                               .CheckSum = Image.CheckSum};
    Status = MmCreateImageSegment(File, Image.Pages, Image.Size, Image.PageInfo, &Header, Segment);
    ImFreeUserImage(&Image, VM_TAG_IMAGE);
    return Status;
}

NTSTATUS VmpReferenceImage(PFILE_OBJECT File, PMM_SEGMENT *Segment)
{
    PVOID Bytes;
    ULONG64 Size;

    *Segment = MmFindImageSegment(File);
    if (*Segment != NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = VmpReadFile(File, &Bytes, &Size);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpLayOut(File, Bytes, Size, Segment);
    ExFreePoolWithTag(Bytes, VM_TAG_IMAGE);
    return Status;
}

/* --- a view elsewhere --- */

static NTSTATUS VmpReadPages(PMM_SEGMENT Segment, PUCHAR Pages)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG64 At = 0; At < MmSegmentSize(Segment) && NT_SUCCESS(Status); At += PAGE_SIZE)
        Status = MmReadSegmentPage(Segment, At >> PAGE_SHIFT, Pages + At);
    return Status;
}

/* Pages that are not as in the segment are the view's own. */
static NTSTATUS VmpReplaceChanged(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, const MM_VIEW *View,
                                  const UCHAR *Pages, PUCHAR Pristine)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG64 At = 0; At < View->Size && NT_SUCCESS(Status); At += PAGE_SIZE) {
        ULONG64 Offset = View->Offset + At;
        Status = MmReadSegmentPage(Segment, Offset >> PAGE_SHIFT, Pristine);
        if (NT_SUCCESS(Status) && RtlCompareMemory(Pages + Offset, Pristine, PAGE_SIZE) != PAGE_SIZE)
            Status = MmReplacePage(Space, Segment, View->Base + At, Pages + Offset);
    }
    return Status;
}

/* [WDK ZwMapViewOfSection] An image with PE_DLL_DYNAMIC_BASE is relocated by the kernel, and its header says so; another one is
 * mapped as it is, and the loader is told. */
NTSTATUS VmpRelocateView(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, const MM_VIEW *View)
{
    ULONG64 Size = (MmSegmentSize(Segment) + PAGE_MASK) & ~(ULONG64)PAGE_MASK;

    if (!MmSegmentImageHeader(Segment)->Relocatable)
        return STATUS_IMAGE_NOT_AT_BASE;
    PUCHAR Pages = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size + PAGE_SIZE, VM_TAG_IMAGE);
    if (Pages == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = VmpReadPages(Segment, Pages);
    if (NT_SUCCESS(Status))
        Status = ImRelocateUserImage(Pages, MmSegmentSize(Segment),
                                     MmSegmentImageHeader(Segment)->PreferredBase, View->Base - View->Offset);
    if (NT_SUCCESS(Status))
        Status = VmpReplaceChanged(Space, Segment, View, Pages, Pages + Size);
    ExFreePoolWithTag(Pages, VM_TAG_IMAGE);
    return Status;
}
