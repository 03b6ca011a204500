/* SPDX-License-Identifier: MIT
 * The ABI tables of this folder against the headers, as the compiler in use lays them out. Part of the
 * kernel's build, and compiled once more with each driver flavour. */
#ifdef NTBOX_ABI_DRIVER
#include <ntifs.h>
#include "ntbox/kuser.h"
#else
#include "ntbox_ddk.h"
#endif
#include "ntbox_abi_asserts.h"
