/* SPDX-License-Identifier: MIT */
/* ldr/pe: import tables, delay imports, binding. */
#include "pe_fixture.h"

#include <string.h>

typedef PE_STATUS NEXT_DLL(const PE_IMAGE *, PE_IMPORT_DLL *, PE_ERROR *);

/* PE_OK if the whole table can be read; *Count gets the number of entries. */
static PE_STATUS Walk(const PE_IMAGE *Image, NEXT_DLL *Next, uint32_t *Count, PE_ERROR *Error)
{
    PE_IMPORT_DLL Dll = {0};
    PE_IMPORT Import;
    PE_STATUS Status;
    *Count = 0;
    while ((Status = Next(Image, &Dll, Error)) == PE_OK) {
        while ((Status = PeNextImport(Image, &Dll, &Import, Error)) == PE_OK)
            ++*Count;
        if (Status != PE_END)
            return Status;
    }
    return Status == PE_END ? PE_OK : Status;
}

static PE_STATUS WalkFile(PE_TEST *Test)
{
    uint32_t Count;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return Walk(&Test->Image, PeNextImportDll, &Count, &Test->Error);
}

static PE_STATUS WalkDelay(PE_TEST *Test)
{
    uint32_t Count;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return Walk(&Test->Image, PeNextDelayDll, &Count, &Test->Error);
}

static void ExpectTables(const PE_IMAGE *Image)
{
    PE_IMPORT_DLL Dll = {0};
    PE_IMPORT Import;
    assert_int_equal(PeNextImportDll(Image, &Dll, NULL), PE_OK);
    assert_string_equal(Dll.Name, "ntoskrnl.exe");
    assert_int_equal(Dll.Index, 0);
    assert_false(Dll.Delay);
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_OK);
    assert_string_equal(Import.Name, "DbgPrint");
    assert_int_equal(Import.Hint, 7);
    assert_int_equal(Import.IatRva, B_IAT);
    assert_ptr_equal(Import.Dll, &Dll);
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_OK);
    assert_null(Import.Name);
    assert_int_equal(Import.Ordinal, 5);
    assert_int_equal(Import.Index, 1);
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_OK);
    assert_string_equal(Import.Name, "IofCompleteRequest");
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_END);
    assert_int_equal(PeNextImportDll(Image, &Dll, NULL), PE_OK);
    assert_string_equal(Dll.Name, "HAL.dll");
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_OK);
    assert_string_equal(Import.Name, "KeStallExecutionProcessor");
    assert_int_equal(Import.IatRva, B_IAT_HAL);
    assert_int_equal(PeNextImport(Image, &Dll, &Import, NULL), PE_END);
    assert_int_equal(PeNextImportDll(Image, &Dll, NULL), PE_END);
}

static void TestIterates(void **State)
{
    PE_TEST *Test = *State;
    Map(Test);
    ExpectTables(&Test->Image);
    ExpectTables(&Test->Mapped);
}

/* A DLL may be left before its end. */
static void TestSkipsToNextDll(void **State)
{
    PE_TEST *Test = *State;
    PE_IMPORT_DLL Dll = {0};
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeNextImportDll(&Test->Image, &Dll, NULL), PE_OK);
    assert_int_equal(PeNextImportDll(&Test->Image, &Dll, NULL), PE_OK);
    assert_string_equal(Dll.Name, "HAL.dll");
}

static void TestDelayImports(void **State)
{
    PE_TEST *Test = *State;
    PE_IMPORT_DLL Dll = {0};
    PE_IMPORT Import;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeNextDelayDll(&Test->Image, &Dll, NULL), PE_OK);
    assert_string_equal(Dll.Name, "late.sys");
    assert_true(Dll.Delay);
    assert_int_equal(PeNextImport(&Test->Image, &Dll, &Import, NULL), PE_OK);
    assert_string_equal(Import.Name, "LateCall");
    assert_int_equal(Import.IatRva, B_DELAY_IAT);
    assert_int_equal(PeNextImport(&Test->Image, &Dll, &Import, NULL), PE_END);
    assert_int_equal(PeNextDelayDll(&Test->Image, &Dll, NULL), PE_END);
}

static void TestNoImports(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    PutDirectory(&Test->Build, 1, 0, 0);
    PutDirectory(&Test->Build, 13, 0, 0);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Walk(&Test->Image, PeNextImportDll, &Count, NULL), PE_OK);
    assert_int_equal(Count, 0);
    assert_int_equal(Walk(&Test->Image, PeNextDelayDll, &Count, NULL), PE_OK);
    assert_int_equal(Count, 0);
}

#define INIT(Rva) ((Rva) - B_INIT + 0x1000)

static void TestBadImports(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 8, 4, B_SIZE_OF_HEADERS, PE_BAD_IMPORT,
         "import descriptor 0 at 0x400 lies outside the sections"},
        {B_DIRECTORIES + 8, 4, B_INIT + 0xFF0, PE_BAD_IMPORT, "import descriptor 0 at 0x5ff0 lies outside"},
        {INIT(B_IMPORTS) + 12, 4, 0xFFFFFFFF, PE_BAD_IMPORT,
         "the DLL name of import descriptor 0 at 0xffffffff is not"},
        {INIT(B_IMPORTS) + 12, 4, B_DATA + 0x1000, PE_BAD_IMPORT, "at 0x4000 is not a string in the image"},
        {INIT(B_IMPORTS) + 12, 4, B_INIT + 0x3F0, PE_BAD_IMPORT,
         "the DLL name of import descriptor 0"},          /* empty */
        {INIT(B_IMPORTS) + 32, 4, B_HEADER, PE_OK, NULL}, /* nonsense, but a string: it is in the headers */
        {INIT(B_IMPORTS), 4, 0xFFFFFFF8, PE_BAD_IMPORT,
         "the import name table of ntoskrnl.exe at 0xfffffff8 has no end"},
        {INIT(B_IMPORTS), 4, 0, PE_OK, NULL},      /* the IAT does instead */
        {INIT(B_IMPORTS) + 16, 4, 0, PE_OK, NULL}, /* no IAT: the end of the table */
        {INIT(B_IMPORTS) + 16, 4, B_SIZE_OF_IMAGE - 8, PE_BAD_IMPORT,
         "the IAT of ntoskrnl.exe at 0x7ff8 runs over the end"},
        {INIT(B_IMPORTS) + 16, 4, 0xFFFFFFFC, PE_BAD_IMPORT,
         "the IAT of ntoskrnl.exe at 0xfffffffc runs over the end"},
        {INIT(B_IMPORT_NAMES), 8, 0x8000000000010000, PE_BAD_IMPORT,
         "import 0 of ntoskrnl.exe has the ordinal 0x10000"},
        {INIT(B_IMPORT_NAMES), 8, 0xFFFFFFFFFFFFFFFF, PE_BAD_IMPORT, "has the ordinal 0x7fffffffffffffff"},
        {INIT(B_IMPORT_NAMES), 8, 0x0000000100000000 | B_HINT_NAME, PE_BAD_IMPORT,
         "names 0x100005100, which is not"},
        {INIT(B_IMPORT_NAMES), 8, B_SIZE_OF_IMAGE, PE_BAD_IMPORT,
         "import 0 of ntoskrnl.exe names 0x8000, which is not"},
        {INIT(B_IMPORT_NAMES), 8, B_INIT + 0x3F0, PE_BAD_IMPORT,
         "import 0 of ntoskrnl.exe names 0x53f0"}, /* empty */
    };
    RUN_DEFECTS(Defects, WalkFile);
}

static void TestBadDelayImports(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {INIT(B_DELAY), 4, 0, PE_BAD_IMPORT, "delay import descriptor 0 holds addresses instead of RVAs"},
        {INIT(B_DELAY) + 4, 4, 0xFFFFFFFF, PE_BAD_IMPORT,
         "the DLL name of import descriptor 0 at 0xffffffff"},
        {INIT(B_DELAY) + 16, 4, 0xFFFFFFFF, PE_BAD_IMPORT,
         "the import name table of late.sys at 0xffffffff has no end"},
        {B_DIRECTORIES + 13 * 8, 4, 0x4F00, PE_OK, NULL}, /* zeroes: no descriptors */
        {B_DIRECTORIES + 13 * 8, 4, B_TEXT + 0xFF0, PE_BAD_IMPORT,
         "delay import descriptor 0 at 0x1ff0 lies outside"},
    };
    RUN_DEFECTS(Defects, WalkDelay);
}

/* A name without end, up to the last byte of its section. */
static void TestEndlessName(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    Put32(&Test->Build, SectionField(3, 8), 0x1000);
    PutRva64(&Test->Build, B_IMPORT_NAMES, B_INIT + 0x3E0);
    memset(Test->Build.Bytes + BuildOffset(B_INIT + 0x3E0), 'x', 0x20);
    assert_int_equal(Parse(Test, 0), PE_OK);
    ExpectError(Test, Walk(&Test->Image, PeNextImportDll, &Count, &Test->Error), PE_BAD_IMPORT,
                "names 0x53e0");
}

/* The terminator of a table may lie in the part of its section that the file does not have. */
static void TestTableEndsInZeroPart(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    PutRva32(&Test->Build, B_IMPORTS + 20, B_DATA + 0x1F8);
    PutRva64(&Test->Build, B_DATA + 0x1F8, B_HINT_NAME);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(Walk(&Test->Image, PeNextImportDll, &Count, &Test->Error), PE_OK);
    assert_int_equal(Count, 4);
}

/* All descriptors name one long table: the walk ends with a sentence, not next week. */
static void TestTooManyImports(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    Put32(&Test->Build, SectionField(5, 8), 0x100000);
    Put32(&Test->Build, B_OPTIONAL + 56, 0x107000);
    PutDirectory(&Test->Build, 5, 0, 0);
    Map(Test);
    for (uint32_t Rva = B_RELOC; Rva < B_RELOC + 0xFFFF8; Rva += 8)
        memcpy(Test->Room + Rva, &(uint64_t){0x8000000000000001}, 8);
    memcpy(Test->Room + B_IMPORTS, &(uint32_t){B_RELOC}, 4);
    memcpy(Test->Room + B_IMPORTS + 16, &(uint32_t){B_RELOC}, 4);
    PE_STATUS Status = Walk(&Test->Mapped, PeNextImportDll, &Count, &Test->Error);
    ExpectError(Test, Status, PE_BAD_IMPORT, "there are more than 65536 imports");
    assert_int_equal(Count, 65536);
}

/* 1,024 descriptors are allowed, whether or not they have entries. */
static void TestTooManyDlls(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    Put32(&Test->Build, SectionField(5, 8), 0x100000);
    Put32(&Test->Build, B_OPTIONAL + 56, 0x107000);
    PutDirectory(&Test->Build, 5, 0, 0);
    PutDirectory(&Test->Build, 1, B_RELOC, 40);
    Map(Test);
    for (uint32_t Index = 0; Index < 1025; Index++) {
        uint32_t Descriptor[5] = {B_IMPORT_NAMES + 24, 0, 0, B_NTOSKRNL, B_IAT};
        memcpy(Test->Room + B_RELOC + Index * sizeof Descriptor, Descriptor, sizeof Descriptor);
    }
    PE_STATUS Status = Walk(&Test->Mapped, PeNextImportDll, &Count, &Test->Error);
    ExpectError(Test, Status, PE_BAD_IMPORT, "there are more than 1024 import descriptors");
}

/* Mapped, the end of the image is the limit. */
static void TestDescriptorBehindMappedImage(void **State)
{
    PE_TEST *Test = *State;
    uint32_t Count;
    PutDirectory(&Test->Build, 1, B_SIZE_OF_IMAGE - 8, 8);
    Map(Test);
    PE_STATUS Status = Walk(&Test->Mapped, PeNextImportDll, &Count, &Test->Error);
    ExpectError(Test, Status, PE_BAD_IMPORT, "import descriptor 0 at 0x7ff8 lies outside the sections");
}

typedef struct _RESOLVER {
    unsigned Calls;
    unsigned MissingFrom, MissingTo; /* calls that find nothing */
    uint32_t DllOfLast;
} RESOLVER;

static bool Resolve(void *Context, const PE_IMPORT *Import, uint64_t *Address)
{
    RESOLVER *Resolver = Context;
    unsigned Call = Resolver->Calls++;
    Resolver->DllOfLast = Import->Dll->Index;
    *Address = 0xFFFFF80000001000 + Call;
    return Call < Resolver->MissingFrom || Call >= Resolver->MissingTo;
}

static uint64_t Slot(const PE_TEST *Test, uint32_t Rva)
{
    uint64_t Value;
    memcpy(&Value, Test->Room + Rva, sizeof Value);
    return Value;
}

static void TestBinds(void **State)
{
    PE_TEST *Test = *State;
    RESOLVER Resolver = {0};
    uint32_t Missing = 99;
    Map(Test);
    assert_int_equal(PeBindImports(&Test->Mapped, Resolve, &Resolver, &Missing, &Test->Error), PE_OK);
    assert_int_equal(Missing, 0);
    assert_int_equal(Resolver.Calls, 4);
    assert_int_equal(Resolver.DllOfLast, 1);
    for (uint32_t Index = 0; Index < 3; Index++)
        assert_int_equal(Slot(Test, B_IAT + 8 * Index), 0xFFFFF80000001000 + Index);
    assert_int_equal(Slot(Test, B_IAT_HAL), 0xFFFFF80000001003);
    assert_int_equal(Slot(Test, B_IAT + 24), 0);
    assert_int_equal(Slot(Test, B_DELAY_IAT), 0); /* delay imports are not bound */
}

/* All missing ones are counted, the first is named, the others are bound. */
static void TestMissing(void **State)
{
    PE_TEST *Test = *State;
    RESOLVER Resolver = {.MissingFrom = 1, .MissingTo = 3};
    uint32_t Missing;
    Map(Test);
    PE_STATUS Status = PeBindImports(&Test->Mapped, Resolve, &Resolver, &Missing, &Test->Error);
    ExpectError(Test, Status, PE_IMPORT_MISSING, "import ntoskrnl.exe!#5 is not exported");
    assert_int_equal(Missing, 2);
    assert_int_equal(Resolver.Calls, 4);
    assert_int_equal(Slot(Test, B_IAT_HAL), 0xFFFFF80000001003);

    Resolver = (RESOLVER){.MissingFrom = 0, .MissingTo = 1};
    Map(Test);
    Status = PeBindImports(&Test->Mapped, Resolve, &Resolver, NULL, &Test->Error);
    ExpectError(Test, Status, PE_IMPORT_MISSING, "import ntoskrnl.exe!DbgPrint is not exported");
}

static PE_STATUS Bind(PE_TEST *Test)
{
    RESOLVER Resolver = {0};
    uint32_t Missing;
    Map(Test);
    return PeBindImports(&Test->Mapped, Resolve, &Resolver, &Missing, &Test->Error);
}

static void TestBindRefusals(void **State)
{
    PE_TEST *Test = *State;
    static const DEFECT Defects[] = {
        {INIT(B_IMPORTS) + 16, 4, 0x200, PE_BAD_IMPORT,
         "the IAT of ntoskrnl.exe at 0x200 lies in the headers"},
        {INIT(B_IMPORTS) + 16, 4, B_NTOSKRNL - 7, PE_BAD_IMPORT, "over the DLL's name"},
        {INIT(B_IMPORTS) + 16, 4, B_NTOSKRNL - 8, PE_BAD_IMPORT, "over the DLL's name"}, /* the second slot */
        {INIT(B_IMPORTS) + 32, 4, 0xFFFFFFFF, PE_BAD_IMPORT, "the DLL name of import descriptor 1"},
        {INIT(B_IMPORT_NAMES_HAL), 8, B_SIZE_OF_IMAGE, PE_BAD_IMPORT, "import 0 of HAL.dll names 0x8000"},
        {INIT(B_IMPORTS), 4, 0, PE_OK, NULL},
    };
    RUN_DEFECTS(Defects, Bind);
    assert_int_equal(Parse(Test, 0), PE_OK);
    ExpectError(Test, PeBindImports(&Test->Image, Resolve, NULL, NULL, &Test->Error), PE_WRONG_KIND,
                "only a mapped");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestIterates),       PE_UNIT_TEST(TestSkipsToNextDll),
        PE_UNIT_TEST(TestDelayImports),   PE_UNIT_TEST(TestNoImports),
        PE_UNIT_TEST(TestBadImports),     PE_UNIT_TEST(TestBadDelayImports),
        PE_UNIT_TEST(TestEndlessName),    PE_UNIT_TEST(TestTableEndsInZeroPart),
        PE_UNIT_TEST(TestTooManyImports), PE_UNIT_TEST(TestBinds),
        PE_UNIT_TEST(TestMissing),        PE_UNIT_TEST(TestBindRefusals),
        PE_UNIT_TEST(TestTooManyDlls),    PE_UNIT_TEST(TestDescriptorBehindMappedImage),
    };
    return cmocka_run_group_tests_name("pe imports", Tests, NULL, NULL);
}
