/* SPDX-License-Identifier: MIT
 * DMA adapters that a driver has not put when it is unloaded, and all that it has from them. */
#include "dma.h"
#include "ex.h"
#include "kd.h"

static VOID IopReportDmaLeak(PIM_MODULE Module, PCSTR Kind, ULONG Count)
{
    if (Count == 0)
        return;
    KdLog("%s: %s: %lu left", Module->Name, Kind, Count);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, Count));
}

/* Nobody else knows the adapter any more. */
static ULONG IopDropTransfers(LIST_ENTRY *List, BOOLEAN Lists)
{
    ULONG Count = 0;
    for (LIST_ENTRY *E = List->Flink, *Next; E != List; E = Next) {
        IOP_DMA_TRANSFER *Transfer = CONTAINING_RECORD(E, IOP_DMA_TRANSFER, Entry);
        Next = E->Flink;
        if ((Transfer->List != NULL) != Lists)
            continue;
        RemoveEntryList(E);
        ExFreePoolWithTag(Transfer, IOP_TAG_DMA);
        Count++;
    }
    return Count;
}

static ULONG IopDropBuffers(IOP_DMA_ADAPTER *Adapter)
{
    ULONG Count = 0;
    while (!IsListEmpty(&Adapter->Buffers)) {
        IopReleaseBuffer(CONTAINING_RECORD(RemoveHeadList(&Adapter->Buffers), IOP_DMA_BUFFER, Entry));
        Count++;
    }
    return Count;
}

VOID IopReportDmaLeaks(PIM_MODULE Module)
{
    IOP_DMA_ADAPTER *Adapter;
    while ((Adapter = IopTakeAdapterOf(Module)) != NULL) {
        ULONG Lists = IopDropTransfers(&Adapter->Granted, TRUE) + IopDropTransfers(&Adapter->Waiting, TRUE);
        ULONG Registers =
            IopDropTransfers(&Adapter->Granted, FALSE) + IopDropTransfers(&Adapter->Waiting, FALSE);
        IopReportDmaLeak(Module, "DMA adapter", 1);
        IopReportDmaLeak(Module, "DMA common buffer", IopDropBuffers(Adapter));
        IopReportDmaLeak(Module, "DMA map registers", Registers);
        IopReportDmaLeak(Module, "scatter/gather list", Lists);
        IopDereferenceAdapter(Adapter);
    }
}
