/* SPDX-License-Identifier: MIT */
/* ldr/pe: base relocations. */
#include "pe_fixture.h"

#include <stdlib.h>
#include <string.h>

#define NEW_BASE 0xFFFFF80012340000ull

static uint64_t Read64(const PE_TEST *Test, uint32_t Rva)
{
    uint64_t Value;
    memcpy(&Value, Test->Room + Rva, sizeof Value);
    return Value;
}

static PE_STATUS Relocate(PE_TEST *Test)
{
    Map(Test);
    return PeRelocateImage(&Test->Mapped, NEW_BASE, &Test->Error);
}

static PE_STATUS Count(PE_TEST *Test)
{
    uint32_t Number;
    if (Parse(Test, 0) != PE_OK)
        return Test->Error.Status;
    return PeCountRelocations(&Test->Image, &Number, &Test->Error);
}

static void TestApplies(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Number;
    Map(Test);
    assert_int_equal(PeCountRelocations(&Test->Image, &Number, &Test->Error), PE_OK);
    assert_int_equal(Number, B_FIXUPS);
    assert_int_equal(PeRelocateImage(&Test->Mapped, NEW_BASE, &Test->Error), PE_OK);
    assert_int_equal(Read64(Test, B_POINTER), NEW_BASE + B_ENTRY);
    assert_int_equal(Read64(Test, B_LOAD_CONFIG + 0x58), NEW_BASE + B_COOKIE);
    assert_int_equal(Read64(Test, B_LOAD_CONFIG + 0x80), NEW_BASE + B_GUARD + 16);
    assert_int_equal(Read64(Test, B_DATA + 0x800), NEW_BASE - B_IMAGE_BASE); /* the zero part */
    assert_int_equal(Read64(Test, B_COOKIE), PE_DEFAULT_SECURITY_COOKIE);    /* has none */
    assert_int_equal(Test->Mapped.LoadBase, NEW_BASE);
    assert_int_equal(Read64(Test, B_OPTIONAL + 24), NEW_BASE);
}

/* There and back again, through the header that a second parser sees. */
static void TestRelocatesTwice(void **State)
{
    PE_TEST *Test = *State;
    PE_IMAGE Again;
    Map(Test);
    uint8_t *Before = malloc(B_SIZE_OF_IMAGE);
    memcpy(Before, Test->Room, B_SIZE_OF_IMAGE);
    assert_int_equal(PeRelocateImage(&Test->Mapped, NEW_BASE + 0x1000, &Test->Error), PE_OK);
    assert_int_equal(PeParseMapped(Test->Room, B_SIZE_OF_IMAGE, NEW_BASE, &Again, &Test->Error), PE_OK);
    assert_int_equal(PeRelocateImage(&Again, B_IMAGE_BASE, &Test->Error), PE_OK);
    assert_memory_equal(Before, Test->Room, B_SIZE_OF_IMAGE);
    free(Before);
}

static void TestBadBlocks(void **State)
{
    (void)State;
    const uint32_t R = 0x1800; /* file offset of .reloc */
    const DEFECT Defects[] = {
        {R + 4, 4, 7, PE_BAD_RELOCATION,
         "the relocation block of page 0x2000 has the size 0x7; 0x24 bytes are left"},
        {R + 4, 4, 15, PE_BAD_RELOCATION, "has the size 0xf"},
        {R + 4, 4, 0x26, PE_BAD_RELOCATION, "has the size 0x26; 0x24 bytes are left"},
        {R + 4, 4, 0xFFFFFFFE, PE_BAD_RELOCATION, "has the size 0xfffffffe"},
        {R + 4, 4, 0x20, PE_BAD_RELOCATION, "ends inside a block header (4 bytes are left)"},
        {R + 0, 4, 0x7FFFFFFF, PE_BAD_RELOCATION, "lies outside the image's sections (0x400 to 0x8000)"},
        {R + 0, 4, 0xFFFFFFFF, PE_BAD_RELOCATION, "lies outside the image's sections"},
        {R + 0, 4, 0, PE_BAD_RELOCATION, "the relocation of 0x358 lies outside the image's sections"},
        {R + 8, 2, 0x4000, PE_BAD_RELOCATION,
         "the relocation of 0x2000 has the type 4, which x64 images do not use"},
        {R + 8, 2, 0xF000, PE_BAD_RELOCATION, "has the type 15"},
        {R + 16, 4, 0, PE_BAD_RELOCATION, "the relocation of 0x8 lies outside the image's sections"},
        {R + 16, 4, 0x6FF8, PE_BAD_RELOCATION,
         "the relocation of 0x7000 would change the relocation directory"},
        {R + 16, 4, 0x6FF1, PE_BAD_RELOCATION,
         "the relocation of 0x6ff9 would change the relocation directory"},
        {R + 16, 4, 0x7FF1, PE_BAD_RELOCATION, "the relocation of 0x7ff9 lies outside"},
        {B_DIRECTORIES + 5 * 8, 4, B_DATA + 0x1F0, PE_BAD_RELOCATION, "does not lie inside one section"},
    };
    RUN_DEFECTS(Defects, Count);
}

static void TestAccepted(void **State)
{
    (void)State;
    const uint32_t R = 0x1800;
    const DEFECT Defects[] = {
        {R + 16, 8, 0, PE_OK, NULL},                     /* a zero block ends the table */
        {B_DIRECTORIES + 5 * 8 + 4, 4, 0, PE_OK, NULL},  /* an empty directory without RELOCS_STRIPPED */
        {B_DIRECTORIES + 5 * 8 + 4, 4, 16, PE_OK, NULL}, /* one block only */
    };
    RUN_DEFECTS(Defects, Relocate);
}

static void TestPaddingBlockOutside(void **State)
{
    PE_TEST *Test = *State;
    PutRva32(&Test->Build, B_RELOC, 0xFFFFF000);
    PutRva32(&Test->Build, B_RELOC + 4, 10);
    PutRva16(&Test->Build, B_RELOC + 8, 0);
    PutDirectory(&Test->Build, 5, B_RELOC, 10);
    assert_int_equal(Relocate(Test), PE_OK);
}

static void TestStripped(void **State)
{
    PE_TEST *Test = *State;
    Put16(&Test->Build, B_COFF + 18, 0x0023);
    PutDirectory(&Test->Build, 5, 0, 0);
    ExpectError(Test, Relocate(Test), PE_NOT_RELOCATABLE,
                "its relocations were stripped: it can run only at 0x140000000, not at 0xfffff80012340000");
    assert_int_equal(Test->Mapped.LoadBase, B_IMAGE_BASE);
    assert_int_equal(PeRelocateImage(&Test->Mapped, B_IMAGE_BASE, &Test->Error), PE_OK);
}

static void TestBadBases(void **State)
{
    PE_TEST *Test = *State;
    Map(Test);
    PE_STATUS Status = PeRelocateImage(&Test->Mapped, NEW_BASE + 0x800, &Test->Error);
    ExpectError(Test, Status, PE_NOT_RELOCATABLE, "0xfffff80012340800 is not a possible base");
    Status = PeRelocateImage(&Test->Mapped, 0xFFFFFFFFFFFFF000, &Test->Error);
    ExpectError(Test, Status, PE_NOT_RELOCATABLE, "is not a possible base");
    Status = PeRelocateImage(&Test->Image, NEW_BASE, &Test->Error);
    ExpectError(Test, Status, PE_WRONG_KIND, "only a mapped image");
}

/* 32-bit fixups are good below 4 GiB only. */
static void TestNarrow(void **State)
{
    PE_TEST *Test = *State;
    static const struct {
        uint16_t Type;
        uint32_t Before, After;
    } Cases[] = {
        {0x3000, 0x00011000, 0x00371000}, {0x1000, 0x00010001, 0x00010037}, {0x2000, 0x00011000, 0x00011000}};
    for (unsigned Index = 0; Index < 3; Index++) {
        BuildImage(&Test->Build);
        Put64(&Test->Build, B_OPTIONAL + 24, 0x10000);
        PutDirectory(&Test->Build, 10, 0, 0);
        PutDirectory(&Test->Build, 5, B_RELOC, 10);
        PutRva32(&Test->Build, B_RELOC, B_DATA);
        PutRva32(&Test->Build, B_RELOC + 4, 10);
        PutRva16(&Test->Build, B_RELOC + 8, Cases[Index].Type | 0x100);
        PutRva32(&Test->Build, B_DATA + 0x100, Cases[Index].Before);
        ExpectError(Test, Relocate(Test), PE_NOT_RELOCATABLE, "it has 16 or 32-bit relocations");
        assert_int_equal((uint32_t)Read64(Test, B_DATA + 0x100), Cases[Index].Before);
        assert_int_equal(PeRelocateImage(&Test->Mapped, 0x370000, &Test->Error), PE_OK);
        assert_int_equal((uint32_t)Read64(Test, B_DATA + 0x100), Cases[Index].After);
    }
}

/* A refusal changes nothing, even if the bad entry is the last one. */
static void TestRefusalChangesNothing(void **State)
{
    PE_TEST *Test = *State;
    PutRva16(&Test->Build, B_RELOC + 28, 0xF000);
    Map(Test);
    uint8_t *Before = malloc(B_SIZE_OF_IMAGE);
    memcpy(Before, Test->Room, B_SIZE_OF_IMAGE);
    ExpectError(Test, PeRelocateImage(&Test->Mapped, NEW_BASE, &Test->Error), PE_BAD_RELOCATION,
                "the type 15");
    assert_memory_equal(Before, Test->Room, B_SIZE_OF_IMAGE);
    free(Before);
}

/* A fixup may straddle a page: linkers write it into the block of the page where it starts. */
static void TestStraddle(void **State)
{
    PE_TEST *Test = *State;
    PutRva16(&Test->Build, B_RELOC + 26, 0xAFFC);
    assert_int_equal(Relocate(Test), PE_OK);
    assert_int_equal(Read64(Test, B_DATA + 0xFFC), NEW_BASE - B_IMAGE_BASE);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestApplies),
        PE_UNIT_TEST(TestRelocatesTwice),
        PE_UNIT_TEST(TestBadBlocks),
        PE_UNIT_TEST(TestAccepted),
        PE_UNIT_TEST(TestPaddingBlockOutside),
        PE_UNIT_TEST(TestStripped),
        PE_UNIT_TEST(TestBadBases),
        PE_UNIT_TEST(TestNarrow),
        PE_UNIT_TEST(TestRefusalChangesNothing),
        PE_UNIT_TEST(TestStraddle),
    };
    return cmocka_run_group_tests_name("pe relocations", Tests, NULL, NULL);
}
