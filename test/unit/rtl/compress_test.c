/* SPDX-License-Identifier: MIT
 * LZNT1: buffers made by hand with what Windows answers (the cases of Wine's conformance tests, which are run on
 * Windows), the example of [MS-XCA] 3.3, round trips, room that ends anywhere. */
#include "rtl_test.h"

#define LZNT1 2
#define MAXIMUM 0x102

static UCHAR WorkSpace[0x8000], Plain[20000], Packed[30000], Unpacked[20001];
static uint64_t Seed = 17;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

typedef struct _CASE {
    const char *Compressed;
    ULONG Size;
    const char *Text; /* NULL: STATUS_BAD_COMPRESSION_BUFFER */
    BOOLEAN ShortPlain, Match;
} CASE;
static const CASE Cases[] = {
    {"\x03\x30Wine", 6, "Wine", TRUE, FALSE},
    {"\x04\xB0\0Wine", 7, "Wine", FALSE, FALSE},
    {"\x06\xB0\x10Wine\x01\x30", 9, "WineWine", FALSE, TRUE},
    {"\x06\xB0\x10Wine\x05\x30", 9, "WineWineWine", FALSE, TRUE},
    {"\x06\xB0\x30Wine\x01\x30", 9, "WineWine", FALSE, TRUE},
    {"\x01\xB0\x02W", 4, "W", FALSE, FALSE},
    {"\x03\x30Wine\0\0\x03\x30Wine", 14, "Wine", TRUE, FALSE},
    {"\x14\xB0\0ABCDEFGH\0IJKLMNOP\x01\x01\xF0", 23, "ABCDEFGHIJKLMNOPABCD", FALSE, TRUE},
    {"\x15\xB0\0ABCDEFGH\0IJKLMNOP\x02"
     "A\0\x78",
     24, "ABCDEFGHIJKLMNOPABCD", FALSE, TRUE},
    {"\x03\x20Wine", 6, "Wine", TRUE, FALSE}, /* the signature is not looked at */
    {"\0\xB0\x02\x01", 4, "", FALSE, FALSE},  /* a byte too many */
    {"\0\xB0\x01", 3, "", FALSE, FALSE},
    {"", 0, NULL, FALSE, FALSE},
    {"\x01", 1, NULL, FALSE, FALSE},
    {"\0\x30", 2, NULL, FALSE, FALSE},
    {"\x06\xB0\x10Wine\x05\x40", 9, NULL, FALSE, FALSE}, /* reaches before the chunk */
    {"\x05\xB0\x10Wine\x05", 8, NULL, FALSE, FALSE},
    {"\x07\x30Wine", 6, NULL, FALSE, FALSE},
    {"\x08\xB0\0Wine", 7, NULL, FALSE, FALSE},
    {"\0\xB0\x02\0\xB0", 5, NULL, FALSE, FALSE},
};

/* An exact copy on the heap, so that AddressSanitizer sees a byte too many read. */
static UCHAR *exact(const void *Data, ULONG Size)
{
    UCHAR *Copy = malloc(Size == 0 ? 1 : Size);
    return memcpy(Copy, Data, Size);
}

static void check_case(const CASE *c)
{
    UCHAR *Data = exact(c->Compressed, c->Size);
    ULONG Size = 0xDEAD, Length = c->Text == NULL ? 0 : (ULONG)strlen(c->Text);
    memset(Unpacked, 0x11, 64);
    NTSTATUS Status = RtlDecompressBuffer(MAXIMUM, Unpacked, sizeof(Unpacked), Data, c->Size, &Size);
    assert_int_equal(Status, c->Text == NULL ? STATUS_BAD_COMPRESSION_BUFFER : STATUS_SUCCESS);
    if (c->Text != NULL) {
        assert_int_equal(Size, Length);
        assert_memory_equal(Unpacked, c->Text, Length);
        assert_int_equal(Unpacked[Length], 0x11);
    }
    if (Length > 1) { /* one byte less of room */
        UCHAR *Room = malloc(Length - 1);
        Status = RtlDecompressBuffer(LZNT1, Room, Length - 1, Data, c->Size, &Size);
        assert_int_equal(Status, c->Match ? STATUS_BAD_COMPRESSION_BUFFER : STATUS_SUCCESS);
        assert_true(c->Match || (Size == Length - 1 && memcmp(Room, c->Text, Size) == 0));
        free(Room);
    }
    free(Data);
}

static void check_fragments(const CASE *c)
{
    UCHAR *Data = exact(c->Compressed, c->Size);
    ULONG Size = 0xDEAD, Length = c->Text == NULL ? 0 : (ULONG)strlen(c->Text);
    BOOLEAN Bad = c->Text == NULL || c->ShortPlain;
    for (ULONG Offset = 0; Offset < 2; Offset++) {
        NTSTATUS Status =
            RtlDecompressFragment(LZNT1, Unpacked, 8000, Data, c->Size, Offset, &Size, WorkSpace);
        assert_int_equal(Status, Bad ? STATUS_BAD_COMPRESSION_BUFFER : STATUS_SUCCESS);
        assert_true(Bad || Size == (Length == 0 && Offset == 1 ? 4095 : Length - Offset));
        assert_true(Bad || Length == 0 || memcmp(Unpacked, c->Text + Offset, Size) == 0);
    }
    NTSTATUS Status = RtlDecompressFragment(LZNT1, Unpacked, 8000, Data, c->Size, 4095, &Size, WorkSpace);
    assert_int_equal(Status, Bad ? STATUS_BAD_COMPRESSION_BUFFER : STATUS_SUCCESS);
    assert_true(Bad || (Size == 1 && Unpacked[0] == 0));
    free(Data);
}

static void test_cases(void **state)
{
    (void)state;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        check_case(&Cases[i]);
        check_fragments(&Cases[i]);
    }
}

/* [MS-XCA] 3.3: the text and its compression as the document prints it, without the mark of the end. */
static void test_specification(void **state)
{
    static const char Text[] = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# "
                               "D E F# G F# D E F# G F# E D E A F# F# "
                               "G A A G F# E D D E F# E D D";
    static const char Bytes[] =
        "\x38\xb0\x88\x46\x23\x20\x00\x20\x47\x20\x41\x00\x10\xa2\x47\x01\xa0\x45\x20\x44\x00\x08\x45\x01\x50"
        "\x79\x00\xc0\x45\x20\x05\x24\x13\x88\x05\xb4\x02\x4a\x44\xef\x03\x58\x02\x8c\x09\x16\x01\x48\x45\x00"
        "\xbe\x00\x9e\x00\x04\x01\x18\x90";
    ULONG Size;
    (void)state;
    assert_int_equal(
        RtlDecompressBuffer(LZNT1, Unpacked, sizeof(Unpacked), (PUCHAR)Bytes, sizeof(Bytes), &Size),
        STATUS_SUCCESS);
    assert_int_equal(Size, sizeof(Text));
    assert_memory_equal(Unpacked, Text, sizeof(Text));
}

static void test_formats(void **state)
{
    ULONG a, b;
    (void)state;
    for (USHORT Format = 0; Format < 2; Format++) {
        assert_int_equal(RtlGetCompressionWorkSpaceSize(Format, &a, &b), STATUS_INVALID_PARAMETER);
        assert_int_equal(RtlCompressBuffer(Format, Plain, 9, Packed, 99, 4096, &a, WorkSpace),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(RtlDecompressBuffer(Format, Plain, 9, Packed, 99, &a), STATUS_INVALID_PARAMETER);
        assert_int_equal(RtlDecompressFragment(Format, Plain, 9, Packed, 99, 0, &a, WorkSpace),
                         STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(RtlGetCompressionWorkSpaceSize(0xFF, &a, &b), STATUS_UNSUPPORTED_COMPRESSION);
    assert_int_equal(RtlCompressBuffer(3, Plain, 9, Packed, 99, 4096, &a, WorkSpace),
                     STATUS_UNSUPPORTED_COMPRESSION);
    assert_int_equal(RtlDecompressBufferEx(4, Plain, 9, Packed, 99, &a, WorkSpace),
                     STATUS_UNSUPPORTED_COMPRESSION);
    assert_int_equal(RtlGetCompressionWorkSpaceSize(0x202, &a, &b), STATUS_NOT_SUPPORTED);
    assert_int_equal(RtlGetCompressionWorkSpaceSize(MAXIMUM, &a, &b), STATUS_SUCCESS);
    assert_true(a <= sizeof(WorkSpace) && b == 4096);
}

/* Three kinds: noise, runs of one byte, words out of a small vocabulary. */
static void make_plain(ULONG Length, ULONG Kind)
{
    for (ULONG i = 0; i < Length;) {
        ULONG Run = Kind == 1 ? 1 + random_below(300) : 1, Value = random_below(Kind == 2 ? 3 : 255) + 1;
        for (; Run > 0 && i < Length; Run--)
            Plain[i++] = (UCHAR)Value;
    }
}

static ULONG pack(ULONG Length, USHORT Format)
{
    ULONG Size, Again;
    assert_int_equal(RtlCompressBuffer(Format, Plain, Length, Packed, sizeof(Packed), 4096, &Size, WorkSpace),
                     STATUS_SUCCESS);
    assert_int_equal(RtlCompressBuffer(Format, Plain, Length, Packed, Size, 4096, &Again, WorkSpace),
                     STATUS_SUCCESS);
    assert_int_equal(Again, Size); /* it fits into what it needs */
    UCHAR *Tight = malloc(Size);
    ULONG Room = random_below(Size); /* never writes more than there is */
    NTSTATUS Status =
        RtlCompressBuffer(Format, Plain, Length, Tight + Size - Room, Room, 4096, &Again, WorkSpace);
    assert_true(Status == STATUS_BUFFER_TOO_SMALL || Again <= Room);
    free(Tight);
    return Size;
}

static void check_fragment(ULONG Length, ULONG Size, ULONG Kind)
{
    ULONG Offset = random_below(Length), Wanted = 1 + random_below(9000), Got;
    ULONG Expected = Wanted < Length - Offset ? Wanted : Length - Offset;
    UCHAR *Room = malloc(Wanted);
    NTSTATUS Status = RtlDecompressFragment(LZNT1, Room, Wanted, Packed, Size, Offset, &Got, WorkSpace);
    if (Status == STATUS_SUCCESS) {
        assert_int_equal(Got, Expected);
        assert_memory_equal(Room, Plain + Offset, Got);
    } else { /* a match was cut by the end of the room, or the last chunk is short and plain */
        assert_int_equal(Status, STATUS_BAD_COMPRESSION_BUFFER);
        assert_true(Wanted < Length - Offset || (Kind == 0 && Length % 4096 > 3000));
    }
    free(Room);
}

static void test_round_trips(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 300; i++) {
        ULONG Length = 1 + random_below(i % 4 == 0 ? sizeof(Plain) : 5000), Got;
        make_plain(Length, i % 3);
        ULONG Size = pack(Length, i & 1 ? MAXIMUM : LZNT1);
        UCHAR *Data = exact(Packed, Size);
        assert_true(i % 3 != 1 || Length < 2000 || Size < Length / 4);
        assert_true(Size <= Length + Length / 8 + 10);
        assert_int_equal(RtlDecompressBuffer(LZNT1, Unpacked, Length, Data, Size, &Got), STATUS_SUCCESS);
        assert_int_equal(Got, Length);
        assert_memory_equal(Unpacked, Plain, Length);
        check_fragment(Length, Size, i % 3);
        free(Data);
    }
}

static void test_zeros(void **state)
{
    ULONG Size, Got;
    (void)state;
    memset(Plain, 0, 9000);
    assert_int_equal(RtlCompressBuffer(LZNT1, Plain, 9000, Packed, 9000, 4096, &Size, WorkSpace),
                     STATUS_BUFFER_ALL_ZEROS);
    memset(Unpacked, 1, 9000);
    assert_int_equal(RtlDecompressBuffer(LZNT1, Unpacked, 9000, Packed, Size, &Got), STATUS_SUCCESS);
    assert_true(Got == 9000 && memcmp(Plain, Unpacked, 9000) == 0);
    /* A chunk in the middle that is short is filled with zeros. */
    static const char Two[] = "\x04\xB0\0Wine\x04\xB0\0Beer";
    memset(Unpacked, 1, 9000);
    assert_int_equal(RtlDecompressBuffer(LZNT1, Unpacked, 9000, (PUCHAR)Two, sizeof(Two) - 1, &Got),
                     STATUS_SUCCESS);
    assert_true(Got == 4100 && Unpacked[4] == 0 && Unpacked[4095] == 0 &&
                memcmp(Unpacked + 4096, "Beer", 4) == 0);
    assert_int_equal(RtlDecompressBuffer(LZNT1, Unpacked, 100, (PUCHAR)Two, sizeof(Two) - 1, &Got),
                     STATUS_SUCCESS);
    assert_true(Got == 100 && Unpacked[99] == 0);
    assert_int_equal(
        RtlDecompressFragment(LZNT1, Unpacked, 9000, (PUCHAR)Two, sizeof(Two) - 1, 2, &Got, WorkSpace),
        STATUS_SUCCESS);
    assert_true(Got == 4098 && memcmp(Unpacked, "ne\0", 3) == 0 && memcmp(Unpacked + 4094, "Beer", 4) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),   cmocka_unit_test(test_specification),
        cmocka_unit_test(test_formats), cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
