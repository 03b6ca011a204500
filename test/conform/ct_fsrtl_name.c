/* SPDX-License-Identifier: MIT
 * Names of bytes, and failures of devices. [WDK FsRtlDoesDbcsContainWildCards, FsRtlDissectDbcs, FsRtlIsTotalDeviceFailure] */
#include "ct.h"

static BOOLEAN IsWild(PCSZ Text)
{
    ANSI_STRING Name;
    RtlInitAnsiString(&Name, Text);
    return FsRtlDoesDbcsContainWildCards(&Name);
}

static BOOLEAN Is(PANSI_STRING Found, PCSZ Expected)
{
    ANSI_STRING Name;
    RtlInitAnsiString(&Name, Expected);
    return RtlEqualString(Found, &Name, FALSE);
}

static BOOLEAN Dissects(PCSZ Whole, PCSZ First, PCSZ Rest)
{
    ANSI_STRING Name, FirstPart, RemainingPart;
    RtlInitAnsiString(&Name, Whole);
    FsRtlDissectDbcs(Name, &FirstPart, &RemainingPart);
    return Is(&FirstPart, First) && Is(&RemainingPart, Rest);
}

static VOID NameDbcs(VOID)
{
    CT_CHECK(!IsWild("") && !IsWild("a name.txt") && !IsWild("\xE4"));
    CT_CHECK(IsWild("*.txt") && IsWild("a?") && IsWild("<") && IsWild(">") && IsWild("\""));
    CT_CHECK(Dissects("\\a\\b\\c", "a", "b\\c"));
    CT_CHECK(Dissects("ab\\c", "ab", "c"));
    CT_CHECK(Dissects("ab", "ab", ""));
    CT_CHECK(Dissects("\\", "", ""));
    CT_CHECK(Dissects("", "", ""));
}

static VOID NameFailure(VOID)
{
    CT_CHECK(!FsRtlIsTotalDeviceFailure(STATUS_SUCCESS) && !FsRtlIsTotalDeviceFailure(STATUS_PENDING));
    CT_CHECK(!FsRtlIsTotalDeviceFailure(STATUS_CRC_ERROR) &&
             !FsRtlIsTotalDeviceFailure(STATUS_DEVICE_DATA_ERROR));
    CT_CHECK(FsRtlIsTotalDeviceFailure(STATUS_DEVICE_NOT_CONNECTED));
}

static const CT_CASE Cases[] = {
    {"fsrtl_name.dbcs", NameDbcs},
    {"fsrtl_name.failure", NameFailure},
};

CT_DRIVER(Cases)
