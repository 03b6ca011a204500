/* SPDX-License-Identifier: MIT
 * Exports and resources of an image in memory: a small one made here, then the same with each byte damaged, in a heap block that is
 * exactly as large as the image says. */
#include "rtl_test.h"

#define SIZE 1024
#define NT 64u
#define EXPORTS 400u
#define RESOURCES 640u

static UCHAR Image[SIZE];

static void put16(ULONG At, ULONG Value)
{
    Image[At] = (UCHAR)Value;
    Image[At + 1] = (UCHAR)(Value >> 8);
}

static void put32(ULONG At, ULONG Value)
{
    put16(At, Value);
    put16(At + 2, Value >> 16);
}

static void make_exports(void)
{
    static const char *const Names[] = {"Alpha", "Beta", "Gamma"};
    put32(EXPORTS + 20, 3);
    put32(EXPORTS + 24, 3);
    put32(EXPORTS + 28, EXPORTS + 40); /* functions */
    put32(EXPORTS + 32, EXPORTS + 52); /* names */
    put32(EXPORTS + 36, EXPORTS + 64); /* ordinals */
    for (ULONG i = 0; i < 3; i++) {
        put32(EXPORTS + 40 + 4 * i, i == 2 ? EXPORTS + 100 : 900 + i); /* Gamma is forwarded */
        put32(EXPORTS + 52 + 4 * i, EXPORTS + 72 + 8 * i);
        put16(EXPORTS + 64 + 2 * i, i);
        memcpy(Image + EXPORTS + 72 + 8 * i, Names[i], strlen(Names[i]) + 1);
    }
}

static void put_directory(ULONG At, ULONG Named, ULONG Key, ULONG To)
{
    put16(RESOURCES + At + 12, Named);
    put16(RESOURCES + At + 14, 1 - Named);
    put32(RESOURCES + At + 16, Key);
    put32(RESOURCES + At + 20, To);
}

/* Type 10, name "AB", language 0x409: eight bytes at 960. */
static void make_resources(void)
{
    put_directory(0, 0, 10, 0x80000000 + 24);
    put_directory(24, 1, 0x80000000 + 100, 0x80000000 + 48);
    put_directory(48, 0, 0x409, 72);
    put32(RESOURCES + 72, 960);
    put32(RESOURCES + 76, 8);
    put16(RESOURCES + 100, 2);
    put16(RESOURCES + 102, 'A');
    put16(RESOURCES + 104, 'B');
}

static void make_image(void)
{
    memset(Image, 0, sizeof(Image));
    put16(0, 0x5A4D);
    put32(0x3C, NT);
    put32(NT, 0x4550);
    put16(NT + 24, 0x20B);
    put32(NT + 24 + 56, SIZE);
    put32(NT + 24 + 108, 16);
    put32(NT + 24 + 112, EXPORTS);
    put32(NT + 24 + 116, 200);
    put32(NT + 24 + 112 + 16, RESOURCES);
    put32(NT + 24 + 116 + 16, 200);
    make_exports();
    make_resources();
}

static NTSTATUS find(PVOID Base, ULONG_PTR Type, const WCHAR *Name, ULONG_PTR Language, PVOID *Data,
                     PULONG Size)
{
    LDR_RESOURCE_INFO Info = {Type, (ULONG_PTR)Name, Language};
    struct _IMAGE_RESOURCE_DATA_ENTRY *Entry;
    NTSTATUS Status = LdrFindResource_U(Base, &Info, 3, &Entry);
    return Status == STATUS_SUCCESS ? LdrAccessResource(Base, Entry, Data, Size) : Status;
}

static void test_headers(void **state)
{
    struct _IMAGE_NT_HEADERS64 *Headers;
    (void)state;
    make_image();
    assert_int_equal(RtlImageNtHeaderEx(0, Image, SIZE, &Headers), STATUS_SUCCESS);
    assert_ptr_equal(Headers, Image + NT);
    assert_ptr_equal(RtlImageNtHeader(Image), Image + NT);
    assert_int_equal(RtlImageNtHeaderEx(0, Image, NT + 263, &Headers), STATUS_INVALID_IMAGE_FORMAT);
    assert_null(Headers);
    assert_int_equal(RtlImageNtHeaderEx(0, Image, 1, &Headers), STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(RtlImageNtHeaderEx(2, Image, SIZE, &Headers), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlImageNtHeaderEx(0, NULL, SIZE, &Headers), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlImageNtHeaderEx(0, Image, SIZE, NULL), STATUS_INVALID_PARAMETER);
    put32(0x3C, SIZE - 2);
    assert_int_equal(RtlImageNtHeaderEx(0, Image, SIZE, &Headers), STATUS_INVALID_IMAGE_FORMAT);
    assert_null(RtlImageNtHeader(NULL));
}

static void test_exports(void **state)
{
    ULONG Size = 0;
    (void)state;
    make_image();
    assert_ptr_equal(RtlFindExportedRoutineByName(Image, "Alpha"), Image + 900);
    assert_ptr_equal(RtlFindExportedRoutineByName(Image, "Beta"), Image + 901);
    assert_null(RtlFindExportedRoutineByName(Image, "Gamma"));
    assert_null(RtlFindExportedRoutineByName(Image, "Alph"));
    assert_null(RtlFindExportedRoutineByName(Image, "Zeta"));
    assert_ptr_equal(RtlImageDirectoryEntryToData(Image, TRUE, 0, &Size), Image + EXPORTS);
    assert_int_equal(Size, 200);
    assert_null(RtlImageDirectoryEntryToData(Image, TRUE, 1, &Size));
    assert_null(RtlImageDirectoryEntryToData(Image, TRUE, 16, &Size));
    assert_null(RtlImageDirectoryEntryToData(Image, FALSE, 0, &Size));
}

static void test_resources(void **state)
{
    LDR_RESOURCE_INFO Info = {10, 0, 0};
    struct _IMAGE_RESOURCE_DATA_ENTRY *Entry;
    PVOID Data = NULL;
    ULONG Size = 0;
    (void)state;
    make_image();
    assert_int_equal(find(Image, 10, L"ab", 0x409, &Data, &Size), STATUS_SUCCESS);
    assert_true(Data == Image + 960 && Size == 8);
    assert_int_equal(find(Image, 10, L"AB", 0, &Data, NULL), STATUS_SUCCESS);
    assert_int_equal(find(Image, 11, L"AB", 0, &Data, &Size), STATUS_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(find(Image, 10, L"ABC", 0, &Data, &Size), STATUS_RESOURCE_NAME_NOT_FOUND);
    assert_int_equal(find(Image, 10, L"A", 0, &Data, &Size), STATUS_RESOURCE_NAME_NOT_FOUND);
    assert_int_equal(find(Image, 10, L"AB", 0x407, &Data, &Size), STATUS_RESOURCE_LANG_NOT_FOUND);
    assert_int_equal(LdrFindResource_U(Image, &Info, 4, &Entry), STATUS_INVALID_PARAMETER);
    put32(RESOURCES + 76, SIZE);
    assert_int_equal(find(Image, 10, L"AB", 0, &Data, &Size), STATUS_RESOURCE_DATA_NOT_FOUND);
    put32(RESOURCES + 20, 24); /* no directory where one must be */
    assert_int_equal(find(Image, 10, L"AB", 0, &Data, &Size), STATUS_RESOURCE_NAME_NOT_FOUND);
}

static void test_damage(void **state)
{
    static const UCHAR Values[] = {0, 1, 0x7F, 0x80, 0xFF};
    (void)state;
    for (ULONG At = NT + 24 + 108; At < SIZE; At++) {
        for (ULONG i = 0; i < RTL_NUMBER_OF(Values); i++) {
            PVOID Data;
            ULONG Size;
            make_image();
            Image[At] = Values[i];
            UCHAR *Exact = malloc(SIZE);
            memcpy(Exact, Image, SIZE);
            UCHAR *Found = RtlFindExportedRoutineByName(Exact, "Beta");
            assert_true(Found == NULL || (Found > Exact && Found < Exact + SIZE));
            if (find(Exact, 10, L"AB", 0, &Data, &Size) == STATUS_SUCCESS)
                assert_true((UCHAR *)Data >= Exact && (UCHAR *)Data + Size <= Exact + SIZE);
            free(Exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_exports),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
