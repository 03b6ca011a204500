/* SPDX-License-Identifier: MIT
 * The registers of a Linux signal as an NT CONTEXT. */
#pragma once
#include "rtl.h"
#include <ucontext.h>

void context_from_signal(const ucontext_t *signal, CONTEXT *context);
