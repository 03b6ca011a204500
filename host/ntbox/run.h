/* SPDX-License-Identifier: MIT
 * `ntbox run`. */
#pragma once
#include "exit_code.h"

/* argv[0] is the program, then what follows the verb. Prints the report; errors of usage go to stderr. */
ExitCode run_main(int argc, char **argv);
