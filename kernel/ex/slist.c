/* SPDX-License-Identifier: MIT
 * Sequenced singly linked lists: what needs no assembly. [WDK InitializeSListHead, ExQueryDepthSList] */
#include "ex.h"

ASSERT_SIZE(SLIST_HEADER, 16);
ASSERT_SIZE(SLIST_ENTRY, 16);

extern CHAR ExpPopSListFault[], ExpPopSListResume[];

/* In the pop r8 is the list, rdx:rax the header as it was read. A list that still is as it was has a bad entry, and the fault
 * is one. */
BOOLEAN ExFixSListFault(ARCH_TRAP_FRAME *Frame)
{
    if (Frame->Rip != (ULONG64)ExpPopSListFault)
        return FALSE;
    const volatile SLIST_HEADER *List = (const SLIST_HEADER *)Frame->R8;
    if (List->Alignment == Frame->Rax && List->Region == Frame->Rdx)
        return FALSE;
    Frame->Rip = (ULONG64)ExpPopSListResume;
    return TRUE;
}

/* Any IRQL (raises an exception only for a misaligned header). [WDK InitializeSListHead] 16-byte aligned on
 * x64 */
VOID InitializeSListHead(PSLIST_HEADER SListHead)
{
    if (((ULONG_PTR)SListHead & 15) != 0)
        ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
    *SListHead = (SLIST_HEADER){0};
}

/* Any IRQL. A snapshot. */
USHORT ExQueryDepthSList(PSLIST_HEADER ListHead)
{
    return *(volatile USHORT *)&ListHead->Alignment;
}
