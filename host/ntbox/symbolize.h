/* SPDX-License-Identifier: MIT
 * Function names and source lines for code addresses in the drivers under test, by llvm-symbolizer (DWARF,
 * PDB or COFF symbols). Kernel addresses come with the guest's own symbols. */
#pragma once
#include "options.h"
#include "run_report.h"

/* Fills report->Symbols, and Place and Module of its processors. Without llvm-symbolizer, or for files
 * without symbols, the places stay module+offset. Kernel: path of the kernel's image. */
void symbolize_report(RunReport *report, const RunOptions *options, const char *kernel);
