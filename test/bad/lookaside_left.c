/* SPDX-License-Identifier: MIT
 * Leaves a lookaside list that was not deleted: in its image, in pool that it keeps, in pool that it frees. The system looks at all lists to
 * see how much they are used. */
#define DEVICE_NAME L"\\Device\\NtboxLookaside"
#include "rules.h"

static NPAGED_LOOKASIDE_LIST InImage;

BREAKS LeaveInImage(VOID)
{
    ExInitializeNPagedLookasideList(&InImage, NULL, NULL, 0, 200, 'Left', 0);
}

static PLOOKASIDE_LIST_EX MakeInPool(VOID)
{
    PLOOKASIDE_LIST_EX List = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*List), 'Left');
    if (List == NULL)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    ExInitializeLookasideListEx(List, NULL, NULL, PagedPool, 0, 200, 'Left', 0);
    return List;
}

BREAKS LeaveInPool(VOID)
{
    MakeInPool();
}

BREAKS FreeWithPool(VOID)
{
    ExFreePoolWithTag(MakeInPool(), 'Left');
}

static VOID (*const Rules[])(VOID) = {LeaveInImage, LeaveInPool, FreeWithPool};
RULES(Rules, (VOID)0)
