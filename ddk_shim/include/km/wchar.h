/* SPDX-License-Identifier: MIT
 * <wchar.h> for kernel code: what ntoskrnl.exe exports of it. */
#pragma once
#include "ntbox/crt.h"
