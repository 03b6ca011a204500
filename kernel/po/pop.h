/* SPDX-License-Identifier: MIT
 * Tier 3, po: the power manager. No locks of its own yet. */
#pragma once
#include "io.h"
#include "ex.h"

#define POP_TAG 'oPoP'
