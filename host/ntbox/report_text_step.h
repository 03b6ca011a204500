/* SPDX-License-Identifier: MIT
 * The lines of a step: its headline with the request, its result and its output. */
#pragma once
#include "text_page.h"

void report_text_step_begin(const TextPage *page, const RunEvent *event);
void report_text_step_end(const TextPage *page, const RunEvent *event);
