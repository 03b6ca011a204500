/* SPDX-License-Identifier: MIT
 * Stress: what is done to threads: priorities. */
#include "stress.h"

/* Near each other: nobody starves. */
static VOID PriorityOperate(STRESS_WORKER *Worker)
{
    STRESS_WORKER *Other = &StressWorkers[StressRandom(Worker, StressWorkerCount)];
    KPRIORITY Old = KeSetPriorityThread(Other->Thread, (KPRIORITY)(7 + StressRandom(Worker, 4)));

    STRESS_EXPECT(Old >= 7 && Old <= 15); /* boosts stay dynamic */
}

const STRESS_KIND StressThreadKinds[] = {
    {"priority", 3, NULL, PriorityOperate, NULL},
};
const ULONG StressThreadKindCount = RTL_NUMBER_OF(StressThreadKinds);
