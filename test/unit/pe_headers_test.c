/* SPDX-License-Identifier: MIT */
/* ldr/pe: what is parsed, what is refused, and with which words. */
#include "pe_fixture.h"

#include <stdlib.h>
#include <string.h>

static PE_STATUS ParseDefault(PE_TEST *Test)
{
    return Parse(Test, 0);
}

static void TestGoodImage(void **State)
{
    PE_TEST *Test = *State;
    assert_int_equal(Parse(Test, PE_PARSE_STRICT_WX), PE_OK);
    assert_int_equal(Test->Image.ImageBase, B_IMAGE_BASE);
    assert_int_equal(Test->Image.LoadBase, B_IMAGE_BASE);
    assert_int_equal(Test->Image.AddressOfEntryPoint, B_ENTRY);
    assert_int_equal(Test->Image.SizeOfImage, B_SIZE_OF_IMAGE);
    assert_int_equal(Test->Image.NumberOfSections, B_SECTION_COUNT);
    assert_int_equal(Test->Image.Subsystem, PE_SUBSYSTEM_NATIVE);
    assert_int_equal(Test->Image.DirectoryCount, 16);
    assert_int_equal(Test->Image.Warnings, 0);
    assert_int_equal(Test->Image.TimeDateStamp, 0x65000000);
    assert_int_equal(Test->Image.Directories[PE_DIRECTORY_EXCEPTION].Rva, B_PDATA);
}

static void TestNotOurImages(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {0, 2, 0x4B50, PE_NOT_PE, "it starts with 0x4b50 instead of \"MZ\""},
        {0, 2, 0x8664, PE_NOT_WINDOWS_IMAGE, "a COFF object file that was not linked"},
        {0x3C, 4, 0, PE_NOT_WINDOWS_IMAGE, "a DOS program without a Windows header"},
        {B_HEADER, 4, 0x454E, PE_NOT_WINDOWS_IMAGE, "a 16-bit Windows program (NE)"},
        {B_HEADER, 4, 0x454C, PE_NOT_WINDOWS_IMAGE, "a linear executable (LE"},
        {B_HEADER, 4, 0x584C, PE_NOT_WINDOWS_IMAGE, "an OS/2 program (LX)"},
        {B_HEADER, 4, 0x90909090, PE_NOT_WINDOWS_IMAGE,
         "a DOS program: there is 0x90909090 instead of \"PE\""},
        {B_COFF, 2, 0x014C, PE_WRONG_MACHINE, "an image for 32-bit x86 (machine 0x14c); x64"},
        {B_COFF, 2, 0x01C0, PE_WRONG_MACHINE, "an image for 32-bit ARM"},
        {B_COFF, 2, 0x01C2, PE_WRONG_MACHINE, "an image for 32-bit ARM"},
        {B_COFF, 2, 0x5032, PE_WRONG_MACHINE, "an image for RISC-V"},
        {B_COFF, 2, 0x6232, PE_WRONG_MACHINE, "an image for LoongArch"},
        {B_COFF, 2, 0x01C4, PE_WRONG_MACHINE, "an image for 32-bit ARM"},
        {B_COFF, 2, 0xAA64, PE_WRONG_MACHINE, "an image for ARM64 (machine 0xaa64)"},
        {B_COFF, 2, 0xA641, PE_WRONG_MACHINE, "an image for ARM64EC"},
        {B_COFF, 2, 0xA64E, PE_WRONG_MACHINE, "an image for ARM64X"},
        {B_COFF, 2, 0x0200, PE_WRONG_MACHINE, "an image for Itanium"},
        {B_COFF, 2, 0x0EBC, PE_WRONG_MACHINE, "an image for EFI byte code"},
        {B_COFF, 2, 0x5064, PE_WRONG_MACHINE, "an image for RISC-V"},
        {B_COFF, 2, 0x6264, PE_WRONG_MACHINE, "an image for LoongArch"},
        {B_COFF, 2, 0x1234, PE_WRONG_MACHINE, "an unknown machine (0x1234)"},
    };
    RUN_DEFECTS(Defects, ParseDefault);
}

/* An ARM64EC image says AMD64; its load configuration has CHPE metadata. */
static void TestArm64ec(void **State)
{
    PE_TEST *Test = *State;
    PutRva64(&Test->Build, B_LOAD_CONFIG + 0xC8, B_IMAGE_BASE + B_RDATA);
    ExpectError(Test, Parse(Test, 0), PE_WRONG_MACHINE,
                "an image for ARM64EC (its load configuration has CHPE");
    PutRva32(&Test->Build, B_LOAD_CONFIG, 0xC8); /* the structure ends before the field */
    assert_int_equal(Parse(Test, 0), PE_OK);
}

static void TestBadHeaders(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {0x3C, 4, 0xFFFFFFF0, PE_TRUNCATED,
         "the PE header at 0xfffffff0 ends behind the end of the file (0x1a00)"},
        {0x3C, 4, B_FILE_SIZE - 23, PE_TRUNCATED, "ends behind the end of the file"},
        {B_COFF + 2, 2, 0, PE_BAD_HEADER, "the image has 0 sections"},
        {B_COFF + 2, 2, 97, PE_BAD_HEADER, "the image has 97 sections; 1 to 96"},
        {B_COFF + 16, 2, 111, PE_BAD_HEADER, "the optional header has only 0x6f bytes"},
        {B_COFF + 16, 2, 239, PE_BAD_HEADER,
         "16 data directories do not fit into an optional header of 0xef bytes"},
        {B_COFF + 16, 2, 0xFFFF, PE_TRUNCATED, "the section table ends at 0x"},
        {B_COFF + 18, 2, 0x0020, PE_BAD_HEADER, "not marked executable"},
        {B_OPTIONAL, 2, 0x10B, PE_BAD_HEADER, "a 32-bit optional header (PE32, magic 0x10b)"},
        {B_OPTIONAL, 2, 0x107, PE_BAD_HEADER, "a ROM image"},
        {B_OPTIONAL, 2, 0x20C, PE_BAD_HEADER, "the magic 0x20c instead of 0x20b"},
        {B_OPTIONAL + 16, 4, B_SIZE_OF_IMAGE, PE_BAD_HEADER,
         "the entry point 0x8000 lies behind the end of the image"},
        {B_OPTIONAL + 24, 8, 0x140001000, PE_BAD_HEADER,
         "the image base 0x140001000 is not a multiple of 0x10000"},
        {B_OPTIONAL + 24, 8, 0xFFFFFFFFFFFF0000 + 0, PE_OK, NULL},
        {B_OPTIONAL + 32, 4, 0, PE_BAD_HEADER, "must be powers of two"},
        {B_OPTIONAL + 32, 4, 0x1800, PE_BAD_HEADER,
         "section alignment 0x1800 and file alignment 0x200 must be powers"},
        {B_OPTIONAL + 32, 4, 0x400, PE_BAD_HEADER,
         "0x400 is below a page and differs from file alignment 0x200"},
        {B_OPTIONAL + 32, 4, 0x20000000, PE_BAD_HEADER, "is above 256 MiB"},
        {B_OPTIONAL + 36, 4, 0, PE_BAD_HEADER, "must be powers of two"},
        {B_OPTIONAL + 36, 4, 0x100, PE_BAD_HEADER,
         "file alignment 0x100 is not between 512 and section alignment"},
        {B_OPTIONAL + 36, 4, 0x2000, PE_BAD_HEADER, "file alignment 0x2000 is not between 512"},
        {B_OPTIONAL + 56, 4, 0, PE_BAD_HEADER, "the image size 0x0 is not between 1 and 0x7fff0000"},
        {B_OPTIONAL + 56, 4, 0xFFFFFFFF, PE_BAD_HEADER, "the image size 0xffffffff is not"},
        {B_OPTIONAL + 60, 4, 0x200, PE_BAD_HEADER,
         "the section table ends at 0x278, behind the end of the headers (0x200)"},
        {B_OPTIONAL + 60, 4, 0x9000, PE_BAD_HEADER,
         "the headers end at 0x9000, behind the end of the image (0x8000)"},
        {B_OPTIONAL + 60, 4, 0x1C00, PE_TRUNCATED,
         "the headers end at 0x1c00, behind the end of the file (0x1a00)"},
        {B_OPTIONAL + 108, 4, 0xFFFFFFFF, PE_OK, NULL}, /* only 16 count */
        {B_OPTIONAL + 108, 4, 0, PE_OK, NULL},
    };
    RUN_DEFECTS(Defects, ParseDefault);
}

static void TestBaseOverflow(void **State)
{
    PE_TEST *Test = *State;
    Put64(&Test->Build, B_OPTIONAL + 24, 0xFFFFFFFFFFFF0000);
    Put32(&Test->Build, B_OPTIONAL + 56, 0x10000);
    ExpectError(Test, Parse(Test, 0), PE_BAD_HEADER, "plus the image size 0x10000 overflows");
}

static void TestMisalignedHeader(void **State)
{
    PE_TEST *Test = *State;
    memmove(Test->Build.Bytes + B_HEADER + 2, Test->Build.Bytes + B_HEADER, 0x200);
    Put32(&Test->Build, 0x3C, B_HEADER + 2);
    ExpectError(Test, Parse(Test, 0), PE_BAD_HEADER, "0x82, which is not a multiple of 4");
}

/* Every shorter file is refused or (behind the last section's data) accepted, never read behind its end. */
static void TestEveryTruncation(void **State)
{
    PE_TEST *Test = *State;
    for (uint32_t Length = 0; Length < B_FILE_SIZE; Length++) {
        Test->Build.Length = Length;
        memset(&Test->Error, 0, sizeof Test->Error);
        ExpectError(Test, Parse(Test, 0), PE_TRUNCATED, Length == 0 ? "the file is empty" : "");
        assert_true(Test->Error.Text[0] != '\0');
    }
}

static void TestTruncationWords(void **State)
{
    PE_TEST *Test = *State;
    Test->Build.Length = 1;
    ExpectError(Test, Parse(Test, 0), PE_TRUNCATED, "the file has only 1 byte");
    Test->Build.Length = 0x3F;
    ExpectError(Test, Parse(Test, 0), PE_TRUNCATED, "the file ends at 0x3f, inside the DOS header");
    Test->Build.Length = B_FILE_SIZE - 1;
    ExpectError(Test, Parse(Test, 0), PE_TRUNCATED,
                "section 5 (.reloc) ends at 0x1a00, behind the end of the file (0x19ff)");
    assert_int_equal(Test->Error.Offset, B_SECTIONS + 5 * 40 + 16);
}

static void TestBytesBehindSections(void **State)
{
    PE_TEST *Test = *State;
    Test->Build.Length = B_FILE_SIZE + 77;
    assert_int_equal(Parse(Test, 0), PE_OK);
}

static void TestDirectories(void **State)
{
    PE_TEST *Test = *State;
    static const char *const Names[] = {"export", "import",     "resource", "exception",
                                        NULL,     "relocation", "debug"};
    for (unsigned Index = 0; Index < 7; Index++) {
        if (Names[Index] == NULL)
            continue;
        BuildImage(&Test->Build);
        PutDirectory(&Test->Build, Index, B_SIZE_OF_IMAGE - 4, 8);
        ExpectError(Test, Parse(Test, 0), PE_BAD_DIRECTORY, Names[Index]);
        PutDirectory(&Test->Build, Index, 0xFFFFFFF8, 16);
        ExpectError(Test, Parse(Test, 0), PE_BAD_DIRECTORY, "ends behind the end of the image (0x8000)");
    }
}

static void TestIgnoredDirectories(void **State)
{
    PE_TEST *Test = *State;
    static const unsigned Ignored[] = {PE_DIRECTORY_ARCHITECTURE, PE_DIRECTORY_GLOBALPTR,
                                       PE_DIRECTORY_TLS,          PE_DIRECTORY_BOUND_IMPORT,
                                       PE_DIRECTORY_IAT,          PE_DIRECTORY_COM_DESCRIPTOR,
                                       PE_DIRECTORY_COUNT - 1};
    for (unsigned Index = 0; Index < sizeof Ignored / sizeof *Ignored; Index++) {
        BuildImage(&Test->Build);
        PutDirectory(&Test->Build, Ignored[Index], 0xFFFFFFF8, 16);
        assert_int_equal(Parse(Test, 0), PE_OK);
        assert_int_equal(Test->Image.Warnings, PE_WARN_DIRECTORY_IGNORED);
    }
    BuildImage(&Test->Build);
    PutDirectory(&Test->Build, PE_DIRECTORY_BOUND_IMPORT, 0x278, 16);
    PutDirectory(&Test->Build, PE_DIRECTORY_SECURITY, B_FILE_SIZE - 4, 16);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Test->Image.Warnings, PE_WARN_CERTIFICATE);
}

static void TestEntryPoint(void **State)
{
    PE_TEST *Test = *State;
    Put32(&Test->Build, B_OPTIONAL + 16, B_DATA);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Test->Image.Warnings, PE_WARN_ENTRY_NOT_EXECUTABLE);
    Put32(&Test->Build, B_OPTIONAL + 16, 0);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Test->Image.Warnings, 0);
}

static void TestMappedNeedsItsSize(void **State)
{
    PE_TEST *Test = *State;
    Map(Test);
    PE_IMAGE Image;
    assert_int_equal(PeParseMapped(Test->Room, B_SIZE_OF_IMAGE, 0xFFFFF80000000000, &Image, &Test->Error),
                     PE_OK);
    assert_int_equal(Image.LoadBase, 0xFFFFF80000000000);
    assert_int_equal(Image.ImageBase, B_IMAGE_BASE);
    PE_STATUS Status = PeParseMapped(Test->Room, B_SIZE_OF_IMAGE - 1, 0, &Image, &Test->Error);
    ExpectError(Test, Status, PE_TRUNCATED,
                "the image size 0x8000 is more than the 0x7fff bytes that are mapped");
}

static void TestFlavours(void **State)
{
    PE_TEST *Test = *State;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_string_equal(PeFlavourName(PeGuessFlavour(&Test->Image)), "lld-link");
    Put16(&Test->Build, B_OPTIONAL + 2, 0x2802);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_string_equal(PeFlavourName(PeGuessFlavour(&Test->Image)), "mingw");
    Put16(&Test->Build, B_OPTIONAL + 2, 0x0102);
    Put32(&Test->Build, 0x60, 0x68636952);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_string_equal(PeFlavourName(PeGuessFlavour(&Test->Image)), "msvc");
    Put32(&Test->Build, 0x60, 0);
    Put16(&Test->Build, B_OPTIONAL + 2, 0x0005);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_string_equal(PeFlavourName(PeGuessFlavour(&Test->Image)), "unknown");
}

/* Names from images go into sentences: nothing unprintable, nothing longer than the buffer. */
static void TestSentenceIsClean(void **State)
{
    PE_TEST *Test = *State;
    memcpy(Test->Build.Bytes + SectionField(0, 0), "\x1b[31m\n\xFF", 7);
    Put32(&Test->Build, SectionField(0, 12), 0x1234);
    ExpectError(Test, Parse(Test, 0), PE_BAD_SECTION, "section 0 (?[31m?\?) starts at 0x1234");
}

static void TestWithoutError(void **State)
{
    PE_TEST *Test = *State;
    Put16(&Test->Build, B_COFF, 0x014C);
    PE_IMAGE Image;
    assert_int_equal(PeParseFile(Test->Build.Bytes, Test->Build.Length, 0, &Image, NULL), PE_WRONG_MACHINE);
}

static void TestNames(void **State)
{
    (void)State;
    for (unsigned Status = PE_OK; Status <= PE_WRONG_KIND; Status++)
        assert_true(strncmp(PeStatusName((PE_STATUS)Status), "PE_", 3) == 0);
    assert_string_equal(PeStatusName((PE_STATUS)99), "PE_STATUS?");
    for (uint32_t Bit = 1; Bit <= PE_WARN_DIRECTORY_IGNORED; Bit *= 2)
        assert_non_null(PeWarningText(Bit));
    assert_null(PeWarningText(3));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestGoodImage),
        PE_UNIT_TEST(TestNotOurImages),
        PE_UNIT_TEST(TestArm64ec),
        PE_UNIT_TEST(TestBadHeaders),
        PE_UNIT_TEST(TestBaseOverflow),
        PE_UNIT_TEST(TestMisalignedHeader),
        PE_UNIT_TEST(TestEveryTruncation),
        PE_UNIT_TEST(TestTruncationWords),
        PE_UNIT_TEST(TestBytesBehindSections),
        PE_UNIT_TEST(TestDirectories),
        PE_UNIT_TEST(TestIgnoredDirectories),
        PE_UNIT_TEST(TestEntryPoint),
        PE_UNIT_TEST(TestMappedNeedsItsSize),
        PE_UNIT_TEST(TestFlavours),
        PE_UNIT_TEST(TestSentenceIsClean),
        PE_UNIT_TEST(TestWithoutError),
        PE_UNIT_TEST(TestNames),
    };
    return cmocka_run_group_tests_name("pe headers", Tests, NULL, NULL);
}
