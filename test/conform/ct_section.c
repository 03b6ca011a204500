/* SPDX-License-Identifier: MIT
 * Sections and their views. [WDK ZwCreateSection, ZwOpenSection, ZwMapViewOfSection, ZwUnmapViewOfSection, ZwQuerySection,
 * MmMapViewInSystemSpace, MmFlushImageSection, MmCanFileBeTruncated, ZwFlushVirtualMemory] */
#include "ct.h"
#include <ntimage.h>

#define SYSTEM_START ((PVOID)0xffff800000000000)

#define FILE_NAME L"\\SystemRoot\\System32\\hal.dll"

static NTSTATUS Create(PHANDLE Section, ULONG64 Bytes, ULONG Protect, ULONG Attributes, HANDLE File)
{
    OBJECT_ATTRIBUTES Object;
    LARGE_INTEGER Size = {.QuadPart = (LONGLONG)Bytes};
    InitializeObjectAttributes(&Object, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateSection(Section, SECTION_ALL_ACCESS, &Object, Bytes != 0 ? &Size : NULL, Protect,
                           Attributes, File);
}

static NTSTATUS Map(HANDLE Section, PUCHAR *Base, SIZE_T *Size, ULONG64 Offset, ULONG Protect)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset};
    *Base = NULL;
    *Size = 0;
    return ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)Base, 0, 0, &At, Size, ViewUnmap, 0,
                              Protect);
}

static NTSTATUS Unmap(PVOID Base)
{
    return ZwUnmapViewOfSection(ZwCurrentProcess(), Base);
}

typedef struct TOUCH {
    volatile UCHAR *Address;
    BOOLEAN Write;
    UCHAR Value;
} TOUCH;

static NTSTATUS TouchGuarded(PVOID Context)
{
    TOUCH *Touch = Context;
    if (Touch->Write)
        *Touch->Address = Touch->Value;
    else
        Touch->Value = *Touch->Address;
    return STATUS_SUCCESS;
}

static NTSTATUS Write(PUCHAR Address, UCHAR Value)
{
    TOUCH Touch = {Address, TRUE, Value};
    return NtboxGuardedCall(TouchGuarded, &Touch);
}

static BOOLEAN Holds(PUCHAR Address, UCHAR Wanted)
{
    TOUCH Touch = {Address, FALSE, 0};
    return NT_SUCCESS(NtboxGuardedCall(TouchGuarded, &Touch)) && Touch.Value == Wanted;
}

/* There is nothing to read. */
static BOOLEAN Faults(PUCHAR Address)
{
    TOUCH Touch = {Address, FALSE, 0};
    return NtboxGuardedCall(TouchGuarded, &Touch) == STATUS_ACCESS_VIOLATION;
}

static VOID SectionCreate(VOID)
{
    HANDLE Section;
    PUCHAR First, Second, Third;
    SIZE_T Size;
    CT_SUCCESS(Create(&Section, 0x23456, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(Map(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, 0x24000);
    CT_EQUAL((ULONG_PTR)First % 0x10000, 0);
    CT_CHECK(Holds(First, 0) && Holds(First + 0x23fff, 0));
    CT_SUCCESS(Write(First + 0x12345, 7));
    CT_SUCCESS(Map(Section, &Second, &Size, 0x10000, PAGE_READONLY));
    CT_EQUAL(Size, 0x14000);
    CT_CHECK(Holds(Second + 0x2345, 7));
    CT_STATUS(Write(Second + 0x2345, 8), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(Unmap(First + 0x5000)); /* any address inside */
    CT_CHECK(Holds(Second + 0x2345, 7) && Faults(First + 0x12345));
    CT_SUCCESS(Unmap(Second));
    CT_STATUS(Unmap(Second), STATUS_NOT_MAPPED_VIEW);
    CT_SUCCESS(Map(Section, &Third, &Size, 0, PAGE_READWRITE)); /* the section has kept it */
    CT_CHECK(Holds(Third + 0x12345, 7));
    CT_SUCCESS(ZwClose(Section)); /* the view keeps the section */
    CT_SUCCESS(Write(Third, 9));
    CT_CHECK(Holds(Third, 9));
    CT_SUCCESS(Unmap(Third));
}

static VOID SectionCopy(VOID)
{
    HANDLE Section;
    PUCHAR Shared, Copy;
    SIZE_T Size;
    CT_SUCCESS(Create(&Section, 0x3000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(Map(Section, &Shared, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(Map(Section, &Copy, &Size, 0, PAGE_WRITECOPY));
    CT_SUCCESS(Write(Shared, 1));
    CT_CHECK(Holds(Copy, 1));
    CT_SUCCESS(Write(Copy, 2));
    CT_CHECK(Holds(Shared, 1) && Holds(Copy, 2));
    CT_SUCCESS(Write(Shared, 3));
    CT_SUCCESS(Write(Shared + 0x1000, 4));
    CT_CHECK(Holds(Copy, 2) && Holds(Copy + 0x1000, 4));
    MEMORY_BASIC_INFORMATION Basic;
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), Copy, MemoryBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_CHECK(Basic.Protect == PAGE_READWRITE && Basic.AllocationProtect == PAGE_WRITECOPY &&
             Basic.RegionSize == PAGE_SIZE && Basic.Type == MEM_MAPPED);
    CT_SUCCESS(Unmap(Copy));
    CT_SUCCESS(Unmap(Shared));
    CT_SUCCESS(ZwClose(Section));
}

static VOID SectionReserve(VOID)
{
    HANDLE Section;
    PUCHAR First, Second;
    SIZE_T Size, Bytes = 0x1000;
    CT_SUCCESS(Create(&Section, 0x20000, PAGE_READWRITE, SEC_RESERVE, NULL));
    CT_SUCCESS(Map(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(Map(Section, &Second, &Size, 0, PAGE_READWRITE));
    CT_STATUS(Write(First, 1), STATUS_ACCESS_VIOLATION);
    PVOID At = First + 0x3000;
    CT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    CT_SUCCESS(Write(First + 0x3000, 5));
    CT_CHECK(Holds(Second + 0x3000, 5)); /* committed for all views */
    CT_STATUS(Write(Second + 0x4000, 5), STATUS_ACCESS_VIOLATION);
    CT_STATUS(ZwFreeVirtualMemory(ZwCurrentProcess(), &At, &Bytes, MEM_RELEASE),
              STATUS_UNABLE_TO_DELETE_SECTION);
    CT_SUCCESS(Unmap(First));
    CT_SUCCESS(Unmap(Second));
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
    CT_STATUS(Create(&Section, Huge, PAGE_READWRITE, SEC_COMMIT, NULL), STATUS_COMMITMENT_LIMIT);
    CT_REQUIRE(CT_SUCCESS(Create(&Section, Huge, PAGE_READWRITE, SEC_RESERVE, NULL)));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, Huge);
    ExpectReserved(View, Huge);
    CT_STATUS(CommitView(View, Huge), STATUS_COMMITMENT_LIMIT);
    CT_SUCCESS(CommitView(View + Huge / 2, 0x1000));
    CT_SUCCESS(Write(View + Huge / 2, 1));
    ExpectReserved(View, Huge / 2);
    ExpectReserved(View + Huge / 2 + 0x1000, Huge / 2 - 0x1000);
    ULONG Old;
    PVOID At = View;
    CT_STATUS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Size, PAGE_READONLY, &Old),
              STATUS_NOT_COMMITTED);
    CT_SUCCESS(Unmap(View));
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
    CT_SUCCESS(Map(Section, &First, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(Map(Other, &Second, &Size, 0, PAGE_READONLY));
    CT_SUCCESS(Write(First, 6));
    CT_CHECK(Holds(Second, 6));
    CT_SUCCESS(Unmap(First));
    CT_SUCCESS(Unmap(Second));
    CT_SUCCESS(ZwClose(Other));
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(ZwOpenSection(&Other, SECTION_ALL_ACCESS, &Object), STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID SectionWrong(VOID)
{
    HANDLE Section;
    PUCHAR Base;
    SIZE_T Size;
    CT_STATUS(Create(&Section, 0, PAGE_READWRITE, SEC_COMMIT, NULL), STATUS_INVALID_PARAMETER_4);
    CT_STATUS(Create(&Section, 1, PAGE_READWRITE, 0, NULL), STATUS_INVALID_PARAMETER_6);
    CT_STATUS(Create(&Section, 1, PAGE_READWRITE, SEC_COMMIT | SEC_RESERVE, NULL),
              STATUS_INVALID_PARAMETER_6);
    CT_STATUS(Create(&Section, 1, PAGE_NOACCESS, SEC_COMMIT, NULL), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Create(&Section, 1, 0, SEC_COMMIT, NULL), STATUS_INVALID_PAGE_PROTECTION);
    CT_SUCCESS(Create(&Section, 0x11000, PAGE_READONLY, SEC_COMMIT, NULL));
    CT_STATUS(Map(Section, &Base, &Size, 0, PAGE_READWRITE), STATUS_SECTION_PROTECTION);
    CT_STATUS(Map(Section, &Base, &Size, 0x20000, PAGE_READONLY), STATUS_INVALID_VIEW_SIZE);
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
    CT_STATUS(Unmap((PVOID)0x10000), STATUS_NOT_MAPPED_VIEW);
    CT_STATUS(Unmap(SYSTEM_START), STATUS_NOT_MAPPED_VIEW);
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(Map(Section, &Base, &Size, 0, PAGE_READONLY), STATUS_INVALID_HANDLE);
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
    CT_SUCCESS(Write(Base, 1));
    CT_SUCCESS(Unmap(Base));
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
    CT_SUCCESS(Create(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READONLY));
    CT_EQUAL(Size, ((ULONG64)Standard.EndOfFile.QuadPart + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1));
    CompareWithFile(File, View, Size);
    CT_STATUS(Write(View, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(Map(Section, &Copy, &Size, 0, PAGE_WRITECOPY));
    CT_SUCCESS(Write(Copy, 'X'));
    CT_CHECK(Holds(View, 'M') && Holds(Copy, 'X'));
    CT_SUCCESS(Unmap(Copy));
    CT_SUCCESS(Unmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_STATUS(Create(&Section, (ULONG)Standard.EndOfFile.QuadPart + 1, PAGE_READONLY, SEC_COMMIT, File),
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
    CT_SUCCESS(Create(&Section, 0x3000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, View + 0xfff, 2, &Offset, NULL));
    CT_CHECK(Holds(View + 0xfff, 'M') && Holds(View + 0x1000, 'Z'));
    CT_SUCCESS(Unmap(View));
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
    CT_SUCCESS(Create(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READONLY));
    PVOID At = View;
    SIZE_T Bytes = 0;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Bytes, Size);
    CT_SUCCESS(Unmap(View));
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
    if (!CT_SUCCESS(Map(Section, &Base, Size, 0, PAGE_READONLY)))
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
    CT_SUCCESS(Create(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    PUCHAR First = MapImage(Section, &Size), Second = MapImage(Section, &Size);
    if (CT_CHECK(First != NULL && Second != NULL && First != Second))
        CT_CHECK(CompareRelocations(First, Second) > 100);
    CT_SUCCESS(Unmap(First));
    CT_SUCCESS(Unmap(Second));
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
    CT_STATUS(Create(&Section, 0, PAGE_READONLY, SEC_IMAGE, NULL), STATUS_INVALID_FILE_FOR_SECTION);
    CT_SUCCESS(Create(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    First = MapImage(Section, &Size);
    CT_REQUIRE(Holds(First, 'M'));
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
    CT_CHECK(Second != First && SecondSize == Size && Holds(Second, 'M'));
    CT_EQUAL(SizeOfImage(Second), SizeOfImage(First));
    CT_STATUS(Write(First, 1), STATUS_ACCESS_VIOLATION); /* the headers are read-only */
    PVOID At = First;
    SIZE_T Bytes = 1;
    ULONG Old;
    CT_SUCCESS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Bytes, PAGE_READWRITE, &Old));
    CT_SUCCESS(Write(First, 'Q'));
    CT_CHECK(Holds(First, 'Q') && Holds(Second, 'M')); /* a copy */
    CT_SUCCESS(Unmap(First));
    CT_SUCCESS(Unmap(Second));
    CT_CHECK(NT_SUCCESS(Map(Section, &First, &Size, 0, PAGE_READONLY)));
    CT_CHECK(Holds(First, 'M')); /* as in the file */
    CT_SUCCESS(Unmap(First));
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
    CT_SUCCESS(Create(&Section, 0x1001, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(ZwQuerySection(Section, SectionBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_CHECK(Length == sizeof(Basic) && Basic.MaximumSize.QuadPart == 0x2000 &&
             (Basic.AllocationAttributes & SEC_COMMIT));
    CT_STATUS(ZwQuerySection(Section, SectionImageInformation, &Image, sizeof(Image), NULL),
              STATUS_SECTION_NOT_IMAGE);
    CT_STATUS(ZwQuerySection(Section, SectionBasicInformation, &Basic, 4, NULL), STATUS_INFO_LENGTH_MISMATCH);
    CT_SUCCESS(ZwClose(Section));
    CT_REQUIRE(CT_SUCCESS(OpenFile(&File, &Object)));
    CT_SUCCESS(Create(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    CT_SUCCESS(ZwQuerySection(Section, SectionImageInformation, &Image, sizeof(Image), NULL));
    CT_CHECK(Image.Machine == 0x8664 && Image.SubSystemType == 1 && (Image.ImageCharacteristics & 0x2000));
    CT_CHECK(NT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READONLY)));
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), View, MemoryMappedFilenameInformation, Name,
                                    sizeof(Name), &Length));
    PUNICODE_STRING Text = (PUNICODE_STRING)Name;
    CT_CHECK(Text->Length > 14 &&
             RtlCompareMemory((PUCHAR)Text->Buffer + Text->Length - 14, L"hal.dll", 14) == 14);
    CT_SUCCESS(Unmap(View));
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
    CT_SUCCESS(Create(&Section, 0x14000, PAGE_READWRITE, SEC_COMMIT, NULL));
    CT_SUCCESS(ObReferenceObjectByHandle(Section, SECTION_MAP_READ, *MmSectionObjectType, KernelMode, &Object,
                                         NULL));
    CT_REQUIRE(CT_SUCCESS(MmMapViewInSystemSpace(Object, &SystemView, &SystemSize)));
    CT_CHECK(SystemView >= SYSTEM_START);
    CT_EQUAL(SystemSize, 0x14000);
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READWRITE));
    KIRQL Irql = KeRaiseIrqlToDpcLevel(); /* every page is there */
    ((volatile UCHAR *)SystemView)[0x13fff] = 3;
    KeLowerIrql(Irql);
    CT_CHECK(Holds(View + 0x13fff, 3));
    CT_SUCCESS(Write(View + 0x10000, 4));
    CT_SUCCESS(MmMapViewInSystemSpaceEx(Object, &Second, &SecondSize, &Offset, 0));
    CT_EQUAL(*(volatile UCHAR *)Second, 4);
    CT_SUCCESS(MmUnmapViewInSystemSpace(Second));
    CT_SUCCESS(MmUnmapViewInSystemSpace(SystemView));
    CT_STATUS(MmUnmapViewInSystemSpace(SystemView), STATUS_NOT_MAPPED_VIEW);
    CT_CHECK(!MmIsAddressValid(SystemView));
    CT_SUCCESS(Unmap(View));
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
    CT_SUCCESS(Unmap(Base));
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
    CT_CHECK(Holds((PUCHAR)View + 0xff0, Io[0xff0])); /* where the processor starts */
    ULONG Different = 0, Ones = 0;
    for (ULONG i = 0; i < PAGE_SIZE; i += 16) {
        Different += View[i] != Io[i];
        Ones += View[i] == 0xff;
    }
    CT_EQUAL(Different, 0);
    CT_CHECK(Ones != PAGE_SIZE / 16);
    MmUnmapIoSpace((PVOID)Io, PAGE_SIZE);
    CT_SUCCESS(Unmap(Base));
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
    CT_SUCCESS(Create(&Section, 0, PAGE_EXECUTE, SEC_IMAGE, File));
    CT_CHECK(NT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READONLY)));
    CT_CHECK(!MmFlushImageSection(Pointers, MmFlushForWrite) &&
             !MmFlushImageSection(Pointers, MmFlushForDelete));
    CT_CHECK(!MmCanFileBeTruncated(Pointers, &Zero) && !MmForceSectionClosed(Pointers, FALSE));
    CT_SUCCESS(Unmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_CHECK(MmForceSectionClosed(Pointers, FALSE));
    CT_SUCCESS(Create(&Section, 0, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READONLY));
    CT_CHECK(!MmCanFileBeTruncated(Pointers, &Zero));
    CT_EQUAL(MmDoesFileHaveUserWritableReferences(Pointers), 0);
    CT_CHECK(MmFlushImageSection(Pointers, MmFlushForWrite));
    CT_SUCCESS(Unmap(View));
    CT_SUCCESS(ZwClose(Section));
    CT_CHECK(MmCanFileBeTruncated(Pointers, &Zero) && MmForceSectionClosed(Pointers, FALSE));
    CloseFile(File, Object);
}

/* --- a file that can be written: a device of this driver, whose contents lie in memory --- */

static UCHAR DeviceBytes[2 * PAGE_SIZE + 100];
static SECTION_OBJECT_POINTERS DevicePointers;
static volatile LONG DeviceReads, DeviceWrites, DeviceWrong;
static volatile LONG DeviceBehind; /* writes of more than the file has */

static NTSTATUS CompleteWith(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI DeviceOpen(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoGetCurrentIrpStackLocation(Irp)->FileObject->SectionObjectPointer = &DevicePointers;
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI DeviceClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

/* Paging reads and writes only: whole pages in an MDL, but for the last one of a write. */
static NTSTATUS NTAPI DeviceTransfer(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Writes = Stack->MajorFunction == IRP_MJ_WRITE;
    ULONG Length = Stack->Parameters.Read.Length;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    UNREFERENCED_PARAMETER(Device);
    if (!(Irp->Flags & IRP_PAGING_IO) || !(Irp->Flags & IRP_NOCACHE) || Irp->MdlAddress == NULL ||
        Offset % PAGE_SIZE != 0)
        InterlockedIncrement(&DeviceWrong);
    if (Offset >= (LONGLONG)sizeof(DeviceBytes))
        return CompleteWith(Irp, STATUS_END_OF_FILE, 0);
    if (Writes && Length > sizeof(DeviceBytes) - Offset)
        InterlockedIncrement(&DeviceBehind);
    if (Length > sizeof(DeviceBytes) - Offset)
        Length = (ULONG)(sizeof(DeviceBytes) - Offset);
    PUCHAR Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    InterlockedIncrement(Writes ? &DeviceWrites : &DeviceReads);
    if (Writes)
        RtlCopyMemory(DeviceBytes + Offset, Buffer, Length);
    else
        RtlCopyMemory(Buffer, DeviceBytes + Offset, Length);
    return CompleteWith(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS NTAPI DeviceQuery(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;
    UNREFERENCED_PARAMETER(Device);
    if (Stack->Parameters.QueryFile.FileInformationClass != FileStandardInformation)
        return CompleteWith(Irp, STATUS_INVALID_PARAMETER, 0);
    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->EndOfFile.QuadPart = sizeof(DeviceBytes);
    return CompleteWith(Irp, STATUS_SUCCESS, sizeof(*Standard));
}

static PDEVICE_OBJECT MakeDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtSectionFile");
    PDEVICE_OBJECT Device = NULL;
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = DeviceOpen;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = DeviceClose;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = DeviceClose;
    CtDriverObject->MajorFunction[IRP_MJ_READ] = DeviceTransfer;
    CtDriverObject->MajorFunction[IRP_MJ_WRITE] = DeviceTransfer;
    CtDriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = DeviceQuery;
    for (ULONG i = 0; i < sizeof(DeviceBytes); i++)
        DeviceBytes[i] = (UCHAR)(i / 64);
    if (NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device)))
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return Device;
}

static NTSTATUS OpenDevice(PHANDLE File)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtSectionFile");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(File, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

/* Only what was written to since the last flush is written; nothing is dirty at first. */
static VOID FlushOnce(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    LONG Before = DeviceWrites;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceWrites, Before);
    CT_EQUAL(Iosb.Information, 0);
    for (UCHAR i = 1; i < 4; i++) {
        CT_SUCCESS(Write(View + 0x1060, i));
        CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
        CT_EQUAL(DeviceBytes[0x1060], i);
        CT_EQUAL(DeviceWrites, Before + i);
    }
}

/* Through whichever view it is written: it is dirty until the first flush, of any view. */
static VOID FlushBoth(HANDLE Section, PUCHAR First)
{
    PUCHAR Second;
    SIZE_T Size, Bytes = 0x3000;
    PVOID At = First;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(CT_SUCCESS(Map(Section, &Second, &Size, 0, PAGE_READWRITE)));
    LONG Before = DeviceWrites;
    CT_SUCCESS(Write(First + 0x1070, 1));
    CT_SUCCESS(Write(Second + 0x1071, 2));
    for (ULONG i = 0; i < 3; i++) {
        CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
        CT_EQUAL(DeviceWrites, Before + 1);
    }
    CT_CHECK(DeviceBytes[0x1070] == 1 && DeviceBytes[0x1071] == 2);
    CT_SUCCESS(Write(Second + 0x1071, 3)); /* seen although the first view was flushed */
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceBytes[0x1071], 3);
    CT_EQUAL(DeviceWrites, Before + 2);
    CT_SUCCESS(Write(First + 0x1070, 4));
    CT_SUCCESS(Unmap(Second));
    CT_EQUAL(DeviceWrites, Before + 3); /* a view that goes writes what is dirty in it */
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceWrites, Before + 3);
    CT_EQUAL(DeviceBytes[0x1070], 4);
}

static NTSTATUS LockMdl(PVOID Mdl)
{
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* A device may write as long as the pages are locked: that comes after a flush, and no entry tells of it. */
static VOID FlushLocked(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    PMDL Mdl = IoAllocateMdl(View + 0x1000, 0x100, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_REQUIRE(CT_SUCCESS(NtboxGuardedCall(LockMdl, Mdl)));
    PUCHAR Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    CT_CHECK(Mapped != NULL);
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    if (Mapped != NULL)
        Mapped[0x80] = 'L';
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    CT_CHECK(DeviceBytes[0x1080] != 'L');
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceBytes[0x1080], 'L');
    LONG Before = DeviceWrites;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceWrites, Before);
}

/* A view that was mapped to be read, and what is written to it after a flush. */
static VOID WriteAfterProtect(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    ULONG Old;
    CT_SUCCESS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Bytes, PAGE_READWRITE, &Old));
    CT_SUCCESS(Write(View + 0x1050, 'C'));
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceBytes[0x1050], 'C');
    CT_SUCCESS(Write(View + 0x1050, 'D'));
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceBytes[0x1050], 'D');
}

/* Read once, written when it is flushed and when the view goes, and no byte behind the end. */
static VOID WriteThroughView(HANDLE File)
{
    HANDLE Section;
    PUCHAR View, Again;
    SIZE_T Size, Bytes = 0;
    IO_STATUS_BLOCK Iosb;
    CT_SUCCESS(Create(&Section, 0, PAGE_READWRITE, SEC_COMMIT, File));
    CT_SUCCESS(Map(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, 0x3000);
    CT_CHECK(Holds(View + 640, 10) && Holds(View + 0x1040, 65) && Holds(View + 0x2063, 129) &&
             Holds(View + 0x2064, 0));
    CT_EQUAL(DeviceReads, 3);
    CT_SUCCESS(Write(View + 0x1040, 'A'));
    CT_EQUAL(DeviceBytes[0x1040], 65);
    CT_EQUAL(MmDoesFileHaveUserWritableReferences(&DevicePointers) != 0, TRUE);
    PVOID At = View;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(DeviceBytes[0x1040], 'A');
    FlushOnce(View);
    FlushBoth(Section, View);
    FlushLocked(View);
    CT_SUCCESS(Write(View + 0x2060, 'B'));
    CT_SUCCESS(Write(View + 0x2064, 'E')); /* behind the end: stays where it is */
    CT_SUCCESS(Map(Section, &Again, &Size, 0, PAGE_READONLY));
    CT_CHECK(Holds(Again + 0x1040, 'A') && Holds(Again + 0x2060, 'B'));
    CT_SUCCESS(Unmap(View));
    CT_EQUAL(DeviceBytes[0x2060], 'B');
    WriteAfterProtect(Again);
    CT_SUCCESS(Unmap(Again));
    CT_EQUAL(DeviceBytes[0x1050], 'D');
    CT_SUCCESS(ZwClose(Section));
    CT_EQUAL(DeviceReads, 3);
    CT_EQUAL(DeviceWrong, 0);
    CT_EQUAL(DeviceBehind, 0);
    CT_CHECK(DeviceBytes[0] == 0 && DeviceBytes[0x1041] == 65);
    CT_CHECK(MmForceSectionClosed(&DevicePointers, FALSE));
}

static VOID SectionWrite(VOID)
{
    HANDLE File;
    PDEVICE_OBJECT Device = MakeDevice();
    CT_REQUIRE(Device != NULL);
    if (CT_SUCCESS(OpenDevice(&File))) {
        WriteThroughView(File);
        ZwClose(File);
    }
    IoDeleteDevice(Device);
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
    {"section.write", SectionWrite},
    {"section.large", SectionLarge},
    {"section.device", SectionDevice},
};
CT_DRIVER(Cases)
