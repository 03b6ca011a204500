/* SPDX-License-Identifier: MIT
 * The SYSTEM hive that the guest sends at the end of a run (`--save-hive`). */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "run_report.h"

/* Before the machine starts: a new file can be made under that name, or it is an ordinary file, perhaps by a symbolic link. */
bool saved_hive_prepare(const char *path, GError **error);

/* Puts the parts together, checks the hive as every reader would, and writes it to path. False with a sentence in error. */
bool saved_hive_write(const RunReport *report, const char *path, GError **error);
