/* SPDX-License-Identifier: MIT
 * Memory that the I/O manager allocated for an IRP is looked at whenever the IRP changes hands: when it is passed on, completed, and after
 * each completion routine. So it is known whose overrun it was; at the end, when the memory is freed, nobody could tell. Checked kernel. */
#include "iop.h"
#include "crt.h"
#include "ex.h"
#include "ke_bugcheck.h"

#if NTBOX_CHECKED

/* [WDK Bug Check 0x19] 0x21: the data following a pool block is corrupt; p2 the block, p3 its size, p4 the byte. */
static VOID IopCheckBuffer(const void *Buffer, PCSTR Kind, UCHAR Major, const void *Holder)
{
    CHAR Text[128];
    EX_POOL_BLOCK Block;
    const UCHAR *Changed = ExFindOverrun(Buffer);

    if (Changed == NULL || !ExQueryPoolBlock(Buffer, &Block))
        return;
    _snprintf(Text, sizeof(Text), "the %s of an %s (%llu bytes) was overrun", Kind, IopMajorName(Major),
              (ULONG64)Block.Size);
    KeBugCheckBlaming(Holder, BAD_POOL_HEADER, 0x21, (ULONG_PTR)Buffer, Block.Size, *Changed, Text);
}

VOID IopCheckBuffers(PIRP Irp, UCHAR Major, const void *Holder)
{
    const void *Blamed = IopIsRoutine(Holder) && !ImIsKernelAddress(Holder) ? Holder : NULL;
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER)
        IopCheckBuffer(Irp->AssociatedIrp.SystemBuffer, "system buffer", Major, Blamed);
    if (Irp->Tail.Overlay.AuxiliaryBuffer != NULL)
        IopCheckBuffer(Irp->Tail.Overlay.AuxiliaryBuffer, "auxiliary buffer", Major, Blamed);
}

#endif
