/* SPDX-License-Identifier: MIT
 * Text that others wrote, for a terminal. */
#pragma once

/* A copy in valid UTF-8 on one line: control characters, and those that turn the direction of writing, become \xNN or
 * \uNNNN, so that a name in a file that is looked at cannot steer the reader's terminal. Freed with g_free. */
char *printable_text(const char *text);
