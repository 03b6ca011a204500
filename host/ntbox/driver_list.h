/* SPDX-License-Identifier: MIT
 * The drivers that a command line names. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "options.h"
#include "request.h"

/* One word of the command line that says what is run, in the order of the words. */
typedef enum RunWordKind { RunWordDriver, RunWordRequest, RunWordThen } RunWordKind;

typedef struct RunWord {
    RunWordKind Kind;
    char *Path;       /* RunWordDriver */
    Request *Request; /* RunWordRequest; NULL once a group owns it */
} RunWord;

void run_word_free(RunWord *word);

/* Fills options->Drivers, Services and Groups from an array of RunWord. With each, every driver begins a group of its
 * own. False with a sentence: no driver and no package, a name that cannot be a service's, two files of one name, a group without
 * a driver. */
bool driver_list_collect(RunOptions *options, const GPtrArray *words, bool each, GError **error);
