/* SPDX-License-Identifier: MIT
 * Mapping memory for a device: where the device finds it. What it reaches stays where it is, the rest is copied to pages of the transfer: before a
 * device reads, and back when it has written and the driver flushes. */
#include "dma.h"
#include "mm.h"
#include "mm_mdl.h"

/* Memory of devices cannot be copied; page 0 of the limit's own page is reached or not as a whole. */
static BOOLEAN IopReaches(const IOP_DMA_ADAPTER *Adapter, const MDL *Mdl, ULONG64 Memory, ULONG Length)
{
    return !Adapter->Bounces || (Mdl->MdlFlags & MDL_IO_SPACE) != 0 ||
           Memory + Length - 1 <= Adapter->Highest;
}

/* Bytes from there on that are consecutive and that the device reaches, and where. OneMdl: of that MDL alone. */
static ULONG IopDirectRun(const IOP_DMA_ADAPTER *Adapter, IOP_DMA_PLACE Place, ULONG Length, BOOLEAN OneMdl,
                          ULONG64 *Memory)
{
    PMDL First = Place.Mdl;
    ULONG Done = 0, Piece;
    ULONG64 Here;
    while (Done < Length && (!OneMdl || Place.Mdl == First)) {
        Piece = IopDmaPiece(&Place, Length - Done, &Here);
        if (Piece == 0 || !IopReaches(Adapter, Place.Mdl, Here, Piece) ||
            (Done != 0 && Here != *Memory + Done))
            break;
        if (Done == 0)
            *Memory = Here;
        Done += Piece;
        IopDmaAdvance(&Place, Piece);
    }
    return Done;
}

/* Bytes from there on, in that MDL, that the device does not reach. */
static ULONG IopFarRun(const IOP_DMA_ADAPTER *Adapter, IOP_DMA_PLACE Place, ULONG Length)
{
    PMDL First = Place.Mdl;
    ULONG Done = 0;
    while (Done < Length && Place.Mdl == First) {
        ULONG64 Here;
        ULONG Piece = IopDmaPiece(&Place, Length - Done, &Here);
        if (Piece == 0 || IopReaches(Adapter, First, Here, Piece))
            break;
        Done += Piece;
        IopDmaAdvance(&Place, Piece);
    }
    return Done;
}

/* --- registers and fragments --- */

static IOP_DMA_FRAGMENT *IopLastFragment(IOP_DMA_TRANSFER *Transfer)
{
    return Transfer->Count != 0 ? &Transfer->Fragments[Transfer->Count - 1] : NULL;
}

static BOOLEAN IopContinues(const IOP_DMA_FRAGMENT *Last, const IOP_DMA_PLACE *Place)
{
    return Last != NULL && Last->Mdl == Place->Mdl && Last->Offset + Last->Length == Place->Offset;
}

static ULONG IopInPage(const IOP_DMA_PLACE *Place)
{
    return (ULONG)(((ULONG64)Place->Mdl->ByteOffset + Place->Offset) & (PAGE_SIZE - 1));
}

static DECLSPEC_NORETURN VOID IopTooFewRegisters(const IOP_DMA_TRANSFER *Transfer, ULONG Needed)
{
    IopBlameDma(IOP_DMA_MISCELLANEOUS, 2, Needed, Transfer->Registers,
                "more memory was mapped than map registers were allocated for");
}

/* One for each page; what goes on in the page where the last one ended has it already. Returns the first. */
static ULONG IopUseRegisters(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length)
{
    ULONG First = Transfer->Used;
    if (IopInPage(Place) != 0 && IopContinues(IopLastFragment(Transfer), Place))
        First--;
    ULONG End = First + (ULONG)MmSpanPages(IopInPage(Place), Length);
    if (End > Transfer->Registers)
        IopTooFewRegisters(Transfer, End);
    Transfer->Used = End;
    return First;
}

static VOID IopAddFragment(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG64 Memory,
                           ULONG Length, ULONG Bounce)
{
    BOOLEAN Direct = Bounce == IOP_DMA_DIRECT;
    IOP_DMA_FRAGMENT *Last = IopLastFragment(Transfer);
    if (IopContinues(Last, Place) && Last->Memory + Last->Length == Memory &&
        (Direct ? Last->Bounce == IOP_DMA_DIRECT : Last->Bounce + Last->Length == Bounce)) {
        Last->Length += Length;
        return;
    }
    if (Transfer->Count == IOP_DMA_FRAGMENTS(Transfer->Registers))
        IopTooFewRegisters(Transfer, Transfer->Count + 1);
    Transfer->Fragments[Transfer->Count++] =
        (IOP_DMA_FRAGMENT){Memory, Place->Mdl, Place->Offset, Length, Bounce};
}

/* --- copying --- */

static PUCHAR IopBounceAddress(const IOP_DMA_TRANSFER *Transfer, ULONG Bounce)
{
    return Transfer->Adapter->Pages + ((SIZE_T)Transfer->First << PAGE_SHIFT) + Bounce;
}

/* Bytes from Skip on of what was bounced. */
static VOID IopCopyFragmentBack(const IOP_DMA_TRANSFER *Transfer, const IOP_DMA_FRAGMENT *Fragment,
                                ULONG Skip, ULONG Length)
{
    if (Fragment->Bounce != IOP_DMA_DIRECT)
        RtlCopyMemory(MmDirectMap(Fragment->Memory + Skip),
                      IopBounceAddress(Transfer, Fragment->Bounce + Skip), Length);
}

VOID IopCopyBack(IOP_DMA_TRANSFER *Transfer)
{
    for (ULONG i = 0; i < Transfer->Count; i++)
        IopCopyFragmentBack(Transfer, &Transfer->Fragments[i], 0, Transfer->Fragments[i].Length);
}

/* Length bytes of one MDL go to the transfer's pages, behind what is there. */
static VOID IopBounce(IOP_DMA_TRANSFER *Transfer, IOP_DMA_PLACE Place, ULONG Length, BOOLEAN Write)
{
    ULONG Room = Transfer->Registers << PAGE_SHIFT;
    if (Transfer->Cursor > Room || Length > Room - Transfer->Cursor)
        IopTooFewRegisters(Transfer, Transfer->Registers + 1);
    while (Length != 0) {
        ULONG64 Memory;
        ULONG Piece = IopDmaPiece(&Place, Length, &Memory);
        IopAddFragment(Transfer, &Place, Memory, Piece, Transfer->Cursor);
        if (Write)
            RtlCopyMemory(IopBounceAddress(Transfer, Transfer->Cursor), MmDirectMap(Memory), Piece);
        Transfer->Cursor += Piece;
        Length -= Piece;
        IopDmaAdvance(&Place, Piece);
    }
}

/* The next bytes go to the page of their register, at the offset in it that they have in memory. Returns the device's address of that. */
static ULONG64 IopPlaceCursor(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Register)
{
    Transfer->Cursor = (Register << PAGE_SHIFT) + IopInPage(Place);
    return Transfer->Adapter->PagesPhysical + ((ULONG64)Transfer->First << PAGE_SHIFT) + Transfer->Cursor;
}

/* --- mapping --- */

VOID IopMapWhole(IOP_DMA_TRANSFER *Transfer, IOP_DMA_PLACE Place, ULONG Length, BOOLEAN Write,
                 ULONG64 *Logical)
{
    ULONG64 Memory = 0;
    BOOLEAN Direct = IopDirectRun(Transfer->Adapter, Place, Length, FALSE, &Memory) == Length, First = TRUE;
    *Logical = Memory;
    while (Length != 0) {
        ULONG Here = min(Length, Place.Mdl->ByteCount - Place.Offset);
        ULONG Register = IopUseRegisters(Transfer, &Place, Here);
        if (First && !Direct)
            *Logical = IopPlaceCursor(Transfer, &Place, Register);
        First = FALSE;
        if (Direct)
            IopAddFragment(Transfer, &Place, Memory, Here, IOP_DMA_DIRECT);
        else
            IopBounce(Transfer, Place, Here, Write);
        Memory += Here;
        Length -= Here;
        IopDmaAdvance(&Place, Here);
    }
}

ULONG IopMapBlock(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length, BOOLEAN Write,
                  ULONG64 *Logical)
{
    ULONG Rest = min(Length, Place->Mdl->ByteCount - Place->Offset);
    if (!Transfer->Adapter->Gathers) {
        IopMapWhole(Transfer, *Place, Rest, Write, Logical);
        return Rest;
    }
    ULONG Near = IopDirectRun(Transfer->Adapter, *Place, Rest, TRUE, Logical);
    if (Near != 0) {
        (void)IopUseRegisters(Transfer, Place, Near);
        IopAddFragment(Transfer, Place, *Logical, Near, IOP_DMA_DIRECT);
        return Near;
    }
    ULONG Far = IopFarRun(Transfer->Adapter, *Place, Rest);
    *Logical = IopPlaceCursor(Transfer, Place, IopUseRegisters(Transfer, Place, Far));
    IopBounce(Transfer, *Place, Far, Write);
    return Far;
}

/* --- flushing --- */

/* What is left of a fragment when bytes [From, To) of its MDL are flushed; those in the middle stay mapped, too. FALSE: nothing. */
static BOOLEAN IopTrimFragment(IOP_DMA_FRAGMENT *Fragment, ULONG From, ULONG To)
{
    ULONG End = Fragment->Offset + Fragment->Length;
    if (From == Fragment->Offset) {
        ULONG Gone = To - From;
        Fragment->Memory += Gone;
        Fragment->Offset += Gone;
        Fragment->Length -= Gone;
        if (Fragment->Bounce != IOP_DMA_DIRECT)
            Fragment->Bounce += Gone;
    } else if (To == End) {
        Fragment->Length -= To - From;
    }
    return Fragment->Length != 0;
}

/* FALSE: nothing is left of it. */
static BOOLEAN IopFlushFragment(IOP_DMA_TRANSFER *Transfer, IOP_DMA_FRAGMENT *Fragment,
                                const IOP_DMA_PLACE *Place, ULONG Length, BOOLEAN Write)
{
    ULONG From = max(Fragment->Offset, Place->Offset);
    ULONG To = min(Fragment->Offset + Fragment->Length, Place->Offset + Length);
    if (Fragment->Mdl != Place->Mdl || From >= To)
        return TRUE;
    if (!Write)
        IopCopyFragmentBack(Transfer, Fragment, From - Fragment->Offset, To - From);
    return IopTrimFragment(Fragment, From, To);
}

static BOOLEAN IopMapsAny(const IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length)
{
    for (ULONG i = 0; i < Transfer->Count; i++) {
        const IOP_DMA_FRAGMENT *Fragment = &Transfer->Fragments[i];
        if (Fragment->Mdl == Place->Mdl && Fragment->Offset < (ULONG64)Place->Offset + Length &&
            Place->Offset < (ULONG64)Fragment->Offset + Fragment->Length)
            return TRUE;
    }
    return FALSE;
}

VOID IopFlush(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length, BOOLEAN Write)
{
    ULONG Kept = 0;
    if (Length != 0 && !IopMapsAny(Transfer, Place, Length))
        IopBlameDma(IOP_DMA_FLUSHED_NOTHING, (ULONG_PTR)Transfer,
                    (ULONG_PTR)Place->Mdl->StartVa + Place->Mdl->ByteOffset + Place->Offset,
                    (ULONG_PTR)Place->Mdl, "FlushAdapterBuffers was called for memory that is not mapped");
    for (ULONG i = 0; i < Transfer->Count; i++)
        if (IopFlushFragment(Transfer, &Transfer->Fragments[i], Place, Length, Write))
            Transfer->Fragments[Kept++] = Transfer->Fragments[i];
    Transfer->Count = Kept;
    if (Kept == 0)
        Transfer->Used = Transfer->Cursor = 0;
}

/* --- taking back --- */

IOP_DMA_MARK IopMarkMapped(const IOP_DMA_TRANSFER *Transfer)
{
    ULONG Count = Transfer->Count;
    return (IOP_DMA_MARK){Count, Transfer->Used, Transfer->Cursor,
                          Count != 0 ? Transfer->Fragments[Count - 1].Length : 0};
}

VOID IopUnmapTo(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_MARK *Mark)
{
    Transfer->Count = Mark->Count;
    Transfer->Used = Mark->Used;
    Transfer->Cursor = Mark->Cursor;
    if (Mark->Count != 0)
        Transfer->Fragments[Mark->Count - 1].Length = Mark->LastLength;
}
