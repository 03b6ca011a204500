/* SPDX-License-Identifier: MIT
 * A chain of MDLs as one row of bytes, for DMA. */
#include "dma.h"
#include "mm_mdl.h"

IOP_DMA_PLACE IopDmaPlace(PMDL Mdl, ULONG64 Offset)
{
    while (Mdl != NULL && Offset >= Mdl->ByteCount) {
        Offset -= Mdl->ByteCount;
        Mdl = Mdl->Next;
    }
    return (IOP_DMA_PLACE){Mdl, (ULONG)Offset};
}

/* [WDK Bug Check 0xE6] 0xE. The page numbers of an MDL are there when its pages are locked, or never move. */
static VOID IopRequireLocked(PMDL Mdl)
{
    if (!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL | MDL_IO_SPACE)))
        IopBlameDma(IOP_DMA_NOT_LOCKED, (ULONG_PTR)Mdl, 0, 0,
                    "DMA was asked for with an MDL whose pages are not locked");
}

ULONG IopDmaPiece(const IOP_DMA_PLACE *Place, ULONG Length, ULONG64 *Memory)
{
    PMDL Mdl = Place->Mdl;
    if (Mdl == NULL)
        return 0;
    IopRequireLocked(Mdl);
    ULONG64 At = (ULONG64)Mdl->ByteOffset + Place->Offset;
    ULONG InPage = (ULONG)(At & (PAGE_SIZE - 1));
    ULONG Piece = min(min(Length, PAGE_SIZE - InPage), Mdl->ByteCount - Place->Offset);
    *Memory = ((ULONG64)MmGetMdlPfnArray(Mdl)[At >> PAGE_SHIFT] << PAGE_SHIFT) + InPage;
    return Piece;
}

VOID IopDmaAdvance(IOP_DMA_PLACE *Place, ULONG Length)
{
    *Place = IopDmaPlace(Place->Mdl, (ULONG64)Place->Offset + Length);
}

BOOLEAN IopDmaSpan(IOP_DMA_PLACE Place, ULONG Length, ULONG *Pages)
{
    *Pages = 0;
    while (Length != 0) {
        if (Place.Mdl == NULL)
            return FALSE;
        ULONG Here = min(Length, Place.Mdl->ByteCount - Place.Offset);
        *Pages += (ULONG)MmSpanPages((ULONG64)Place.Mdl->ByteOffset + Place.Offset, Here);
        Length -= Here;
        IopDmaAdvance(&Place, Here);
    }
    return TRUE;
}

ULONG IopDmaFit(IOP_DMA_PLACE Place, ULONG Length, ULONG Pages)
{
    ULONG Fits = 0;
    ULONG64 Memory;
    while (Fits < Length) {
        ULONG Piece = IopDmaPiece(&Place, Length - Fits, &Memory);
        if (Piece == 0 || Pages-- == 0)
            break;
        Fits += Piece;
        IopDmaAdvance(&Place, Piece);
    }
    return Fits;
}

ULONG IopDmaOffset(PMDL Mdl, PVOID Va)
{
    ULONG_PTR Offset = (ULONG_PTR)Va - ((ULONG_PTR)Mdl->StartVa + Mdl->ByteOffset);
    return Offset <= Mdl->ByteCount ? (ULONG)Offset : MAXULONG;
}
