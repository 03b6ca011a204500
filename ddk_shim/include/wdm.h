/* SPDX-License-Identifier: MIT
 * Wrapper of the mingw-w64 <wdm.h>; see ntddk.h beside this file. */
#pragma GCC system_header
#ifndef NTBOX_WRAP_WDM_H
#define NTBOX_WRAP_WDM_H
#include "ntbox/before.h"
#include_next <wdm.h>
#include "ntbox/after.h"
#endif
