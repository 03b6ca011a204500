/* SPDX-License-Identifier: MIT
 * <ctype.h> for kernel code: what ntoskrnl.exe exports of it. */
#pragma once
#include "ntbox/crt.h"
