/* SPDX-License-Identifier: MIT
 * Tier 2, kt: in-kernel tests, in the checked kernel only. A test lies beside the code it tests (ke/timer.c,
 * ke/timer_test.c) and registers itself through a linker section:
 *
 *     KT_TEST(pool_block_is_aligned)
 *     {
 *         KT_EXPECT(((ULONG_PTR)p & 15) == 0);
 *     }
 *
 * Tests run at PASSIVE_LEVEL in a system thread, one after another, when the command line says `kt`; each is a case
 * "kt.<name>" of the report. A failed expectation ends its test. */
#pragma once
#include "nt.h"

typedef struct _KT_CONTEXT {
    PCSTR Expression; /* of the expectation that failed; NULL: none */
    PCSTR File;
    ULONG Line;
} KT_CONTEXT;

typedef VOID (*KT_ROUTINE)(KT_CONTEXT *Kt);

typedef struct _KT_ENTRY {
    PCSTR Name;
    KT_ROUTINE Routine;
} KT_ENTRY;

#pragma section(".kt$b", read)
#define KT_TEST(TestName)                                                                                    \
    static VOID KtTest_##TestName(KT_CONTEXT *Kt);                                                           \
    __declspec(allocate(".kt$b")) const KT_ENTRY KtEntry_##TestName = {#TestName, KtTest_##TestName};        \
    static VOID KtTest_##TestName(KT_CONTEXT *Kt)

#define KT_EXPECT(Condition)                                                                                 \
    do {                                                                                                     \
        if (!(Condition)) {                                                                                  \
            *Kt = (KT_CONTEXT){#Condition, __FILE_NAME__, __LINE__};                                         \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

/* mm/pfn_test.c. All pages of the standby list are taken from their owners, as if memory were short, and are free. IRQL <= DISPATCH_LEVEL. */
VOID KtTakeStandby(VOID);

/* kt/thread.c, PASSIVE_LEVEL. A system thread, referenced; NULL: there is no memory for it. Join waits for its end and drops the reference. */
PVOID KtStartThread(PKSTART_ROUTINE Routine, PVOID Context);
VOID KtJoinThread(PVOID Thread);

/* PASSIVE_LEVEL. Runs all; FALSE when one failed. */
BOOLEAN KtRunTests(VOID);

/* PASSIVE_LEVEL. Random operations on all dispatcher objects for so many milliseconds (kt/stress.c); the case "stress.<Seed>" of the report.
 * FALSE: an invariant was broken. */
BOOLEAN KtStress(ULONG Milliseconds, ULONG64 Seed, PCSTR Only);

/* mm/cache_test.c. Any IRQL. Have these mapped pages of RAM, and the direct map of them, this cache type (one of the first three)? */
BOOLEAN KtIsCached(const VOID *Address, SIZE_T Size, MEMORY_CACHING_TYPE Type);
