/* SPDX-License-Identifier: MIT
 * IPv4 addresses from text [WDK RtlIpv4StringToAddressA, RtlIpv4StringToAddressExA]: one to four numbers; the last fills the bytes
 * that the others leave. Strict: four decimal ones. *Terminator is where reading ended, also for a failure. */
#include "ip_text.h"
#include "ntbox/ip2string.h"

ULONG RtlpDigitOf(WCHAR Character, ULONG Base)
{
    ULONG Value = Base;

    if (Character >= '0' && Character <= '9')
        Value = Character - '0';
    else if ((Character | 0x20) >= 'a' && (Character | 0x20) <= 'f')
        Value = (Character | 0x20) - 'a' + 10u;
    return Value < Base ? Value : Base;
}

static ULONG RtlpReadBase(RTLP_READER *Reader)
{
    RTLP_READER Ahead = *Reader;

    if (!RtlpAcceptCharacter(&Ahead, '0'))
        return 10;
    if (RtlpAcceptCharacter(&Ahead, 'x') || RtlpAcceptCharacter(&Ahead, 'X')) {
        *Reader = Ahead;
        return 16;
    }
    if (RtlpDigitOf(RtlpPeekCharacter(&Ahead), 10) == 10)
        return 10;
    *Reader = Ahead;
    return 8;
}

/* As Windows, a number of more than 32 bits is seen only where the value gets smaller by another digit. */
NTSTATUS RtlpReadNumber(RTLP_READER *Reader, BOOLEAN Strict, ULONG *Value)
{
    ULONG Base = RtlpReadBase(Reader), First = Reader->At, Digit;

    if (Strict && Base != 10)
        return STATUS_INVALID_PARAMETER;
    *Value = 0;
    while ((Digit = RtlpDigitOf(RtlpPeekCharacter(Reader), Base)) < Base) {
        ULONG Next = *Value * Base + Digit;
        if (Next < *Value)
            return STATUS_INVALID_PARAMETER;
        *Value = Next;
        Reader->At++;
    }
    return Reader->At == First ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NTSTATUS RtlpReadPort(RTLP_READER *Reader, USHORT *Port)
{
    ULONG Value = 0;

    if (RtlpAcceptCharacter(Reader, ':') &&
        (RtlpReadNumber(Reader, FALSE, &Value) != STATUS_SUCCESS || Value == 0 || Value > MAXUSHORT))
        return STATUS_INVALID_PARAMETER;
    if (RtlpPeekCharacter(Reader) != 0)
        return STATUS_INVALID_PARAMETER;
    *Port = (USHORT)(Value << 8 | Value >> 8);
    return STATUS_SUCCESS;
}

/* Up to four numbers; *Count tells how many. A point where a number should be is passed over, as Windows does. */
static NTSTATUS RtlpReadParts(RTLP_READER *Reader, BOOLEAN Strict, ULONG Parts[4], ULONG *Count)
{
    for (*Count = 0;;) {
        if (RtlpAcceptCharacter(Reader, '.') ||
            RtlpReadNumber(Reader, Strict, &Parts[*Count]) != STATUS_SUCCESS)
            return STATUS_INVALID_PARAMETER;
        ++*Count;
        if (*Count == 4 || !RtlpAcceptCharacter(Reader, '.'))
            break;
    }
    if (*Count == 4 && RtlpPeekCharacter(Reader) == '.')
        return STATUS_INVALID_PARAMETER;
    return Strict && *Count != 4 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

static NTSTATUS RtlpReadIpv4(RTLP_READER *Reader, BOOLEAN Strict, UCHAR Address[4])
{
    ULONG Parts[4], Count, Value = 0;
    NTSTATUS Status = RtlpReadParts(Reader, Strict, Parts, &Count);

    if (Status != STATUS_SUCCESS)
        return Status;
    for (ULONG i = 0; i + 1 < Count; i++) {
        if (Parts[i] > 255)
            return STATUS_INVALID_PARAMETER;
        Value |= Parts[i] << (24 - 8 * i);
    }
    if ((ULONG64)Parts[Count - 1] >> (8 * (5 - Count)) != 0)
        return STATUS_INVALID_PARAMETER;
    Value |= Parts[Count - 1];
    for (ULONG i = 0; i < 4; i++)
        Address[i] = (UCHAR)(Value >> (24 - 8 * i));
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, struct in_addr *Addr)
{
    RTLP_READER Reader = {S, 0, FALSE};
    NTSTATUS Status = RtlpReadIpv4(&Reader, Strict, (UCHAR *)Addr);

    *Terminator = S + Reader.At;
    return Status;
}

NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR *Terminator, struct in_addr *Addr)
{
    RTLP_READER Reader = {S, 0, TRUE};
    NTSTATUS Status = RtlpReadIpv4(&Reader, Strict, (UCHAR *)Addr);

    *Terminator = S + Reader.At;
    return Status;
}

/* "address" or "address:port", and nothing behind it. */
static NTSTATUS RtlpReadIpv4WithPort(const void *Text, BOOLEAN Wide, BOOLEAN Strict, struct in_addr *Address,
                                     PUSHORT Port)
{
    RTLP_READER Reader = {Text, 0, Wide};

    if (Text == NULL || Address == NULL || Port == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = RtlpReadIpv4(&Reader, Strict, (UCHAR *)Address);
    return Status == STATUS_SUCCESS ? RtlpReadPort(&Reader, Port) : Status;
}

NTSTATUS NTAPI RtlIpv4StringToAddressExA(PCSTR AddressString, BOOLEAN Strict, struct in_addr *Address,
                                         PUSHORT Port)
{
    return RtlpReadIpv4WithPort(AddressString, FALSE, Strict, Address, Port);
}

NTSTATUS NTAPI RtlIpv4StringToAddressExW(PCWSTR AddressString, BOOLEAN Strict, struct in_addr *Address,
                                         PUSHORT Port)
{
    return RtlpReadIpv4WithPort(AddressString, TRUE, Strict, Address, Port);
}
