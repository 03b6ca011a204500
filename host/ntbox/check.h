/* SPDX-License-Identifier: MIT
 * `ntbox check`. */
#pragma once
#include "exit_code.h"

/* 0: every image can be loaded; 2: one cannot; 3: usage, or a file that cannot be read. */
ExitCode check_main(int argc, char **argv);
