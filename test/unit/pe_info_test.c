/* SPDX-License-Identifier: MIT */
/* ldr/pe: load configuration and cookie, exception directory, version, checksum, certificate, debug
 * directory. */
#include "pe_fixture.h"

#include <string.h>

#define RDATA(Rva) ((Rva) - B_RDATA + 0x600)
#define RSRC(Rva) ((Rva) - B_RSRC + 0x1400)

static PE_STATUS GetLoadConfig(PE_TEST *Test)
{
    PE_LOAD_CONFIG Config;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return PeGetLoadConfig(&Test->Image, &Config, &Test->Error);
}

static void TestLoadConfig(void **State)
{
    PE_TEST *Test = *State;
    PE_LOAD_CONFIG Config;
    Map(Test);
    assert_int_equal(PeRelocateImage(&Test->Mapped, 0xFFFFF80000000000, NULL), PE_OK);
    const PE_IMAGE *Both[] = {&Test->Image, &Test->Mapped};
    for (unsigned Index = 0; Index < 2; Index++) {
        assert_int_equal(PeGetLoadConfig(Both[Index], &Config, NULL), PE_OK);
        assert_int_equal(Config.Size, B_LOAD_CONFIG_SIZE);
        assert_int_equal(Config.SecurityCookieRva, B_COOKIE);
        assert_int_equal(Config.GuardCheckPointerRva, B_GUARD);
        assert_int_equal(Config.GuardDispatchPointerRva, B_GUARD + 8);
        assert_int_equal(Config.GuardFunctionTableRva, B_GUARD + 16);
        assert_int_equal(Config.GuardFunctionCount, 2);
        assert_int_equal(Config.GuardFlags, 0x500);
    }
}

/* Each field counts only if both sizes reach over it; a directory size of 64 says nothing. */
static void TestLoadConfigSizes(void **State)
{
    PE_TEST *Test = *State;
    PE_LOAD_CONFIG Config;
    static const struct {
        uint32_t Stated, Directory;
        bool Cookie, Check, Flags;
    } Cases[] = {{0x60, 0x140, true, false, false}, {0x5F, 0x140, false, false, false},
                 {0x140, 0x78, true, true, false},  {0x94, 0x94, true, true, true},
                 {0x140, 64, true, true, true},     {0x70, 64, true, false, false},
                 {4, 0x140, false, false, false},   {0xFFFFFFFF, 0x140, true, true, true}};
    for (unsigned Index = 0; Index < sizeof Cases / sizeof *Cases; Index++) {
        PutRva32(&Test->Build, B_LOAD_CONFIG, Cases[Index].Stated);
        PutDirectory(&Test->Build, 10, B_LOAD_CONFIG, Cases[Index].Directory);
        assert_int_equal(Parse(Test, 0), PE_OK);
        assert_int_equal(PeGetLoadConfig(&Test->Image, &Config, NULL), PE_OK);
        assert_int_equal(Config.SecurityCookieRva != 0, Cases[Index].Cookie);
        assert_int_equal(Config.GuardCheckPointerRva != 0, Cases[Index].Check);
        assert_int_equal(Config.GuardFlags != 0, Cases[Index].Flags);
    }
}

static void TestBadLoadConfig(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 80, 8, 0, PE_NOT_FOUND, NULL},
        {RDATA(B_LOAD_CONFIG), 4, 3, PE_BAD_LOAD_CONFIG, "the load configuration at 0x2300 has no size"},
        {B_DIRECTORIES + 80, 4, 0x400, PE_BAD_LOAD_CONFIG,
         "the load configuration at 0x400 has no size or lies outside"},
        {RDATA(B_LOAD_CONFIG) + 0x58, 8, B_COOKIE, PE_BAD_LOAD_CONFIG,
         "field 0x58 points to 0x3000, outside the image's"},
        {RDATA(B_LOAD_CONFIG) + 0x58, 8, B_IMAGE_BASE + 0x100, PE_BAD_LOAD_CONFIG,
         "points to 0x140000100, outside"},
        {RDATA(B_LOAD_CONFIG) + 0x58, 8, B_IMAGE_BASE + B_SIZE_OF_IMAGE - 7, PE_BAD_LOAD_CONFIG,
         "points to 0x140007ff9"},
        {RDATA(B_LOAD_CONFIG) + 0x58, 8, UINT64_MAX, PE_BAD_LOAD_CONFIG,
         "field 0x58 points to 0xffffffffffffffff"},
        {RDATA(B_LOAD_CONFIG) + 0x70, 8, 1, PE_BAD_LOAD_CONFIG, "field 0x70 points to 0x1"},
        {RDATA(B_LOAD_CONFIG) + 0x78, 8, 1, PE_BAD_LOAD_CONFIG, "field 0x78 points to 0x1"},
        {RDATA(B_LOAD_CONFIG) + 0x80, 8, 1, PE_BAD_LOAD_CONFIG, "field 0x80 points to 0x1"},
        {RDATA(B_LOAD_CONFIG) + 0x58, 8, 0, PE_OK, NULL},
    };
    RUN_DEFECTS(Defects, GetLoadConfig);
}

static uint64_t Cookie(PE_TEST *Test, uint64_t Entropy)
{
    uint64_t Value;
    Map(Test);
    assert_int_equal(PeSetSecurityCookie(&Test->Mapped, Entropy, &Test->Error), PE_OK);
    memcpy(&Value, Test->Room + B_COOKIE, sizeof Value);
    return Value;
}

static void TestCookie(void **State)
{
    PE_TEST *Test = *State;
    static const uint64_t Entropies[] = {
        0, 1, UINT64_MAX, PE_DEFAULT_SECURITY_COOKIE, 0x1234567890ABCDEF, 0x0001000000000001};
    for (unsigned Index = 0; Index < 6; Index++) {
        uint64_t Value = Cookie(Test, Entropies[Index]);
        assert_int_equal(Value >> 48, 0);
        assert_true(Value != 0);
        assert_true(Value != PE_DEFAULT_SECURITY_COOKIE);
    }
    assert_true(Cookie(Test, 5) != Cookie(Test, 6));
    assert_true(Cookie(Test, 0x0005000000000000) !=
                Cookie(Test, 0x0006000000000000)); /* the top bits count */
}

static void TestCookieIsLeftAlone(void **State)
{
    PE_TEST *Test = *State;
    PutRva64(&Test->Build, B_COOKIE, 0x1122);
    assert_int_equal(Cookie(Test, 77), 0x1122); /* not the default */
    PutRva64(&Test->Build, B_COOKIE, PE_DEFAULT_SECURITY_COOKIE);
    PutDirectory(&Test->Build, 10, 0, 0);
    assert_int_equal(Cookie(Test, 77), PE_DEFAULT_SECURITY_COOKIE); /* no load configuration */
    ExpectError(Test, PeSetSecurityCookie(&Test->Image, 1, &Test->Error), PE_WRONG_KIND,
                "only a mapped image");
    PutDirectory(&Test->Build, 10, B_LOAD_CONFIG, B_LOAD_CONFIG_SIZE);
    PutRva32(&Test->Build, B_LOAD_CONFIG, 0);
    Map(Test);
    ExpectError(Test, PeSetSecurityCookie(&Test->Mapped, 1, &Test->Error), PE_BAD_LOAD_CONFIG, "has no size");
}

static PE_STATUS CheckExceptions(PE_TEST *Test)
{
    uint32_t Count;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return PeCheckExceptions(&Test->Image, &Count, &Test->Error);
}

static void TestRuntimeFunctions(void **State)
{
    PE_TEST *Test = *State;
    PE_RUNTIME_FUNCTION Function;
    uint32_t Count;
    Map(Test);
    assert_int_equal(PeCheckExceptions(&Test->Mapped, &Count, NULL), PE_OK);
    assert_int_equal(Count, 2);
    static const struct {
        uint32_t Rva, Begin;
    } Cases[] = {{B_ENTRY - 1, 0},    {B_ENTRY, B_ENTRY},   {B_ENTRY + 0x2F, B_ENTRY},
                 {B_ENTRY + 0x30, 0}, {B_SECOND, B_SECOND}, {B_SECOND + 0x20, 0},
                 {0xFFFFFFFF, 0}};
    for (unsigned Index = 0; Index < 7; Index++) {
        PE_STATUS Status = PeFindRuntimeFunction(&Test->Mapped, Cases[Index].Rva, &Function, NULL);
        assert_int_equal(Status, Cases[Index].Begin != 0 ? PE_OK : PE_NOT_FOUND);
        if (Status == PE_OK) {
            assert_int_equal(Function.Begin, Cases[Index].Begin);
            assert_int_equal(Function.UnwindInfo, B_UNWIND);
            assert_int_equal(Function.EntryRva, B_PDATA + (Function.Begin == B_SECOND ? 12 : 0));
        }
    }
}

static void TestBadExceptions(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 24, 8, 0, PE_OK, NULL},
        {B_DIRECTORIES + 28, 4, 0, PE_OK, NULL},
        {B_DIRECTORIES + 28, 4, 23, PE_BAD_EXCEPTION,
         "the exception directory's size 0x17 is not a multiple of 12"},
        {B_DIRECTORIES + 24, 4, B_RDATA + 0x7F0, PE_BAD_EXCEPTION,
         "the exception directory (0x27f0, 0x18 bytes) does not"},
        {RDATA(B_PDATA), 4, B_ENTRY + 0x31, PE_BAD_EXCEPTION, "exception entry 0 covers 0x1031 to 0x1030"},
        {RDATA(B_PDATA) + 16, 4, B_SIZE_OF_IMAGE + 1, PE_BAD_EXCEPTION,
         "exception entry 1 covers 0x1040 to 0x8001"},
        {RDATA(B_PDATA) + 4, 4, B_SECOND + 1, PE_BAD_EXCEPTION,
         "exception entry 1 starts at 0x1040, before the end of"},
        {RDATA(B_PDATA) + 8, 4, B_SIZE_OF_IMAGE - 2, PE_BAD_EXCEPTION,
         "unwind information of exception entry 0 lies at 0x7ffe"},
        {RDATA(B_PDATA) + 8, 4, B_PDATA + 13, PE_OK, NULL}, /* odd: another entry */
        {RDATA(B_PDATA) + 4, 4, B_ENTRY, PE_OK, NULL},      /* an empty function, by GNU ld */
    };
    RUN_DEFECTS(Defects, CheckExceptions);
}

static PE_STATUS GetVersion(PE_TEST *Test)
{
    PE_VERSION Version;
    char Text[64];
    assert_int_equal(Parse(Test, 0), PE_OK);
    PE_STATUS Status = PeGetVersion(&Test->Image, &Version, &Test->Error);
    return Status != PE_OK
               ? Status
               : PeGetVersionString(&Version, "OriginalFilename", Text, sizeof Text, &Test->Error);
}

static void TestVersion(void **State)
{
    PE_TEST *Test = *State;
    PE_VERSION Version;
    char Text[64];
    Map(Test);
    assert_int_equal(PeGetVersion(&Test->Mapped, &Version, NULL), PE_OK);
    assert_true(Version.HasFixed);
    assert_memory_equal(Version.FileVersion, ((uint16_t[]){10, 0, 19041, 1}), 8);
    assert_memory_equal(Version.ProductVersion, ((uint16_t[]){10, 1, 19042, 2}), 8);
    assert_int_equal(PeGetVersionString(&Version, "CompanyName", Text, sizeof Text, NULL), PE_OK);
    assert_string_equal(Text, "ntbox \xC3\xA9");
    assert_int_equal(PeGetVersionString(&Version, "OriginalFilename", Text, sizeof Text, NULL), PE_OK);
    assert_string_equal(Text, "test.sys");
    assert_int_equal(PeGetVersionString(&Version, "Nothing", Text, sizeof Text, NULL), PE_NOT_FOUND);
    assert_int_equal(PeGetVersionString(&Version, "CompanyNam", Text, sizeof Text, NULL), PE_NOT_FOUND);
}

/* No half characters. */
static void TestVersionStringIsCut(void **State)
{
    PE_TEST *Test = *State;
    PE_VERSION Version;
    char Text[64];
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    static const char *const Wanted[] = {"",      "n",      "nt",     "ntb",           "ntbo",
                                         "ntbox", "ntbox ", "ntbox ", "ntbox \xC3\xA9"};
    for (size_t Size = 1; Size <= 9; Size++) {
        assert_int_equal(PeGetVersionString(&Version, "CompanyName", Text, Size, NULL), PE_OK);
        assert_string_equal(Text, Wanted[Size - 1]);
    }
    PE_STATUS Status = PeGetVersionString(&Version, "CompanyName", Text, 0, &Test->Error);
    ExpectError(Test, Status, PE_BUFFER_TOO_SMALL, "no room for the terminator");
}

/* Surrogate pairs, and halves of them. */
static void TestUtf16(void **State)
{
    PE_TEST *Test = *State;
    PE_VERSION Version;
    char Text[64];
    uint32_t Rva = B_VERSION;
    while (memcmp(Test->Build.Bytes + BuildOffset(Rva), "n\0t\0b\0o\0x", 9) != 0)
        Rva += 4;
    static const uint16_t Units[] = {0xD83D, 0xDE00, 0x20AC, 0xD800, 'x', 0xDC00};
    for (unsigned Index = 0; Index < 6; Index++)
        PutRva16(&Test->Build, Rva + 2 * Index, Units[Index]);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    assert_int_equal(PeGetVersionString(&Version, "CompanyName", Text, sizeof Text, NULL), PE_OK);
    assert_string_equal(Text, "\xF0\x9F\x98\x80\xE2\x82\xAC\xEF\xBF\xBDx\xEF\xBF\xBD\xC3\xA9");
}

static void TestBadResources(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 16, 8, 0, PE_NOT_FOUND, NULL},
        {B_DIRECTORIES + 20, 4, 0, PE_NOT_FOUND, NULL},
        {RSRC(B_RSRC) + 16, 4, 17, PE_NOT_FOUND, NULL}, /* no version among the types */
        {RSRC(B_RSRC) + 14, 2, 0, PE_NOT_FOUND, NULL},  /* no types */
        {RSRC(B_RSRC) + 12, 2, 0xFFFF, PE_OK, NULL},    /* the wanted one comes first */
        {B_DIRECTORIES + 20, 4, 15, PE_BAD_RESOURCE,
         "the resource tree reads 0x10 bytes at its offset 0x0, behind its end (0xf)"},
        {B_DIRECTORIES + 20, 4, 16, PE_BAD_RESOURCE, "reads 0x8 bytes at its offset 0x10"},
        {RSRC(B_RSRC) + 20, 4, 0xFFFFFFF8, PE_BAD_RESOURCE, "reads 0x10 bytes at its offset 0x7ffffff8"},
        {RSRC(B_RSRC) + 20, 4, 0x18, PE_BAD_RESOURCE,
         "data where the directory of the version resource is due"},
        {RSRC(B_RSRC) + 20, 4, 0x80000000, PE_BAD_RESOURCE,
         "reads 0x10 bytes at its offset 0x80000000"}, /* a loop */
        {RSRC(B_RSRC) + 0x48, 4, 0xFFFFFFFF, PE_BAD_RESOURCE, "the version resource (0xffffffff"},
        {RSRC(B_RSRC) + 0x4C, 4, 0x381, PE_BAD_RESOURCE,
         "the version resource (0x6080, 0x381 bytes) does not lie"},
        {RSRC(B_RSRC) + 0x4C, 4, 0, PE_BAD_RESOURCE, "the version resource (0x6080, 0x0 bytes)"},
        {RSRC(B_VERSION) + 6, 2, 'X', PE_BAD_RESOURCE, "does not start with a VS_VERSION_INFO block"},
        {RSRC(B_VERSION), 2, 0xFFFF, PE_BAD_RESOURCE, "does not start with a VS_VERSION_INFO block"},
        {RSRC(B_VERSION), 2, 7, PE_BAD_RESOURCE, "does not start with a VS_VERSION_INFO block"},
        {RSRC(B_VERSION), 2, 0, PE_BAD_RESOURCE, "does not start with a VS_VERSION_INFO block"},
        {RSRC(B_VERSION), 2, 0x24, PE_BAD_RESOURCE,
         "does not start with a VS_VERSION_INFO block"}, /* key cut */
        {RSRC(B_VERSION) + 40 + 52, 2, 0xFFFF, PE_BAD_RESOURCE,
         "a block of the version resource has a length"},
        {RSRC(B_VERSION) + 40 + 52, 2, 0, PE_NOT_FOUND, NULL}, /* no StringFileInfo */
    };
    RUN_DEFECTS(Defects, GetVersion);
}

static void TestVersionWithoutFixed(void **State)
{
    PE_TEST *Test = *State;
    PE_VERSION Version;
    PutRva32(&Test->Build, B_VERSION + 40, 0);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    assert_false(Version.HasFixed);
}

static void TestFindInBadExceptions(void **State)
{
    PE_TEST *Test = *State;
    PE_RUNTIME_FUNCTION Function;
    PutDirectory(&Test->Build, 3, B_PDATA, 13);
    assert_int_equal(Parse(Test, 0), PE_OK);
    PE_STATUS Status = PeFindRuntimeFunction(&Test->Image, B_ENTRY, &Function, &Test->Error);
    ExpectError(Test, Status, PE_BAD_EXCEPTION, "size 0xd is not a multiple of 12");
}

/* A value is cut to its block, whatever length it claims; a block may end right behind its key. */
static void TestVersionLengths(void **State)
{
    PE_TEST *Test = *State;
    PE_VERSION Version;
    char Text[64];
    uint32_t Block =
        B_VERSION + 40 + 52 + 36 + 24; /* CompanyName, behind root, fixed part, StringFileInfo, table */
    PutRva16(&Test->Build, Block + 2, 0xFFFF);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    assert_int_equal(PeGetVersionString(&Version, "CompanyName", Text, sizeof Text, NULL), PE_OK);
    assert_string_equal(Text, "ntbox \xC3\xA9");
    PutRva16(&Test->Build, Block, 6 + 24);
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    assert_int_equal(PeGetVersionString(&Version, "CompanyName", Text, sizeof Text, NULL), PE_OK);
    assert_string_equal(Text, "");
    BuildImage(&Test->Build);
    PutRva16(&Test->Build, B_VERSION + 2, 51); /* not all of the fixed part */
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetVersion(&Test->Image, &Version, NULL), PE_OK);
    assert_false(Version.HasFixed);
}

/* A second, plain way to the same sum. */
static uint32_t SlowCheckSum(const PE_BUILD *Build)
{
    uint32_t Sum = 0;
    for (uint32_t Offset = 0; Offset < Build->Length; Offset += 2) {
        if (Offset == B_OPTIONAL + 64 || Offset == B_OPTIONAL + 66)
            continue;
        Sum += Build->Bytes[Offset];
        if (Offset + 1 < Build->Length)
            Sum += (uint32_t)Build->Bytes[Offset + 1] << 8;
        Sum = (Sum & 0xFFFF) + (Sum >> 16);
    }
    return Sum + Build->Length;
}

static void TestCheckSum(void **State)
{
    PE_TEST *Test = *State;
    uint32_t CheckSum;
    for (uint32_t Extra = 0; Extra < 3; Extra++) {
        Test->Build.Length = B_FILE_SIZE + Extra;
        Test->Build.Bytes[B_FILE_SIZE] = 0xFE;
        Put32(&Test->Build, B_OPTIONAL + 64, Extra * 0x12345);
        assert_int_equal(Parse(Test, 0), PE_OK);
        assert_int_equal(PeComputeCheckSum(&Test->Image, &CheckSum, NULL), PE_OK);
        assert_int_equal(CheckSum, SlowCheckSum(&Test->Build));
    }
    Map(Test);
    ExpectError(Test, PeComputeCheckSum(&Test->Mapped, &CheckSum, &Test->Error), PE_WRONG_KIND,
                "a checksum is that of a file");
}

static void TestCertificate(void **State)
{
    PE_TEST *Test = *State;
    PE_CERTIFICATE Certificate;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetCertificate(&Test->Image, &Certificate, NULL), PE_NOT_FOUND);
    PutDirectory(&Test->Build, 4, B_FILE_SIZE, 16);
    Put32(&Test->Build, B_FILE_SIZE, 16);
    Put16(&Test->Build, B_FILE_SIZE + 4, 0x0200);
    Put16(&Test->Build, B_FILE_SIZE + 6, 2);
    Test->Build.Length = B_FILE_SIZE + 16;
    Map(Test);
    assert_int_equal(PeGetCertificate(&Test->Image, &Certificate, NULL), PE_OK);
    assert_true(Certificate.InFile);
    assert_int_equal(Certificate.Size, 16);
    assert_int_equal(Certificate.Revision, 0x0200);
    assert_int_equal(Certificate.Type, 2);
    PE_STATUS Status = PeGetCertificate(&Test->Mapped, &Certificate, &Test->Error);
    ExpectError(Test, Status, PE_WRONG_KIND, "a certificate table is in files");
    Test->Build.Length--;
    assert_int_equal(Parse(Test, 0), PE_OK);
    assert_int_equal(PeGetCertificate(&Test->Image, &Certificate, NULL), PE_OK);
    assert_false(Certificate.InFile);
}

static PE_STATUS GetDebug(PE_TEST *Test)
{
    PE_DEBUG_INFO Info;
    assert_int_equal(Parse(Test, 0), PE_OK);
    return PeGetDebugInfo(&Test->Image, &Info, &Test->Error);
}

static void TestDebug(void **State)
{
    PE_TEST *Test = *State;
    PE_DEBUG_INFO Info;
    Map(Test);
    assert_int_equal(PeGetDebugInfo(&Test->Mapped, &Info, NULL), PE_OK);
    assert_string_equal(Info.PdbName, "test.pdb");
    assert_int_equal(Info.Age, 3);
    assert_int_equal(Info.Guid[0], 0x11);
    assert_int_equal(Info.Guid[15], 0x44);
    assert_true(Info.Reproducible);
    assert_int_equal(Info.EntryCount, 2);
}

/* In a file the data may lie outside all sections, where only its file offset leads. */
static void TestDebugByFileOffset(void **State)
{
    PE_TEST *Test = *State;
    PE_DEBUG_INFO Info;
    PutRva32(&Test->Build, B_DEBUG + 20, 0);
    Map(Test);
    assert_int_equal(PeGetDebugInfo(&Test->Image, &Info, NULL), PE_OK);
    assert_string_equal(Info.PdbName, "test.pdb");
    ExpectError(Test, PeGetDebugInfo(&Test->Mapped, &Info, &Test->Error), PE_BAD_DEBUG,
                "the CodeView entry (0x0");
}

static void TestBadDebug(void **State)
{
    (void)State;
    static const DEFECT Defects[] = {
        {B_DIRECTORIES + 48, 8, 0, PE_NOT_FOUND, NULL},
        {B_DIRECTORIES + 52, 4, 0, PE_NOT_FOUND, NULL},
        {RDATA(B_DEBUG) + 28 + 12, 4, 2, PE_OK, NULL}, /* two CodeView entries: the first counts */
        {B_DIRECTORIES + 52, 4, 27, PE_OK, NULL},      /* less than one entry */
        {B_DIRECTORIES + 52, 4, 65 * 28, PE_BAD_DEBUG, "the debug directory has 65 entries; 64 are allowed"},
        {B_DIRECTORIES + 48, 4, B_TEXT - 28, PE_BAD_DEBUG, "debug entry 0 lies outside the sections"},
        {RDATA(B_DEBUG) + 20, 4, 0xFFFFFFFF, PE_BAD_DEBUG,
         "the CodeView entry (0xffffffff, 0x21 bytes) does not lie"},
        {RDATA(B_DEBUG) + 16, 4, 0xFFFFFFFF, PE_BAD_DEBUG, "the CodeView entry (0x24a0, 0xffffffff bytes)"},
        {RDATA(B_DEBUG) + 16, 4, 32, PE_BAD_DEBUG, "the PDB name in the CodeView entry has no end"},
        {RDATA(B_DEBUG) + 16, 4, 24, PE_OK, NULL},   /* no name */
        {RDATA(B_RSDS), 4, 0x3031424E, PE_OK, NULL}, /* NB10 */
    };
    RUN_DEFECTS(Defects, GetDebug);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        PE_UNIT_TEST(TestLoadConfig),
        PE_UNIT_TEST(TestLoadConfigSizes),
        PE_UNIT_TEST(TestBadLoadConfig),
        PE_UNIT_TEST(TestCookie),
        PE_UNIT_TEST(TestCookieIsLeftAlone),
        PE_UNIT_TEST(TestRuntimeFunctions),
        PE_UNIT_TEST(TestBadExceptions),
        PE_UNIT_TEST(TestVersion),
        PE_UNIT_TEST(TestVersionStringIsCut),
        PE_UNIT_TEST(TestUtf16),
        PE_UNIT_TEST(TestBadResources),
        PE_UNIT_TEST(TestVersionWithoutFixed),
        PE_UNIT_TEST(TestCheckSum),
        PE_UNIT_TEST(TestCertificate),
        PE_UNIT_TEST(TestDebug),
        PE_UNIT_TEST(TestDebugByFileOffset),
        PE_UNIT_TEST(TestBadDebug),
        PE_UNIT_TEST(TestFindInBadExceptions),
        PE_UNIT_TEST(TestVersionLengths),
    };
    return cmocka_run_group_tests_name("pe information", Tests, NULL, NULL);
}
