/* SPDX-License-Identifier: MIT
 * ZwQueryEaFile and ZwSetEaFile: extended attributes, which the file system keeps. [WDK ZwQueryEaFile, ZwSetEaFile, IRP_MJ_QUERY_EA,
 * IRP_MJ_SET_EA] */
#include "iop.h"
#include "mm_caller.h"

/* The kernel's copy goes with the IRP. */
static NTSTATUS IopCaptureEaList(IOP_REQUEST *Request, const VOID *List, ULONG Length)
{
    if (List == NULL || Length == 0)
        return STATUS_SUCCESS;
    PVOID Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, IOP_TAG_BUFFER);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Request->Irp->Tail.Overlay.AuxiliaryBuffer = Copy;
    return IopReadRequestor(Copy, List, Length, Request->Mode);
}

/* The buffer as the device wants it. */
static NTSTATUS IopSendEa(IOP_REQUEST *Request, UCHAR Direction, PVOID Buffer, ULONG Length,
                          KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = IopSetUpTransfer(Request->Irp, Request->Device, Direction, Buffer, Length, Mode, NULL);
    if (NT_SUCCESS(Status))
        return IopSendRequest(Request, TRUE);
    IopAbandonRequest(Request);
    return Status;
}

/* [WDK FILE_GET_EA_INFORMATION] entries at multiples of 4 with names that end, the last one last; the offset of the first wrong one. */
static NTSTATUS IopCheckGetEaList(const VOID *List, ULONG Length, PULONG ErrorOffset)
{
    for (ULONG Offset = 0, Next;; Offset += Next) {
        ULONG Left = Length - Offset, Fixed = FIELD_OFFSET(FILE_GET_EA_INFORMATION, EaName);
        const FILE_GET_EA_INFORMATION *Entry = (const VOID *)((const UCHAR *)List + Offset);
        *ErrorOffset = Offset;
        if (Left < Fixed)
            return STATUS_EA_LIST_INCONSISTENT;
        ULONG Size = Fixed + Entry->EaNameLength + 1u;
        Next = Entry->NextEntryOffset;
        if (Left < Size || Entry->EaName[Entry->EaNameLength] != 0)
            return STATUS_EA_LIST_INCONSISTENT;
        if (Next == 0)
            return STATUS_SUCCESS;
        if (Next < Size || Next % 4 != 0 || Next > Left)
            return STATUS_EA_LIST_INCONSISTENT;
    }
}

/* The copy is checked before a driver gets it; a wrong one is told by its offset in the status block. */
static NTSTATUS IopCaptureGetEaList(IOP_REQUEST *Request, const VOID *List, ULONG Length,
                                    PIO_STATUS_BLOCK Iosb)
{
    ULONG Offset = 0;
    NTSTATUS Status = IopCaptureEaList(Request, List, Length);
    const VOID *Copy = Request->Irp->Tail.Overlay.AuxiliaryBuffer;
    if (!NT_SUCCESS(Status) || Copy == NULL)
        return Status;
    Status = IopCheckGetEaList(Copy, Length, &Offset);
    if (!NT_SUCCESS(Status))
        *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = Offset};
    return Status;
}

NTSTATUS NTAPI ZwQueryEaFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                             BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength, PULONG EaIndex,
                             BOOLEAN RestartScan)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CALLER Caller = {.File = File, .Access = FILE_READ_EA, .Iosb = Iosb, .Mode = KernelMode};
    NTSTATUS Status = IopBeginRequest(&Request, &Caller, IRP_MJ_QUERY_EA);
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = IopCaptureGetEaList(&Request, EaList, EaListLength, Iosb);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    PVOID List = Request.Irp->Tail.Overlay.AuxiliaryBuffer;
    Request.Stack->Flags =
        (UCHAR)((RestartScan ? SL_RESTART_SCAN : 0) | (ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0) |
                (EaIndex != NULL ? SL_INDEX_SPECIFIED : 0));
    Request.Stack->Parameters.QueryEa.Length = Length;
    Request.Stack->Parameters.QueryEa.EaList = List;
    Request.Stack->Parameters.QueryEa.EaListLength = List != NULL ? EaListLength : 0;
    Request.Stack->Parameters.QueryEa.EaIndex = EaIndex != NULL ? *EaIndex : 0;
    return IopSendEa(&Request, IRP_MJ_QUERY_EA, Buffer, Length, KernelMode);
}

/* [WDK ZwSetEaFile] the list is checked first; a wrong one is told by its offset in the status block. */
static NTSTATUS IopCheckEaList(PVOID List, ULONG Length, PIO_STATUS_BLOCK Iosb)
{
    ULONG Offset = 0;
    NTSTATUS Status =
        List != NULL ? IoCheckEaBufferValidity(List, Length, &Offset) : STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        *Iosb = (IO_STATUS_BLOCK){.Status = Status, .Information = Offset};
    return Status;
}

/* The driver gets the copy that was checked. */
NTSTATUS NTAPI ZwSetEaFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CALLER Caller = {.File = File, .Access = FILE_WRITE_EA, .Iosb = Iosb, .Mode = KernelMode};
    NTSTATUS Status = IopBeginRequest(&Request, &Caller, IRP_MJ_SET_EA);
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = IopCaptureEaList(&Request, Buffer, Length);
    PVOID List = Request.Irp->Tail.Overlay.AuxiliaryBuffer;
    if (NT_SUCCESS(Status))
        Status = IopCheckEaList(List, Length, Iosb);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    Request.Stack->Parameters.SetEa.Length = Length;
    return IopSendEa(&Request, IRP_MJ_WRITE, List, Length, KernelMode);
}
