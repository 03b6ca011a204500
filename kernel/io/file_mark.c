/* SPDX-License-Identifier: MIT
 * What drivers note at a file object or a request and ask again: where the open came from, priority; transactions, of which there are none. */
#include "iop.h"

/* [WDK IoSetFileOrigin] STATUS_INVALID_PARAMETER_MIX: it is so already. Any IRQL. */
NTSTATUS NTAPI IoSetFileOrigin(PFILE_OBJECT File, BOOLEAN Remote)
{
    if (((File->Flags & FO_REMOTE_ORIGIN) != 0) == (Remote != FALSE))
        return STATUS_INVALID_PARAMETER_MIX;
    if (Remote)
        InterlockedOr((LONG *)&File->Flags, FO_REMOTE_ORIGIN);
    else
        InterlockedAnd((LONG *)&File->Flags, ~FO_REMOTE_ORIGIN);
    return STATUS_SUCCESS;
}

/* [WDK IoIsFileOriginRemote] */
BOOLEAN NTAPI IoIsFileOriginRemote(PFILE_OBJECT File)
{
    return (File->Flags & FO_REMOTE_ORIGIN) != 0;
}

/* [WDK IoGetTransactionParameterBlock] NULL: the file was not opened in a transaction. */
PTXN_PARAMETER_BLOCK NTAPI IoGetTransactionParameterBlock(PFILE_OBJECT File)
{
    return NULL;
}

/* Bits of IRP.Flags that no published one has: the hint and one. */
#define IOP_HINT_SHIFT 17
#define IOP_HINT_MASK (7u << IOP_HINT_SHIFT)

/* [WDK IoSetIoPriorityHint] STATUS_INVALID_PARAMETER: no such priority. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoSetIoPriorityHint(PIRP Irp, IO_PRIORITY_HINT Hint)
{
    if ((ULONG)Hint >= MaxIoPriorityTypes)
        return STATUS_INVALID_PARAMETER;
    Irp->Flags = (Irp->Flags & ~IOP_HINT_MASK) | (((ULONG)Hint + 1) << IOP_HINT_SHIFT);
    return STATUS_SUCCESS;
}

/* [WDK IoGetIoPriorityHint] normal unless somebody has said otherwise. */
IO_PRIORITY_HINT NTAPI IoGetIoPriorityHint(PIRP Irp)
{
    ULONG Hint = (Irp->Flags & IOP_HINT_MASK) >> IOP_HINT_SHIFT;
    return Hint != 0 ? (IO_PRIORITY_HINT)(Hint - 1) : IoPriorityNormal;
}

/* [WDK IoGetPagingIoPriority] IoPagingPriorityInvalid: the request is not paging I/O. All paging I/O has the same. */
IO_PAGING_PRIORITY NTAPI IoGetPagingIoPriority(PIRP Irp)
{
    return Irp->Flags & IRP_PAGING_IO ? IoPagingPriorityNormal : IoPagingPriorityInvalid;
}
