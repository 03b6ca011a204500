/* SPDX-License-Identifier: MIT
 * The characters of an INF: UTF-16 of either order and UTF-8 by their byte-order marks, code page 1252 without one; in UTF-8. */
#pragma once
#include <glib.h>

/* NULL with an INF_ERROR that names the line: a NUL or another control character, half a character, or more than
 * INF_MAX_BYTES. Lines end in CR, LF or both, as in the file; the text ends at a Ctrl-Z. */
GString *inf_text_decode(const char *file, const void *bytes, gsize length, GError **error);

/* The largest that Windows comes with has about 2 MB. */
#define INF_MAX_BYTES (8u << 20)

/* A copy whose characters are in lower case, one by one, as names are compared. */
char *inf_text_fold(const char *text);
/* Are two names the same? Case does not matter. */
gboolean inf_text_equal(const char *one, const char *other);
/* Does it begin with the name, whatever its case? */
gboolean inf_text_begins(const char *text, const char *name);
