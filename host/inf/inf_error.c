/* SPDX-License-Identifier: MIT
 * The error domain of driver packages: see inf_error.h. */
#include "inf_error.h"

G_DEFINE_QUARK(inf - error - quark, inf_error)

bool inf_error_at(GError **error, const char *file, guint line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, INF_ERROR, 0, "%s:%u: %s", file, line, sentence);
    return false;
}
