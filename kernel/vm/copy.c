/* SPDX-License-Identifier: MIT
 * Copying between the address spaces of two processes, page by page through a page of pool. */
#include "vmp.h"
#include "ke.h"

#define VM_TAG_COPY 'pCmV'

/* Attached to a process, from or to a kernel buffer. User addresses only for a user-mode caller. */
static NTSTATUS VmpCopyAttached(PEPROCESS Process, PVOID To, const VOID *From, SIZE_T Length)
{
    KAPC_STATE State;
    NTSTATUS Status = STATUS_SUCCESS;

    KeStackAttachProcess(&Process->Pcb, &State);
    __try {
        RtlCopyMemory(To, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    KeUnstackDetachProcess(&State);
    return Status;
}

static BOOLEAN VmpIsInUserHalf(PVOID Base, SIZE_T Size)
{
    ULONG_PTR First = (ULONG_PTR)Base;
    return First + Size >= First && First + Size <= MmUserProbeAddress;
}

/* STATUS_PARTIAL_COPY: not all of it could be read or written; *Copied was. */
static NTSTATUS VmpCopyPages(PEPROCESS From, PUCHAR Source, PEPROCESS To, PUCHAR Target, SIZE_T Size,
                             PSIZE_T Copied)
{
    PVOID Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, VM_TAG_COPY);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (*Copied = 0; *Copied < Size && NT_SUCCESS(Status);) {
        SIZE_T Room = PAGE_SIZE - BYTE_OFFSET(Source + *Copied), Left = Size - *Copied;
        SIZE_T Part = Left < Room ? Left : Room;
        Status = VmpCopyAttached(From, Buffer, Source + *Copied, Part);
        if (NT_SUCCESS(Status))
            Status = VmpCopyAttached(To, Target + *Copied, Buffer, Part);
        if (NT_SUCCESS(Status))
            *Copied += Part;
    }
    ExFreePoolWithTag(Buffer, VM_TAG_COPY);
    return NT_SUCCESS(Status) ? Status : STATUS_PARTIAL_COPY;
}

/* PASSIVE_LEVEL. A user-mode caller may name the user half only. */
NTSTATUS NTAPI MmCopyVirtualMemory(PEPROCESS FromProcess, PVOID FromAddress, PEPROCESS ToProcess,
                                   PVOID ToAddress, SIZE_T BufferSize, KPROCESSOR_MODE PreviousMode,
                                   PSIZE_T NumberOfBytesCopied)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    *NumberOfBytesCopied = 0;
    if (PreviousMode != KernelMode &&
        (!VmpIsInUserHalf(FromAddress, BufferSize) || !VmpIsInUserHalf(ToAddress, BufferSize)))
        return STATUS_ACCESS_VIOLATION;
    return VmpCopyPages(FromProcess, FromAddress, ToProcess, ToAddress, BufferSize, NumberOfBytesCopied);
}
