/* SPDX-License-Identifier: MIT
 * Images of programs for SEC_IMAGE sections: laid out by RVA, with the protection of each page. No import is bound, nothing runs. */
#include "imp.h"

/* [PE format, section flags] IMAGE_SCN_MEM_SHARED: all processes write to the same page. Else each has its own copy. */
static BOOLEAN ImpIsShared(const PE_IMAGE *Image, ULONG Rva)
{
    PE_SECTION Section;
    return PeFindSection(Image, Rva, &Section, NULL) == PE_OK &&
           (Section.Characteristics & IMAGE_SCN_MEM_SHARED) != 0;
}

static ULONG ImpPageProtection(uint32_t Pe, BOOLEAN Shared)
{
    if ((Pe & PE_PROTECT_WRITE) && Shared)
        return Pe & PE_PROTECT_EXECUTE ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
    if (Pe & PE_PROTECT_WRITE)
        return Pe & PE_PROTECT_EXECUTE ? PAGE_EXECUTE_WRITECOPY : PAGE_WRITECOPY;
    if (Pe & PE_PROTECT_EXECUTE)
        return Pe & PE_PROTECT_READ ? PAGE_EXECUTE_READ : PAGE_EXECUTE;
    return Pe & PE_PROTECT_READ ? PAGE_READONLY : PAGE_NOACCESS;
}

/* [WDK ZwCreateSection] STATUS_INVALID_IMAGE_FORMAT, and which kind of other image it is. */
static NTSTATUS ImpStatusOf(PE_STATUS Status)
{
    switch (Status) {
    case PE_OK:
        return STATUS_SUCCESS;
    case PE_NOT_PE:
        return STATUS_INVALID_IMAGE_NOT_MZ;
    case PE_WRONG_MACHINE:
        return STATUS_INVALID_IMAGE_FORMAT;
    case PE_NOT_WINDOWS_IMAGE:
        return STATUS_INVALID_IMAGE_PROTECT;
    default:
        return STATUS_INVALID_IMAGE_FORMAT;
    }
}

/* Fields that PE_IMAGE does not have: the header was checked. */
static VOID ImpFillHeader(const PE_IMAGE *Mapped, IM_USER_IMAGE *Image)
{
    const IMAGE_NT_HEADERS64 *Headers = (const IMAGE_NT_HEADERS64 *)(Mapped->Bytes + Mapped->HeaderOffset);

    Image->Base = Mapped->ImageBase;
    Image->EntryPoint = Mapped->AddressOfEntryPoint;
    Image->StackReserve = Headers->OptionalHeader.SizeOfStackReserve;
    Image->StackCommit = Headers->OptionalHeader.SizeOfStackCommit;
    Image->ContainsCode = Headers->OptionalHeader.SizeOfCode != 0;
    Image->Machine = Headers->FileHeader.Machine;
    Image->SubSystem = Mapped->Subsystem;
    Image->SubSystemMajor = Mapped->MajorSubsystemVersion;
    Image->SubSystemMinor = Mapped->MinorSubsystemVersion;
    Image->Characteristics = Mapped->Characteristics;
    Image->DllCharacteristics = Mapped->DllCharacteristics;
    Image->CheckSum = Mapped->CheckSum;
    Image->Relocatable = (Mapped->DllCharacteristics & PE_DLL_DYNAMIC_BASE) &&
                         !(Mapped->Characteristics & PE_FILE_RELOCS_STRIPPED);
}

/* Does the page hold these bytes of the file, and then zeroes? */
static BOOLEAN ImpIsFrom(const UCHAR *Page, const UCHAR *Bytes, SIZE_T Length)
{
    if (RtlCompareMemory(Page, Bytes, Length) != Length)
        return FALSE;
    while (Length < PAGE_SIZE && Page[Length] == 0)
        Length++;
    return Length == PAGE_SIZE;
}

/* The bytes of the file that a page is made of, so that it can be read again. A page of several sections has no such place. */
static VOID ImpFindSource(const PE_IMAGE *File, ULONG Rva, const UCHAR *Page, MM_IMAGE_PAGE *Info)
{
    PE_SECTION Section;
    ULONG64 Offset = Rva, End = File->SizeOfHeaders;

    if (PeFindSection(File, Rva, &Section, NULL) == PE_OK) {
        Offset = (ULONG64)Section.RawOffset + (Rva - Section.Rva);
        End = (ULONG64)Section.RawOffset + Section.RawSize;
    }
    if (Offset >= End || End > File->Length)
        return;
    SIZE_T Length = End - Offset < PAGE_SIZE ? End - Offset : PAGE_SIZE;
    if (!ImpIsFrom(Page, File->Bytes + Offset, Length))
        return;
    Info->FileOffset = (ULONG)Offset;
    Info->FileBytes = (ULONG)Length;
}

static NTSTATUS ImpFillPages(const PE_IMAGE *File, IM_USER_IMAGE *Image)
{
    PE_IMAGE Mapped;
    NTSTATUS Status = ImpStatusOf(PeMapImage(File, Image->Pages, Image->Size, &Mapped, NULL));

    if (!NT_SUCCESS(Status))
        return Status;
    ImpFillHeader(&Mapped, Image);
    for (ULONG64 At = 0; At < Image->Size; At += PAGE_SIZE) {
        MM_IMAGE_PAGE *Info = &Image->PageInfo[At / PAGE_SIZE];
        Info->Protect =
            ImpPageProtection(PeGetPageProtection(&Mapped, (uint32_t)At), ImpIsShared(&Mapped, (ULONG)At));
        ImpFindSource(File, (ULONG)At, Image->Pages + At, Info);
    }
    return STATUS_SUCCESS;
}

NTSTATUS ImLayOutUserImage(const VOID *Bytes, ULONG64 Length, ULONG Tag, IM_USER_IMAGE *Image)
{
    PE_IMAGE File;
    NTSTATUS Status = ImpStatusOf(PeParseFile(Bytes, Length, 0, &File, NULL));

    if (!NT_SUCCESS(Status))
        return Status;
    ULONG64 Pages = BYTES_TO_PAGES(File.SizeOfImage);
    *Image = (IM_USER_IMAGE){.Size = Pages << PAGE_SHIFT};
    Image->Pages = ExAllocatePool2(POOL_FLAG_NON_PAGED, Image->Size, Tag);
    Image->PageInfo = ExAllocatePool2(POOL_FLAG_NON_PAGED, Pages * sizeof(*Image->PageInfo), Tag);
    Status = Image->Pages != NULL && Image->PageInfo != NULL ? ImpFillPages(&File, Image)
                                                             : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(Status))
        ImFreeUserImage(Image, Tag);
    return Status;
}

VOID ImFreeUserImage(IM_USER_IMAGE *Image, ULONG Tag)
{
    if (Image->Pages != NULL)
        ExFreePoolWithTag(Image->Pages, Tag);
    if (Image->PageInfo != NULL)
        ExFreePoolWithTag(Image->PageInfo, Tag);
}

NTSTATUS ImRelocateUserImage(PVOID Pages, ULONG64 Size, ULONG64 OldBase, ULONG64 NewBase)
{
    PE_IMAGE Mapped;
    PE_STATUS Status = PeParseMapped(Pages, Size, OldBase, &Mapped, NULL);

    if (Status == PE_OK)
        Status = PeRelocateImage(&Mapped, NewBase, NULL);
    return ImpStatusOf(Status);
}
