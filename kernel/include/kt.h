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

/* kt/user.c, PASSIVE_LEVEL. Body runs as a thread of an empty process of the System account does between two system calls: attached to it,
 * previous mode UserMode, with so many pages of memory at KT_USER_BASE. */
#define KT_USER_BASE 0x20000000ull
VOID KtAsUser(KT_CONTEXT *Kt, ULONG Pages, KT_ROUTINE Body);

/* The same in two steps, for what a test makes before and after its body. After a failure nothing is to be undone. */
typedef struct _KT_USER {
    PEPROCESS Process; /* referenced until KtBecomeKernel */
    KAPC_STATE State;
} KT_USER;
NTSTATUS KtBecomeUser(KT_USER *User, ULONG Pages);
VOID KtBecomeKernel(KT_USER *User);

/* PASSIVE_LEVEL. Runs all; FALSE when one failed. */
BOOLEAN KtRunTests(VOID);

/* PASSIVE_LEVEL. Random operations on all dispatcher objects for so many milliseconds (kt/stress.c); the case "stress.<Seed>" of the report.
 * FALSE: an invariant was broken. */
BOOLEAN KtStress(ULONG Milliseconds, ULONG64 Seed, PCSTR Only);

/* mm/cache_test.c. Any IRQL. Have these mapped pages of RAM, and the direct map of them, this cache type (one of the first three)? */
BOOLEAN KtIsCached(const VOID *Address, SIZE_T Size, MEMORY_CACHING_TYPE Type);
