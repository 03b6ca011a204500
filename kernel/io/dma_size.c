/* SPDX-License-Identifier: MIT
 * What a DMA transfer takes, and the MDL of a scatter/gather list. */
#include "dma.h"
#include "mm_mdl.h"

ULONG IopRequireOffset(PMDL Mdl, PVOID Va)
{
    ULONG Offset = IopDmaOffset(Mdl, Va);
    if (Offset == MAXULONG)
        IopBlameDma(IOP_DMA_NOT_IN_MDL, (ULONG_PTR)Va, (ULONG_PTR)Mdl, 0,
                    "a scatter/gather list was asked for at an address that its MDL does not have");
    return Offset;
}

/* [WDK CalculateScatterGatherList] Without an MDL the address says how many pages it may be. STATUS_BUFFER_TOO_SMALL: more than the MDLs have;
 * STATUS_INSUFFICIENT_RESOURCES: more registers than the adapter has. */
NTSTATUS NTAPI IopCalculateScatterGatherList(PDMA_ADAPTER Object, PMDL Mdl, PVOID CurrentVa, ULONG Length,
                                             PULONG Bytes, PULONG Registers)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    const IOP_DMA_ADAPTER *Adapter = IopDmaAdapter(Object);
    ULONG Pages = (ULONG)MmSpanPages((ULONG64)CurrentVa, Length);
    if (Mdl != NULL && !IopDmaSpan(IopDmaPlace(Mdl, IopRequireOffset(Mdl, CurrentVa)), Length, &Pages))
        return STATUS_BUFFER_TOO_SMALL;
    if (Pages > Adapter->Registers)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Bytes = IopListBytes(Pages);
    if (Registers != NULL)
        *Registers = Pages;
    return STATUS_SUCCESS;
}

/* [WDK GetDmaTransferInfo] STATUS_NOT_SUPPORTED for a version that there is not, STATUS_INVALID_PARAMETER when the MDLs are shorter. */
NTSTATUS NTAPI IopGetDmaTransferInfo(PDMA_ADAPTER Object, PMDL Mdl, ULONGLONG Offset, ULONG Length,
                                     BOOLEAN WriteOnly, PDMA_TRANSFER_INFO Info)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(WriteOnly);
    ULONG Pages;
    const IOP_DMA_ADAPTER *Adapter = IopDmaAdapter(Object);
    if (Info->Version != DMA_TRANSFER_INFO_VERSION1 && Info->Version != DMA_TRANSFER_INFO_VERSION2)
        return STATUS_NOT_SUPPORTED;
    if (!IopDmaSpan(IopDmaPlace(Mdl, Offset), Length, &Pages))
        return STATUS_INVALID_PARAMETER;
    Info->V1.MapRegisterCount = Pages;
    Info->V1.ScatterGatherElementCount = Adapter->Gathers ? Pages : min(Pages, 1);
    Info->V1.ScatterGatherListSize = IopListBytes(Pages);
    if (Info->Version == DMA_TRANSFER_INFO_VERSION2)
        Info->V2.LogicalPageCount = Pages;
    return STATUS_SUCCESS;
}

/* --- the MDL of a list --- */

static ULONG IopCountBounced(const IOP_DMA_TRANSFER *Transfer)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < Transfer->Count; i++)
        if (Transfer->Fragments[i].Bounce != IOP_DMA_DIRECT)
            Count++;
    return Count;
}

static IOP_DMA_TRANSFER *IopTransferOfList(PDMA_ADAPTER Object, const SCATTER_GATHER_LIST *List)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_TRANSFER *Transfer = IopGrantedListLocked(IopDmaAdapterLocked(Object), List);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Transfer;
}

/* [WDK BuildMdlFromScatterGatherList] the original when nothing was copied; else an MDL of the copy, which goes with the list, and STATUS_NONE_MAPPED when
 * it is asked for again. STATUS_NOT_SUPPORTED when only a part was copied (D-264). */
NTSTATUS NTAPI IopBuildMdlFromScatterGatherList(PDMA_ADAPTER Object, PSCATTER_GATHER_LIST List,
                                                PMDL OriginalMdl, PMDL *TargetMdl)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_DMA_TRANSFER *Transfer = IopTransferOfList(Object, List);
    if (OriginalMdl == NULL || Transfer == NULL)
        return STATUS_INVALID_PARAMETER;
    if (IopCountBounced(Transfer) == 0) {
        *TargetMdl = OriginalMdl;
        return STATUS_SUCCESS;
    }
    if (Transfer->Target != NULL)
        return STATUS_NONE_MAPPED;
    if (IopCountBounced(Transfer) != Transfer->Count || List->NumberOfElements != 1)
        return STATUS_NOT_SUPPORTED;
    PUCHAR Copy = Transfer->Adapter->Pages +
                  ((ULONG64)List->Elements[0].Address.QuadPart - Transfer->Adapter->PagesPhysical);
    Transfer->Target = IoAllocateMdl(Copy, Transfer->Length, FALSE, FALSE, NULL);
    if (Transfer->Target == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(Transfer->Target);
    *TargetMdl = Transfer->Target;
    return STATUS_SUCCESS;
}
