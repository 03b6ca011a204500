/* SPDX-License-Identifier: MIT
 * Tier 1: the ABI. (kernel/meson.build defines _NTSYSTEM_ and _NTOSKRNL_, so that nothing is dllimport.) The
 * DDK headers as drivers see them, plus our shim's additions and corrections; then the few macros that all
 * kernel code uses. Every tier-2 header includes this one first. */
#pragma once
#include "ntbox_ddk.h"
#include <stdint.h>

#if DBG
#define NTBOX_CHECKED 1
#else
#define NTBOX_CHECKED 0
#endif

#define NTBOX_STRINGIZE2(X) #X
#define NTBOX_STRINGIZE(X) NTBOX_STRINGIZE2(X)

#define PAGE_MASK (PAGE_SIZE - 1)

/* The sizes of an ABI struct and its fields are literals from published sources. */
#define ASSERT_SIZE(Type, Size) _Static_assert(sizeof(Type) == (Size), #Type " has the wrong size")
#define ASSERT_OFFSET(Type, Field, Offset)                                                                   \
    _Static_assert(__builtin_offsetof(Type, Field) == (Offset), #Type "." #Field " is at the wrong offset")

/* Bug checks that the headers lack. */
#define DRIVER_VERIFIER_DETECTED_VIOLATION ((ULONG)0x000000C4)
#define DPC_WATCHDOG_VIOLATION ((ULONG)0x00000133)
#define KERNEL_SECURITY_CHECK_FAILURE ((ULONG)0x00000139)
#define TIMER_OR_DPC_INVALID ((ULONG)0x000000C7)
#define CLOCK_WATCHDOG_TIMEOUT ((ULONG)0x00000101)
#define MUTEX_ALREADY_OWNED ((ULONG)0x000000BF)
#define SYSTEM_PTE_MISUSE ((ULONG)0x000000DA)

/* Our own invariants (never outside input): checked kernel only. A failure is a bug of ours and stops the
 * machine. */
#if NTBOX_CHECKED
DECLSPEC_NORETURN VOID KdAssertionFailed(PCSTR Expression, PCSTR File, ULONG Line);
#define NT_CHECK(Expression)                                                                                 \
    do {                                                                                                     \
        if (__builtin_expect(!(Expression), 0))                                                              \
            KdAssertionFailed(#Expression, __FILE_NAME__, __LINE__);                                         \
    } while (0)
#else
#define NT_CHECK(Expression) ((void)sizeof((Expression) ? 1 : 0))
#endif
