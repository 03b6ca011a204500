/* SPDX-License-Identifier: MIT
 * Reads a value into a buffer, whatever its type: from a system hive with the first code, from a user's with the second, where anybody may have
 * put another type there. [WDK RtlQueryRegistryValues] */
#define DEVICE_NAME L"\\Device\\NtboxUnsafely"
#include "rules.h"

static __attribute__((always_inline)) inline VOID Query(PCWSTR Key, ULONG Flags)
{
    ULONG Number = 0;
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT | Flags, (PWSTR)L"NtboxNumber", &Number, REG_DWORD << 24, NULL, 0},
        {0}};
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"NtboxNumber", REG_DWORD, &Number, sizeof(Number));
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Key, Table, NULL, NULL);
    RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"NtboxNumber");
}

BREAKS FromSystemHive(VOID)
{
    Query(L"\\Registry\\Machine\\Software", 0);
}

BREAKS FromUserHive(VOID)
{
    Query(L"\\Registry\\User\\.Default", 0);
}

BREAKS FromUserHiveChecked(VOID)
{
    Query(L"\\Registry\\User\\.Default", RTL_QUERY_REGISTRY_TYPECHECK);
}

static VOID (*const Rules[])(VOID) = {FromSystemHive, FromUserHive, FromUserHiveChecked};

RULES(Rules, (VOID)0)
