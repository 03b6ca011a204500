/* SPDX-License-Identifier: MIT
 * Sequenced lists: order, depth, and a pop that meets an unmapped entry. */
#include "kt.h"
#include "ex.h"
#include "mm.h"

typedef struct ITEM {
    SLIST_ENTRY Link;
} ITEM;

KT_TEST(slist_is_last_in_first_out)
{
    static SLIST_HEADER List;
    static ITEM Items[3];
    InitializeSListHead(&List);
    KT_EXPECT(ExpInterlockedPopEntrySList(&List) == NULL && ExQueryDepthSList(&List) == 0);
    KT_EXPECT(ExpInterlockedPushEntrySList(&List, &Items[0].Link) == NULL);
    KT_EXPECT(ExpInterlockedPushEntrySList(&List, &Items[1].Link) == &Items[0].Link);
    KT_EXPECT(ExpInterlockedPushEntrySList(&List, &Items[2].Link) == &Items[1].Link);
    KT_EXPECT(ExQueryDepthSList(&List) == 3);
    KT_EXPECT(ExpInterlockedPopEntrySList(&List) == &Items[2].Link);
    PSLIST_ENTRY All = ExpInterlockedFlushSList(&List);
    KT_EXPECT(All == &Items[1].Link && All->Next == &Items[0].Link && All->Next->Next == NULL);
    KT_EXPECT(ExQueryDepthSList(&List) == 0 && ExpInterlockedFlushSList(&List) == NULL);
}

/* The sequence number differs after a pop and a push, so that a stale compare fails. */
KT_TEST(slist_header_changes_when_the_same_entry_returns)
{
    static SLIST_HEADER List, Before;
    static ITEM Item;
    InitializeSListHead(&List);
    ExpInterlockedPushEntrySList(&List, &Item.Link);
    Before = List;
    KT_EXPECT(ExpInterlockedPopEntrySList(&List) == &Item.Link);
    ExpInterlockedPushEntrySList(&List, &Item.Link);
    KT_EXPECT(Before.Region == List.Region && Before.Alignment != List.Alignment);
}

/* A fault of the pop is excused only if the list has changed since it was read. */
KT_TEST(slist_fault_is_excused_once_the_list_changed)
{
    extern CHAR ExpPopSListFault[], ExpPopSListResume[];
    static SLIST_HEADER List;
    static ITEM Items[2];
    InitializeSListHead(&List);
    ExpInterlockedPushEntrySList(&List, &Items[0].Link);
    ARCH_TRAP_FRAME Frame = {
        .Rip = (ULONG64)ExpPopSListFault, .R8 = (ULONG64)&List, .Rax = List.Alignment, .Rdx = List.Region};
    KT_EXPECT(!ExFixSListFault(&Frame));
    ExpInterlockedPushEntrySList(&List, &Items[1].Link);
    KT_EXPECT(ExFixSListFault(&Frame) && Frame.Rip == (ULONG64)ExpPopSListResume);
    KT_EXPECT(!ExFixSListFault(&Frame));
}
