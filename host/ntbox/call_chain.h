/* SPDX-License-Identifier: MIT
 * The call chains that the kernel tells in words ("100 bytes ..., allocated by a.sys+0x1576 < b.sys+0x12"): their places one by one, so that
 * the host can name them as it names frames. */
#pragma once
#include <glib.h>
#include <stdint.h>

#include "run_report.h"

typedef struct ChainPlace {
    char *Module; /* "a.sys" */
    uint64_t Offset;
    char **
        Text; /* the place as it stands in the chain; who knows a better one frees it and puts the new one here */
} ChainPlace;

typedef struct CallChain {
    RunEvent *Event; /* whose ReportKeyText it is; the report's */
    char **Pieces;   /* of the text: what stands between places, and places, in turns */
    GArray *Places;  /* of ChainPlace */
} CallChain;

/* Those of pool blocks and leaks. The array owns its CallChains; it must not outlive the report. */
GPtrArray *call_chains_collect(const RunReport *report);

/* Puts the texts, as their places now are, back into the events. */
void call_chains_store(const GPtrArray *chains);
