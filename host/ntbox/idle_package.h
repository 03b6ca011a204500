/* SPDX-License-Identifier: MIT
 * A driver package that was installed for a device which the machine does not have: nothing of it was tested. */
#pragma once
#include "verdict.h"

/* Of a run that came to its end: is no driver of a package loaded, because no device has one of its IDs? It takes the place of what the requests
 * say, which follows from it. */
void idle_package_judge(const RunOptions *options, const RunReport *report, Verdict *verdict);
