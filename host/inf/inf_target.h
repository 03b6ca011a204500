/* SPDX-License-Identifier: MIT
 * Which of the sections that differ by their decoration is for this system: Windows 10 22H2 x64, a workstation.
 * [WDK "Combining Platform Extensions with Operating System Versions"]
 * nt[Architecture][.[Major][.[Minor][.[ProductType][.[SuiteMask][.[BuildNumber]]]]]] */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "inf_file.h"

#define INF_TARGET_NAME "NTamd64 10.0.19045 (workstation)"

typedef struct InfRank {
    guint Major, Minor, Build;         /* 0: not said */
    bool Product, Suite, Architecture; /* said, and it is this one */
    bool System;                       /* NT is said, as in all decorations but "" */
} InfRank;

/* False: not for this system, or no decoration at all. "" is for all systems, after all others. */
bool inf_target_rank(const char *decoration, InfRank *rank);

/* [WDK same page, and "INF Manufacturer Section"] Is one closer to this system than the other? The version counts first, then product
 * type and suite, then the architecture. */
bool inf_target_is_closer(const InfRank *one, const InfRank *other);

/* [WDK "INF DDInstall Section"; SetupDiGetActualSectionToInstall] the section of that name for this system: name.ntamd64..., name.nt...,
 * name; NULL: there is none. */
const InfSection *inf_target_section(const InfFile *file, const char *name);
