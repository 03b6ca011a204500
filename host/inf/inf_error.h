/* SPDX-License-Identifier: MIT
 * What is wrong with an INF: one sentence that begins with file and line, then section and directive:
 * "foo.inf:12: [Foo_Inst.NT] AddReg: there is no section [Foo_AddReg]". */
#pragma once
#include <glib.h>
#include <stdbool.h>

#define INF_ERROR (inf_error_quark())
GQuark inf_error_quark(void);

/* Sets error to "FILE:LINE: sentence" and returns false. */
bool inf_error_at(GError **error, const char *file, guint line, const char *format, ...) G_GNUC_PRINTF(4, 5);
