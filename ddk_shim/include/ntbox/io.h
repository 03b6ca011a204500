/* SPDX-License-Identifier: MIT
 * I/O-manager calls that came after the mingw-w64 headers (Windows 8). */
#pragma once

NTKERNELAPI BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                                             WORK_QUEUE_TYPE QueueType, PVOID Context);
