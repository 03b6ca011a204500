/* SPDX-License-Identifier: MIT
 * The ABI as the kernel itself sees it: the <ntifs.h> world without dllimport, because here the functions are
 * defined, plus the image format and the structures that the public headers leave out. Kernel code includes
 * this file only; drivers include <ntddk.h>, <wdm.h> or <ntifs.h> as they would with the Windows driver kit.
 */
#pragma once
#ifndef _NTSYSTEM_
#define _NTSYSTEM_
#endif
#ifndef _NTOSKRNL_
#define _NTOSKRNL_
#endif
#ifndef _NTHALDLL_
#define _NTHALDLL_
#endif
#include <ntifs.h>
#include <ntimage.h>
#include "ntbox/aliases.h"
#include "ntbox/kuser.h"
