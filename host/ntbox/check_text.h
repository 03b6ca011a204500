/* SPDX-License-Identifier: MIT
 * One image's facts for people. */
#pragma once
#include <stdio.h>

#include "image_facts.h"

void check_text_write(FILE *out, const ImageFacts *facts);
