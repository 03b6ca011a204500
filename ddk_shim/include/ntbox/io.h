/* SPDX-License-Identifier: MIT
 * I/O-manager calls that the mingw-w64 headers lack: later ones (Windows 8), and services of file systems. */
#pragma once

NTKERNELAPI BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                                             WORK_QUEUE_TYPE QueueType, PVOID Context);

NTSYSCALLAPI NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE FileHandle, HANDLE Event,
                                                        PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                                        PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                                                        ULONG Length, ULONG CompletionFilter,
                                                        BOOLEAN WatchTree);
NTSYSCALLAPI NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes);
