/* SPDX-License-Identifier: MIT
 * IMAGE_SCN_MEM_SHARED: "The section can be shared in memory" [PE format, section flags]. The file is a device of this driver, whose contents
 * lie in memory: an image with a section that is shared and one that is not. */
#include "ct_file_device.h"
#include "ct_view.h"
#include <ntimage.h>

#define BASE 0x180000000ull
#define SHARED 0x1000u /* RVAs */
#define OWN 0x2000u
#define RAW 0x200u

static UCHAR Bytes[3 * RAW];
static CT_FILE File = {.Name = L"\\Device\\CtImageShared", .Bytes = Bytes, .Size = sizeof(Bytes)};

static VOID MakeSection(PIMAGE_SECTION_HEADER Header, ULONG Rva, ULONG Raw, ULONG Also)
{
    Header->Misc.VirtualSize = RAW;
    Header->VirtualAddress = Rva;
    Header->SizeOfRawData = RAW;
    Header->PointerToRawData = Raw;
    Header->Characteristics =
        IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_WRITE | Also;
    RtlFillMemory(Bytes + Raw, RAW, 1);
}

static VOID MakeImage(VOID)
{
    PIMAGE_DOS_HEADER Dos = (PIMAGE_DOS_HEADER)Bytes;
    PIMAGE_NT_HEADERS64 Nt = (PIMAGE_NT_HEADERS64)(Bytes + sizeof(*Dos));
    PIMAGE_SECTION_HEADER Sections = (PIMAGE_SECTION_HEADER)(Nt + 1);
    Dos->e_magic = 0x5a4d;
    Dos->e_lfanew = sizeof(*Dos);
    Nt->Signature = 0x4550;
    Nt->FileHeader.Machine = 0x8664;
    Nt->FileHeader.NumberOfSections = 2;
    Nt->FileHeader.SizeOfOptionalHeader = sizeof(Nt->OptionalHeader);
    Nt->FileHeader.Characteristics = 0x23; /* no relocations, executable, large addresses */
    Nt->OptionalHeader.Magic = 0x20b;
    Nt->OptionalHeader.ImageBase = BASE;
    Nt->OptionalHeader.SectionAlignment = PAGE_SIZE;
    Nt->OptionalHeader.FileAlignment = RAW;
    Nt->OptionalHeader.MajorSubsystemVersion = 10;
    Nt->OptionalHeader.SizeOfImage = 3 * PAGE_SIZE;
    Nt->OptionalHeader.SizeOfHeaders = RAW;
    Nt->OptionalHeader.Subsystem = 3;
    Nt->OptionalHeader.NumberOfRvaAndSizes = 16;
    MakeSection(&Sections[0], SHARED, RAW, IMAGE_SCN_MEM_SHARED);
    MakeSection(&Sections[1], OWN, 2 * RAW, 0);
}
C_ASSERT(sizeof(IMAGE_DOS_HEADER) + sizeof(IMAGE_NT_HEADERS64) + 2 * sizeof(IMAGE_SECTION_HEADER) <= RAW);

static NTSTATUS OpenSection(PHANDLE Section)
{
    HANDLE Handle;
    NTSTATUS Status = CtOpenFile(&Handle, FILE_READ_DATA | FILE_EXECUTE);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CtCreateSection(Section, 0, PAGE_EXECUTE, SEC_IMAGE, Handle);
    ZwClose(Handle);
    return Status;
}

/* --- views -------------------------------------------------------------------------------------------------------- */

/* STATUS_IMAGE_NOT_AT_BASE for the second one. */
static volatile UCHAR *Map(HANDLE Section)
{
    PVOID Base = NULL;
    SIZE_T Size = 0;
    NTSTATUS Status = ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                                         PAGE_READONLY);
    return NT_SUCCESS(Status) ? Base : NULL;
}

static VOID Unmap(volatile UCHAR *View)
{
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), (PVOID)View));
}

static ULONG ProtectionOf(volatile UCHAR *Address)
{
    MEMORY_BASIC_INFORMATION Basic = {0};
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), (PVOID)Address, MemoryBasicInformation, &Basic,
                                    sizeof(Basic), NULL));
    return Basic.Protect;
}

static VOID UseViews(HANDLE Section)
{
    volatile UCHAR *First = Map(Section), *Second = Map(Section);
    CT_REQUIRE(First != NULL && Second != NULL && First != Second);
    CT_EQUAL(ProtectionOf(First + SHARED), PAGE_READWRITE);
    CT_EQUAL(ProtectionOf(First + OWN), PAGE_WRITECOPY);
    CT_CHECK(First[SHARED] == 1 && Second[SHARED] == 1 && Second[OWN] == 1 && First[SHARED + RAW] == 0);
    First[SHARED] = 5;
    First[OWN] = 6;
    CT_CHECK(Second[SHARED] == 5 && Second[OWN] == 1);
    Second[SHARED] = 7;
    CT_CHECK(First[SHARED] == 7 && First[OWN] == 6);
    Unmap(First);
    Unmap(Second);
    First = Map(Section); /* the section keeps what was written */
    CT_REQUIRE(First != NULL);
    CT_CHECK(First[SHARED] == 7 && First[OWN] == 1);
    Unmap(First);
}

static VOID ImageShared(VOID)
{
    HANDLE Section;
    PDEVICE_OBJECT Device = CtMakeFileDevice(&File);
    CT_REQUIRE(Device != NULL);
    MakeImage();
    for (ULONG i = 0; i < 2; i++) { /* a new section begins as the file says */
        if (CT_SUCCESS(OpenSection(&Section))) {
            UseViews(Section);
            CT_SUCCESS(ZwClose(Section));
        }
        CT_CHECK(MmForceSectionClosed(&File.Pointers, FALSE));
        CT_EQUAL(Bytes[RAW], 1);
    }
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {{"image_shared.views", ImageShared}};
CT_DRIVER(Cases)
