/* SPDX-License-Identifier: MIT
 * The CMOS clock, read once at boot; from then on its ports belong to the device PNP0B00, whose driver has them alone. It is taken as UTC (QEMU's default); BCD and 12-hour forms are handled. */
#include "halp.h"

static UCHAR HalpReadCmos(UCHAR Register)
{
    ArchOut8(0x70, Register);
    return ArchIn8(0x71);
}

static ULONG HalpFromBcd(UCHAR Value, BOOLEAN Binary)
{
    return Binary ? Value : (ULONG)(Value >> 4) * 10 + (Value & 15);
}

/* Days from 1601-01-01 to year-month-day (Gregorian). */
static ULONG64 HalpDays(ULONG Year, ULONG Month, ULONG Day)
{
    static const USHORT Before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    BOOLEAN Leap = (Year % 4 == 0 && Year % 100 != 0) || Year % 400 == 0;
    ULONG64 Past = Year - 1601;

    return Past * 365 + Past / 4 - Past / 100 + Past / 400 + Before[(Month + 11) % 12] + (Leap && Month > 2) +
           Day - 1;
}

/* FALSE when the clock moved between two readings. */
static BOOLEAN HalpReadAll(UCHAR *Fields)
{
    static const UCHAR Registers[] = {0, 2, 4, 7, 8, 9};
    BOOLEAN Same = TRUE;

    while (HalpReadCmos(0x0a) & 0x80) {
    }
    for (ULONG i = 0; i < 6; i++)
        Fields[i] = HalpReadCmos(Registers[i]);
    for (ULONG i = 0; i < 6; i++)
        Same &= Fields[i] == HalpReadCmos(Registers[i]);
    return Same;
}

ULONG64 HalQueryRealTimeClock(VOID)
{
    UCHAR Fields[6], Mode = HalpReadCmos(0x0b);
    BOOLEAN Binary = (Mode & 4) != 0;

    while (!HalpReadAll(Fields)) {
    }
    ULONG Hour = HalpFromBcd(Fields[2] & 0x7f, Binary);
    if (!(Mode & 2))
        Hour = Hour % 12 + ((Fields[2] & 0x80) ? 12 : 0);
    ULONG64 Days = HalpDays(2000 + HalpFromBcd(Fields[5], Binary), HalpFromBcd(Fields[4], Binary),
                            HalpFromBcd(Fields[3], Binary));
    ULONG64 Seconds =
        Days * 86400 + Hour * 3600 + HalpFromBcd(Fields[1], Binary) * 60 + HalpFromBcd(Fields[0], Binary);
    return Seconds * 10000000ull;
}

BOOLEAN HalHasRealTimeClock(VOID)
{
    return HalpHasCmosClock();
}
