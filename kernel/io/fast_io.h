/* SPDX-License-Identifier: MIT
 * Tier 3, io: fast I/O. Each function asks the driver at the top of the request's stack; FALSE: it has no such routine, it may not be asked, or it
 * declines: the request goes on as an IRP. TRUE: it is done, and Iosb says how. PASSIVE_LEVEL. */
#pragma once
#include "iop.h"

/* [WDK "Operations That Can Be IRP-Based or Fast I/O"] [WDK "IRPs Are Different From Fast I/O"] */
BOOLEAN IopFastTransfer(const IOP_REQUEST *Request, BOOLEAN Write, LARGE_INTEGER Offset, ULONG Key,
                        PVOID Buffer, ULONG Length, PIO_STATUS_BLOCK Iosb);
BOOLEAN IopFastControl(const IOP_REQUEST *Request, const IOP_CONTROL *Control, PIO_STATUS_BLOCK Iosb);
/* FileBasicInformation, FileStandardInformation or FileNetworkOpenInformation; Answer is kernel memory of that size. */
BOOLEAN IopFastQuery(const IOP_REQUEST *Request, FILE_INFORMATION_CLASS Class, PVOID Answer,
                     PIO_STATUS_BLOCK Iosb);

/* Lock: else it is unlocked. */
BOOLEAN IopFastLock(const IOP_REQUEST *Request, const IOP_FAST_LOCK *Lock, PIO_STATUS_BLOCK Iosb);
/* All ranges of the current process. */
BOOLEAN IopFastUnlockAll(PFILE_OBJECT File, PDEVICE_OBJECT Device);

/* Ends a request that was done so: status block, event or packet; frees all. The status. */
NTSTATUS IopEndFastRequest(IOP_REQUEST *Request, const IO_STATUS_BLOCK *Iosb);

/* [WDK FAST_IO_DETACH_DEVICE] Target goes while Source, of a filter, is attached to it. IRQL <= APC_LEVEL, no lock. */
VOID IopFastDetach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target);
