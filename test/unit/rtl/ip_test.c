/* SPDX-License-Identifier: MIT
 * Internet addresses from and to text, narrow and wide. What Windows answers for odd text is known from Wine's conformance tests,
 * which are run on Windows; test/differential compares more with Wine. */
#include "rtl_test.h"

#define BAD STATUS_INVALID_PARAMETER
#define OK STATUS_SUCCESS
#define KEPT (-1)

struct in_addr {
    UCHAR Bytes[4];
};
struct in6_addr {
    UCHAR Bytes[16];
};

static const WCHAR *widen(const char *Text)
{
    static WCHAR Wide[100];
    ULONG i = 0;
    do
        Wide[i] = (UCHAR)Text[i];
    while (Text[i++] != 0);
    return Wide;
}

static const struct {
    const char *Text;
    NTSTATUS Status, Strict;
    int End, StrictEnd;
    ULONG Value;
} Ipv4[] = {
    {"192.168.0.1", OK, OK, 11, 11, 0xC0A80001},
    {"1.2.3.4:80", OK, OK, 7, 7, 0x01020304},
    {"1.2.3.4 ", OK, OK, 7, 7, 0x01020304},
    {"1.2.3.256", BAD, BAD, 9, 9, 0},
    {"1.2.3.4.5", BAD, BAD, 7, 7, 0},
    {"", BAD, BAD, 0, 0, 0},
    {"x", BAD, BAD, 0, 0, 0},
    {" 1.2.3.4", BAD, BAD, 0, 0, 0},
    {"1..2", BAD, BAD, 3, 3, 0},
    {".1", BAD, BAD, 1, 1, 0},
    {"1.2.", BAD, BAD, 4, 4, 0},
    {"1.2.-3.4", BAD, BAD, 4, 4, 0},
    {"16909060", OK, BAD, 8, 8, 0x01020304},
    {"1.131844", OK, BAD, 8, 8, 0x01020304},
    {"1.2.772", OK, BAD, 7, 7, 0x01020304},
    {"1.2.65536", BAD, BAD, 9, 9, 0},
    {"1.16777216", BAD, BAD, 10, 10, 0},
    {"0x7f.1", OK, BAD, 6, 2, 0x7F000001},
    {"1.2.3.0x", BAD, BAD, 8, 8, 0},
    {"1.2.3.010", OK, BAD, 9, 7, 0x01020308},
    {"1.2.3.08", BAD, BAD, 7, 7, 0},
    {"1.2.3.0z", OK, OK, 7, 7, 0x01020300},
    {"1.2.3.4294967296", BAD, BAD, 15, 15, 0},
};

static void check_ipv4(int i, BOOLEAN Strict, BOOLEAN Wide)
{
    const char *Text = Ipv4[i].Text;
    NTSTATUS Expected = Strict ? Ipv4[i].Strict : Ipv4[i].Status, Status;
    int End = Strict ? Ipv4[i].StrictEnd : Ipv4[i].End;
    struct in_addr Address = {{9, 9, 9, 9}};
    ULONG Value = Expected == OK ? Ipv4[i].Value : 0x09090909;
    if (Wide) {
        const WCHAR *Wider = widen(Text), *Terminator;
        Status = RtlIpv4StringToAddressW(Wider, Strict, &Terminator, &Address);
        assert_int_equal(Terminator - Wider, End);
    } else {
        const char *Terminator;
        Status = RtlIpv4StringToAddressA(Text, Strict, &Terminator, &Address);
        assert_int_equal(Terminator - Text, End);
    }
    assert_int_equal(Status, Expected);
    assert_int_equal((ULONG)Address.Bytes[0] << 24 | Address.Bytes[1] << 16 | Address.Bytes[2] << 8 |
                         Address.Bytes[3],
                     Value);
}

static void test_ipv4(void **state)
{
    (void)state;
    for (int i = 0; i < (int)RTL_NUMBER_OF(Ipv4); i++) {
        for (int Way = 0; Way < 4; Way++)
            check_ipv4(i, Way & 1, Way >> 1);
    }
}

static void check_port(const char *Text, NTSTATUS Expected, USHORT ExpectedPort)
{
    struct in_addr Address;
    USHORT Port = 0xDEAD, WidePort = 0xDEAD;
    assert_int_equal(RtlIpv4StringToAddressExA(Text, TRUE, &Address, &Port), Expected);
    assert_int_equal(RtlIpv4StringToAddressExW(widen(Text), TRUE, &Address, &WidePort), Expected);
    assert_int_equal(Port, Expected == OK ? ExpectedPort : 0xDEAD);
    assert_int_equal(WidePort, Port);
}

static void test_ipv4_port(void **state)
{
    struct in_addr Address;
    USHORT Port;
    (void)state;
    check_port("1.2.3.4", OK, 0);
    check_port("1.2.3.4:80", OK, 0x5000);
    check_port("1.2.3.4:0xffFF", OK, 0xFFFF);
    check_port("1.2.3.4:011064", OK, 0x3412);
    check_port("1.2.3.4:65536", BAD, 0);
    check_port("1.2.3.4:0", BAD, 0);
    check_port("1.2.3.4:", BAD, 0);
    check_port("1.2.3.4:8a", BAD, 0);
    check_port("1.2.3.4+", BAD, 0);
    check_port("1.2.3:4", BAD, 0);
    assert_int_equal(RtlIpv4StringToAddressExA(NULL, TRUE, &Address, &Port), BAD);
    assert_int_equal(RtlIpv4StringToAddressExA("1.2.3.4", TRUE, NULL, &Port), BAD);
    assert_int_equal(RtlIpv4StringToAddressExA("1.2.3.4", TRUE, &Address, NULL), BAD);
}

/* Eight groups; -1: not written. */
static const struct {
    const char *Text;
    NTSTATUS Status;
    int End, Groups[8];
} Ipv6[] = {
    {"1:2:3:4:5:6:7:8", OK, 15, {1, 2, 3, 4, 5, 6, 7, 8}},
    {"::", OK, 2, {0}},
    {"::1", OK, 3, {0, 0, 0, 0, 0, 0, 0, 1}},
    {"fe80::AbCd", OK, 10, {0xFE80, 0, 0, 0, 0, 0, 0, 0xABCD}},
    {"1::", OK, 3, {1}},
    {"1:2:3:4:5:6:7::", OK, 15, {1, 2, 3, 4, 5, 6, 7, 0}},
    {"::2:3:4:5:6:7:8", OK, 15, {0, 2, 3, 4, 5, 6, 7, 8}},
    {"1:2::7:8", OK, 8, {1, 2, 0, 0, 0, 0, 7, 8}},
    {"1:2:3:4:5:6:1.2.3.4", OK, 19, {1, 2, 3, 4, 5, 6, 0x102, 0x304}},
    {"::ffff:10.0.0.1", OK, 15, {0, 0, 0, 0, 0, 0xFFFF, 0xA00, 1}},
    {"1:2:3:4:5:6:7:8:9", OK, 15, {1, 2, 3, 4, 5, 6, 7, 8}}, /* whole: the rest is not read */
    {"1::2::3", OK, 4, {1, 0, 0, 0, 0, 0, 0, 2}},
    {"1:2:3:4:5:6::7:8", OK, 14, {1, 2, 3, 4, 5, 6, 0, 7}},
    {"1::0x88", OK, 4, {1, 0, 0, 0, 0, 0, 0, 0x88}},
    {"::%16", OK, 2, {0}},
    {"1::1a.2.3.4", OK, 5, {1, 0, 0, 0, 0, 0, 0, 0x1A}},
    {"", BAD, 0, {KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {":1::", BAD, 0, {KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1", BAD, 1, {KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1:2:", BAD, 4, {1, 2, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1:2:3:4:5:6:7", BAD, 13, {1, 2, 3, 4, 5, 6, KEPT, KEPT}},
    {"12345::", BAD, -1, {KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1::12345", BAD, 8, {1, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1::256.2.3.4", BAD, -1, {1, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1::1.2.3.256", BAD, 12, {1, 0x102, -0x300, KEPT, KEPT, KEPT, KEPT, KEPT}},
    {"1.2.3.4", BAD, 7, {0x102, -0x300, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT}},
};

static void check_ipv6(int i, BOOLEAN Wide)
{
    const char *Text = Ipv6[i].Text, *Terminator = Text - 1;
    const WCHAR *Wider = widen(Text), *WideTerminator = Wider - 1;
    struct in6_addr Address;
    memset(&Address, 0xAB, sizeof(Address));
    NTSTATUS Status = Wide ? RtlIpv6StringToAddressW(Wider, &WideTerminator, &Address)
                           : RtlIpv6StringToAddressA(Text, &Terminator, &Address);
    assert_int_equal(Status, Ipv6[i].Status);
    assert_int_equal(Wide ? WideTerminator - Wider : Terminator - Text, Ipv6[i].End);
    for (int j = 0; j < 8; j++) { /* a negative group: one byte only was written */
        int Group = Ipv6[i].Groups[j], Value = Address.Bytes[2 * j] << 8 | Address.Bytes[2 * j + 1];
        assert_int_equal(Value, Group == KEPT ? 0xABAB : Group < 0 ? -Group | 0xAB : Group);
    }
}

static void test_ipv6(void **state)
{
    (void)state;
    for (int i = 0; i < (int)RTL_NUMBER_OF(Ipv6); i++) {
        check_ipv6(i, FALSE);
        check_ipv6(i, TRUE);
    }
}

static void check_ipv6_ex(const char *Text, NTSTATUS Expected, ULONG ExpectedScope, USHORT ExpectedPort)
{
    struct in6_addr Address;
    ULONG Scope = 77, WideScope = 77;
    USHORT Port = 88, WidePort = 88;
    assert_int_equal(RtlIpv6StringToAddressExA(Text, &Address, &Scope, &Port), Expected);
    assert_int_equal(RtlIpv6StringToAddressExW(widen(Text), &Address, &WideScope, &WidePort), Expected);
    assert_true(Scope == (Expected == OK ? ExpectedScope : 77) &&
                Port == (Expected == OK ? ExpectedPort : 88));
    assert_true(WideScope == Scope && WidePort == Port);
}

static void test_ipv6_ex(void **state)
{
    struct in6_addr Address;
    ULONG Scope;
    (void)state;
    check_ipv6_ex("::1", OK, 0, 0);
    check_ipv6_ex("::1%4294967295", OK, 0xFFFFFFFF, 0);
    check_ipv6_ex("[::1]", OK, 0, 0);
    check_ipv6_ex("[fe80::1%7]:80", OK, 7, 0x5000);
    check_ipv6_ex("[::1]:0x80", OK, 0, 0x8000);
    check_ipv6_ex("[::1]:080", BAD, 0, 0);
    check_ipv6_ex("[::1]80", BAD, 0, 0);
    check_ipv6_ex("[::1", BAD, 0, 0);
    check_ipv6_ex("::1]", BAD, 0, 0);
    check_ipv6_ex("::1%4294967296", BAD, 0, 0);
    check_ipv6_ex("::1%", BAD, 0, 0);
    check_ipv6_ex("::1%0x10", BAD, 0, 0);
    check_ipv6_ex("::1/16", BAD, 0, 0);
    assert_int_equal(RtlIpv6StringToAddressExA("::", &Address, &Scope, NULL), BAD);
}

static const struct {
    UCHAR Address[16];
    const char *Text;
} Texts[] = {
    {{0}, "::"},
    {{[15] = 1}, "::1"},
    {{[1] = 1, [15] = 8}, "1::8"},
    {{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, "1:2:3:4:5:6:7:8"},
    {{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0, 8}, "1:2:3:4:5:6:0:8"},
    {{0x20, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0xAB, 0xCD}, "2001:0:0:3::abcd"},
    {{0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 7, 0, 8}, "1::3:0:0:7:8"}, /* the first of two equal runs */
    {{[12] = 1, 2, 3, 4}, "::1.2.3.4"},
    {{[14] = 3, 4}, "::304"},
    {{[10] = 0xFF, 0xFF, 1, 2, 3, 4}, "::ffff:1.2.3.4"},
    {{[8] = 0xFF, 0xFF, 0, 0, 1, 2, 3, 4}, "::ffff:0:1.2.3.4"},
    {{[10] = 0x5E, 0xFE, 0, 0, 0, 0}, "::5efe:0.0.0.0"},
    {{0, 1, [8] = 2, 0, 0x5E, 0xFE, 1, 2, 3, 4}, "1::200:5efe:1.2.3.4"},
    {{[8] = 3, 0, 0x5E, 0xFE, 1, 2, 3, 4}, "::300:5efe:102:304"},
    {{0xFE, 0x80}, "fe80::"},
};

static void test_format(void **state)
{
    WCHAR Wide[66];
    char Text[66];
    struct in_addr Four = {{255, 0, 10, 7}};
    (void)state;
    assert_ptr_equal(RtlIpv4AddressToStringA(&Four, Text), Text + 10);
    assert_string_equal(Text, "255.0.10.7");
    for (ULONG i = 0; i < RTL_NUMBER_OF(Texts); i++) {
        const struct in6_addr *Address = (const struct in6_addr *)Texts[i].Address;
        ULONG Length = (ULONG)strlen(Texts[i].Text);
        assert_ptr_equal(RtlIpv6AddressToStringA(Address, Text), Text + Length);
        assert_string_equal(Text, Texts[i].Text);
        assert_ptr_equal(RtlIpv6AddressToStringW(Address, Wide), Wide + Length);
        assert_memory_equal(Wide, widen(Text), 2 * Length + 2);
    }
}

static void test_format_ex(void **state)
{
    struct in_addr Four = {{1, 2, 3, 4}};
    struct in6_addr Six;
    char Text[66];
    WCHAR Wide[66];
    ULONG Length = 10;
    (void)state;
    assert_int_equal(RtlIpv4AddressToStringExA(&Four, 0x5000, Text, &Length), BAD);
    assert_int_equal(Length, 11);
    assert_int_equal(RtlIpv4AddressToStringExA(&Four, 0x5000, Text, &Length), OK);
    assert_string_equal(Text, "1.2.3.4:80");
    assert_int_equal(RtlIpv4AddressToStringExW(&Four, 0, Wide, &Length), OK);
    assert_true(Length == 8 && memcmp(Wide, L"1.2.3.4", 16) == 0);
    assert_int_equal(RtlIpv4AddressToStringExA(&Four, 0, Text, NULL), BAD);
    memset(&Six, 0x11, sizeof(Six));
    Six.Bytes[8] = Six.Bytes[9] = 0;
    Six.Bytes[10] = 0x5E;
    Six.Bytes[11] = 0xFE;
    memset(Six.Bytes + 12, 255, 4);
    Length = 66; /* the longest there is */
    assert_int_equal(RtlIpv6AddressToStringExA(&Six, 0xFFFFFFFF, 0xFFFF, Text, &Length), OK);
    assert_string_equal(Text, "[1111:1111:1111:1111:0:5efe:255.255.255.255%4294967295]:65535");
    assert_int_equal(Length, strlen(Text) + 1);
    assert_int_equal(RtlIpv6AddressToStringExW(&Six, 1, 0, Wide, &Length), OK);
    assert_memory_equal(Wide, widen("1111:1111:1111:1111:0:5efe:255.255.255.255%1"), 2 * Length);
    assert_int_equal(RtlIpv6AddressToStringExA(NULL, 1, 0, Text, &Length), BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4),    cmocka_unit_test(test_ipv4_port), cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_ipv6_ex), cmocka_unit_test(test_format),    cmocka_unit_test(test_format_ex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
