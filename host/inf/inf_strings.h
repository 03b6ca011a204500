/* SPDX-License-Identifier: MIT
 * %strkey% and %dirid% in fields. [WDK "INF Strings Section"; "Using Dirids"] One pass: what is put in is not looked at again, so there is
 * nothing that could go in circles. */
#pragma once
#include "inf_file.h"

/* Collects the strings of a scanned file: [Strings.0409] (the guest speaks American English), [Strings.0009], [Strings]. Then looks at
 * each field once: false with an INF_ERROR if one would have more than INF_MAX_FIELD characters. */
bool inf_strings_resolve(InfFile *file, GError **error);

/* The text with its strings put in; %% is %. What is not defined stays as it is. g_free. */
char *inf_strings_replace(const InfFile *file, const char *raw);
