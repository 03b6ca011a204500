/* SPDX-License-Identifier: MIT
 * The report of a run for people. */
#pragma once
#include <stdio.h>

#include "options.h"
#include "run_report.h"
#include "verdict.h"

void report_text_write(FILE *out, const RunOptions *options, const RunReport *report, const Verdict *verdict);
