/* SPDX-License-Identifier: MIT
 * The report of a run for programs: one JSON document. docs/ntbox.1 names its members. */
#pragma once
#include "options.h"
#include "run_report.h"
#include "verdict.h"

/* Freed with g_free; ends with a newline. */
char *report_json_text(const RunOptions *options, const RunReport *report, const Verdict *verdict);
