/* SPDX-License-Identifier: MIT
 * The version this kernel presents itself as: Windows 10 22H2, 10.0.19045, workstation. */
#include "rtlp.h"

#define VERSION_MAJOR 10
#define VERSION_MINOR 0
#define VERSION_BUILD 19045
#define SUITE_SINGLEUSERTS 0x100
#define CONDITION_BITS 3

/* [WDK RtlGetVersion] The extended members are filled when dwOSVersionInfoSize says that they are there. */
NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    PRTL_OSVERSIONINFOEXW Extended = (PRTL_OSVERSIONINFOEXW)lpVersionInformation;

    lpVersionInformation->dwMajorVersion = VERSION_MAJOR;
    lpVersionInformation->dwMinorVersion = VERSION_MINOR;
    lpVersionInformation->dwBuildNumber = VERSION_BUILD;
    lpVersionInformation->dwPlatformId = VER_PLATFORM_WIN32_NT;
    lpVersionInformation->szCSDVersion[0] = 0;
    if (lpVersionInformation->dwOSVersionInfoSize == sizeof(RTL_OSVERSIONINFOEXW)) {
        Extended->wServicePackMajor = Extended->wServicePackMinor = 0;
        Extended->wSuiteMask = SUITE_SINGLEUSERTS;
        Extended->wProductType = VER_NT_WORKSTATION;
        Extended->wReserved = 0;
    }
    return STATUS_SUCCESS;
}

/* [WDK VerSetConditionMask] Three bits of condition for each type, at three times the type's bit number. */
ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    for (ULONG Bit = 0; Bit < 8; Bit++)
        if (TypeMask & (1u << Bit))
            ConditionMask |= (ULONGLONG)(Condition & 7) << (Bit * CONDITION_BITS);
    return ConditionMask;
}

static ULONG RtlpCondition(ULONGLONG ConditionMask, ULONG Type)
{
    return (ULONG)(ConditionMask >> ((ULONG)__builtin_ctz(Type) * CONDITION_BITS)) & 7;
}

static BOOLEAN RtlpHolds(ULONG Condition, ULONG Current, ULONG Wanted)
{
    switch (Condition) {
    case VER_EQUAL:
        return Current == Wanted;
    case VER_GREATER:
        return Current > Wanted;
    case VER_GREATER_EQUAL:
        return Current >= Wanted;
    case VER_LESS:
        return Current < Wanted;
    default:
        return Current <= Wanted;
    }
}

/* [WDK RtlVerifyVersionInfo] Major, minor and service pack are one number: the first member that differs
 * decides by its condition, and when none differs the last one asked for. */
static BOOLEAN RtlpVersionHolds(PRTL_OSVERSIONINFOEXW Info, ULONG TypeMask, ULONGLONG Conditions)
{
    const struct {
        ULONG Type, Current, Wanted;
    } Members[] = {
        {VER_MAJORVERSION, VERSION_MAJOR, Info->dwMajorVersion},
        {VER_MINORVERSION, VERSION_MINOR, Info->dwMinorVersion},
        {VER_SERVICEPACKMAJOR, 0, Info->wServicePackMajor},
        {VER_SERVICEPACKMINOR, 0, Info->wServicePackMinor},
    };
    BOOLEAN Result = TRUE;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Members); i++) {
        if (!(TypeMask & Members[i].Type))
            continue;
        Result = RtlpHolds(RtlpCondition(Conditions, Members[i].Type), Members[i].Current, Members[i].Wanted);
        if (Members[i].Current != Members[i].Wanted)
            return Result;
    }
    return Result;
}

/* Every type asked for needs a condition: VER_AND or VER_OR for suites, an order for the rest. */
static BOOLEAN RtlpConditionsAreValid(ULONG TypeMask, ULONGLONG ConditionMask)
{
    if (TypeMask == 0 || TypeMask > 0xFF)
        return FALSE;
    for (ULONG Type = 1; Type <= VER_PRODUCT_TYPE; Type <<= 1) {
        ULONG Condition = RtlpCondition(ConditionMask, Type);
        if (!(TypeMask & Type))
            continue;
        if (Condition == 0 || (Type == VER_SUITENAME) != (Condition >= VER_AND))
            return FALSE;
    }
    return TRUE;
}

static BOOLEAN RtlpSuiteHolds(ULONG Condition, USHORT Wanted)
{
    return Condition == VER_AND ? (SUITE_SINGLEUSERTS & Wanted) == Wanted
                                : (SUITE_SINGLEUSERTS & Wanted) != 0;
}

/* STATUS_REVISION_MISMATCH when a condition does not hold, STATUS_INVALID_PARAMETER for a mask without
 * conditions. */
NTSTATUS NTAPI RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask,
                                    ULONGLONG ConditionMask)
{
    if (!RtlpConditionsAreValid(TypeMask, ConditionMask))
        return STATUS_INVALID_PARAMETER;

    BOOLEAN Holds = RtlpVersionHolds(VersionInfo, TypeMask, ConditionMask);
    if (TypeMask & VER_BUILDNUMBER)
        Holds &= RtlpHolds(RtlpCondition(ConditionMask, VER_BUILDNUMBER), VERSION_BUILD,
                           VersionInfo->dwBuildNumber);
    if (TypeMask & VER_PLATFORMID)
        Holds &= RtlpHolds(RtlpCondition(ConditionMask, VER_PLATFORMID), VER_PLATFORM_WIN32_NT,
                           VersionInfo->dwPlatformId);
    if (TypeMask & VER_PRODUCT_TYPE)
        Holds &= RtlpHolds(RtlpCondition(ConditionMask, VER_PRODUCT_TYPE), VER_NT_WORKSTATION,
                           VersionInfo->wProductType);
    if (TypeMask & VER_SUITENAME)
        Holds &= RtlpSuiteHolds(RtlpCondition(ConditionMask, VER_SUITENAME), VersionInfo->wSuiteMask);
    return Holds ? STATUS_SUCCESS : STATUS_REVISION_MISMATCH;
}

/* [WDK RtlIsNtDdiVersionAvailable] Version is OSVER + SP form, 0xMMmmSSss; the low 16 bits must be 0. */
BOOLEAN NTAPI RtlIsNtDdiVersionAvailable(ULONG Version)
{
    return (Version & 0xFFFF) == 0 && Version <= ((ULONG)VERSION_MAJOR << 24 | (ULONG)VERSION_MINOR << 16);
}
