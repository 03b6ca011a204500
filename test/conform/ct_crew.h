/* SPDX-License-Identifier: MIT
 * Several threads that do the same work at once. A case that uses them works with any number of processors; what it asserts
 * must hold for every interleaving. */
#pragma once
#include "ct_threads.h"

#define CT_THREADS 4

typedef struct CT_CREW {
    VOID (*Work)(ULONG Number); /* 0 .. CT_THREADS - 1 */
    volatile LONG Next;
    KEVENT Go;
} CT_CREW;

static VOID NTAPI CtCrewMember(PVOID Context)
{
    CT_CREW *Crew = Context;
    ULONG Number = (ULONG)InterlockedIncrement(&Crew->Next) - 1;
    KeWaitForSingleObject(&Crew->Go, Executive, KernelMode, FALSE, NULL);
    Crew->Work(Number);
}

/* All threads run; returns when all have ended. The crew is static: a thread that hangs outlives the case. */
static VOID CtRunCrew(CT_CREW *Crew, VOID (*Work)(ULONG Number))
{
    LARGE_INTEGER Patience = {.QuadPart = -60 * 10000000LL};
    PKTHREAD Thread[CT_THREADS];
    Crew->Work = Work;
    Crew->Next = 0;
    KeInitializeEvent(&Crew->Go, NotificationEvent, FALSE);
    for (ULONG i = 0; i < CT_THREADS; i++)
        Thread[i] = CtStart(CtCrewMember, Crew);
    KeSetEvent(&Crew->Go, IO_NO_INCREMENT, FALSE);
    for (ULONG i = 0; i < CT_THREADS; i++)
        if (Thread[i] != NULL) {
            CT_SUCCESS(KeWaitForSingleObject(Thread[i], Executive, KernelMode, FALSE, &Patience));
            ObDereferenceObject(Thread[i]);
        }
}
