/* SPDX-License-Identifier: MIT
 * From text to sections, lines and fields. */
#pragma once
#include "inf_file.h"

/* Fills in Pool, Fields, Sections and ByName of a new file. False with an INF_ERROR. */
bool inf_scan(InfFile *file, const char *text, GError **error);
