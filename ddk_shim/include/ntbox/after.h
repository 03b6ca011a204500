/* SPDX-License-Identifier: MIT
 * What the mingw-w64 driver headers lack, read after wdm.h. Each part is one small file. */
#ifndef NTBOX_AFTER_H
#define NTBOX_AFTER_H
#include "ntbox/annotations.h"
#include "ntbox/object_types.h"
#include "ntbox/pool.h"
#include "ntbox/dma.h"
#include "ntbox/hal.h"
#include "ntbox/io.h"
#include "ntbox/ip2string.h"
#include "ntbox/ke.h"
#include "ntbox/mm.h"
#include "ntbox/ob.h"
#include "ntbox/pnp.h"
#include "ntbox/po.h"
#include "ntbox/registry.h"
#include "ntbox/rtl.h"
#include "ntbox/sizes.h"
#include "ntbox/virtual.h"
#endif
