/* SPDX-License-Identifier: MIT
 * `ntbox exports`. */
#pragma once
#include "exit_code.h"

ExitCode exports_main(int argc, char **argv);
