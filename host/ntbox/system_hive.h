/* SPDX-License-Identifier: MIT
 * The SYSTEM hive of a run: a control set with one service key for each driver and for the agent. */
#pragma once
#include <glib.h>

#include "options.h"

/* The bytes of Windows/System32/config/SYSTEM; NULL with a sentence in error. */
GBytes *system_hive_build(const RunOptions *options, GError **error);
