/* SPDX-License-Identifier: MIT
 * Wrapper of the mingw-w64 <ntifs.h>; it includes <ntddk.h>, hence our wrapper of that. */
#pragma GCC system_header
#ifndef NTBOX_WRAP_NTIFS_H
#define NTBOX_WRAP_NTIFS_H
#include "ntbox/before.h"
#include_next <ntifs.h>
#include "ntbox/after.h"
#include "ntbox/handle.h"
#include "ntbox/se.h"
#include "ntbox/unwind.h"
#endif
