/* SPDX-License-Identifier: MIT
 * The lines that a text report is made of: "  label        text". */
#pragma once
#include <glib.h>
#include <stdio.h>

#include "options.h"
#include "run_report.h"

typedef struct TextPage {
    FILE *Out;
    const RunOptions *Options;
    const RunReport *Report;
} TextPage;

/* One labelled line; further lines of the text are indented alike. */
void text_put(const TextPage *page, const char *label, const char *text);
void text_put_format(const TextPage *page, const char *label, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The event's status by name; freed with g_free. */
char *text_status(const RunEvent *event);

/* "module!symbol+0x12" as far as it is known; freed with g_free. */
char *text_place(const TextPage *page, const RunEvent *event);
