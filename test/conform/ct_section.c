/* SPDX-License-Identifier: MIT
 * Sections and their views. [WDK ZwCreateSection, ZwOpenSection, ZwMapViewOfSection, ZwUnmapViewOfSection, ZwQuerySection,
 * MmMapViewInSystemSpace, MmFlushImageSection, MmCanFileBeTruncated, ZwFlushVirtualMemory]; of files that are written to: ct_section_write.c */
#include "ct_view.h"
#include <ntimage.h>

#define SYSTEM_START ((PVOID)0xffff800000000000)

#define FILE_NAME L"\\SystemRoot\\System32\\hal.dll"

static VOID SectionCreate(VOID)
{
    HANDLE Section;
    PUCHAR First, Second, Third;
    SIZE_T Size;
    CT_SUCCESS(CtCreateSection(&Section, 0x23456, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(CtMap(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, 0x24000);
    CT_EQUAL((ULONG_PTR)First % 0x10000, 0);
    CT_CHECK(CtHolds(First, 0) && CtHolds(First + 0x23fff, 0));
    CT_SUCCESS(CtWrite(First + 0x12345, 7));
    CT_SUCCESS(CtMap(Section, &Second, &Size, 0x10000, PAGE_READONLY));
    CT_EQUAL(Size, 0x14000);
    CT_CHECK(CtHolds(Second + 0x2345, 7));
    CT_STATUS(CtWrite(Second + 0x2345, 8), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(CtUnmap(First + 0x5000)); /* any address inside */
    CT_CHECK(CtHolds(Second + 0x2345, 7) && CtFaults(First + 0x12345));
    CT_SUCCESS(CtUnmap(Second));
    CT_STATUS(CtUnmap(Second), STATUS_NOT_MAPPED_VIEW);
    CT_SUCCESS(CtMap(Section, &Third, &Size, 0, PAGE_READWRITE)); /* the section has kept it */
    CT_CHECK(CtHolds(Third + 0x12345, 7));
    CT_SUCCESS(ZwClose(Section)); /* the view keeps the section */
    CT_SUCCESS(CtWrite(Third, 9));
    CT_CHECK(CtHolds(Third, 9));
    CT_SUCCESS(CtUnmap(Third));
}

static VOID SectionCopy(VOID)
{
    HANDLE Section;
    PUCHAR Shared, Copy;
    SIZE_T Size;
    CT_SUCCESS(CtCreateSection(&Section, 0x3000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(CtMap(Section, &Shared, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(CtMap(Section, &Copy, &Size, 0, PAGE_WRITECOPY));
    CT_SUCCESS(CtWrite(Shared, 1));
    CT_CHECK(CtHolds(Copy, 1));
    CT_SUCCESS(CtWrite(Copy, 2));
    CT_CHECK(CtHolds(Shared, 1) && CtHolds(Copy, 2));
    CT_SUCCESS(CtWrite(Shared, 3));
    CT_SUCCESS(CtWrite(Shared + 0x1000, 4));
    CT_CHECK(CtHolds(Copy, 2) && CtHolds(Copy + 0x1000, 4));
    MEMORY_BASIC_INFORMATION Basic;
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), Copy, MemoryBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_CHECK(Basic.Protect == PAGE_READWRITE && Basic.AllocationProtect == PAGE_WRITECOPY &&
             Basic.RegionSize == PAGE_SIZE && Basic.Type == MEM_MAPPED);
    CT_SUCCESS(CtUnmap(Copy));
    CT_SUCCESS(CtUnmap(Shared));
    CT_SUCCESS(ZwClose(Section));
}

static VOID SectionReserve(VOID)
{
    HANDLE Section;
    PUCHAR First, Second;
    SIZE_T Size, Bytes = 0x1000;
    CT_SUCCESS(CtCreateSection(&Section, 0x20000, PAGE_READWRITE, SEC_RESERVE, NULL));
    CT_SUCCESS(CtMap(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(CtMap(Section, &Second, &Size, 0, PAGE_READWRITE));
    CT_STATUS(CtWrite(First, 1), STATUS_ACCESS_VIOLATION);
    PVOID At = First + 0x3000;
    CT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    CT_SUCCESS(CtWrite(First + 0x3000, 5));
    CT_CHECK(CtHolds(Second + 0x3000, 5)); /* committed for all views */
    CT_STATUS(CtWrite(Second + 0x4000, 5), STATUS_ACCESS_VIOLATION);
    CT_STATUS(ZwFreeVirtualMemory(ZwCurrentProcess(), &At, &Bytes, MEM_RELEASE),
              STATUS_UNABLE_TO_DELETE_SECTION);
    CT_SUCCESS(CtUnmap(First));
    CT_SUCCESS(CtUnmap(Second));
    CT_SUCCESS(ZwClose(Section));
}

static NTSTATUS CommitView(PUCHAR View, SIZE_T Bytes)
{
    PVOID At = View;
    return ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE);
}

/* So much of a view from View on is reserved, and that is all there is to see. */
static VOID ExpectReserved(PUCHAR View, SIZE_T Bytes)
{
    MEMORY_BASIC_INFORMATION Basic;
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), View, MemoryBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_EQUAL(Basic.State, MEM_RESERVE);
    CT_EQUAL(Basic.RegionSize, Bytes);
}

/* [WDK ZwCreateSection, SEC_RESERVE] addresses without memory: as many as one likes. */
static VOID SectionLarge(VOID)
{
    const ULONG64 Huge = 1ull << 40;
    HANDLE Section;
    PUCHAR View;
    SIZE_T Size;
    CT_STATUS(CtCreateSection(&Section, Huge, PAGE_READWRITE, SEC_COMMIT, NULL), STATUS_COMMITMENT_LIMIT);
    CT_REQUIRE(CT_SUCCESS(CtCreateSection(&Section, Huge, PAGE_READWRITE, SEC_RESERVE, NULL)));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, Huge);
    ExpectReserved(View, Huge);
    CT_STATUS(CommitView(View, Huge), STATUS_COMMITMENT_LIMIT);
    CT_SUCCESS(CommitView(View + Huge / 2, 0x1000));
    CT_SUCCESS(CtWrite(View + Huge / 2, 1));
    ExpectReserved(View, Huge / 2);
    ExpectReserved(View + Huge / 2 + 0x1000, Huge / 2 - 0x1000);
    ULONG Old;
    PVOID At = View;
    CT_STATUS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Size, PAGE_READONLY, &Old),
              STATUS_NOT_COMMITTED);
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
}

static VOID SectionName(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtSection");
    OBJECT_ATTRIBUTES Object;
    LARGE_INTEGER Bytes = {.QuadPart = 0x1000};
    HANDLE Section, Other;
    PUCHAR First, Second;
    SIZE_T Size;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_STATUS(ZwOpenSection(&Other, SECTION_ALL_ACCESS, &Object), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(
        ZwCreateSection(&Section, SECTION_ALL_ACCESS, &Object, &Bytes, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(ZwOpenSection(&Other, SECTION_MAP_READ, &Object));
    CT_SUCCESS(CtMap(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(CtMap(Other, &Second, &Size, 0, PAGE_READONLY));
    CT_SUCCESS(CtWrite(First, 6));
    CT_CHECK(CtHolds(Second, 6));
    CT_SUCCESS(CtUnmap(First));
    CT_SUCCESS(CtUnmap(Second));
    CT_SUCCESS(ZwClose(Other));
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(ZwOpenSection(&Other, SECTION_ALL_ACCESS, &Object), STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID SectionWrong(VOID)
{
    HANDLE Section;
    PUCHAR Base;
    SIZE_T Size;
    CT_STATUS(CtCreateSection(&Section, 0, PAGE_READWRITE, SEC_COMMIT, NULL), STATUS_INVALID_PARAMETER_4);
    CT_STATUS(CtCreateSection(&Section, 1, PAGE_READWRITE, 0, NULL), STATUS_INVALID_PARAMETER_6);
    CT_STATUS(CtCreateSection(&Section, 1, PAGE_READWRITE, SEC_COMMIT | SEC_RESERVE, NULL),
              STATUS_INVALID_PARAMETER_6);
    CT_STATUS(CtCreateSection(&Section, 1, PAGE_NOACCESS, SEC_COMMIT, NULL), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(CtCreateSection(&Section, 1, 0, SEC_COMMIT, NULL), STATUS_INVALID_PAGE_PROTECTION);
    CT_SUCCESS(CtCreateSection(&Section, 0x11000, PAGE_READONLY, SEC_COMMIT, NULL));
    CT_STATUS(CtMap(Section, &Base, &Size, 0, PAGE_READWRITE), STATUS_SECTION_PROTECTION);
    CT_STATUS(CtMap(Section, &Base, &Size, 0x20000, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
    Size = 0x12001;
    Base = NULL;
    CT_STATUS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                                 PAGE_READONLY),
              STATUS_INVALID_VIEW_SIZE);
    Size = 0x1000;
    Base = (PUCHAR)0x10001000;
    CT_STATUS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                                 PAGE_READONLY),
              STATUS_MAPPED_ALIGNMENT);
    Base = (PUCHAR)0x10000000;
    LARGE_INTEGER Offset = {.QuadPart = 0x1000};
    CT_STATUS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&Base, 0, 0, &Offset, &Size, ViewUnmap,
                                 0, PAGE_READONLY),
              STATUS_MAPPED_ALIGNMENT);
    Base = NULL;
    CT_STATUS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&Base, 0, 0, NULL, &Size, 0, 0,
                                 PAGE_READONLY),
              STATUS_INVALID_PARAMETER_8);
    CT_STATUS(CtUnmap((PVOID)0x10000), STATUS_NOT_MAPPED_VIEW);
    CT_STATUS(CtUnmap(SYSTEM_START), STATUS_NOT_MAPPED_VIEW);
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(CtMap(Section, &Base, &Size, 0, PAGE_READONLY), STATUS_INVALID_HANDLE);
}

static VOID SectionNt(VOID)
{
    HANDLE Section;
    LARGE_INTEGER Bytes = {.QuadPart = 0x1000};
    PVOID Base = NULL;
    SIZE_T Size = 0;
    CT_SUCCESS(NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, &Bytes, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(NtMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewShare, 0,
                                  PAGE_READWRITE));
    CT_SUCCESS(CtWrite(Base, 1));
    CT_SUCCESS(CtUnmap(Base));
    CT_SUCCESS(ZwClose(Section));
}

/* --- of files --- */

static NTSTATUS OpenNamed(PCWSTR Path, PHANDLE File, PFILE_OBJECT *Object)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status =
        ZwCreateFile(File, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                     FILE_SHARE_READ | FILE_SHARE_DELETE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(*File, 0, *IoFileObjectType, KernelMode, (PVOID *)Object, NULL);
    return Status;
}

static NTSTATUS OpenFile(PHANDLE File, PFILE_OBJECT *Object)
{
    return OpenNamed(FILE_NAME, File, Object);
}

static VOID CloseFile(HANDLE File, PFILE_OBJECT Object)
{
    ObDereferenceObject(Object);
    ZwClose(File);
}

/* Every byte of the view is that of the file; behind the end there are zeroes. */
static VOID CompareWithFile(HANDLE File, PUCHAR View, SIZE_T Size)
{
    static UCHAR Bytes[PAGE_SIZE];
    IO_STATUS_BLOCK Iosb;
    for (SIZE_T At = 0; At < Size; At += PAGE_SIZE) {
        LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)At};
        RtlZeroMemory(Bytes, sizeof(Bytes));
        CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Bytes, PAGE_SIZE, &Offset, NULL));
        CT_EQUAL(RtlCompareMemory(Bytes, View + At, PAGE_SIZE), PAGE_SIZE);
    }
}

static VOID SectionFile(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR View, Copy;
    SIZE_T Size;
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READONLY));
    CT_EQUAL(Size, ((ULONG64)Standard.EndOfFile.QuadPart + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1));
    CompareWithFile(File, View, Size);
    CT_STATUS(CtWrite(View, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(CtMap(Section, &Copy, &Size, 0, PAGE_WRITECOPY));
    CT_SUCCESS(CtWrite(Copy, 'X'));
    CT_CHECK(CtHolds(View, 'M') && CtHolds(Copy, 'X'));
    CT_SUCCESS(CtUnmap(Copy));
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(
        CtCreateSection(&Section, (ULONG)Standard.EndOfFile.QuadPart + 1, PAGE_READONLY, SEC_COMMIT, File),
        STATUS_SECTION_TOO_BIG);
    CloseFile(File, Object);
}

/* A request into a page of a view that nobody has touched yet. */
static VOID SectionRead(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR View;
    SIZE_T Size;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_SUCCESS(CtCreateSection(&Section, 0x3000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, View + 0xfff, 2, &Offset, NULL));
    CT_CHECK(CtHolds(View + 0xfff, 'M') && CtHolds(View + 0x1000, 'Z'));
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
    CloseFile(File, Object);
}

static VOID SectionFlush(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR View;
    SIZE_T Size;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READONLY));
    PVOID At = View;
    SIZE_T Bytes = 0;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Bytes, Size);
    CT_SUCCESS(CtUnmap(View));
    CT_STATUS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb), STATUS_NOT_MAPPED_VIEW);
    CT_SUCCESS(ZwClose(Section));
    CloseFile(File, Object);
}

static const IMAGE_OPTIONAL_HEADER64 *OptionalHeader(const UCHAR *Base)
{
    const IMAGE_DOS_HEADER *Dos = (const IMAGE_DOS_HEADER *)Base;
    return &((const IMAGE_NT_HEADERS64 *)(Base + Dos->e_lfanew))->OptionalHeader;
}

static ULONG SizeOfImage(const UCHAR *Base)
{
    return OptionalHeader(Base)->SizeOfImage;
}

/* An image that can be relocated is, wherever its view lies, and its header says where that is. */
static PUCHAR MapImage(HANDLE Section, SIZE_T *Size)
{
    PUCHAR Base;
    if (!CT_SUCCESS(CtMap(Section, &Base, Size, 0, PAGE_READONLY)))
        return NULL;
    CT_EQUAL(OptionalHeader(Base)->ImageBase, (ULONG64)Base);
    return Base;
}

/* [PE Format, base relocations] What a block of the table says are addresses, all of the image: as far from the base in both views. */
static ULONG CompareBlock(const UCHAR *First, const UCHAR *Second, const IMAGE_BASE_RELOCATION *Block)
{
    const USHORT Dir64 = 10; /* its 64 bits are an address */
    ULONG Count = (Block->SizeOfBlock - sizeof(*Block)) / sizeof(USHORT), Found = 0;
    for (ULONG i = 0; i < Count; i++) {
        USHORT Entry = ((const USHORT *)(Block + 1))[i];
        ULONG Rva = Block->VirtualAddress + (Entry & 0xfff);
        if (Entry >> 12 != Dir64)
            continue;
        ULONG64 Offset = *(const UNALIGNED ULONG64 *)(First + Rva) - (ULONG64)First;
        CT_CHECK(Offset < SizeOfImage(First));
        CT_EQUAL(*(const UNALIGNED ULONG64 *)(Second + Rva) - (ULONG64)Second, Offset);
        Found++;
    }
    return Found;
}

static ULONG CompareRelocations(const UCHAR *First, const UCHAR *Second)
{
    const IMAGE_DATA_DIRECTORY *Table =
        &OptionalHeader(First)->DataDirectory[IMAGE_DIRECTORY_ENTRY_BASERELOC];
    ULONG Found = 0;
    for (ULONG At = 0; At < Table->Size;) {
        const IMAGE_BASE_RELOCATION *Block =
            (const IMAGE_BASE_RELOCATION *)(First + Table->VirtualAddress + At);
        Found += CompareBlock(First, Second, Block);
        At += Block->SizeOfBlock;
    }
    return Found;
}

/* Two views of an image that has addresses of its own in it: one of them at least is not where the image wants to be. */
static VOID SectionRelocated(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    SIZE_T Size;
    CT_REQUIRE(CT_SUCCESS(OpenNamed(L"\\SystemRoot\\System32\\ntoskrnl.exe", &File, &Object)));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    PUCHAR First = MapImage(Section, &Size), Second = MapImage(Section, &Size);
    if (CT_CHECK(First != NULL && Second != NULL && First != Second))
        CT_CHECK(CompareRelocations(First, Second) > 100);
    CT_SUCCESS(CtUnmap(First));
    CT_SUCCESS(CtUnmap(Second));
    CT_SUCCESS(ZwClose(Section));
    CloseFile(File, Object);
}

/* Two views: one where the image wants to be or where there is room, the other one elsewhere. */
static VOID SectionImage(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR First, Second;
    SIZE_T Size, SecondSize;
    MEMORY_BASIC_INFORMATION Basic;
    MEMORY_IMAGE_INFORMATION Image;
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_STATUS(CtCreateSection(&Section, 0, PAGE_READONLY, SEC_IMAGE, NULL), STATUS_INVALID_FILE_FOR_SECTION);
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    First = MapImage(Section, &Size);
    CT_REQUIRE(CtHolds(First, 'M'));
    CT_EQUAL(Size, (SizeOfImage(First) + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1));
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), First, MemoryBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_CHECK(Basic.Type == MEM_IMAGE && Basic.AllocationProtect == PAGE_EXECUTE_WRITECOPY &&
             Basic.Protect == PAGE_READONLY);
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), First, MemoryImageInformation, &Image, sizeof(Image), NULL));
    CT_CHECK(Image.ImageBase == First && Image.SizeOfImage != 0);
    Second = MapImage(Section, &SecondSize);
    CT_REQUIRE(Second != NULL);
    CT_CHECK(Second != First && SecondSize == Size && CtHolds(Second, 'M'));
    CT_EQUAL(SizeOfImage(Second), SizeOfImage(First));
    CT_STATUS(CtWrite(First, 1), STATUS_ACCESS_VIOLATION); /* the headers are read-only */
    PVOID At = First;
    SIZE_T Bytes = 1;
    ULONG Old;
    CT_SUCCESS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Bytes, PAGE_READWRITE, &Old));
    CT_SUCCESS(CtWrite(First, 'Q'));
    CT_CHECK(CtHolds(First, 'Q') && CtHolds(Second, 'M')); /* a copy */
    CT_SUCCESS(CtUnmap(First));
    CT_SUCCESS(CtUnmap(Second));
    CT_CHECK(NT_SUCCESS(CtMap(Section, &First, &Size, 0, PAGE_READONLY)));
    CT_CHECK(CtHolds(First, 'M')); /* as in the file */
    CT_SUCCESS(CtUnmap(First));
    CT_SUCCESS(ZwClose(Section));
    CloseFile(File, Object);
}

static VOID SectionQuery(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR View;
    SIZE_T Size, Length = 0;
    SECTION_BASIC_INFORMATION Basic;
    SECTION_IMAGE_INFORMATION Image;
    UCHAR Name[600];
    CT_SUCCESS(CtCreateSection(&Section, 0x1001, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(ZwQuerySection(Section, SectionBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_CHECK(Length == sizeof(Basic) && Basic.MaximumSize.QuadPart == 0x2000 &&
             (Basic.AllocationAttributes & SEC_COMMIT));
    CT_STATUS(ZwQuerySection(Section, SectionImageInformation, &Image, sizeof(Image), NULL),
              STATUS_SECTION_NOT_IMAGE);
    CT_STATUS(ZwQuerySection(Section, SectionBasicInformation, &Basic, 4, NULL), STATUS_INFO_LENGTH_MISMATCH);
    CT_SUCCESS(ZwClose(Section));
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    CT_SUCCESS(ZwQuerySection(Section, SectionImageInformation, &Image, sizeof(Image), NULL));
    CT_CHECK(Image.Machine == 0x8664 && Image.SubSystemType == 1 && (Image.ImageCharacteristics & 0x2000));
    CT_CHECK(NT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READONLY)));
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), View, MemoryMappedFilenameInformation, Name,
                                    sizeof(Name), &Length));
    PUNICODE_STRING Text = (PUNICODE_STRING)Name;
    CT_CHECK(Text->Length > 14 &&
             RtlCompareMemory((PUCHAR)Text->Buffer + Text->Length - 14, L"hal.dll", 14) == 14);
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
    CloseFile(File, Object);
}

/* --- system space --- */

static VOID SectionSystem(VOID)
{
    HANDLE Section;
    PVOID Object, SystemView = NULL, Second = NULL;
    PUCHAR View;
    SIZE_T Size, SystemSize = 0, SecondSize = 0x1000;
    LARGE_INTEGER Offset = {.QuadPart = 0x10000};
    CT_SUCCESS(CtCreateSection(&Section, 0x14000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(ObReferenceObjectByHandle(Section, SECTION_MAP_READ, *MmSectionObjectType, KernelMode, &Object,
                                         NULL));
    CT_REQUIRE(CT_SUCCESS(MmMapViewInSystemSpace(Object, &SystemView, &SystemSize)));
    CT_CHECK(SystemView >= SYSTEM_START);
    CT_EQUAL(SystemSize, 0x14000);
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READWRITE));
    KIRQL Irql = KeRaiseIrqlToDpcLevel(); /* every page is there */
    ((volatile UCHAR *)SystemView)[0x13fff] = 3;
    KeLowerIrql(Irql);
    CT_CHECK(CtHolds(View + 0x13fff, 3));
    CT_SUCCESS(CtWrite(View + 0x10000, 4));
    CT_SUCCESS(MmMapViewInSystemSpaceEx(Object, &Second, &SecondSize, &Offset, 0));
    CT_EQUAL(*(volatile UCHAR *)Second, 4);
    CT_SUCCESS(MmUnmapViewInSystemSpace(Second));
    CT_SUCCESS(MmUnmapViewInSystemSpace(SystemView));
    CT_STATUS(MmUnmapViewInSystemSpace(SystemView), STATUS_NOT_MAPPED_VIEW);
    CT_CHECK(!MmIsAddressValid(SystemView));
    CT_SUCCESS(CtUnmap(View));
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Section));
}

static VOID SectionPhysical(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\PhysicalMemory");
    OBJECT_ATTRIBUTES Object;
    HANDLE Section;
    volatile ULONG *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, 'sCtC');
    CT_REQUIRE(Block != NULL);
    *Block = 0x12345678;
    PHYSICAL_ADDRESS Physical = MmGetPhysicalAddress((PVOID)Block);
    LARGE_INTEGER Offset = {.QuadPart = Physical.QuadPart & ~(LONGLONG)0xffff};
    PVOID Base = NULL;
    SIZE_T Size = 0x10000;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwOpenSection(&Section, SECTION_MAP_READ | SECTION_MAP_WRITE, &Object));
    CT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, &Offset, &Size, ViewUnmap, 0,
                                  PAGE_READWRITE));
    volatile ULONG *View = (PVOID)((PUCHAR)Base + (Physical.QuadPart - Offset.QuadPart));
    CT_EQUAL(*View, 0x12345678);
    *View = 0x9abcdef0;
    CT_EQUAL(*Block, 0x9abcdef0);
    CT_SUCCESS(CtUnmap(Base));
    CT_SUCCESS(ZwClose(Section));
    ExFreePoolWithTag((PVOID)Block, 'sCtC');
}

/* The last page below 4 GiB, which is the firmware's: seen as MmMapIoSpace shows it, and never a page of one's own. */
static VOID SectionDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\PhysicalMemory");
    const ULONG64 Physical = 0xfffff000;
    PHYSICAL_ADDRESS Address = {.QuadPart = (LONGLONG)Physical};
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)(Physical & ~0xffffull)};
    OBJECT_ATTRIBUTES Object;
    HANDLE Section;
    PVOID Base = NULL;
    SIZE_T Size = 0x10000;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwOpenSection(&Section, SECTION_MAP_READ, &Object)));
    CT_CHECK(!NT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, &Offset, &Size,
                                            ViewUnmap, 0, PAGE_WRITECOPY)));
    Base = NULL;
    CT_REQUIRE(CT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, &Offset, &Size,
                                             ViewUnmap, 0, PAGE_READONLY)));
    const volatile UCHAR *View = (PUCHAR)Base + (Physical & 0xffff);
    const volatile UCHAR *Io = MmMapIoSpace(Address, PAGE_SIZE, MmNonCached);
    CT_REQUIRE(Io != NULL);
    CT_CHECK(CtHolds((PUCHAR)View + 0xff0, Io[0xff0])); /* where the processor starts */
    ULONG Different = 0, Ones = 0;
    for (ULONG i = 0; i < PAGE_SIZE; i += 16) {
        Different += View[i] != Io[i];
        Ones += View[i] == 0xff;
    }
    CT_EQUAL(Different, 0);
    CT_CHECK(Ones != PAGE_SIZE / 16);
    MmUnmapIoSpace((PVOID)Io, PAGE_SIZE);
    CT_SUCCESS(CtUnmap(Base));
    CT_SUCCESS(ZwClose(Section));
}

/* What a file system asks before it deletes, truncates or writes a file. */
static VOID SectionFileSystem(VOID)
{
    HANDLE File, Section;
    PFILE_OBJECT Object;
    PUCHAR View;
    SIZE_T Size;
    LARGE_INTEGER Zero = {.QuadPart = 0};
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    PSECTION_OBJECT_POINTERS Pointers = Object->SectionObjectPointer;
    CT_REQUIRE(Pointers != NULL);
    CT_CHECK(MmFlushImageSection(Pointers, MmFlushForWrite) && MmCanFileBeTruncated(Pointers, &Zero));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    CT_CHECK(NT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READONLY)));
    CT_CHECK(!MmFlushImageSection(Pointers, MmFlushForWrite) &&
             !MmFlushImageSection(Pointers, MmFlushForDelete));
    CT_CHECK(!MmCanFileBeTruncated(Pointers, &Zero) && !MmForceSectionClosed(Pointers, FALSE));
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_CHECK(MmForceSectionClosed(Pointers, FALSE));
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READONLY));
    CT_CHECK(!MmCanFileBeTruncated(Pointers, &Zero));
    CT_EQUAL(MmDoesFileHaveUserWritableReferences(Pointers), 0);
    CT_CHECK(MmFlushImageSection(Pointers, MmFlushForWrite));
    CT_SUCCESS(CtUnmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_CHECK(MmCanFileBeTruncated(Pointers, &Zero) && MmForceSectionClosed(Pointers, FALSE));
    CloseFile(File, Object);
}

static const CT_CASE Cases[] = {
    {"section.create", SectionCreate},
    {"section.copy", SectionCopy},
    {"section.reserve", SectionReserve},
    {"section.name", SectionName},
    {"section.wrong", SectionWrong},
    {"section.nt", SectionNt},
    {"section.file", SectionFile},
    {"section.read", SectionRead},
    {"section.flush", SectionFlush},
    {"section.image", SectionImage},
    {"section.relocated", SectionRelocated},
    {"section.query", SectionQuery},
    {"section.system", SectionSystem},
    {"section.physical", SectionPhysical},
    {"section.file_system", SectionFileSystem},
    {"section.large", SectionLarge},
    {"section.device", SectionDevice},
};
CT_DRIVER(Cases)
