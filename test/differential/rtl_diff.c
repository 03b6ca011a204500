/* SPDX-License-Identifier: MIT
 * Calls functions of the run-time library with random arguments and prints "section number: result". Compiled twice from this source: with
 * kernel/rtl for the host, and by mingw against Wine's ntdll.dll (RTL_DIFF_WINE). rtl_diff.py compares the lines. */
#include <stdio.h>
#include <stdlib.h>

#include "rtl.h"

#ifndef RTL_DIFF_WINE
DECLSPEC_NORETURN VOID RtlRaiseStatus(NTSTATUS Status)
{
    abort();
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return malloc(NumberOfBytes);
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    free(P);
}
#endif

static uint64_t Seed;
static const char *Section;
static ULONG Number;

static ULONG Below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

/* The compilers differ in the order in which they evaluate an expression: one call of Below in each. */
static uint64_t Wide64(ULONG MostShift)
{
    uint64_t High = Below(0x7FFFFFFF);
    uint64_t Low = Below(0x7FFFFFFF);
    return (High << 32 | Low) >> Below(MostShift);
}

static void Begin(const char *Name)
{
    Section = Name;
    Number = 0;
    Seed = 0x5EED;
}

static void Key(void)
{
    printf("%s %u:", Section, (unsigned)Number++);
}

static void Hex(const void *Data, ULONG Length)
{
    printf(" ");
    for (ULONG i = 0; i < Length; i++)
        printf("%02x", ((const UCHAR *)Data)[i]);
}

/* Text of letters that matter to a parser; at most Most characters and the terminator. */
static ULONG Text(char *To, ULONG Most, const char *Letters)
{
    ULONG Length = Below(Most + 1), Count = 0;
    while (Letters[Count] != 0)
        Count++;
    for (ULONG i = 0; i < Length; i++)
        To[i] = Letters[Below(Count)];
    To[Length] = 0;
    return Length;
}

static void Widen(WCHAR *To, const char *From)
{
    while ((*To++ = (UCHAR)*From++) != 0) {
    }
}

static WCHAR Letter(void)
{
    static const WCHAR Ranges[] = {0x20,  0x60,   0xA0,  0x60,   0x100, 0x150,  0x370,
                                   0x190, 0x1E00, 0x200, 0xD7F0, 0x820, 0xFF00, 0x100};
    ULONG Range = Below(RTL_NUMBER_OF(Ranges) / 2) * 2;
    return (WCHAR)(Ranges[Range] + Below(Ranges[Range + 1]));
}

static void Letters(UNICODE_STRING *String, WCHAR *Buffer, ULONG Most)
{
    ULONG Length = Below(Most + 1);
    for (ULONG i = 0; i < Length; i++)
        Buffer[i] = Letter();
    *String = (UNICODE_STRING){(USHORT)(2 * Length), (USHORT)(2 * Most), Buffer};
}

static void Case(void)
{
    Begin("upcase");
    for (ULONG c = 0; c < 0x10000; c++) {
        Key();
        printf(" %04x\n", RtlUpcaseUnicodeChar((WCHAR)c));
    }
    Begin("downcase");
    for (ULONG c = 0; c < 0x10000; c++) {
        Key();
        printf(" %04x\n", RtlDowncaseUnicodeChar((WCHAR)c));
    }
}

static void Strings(void)
{
    Begin("string");
    for (int i = 0; i < 3000; i++) {
        WCHAR a[12], b[12];
        UNICODE_STRING x, y;
        ULONG Hash = 0;
        Letters(&x, a, 6);
        Letters(&y, b, 6);
        if (Below(2)) /* mostly equal */
            for (ULONG j = 0; j < x.Length / 2u && j < y.Length / 2u; j++)
                b[j] = Below(2) ? RtlUpcaseUnicodeChar(a[j]) : a[j];
        LONG Order = RtlCompareUnicodeString(&x, &y, TRUE), Exact = RtlCompareUnicodeString(&x, &y, FALSE);
        NTSTATUS Status = RtlHashUnicodeString(&x, (BOOLEAN)Below(2), 1, &Hash);
        Key();
        printf(" %d %d %d %d %d %x %08x\n", (Order > 0) - (Order < 0), (Exact > 0) - (Exact < 0),
               RtlEqualUnicodeString(&x, &y, TRUE), RtlPrefixUnicodeString(&x, &y, TRUE),
               RtlPrefixUnicodeString(&x, &y, FALSE), (unsigned)Status, (unsigned)Hash);
    }
}

static void Utf8(void)
{
    Begin("utf8");
    for (int i = 0; i < 3000; i++) {
        char Narrow[64];
        WCHAR Wide[24], Back[64];
        UNICODE_STRING String;
        ULONG Length = 0, Got = 0xDEAD;
        Letters(&String, Wide, 12);
        RtlUnicodeToUTF8N(Narrow, sizeof(Narrow), &Length, Wide, String.Length);
        if (Length != 0 && Below(4) == 0)
            Narrow[Below(Length)] = (char)0xFF; /* never part of a sequence */
        NTSTATUS Status = RtlUTF8ToUnicodeN(Back, sizeof(Back), &Got, Narrow, Length);
        Key();
        Hex(Narrow, Length);
        printf(" %x %u", (unsigned)Status, (unsigned)Got);
        Hex(Back, Got > sizeof(Back) ? 0 : Got);
        printf("\n");
    }
    Begin("utf16");
    for (int i = 0; i < 3000; i++) {
        char Narrow[40];
        WCHAR Wide[8];
        UNICODE_STRING String;
        ULONG Got = 0xDEAD, Room = Below(24);
        Letters(&String, Wide, 8);
        NTSTATUS Status = RtlUnicodeToUTF8N(Narrow, Room, &Got, Wide, String.Length);
        Key();
        printf(" %x %u", (unsigned)Status, (unsigned)Got);
        Hex(Narrow, Got > Room ? 0 : Got);
        printf("\n");
    }
}

static void Numbers(void)
{
    static const ULONG Bases[] = {0, 2, 8, 10, 16, 3};
    Begin("number");
    for (int i = 0; i < 3000; i++) {
        char Narrow[20];
        WCHAR Wide[70], Out[70];
        UNICODE_STRING String, To = {0, (USHORT)(2 * Below(70)), Out};
        ULONG a = 0xDEAD, b = 0xDEAD, Base = Bases[Below(6)];
        Text(Narrow, 12, " +-0123789xobafF");
        Widen(Wide, Narrow);
        RtlInitUnicodeString(&String, Wide);
        NTSTATUS One = RtlCharToInteger(Narrow, Base, &a), Two = RtlUnicodeStringToInteger(&String, Base, &b);
        Key();
        printf(" [%s %u] %x %x %x %x\n", Narrow, (unsigned)Base, (unsigned)One, (unsigned)a, (unsigned)Two,
               (unsigned)b);
        uint64_t Value = Wide64(60);
        NTSTATUS Status = Below(2) ? RtlInt64ToUnicodeString(Value, Base, &To)
                                   : RtlIntegerToUnicodeString((ULONG)Value, Base, &To);
        Key();
        printf(" %x", (unsigned)Status);
        Hex(Out, Status == 0 ? To.Length : 0);
        printf("\n");
    }
}

static void Guids(void)
{
    Begin("guid");
    for (int i = 0; i < 1000; i++) {
        char Narrow[48] = "{00000000-0000-0000-0000-000000000000}";
        WCHAR Wide[48];
        UNICODE_STRING String, Out = {0, 0, NULL};
        GUID Guid = {0};
        for (int j = 0; j < 38; j++)
            Narrow[j] = Narrow[j] == '0' ? "0123456789abcdefABCDEF"[Below(22)] : Narrow[j];
        ULONG Which = Below(76);
        if (Which < 38)
            Narrow[Which] = "{}-xg0"[Below(6)];
        Widen(Wide, Narrow);
        RtlInitUnicodeString(&String, Wide);
        NTSTATUS Status = RtlGUIDFromString(&String, &Guid);
        Key();
        printf(" [%s] %x", Narrow, (unsigned)Status);
        Hex(&Guid, Status == 0 ? sizeof(Guid) : 0);
        if (Status == 0 && RtlStringFromGUID(&Guid, &Out) == 0) {
            Hex(Out.Buffer, Out.Length);
            RtlFreeUnicodeString(&Out);
        }
        printf("\n");
    }
}

static void Times(void)
{
    Begin("time");
    for (int i = 0; i < 3000; i++) {
        LARGE_INTEGER Time = {.QuadPart = (LONGLONG)Wide64(40)}, Back = {.QuadPart = -1};
        TIME_FIELDS Fields;
        ULONG Since1970 = 0, Since1980 = 0;
        RtlTimeToTimeFields(&Time, &Fields);
        BOOLEAN A = RtlTimeToSecondsSince1970(&Time, &Since1970),
                B = RtlTimeToSecondsSince1980(&Time, &Since1980);
        Key();
        printf(" %llx", (unsigned long long)Time.QuadPart);
        Hex(&Fields, sizeof(Fields));
        printf(" %d %u %d %u\n", A, (unsigned)Since1970, B, (unsigned)Since1980);
        ULONG Which = Below(7);
        ((CSHORT *)&Fields)[Which] = (CSHORT)Below(70);
        A = RtlTimeFieldsToTime(&Fields, &Back);
        Key();
        Hex(&Fields, 14);
        printf(" %d %llx\n", A, (unsigned long long)(A ? Back.QuadPart : 0));
    }
}

static void Bits(void)
{
    Begin("bits");
    for (int i = 0; i < 2000; i++) {
        ULONG Words[4], Size = 1 + Below(128), From = Below(Size);
        RTL_BITMAP Map;
        for (int j = 0; j < 4; j++) {
            ULONG Word = (ULONG)Wide64(1), Sparse = Word & (ULONG)Wide64(1), Kind = Below(3);
            Words[j] = Kind == 0 ? Word : Kind == 1 ? Sparse : 0xFFFFFFFF << Below(32);
        }
        RtlInitializeBitMap(&Map, Words, Size);
        Key();
        Hex(Words, 16);
        printf(" %u: %u", (unsigned)Size, (unsigned)RtlNumberOfSetBits(&Map));
        printf(" %u", (unsigned)RtlFindClearBits(&Map, 1 + From / 8, From));
        printf(" %u", (unsigned)RtlFindSetBits(&Map, 1 + From / 8, From));
        printf(" %d %d\n", RtlFindMostSignificantBit(Words[0]), RtlFindLeastSignificantBit(Words[1]));
    }
}

static const char *const Addresses4[] = {"1.2.3.4",    "0x7f.1",      "010.8", "255.255.255.255:80",
                                         "4294967296", "1.2.3.4:0x50"};
static const char *const Addresses6[] = {"::",
                                         "1::8",
                                         "fe80::1%5",
                                         "[::1]:80",
                                         "1:2:3:4:5:6:7:8",
                                         "::1.2.3.4",
                                         "1::1.2.3.4",
                                         "::ffff:0:1.2.3.4",
                                         "1:2:3:4:5:6:1.2.3.4",
                                         "2001:db8::1/64"};

/* One of the texts, with some characters changed, put in or left out. */
static void Mutate(char *To, const char *const *From, ULONG Count, const char *Letters)
{
    const char *Text = From[Below(Count)];
    ULONG Length = 0, Known = 0;
    while (Letters[Known] != 0)
        Known++;
    while (*Text != 0 && Length < 60) {
        ULONG What = Below(12);
        if (What == 0)
            To[Length++] = Letters[Below(Known)];
        if (What != 1)
            To[Length++] = What == 2 ? Letters[Below(Known)] : *Text;
        Text++;
    }
    To[Length] = 0;
}

static void Ipv4(void)
{
    Begin("ipv4");
    for (int i = 0; i < 6000; i++) {
        char Narrow[80], Back[80];
        WCHAR Wide[80];
        UCHAR Address[4] = {9, 9, 9, 9}, Other[4] = {9, 9, 9, 9}, Third[4] = {9, 9, 9, 9};
        const char *End = NULL;
        const WCHAR *WideEnd = NULL;
        USHORT Port = 0;
        BOOLEAN Strict = (BOOLEAN)Below(2);
        if (Below(4))
            Mutate(Narrow, Addresses4, RTL_NUMBER_OF(Addresses4), "0123456789.:xXa+ ");
        else
            Text(Narrow, 16, "0123456789..x");
        Widen(Wide, Narrow);
        NTSTATUS A = RtlIpv4StringToAddressA(Narrow, Strict, &End, (struct in_addr *)Address);
        NTSTATUS B = RtlIpv4StringToAddressW(Wide, Strict, &WideEnd, (struct in_addr *)Other);
        NTSTATUS C = RtlIpv4StringToAddressExA(Narrow, Strict, (struct in_addr *)Third, &Port);
        RtlIpv4AddressToStringA((struct in_addr *)Address, Back);
        Key();
        printf(" [%s %d] %x %d", Narrow, Strict, (unsigned)A, (int)(End - Narrow));
        Hex(Address, 4);
        printf(" %x %d", (unsigned)B, (int)(WideEnd - Wide));
        Hex(Other, 4);
        printf(" %x %x %s\n", (unsigned)C, Port, Back);
    }
}

static void Ipv6(void)
{
    Begin("ipv6");
    for (int i = 0; i < 8000; i++) {
        char Narrow[80], Back[80];
        const char *End = NULL;
        UCHAR Address[16], Third[16];
        USHORT Port = 0xDEAD;
        ULONG Scope = 0xDEAD, Length = 80;
        for (int j = 0; j < 16; j++)
            Address[j] = Third[j] = (UCHAR)(Below(3) ? 0 : Below(256));
        UCHAR Random[16];
        for (int j = 0; j < 16; j++)
            Random[j] = Address[j];
        if (Below(4))
            Mutate(Narrow, Addresses6, RTL_NUMBER_OF(Addresses6), "0123456789abcF:.%][x");
        else
            Text(Narrow, 20, "012:::.f");
        NTSTATUS A = RtlIpv6StringToAddressA(Narrow, &End, (struct in6_addr *)Address);
        NTSTATUS C = RtlIpv6StringToAddressExA(Narrow, (struct in6_addr *)Third, &Scope, &Port);
        Key();
        printf(" [%s] %x %d", Narrow, (unsigned)A, End == NULL ? -1 : (int)(End - Narrow));
        Hex(Address, A == 0 ? 16 : 0);
        printf(" %x %x %x\n", (unsigned)C, (unsigned)Scope, Port);
        Scope = Below(3);
        Port = (USHORT)Below(3);
        RtlIpv6AddressToStringExA((struct in6_addr *)Random, Scope, Port, Back, &Length);
        Key();
        printf(" %s %u\n", Back, (unsigned)Length);
    }
}

/* A chunk made by hand, with errors. What stands between a short chunk and the next is documented nowhere. */
static void Lznt1(void)
{
    static UCHAR Packed[600], Out[9000];
    Begin("lznt1");
    for (int i = 0; i < 4000; i++) {
        ULONG Length = 0, Got = 0xDEAD, Room = Below(4) ? sizeof(Out) : Below(60), Size = 1 + Below(60);
        ULONG Header = (Size - 1) | (Below(3) ? 0xB000 : 0x3000);
        Packed[Length++] = (UCHAR)Header;
        Packed[Length++] = (UCHAR)(Header >> 8);
        for (ULONG j = 0; j < Size; j++)
            Packed[Length++] = (UCHAR)(Below(3) ? Below(4) : 'a' + Below(26));
        if (Below(3) == 0)
            Length = Below(Length + 1);
        NTSTATUS Status = RtlDecompressBuffer(2, Out, Room, Packed, Length, &Got);
        ULONG Sum = 0;
        for (ULONG j = 0; Status == 0 && j < Got; j++)
            Sum = Sum * 31 + Out[j];
        Key();
        Hex(Packed, Length);
        printf(" %u: %x %u %x\n", (unsigned)Room, (unsigned)Status, (unsigned)(Status == 0 ? Got : 0),
               (unsigned)Sum);
    }
}

static void ShortNames(void)
{
    Begin("8.3");
    for (int i = 0; i < 4000; i++) {
        char Narrow[20];
        WCHAR Wide[20];
        UNICODE_STRING String;
        BOOLEAN Spaces = 7;
        Text(Narrow, Below(2) ? 4 : 13, "aB1~. .+[=;,*?<>|\"/\\:");
        Widen(Wide, Narrow);
        RtlInitUnicodeString(&String, Wide);
        BOOLEAN Legal = RtlIsNameLegalDOS8Dot3(&String, NULL, &Spaces);
        Key();
        printf(" [%s] %d %d\n", Narrow, Legal, Legal ? Spaces : 0);
    }
}

int main(void)
{
    Case();
    Strings();
    Utf8();
    Numbers();
    Guids();
    Times();
    Bits();
    Ipv4();
    Ipv6();
    Lznt1();
    ShortNames();
    return 0;
}
