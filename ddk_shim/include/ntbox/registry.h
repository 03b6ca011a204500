/* SPDX-License-Identifier: MIT
 * Results of ZwQueryKey that the headers lack. [WDK KEY_NAME_INFORMATION] [WDK KEY_CACHED_INFORMATION] */
#pragma once

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
