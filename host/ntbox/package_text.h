/* SPDX-License-Identifier: MIT
 * Writes the facts of one driver package for people. */
#pragma once
#include <stdio.h>

#include "package_facts.h"

void package_text_write(FILE *out, const PackageFacts *facts);
