/* SPDX-License-Identifier: MIT
 * Names of files, runs of bits, numbers, times, images in memory, and C functions. [WDK FsRtlIsNameInExpression, FsRtlDissectName,
 * RtlIsNameLegalDOS8Dot3, RtlFindClearRuns, RtlCharToInteger, FsRtlValidateReparsePointBuffer; MS memcpy_s, strncpy_s, strtok_s] */
#include "ct.h"
#include <ntimage.h>
#include <stdlib.h>
#include <wchar.h>

#define TAG 'eroM'

static BOOLEAN IsIn(PCWSTR Expression, PCWSTR Name, BOOLEAN IgnoreCase)
{
    UNICODE_STRING a, b;
    RtlInitUnicodeString(&a, Expression);
    RtlInitUnicodeString(&b, Name);
    return FsRtlIsNameInExpression(&a, &b, IgnoreCase, NULL);
}

static VOID MoreCtExpression(VOID)
{
    UNICODE_STRING Wild = RTL_CONSTANT_STRING(L"a?b"), Tame = RTL_CONSTANT_STRING(L"a.b");

    CT_CHECK(IsIn(L"*.SYS", L"driver.sys", TRUE) && !IsIn(L"*.SYS", L"driver.sys", FALSE));
    CT_CHECK(IsIn(L"?B*", L"aB", FALSE) && !IsIn(L"?B", L"B", FALSE));
    CT_CHECK(IsIn(L"<.C", L"a.b.C", FALSE) && !IsIn(L"<B.C", L"a.x.C", FALSE));   /* DOS_STAR */
    CT_CHECK(IsIn(L"A>>>.C", L"AB.C", FALSE) && !IsIn(L"A>.C", L"ABC.C", FALSE)); /* DOS_QM */
    CT_CHECK(IsIn(L"A\"B", L"A.B", FALSE) && IsIn(L"A\"", L"A", FALSE));          /* DOS_DOT */
    CT_CHECK(FsRtlDoesNameContainWildCards(&Wild) && !FsRtlDoesNameContainWildCards(&Tame));
    CT_CHECK(FsRtlLegalAnsiCharacterArray['*'] & FSRTL_WILD_CHARACTER);
    CT_CHECK(FsRtlLegalAnsiCharacterArray['a'] & FSRTL_FAT_LEGAL);
    CT_CHECK(
        !(FsRtlLegalAnsiCharacterArray['\\'] & (FSRTL_FAT_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_WILD_CHARACTER)));
}

static VOID MoreCtName(VOID)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\One\\Two\\Three"), Upper = RTL_CONSTANT_STRING(L"ONE"),
                   First, Rest;
    UNICODE_STRING Good = RTL_CONSTANT_STRING(L"read me.txt"), Bad = RTL_CONSTANT_STRING(L"too.many.dots");
    CHAR Buffer[12];
    ANSI_STRING Oem = {0, sizeof(Buffer), Buffer};
    BOOLEAN Spaces = FALSE;

    FsRtlDissectName(Path, &First, &Rest);
    CT_EQUAL(First.Length, 6);
    CT_EQUAL(Rest.Length, 18);
    CT_CHECK(First.Buffer == Path.Buffer + 1 && Rest.Buffer == Path.Buffer + 5);
    CT_CHECK(FsRtlAreNamesEqual(&First, &Upper, TRUE, NULL) &&
             !FsRtlAreNamesEqual(&First, &Upper, FALSE, NULL));
    CT_CHECK(RtlIsNameLegalDOS8Dot3(&Good, &Oem, &Spaces) && Spaces);
    CT_CHECK(Oem.Length == 11 && RtlCompareMemory(Buffer, "READ ME.TXT", 11) == 11);
    CT_CHECK(!RtlIsNameLegalDOS8Dot3(&Bad, &Oem, &Spaces));
}

static VOID MoreCtStatus(VOID)
{
    struct {
        ULONG Tag;
        USHORT Length, Reserved;
        UCHAR Data[4];
    } Reparse = {0xA0000003, 4, 0, {0}};

    CT_CHECK(!FsRtlIsNtstatusExpected(STATUS_ACCESS_VIOLATION) && FsRtlIsNtstatusExpected(STATUS_DISK_FULL));
    CT_STATUS(FsRtlNormalizeNtstatus(STATUS_ACCESS_VIOLATION, STATUS_UNEXPECTED_IO_ERROR),
              STATUS_UNEXPECTED_IO_ERROR);
    CT_STATUS(FsRtlNormalizeNtstatus(STATUS_DISK_FULL, STATUS_UNEXPECTED_IO_ERROR), STATUS_DISK_FULL);
    CT_SUCCESS(FsRtlValidateReparsePointBuffer(12, (PREPARSE_DATA_BUFFER)&Reparse));
    CT_STATUS(FsRtlValidateReparsePointBuffer(11, (PREPARSE_DATA_BUFFER)&Reparse),
              STATUS_IO_REPARSE_DATA_INVALID);
}

static VOID MoreCtRuns(VOID)
{
    ULONG Bits[2] = {0xFFFF00F0, 0xFFFFFFF0}, Start = 99;
    RTL_BITMAP_RUN Runs[2];
    RTL_BITMAP Map;

    RtlInitializeBitMap(&Map, Bits, 64);
    CT_EQUAL(RtlFindLongestRunClear(&Map, &Start), 8);
    CT_EQUAL(Start, 8);
    CT_EQUAL(RtlFindClearRuns(&Map, Runs, 2, FALSE), 2);
    CT_CHECK(Runs[0].StartingIndex == 0 && Runs[0].NumberOfBits == 4 && Runs[1].StartingIndex == 8);
    CT_EQUAL(RtlFindClearRuns(&Map, Runs, 2, TRUE), 2);
    CT_CHECK(Runs[0].StartingIndex == 8 && Runs[0].NumberOfBits == 8 && Runs[1].NumberOfBits == 4);
    CT_EQUAL(RtlFindLastBackwardRunClear(&Map, 63, &Start), 4);
    CT_EQUAL(Start, 32);
    CT_EQUAL(RtlFindLeastSignificantBit(0x50), 4);
    CT_EQUAL(RtlFindMostSignificantBit(0x50), 6);
    CT_EQUAL((UCHAR)RtlFindMostSignificantBit(0), 0xFF);
    CT_EQUAL(RtlNumberOfSetBitsUlongPtr(0xF0F), 8);
}

static VOID MoreCtNumber(VOID)
{
    UNICODE_STRING Copy;
    LARGE_INTEGER Time;
    ULONG Value = 0;

    CT_SUCCESS(RtlCharToInteger("0x1F", 0, &Value));
    CT_EQUAL(Value, 31);
    CT_STATUS(RtlCharToInteger("1", 7, &Value), STATUS_INVALID_PARAMETER);
    RtlSecondsSince1980ToTime(86400, &Time);
    CT_CHECK(RtlTimeToSecondsSince1980(&Time, &Value));
    CT_EQUAL(Value, 86400);
    RtlSecondsSince1970ToTime(0, &Time);
    CT_CHECK(!RtlTimeToSecondsSince1980(&Time, &Value));
    CT_CHECK(RtlCompareUnicodeStrings(L"ab", 2, L"AB", 2, TRUE) == 0 &&
             RtlCompareUnicodeStrings(L"a", 1, L"B", 1, FALSE) > 0);
    CT_REQUIRE(RtlCreateUnicodeString(&Copy, L"copy"));
    CT_CHECK(Copy.Length == 8 && Copy.MaximumLength == 10 && wcscmp(Copy.Buffer, L"copy") == 0);
    RtlFreeUnicodeString(&Copy);
    CT_CHECK(RtlRandom(&Value) < 0x7FFFFFFF);
}

/* One locale, in which no byte leads another. */
static VOID MoreCtNls(VOID)
{
    ULONG Lead = 0;

    CT_CHECK(!NlsMbCodePageTag && !NlsMbOemCodePageTag);
    for (ULONG i = 0; i < 256; i++)
        Lead |= NlsOemLeadByteInfo[i] | NlsLeadByteInfo[i];
    CT_EQUAL(Lead, 0);
    CT_CHECK(NlsAnsiCodePage == 1252 && NlsOemCodePage != 0);
}

/* The kernel's own image. */
static VOID MoreCtImage(VOID)
{
    PVOID Base = NULL;
    PIMAGE_NT_HEADERS Headers = NULL;
    ULONG Size = 0;

    CT_REQUIRE(RtlPcToFileHeader((PVOID)CtDriverObject->MajorFunction[IRP_MJ_CREATE], &Base) != NULL);
    CT_SUCCESS(RtlImageNtHeaderEx(0, Base, 0x1000, &Headers));
    CT_REQUIRE(Headers != NULL && RtlImageNtHeader(Base) == Headers);
    CT_EQUAL(Headers->Signature, IMAGE_NT_SIGNATURE);
    CT_STATUS(RtlImageNtHeaderEx(0, Base, 32, &Headers), STATUS_INVALID_IMAGE_FORMAT);
    Headers = RtlImageNtHeader(Base);
    PUCHAR Exports = RtlImageDirectoryEntryToData(Base, TRUE, IMAGE_DIRECTORY_ENTRY_EXPORT, &Size);
    CT_CHECK(Exports == (PUCHAR)Base + Headers->OptionalHeader.DataDirectory[0].VirtualAddress && Size != 0);
    PUCHAR Found = RtlFindExportedRoutineByName(Base, "RtlFindExportedRoutineByName");
    CT_CHECK(Found > (PUCHAR)Base && Found < (PUCHAR)Base + Headers->OptionalHeader.SizeOfImage);
    CT_CHECK(RtlFindExportedRoutineByName(Base, "NoSuchRoutine") == NULL);
}

/* As IMAGE_RESOURCE_DIRECTORY_ENTRY, which mingw-w64's ntimage.h lacks. */
typedef struct RESOURCE_ENTRY {
    ULONG Name, OffsetToData;
} RESOURCE_ENTRY;

typedef struct RESOURCE_IMAGE {
    IMAGE_DOS_HEADER Dos;
    IMAGE_NT_HEADERS64 Nt;
    IMAGE_RESOURCE_DIRECTORY Type;
    RESOURCE_ENTRY TypeEntry;
    IMAGE_RESOURCE_DIRECTORY Name;
    RESOURCE_ENTRY NameEntry;
    IMAGE_RESOURCE_DIRECTORY Language;
    RESOURCE_ENTRY LanguageEntry;
    IMAGE_RESOURCE_DATA_ENTRY Data;
    UCHAR Bytes[4];
} RESOURCE_IMAGE;
#define IN_TREE(Field) (FIELD_OFFSET(RESOURCE_IMAGE, Field) - FIELD_OFFSET(RESOURCE_IMAGE, Type))

/* Type 10, name 3, language 0x409. */
static VOID MakeResources(RESOURCE_IMAGE *Image)
{
    PIMAGE_DATA_DIRECTORY Directory = &Image->Nt.OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_RESOURCE];

    Image->Dos.e_magic = IMAGE_DOS_SIGNATURE;
    Image->Dos.e_lfanew = FIELD_OFFSET(RESOURCE_IMAGE, Nt);
    Image->Nt.Signature = IMAGE_NT_SIGNATURE;
    Image->Nt.OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR64_MAGIC;
    Image->Nt.OptionalHeader.SizeOfImage = sizeof(*Image);
    Image->Nt.OptionalHeader.NumberOfRvaAndSizes = 16;
    Directory->VirtualAddress = FIELD_OFFSET(RESOURCE_IMAGE, Type);
    Directory->Size = sizeof(*Image) - FIELD_OFFSET(RESOURCE_IMAGE, Type);
    Image->Type.NumberOfIdEntries = Image->Name.NumberOfIdEntries = Image->Language.NumberOfIdEntries = 1;
    Image->TypeEntry.Name = 10;
    Image->TypeEntry.OffsetToData = 0x80000000 | IN_TREE(Name);
    Image->NameEntry.Name = 3;
    Image->NameEntry.OffsetToData = 0x80000000 | IN_TREE(Language);
    Image->LanguageEntry.Name = 0x409;
    Image->LanguageEntry.OffsetToData = IN_TREE(Data);
    Image->Data.OffsetToData = FIELD_OFFSET(RESOURCE_IMAGE, Bytes);
    Image->Data.Size = 4;
}

static VOID FindResources(RESOURCE_IMAGE *Image)
{
    LDR_RESOURCE_INFO Info = {10, 3, 0};
    PIMAGE_RESOURCE_DATA_ENTRY Entry = NULL;
    PVOID Data = NULL;
    ULONG Size = 0;

    MakeResources(Image);
    CT_SUCCESS(LdrFindResource_U(Image, &Info, 3, &Entry));
    CT_REQUIRE(Entry == &Image->Data);
    CT_SUCCESS(LdrAccessResource(Image, Entry, &Data, &Size));
    CT_CHECK(Data == Image->Bytes && Size == 4);
    Info.Name = 4;
    CT_STATUS(LdrFindResource_U(Image, &Info, 3, &Entry), STATUS_RESOURCE_NAME_NOT_FOUND);
    Info.Type = 9;
    CT_STATUS(LdrFindResource_U(Image, &Info, 3, &Entry), STATUS_RESOURCE_TYPE_NOT_FOUND);
}

static VOID MoreCtResource(VOID)
{
    RESOURCE_IMAGE *Image = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(RESOURCE_IMAGE), TAG);

    CT_REQUIRE(Image != NULL);
    FindResources(Image);
    ExFreePoolWithTag(Image, TAG);
}

static int __cdecl CompareInts(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static VOID MoreCtSort(VOID)
{
    int Numbers[] = {5, -1, 9, 3, 3, 0, 7}, Key = 7, Absent = 4;

    qsort(Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), CompareInts);
    for (ULONG i = 1; i < RTL_NUMBER_OF(Numbers); i++)
        CT_CHECK(Numbers[i - 1] <= Numbers[i]);
    CT_CHECK(bsearch(&Key, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), CompareInts) == &Numbers[5]);
    CT_CHECK(bsearch(&Absent, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), CompareInts) == NULL);
}

static VOID MoreCtBounded(VOID)
{
    CHAR Text[8] = "";
    WCHAR Wide[8] = L"";

    CT_EQUAL(memcpy_s(Text, 8, "abc", 4), 0);
    CT_EQUAL(memmove_s(Text + 1, 7, Text, 4), 0);
    CT_CHECK(strcmp(Text, "aabc") == 0);
    CT_EQUAL(strncpy_s(Text, 8, "drivers", 3), 0);
    CT_EQUAL(strncat_s(Text, 8, "versed", 3), 0);
    CT_CHECK(strcmp(Text, "driver") == 0);
    CT_EQUAL(wcsncpy_s(Wide, 8, L"drivers", 3), 0);
    CT_EQUAL(wcsncat_s(Wide, 8, L"ers", 1), 0);
    CT_CHECK(wcscmp(Wide, L"drie") == 0);
}

static VOID MoreCtScan(VOID)
{
    CHAR Text[] = "a,b", Number[34], *Context = NULL;
    WCHAR Wide[34], *End = NULL;
    PCHAR First = strtok_s(Text, ",", &Context), Second = strtok_s(NULL, ",", &Context);

    CT_CHECK(First == Text && Second == Text + 2 && strtok_s(NULL, ",", &Context) == NULL);
    CT_CHECK(strspn("aab", "a") == 2 && wcsspn(L"aab", L"a") == 2 && wcscspn(L"aab", L"b") == 2);
    CT_EQUAL(wcstoul(L"0x10.", &End, 0), 16);
    CT_EQUAL(*End, '.');
    CT_CHECK(strcmp(_itoa(-5, Number, 10), "-5") == 0 && wcscmp(_itow(255, Wide, 16), L"ff") == 0);
    CT_CHECK(strcmp(_strrev(Number), "5-") == 0 && wcscmp(_wcsrev(Wide), L"ff") == 0);
    CT_CHECK(strcmp(_strnset(Number, 'x', 1), "x-") == 0 && strcmp(_strset(Number, 'y'), "yy") == 0);
    CT_CHECK(wcscmp(_wcsnset(Wide, L'z', 1), L"zf") == 0);
}

static VOID MoreCtCopy(VOID)
{
    UCHAR From[40], To[40] = {0};

    for (ULONG i = 0; i < 40; i++)
        From[i] = (UCHAR)(i + 1);
    RtlPrefetchMemoryNonTemporal(From, sizeof(From));
    RtlCopyMemoryNonTemporal(To + 3, From + 1, 30);
    CT_EQUAL(RtlCompareMemory(To + 3, From + 1, 30), 30);
    CT_CHECK(To[2] == 0 && To[33] == 0);
}

static const CT_CASE Cases[] = {
    {"more.copy", MoreCtCopy},         {"more.expression", MoreCtExpression},
    {"more.name", MoreCtName},         {"more.status", MoreCtStatus},
    {"more.runs", MoreCtRuns},         {"more.number", MoreCtNumber},
    {"more.nls", MoreCtNls},           {"more.image", MoreCtImage},
    {"more.resource", MoreCtResource}, {"more.sort", MoreCtSort},
    {"more.bounded", MoreCtBounded},   {"more.scan", MoreCtScan},
};
CT_DRIVER(Cases)
