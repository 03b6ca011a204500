/* SPDX-License-Identifier: MIT */
/* ldr/pe: the section table, page protections, RVAs, and mapping. */
#include "pe_fixture.h"

#include <stdlib.h>
#include <string.h>

static PE_STATUS ParseDefault(PE_TEST *Test)
{
    return Parse(Test, 0);
}

static PE_STATUS ParseStrict(PE_TEST *Test)
{
    return Parse(Test, PE_PARSE_STRICT_WX);
}

#define FIELD(Index, Field) (B_SECTIONS + (Index) * 40 + (Field))

static void TestBadSections(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {FIELD(0, 12), 4, 0x1010, PE_BAD_SECTION,
         "section 0 (.text) starts at 0x1010, which is not a multiple"},
        {FIELD(0, 12), 4, 0, PE_BAD_SECTION,
         "section 0 (.text) starts at 0x0, before the end of what precedes it (0x400)"},
        {FIELD(1, 12), 4, 0x1000, PE_BAD_SECTION,
         "section 1 (.rdata) starts at 0x1000, before the end of what precedes"},
        {FIELD(0, 8), 4, 0x1001, PE_BAD_SECTION, "section 1 (.rdata) starts at 0x2000, before the end"},
        {FIELD(0, 8), 4, 0xFFFFFFFF, PE_BAD_SECTION,
         "section 0 (.text) ends at 0x100001000, behind the end of the image"},
        {FIELD(5, 12), 4, 0x8000, PE_BAD_SECTION,
         "section 5 (.reloc) ends at 0x9000, behind the end of the image (0x8000)"},
        {FIELD(5, 12), 4, 0xFFFFF000, PE_BAD_SECTION, "section 5 (.reloc) ends at 0x100000000"},
        {FIELD(0, 16), 4, 0xFFFFFFFF, PE_TRUNCATED,
         "section 0 (.text) ends at 0x1000003ff, behind the end of the file"},
        {FIELD(0, 20), 4, 0xFFFFFFFF, PE_TRUNCATED,
         "section 0 (.text) ends at 0x1000001ff, behind the end of the file"},
        {FIELD(2, 16), 4, 0x20000000, PE_TRUNCATED, "section 2 (.data) ends at 0x20000e00"},
        {FIELD(2, 20), 4, 0, PE_OK, NULL}, /* no data: zeroes */
        {FIELD(2, 8), 4, 0, PE_OK, NULL},  /* VirtualSize 0: the file's size */
    };
    RUN_DEFECTS(Defects, ParseDefault);
}

static void TestWritableExecutable(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, SectionField(3, 36), 0xE2000020);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Test->Image.Warnings, PE_WARN_WRITABLE_EXECUTABLE);
    assert_int_equal(PeGetPageProtection(&Test->Image, B_INIT),
                     PE_PROTECT_READ | PE_PROTECT_WRITE | PE_PROTECT_EXECUTE);
    ExpectError(Test, ParseStrict(Test), PE_WRITABLE_EXECUTABLE,
                "section 3 (INIT) is writable and executable");
}

static void TestDescriptions(void **State)
{
    PE_TEST *Test = *State;
    PE_SECTION Section;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetSection(&Test->Image, 2, &Section, &Test->Error), PE_OK);
    assert_string_equal(Section.Name, ".data");
    assert_int_equal(Section.Rva, B_DATA);
    assert_int_equal(Section.VirtualSize, 0x1800);
    assert_int_equal(Section.MappedSize, 0x2000);
    assert_int_equal(Section.RawOffset, 0xE00);
    assert_int_equal(Section.RawSize, 0x200);
    assert_int_equal(Section.Protection, PE_PROTECT_READ | PE_PROTECT_WRITE);
    assert_true(Section.NotPaged);
    assert_false(Section.Discardable);
    assert_int_equal(PeGetSection(&Test->Image, 3, &Section, &Test->Error), PE_OK);
    assert_true(Section.Discardable);
    assert_false(Section.NotPaged);
    assert_int_equal(PeGetSection(&Test->Image, B_SECTION_COUNT, &Section, &Test->Error), PE_END);
}

static void TestFindSection(void **State)
{
    PE_TEST *Test = *State;
    PE_SECTION Section;
    uint32_t Index;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeFindSection(&Test->Image, B_DATA + 0x1FFF, &Section, &Index), PE_OK);
    assert_int_equal(Index, 2);
    assert_int_equal(PeFindSection(&Test->Image, 0x10, &Section, &Index), PE_NOT_FOUND);
    assert_int_equal(PeFindSection(&Test->Image, B_SIZE_OF_IMAGE, &Section, &Index), PE_NOT_FOUND);
    assert_int_equal(PeFindSection(&Test->Image, 0xFFFFFFFF, &Section, NULL), PE_NOT_FOUND);
}

/* GNU ld: "/4" is an offset into the string table behind the symbols. */
static void TestLongNames(void **State)
{
    PE_TEST *Test = *State;
    PE_SECTION Section;
    Put32(&Test->Build, B_COFF + 8, B_FILE_SIZE);
    Put32(&Test->Build, B_COFF + 12, 2);
    memcpy(Test->Build.Bytes + SectionField(4, 0), "/4\0\0\0\0\0", 8);
    memcpy(Test->Build.Bytes + SectionField(5, 0), "/19\0\0\0\0", 8);
    memcpy(Test->Build.Bytes + B_FILE_SIZE + 36 + 4, ".debug_aranges\0.debug_info", 27);
    Test->Build.Length = B_FILE_SIZE + 36 + 4 + 27;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetSection(&Test->Image, 4, &Section, NULL), PE_OK);
    assert_string_equal(Section.Name, ".debug_aranges");
    assert_int_equal(PeGetSection(&Test->Image, 5, &Section, NULL), PE_OK);
    assert_string_equal(Section.Name, ".debug_info");

    Test->Build.Length--; /* the string has no end any more */
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetSection(&Test->Image, 5, &Section, NULL), PE_OK);
    assert_string_equal(Section.Name, "/19");
    memcpy(Test->Build.Bytes + SectionField(5, 0), "/9999999", 8);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetSection(&Test->Image, 5, &Section, NULL), PE_OK);
    assert_string_equal(Section.Name, "/9999999");
}

static void TestVeryLongName(void **State)
{
    PE_TEST *Test = *State;
    PE_SECTION Section;
    Put32(&Test->Build, B_COFF + 8, B_FILE_SIZE);
    memcpy(Test->Build.Bytes + SectionField(5, 0), "/4\0\0\0\0\0", 8);
    memset(Test->Build.Bytes + B_FILE_SIZE + 4, 'x', 100);
    Test->Build.Length = B_FILE_SIZE + 105;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetSection(&Test->Image, 5, &Section, NULL), PE_OK);
    assert_int_equal(strlen(Section.Name), PE_SECTION_NAME - 1);
}

static void TestNotALongName(void **State)
{
    PE_TEST *Test = *State;
    PE_SECTION Section;
    static const char *const Names[] = {"/", "/x", "/4x", "/0"};
    for (unsigned Index = 0; Index < 4; Index++) {
        BuildImage(&Test->Build);
        Put32(&Test->Build, B_COFF + 8, 0x400);
        memset(Test->Build.Bytes + SectionField(0, 0), 0, 8);
        memcpy(Test->Build.Bytes + SectionField(0, 0), Names[Index], strlen(Names[Index]));
        assert_int_equal(Parse(Test, 0), PE_OK);
        assert_int_equal(PeGetSection(&Test->Image, 0, &Section, NULL), PE_OK);
        assert_string_equal(Section.Name, Names[Index]);
    }
}

static void TestPageProtections(void **State)
{
    PE_TEST *Test = *State;
    static const uint32_t Wanted[] = {1, 5, 1, 3, 3, 5, 1, 1, 0};
    assert_int_equal(Parse(Test, 0), PE_OK);
    for (uint32_t Page = 0; Page < 9; Page++)
        assert_int_equal(PeGetPageProtection(&Test->Image, Page * 0x1000), Wanted[Page]);
}

static void TestGapIsAccepted(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, SectionField(2, 8), 0x1000);
    Map(Test);
    assert_int_equal(PeGetPageProtection(&Test->Mapped, B_DATA + 0x1000), 0);
    assert_int_equal(Test->Room[B_DATA + 0x1000], 0);
}

static void TestRvaToPointer(void **State)
{
    PE_TEST *Test = *State;
    assert_int_equal(Parse(Test, 0), PE_OK);
    const PE_IMAGE *Image = &Test->Image;
    assert_ptr_equal(PeRvaToPointer(Image, B_TEXT, 4), Test->File + 0x400);
    assert_ptr_equal(PeRvaToPointer(Image, 0, B_SIZE_OF_HEADERS), Test->File);
    assert_null(PeRvaToPointer(Image, 0, B_SIZE_OF_HEADERS + 1));
    assert_ptr_equal(PeRvaToPointer(Image, B_DATA + 0x1FF, 1), Test->File + 0xE00 + 0x1FF);
    assert_null(PeRvaToPointer(Image, B_DATA + 0x1FF, 2)); /* the zero part has no bytes in the file */
    assert_null(PeRvaToPointer(Image, B_DATA + 0x200, 0));
    assert_null(PeRvaToPointer(Image, B_SIZE_OF_IMAGE, 1));
    assert_null(PeRvaToPointer(Image, 0xFFFFFFFF, UINT64_MAX));
    Map(Test);
    assert_ptr_equal(PeRvaToPointer(&Test->Mapped, B_DATA + 0x200, 8), Test->Room + B_DATA + 0x200);
    assert_null(PeRvaToPointer(&Test->Mapped, B_SIZE_OF_IMAGE - 1, 2));
}

static void TestMapCopiesAndZeroes(void **State)
{
    PE_TEST *Test = *State;
    Map(Test);
    assert_memory_equal(Test->Room, Test->File, B_SIZE_OF_HEADERS);
    assert_memory_equal(Test->Room + B_RDATA, Test->File + 0x600, 0x800);
    assert_memory_equal(Test->Room + B_DATA, Test->File + 0xE00, 0x200);
    for (uint32_t Rva = B_SIZE_OF_HEADERS; Rva < B_TEXT; Rva++)
        assert_int_equal(Test->Room[Rva], 0);
    for (uint32_t Rva = B_DATA + 0x200; Rva < B_INIT; Rva++)
        assert_int_equal(Test->Room[Rva], 0);
    for (uint32_t Rva = B_RELOC + 0x200; Rva < B_SIZE_OF_IMAGE; Rva++)
        assert_int_equal(Test->Room[Rva], 0);
    assert_int_equal(Test->Mapped.LoadBase, B_IMAGE_BASE);
    assert_int_equal(Test->Mapped.Length, B_SIZE_OF_IMAGE);
}

/* More file data than room: the room decides. */
static void TestMapCutsLongData(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, SectionField(0, 16), 0x1400);
    Map(Test);
    assert_memory_equal(Test->Room + B_TEXT, Test->File + 0x400, 0x1000);
    assert_memory_equal(Test->Room + B_RDATA, Test->File + 0x600, 0x800);
}

/* Windows rounds PointerToRawData down to 512. */
static void TestRawOffsetIsRoundedDown(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, SectionField(0, 20), 0x4F0);
    Map(Test);
    assert_memory_equal(Test->Room + B_TEXT, Test->File + 0x400, 0x200);
}

static void TestMapRefusals(void **State)
{
    PE_TEST *Test = *State;
    PE_IMAGE Again;
    Map(Test);
    PE_STATUS Status = PeMapImage(&Test->Image, Test->Room, B_SIZE_OF_IMAGE - 1, &Again, &Test->Error);
    ExpectError(Test, Status, PE_BUFFER_TOO_SMALL, "the image needs 0x8000 bytes, there are 0x7fff");
    Status = PeMapImage(&Test->Mapped, Test->Room, B_SIZE_OF_IMAGE, &Again, &Test->Error);
    ExpectError(Test, Status, PE_WRONG_KIND, "mapped already");
}

/* SectionAlignment == FileAlignment == 32, as lld-link's and Microsoft's /align:32 make it: file offsets are
 * RVAs. */
static void TestLowAlignment(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, B_OPTIONAL + 32, 32);
    Put32(&Test->Build, B_OPTIONAL + 36, 32);
    Put32(&Test->Build, B_OPTIONAL + 56, 0x1A00);
    Put32(&Test->Build, B_OPTIONAL + 16, 0x400);
    for (uint32_t Index = 0; Index < B_SECTION_COUNT; Index++) {
        uint32_t Raw = Get32(&Test->Build, SectionField(Index, 20));
        Put32(&Test->Build, SectionField(Index, 12), Raw);
        Put32(&Test->Build, SectionField(Index, 8), 0x20);
    }
    for (unsigned Index = 0; Index < 16; Index++)
        PutDirectory(&Test->Build, Index, 0, 0);
    Put32(&Test->Build, SectionField(0, 20), 0x420);
    Map(Test);
    assert_int_equal(Test->Image.Warnings, PE_WARN_LOW_ALIGNMENT);
    assert_int_equal(Test->Image.SizeOfImage, 0x1A00);
    assert_memory_equal(Test->Room + 0x400, Test->File + 0x420, 0x20); /* not rounded */
    assert_int_equal(PeGetPageProtection(&Test->Mapped, 0), 7);        /* headers, .text, .rdata, .data */
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestBadSections),
        PE_UNIT_TEST(TestWritableExecutable),
        PE_UNIT_TEST(TestDescriptions),
        PE_UNIT_TEST(TestFindSection),
        PE_UNIT_TEST(TestLongNames),
        PE_UNIT_TEST(TestVeryLongName),
        PE_UNIT_TEST(TestNotALongName),
        PE_UNIT_TEST(TestPageProtections),
        PE_UNIT_TEST(TestGapIsAccepted),
        PE_UNIT_TEST(TestRvaToPointer),
        PE_UNIT_TEST(TestMapCopiesAndZeroes),
        PE_UNIT_TEST(TestMapCutsLongData),
        PE_UNIT_TEST(TestRawOffsetIsRoundedDown),
        PE_UNIT_TEST(TestMapRefusals),
        PE_UNIT_TEST(TestLowAlignment),
    };
    return cmocka_run_group_tests_name("pe sections", Tests, NULL, NULL);
}
