/* SPDX-License-Identifier: MIT
 * Calls to all processors: each runs them once, and all see at once what became of a page. */
#include "ki.h"
#include "kt.h"

static volatile LONG KiCalls[KI_MAX_PROCESSORS];

static VOID KiCountCall(PVOID Context)
{
    KiCalls[KeGetPrcb()->Number]++;
}

KT_TEST(call_reaches_each_processor_once)
{
    for (LONG Round = 1; Round <= 50; Round++) {
        KeCallAllProcessors(KiCountCall, NULL);
        for (ULONG i = 0; i < KeActiveProcessorCount; i++)
            KT_EXPECT(KiCalls[i] == Round);
    }
}

typedef struct _KI_READ_ALL {
    volatile ULONG *Page;
    ULONG Wanted;
    volatile LONG Wrong;
} KI_READ_ALL;

static VOID KiReadPage(PVOID Context)
{
    KI_READ_ALL *Read = Context;

    if (*Read->Page != Read->Wanted)
        InterlockedIncrement(&Read->Wrong);
}

/* The address is freed and mapped to another page: no processor may still see the old one. The old page is kept by us meanwhile, so that
 * it is another one for sure. */
KT_TEST(no_processor_keeps_a_stale_translation)
{
    KI_READ_ALL Read = {.Page = MmAllocateSystemPages(1, MmReadWrite), .Wanted = 0x11111111};
    ULONG64 Physical;

    KT_EXPECT(Read.Page != NULL && MmTranslate((PVOID)Read.Page, &Physical));
    *Read.Page = Read.Wanted;
    KeCallAllProcessors(KiReadPage, &Read);
    MmFreeSystemPages((PVOID)Read.Page, 1);
    PFN_NUMBER Kept = MmAllocatePhysicalPage(FALSE);
    volatile ULONG *Again = MmAllocateSystemPages(1, MmReadWrite);
    BOOLEAN SameAddress = Again == Read.Page;
    *Again = Read.Wanted = 0x22222222;
    if (SameAddress)
        KeCallAllProcessors(KiReadPage, &Read);
    MmFreeSystemPages((PVOID)Again, 1);
    MmFreePhysicalPages(Kept, 1);
    KT_EXPECT(Read.Wrong == 0);
    KT_EXPECT(SameAddress); /* first fit: otherwise nothing was tested */
}

/* --- two processors ask at the same time --- */

static volatile LONG KiInFirst, KiInSecond;

static VOID KiSecondCall(PVOID Context)
{
    KiInSecond = TRUE;
}

/* On processor 1 the first call lasts until the second one has come to some processor, or for some seconds. */
static VOID KiFirstCall(PVOID Context)
{
    ULONG64 End = ArchReadTsc() + 5 * HalTscFrequency();

    if (KeGetPrcb()->Number != 1)
        return;
    KiInFirst = TRUE;
    while (!KiInSecond && ArchReadTsc() < End)
        __builtin_ia32_pause();
    *(volatile LONG *)Context = KiInSecond;
}

static VOID NTAPI KiAskSecond(PVOID Context)
{
    KeSetSystemAffinityThread((KAFFINITY)1 << 2);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    while (!KiInFirst)
        __builtin_ia32_pause();
    KeCallAllProcessors(KiSecondCall, NULL);
}

/* A call that takes long on one processor keeps nobody from making others. */
KT_TEST(calls_do_not_wait_for_each_other)
{
    volatile LONG Seen = FALSE;
    KEVENT Runs;

    if (KeActiveProcessorCount < 3)
        return;
    KiInFirst = KiInSecond = FALSE;
    KeInitializeEvent(&Runs, NotificationEvent, FALSE);
    PVOID Thread = KtStartThread(KiAskSecond, &Runs);
    KT_EXPECT(Thread != NULL);
    KeSetSystemAffinityThread(1);
    (void)KeWaitForSingleObject(&Runs, Executive, KernelMode, FALSE, NULL);
    KeCallAllProcessors(KiFirstCall, (PVOID)&Seen);
    KeRevertToUserAffinityThread();
    KtJoinThread(Thread);
    KT_EXPECT(Seen);
}
