/* SPDX-License-Identifier: MIT
 * A DPC on every processor at once. KeGenericCallDpc and its companions are exported by every Windows and documented nowhere: what is
 * checked is what drivers that call them rely on. */
#include "ct.h"

#define MAX_PROCESSORS 64
#define ROUNDS 4

typedef struct CALL {
    volatile LONG Calls[MAX_PROCESSORS];
    volatile LONG Wrong; /* IRQL, context, arguments */
    volatile LONG Inside, First, Behind;
} CALL;

static volatile LONG Cookie;

static VOID Note(CALL *Call, PVOID Argument1, PVOID Argument2)
{
    ULONG Number = KeGetCurrentProcessorNumberEx(NULL);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL || Argument1 == NULL || Argument2 == NULL ||
        Number >= MAX_PROCESSORS)
        InterlockedIncrement(&Call->Wrong);
    else
        InterlockedIncrement(&Call->Calls[Number]);
}

static VOID NTAPI Count(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    Note(Context, Argument1, Argument2);
    InterlockedIncrement(&Cookie);
    KeSignalCallDpcDone(Argument1);
}

static VOID CheckCalls(const CALL *Call, LONG Times)
{
    ULONG Processors = KeQueryActiveProcessorCountEx(0);
    CT_EQUAL(Call->Wrong, 0);
    for (ULONG i = 0; i < MAX_PROCESSORS; i++)
        CT_EQUAL(Call->Calls[i], i < Processors ? Times : 0);
}

static VOID EachProcessor(VOID)
{
    CALL Call = {.Wrong = 0};
    Cookie = 0;
    for (LONG Round = 1; Round <= ROUNDS; Round++) {
        KeGenericCallDpc(Count, &Call);
        CT_EQUAL(Cookie, Round * (LONG)KeQueryActiveProcessorCountEx(0)); /* all are done when it returns */
    }
    CheckCalls(&Call, ROUNDS);
}

/* All are inside before any goes on, at each of the barriers; one of them is told so. */
static VOID NTAPI Meet(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    CALL *Call = Context;
    LONG Processors = (LONG)KeQueryActiveProcessorCountEx(0);
    UNREFERENCED_PARAMETER(Dpc);
    Note(Call, Argument1, Argument2);
    for (LONG Round = 1; Round <= ROUNDS; Round++) {
        InterlockedIncrement(&Call->Inside);
        if (KeSignalCallDpcSynchronize(Argument2))
            InterlockedIncrement(&Call->First);
        if (Call->Inside < Round * Processors)
            InterlockedIncrement(&Call->Behind);
        KeSignalCallDpcSynchronize(
            Argument2); /* so that nobody begins the next round before all have looked */
        if (Call->First != Round)
            InterlockedIncrement(&Call->Behind);
    }
    KeSignalCallDpcDone(Argument1);
}

static VOID Synchronize(VOID)
{
    CALL Call = {.Wrong = 0};
    KeGenericCallDpc(Meet, &Call);
    CheckCalls(&Call, 1);
    CT_EQUAL(Call.First, ROUNDS);
    CT_EQUAL(Call.Behind, 0);
}

/* --- several callers: one after the other --- */

#define CALLERS 3

static CALL Shared;
static volatile LONG Running;

static VOID NTAPI Alone(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    Note(Context, Argument1, Argument2);
    InterlockedIncrement(&Running);
    KeSignalCallDpcSynchronize(Argument2);
    if (Running != (LONG)KeQueryActiveProcessorCountEx(0))
        InterlockedIncrement(&Shared.Behind);
    KeSignalCallDpcSynchronize(Argument2);
    InterlockedDecrement(&Running);
    KeSignalCallDpcSynchronize(Argument2);
    KeSignalCallDpcDone(Argument1);
}

static VOID NTAPI Caller(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < ROUNDS; i++)
        KeGenericCallDpc(Alone, &Shared);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Callers(VOID)
{
    HANDLE Threads[CALLERS];
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    for (ULONG i = 0; i < CALLERS; i++)
        CT_SUCCESS(
            PsCreateSystemThread(&Threads[i], THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Caller, NULL));
    for (ULONG i = 0; i < CALLERS; i++) {
        CT_SUCCESS(ZwWaitForSingleObject(Threads[i], FALSE, NULL));
        CT_SUCCESS(ZwClose(Threads[i]));
    }
    CheckCalls(&Shared, CALLERS * ROUNDS);
    CT_EQUAL(Shared.Behind, 0);
}

static const CT_CASE Cases[] = {
    {"call_dpc.each_processor", EachProcessor},
    {"call_dpc.synchronize", Synchronize},
    {"call_dpc.callers", Callers},
};
CT_DRIVER(Cases)
