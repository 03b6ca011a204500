/* SPDX-License-Identifier: MIT
 * Local time [WDK ExSystemTimeToLocalTime, ExLocalTimeToSystemTime]: system time less the bias of the time zone, which
 * KUSER_SHARED_DATA has. The machine's zone is UTC. */
#include "ex.h"
#include "ke.h"

/* High1 is written first and High2 last: both agree when the value is whole. */
static LONGLONG ExpTimeZoneBias(VOID)
{
    const volatile KSYSTEM_TIME *Bias =
        &((const NTBOX_KUSER_SHARED_DATA *)NTBOX_KUSER_SHARED_DATA_ADDRESS)->TimeZoneBias;
    LARGE_INTEGER Value;

    do {
        Value.HighPart = Bias->High1Time;
        Value.LowPart = Bias->LowPart;
    } while (Value.HighPart != Bias->High2Time);
    return Value.QuadPart;
}

VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    LocalTime->QuadPart = SystemTime->QuadPart - ExpTimeZoneBias();
}

VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    SystemTime->QuadPart = LocalTime->QuadPart + ExpTimeZoneBias();
}
