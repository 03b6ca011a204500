/* SPDX-License-Identifier: MIT
 * <ip2string.h> of the driver kit; mingw-w64 has none. */
#pragma GCC system_header
#ifndef NTBOX_IP2STRING_H
#define NTBOX_IP2STRING_H
#include <inaddr.h>
#include <in6addr.h>
#include "ntbox/ip2string.h"
#endif
