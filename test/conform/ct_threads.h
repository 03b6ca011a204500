/* SPDX-License-Identifier: MIT
 * Threads for conformance cases: started, waited for, dereferenced. */
#pragma once
#include "ct.h"

static LARGE_INTEGER CtPatience = {.QuadPart = -10 * 10000000LL};

/* The thread's object, referenced; NULL and a failed case when it could not be made. */
static inline PKTHREAD CtStart(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    PVOID Thread = NULL;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(
            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Routine, Context))) {
        CtFail(__FILE_NAME__, __LINE__, "a thread", 0, 0, FALSE);
        return NULL;
    }
    CT_SUCCESS(
        ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Thread, NULL));
    ZwClose(Handle);
    return Thread;
}

static inline VOID CtJoin(PKTHREAD Thread)
{
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &CtPatience));
    ObDereferenceObject(Thread);
}

/* Set by one thread, waited for by another. */
static inline VOID CtExpect(PKEVENT Event)
{
    CT_SUCCESS(KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &CtPatience));
}

static inline LARGE_INTEGER CtMilliseconds(LONG Count)
{
    return (LARGE_INTEGER){.QuadPart = -10000LL * Count};
}

/* Waits for something that a documented function reports but nothing signals: that another thread waits, that a call refuses from now on.
 * Looks every millisecond; how long it takes does not matter to the case. FALSE, and the case fails, when it is not so after CtPatience. */
static inline BOOLEAN CtObserve(BOOLEAN (*IsSo)(PVOID), PVOID Context)
{
    ULONG64 End = KeQueryInterruptTime() - (ULONG64)CtPatience.QuadPart;
    LARGE_INTEGER Pause = CtMilliseconds(1);
    while (!IsSo(Context)) {
        if (KeQueryInterruptTime() > End)
            return CT_CHECK(!"what was waited for has not come");
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
    }
    return TRUE;
}

/* A turn of a busy loop. Under -icount a pause costs as much as a thousand instructions, and without any the other processors
 * get no turn. */
static inline VOID CtSpin(VOID)
{
    for (ULONG i = 0; i < 2000; i++)
        __asm__ volatile("" : : : "memory");
    YieldProcessor();
}
