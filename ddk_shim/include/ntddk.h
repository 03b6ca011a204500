/* SPDX-License-Identifier: MIT
 * Wrapper of the mingw-w64 <ntddk.h>: a driver's ordinary '#include <ntddk.h>' finds this file first and gets
 * the original plus what it lacks. What is added and why: ddk_shim/README.md. */
#pragma GCC system_header
#ifndef NTBOX_WRAP_NTDDK_H
#define NTBOX_WRAP_NTDDK_H
#include "ntbox/before.h"
#include_next <ntddk.h>
#include "ntbox/after.h"
#include "ntbox/image.h"
#include "ntbox/ps.h"
#include "ntbox/system_information.h"
#include "ntbox/unwind.h"
#endif
