/* SPDX-License-Identifier: MIT */
/* ldr/pe: exports and forwarders. */
#include "pe_fixture.h"

#include <stdlib.h>
#include <string.h>

static PE_STATUS OpenFile(PE_TEST *Test)
{
    PE_EXPORTS Exports;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return PeOpenExports(&Test->Image, &Exports, &Test->Error);
}

/* Reads all of them. */
static PE_STATUS ListFile(PE_TEST *Test)
{
    PE_EXPORTS Exports;
    PE_EXPORT_CURSOR Cursor = {0};
    PE_EXPORT Export;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeOpenExports(&Test->Image, &Exports, &Test->Error), PE_OK);
    PE_STATUS Status;
    while ((Status = PeNextExport(&Exports, &Cursor, &Export, &Test->Error)) == PE_OK)
        continue;
    return Status == PE_END ? PE_OK : Status;
}

static void Open(PE_TEST *Test, PE_EXPORTS *Exports)
{
    Map(Test);
    assert_int_equal(PeOpenExports(&Test->Mapped, Exports, &Test->Error), PE_OK);
}

static void ExpectName(const PE_EXPORTS *Exports, const char *Name, uint32_t Hint, uint32_t Rva,
                       uint32_t Ordinal)
{
    PE_EXPORT Export;
    assert_int_equal(PeFindExportByName(Exports, Name, Hint, &Export, NULL), PE_OK);
    assert_string_equal(Export.Name, Name);
    assert_int_equal(Export.Rva, Rva);
    assert_int_equal(Export.Ordinal, Ordinal);
}

static void ExpectLookUps(const PE_EXPORTS *Exports)
{
    PE_EXPORT Export;
    for (uint32_t Hint = 0; Hint < 6; Hint++) {
        ExpectName(Exports, "Alpha", Hint, B_ENTRY, 10);
        ExpectName(Exports, "Beta", Hint, B_SECOND, 12);
    }
    ExpectName(Exports, "Alpha", PE_NO_HINT, B_ENTRY, 10);
    assert_int_equal(PeFindExportByName(Exports, "Gamma", PE_NO_HINT, &Export, NULL), PE_OK);
    assert_string_equal(Export.Forwarder, "OTHER.Delta");
    assert_int_equal(Export.Hint, 2);
    static const char *const Absent[] = {"", "Alph", "Alphaa", "alpha", "Zeta", "Betz"};
    for (unsigned Index = 0; Index < 6; Index++)
        assert_int_equal(PeFindExportByName(Exports, Absent[Index], PE_NO_HINT, &Export, NULL), PE_NOT_FOUND);
}

static void TestByName(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    Open(Test, &Exports);
    assert_true(Exports.Sorted);
    assert_string_equal(Exports.DllName, "test.sys");
    ExpectLookUps(&Exports);
    assert_int_equal(PeOpenExports(&Test->Image, &Exports, NULL), PE_OK);
    ExpectLookUps(&Exports);
}

/* An unsorted table is searched from its start. */
static void TestUnsorted(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    PutRva32(&Test->Build, B_NAMES, B_EXPORTS + 0x130);
    PutRva32(&Test->Build, B_NAMES + 12, B_EXPORTS + 0x100);
    PutRva16(&Test->Build, B_ORDINALS, 5);
    PutRva16(&Test->Build, B_ORDINALS + 6, 0);
    Open(Test, &Exports);
    assert_false(Exports.Sorted);
    ExpectLookUps(&Exports);
}

static void TestByOrdinal(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    PE_EXPORT Export;
    Open(Test, &Exports);
    assert_int_equal(PeFindExportByOrdinal(&Exports, 10, &Export, NULL), PE_OK);
    assert_string_equal(Export.Name, "Alpha");
    assert_int_equal(PeFindExportByOrdinal(&Exports, 11, &Export, NULL), PE_NOT_FOUND); /* a hole */
    assert_int_equal(PeFindExportByOrdinal(&Exports, 13, &Export, NULL), PE_OK);
    assert_null(Export.Name);
    assert_int_equal(Export.Hint, PE_NO_HINT);
    assert_int_equal(Export.Rva, B_TEXT + 0x80);
    assert_int_equal(PeFindExportByOrdinal(&Exports, 15, &Export, NULL), PE_OK);
    assert_string_equal(Export.Forwarder, "OTHER.#7");
    static const uint32_t Absent[] = {0, 9, 16, 0xFFFFFFFF};
    for (unsigned Index = 0; Index < 4; Index++)
        assert_int_equal(PeFindExportByOrdinal(&Exports, Absent[Index], &Export, NULL), PE_NOT_FOUND);
}

static void TestList(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    PE_EXPORT_CURSOR Cursor = {0};
    PE_EXPORT Export;
    static const uint32_t Ordinals[] = {10, 12, 14, 15, 13};
    Open(Test, &Exports);
    for (unsigned Index = 0; Index < 5; Index++) {
        assert_int_equal(PeNextExport(&Exports, &Cursor, &Export, NULL), PE_OK);
        assert_int_equal(Export.Ordinal, Ordinals[Index]);
        assert_true((Export.Name == NULL) == (Index == 4));
    }
    assert_int_equal(PeNextExport(&Exports, &Cursor, &Export, NULL), PE_END);
    assert_int_equal(PeNextExport(&Exports, &Cursor, &Export, NULL), PE_END);
}

/* More functions than the cursor's window: those with names must not come twice, the others once. */
static void TestListOfManyFunctions(void **State)
{
    enum { Count = 5000 };
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    PE_EXPORT_CURSOR Cursor = {0};
    PE_EXPORT Export;
    Put32(&Test->Build, SectionField(5, 8), 0x8000);
    Put32(&Test->Build, B_OPTIONAL + 56, 0xF000);
    PutDirectory(&Test->Build, 5, 0, 0);
    Map(Test);
    for (uint32_t Index = 0; Index < Count; Index++)
        memcpy(Test->Room + B_RELOC + 4 * Index, &(uint32_t){B_TEXT}, 4);
    memcpy(Test->Room + B_EXPORTS + 20, &(uint32_t){Count}, 4);
    memcpy(Test->Room + B_EXPORTS + 28, &(uint32_t){B_RELOC}, 4);
    memcpy(Test->Room + B_ORDINALS, (uint16_t[]){0, 2047, 2048, 4999}, 8);
    assert_int_equal(PeOpenExports(&Test->Mapped, &Exports, NULL), PE_OK);
    unsigned Named = 0, Nameless = 0;
    while (PeNextExport(&Exports, &Cursor, &Export, NULL) == PE_OK) {
        Named += Export.Name != NULL;
        Nameless += Export.Name == NULL;
        uint32_t Index = Export.Ordinal - 10;
        assert_true((Export.Name != NULL) == (Index == 0 || Index == 2047 || Index == 2048 || Index == 4999));
    }
    assert_int_equal(Named, 4);
    assert_int_equal(Nameless, Count - 4);
}

static void TestNearest(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Exports;
    PE_EXPORT Export;
    Open(Test, &Exports);
    assert_int_equal(PeFindNearestExport(&Exports, B_ENTRY - 1, &Export, NULL), PE_NOT_FOUND);
    assert_int_equal(PeFindNearestExport(&Exports, B_ENTRY, &Export, NULL), PE_OK);
    assert_string_equal(Export.Name, "Alpha");
    assert_int_equal(PeFindNearestExport(&Exports, B_SECOND - 1, &Export, NULL), PE_OK);
    assert_string_equal(Export.Name, "Alpha");
    assert_int_equal(PeFindNearestExport(&Exports, B_SECOND + 1, &Export, NULL), PE_OK);
    assert_string_equal(Export.Name, "Beta");
    assert_int_equal(PeFindNearestExport(&Exports, 0xFFFFFFFF, &Export, NULL),
                     PE_OK); /* not the forwarders */
    assert_int_equal(Export.Ordinal, 13);
}

#define RDATA(Rva) ((Rva) - B_RDATA + 0x600)

static void TestBadTables(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 4, 4, 0, PE_NOT_FOUND, NULL},
        {B_DIRECTORIES, 4, 0, PE_NOT_FOUND, NULL},
        {B_DIRECTORIES + 4, 4, 39, PE_BAD_EXPORT, "the export directory (0x2000, 0x27 bytes) is too short"},
        {B_DIRECTORIES, 4, B_TEXT - 0x100, PE_BAD_EXPORT, "is too short or outside the sections"},
        {RDATA(B_EXPORTS) + 12, 4, 0xFFFFFFFF, PE_BAD_EXPORT,
         "the DLL name of the export directory at 0xffffffff"},
        {RDATA(B_EXPORTS) + 20, 4, 0x10001, PE_BAD_EXPORT,
         "the export directory has 65537 entries and 4 names"},
        {RDATA(B_EXPORTS) + 24, 4, 0xFFFFFFFF, PE_BAD_EXPORT, "has 6 entries and 4294967295 names"},
        {RDATA(B_EXPORTS) + 20, 4, 0x10000, PE_BAD_EXPORT,
         "the export address table at 0x2040 does not lie inside one"},
        {RDATA(B_EXPORTS) + 28, 4, 0xFFFFFFFC, PE_BAD_EXPORT, "the export address table at 0xfffffffc"},
        {RDATA(B_EXPORTS) + 32, 4, B_RDATA + 0x7F4, PE_BAD_EXPORT, "the export name table at 0x27f4"},
        {RDATA(B_EXPORTS) + 36, 4, B_RDATA + 0x7FA, PE_BAD_EXPORT, "the export ordinal table at 0x27fa"},
        {RDATA(B_NAMES) + 4, 4, 0xFFFFFFFF, PE_BAD_EXPORT, "export name 1 at 0xffffffff is not a string"},
        {RDATA(B_ORDINALS) + 2, 2, 6, PE_BAD_EXPORT, "export Beta has the index 6; there are only 6 entries"},
        {RDATA(B_EXPORTS) + 24, 4, 0, PE_OK, NULL},
    };
    RUN_DEFECTS(Defects, OpenFile);
}

static void TestBadEntries(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {RDATA(B_FUNCTIONS), 4, B_SIZE_OF_IMAGE, PE_BAD_EXPORT,
         "export #10 lies at 0x8000, behind the end of the image"},
        {RDATA(B_FUNCTIONS) + 12, 4, 0xFFFFFFFF, PE_BAD_EXPORT, "export #13 lies at 0xffffffff"},
        {RDATA(B_EXPORTS) + 16, 4, 0xFFFFFFFF, PE_OK, NULL}, /* the ordinals wrap */
    };
    RUN_DEFECTS(Defects, ListFile);
}

static void TestEndlessForwarder(void **State)
{
    PE_TEST *Test = *State;
    PutDirectory(&Test->Build, 0, B_EXPORTS, 0x800);
    PutRva32(&Test->Build, B_FUNCTIONS, B_RDATA + 0x7FE);
    PutRva16(&Test->Build, B_RDATA + 0x7FE, 0x7878);
    ExpectError(Test, ListFile(Test), PE_BAD_EXPORT, "the forwarder of export #10 at 0x27fe is not a string");
}

/* Two modules; OTHER exports Delta and #7, or whatever a test makes of it. */
typedef struct _MODULES {
    PE_EXPORTS *Other;
    unsigned Calls;
    char Name[64];
} MODULES;

static const PE_EXPORTS *FindModule(void *Context, const char *Name, size_t Length)
{
    MODULES *Modules = Context;
    Modules->Calls++;
    memcpy(Modules->Name, Name, Length);
    Modules->Name[Length] = '\0';
    return strcmp(Modules->Name, "OTHER") == 0 ? Modules->Other : NULL;
}

/* OTHER is the same image with Delta for Alpha, and ordinals from 7 on, loaded elsewhere. */
static void MakeOther(PE_TEST *Other, PE_EXPORTS *Exports)
{
    BuildImage(&Other->Build);
    PutString(&Other->Build, B_EXPORTS + 0x110, "Delta");
    PutRva32(&Other->Build, B_EXPORTS + 16, 7);
    Open(Other, Exports);
    assert_int_equal(PeRelocateImage(&Other->Mapped, 0xFFFFF80011110000, NULL), PE_OK);
}

static void TestResolves(void **State)
{
    PE_TEST *Test = *State, *Other = calloc(1, sizeof *Other);
    PE_EXPORTS Exports, OtherExports;
    const PE_EXPORTS *Owner;
    uint64_t Address;
    MODULES Modules = {.Other = &OtherExports};
    MakeOther(Other, &OtherExports);
    Open(Test, &Exports);
    assert_int_equal(PeResolveExport(&Exports, "Beta", 1, FindModule, &Modules, &Address, &Owner, NULL),
                     PE_OK);
    assert_int_equal(Address, B_IMAGE_BASE + B_SECOND);
    assert_ptr_equal(Owner, &Exports);
    assert_int_equal(Modules.Calls, 0);
    assert_int_equal(
        PeResolveExport(&Exports, "Gamma", PE_NO_HINT, FindModule, &Modules, &Address, &Owner, NULL), PE_OK);
    assert_int_equal(Address, 0xFFFFF80011110000 + B_SECOND);
    assert_ptr_equal(Owner, &OtherExports);
    assert_int_equal(PeResolveExport(&Exports, NULL, 15, FindModule, &Modules, &Address, NULL, NULL), PE_OK);
    assert_int_equal(Address, 0xFFFFF80011110000 + B_ENTRY);
    assert_int_equal(PeResolveExport(&Exports, "No", PE_NO_HINT, FindModule, &Modules, &Address, NULL, NULL),
                     PE_NOT_FOUND);
    assert_int_equal(PeResolveExport(&Exports, NULL, 16, FindModule, &Modules, &Address, NULL, NULL),
                     PE_NOT_FOUND);
    void *State2 = Other;
    PeTearDown(&State2);
}

static PE_STATUS ResolveGamma(PE_TEST *Test, MODULES *Modules)
{
    PE_EXPORTS Exports;
    uint64_t Address;
    Open(Test, &Exports);
    if (Modules->Other != NULL)
        *Modules->Other = Exports;
    return PeResolveExport(&Exports, "Gamma", PE_NO_HINT, FindModule, Modules, &Address, NULL, &Test->Error);
}

static void TestForwarderFaults(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Self;
    MODULES Modules = {0};
    ExpectError(Test, ResolveGamma(Test, &Modules), PE_FORWARDER_MISSING,
                "module of the forwarder \"OTHER.Delta\" is not");
    Modules.Other = &Self;
    ExpectError(Test, ResolveGamma(Test, &Modules), PE_FORWARDER_MISSING,
                "target of the forwarder \"OTHER.Delta\" is not");
    static const char *const Bad[] = {"",        "OTHER",     ".Delta",       "OTHER.",
                                      "OTHER.#", "OTHER.#1x", "OTHER.#70000", "OTHER.#99999999999"};
    for (unsigned Index = 0; Index < sizeof Bad / sizeof *Bad; Index++) {
        BuildImage(&Test->Build);
        PutString(&Test->Build, B_EXPORTS + 0x1A0, Bad[Index]);
        PutRva32(&Test->Build, B_FUNCTIONS + 16, B_EXPORTS + 0x1A0);
        ExpectError(Test, ResolveGamma(Test, &Modules), PE_BAD_EXPORT,
                    "is not of the form MODULE.Name or MODULE.#1");
    }
}

/* The module's name goes up to the last dot. */
static void TestModuleWithDots(void **State)
{
    PE_TEST *Test = *State;
    MODULES Modules = {0};
    PutString(&Test->Build, B_EXPORTS + 0x150, "a.b.c.Del");
    ResolveGamma(Test, &Modules);
    assert_string_equal(Modules.Name, "a.b.c");
}

static void TestForwarderLoop(void **State)
{
    PE_TEST *Test = *State;
    PE_EXPORTS Self;
    MODULES Modules = {.Other = &Self};
    PutString(&Test->Build, B_EXPORTS + 0x150, "OTHER.Gamma");
    ExpectError(Test, ResolveGamma(Test, &Modules), PE_FORWARDER_LOOP,
                "the forwarder \"OTHER.Gamma\" is the end of more");
    assert_int_equal(Modules.Calls, PE_FORWARDER_LIMIT);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestByName),
        PE_UNIT_TEST(TestUnsorted),
        PE_UNIT_TEST(TestByOrdinal),
        PE_UNIT_TEST(TestList),
        PE_UNIT_TEST(TestListOfManyFunctions),
        PE_UNIT_TEST(TestNearest),
        PE_UNIT_TEST(TestBadTables),
        PE_UNIT_TEST(TestBadEntries),
        PE_UNIT_TEST(TestEndlessForwarder),
        PE_UNIT_TEST(TestResolves),
        PE_UNIT_TEST(TestForwarderFaults),
        PE_UNIT_TEST(TestModuleWithDots),
        PE_UNIT_TEST(TestForwarderLoop),
    };
    return cmocka_run_group_tests_name("pe exports", Tests, NULL, NULL);
}
