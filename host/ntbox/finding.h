/* SPDX-License-Identifier: MIT
 * What single events of a run say against it. The first finding of a part (one group of drivers in one round) counts:
 * what comes behind it in that part follows from it; other parts are judged by themselves. */
#pragma once
#include "options.h"
#include "run_plan.h"
#include "run_report.h"
#include "verdict.h"

typedef struct Finding {
    Verdict Verdict;
    const RunStep *Step; /* in which it came; NULL: before the first */
    const char *Service; /* of RunOptions.Services; NULL: the kernel's, before the first step */
} Finding;

/* The end of a request that was never sent, because its device could not be opened. */
bool finding_is_failed_open(const RunEvent *event);

/* The end of an unload step whose driver stays loaded: it has no DriverUnload, or its unload had been asked for before. */
bool finding_is_refused_unload(const RunEvent *event);

/* An array of Finding, in the order of the run; freed with g_ptr_array_unref. */
GPtrArray *findings_collect(const RunOptions *options, const RunReport *report);

/* The one of RunOptions.Services of that name, whatever its case; NULL: none. */
const char *finding_service_named(const RunOptions *options, const char *name);

/* The driver that a step is about: that of a load or unload, or the last of the group that a request is sent in; NULL: the group has none. */
const char *finding_service_of_step(const RunOptions *options, const RunStep *step);
