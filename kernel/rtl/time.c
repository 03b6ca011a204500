/* SPDX-License-Identifier: MIT
 * System time (100 ns units since 1601-01-01 UTC, Gregorian) as calendar fields and back, and as seconds
 * since 1970 and 1980. */
#include "rtlp.h"

#define TICKS_PER_SECOND 10000000ll
#define TICKS_PER_MILLISECOND 10000ll
#define SECONDS_PER_DAY 86400ll
#define SECONDS_1601_TO_1970 11644473600ll
#define SECONDS_1601_TO_1980 11960006400ll

static BOOLEAN RtlpIsLeapYear(LONG Year)
{
    return Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);
}

static LONG RtlpDaysInMonth(LONG Year, LONG Month)
{
    static const UCHAR Days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return Month == 2 && RtlpIsLeapYear(Year) ? 29 : Days[Month - 1];
}

/* Days from 1601-01-01 to the first day of Year. */
static LONGLONG RtlpDaysToYear(LONGLONG Year)
{
    LONGLONG Past = Year - 1601;
    return Past * 365 + Past / 4 - Past / 100 + Past / 400;
}

/* [WDK RtlTimeToTimeFields] Weekday 0 is Sunday. Times before 1601 (negative) count as 0. */
VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    LONGLONG Ticks = Time->QuadPart < 0 ? 0 : Time->QuadPart;
    LONGLONG Seconds = Ticks / TICKS_PER_SECOND, Days = Seconds / SECONDS_PER_DAY;
    LONG Second = (LONG)(Seconds % SECONDS_PER_DAY), Month = 1;

    TimeFields->Milliseconds = (CSHORT)(Ticks % TICKS_PER_SECOND / TICKS_PER_MILLISECOND);
    TimeFields->Weekday = (CSHORT)((Days + 1) % 7); /* 1601-01-01 was a Monday */
    LONGLONG Year = 1601 + Days / 366;              /* at most the year sought */
    while (RtlpDaysToYear(Year + 1) <= Days)
        Year++;
    Days -= RtlpDaysToYear(Year);
    for (; Days >= RtlpDaysInMonth((LONG)Year, Month); Month++)
        Days -= RtlpDaysInMonth((LONG)Year, Month);
    TimeFields->Year = (CSHORT)Year;
    TimeFields->Month = (CSHORT)Month;
    TimeFields->Day = (CSHORT)(Days + 1);
    TimeFields->Hour = (CSHORT)(Second / 3600);
    TimeFields->Minute = (CSHORT)(Second / 60 % 60);
    TimeFields->Second = (CSHORT)(Second % 60);
}

/* [WDK RtlTimeFieldsToTime] FALSE when a field is out of its range; Weekday is ignored. Year 1601 to 30827.
 */
BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS F, PLARGE_INTEGER Time)
{
    if (F->Year < 1601 || F->Year > 30827 || F->Month < 1 || F->Month > 12 || F->Day < 1 ||
        F->Day > RtlpDaysInMonth(F->Year, F->Month) || F->Hour < 0 || F->Hour > 23 || F->Minute < 0 ||
        F->Minute > 59 || F->Second < 0 || F->Second > 59 || F->Milliseconds < 0 || F->Milliseconds > 999)
        return FALSE;
    LONGLONG Days = RtlpDaysToYear(F->Year) + F->Day - 1;
    for (LONG Month = 1; Month < F->Month; Month++)
        Days += RtlpDaysInMonth(F->Year, Month);
    LONGLONG Seconds = Days * SECONDS_PER_DAY + F->Hour * 3600 + F->Minute * 60 + F->Second;
    Time->QuadPart = Seconds * TICKS_PER_SECOND + F->Milliseconds * TICKS_PER_MILLISECOND;
    return TRUE;
}

/* [WDK RtlTimeToSecondsSince1970] FALSE when the result does not fit a ULONG (1970 to 2105). */
BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    LONGLONG Seconds = Time->QuadPart / TICKS_PER_SECOND - SECONDS_1601_TO_1970;

    if (Time->QuadPart < 0 || Seconds < 0 || Seconds > MAXULONG)
        return FALSE;
    *ElapsedSeconds = (ULONG)Seconds;
    return TRUE;
}

VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = ((LONGLONG)ElapsedSeconds + SECONDS_1601_TO_1970) * TICKS_PER_SECOND;
}

/* [WDK RtlTimeToSecondsSince1980] */
BOOLEAN NTAPI RtlTimeToSecondsSince1980(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    LONGLONG Seconds = Time->QuadPart / TICKS_PER_SECOND - SECONDS_1601_TO_1980;

    if (Time->QuadPart < 0 || Seconds < 0 || Seconds > MAXULONG)
        return FALSE;
    *ElapsedSeconds = (ULONG)Seconds;
    return TRUE;
}

VOID NTAPI RtlSecondsSince1980ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = ((LONGLONG)ElapsedSeconds + SECONDS_1601_TO_1980) * TICKS_PER_SECOND;
}
