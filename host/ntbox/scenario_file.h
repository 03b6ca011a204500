/* SPDX-License-Identifier: MIT
 * A scenario as text: one request a line, as on the command line without the dashes; docs/scenario.md has the grammar. */
#pragma once
#include <stdbool.h>

#include "request.h"

/* Appends a Request for each line. On false one sentence with file, line and column in error (domain NTBOX_USAGE_ERROR), and nothing was appended. */
bool scenario_file_parse(const char *text, gsize length, const char *name, GPtrArray *requests,
                         GError **error);

/* The same from a file. */
bool scenario_file_read(const char *path, GPtrArray *requests, GError **error);
