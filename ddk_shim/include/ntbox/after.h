/* SPDX-License-Identifier: MIT
 * What the mingw-w64 driver headers lack, read after wdm.h. Each part is one small file. */
#ifndef NTBOX_AFTER_H
#define NTBOX_AFTER_H
#include "ntbox/annotations.h"
#include "ntbox/object_types.h"
#include "ntbox/pool.h"
#include "ntbox/ke.h"
#include "ntbox/mm.h"
<<<<<<< HEAD
#include "ntbox/registry.h"
=======
#include "ntbox/rtl.h"
>>>>>>> d3f42b6 (kernel/rtl, ddk_shim: exports for conversions, case, runs, back-traces and contexts, with their cases)
#include "ntbox/sizes.h"
#endif
