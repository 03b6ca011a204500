/* SPDX-License-Identifier: MIT
 * The facts of all packages and images as one JSON document. docs/ntbox.1 names its members. */
#pragma once
#include "exit_code.h"
#include "image_facts.h"

/* Packages: of PackageFacts; images: of ImageFacts. Freed with g_free; ends with a newline. */
char *check_json_text(const GPtrArray *packages, const GPtrArray *images, ExitCode code);
