/* SPDX-License-Identifier: MIT
 * What the unit tests of kernel/rtl share: cmocka, the library's headers, and a pool that counts and can
 * fail. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rtl.h"
#include "crt.h"

/* The pool that kernel/rtl sees. FailAt = n makes the n-th allocation from now fail (0: none). Freeing
 * something that was not allocated ends the test (AddressSanitizer). */
typedef struct _TEST_POOL {
    long Live, FailAt;
} TEST_POOL;
extern TEST_POOL TestPool;

/* A UNICODE_STRING or STRING over a literal, without its terminator in MaximumLength. */
#define USTR(Literal)                                                                                        \
    ((UNICODE_STRING){sizeof(Literal) - sizeof(WCHAR), sizeof(Literal) - sizeof(WCHAR), (PWSTR)(Literal)})
#define ASTR(Literal) ((STRING){sizeof(Literal) - 1, sizeof(Literal) - 1, (PCHAR)(Literal)})

/* An empty string over an array of the caller. */
#define UBUFFER(Array) ((UNICODE_STRING){0, sizeof(Array), (Array)})
#define ABUFFER(Array) ((STRING){0, sizeof(Array), (Array)})

void assert_ustr(PCUNICODE_STRING Actual, const WCHAR *Expected);
void assert_astr(const STRING *Actual, const char *Expected);
