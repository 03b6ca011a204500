/* SPDX-License-Identifier: MIT
 * The system is asked to sleep. [WDK "System Power Actions"; NtInitiatePowerAction has no page: see docs/deviations.md (D-282)] */
#include "pop.h"

typedef struct _POP_ASYNCHRONOUS {
    WORK_QUEUE_ITEM Item;
    BOOLEAN Ask;
} POP_ASYNCHRONOUS;

static NTSTATUS PopGoToSleep(BOOLEAN Ask)
{
    return PopChangeSystemState(PowerSystemSleeping3, PowerActionSleep, Ask);
}

static VOID NTAPI PopSleepFromWorker(PVOID Context)
{
    BOOLEAN Ask = ((POP_ASYNCHRONOUS *)Context)->Ask;
    ExFreePoolWithTag(Context, POP_TAG);
    (void)PopGoToSleep(Ask);
}

static NTSTATUS PopSleepLater(BOOLEAN Ask)
{
    POP_ASYNCHRONOUS *Later = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Later), POP_TAG);
    if (Later == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Later->Ask = Ask;
    ExInitializeWorkItem(&Later->Item, PopSleepFromWorker, Later);
    ExQueueWorkItem(&Later->Item, DelayedWorkQueue);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. Sleeps and wakes up again: when it returns, the system works. MinSystemState: the lightest that will do; the system has one such
 * state, PowerSystemSleeping3. POWER_ACTION_CRITICAL: nobody is asked. What a driver said that refused. STATUS_NOT_SUPPORTED: another action or state. */
NTSTATUS NTAPI ZwInitiatePowerAction(POWER_ACTION SystemAction, SYSTEM_POWER_STATE MinSystemState,
                                     ULONG Flags, BOOLEAN Asynchronous)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    BOOLEAN Ask = (Flags & POWER_ACTION_CRITICAL) == 0;
    if (MinSystemState <= PowerSystemUnspecified || MinSystemState >= PowerSystemMaximum)
        return STATUS_INVALID_PARAMETER_2;
    if (SystemAction != PowerActionSleep || MinSystemState > PowerSystemSleeping3)
        return STATUS_NOT_SUPPORTED;
    return Asynchronous ? PopSleepLater(Ask) : PopGoToSleep(Ask);
}
