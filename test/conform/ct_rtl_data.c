/* SPDX-License-Identifier: MIT
 * Compressed buffers and internet addresses. [WDK RtlCompressBuffer, RtlDecompressBuffer, RtlDecompressFragment,
 * RtlIpv4AddressToStringA, RtlIpv6StringToAddressExA ...; MS-XCA 2.5] */
#include "ct.h"
#include <ip2string.h>

#define TAG 'ataD'
#define LENGTH 10000
#define LZNT1 (COMPRESSION_FORMAT_LZNT1 | COMPRESSION_ENGINE_STANDARD)

typedef struct BUFFERS {
    UCHAR Plain[LENGTH], Packed[LENGTH], Back[LENGTH];
} BUFFERS;

static VOID Fill(PUCHAR Plain)
{
    for (ULONG i = 0; i < LENGTH; i++)
        Plain[i] =
            (UCHAR)("drivers are made of words, words of letters, letters of bytes "[i % 62] + i / 3000);
}

static VOID RoundTrip(BUFFERS *b, PVOID WorkSpace, PVOID FragmentSpace)
{
    ULONG Size = 0, Back = 0;

    Fill(b->Plain);
    CT_SUCCESS(RtlCompressBuffer(LZNT1, b->Plain, LENGTH, b->Packed, LENGTH, 4096, &Size, WorkSpace));
    CT_CHECK(Size > 0 && Size < LENGTH / 4);
    CT_EQUAL(*(PUSHORT)b->Packed & 0xF000, 0xB000);
    CT_SUCCESS(RtlDecompressBuffer(LZNT1, b->Back, LENGTH, b->Packed, Size, &Back));
    CT_EQUAL(Back, LENGTH);
    CT_EQUAL(RtlCompareMemory(b->Back, b->Plain, LENGTH), LENGTH);
    RtlZeroMemory(b->Back, LENGTH);
    CT_SUCCESS(RtlDecompressBufferEx(LZNT1, b->Back, LENGTH, b->Packed, Size, &Back, FragmentSpace));
    CT_EQUAL(RtlCompareMemory(b->Back, b->Plain, LENGTH), LENGTH);
    CT_SUCCESS(RtlDecompressFragment(LZNT1, b->Back, LENGTH, b->Packed, Size, 5000, &Back, FragmentSpace));
    CT_EQUAL(Back, LENGTH - 5000);
    CT_EQUAL(RtlCompareMemory(b->Back, b->Plain + 5000, Back), Back);
    CT_STATUS(RtlCompressBuffer(LZNT1, b->Plain, LENGTH, b->Packed, 50, 4096, &Size, WorkSpace),
              STATUS_BUFFER_TOO_SMALL);
    RtlZeroMemory(b->Plain, LENGTH);
    CT_STATUS(RtlCompressBuffer(LZNT1, b->Plain, LENGTH, b->Packed, LENGTH, 4096, &Size, WorkSpace),
              STATUS_BUFFER_ALL_ZEROS);
}

static VOID DataCtCompress(VOID)
{
    ULONG Compress = 0, Fragment = 0;

    CT_SUCCESS(RtlGetCompressionWorkSpaceSize(LZNT1, &Compress, &Fragment));
    CT_CHECK(Compress != 0 && Fragment == 4096);
    CT_STATUS(RtlGetCompressionWorkSpaceSize(COMPRESSION_FORMAT_NONE, &Compress, &Fragment),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(RtlGetCompressionWorkSpaceSize(0xFF, &Compress, &Fragment), STATUS_UNSUPPORTED_COMPRESSION);
    PUCHAR WorkSpace = ExAllocatePoolWithTag(PagedPool, Compress + Fragment, TAG);
    BUFFERS *Buffers = ExAllocatePoolWithTag(PagedPool, sizeof(BUFFERS), TAG);
    if (CT_CHECK(WorkSpace != NULL && Buffers != NULL))
        RoundTrip(Buffers, WorkSpace, WorkSpace + Compress);
    if (WorkSpace != NULL)
        ExFreePoolWithTag(WorkSpace, TAG);
    if (Buffers != NULL)
        ExFreePoolWithTag(Buffers, TAG);
}

/* Bytes that no compressor made. */
static VOID DataCtDamaged(VOID)
{
    static UCHAR Good[] = {0x06, 0xB0, 0x10, 'W', 'o', 'r', 'd', 0x01, 0x30},
                 Far[] = {0x06, 0xB0, 0x10, 'W', 'o', 'r', 'd', 0x01, 0x40};
    UCHAR Back[16];
    ULONG Size = 0;

    CT_SUCCESS(RtlDecompressBuffer(LZNT1, Back, sizeof(Back), Good, sizeof(Good), &Size));
    CT_EQUAL(Size, 8);
    CT_EQUAL(RtlCompareMemory(Back, "WordWord", 8), 8);
    CT_STATUS(RtlDecompressBuffer(LZNT1, Back, sizeof(Back), Far, sizeof(Far), &Size),
              STATUS_BAD_COMPRESSION_BUFFER);
    CT_STATUS(RtlDecompressBuffer(LZNT1, Back, sizeof(Back), Good, sizeof(Good) - 1, &Size),
              STATUS_BAD_COMPRESSION_BUFFER);
    CT_STATUS(RtlDecompressBuffer(LZNT1, Back, sizeof(Back), Good, 1, &Size), STATUS_BAD_COMPRESSION_BUFFER);
}

static VOID DataCtIpv4(VOID)
{
    IN_ADDR Address = {.S_un.S_un_b = {192, 168, 0, 1}}, Back = {0};
    CHAR Text[22];
    WCHAR Wide[22];
    PCSTR End = NULL;
    PCWSTR WideEnd = NULL;
    ULONG Length = 22;
    USHORT Port = 0;

    CT_CHECK(RtlIpv4AddressToStringA(&Address, Text) == Text + 11 && strcmp(Text, "192.168.0.1") == 0);
    CT_CHECK(RtlIpv4AddressToStringW(&Address, Wide) == Wide + 11 && wcscmp(Wide, L"192.168.0.1") == 0);
    CT_SUCCESS(RtlIpv4StringToAddressA(Text, TRUE, &End, &Back));
    CT_CHECK(*End == 0 && Back.S_un.S_addr == Address.S_un.S_addr);
    CT_SUCCESS(RtlIpv4StringToAddressW(L"0x7f.1;", FALSE, &WideEnd, &Back));
    CT_CHECK(*WideEnd == ';' && Back.S_un.S_addr == 0x0100007F);
    CT_STATUS(RtlIpv4StringToAddressA("1.2.3", TRUE, &End, &Back), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(RtlIpv4AddressToStringExA(&Address, 0x5000, Text, &Length));
    CT_CHECK(Length == 15 && strcmp(Text, "192.168.0.1:80") == 0);
    Length = 3;
    CT_STATUS(RtlIpv4AddressToStringExW(&Address, 0, Wide, &Length), STATUS_INVALID_PARAMETER);
    CT_EQUAL(Length, 12);
    CT_SUCCESS(RtlIpv4AddressToStringExW(&Address, 0, Wide, &Length));
    CT_SUCCESS(RtlIpv4StringToAddressExA(Text, TRUE, &Back, &Port));
    CT_EQUAL(Port, 0x5000);
    CT_SUCCESS(RtlIpv4StringToAddressExW(Wide, TRUE, &Back, &Port));
    CT_EQUAL(Port, 0);
}

static VOID DataCtIpv6(VOID)
{
    IN6_ADDR Address = {.u.Byte = {0xFE, 0x80, [15] = 0x1F}}, Back;
    CHAR Text[66];
    WCHAR Wide[66];
    PCSTR End = NULL;
    PCWSTR WideEnd = NULL;
    ULONG Length = 66, Scope = 0;
    USHORT Port = 0;

    CT_CHECK(RtlIpv6AddressToStringA(&Address, Text) == Text + 8 && strcmp(Text, "fe80::1f") == 0);
    CT_CHECK(RtlIpv6AddressToStringW(&Address, Wide) == Wide + 8 && wcscmp(Wide, L"fe80::1f") == 0);
    CT_SUCCESS(RtlIpv6StringToAddressA(Text, &End, &Back));
    CT_CHECK(*End == 0 && RtlCompareMemory(&Back, &Address, 16) == 16);
    CT_SUCCESS(RtlIpv6StringToAddressW(L"::ffff:1.2.3.4/96", &WideEnd, &Back));
    CT_CHECK(*WideEnd == '/' && Back.u.Byte[10] == 0xFF && Back.u.Byte[15] == 4);
    CT_STATUS(RtlIpv6StringToAddressA("1:2:3", &End, &Back), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(RtlIpv6AddressToStringExA(&Address, 5, 0x5000, Text, &Length));
    CT_CHECK(Length == 16 && strcmp(Text, "[fe80::1f%5]:80") == 0);
    CT_SUCCESS(RtlIpv6StringToAddressExA(Text, &Back, &Scope, &Port));
    CT_CHECK(Scope == 5 && Port == 0x5000);
    Length = 66;
    CT_SUCCESS(RtlIpv6AddressToStringExW(&Address, 0, 0, Wide, &Length));
    CT_SUCCESS(RtlIpv6StringToAddressExW(Wide, &Back, &Scope, &Port));
    CT_CHECK(Scope == 0 && Port == 0);
    CT_STATUS(RtlIpv6StringToAddressExW(L"[::1", &Back, &Scope, &Port), STATUS_INVALID_PARAMETER);
}

static const CT_CASE Cases[] = {
    {"data.compress", DataCtCompress},
    {"data.damaged", DataCtDamaged},
    {"data.ipv4", DataCtIpv4},
    {"data.ipv6", DataCtIpv6},
};
CT_DRIVER(Cases)
