/* SPDX-License-Identifier: MIT
 * IPv6 addresses from text [WDK RtlIpv6StringToAddressA, RtlIpv6StringToAddressExA; RFC 4291 2.2]. What follows an address that is
 * whole ends it. *Terminator is not written for a group that is too long in the middle, as on Windows. */
#include "ip_text.h"
#include "ntbox/ip2string.h"

/* Slots counts groups and the gap "::"; the bytes of Address are filled from the left until the end is known. */
typedef struct _RTLP_IPV6 {
    RTLP_READER Reader;
    UCHAR *Address;
    ULONG Bytes, Slots, Gap; /* Gap: bytes before "::", NO_GAP without */
    BOOLEAN NoTerminator;
} RTLP_IPV6;

#define NO_GAP 16u
#define MORE ((NTSTATUS)1) /* STATUS_WAIT_1: a part was read, another follows */

static NTSTATUS RtlpFailSilently(RTLP_IPV6 *Ip)
{
    Ip->NoTerminator = TRUE;
    return STATUS_INVALID_PARAMETER;
}

static VOID RtlpPutGroup(RTLP_IPV6 *Ip, ULONG Value)
{
    Ip->Address[Ip->Bytes++] = (UCHAR)(Value >> 8);
    Ip->Address[Ip->Bytes++] = (UCHAR)Value;
    Ip->Slots++;
}

/* The bytes behind the gap go to the end. FALSE: there is no gap, and too few. */
static BOOLEAN RtlpCloseGap(RTLP_IPV6 *Ip)
{
    if (Ip->Gap == NO_GAP)
        return Ip->Bytes == 16;
    ULONG Behind = Ip->Bytes - Ip->Gap;
    memmove(Ip->Address + 16 - Behind, Ip->Address + Ip->Gap, Behind);
    memset(Ip->Address + Ip->Gap, 0, 16 - Ip->Bytes);
    return TRUE;
}

static BOOLEAN RtlpHasRoom(const RTLP_IPV6 *Ip, ULONG Bytes)
{
    return Ip->Gap == NO_GAP ? Ip->Bytes + Bytes == 16 : Ip->Bytes + Bytes <= 14;
}

/* The value of the group that ends the address. Windows reads it again as a C number of base 16: 0x may lead, and at
 * most 31 bits are there. */
static ULONG RtlpLastGroup(RTLP_READER Reader)
{
    ULONG64 Value = 0;
    ULONG Digit;
    RTLP_READER Ahead = Reader;

    if (RtlpAcceptCharacter(&Ahead, '0') &&
        (RtlpAcceptCharacter(&Ahead, 'x') || RtlpAcceptCharacter(&Ahead, 'X')) &&
        RtlpDigitOf(RtlpPeekCharacter(&Ahead), 16) < 16)
        Reader = Ahead;
    for (; (Digit = RtlpDigitOf(RtlpPeekCharacter(&Reader), 16)) < 16; Reader.At++) {
        Value = Value * 16 + Digit;
        if (Value > 0x7FFFFFFF)
            Value = 0x7FFFFFFF;
    }
    return (USHORT)Value;
}

static NTSTATUS RtlpEndWithGroup(RTLP_IPV6 *Ip, ULONG Start)
{
    RTLP_READER Group = {Ip->Reader.Text, Start, Ip->Reader.Wide};

    if (Ip->Reader.At - Start > 4 || !RtlpHasRoom(Ip, 2))
        return STATUS_INVALID_PARAMETER;
    RtlpPutGroup(Ip, RtlpLastGroup(Group));
    return RtlpCloseGap(Ip) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* One number of the IPv4 tail. MORE: a point was behind it. */
static NTSTATUS RtlpReadTailPart(RTLP_IPV6 *Ip, ULONG Index, ULONG *Value)
{
    ULONG Start = Ip->Reader.At, Digit;

    for (*Value = 0; (Digit = RtlpDigitOf(RtlpPeekCharacter(&Ip->Reader), 10)) < 10; Ip->Reader.At++)
        *Value = *Value > 999 ? *Value : *Value * 10 + Digit;
    ULONG Length = Ip->Reader.At - Start;
    BOOLEAN Fits = Length >= 1 && Length <= 3 && *Value <= 255;
    if (Index == 3 || RtlpPeekCharacter(&Ip->Reader) != '.' || Length == 0)
        return Index == 3 && Fits ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    if (!Fits)
        return RtlpFailSilently(Ip);
    Ip->Reader.At++;
    Ip->Address[Ip->Bytes++] = (UCHAR)*Value;
    return MORE;
}

/* a.b.c.d, the reader at a. */
static NTSTATUS RtlpEndWithTail(RTLP_IPV6 *Ip)
{
    ULONG Value = 0;
    NTSTATUS Status = MORE;

    for (ULONG i = 0; i < 4 && Status == MORE; i++)
        Status = RtlpReadTailPart(Ip, i, &Value);
    if (Status != STATUS_SUCCESS)
        return Status;
    if (!RtlpHasRoom(Ip, 1))
        return STATUS_INVALID_PARAMETER;
    Ip->Address[Ip->Bytes++] = (UCHAR)Value;
    return RtlpCloseGap(Ip) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Behind a group that a colon follows: takes the colon, or both of "::". */
static NTSTATUS RtlpContinue(RTLP_IPV6 *Ip, ULONG Start, ULONG Value)
{
    RTLP_READER Ahead = Ip->Reader;

    Ahead.At++;
    BOOLEAN IsGap = RtlpPeekCharacter(&Ahead) == ':';
    if (Ip->Slots == 7 || (IsGap && Ip->Gap != NO_GAP))
        return RtlpEndWithGroup(Ip, Start);
    if (Ip->Reader.At - Start > 4)
        return RtlpFailSilently(Ip);
    RtlpPutGroup(Ip, Value);
    Ip->Reader.At++;
    if (!IsGap)
        return RtlpDigitOf(RtlpPeekCharacter(&Ip->Reader), 16) == 16 ? STATUS_INVALID_PARAMETER : MORE;
    Ip->Reader.At++;
    Ip->Gap = Ip->Bytes;
    Ip->Slots++;
    return MORE;
}

/* One group and what follows it; the end of the address, when it is there. */
static NTSTATUS RtlpReadGroup(RTLP_IPV6 *Ip)
{
    ULONG Start = Ip->Reader.At, Value = 0, Digit;
    BOOLEAN Decimal = TRUE;

    if (Ip->Slots == 8)
        return RtlpCloseGap(Ip) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    for (; (Digit = RtlpDigitOf(RtlpPeekCharacter(&Ip->Reader), 16)) < 16; Ip->Reader.At++) {
        Decimal = Decimal && Digit < 10;
        Value = Value << 4 | Digit;
    }
    if (Ip->Reader.At == Start) /* at the beginning, or behind "::" */
        return Ip->Gap == Ip->Bytes && RtlpCloseGap(Ip) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    if (RtlpPeekCharacter(&Ip->Reader) == ':')
        return RtlpContinue(Ip, Start, Value);
    if (RtlpPeekCharacter(&Ip->Reader) == '.' && Decimal && Ip->Slots <= 6) {
        Ip->Reader.At = Start;
        return RtlpEndWithTail(Ip);
    }
    return RtlpEndWithGroup(Ip, Start);
}

static NTSTATUS RtlpReadIpv6(RTLP_IPV6 *Ip, UCHAR *Address)
{
    RTLP_READER Ahead = Ip->Reader;
    NTSTATUS Status;

    Ip->Address = Address;
    Ip->Gap = NO_GAP;
    if (RtlpAcceptCharacter(&Ahead, ':') && RtlpAcceptCharacter(&Ahead, ':')) {
        Ip->Reader = Ahead;
        Ip->Address[0] = Ip->Address[1] = 0;
        Ip->Gap = 0;
        Ip->Slots = 1;
    }
    do
        Status = RtlpReadGroup(Ip);
    while (Status == MORE);
    return Status;
}

NTSTATUS NTAPI RtlIpv6StringToAddressA(PCSTR S, PCSTR *Terminator, struct in6_addr *Addr)
{
    RTLP_IPV6 Ip = {.Reader = {S, 0, FALSE}};
    NTSTATUS Status = RtlpReadIpv6(&Ip, (UCHAR *)Addr);

    if (!Ip.NoTerminator)
        *Terminator = S + Ip.Reader.At;
    return Status;
}

NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR *Terminator, struct in6_addr *Addr)
{
    RTLP_IPV6 Ip = {.Reader = {S, 0, TRUE}};
    NTSTATUS Status = RtlpReadIpv6(&Ip, (UCHAR *)Addr);

    if (!Ip.NoTerminator)
        *Terminator = S + Ip.Reader.At;
    return Status;
}

/* Decimal, 32 bits. */
static NTSTATUS RtlpReadScope(RTLP_READER *Reader, ULONG *Scope)
{
    ULONG64 Value = 0;
    ULONG Start = Reader->At, Digit;

    for (; (Digit = RtlpDigitOf(RtlpPeekCharacter(Reader), 10)) < 10; Reader->At++) {
        Value = Value * 10 + Digit;
        if (Value > MAXULONG)
            return STATUS_INVALID_PARAMETER;
    }
    *Scope = (ULONG)Value;
    return Reader->At == Start ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* "address", "address%scope", "[address%scope]" or "[address%scope]:port", and nothing behind it. The address is written as
 * soon as it is read, scope and port only for a success. */
static NTSTATUS RtlpReadIpv6WithPort(const void *Text, BOOLEAN Wide, struct in6_addr *Address, PULONG ScopeId,
                                     PUSHORT Port)
{
    RTLP_IPV6 Ip = {.Reader = {Text, 0, Wide}};
    ULONG Scope = 0;
    USHORT Number = 0;

    if (Text == NULL || Address == NULL || ScopeId == NULL || Port == NULL)
        return STATUS_INVALID_PARAMETER;
    BOOLEAN Bracket = RtlpAcceptCharacter(&Ip.Reader, '[');
    NTSTATUS Status = RtlpReadIpv6(&Ip, (UCHAR *)Address);
    if (Status == STATUS_SUCCESS && RtlpAcceptCharacter(&Ip.Reader, '%'))
        Status = RtlpReadScope(&Ip.Reader, &Scope);
    if (Status != STATUS_SUCCESS || (Bracket && !RtlpAcceptCharacter(&Ip.Reader, ']')) ||
        (!Bracket && RtlpPeekCharacter(&Ip.Reader) != 0))
        return STATUS_INVALID_PARAMETER;
    Status = RtlpReadPort(&Ip.Reader, &Number);
    if (Status != STATUS_SUCCESS)
        return Status;
    *ScopeId = Scope;
    *Port = Number;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIpv6StringToAddressExA(PCSTR AddressString, struct in6_addr *Address, PULONG ScopeId,
                                         PUSHORT Port)
{
    return RtlpReadIpv6WithPort(AddressString, FALSE, Address, ScopeId, Port);
}

NTSTATUS NTAPI RtlIpv6StringToAddressExW(PCWSTR AddressString, struct in6_addr *Address, PULONG ScopeId,
                                         PUSHORT Port)
{
    return RtlpReadIpv6WithPort(AddressString, TRUE, Address, ScopeId, Port);
}
