/* SPDX-License-Identifier: MIT
 * Entries of a directory query. [WDK ZwQueryDirectoryFile, FILE_BOTH_DIR_INFORMATION] Pure. */
#pragma once
#include <ntifs.h>

/* Bytes of a pattern: FsRtlIsNameInExpression needs no memory for it, and it holds what any name can be asked with. */
#define FS_MAX_PATTERN (4 * 255 * sizeof(WCHAR))

typedef struct FS_ENTRY {
    LARGE_INTEGER CreationTime, LastAccessTime, LastWriteTime, ChangeTime;
    LARGE_INTEGER EndOfFile, AllocationSize;
    LARGE_INTEGER FileId;
    ULONG Attributes;
    const WCHAR *Name;
    ULONG NameLength; /* bytes */
} FS_ENTRY;

/* A buffer that is being filled; At and Last start with 0. */
typedef struct FS_ENTRY_LIST {
    FILE_INFORMATION_CLASS Class;
    UCHAR *Buffer;
    ULONG Length;
    ULONG End;  /* bytes used */
    ULONG Last; /* offset of the last entry */
} FS_ENTRY_LIST;

/* STATUS_SUCCESS: it is in. STATUS_NO_MORE_ENTRIES: it does not fit behind the others and is not in. STATUS_BUFFER_OVERFLOW: it is the
 * first, and only a part of its name is in. STATUS_INVALID_INFO_CLASS. STATUS_BUFFER_TOO_SMALL: the buffer is too short for any. */
NTSTATUS FsPutEntry(FS_ENTRY_LIST *List, const FS_ENTRY *Entry);
