/* SPDX-License-Identifier: MIT
 * Start-up of the I/O manager. */
#include "iop.h"

VOID IoInitSystem(VOID)
{
    IopInitLinks();
    IopInitDeviceType();
    IopInitDriverType();
    IopInitFileType();
    IopInitReportDevice();
    IopInitRaw();
    IopInitNullDevice();
}
