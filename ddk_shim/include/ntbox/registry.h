/* SPDX-License-Identifier: MIT
 * Results of ZwQueryKey that the headers lack. [WDK KEY_NAME_INFORMATION] [WDK KEY_CACHED_INFORMATION] */
#pragma once

/* [WDK RegSaveKeyEx] REG_STANDARD_FORMAT 1, REG_LATEST_FORMAT 2, REG_NO_COMPRESSION 4 */
NTSYSAPI NTSTATUS NTAPI ZwSaveKeyEx(HANDLE KeyHandle, HANDLE FileHandle, ULONG Format);

typedef struct _KEY_NAME_INFORMATION {
    ULONG NameLength; /* bytes */
    WCHAR Name[1];    /* absolute path, no terminator */
} KEY_NAME_INFORMATION, *PKEY_NAME_INFORMATION;

typedef struct _KEY_CACHED_INFORMATION {
    LARGE_INTEGER LastWriteTime;
    ULONG TitleIndex;
    ULONG SubKeys;
    ULONG MaxNameLen;
    ULONG Values;
    ULONG MaxValueNameLen;
    ULONG MaxValueDataLen;
    ULONG NameLength;
} KEY_CACHED_INFORMATION, *PKEY_CACHED_INFORMATION;

/* [WDK CmCallbackGetKeyObjectIDEx] [WDK CmCallbackReleaseKeyObjectIDEx] */
NTKERNELAPI NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object,
                                                      PULONG_PTR ObjectID, PCUNICODE_STRING *ObjectName,
                                                      ULONG Flags);
NTKERNELAPI VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName);

/* [WDK IoOpenDriverRegistryKey] */
typedef enum _DRIVER_REGKEY_TYPE {
    DriverRegKeyParameters = 0,
    DriverRegKeyPersistentState = 1,
    DriverRegKeySharedPersistentState = 2,
} DRIVER_REGKEY_TYPE;
NTKERNELAPI NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                                   ACCESS_MASK DesiredAccess, ULONG Flags,
                                                   PHANDLE DriverRegKey);

#ifndef RTL_QUERY_REGISTRY_TYPECHECK /* [WDK RtlQueryRegistryValues] */
#define RTL_QUERY_REGISTRY_TYPECHECK 0x00000100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24
#define RTL_QUERY_REGISTRY_TYPECHECK_MASK (0xffu << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT)
#endif
