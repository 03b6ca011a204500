/* SPDX-License-Identifier: MIT
 * Calls of the I/O manager (later ones, and services of file systems), of event tracing and for dump files that the mingw-w64 headers lack. */
#pragma once
#include <stdarg.h>

NTKERNELAPI BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                                             WORK_QUEUE_TYPE QueueType, PVOID Context);

NTSYSCALLAPI NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE FileHandle, HANDLE Event,
                                                        PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                                        PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                                                        ULONG Length, ULONG CompletionFilter,
                                                        BOOLEAN WatchTree);
NTSYSCALLAPI NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes);
/* Completion ports by handle. ntoskrnl.exe exports these three (import library of mingw-w64); the parameters are those of
 * [Win32 devnotes NtRemoveIoCompletion] and of [Win32 CreateIoCompletionPort, GetQueuedCompletionStatusEx]. */
#ifndef IO_COMPLETION_QUERY_STATE
#define IO_COMPLETION_QUERY_STATE 0x0001
#endif
#ifndef IO_COMPLETION_MODIFY_STATE
#define IO_COMPLETION_MODIFY_STATE 0x0002
#define IO_COMPLETION_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)
#endif

typedef struct _FILE_IO_COMPLETION_INFORMATION {
    PVOID KeyContext;
    PVOID ApcContext;
    IO_STATUS_BLOCK IoStatusBlock;
} FILE_IO_COMPLETION_INFORMATION, *PFILE_IO_COMPLETION_INFORMATION;

NTSYSAPI NTSTATUS NTAPI ZwCreateIoCompletion(PHANDLE IoCompletionHandle, ACCESS_MASK DesiredAccess,
                                             POBJECT_ATTRIBUTES ObjectAttributes, ULONG Count);
NTSYSAPI NTSTATUS NTAPI ZwRemoveIoCompletion(HANDLE IoCompletionHandle, PVOID *KeyContext, PVOID *ApcContext,
                                             PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER Timeout);
NTSYSAPI NTSTATUS NTAPI ZwRemoveIoCompletionEx(HANDLE IoCompletionHandle,
                                               PFILE_IO_COMPLETION_INFORMATION IoCompletionInformation,
                                               ULONG Count, PULONG NumEntriesRemoved, PLARGE_INTEGER Timeout,
                                               BOOLEAN Alertable);

/* [WDK IoQueryFullDriverPath] */
NTKERNELAPI NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath);

/* [WDK KeInitializeCrashDumpHeader] */
#ifndef DUMP_TYPE_FULL
#define DUMP_TYPE_INVALID -1
#define DUMP_TYPE_UNKNOWN 0
#define DUMP_TYPE_FULL 1
#endif
NTKERNELAPI NTSTATUS NTAPI KeInitializeCrashDumpHeader(ULONG DumpType, ULONG Flags, PVOID Buffer,
                                                       ULONG BufferSize, PULONG BufferNeeded);
