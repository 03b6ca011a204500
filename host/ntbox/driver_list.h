/* SPDX-License-Identifier: MIT
 * The drivers that a command line names. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "options.h"

/* Fills options->Drivers and options->Services from a NULL-terminated list of paths (or NULL). False with a
 * sentence: no driver, a name that cannot be a service's, one name twice. */
bool driver_list_collect(RunOptions *options, char **files, GError **error);
