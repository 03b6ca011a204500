/* SPDX-License-Identifier: MIT
 * Tier 3, io: completion ports. A port is a KQUEUE; what is put into one whose last handle was closed goes with the object. */
#pragma once
#include "iop.h"

extern POBJECT_TYPE IopCompletionType;

VOID IopInitCompletionType(VOID);

/* IRQL <= DISPATCH_LEVEL. The ended IRP, in no list, becomes a packet; the caller's reference on the port goes. */
VOID IopPostIrp(PKQUEUE Port, PVOID Key, PIRP Irp);
/* IRQL <= DISPATCH_LEVEL. A packet without an IRP. */
NTSTATUS IopPostInformation(PKQUEUE Port, const FILE_IO_COMPLETION_INFORMATION *Information);
/* What a packet out of the queue says; its memory goes. */
FILE_IO_COMPLETION_INFORMATION IopTakePacket(PLIST_ENTRY Entry);

/* FileCompletionInformation. PASSIVE_LEVEL. The file keeps a reference on the port until it is deleted. */
NTSTATUS IopAssociatePort(PFILE_OBJECT File, const FILE_COMPLETION_INFORMATION *Information,
                          KPROCESSOR_MODE Mode);
VOID IopLeavePort(PFILE_OBJECT File); /* the file is being deleted */
/* FileIoCompletionNotificationInformation. */
NTSTATUS IopSetNotificationModes(PFILE_OBJECT File, ULONG Modes);
/* The port that a request of this asynchronous file ends in, referenced, and the file's key; NULL: in none. */
PKQUEUE IopReferencePort(PFILE_OBJECT File, PIRP Irp, PVOID *Key);
