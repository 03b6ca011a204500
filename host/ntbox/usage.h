/* SPDX-License-Identifier: MIT
 * The error domain of everything that ends with exit code 3: the command line and the environment. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define NTBOX_USAGE_ERROR (ntbox_usage_error_quark())
GQuark ntbox_usage_error_quark(void);

/* Sets error to one sentence of domain NTBOX_USAGE_ERROR and returns false. */
bool usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* g_option_context_parse, with a sentence that shows the word that is not in UTF-8. argv stays as it is. */
bool usage_parse_options(GOptionContext *context, char **argv, GError **error);

/* A whole number, decimal or 0x-hexadecimal, at most maximum. `what` names it in the sentence. */
bool usage_parse_number(const char *text, const char *what, uint64_t maximum, uint64_t *value,
                        GError **error);

/* Pairs of hexadecimal digits, spaces between pairs allowed. NULL with a sentence in error. */
GByteArray *usage_parse_hex(const char *text, const char *what, size_t maximum, GError **error);
