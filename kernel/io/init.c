/* SPDX-License-Identifier: MIT
 * Start-up of the I/O manager. */
#include "completion.h"

VOID IoInitSystem(VOID)
{
    IopInitLinks();
    IopInitDeviceType();
    IopInitDriverType();
    IopInitFileType();
    IopInitCompletionType();
    IopInitReportDevice();
    IopInitRaw();
    IopInitNullDevice();
}
