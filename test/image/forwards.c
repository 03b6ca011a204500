/* SPDX-License-Identifier: MIT
 * Exports nothing of its own: ForwardedAdd is exporter.sys's ExporterAdd. */
#include "quiet.h"

QUIET_DRIVER(0)
