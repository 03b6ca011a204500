/* SPDX-License-Identifier: MIT
 * The guest's system volume for one run: which file goes where in boot.cpio. */
#pragma once
#include <glib.h>

#include "options.h"

/* The archive with kernel, hal, agent, drivers and scenario. Directory: see locate.h. NULL with a sentence.
 */
GBytes *volume_build(const RunOptions *options, const char *directory, GError **error);

/* The kernel's command line; freed with g_free. NULL with a sentence when it is too long. */
char *volume_command_line(const RunOptions *options, GError **error);
