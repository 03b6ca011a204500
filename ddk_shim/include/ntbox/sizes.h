/* SPDX-License-Identifier: MIT
 * Sizes of Windows 10 x64 where the mingw-w64 header's sizeof differs. Allocate and report these. */
#pragma once

/* The header's DEVICE_OBJECT is 8 bytes short: Windows allocates 0x150, DeviceExtension follows at +0x150. */
#define NTBOX_SIZEOF_DEVICE_OBJECT 0x150
#define NTBOX_SIZEOF_DEVICE_DESCRIPTION 0x40
