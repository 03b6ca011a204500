/* SPDX-License-Identifier: MIT
 * Whose is it: what a driver has allocated or mapped in the System process and left there. Memory of other processes goes with them. */
#include "kd.h"
#include "mm/segment.h"

static PCSTR MiNameOfRange(const MI_VAD *Vad)
{
    return Vad->Kind == MiVadView  ? "view of a section"
           : Vad->Kind == MiVadMdl ? "mapped MDL"
                                   : "virtual memory";
}

static VOID MiReportRange(PCSTR Driver, const MI_VAD *Vad, ULONG64 Offset)
{
    ULONG64 Size = (Vad->Node.Last - Vad->Node.First + 1) << PAGE_SHIFT;

    KdLog("%s: %s at %p, %llu bytes, was not given back; asked for in the routine at %s+0x%llx", Driver,
          MiNameOfRange(Vad), (PVOID)(Vad->Node.First << PAGE_SHIFT), Size, Driver, Offset);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, MiNameOfRange(Vad)),
             KD_NUMBER(ReportKeySize, Size), KD_TEXT(ReportKeyModule, Driver),
             KD_NUMBER(ReportKeyOffset, Offset));
}

/* The owner is forgotten: the next image at that address is not to blame. */
ULONG MmReportDriverMemory(PCSTR Driver, const VOID *Base, SIZE_T Size)
{
    PMM_ADDRESS_SPACE Space = MmSystemAddressSpace();
    ULONG64 Page = 0;
    MI_VAD_NODE *Node;
    ULONG Count = 0;

    MiLockSpace(Space);
    while ((Node = MiVadFindFirst(&Space->Ranges, Page, MI_USER_HIGHEST_PAGE)) != NULL) {
        MI_VAD *Vad = CONTAINING_RECORD(Node, MI_VAD, Node);
        ULONG64 Offset = (ULONG_PTR)Vad->Owner - (ULONG_PTR)Base;
        Page = Node->Last + 1;
        if (Vad->Owner == NULL || Offset >= Size)
            continue;
        MiReportRange(Driver, Vad, Offset);
        Vad->Owner = NULL;
        Count++;
    }
    MiUnlockSpace(Space);
    return Count + MiReportLockedMdls(Space, Driver, Base, Size);
}
