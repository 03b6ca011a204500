/* SPDX-License-Identifier: MIT
 * Internet addresses as text [WDK RtlIpv4AddressToStringA, RtlIpv6AddressToStringExA ...; RFC 5952]. */
#include "crt.h"
#include "ip_text.h"
#include "ntbox/ip2string.h"

/* "[1111:2222:3333:4444:5555:5efe:255.255.255.255%4294967295]:65535" and the terminator. */
#define LONGEST 66

static ULONG RtlpFormatIpv4(const UCHAR *Address, CHAR *Text)
{
    return (ULONG)sprintf(Text, "%u.%u.%u.%u", Address[0], Address[1], Address[2], Address[3]);
}

static USHORT RtlpGroup(const UCHAR *Address, ULONG Index)
{
    return (USHORT)(Address[2 * Index] << 8 | Address[2 * Index + 1]);
}

/* Addresses that end in an IPv4 address: compatible, mapped, translated, and ISATAP. */
static BOOLEAN RtlpHasIpv4Tail(const UCHAR *Address)
{
    USHORT Fourth = RtlpGroup(Address, 4), Fifth = RtlpGroup(Address, 5);
    BOOLEAN Zeros = TRUE;

    if ((Fourth & ~0x0200) == 0 && Fifth == 0x5EFE)
        return TRUE;
    for (ULONG i = 0; i < 8; i++)
        Zeros = Zeros && Address[i] == 0;
    return Zeros && RtlpGroup(Address, 6) != 0 &&
           ((Fourth == 0 && (Fifth == 0 || Fifth == 0xFFFF)) || (Fourth == 0xFFFF && Fifth == 0));
}

/* The first longest run of two or more groups of 0 among Count; *Length is 0 without. */
static ULONG RtlpFindZeros(const UCHAR *Address, ULONG Count, ULONG *Length)
{
    ULONG Best = 0, Run = 0;

    *Length = 0;
    for (ULONG i = 0; i < Count; i++) {
        Run = RtlpGroup(Address, i) == 0 ? Run + 1 : 0;
        if (Run >= 2 && Run > *Length) {
            *Length = Run;
            Best = i + 1 - Run;
        }
    }
    return Best;
}

static ULONG RtlpFormatIpv6(const UCHAR *Address, CHAR *Text)
{
    BOOLEAN Tail = RtlpHasIpv4Tail(Address);
    ULONG Count = Tail ? 6 : 8, Zeros, Used = 0, At = RtlpFindZeros(Address, Count, &Zeros);

    for (ULONG i = 0; i < Count; i++) {
        if (Zeros != 0 && i == At) {
            Used += (ULONG)sprintf(Text + Used, i == 0 ? "::" : ":");
            i += Zeros - 1;
        } else {
            Used += (ULONG)sprintf(Text + Used, i + 1 < 8 ? "%x:" : "%x", RtlpGroup(Address, i));
        }
    }
    if (Tail)
        Used += RtlpFormatIpv4(Address + 12, Text + Used);
    return Used;
}

/* Text and its terminator; returns where the terminator is. */
static PWSTR RtlpWiden(PWSTR To, const CHAR *Text)
{
    while ((*To = (UCHAR)*Text++) != 0)
        To++;
    return To;
}

PSTR NTAPI RtlIpv4AddressToStringA(const struct in_addr *Addr, PSTR S)
{
    return S + RtlpFormatIpv4((const UCHAR *)Addr, S);
}

PWSTR NTAPI RtlIpv4AddressToStringW(const struct in_addr *Addr, PWSTR S)
{
    CHAR Text[LONGEST];

    RtlpFormatIpv4((const UCHAR *)Addr, Text);
    return RtlpWiden(S, Text);
}

PSTR NTAPI RtlIpv6AddressToStringA(const struct in6_addr *Addr, PSTR S)
{
    return S + RtlpFormatIpv6((const UCHAR *)Addr, S);
}

PWSTR NTAPI RtlIpv6AddressToStringW(const struct in6_addr *Addr, PWSTR S)
{
    CHAR Text[LONGEST];

    RtlpFormatIpv6((const UCHAR *)Addr, Text);
    return RtlpWiden(S, Text);
}

/* [WDK RtlIpv4AddressToStringExA] *Length counts characters with the terminator; what is too short is told how long. */
static NTSTATUS RtlpGive(const CHAR *Text, ULONG Used, PVOID Buffer, BOOLEAN Wide, PULONG Length)
{
    ULONG Room = *Length;

    *Length = Used + 1;
    if (Room <= Used)
        return STATUS_INVALID_PARAMETER;
    if (Wide)
        RtlpWiden(Buffer, Text);
    else
        memcpy(Buffer, Text, Used + 1);
    return STATUS_SUCCESS;
}

static ULONG RtlpSwap(USHORT Port)
{
    return (USHORT)(Port << 8 | Port >> 8);
}

static NTSTATUS RtlpFormatIpv4Ex(const struct in_addr *Address, USHORT Port, PVOID Buffer, BOOLEAN Wide,
                                 PULONG Length)
{
    CHAR Text[LONGEST];

    if (Address == NULL || Buffer == NULL || Length == NULL)
        return STATUS_INVALID_PARAMETER;
    ULONG Used = RtlpFormatIpv4((const UCHAR *)Address, Text);
    if (Port != 0)
        Used += (ULONG)sprintf(Text + Used, ":%u", RtlpSwap(Port));
    return RtlpGive(Text, Used, Buffer, Wide, Length);
}

static NTSTATUS RtlpFormatIpv6Ex(const struct in6_addr *Address, ULONG ScopeId, USHORT Port, PVOID Buffer,
                                 BOOLEAN Wide, PULONG Length)
{
    CHAR Text[LONGEST] = "[";

    if (Address == NULL || Buffer == NULL || Length == NULL)
        return STATUS_INVALID_PARAMETER;
    ULONG Used = Port != 0;
    Used += RtlpFormatIpv6((const UCHAR *)Address, Text + Used);
    if (ScopeId != 0)
        Used += (ULONG)sprintf(Text + Used, "%%%u", ScopeId);
    if (Port != 0)
        Used += (ULONG)sprintf(Text + Used, "]:%u", RtlpSwap(Port));
    return RtlpGive(Text, Used, Buffer, Wide, Length);
}

NTSTATUS NTAPI RtlIpv4AddressToStringExA(const struct in_addr *Address, USHORT Port, PSTR AddressString,
                                         PULONG AddressStringLength)
{
    return RtlpFormatIpv4Ex(Address, Port, AddressString, FALSE, AddressStringLength);
}

NTSTATUS NTAPI RtlIpv4AddressToStringExW(const struct in_addr *Address, USHORT Port, PWSTR AddressString,
                                         PULONG AddressStringLength)
{
    return RtlpFormatIpv4Ex(Address, Port, AddressString, TRUE, AddressStringLength);
}

NTSTATUS NTAPI RtlIpv6AddressToStringExA(const struct in6_addr *Address, ULONG ScopeId, USHORT Port,
                                         PSTR AddressString, PULONG AddressStringLength)
{
    return RtlpFormatIpv6Ex(Address, ScopeId, Port, AddressString, FALSE, AddressStringLength);
}

NTSTATUS NTAPI RtlIpv6AddressToStringExW(const struct in6_addr *Address, ULONG ScopeId, USHORT Port,
                                         PWSTR AddressString, PULONG AddressStringLength)
{
    return RtlpFormatIpv6Ex(Address, ScopeId, Port, AddressString, TRUE, AddressStringLength);
}
