/* SPDX-License-Identifier: MIT
 * Starts only if told.sys was told 42. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI AnswerOfTold(VOID);
QUIET_DRIVER(AnswerOfTold() - 42)
