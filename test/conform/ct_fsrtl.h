/* SPDX-License-Identifier: MIT
 * Requests as a file system gets them, made by the case itself: FsRtl ends them, a completion routine takes them back. */
#pragma once
#include "ct.h"

typedef struct CT_REQUEST {
    PIRP Irp;
    volatile LONG Ended;
    LARGE_INTEGER Length;
    UCHAR Buffer[256];
} CT_REQUEST;

static FILE_OBJECT CtFiles[3]; /* FsRtl looks at flags and contexts only */

static NTSTATUS NTAPI CtTakeBack(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    InterlockedIncrement(&((CT_REQUEST *)Context)->Ended);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Its current stack location is the file system's. */
static PIO_STACK_LOCATION CtMakeRequest(CT_REQUEST *Request, UCHAR Major, UCHAR Minor, PFILE_OBJECT File)
{
    Request->Ended = 0;
    Request->Irp = IoAllocateIrp(2, FALSE);
    if (!CT_CHECK(Request->Irp != NULL))
        return NULL;
    Request->Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Request->Irp->AssociatedIrp.SystemBuffer = Request->Buffer;
    IoSetNextIrpStackLocation(Request->Irp);
    IoSetCompletionRoutine(Request->Irp, CtTakeBack, Request, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Request->Irp);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Request->Irp);
    Stack->MajorFunction = Major;
    Stack->MinorFunction = Minor;
    Stack->FileObject = File;
    return Stack;
}

/* How it has ended; STATUS_PENDING: not yet. */
static NTSTATUS CtStatusOf(const CT_REQUEST *Request)
{
    return Request->Ended != 0 ? Request->Irp->IoStatus.Status : STATUS_PENDING;
}

static VOID CtFreeRequest(CT_REQUEST *Request)
{
    if (CT_CHECK(Request->Ended == 1))
        IoFreeIrp(Request->Irp);
}
