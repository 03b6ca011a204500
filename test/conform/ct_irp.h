/* SPDX-License-Identifier: MIT
 * Requests in conformance cases. */
#pragma once
#include "ct.h"

/* Ends the request; returns its status, as a dispatch routine does. */
static inline NTSTATUS CtComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}
