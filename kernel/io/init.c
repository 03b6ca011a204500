/* SPDX-License-Identifier: MIT
 * Start-up of the I/O manager. */
#include "completion.h"
#include "device_interface.h"

VOID IoInitSystem(VOID)
{
    IopInitLinks();
    IopInitDeviceType();
    IopInitDriverType();
    IopInitFileType();
    IopInitCompletionType();
    IopInitInterfaces();
    IopInitReportDevice();
    IopInitRaw();
    IopInitNullDevice();
}
