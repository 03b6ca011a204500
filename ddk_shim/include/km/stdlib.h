/* SPDX-License-Identifier: MIT
 * <stdlib.h> for kernel code: what ntoskrnl.exe exports of it. */
#pragma once
#include "ntbox/crt.h"
