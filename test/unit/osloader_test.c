/* SPDX-License-Identifier: MIT
 * The pure parts of osloader under ASan and UBSan: the memory map against a model of one byte per page, the
 * parsers of Multiboot2 and PVH with good and damaged information, the command line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "osloader/osl.h"

#define PAGE 4096ull
#define MIB 0x100000ull

static OSL_MAP Map;

/* --- the memory map ------------------------------------------------------------------------------------- */

#define MODEL_PAGES 400u

static const uint8_t Ranks[10] = {
    [LoaderMemoryFree] = 0,     [LoaderMemoryAcpiReclaim] = 1, [LoaderMemoryAcpiNvs] = 2,
    [LoaderMemoryReserved] = 3, [LoaderMemoryBad] = 4,         [LoaderMemoryLoader] = 5,
    [LoaderMemoryImage] = 5,    [LoaderMemoryPageTables] = 5,  [LoaderMemoryArchive] = 5};

/* What OslMapInsert promises, page by page. */
static void ModelInsert(uint8_t *Model, uint64_t Base, uint64_t Length, uint8_t Type)
{
    for (uint64_t i = 0; i < MODEL_PAGES; i++) {
        uint64_t First = i * PAGE, End = First + PAGE;
        bool Whole = Base <= First && Base + Length >= End;
        bool Touched = Length > 0 && Base < End && Base + Length > First;
        bool Covered = Type == LoaderMemoryFree ? Whole : Touched;
        if (Covered && (Model[i] == 0 || Ranks[Model[i]] <= Ranks[Type]))
            Model[i] = Type;
    }
}

static void AssertMapIsModel(const uint8_t *Model)
{
    uint64_t End = 0;
    uint8_t Actual[MODEL_PAGES] = {0};
    for (uint32_t i = 0; i < Map.Count; i++) {
        const LOADER_MEMORY_RANGE *Range = &Map.Ranges[i];
        assert_true(Range->Base >= End && Range->Length > 0);
        assert_true(Range->Base % PAGE == 0 && Range->Length % PAGE == 0);
        End = Range->Base + Range->Length;
        for (uint64_t At = Range->Base; At < End; At += PAGE)
            Actual[At / PAGE] = (uint8_t)Range->Type;
    }
    assert_memory_equal(Actual, Model, MODEL_PAGES);
}

static void MapAgreesWithModel(void **State)
{
    (void)State;
    srand(20260101);
    for (int Round = 0; Round < 2000; Round++) {
        uint8_t Model[MODEL_PAGES] = {0};
        Map.Count = 0;
        Map.Overflow = false;
        for (int i = 0; i < 25; i++) {
            uint64_t Base = (uint64_t)rand() % (300 * PAGE), Length = (uint64_t)rand() % (90 * PAGE);
            uint8_t Type = (uint8_t)(1 + rand() % 9);
            if (rand() % 2) {
                Base &= ~(PAGE - 1);
                Length &= ~(PAGE - 1);
            }
            OslMapInsert(&Map, Base, Length, Type);
            ModelInsert(Model, Base, Length, Type);
            if (rand() % 8 == 0)
                OslMapCoalesce(&Map);
        }
        assert_false(Map.Overflow);
        AssertMapIsModel(Model);
    }
}

static void CoalesceJoinsNeighboursOfOneType(void **State)
{
    (void)State;
    Map.Count = 0;
    OslMapInsert(&Map, 0, PAGE, LoaderMemoryFree);
    OslMapInsert(&Map, PAGE, PAGE, LoaderMemoryFree);
    OslMapInsert(&Map, 2 * PAGE, PAGE, LoaderMemoryReserved);
    OslMapInsert(&Map, 4 * PAGE, PAGE, LoaderMemoryReserved);
    OslMapCoalesce(&Map);
    assert_int_equal(Map.Count, 3);
    assert_int_equal(Map.Ranges[0].Length, 2 * PAGE);
}

static void ClaimsTakeTheLowestFreePlace(void **State)
{
    (void)State;
    Map.Count = 0;
    OslMapInsert(&Map, 0, 640 * 1024, LoaderMemoryFree);
    OslMapInsert(&Map, MIB, 8 * MIB, LoaderMemoryFree);
    OslMapInsert(&Map, 0x100000000, 64 * MIB, LoaderMemoryFree);
    assert_int_equal(OslMapClaim(&Map, 5000, PAGE, 0x100000000, LoaderMemoryLoader), MIB);
    assert_int_equal(OslMapClaim(&Map, PAGE, PAGE, 0x100000000, LoaderMemoryImage), MIB + 2 * PAGE);
    assert_int_equal(OslMapClaim(&Map, PAGE, 2 * MIB, 0x100000000, LoaderMemoryImage), 2 * MIB);
    assert_int_equal(OslMapClaim(&Map, 9 * MIB, PAGE, 0x100000000, LoaderMemoryImage), 0);
    assert_int_equal(OslMapClaim(&Map, 0, PAGE, 0x100000000, LoaderMemoryImage), 0);
    assert_int_equal(OslMapClaim(&Map, UINT64_MAX, PAGE, 0x100000000, LoaderMemoryImage), 0);
    assert_int_equal(OslMapClaim(&Map, 64 * MIB, PAGE, UINT64_MAX, LoaderMemoryImage), 0x100000000);
    assert_int_equal(OslMapTopOfRam(&Map), 0x100000000 + 64 * MIB);
}

static void TopOfRamIgnoresDevices(void **State)
{
    (void)State;
    Map.Count = 0;
    assert_int_equal(OslMapTopOfRam(&Map), 0);
    OslMapInsert(&Map, 0, 64 * MIB, LoaderMemoryFree);
    OslMapInsert(&Map, 0xfd00000000, 0x300000000, LoaderMemoryReserved);
    assert_int_equal(OslMapTopOfRam(&Map), 64 * MIB);
}

static void HugeAndWrappingRangesAreCut(void **State)
{
    (void)State;
    Map.Count = 0;
    OslMapInsert(&Map, UINT64_MAX - 10, 100, LoaderMemoryReserved);
    OslMapInsert(&Map, 1ull << 52, PAGE, LoaderMemoryFree);
    assert_int_equal(Map.Count, 0);
    OslMapInsert(&Map, (1ull << 52) - PAGE, UINT64_MAX, LoaderMemoryReserved);
    assert_int_equal(Map.Count, 1);
    assert_int_equal(Map.Ranges[0].Length, PAGE);
}

static void TooManyRangesAreNoticed(void **State)
{
    (void)State;
    Map.Count = 0;
    for (uint64_t i = 0; i < OSL_MAP_RANGES; i++)
        OslMapInsert(&Map, i * 4 * PAGE, 3 * PAGE, LoaderMemoryFree);
    assert_false(Map.Overflow);
    OslMapInsert(&Map, PAGE, PAGE, LoaderMemoryReserved);
    assert_true(Map.Overflow);
    assert_int_equal(OslMapClaim(&Map, PAGE, PAGE, UINT64_MAX, LoaderMemoryLoader), 0);
    assert_int_equal(Map.Count, OSL_MAP_RANGES);
    Map.Overflow = false;
}

/* --- Multiboot2 ----------------------------------------------------------------------------------------- */

typedef struct INFO {
    uint8_t Bytes[1024];
    uint32_t Length;
} INFO;

static void Put32(uint8_t *At, uint32_t Value)
{
    memcpy(At, &Value, 4);
}

static void Put64(uint8_t *At, uint64_t Value)
{
    memcpy(At, &Value, 8);
}

static uint8_t *AddTag(INFO *Info, uint32_t Type, uint32_t Size)
{
    uint8_t *At = Info->Bytes + Info->Length;
    Put32(At, Type);
    Put32(At + 4, Size + 8);
    Info->Length = (Info->Length + Size + 8 + 7) & ~7u;
    Put32(Info->Bytes, Info->Length);
    return At + 8;
}

static void AddMemory(uint8_t *Entry, uint64_t Base, uint64_t Length, uint32_t Type)
{
    Put64(Entry, Base);
    Put64(Entry + 8, Length);
    Put32(Entry + 16, Type);
}

static void SampleInfo(INFO *Info)
{
    memset(Info, 0, sizeof(*Info));
    Info->Length = 8;
    memcpy(AddTag(Info, 1, 9), "seed=5 x", 9);
    memcpy(AddTag(Info, 2, 5), "GRUB", 5);
    uint8_t *Module = AddTag(Info, 3, 9);
    Put32(Module, 0x10f000);
    Put32(Module + 4, 0x110001);
    uint8_t *Memory = AddTag(Info, 6, 8 + 3 * 24);
    Put32(Memory, 24);
    AddMemory(Memory + 8, 0, 0x9fc00, 1);
    AddMemory(Memory + 32, 0x9fc00, 0x400, 2);
    AddMemory(Memory + 56, MIB, 127 * MIB, 1);
    uint8_t *Screen = AddTag(Info, 8, 30);
    Put64(Screen, 0x80000000);
    Put32(Screen + 8, 3200);
    Put32(Screen + 12, 800);
    Put32(Screen + 16, 600);
    Screen[20] = 32;
    Screen[21] = 1;
    memcpy(Screen + 24, "\x10\x08\x08\x08\x00\x08", 6);
    memcpy(AddTag(Info, 14, 20), "RSD PTR old", 11);
    memcpy(AddTag(Info, 15, 36), "RSD PTR new", 11);
    AddTag(Info, 0, 0);
}

static const char *Parse(const uint8_t *Bytes, OSL_BOOT_INFO *Boot)
{
    uint32_t Length;
    memset(Boot, 0, sizeof(*Boot));
    memset(&Map, 0, sizeof(Map));
    Boot->Map = &Map;
    return OslParseMultiboot2(Bytes, Boot, &Length);
}

static void Multiboot2IsRead(void **State)
{
    (void)State;
    INFO Info;
    OSL_BOOT_INFO Boot;
    SampleInfo(&Info);
    assert_null(Parse(Info.Bytes, &Boot));
    assert_int_equal(Boot.Protocol, LoaderBootMultiboot2Bios);
    assert_string_equal(Boot.CommandLine, "seed=5 x");
    assert_int_equal(Boot.ModuleCount, 1);
    assert_int_equal(Boot.Module, 0x10f000);
    assert_int_equal(Boot.ModuleLength, 0x1001);
    assert_int_equal(Boot.Screen.Type, LoaderScreenRgb);
    assert_int_equal(Boot.Screen.Base, 0x80000000);
    assert_int_equal(Boot.Screen.Pitch, 3200);
    assert_int_equal(Boot.Screen.RedPosition, 16);
    assert_int_equal(Boot.Screen.BlueSize, 8);
    assert_memory_equal(Boot.RsdpCopy, "RSD PTR new", 11);
    assert_int_equal(Boot.RsdpCopyLength, 36);
    assert_int_equal(Map.Count, 3);
    assert_int_equal(Map.Ranges[0].Length, 0x9f000);
    assert_int_equal(Map.Ranges[1].Type, LoaderMemoryReserved);
    assert_int_equal(Map.Ranges[1].Base, 0x9f000);
}

static void EfiMapIsUsedWhereThereIsNoOther(void **State)
{
    (void)State;
    INFO Info = {.Length = 8};
    OSL_BOOT_INFO Boot;
    Put64(AddTag(&Info, 12, 8), 0x7f000000);
    uint8_t *Memory = AddTag(&Info, 17, 8 + 2 * 48);
    Put32(Memory, 48);
    Put32(Memory + 8, 7); /* conventional */
    Put64(Memory + 16, MIB);
    Put64(Memory + 32, 16);
    Put32(Memory + 56, 10); /* NVS; a page count that would overflow */
    Put64(Memory + 64, 2 * MIB);
    Put64(Memory + 80, UINT64_MAX);
    AddTag(&Info, 0, 0);
    assert_null(Parse(Info.Bytes, &Boot));
    assert_int_equal(Boot.Protocol, LoaderBootMultiboot2Uefi);
    assert_int_equal(Boot.EfiSystemTable, 0x7f000000);
    assert_int_equal(Map.Count, 2);
    assert_int_equal(Map.Ranges[0].Length, 16 * PAGE);
    assert_int_equal(Map.Ranges[1].Type, LoaderMemoryAcpiNvs);
}

/* The sentence for an information structure with one tag and an end. */
static const char *ParseOne(uint32_t Type, uint32_t Size, const void *Data)
{
    INFO Info = {.Length = 8};
    OSL_BOOT_INFO Boot;
    memcpy(AddTag(&Info, Type, Size), Data, Size);
    AddTag(&Info, 0, 0);
    return Parse(Info.Bytes, &Boot);
}

static void DamagedTagsAreNamed(void **State)
{
    (void)State;
    static const uint8_t Zero[64];
    static const uint8_t Backwards[8] = {0, 0x10, 0, 0, 0, 0, 0, 0};
    assert_string_equal(ParseOne(3, 4, Zero), "the Multiboot2 module tag is damaged");
    assert_string_equal(ParseOne(3, 8, Backwards), "the Multiboot2 module tag is damaged");
    assert_string_equal(ParseOne(6, 8, Zero), "the Multiboot2 memory map is damaged");
    assert_string_equal(ParseOne(8, 20, Zero), "the Multiboot2 framebuffer tag is damaged");
    assert_string_equal(ParseOne(12, 4, Zero), "the Multiboot2 EFI system table tag is damaged");
    assert_string_equal(ParseOne(17, 40, Zero), "the EFI memory map is damaged");
    assert_string_equal(ParseOne(1, 3, "abc"),
                        "the command line is longer than 4095 characters or not terminated");
    assert_null(ParseOne(999, 3, "abc"));
}

/* Every truncation and every byte changed: a sentence or a result, never a byte outside (ASan). */
static void AnyDamageIsHarmless(void **State)
{
    (void)State;
    static const uint8_t Values[] = {0, 1, 8, 0x7f, 0xff};
    INFO Info;
    OSL_BOOT_INFO Boot;
    SampleInfo(&Info);
    for (uint32_t Length = 8; Length < Info.Length; Length++) {
        uint8_t *Copy = malloc(Length);
        assert_non_null(Copy);
        memcpy(Copy, Info.Bytes, Length);
        Put32(Copy, Length);
        assert_non_null(Parse(Copy, &Boot));
        free(Copy);
    }
    for (uint32_t At = 4; At < Info.Length; At++) {
        for (size_t v = 0; v < sizeof(Values); v++) {
            uint8_t *Copy = malloc(Info.Length);
            assert_non_null(Copy);
            memcpy(Copy, Info.Bytes, Info.Length);
            Copy[At] = Values[v];
            const char *Fault = Parse(Copy, &Boot);
            assert_true(Fault == NULL || strlen(Fault) > 20);
            free(Copy);
        }
    }
}

/* --- PVH ------------------------------------------------------------------------------------------------ */

#define FAKE_BASE 0x10000ull
#define FAKE_SIZE 0x4000ull
static uint8_t Fake[FAKE_SIZE];

static const void *FakePhysical(uint64_t Address, uint64_t Length)
{
    if (Address < FAKE_BASE || Address - FAKE_BASE > FAKE_SIZE || Length > FAKE_SIZE - (Address - FAKE_BASE))
        return NULL;
    return Fake + (Address - FAKE_BASE);
}

static void SampleStart(void)
{
    memset(Fake, 0, sizeof(Fake));
    Put32(Fake, 0x336ec578);
    Put32(Fake + 4, 1);
    Put32(Fake + 12, 1);                  /* modules */
    Put64(Fake + 16, FAKE_BASE + 0x100);  /* module list */
    Put64(Fake + 24, FAKE_BASE + 0x200);  /* command line */
    Put64(Fake + 32, 0xf59e0);            /* RSDP */
    Put64(Fake + 40, FAKE_BASE + 0x1804); /* memory map, at an odd place */
    Put32(Fake + 48, 2);
    Put64(Fake + 0x100, 0x7fde000);
    Put64(Fake + 0x108, 12345);
    memcpy(Fake + 0x200, "exitport=0xf4", 14);
    AddMemory(Fake + 0x1804, 0, 0x9fc00, 1);
    AddMemory(Fake + 0x181c, MIB, 127 * MIB, 1);
}

static const char *ParseStart(OSL_BOOT_INFO *Boot)
{
    memset(Boot, 0, sizeof(*Boot));
    memset(&Map, 0, sizeof(Map));
    Boot->Map = &Map;
    return OslParsePvh(FAKE_BASE, FakePhysical, Boot);
}

static void PvhIsRead(void **State)
{
    (void)State;
    OSL_BOOT_INFO Boot;
    SampleStart();
    assert_null(ParseStart(&Boot));
    assert_int_equal(Boot.Protocol, LoaderBootPvh);
    assert_string_equal(Boot.CommandLine, "exitport=0xf4");
    assert_int_equal(Boot.Module, 0x7fde000);
    assert_int_equal(Boot.ModuleLength, 12345);
    assert_int_equal(Boot.Rsdp, 0xf59e0);
    /* free, the page of the command line, that of the memory map, free, free above 1 MiB */
    OslMapCoalesce(&Map);
    assert_int_equal(Map.Count, 4);
    assert_int_equal(Map.Ranges[1].Base, FAKE_BASE);
    assert_int_equal(Map.Ranges[1].Length, 2 * PAGE);
    assert_int_equal(Map.Ranges[1].Type, LoaderMemoryLoader);
}

static void DamagedStartInformationIsNamed(void **State)
{
    (void)State;
    OSL_BOOT_INFO Boot;
    SampleStart();
    Put32(Fake, 1);
    assert_string_equal(ParseStart(&Boot),
                        "the PVH start information is not where the processor's EBX points");
    SampleStart();
    Put32(Fake + 4, 0);
    assert_string_equal(ParseStart(&Boot), "the PVH start information is version 0, which has no memory map");
    SampleStart();
    Put32(Fake + 48, 0);
    assert_string_equal(ParseStart(&Boot), "the PVH start information has no memory map");
    SampleStart();
    Put32(Fake + 48, 0xffffffff);
    assert_string_equal(ParseStart(&Boot), "the PVH start information has no memory map");
    SampleStart();
    Put64(Fake + 16, 1ull << 40);
    assert_string_equal(ParseStart(&Boot), "the PVH module list lies above 4 GiB");
    SampleStart();
    Put64(Fake + 24, 1ull << 40);
    assert_string_equal(ParseStart(&Boot), "the PVH command line lies above 4 GiB");
    SampleStart();
    memset(Fake + 0x200, 'x', 4096);
    assert_string_equal(ParseStart(&Boot),
                        "the command line is longer than 4095 characters or not terminated");
}

/* --- the command line ----------------------------------------------------------------------------------- */

static void NumbersAreFound(void **State)
{
    (void)State;
    uint64_t Value = 0;
    assert_true(OslCommandLineNumber("seed=5", "seed", &Value));
    assert_int_equal(Value, 5);
    assert_true(OslCommandLineNumber("a  b=1 seed=0xFf c", "seed", &Value));
    assert_int_equal(Value, 255);
    assert_true(OslCommandLineNumber("seed=18446744073709551615", "seed", &Value));
    assert_true(Value == UINT64_MAX);
    assert_false(OslCommandLineNumber("seed=18446744073709551616", "seed", &Value));
    assert_false(OslCommandLineNumber("seed=0x", "seed", &Value));
    assert_false(OslCommandLineNumber("seed=", "seed", &Value));
    assert_false(OslCommandLineNumber("seed=5x", "seed", &Value));
    assert_false(OslCommandLineNumber("seed", "seed", &Value));
    assert_false(OslCommandLineNumber("seeds=5 xseed=5", "seed", &Value));
    assert_false(OslCommandLineNumber("", "seed", &Value));
}

/* --- the layout ----------------------------------------------------------------------------------------- */

static void RegionsDoNotOverlap(void **State)
{
    (void)State;
    for (uint64_t Seed = 0; Seed < 2000; Seed++) {
        LAYOUT Layout = {.Random = Seed};
        const uint32_t Sizes[] = {128, 1, 32, 3, 1, 1, 1, 1}; /* of mm.h, with 64 TiB of memory */
        uint8_t Used[512] = {0};
        for (size_t i = 0; i < sizeof(Sizes) / sizeof(Sizes[0]); i++) {
            uint32_t Slot = LayoutPick(&Layout, Sizes[i]);
            assert_true(Slot >= LAYOUT_FIRST_SLOT && Slot + Sizes[i] <= LAYOUT_END_SLOT);
            for (uint32_t j = Slot; j < Slot + Sizes[i]; j++)
                assert_int_equal(Used[j]++, 0);
        }
    }
}

static void EveryPlaceIsUsed(void **State)
{
    (void)State;
    uint32_t Times[512] = {0};
    LAYOUT Random = {.Random = 1};
    for (uint32_t i = 0; i < 23900; i++) {
        LAYOUT Layout = {.Random = LayoutNextRandom(&Random.Random)};
        Times[LayoutPick(&Layout, 1)]++;
    }
    for (uint32_t Slot = LAYOUT_FIRST_SLOT; Slot < LAYOUT_END_SLOT; Slot++)
        assert_in_range(Times[Slot], 50, 150); /* 100 is expected */
}

static void FullLayoutHasNoPlace(void **State)
{
    (void)State;
    LAYOUT Layout = {.Random = 7};
    assert_int_equal(LayoutPick(&Layout, LAYOUT_END_SLOT - LAYOUT_FIRST_SLOT), LAYOUT_FIRST_SLOT);
    assert_int_equal(LayoutPick(&Layout, 1), 0);
    assert_int_equal(LayoutSlotAddress(0x1f0), LOADER_IMAGE_BASE);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(MapAgreesWithModel),
        cmocka_unit_test(CoalesceJoinsNeighboursOfOneType),
        cmocka_unit_test(ClaimsTakeTheLowestFreePlace),
        cmocka_unit_test(TopOfRamIgnoresDevices),
        cmocka_unit_test(HugeAndWrappingRangesAreCut),
        cmocka_unit_test(TooManyRangesAreNoticed),
        cmocka_unit_test(Multiboot2IsRead),
        cmocka_unit_test(EfiMapIsUsedWhereThereIsNoOther),
        cmocka_unit_test(DamagedTagsAreNamed),
        cmocka_unit_test(AnyDamageIsHarmless),
        cmocka_unit_test(PvhIsRead),
        cmocka_unit_test(DamagedStartInformationIsNamed),
        cmocka_unit_test(NumbersAreFound),
        cmocka_unit_test(RegionsDoNotOverlap),
        cmocka_unit_test(EveryPlaceIsUsed),
        cmocka_unit_test(FullLayoutHasNoPlace),
    };
    return cmocka_run_group_tests_name("osloader", Tests, NULL, NULL);
}
