/* SPDX-License-Identifier: MIT
 * One-time initialization, identifiers, local time. [WDK RtlRunOnceExecuteOnce, RtlRunOnceBeginInitialize, RtlRunOnceComplete,
 * ExUuidCreate, ExSystemTimeToLocalTime] */
#include "ct.h"
#include "ct_threads.h"

static LONG Calls;
static BOOLEAN Answer;

static ULONG NTAPI Initialize(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context)
{
    UNREFERENCED_PARAMETER(RunOnce);
    InterlockedIncrement(&Calls);
    *Context = Parameter;
    return Answer;
}

static VOID OnceCtExecute(VOID)
{
    RTL_RUN_ONCE Once;
    PVOID Context = NULL;

    RtlRunOnceInitialize(&Once);
    Calls = 0;
    Answer = FALSE;
    CT_STATUS(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_CHECK_ONLY, &Context), STATUS_UNSUCCESSFUL);
    CT_STATUS(RtlRunOnceExecuteOnce(&Once, Initialize, (PVOID)0x1000, &Context), STATUS_UNSUCCESSFUL);
    Answer = TRUE; /* a failure is tried again */
    CT_SUCCESS(RtlRunOnceExecuteOnce(&Once, Initialize, (PVOID)0x2000, &Context));
    CT_CHECK(Context == (PVOID)0x2000);
    CT_SUCCESS(RtlRunOnceExecuteOnce(&Once, Initialize, (PVOID)0x3000, &Context));
    CT_CHECK(Context == (PVOID)0x2000 && Calls == 2);
    CT_SUCCESS(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_CHECK_ONLY, &Context));
    CT_CHECK(Context == (PVOID)0x2000);
}

static VOID OnceCtAsync(VOID)
{
    RTL_RUN_ONCE Once = RTL_RUN_ONCE_INIT;
    PVOID Context = NULL;

    CT_STATUS(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, NULL), STATUS_UNSUCCESSFUL);
    CT_STATUS(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context), STATUS_PENDING);
    CT_STATUS(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context), STATUS_PENDING);
    CT_SUCCESS(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, (PVOID)0x4000));
    CT_STATUS(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, (PVOID)0x5000), STATUS_OBJECT_NAME_COLLISION);
    CT_SUCCESS(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context));
    CT_CHECK(Context == (PVOID)0x4000);
}

static RTL_RUN_ONCE Shared;
static volatile LONG Good, Arrived;

/* More threads than processors; all but one wait or come late. */
static VOID NTAPI Contend(PVOID Context)
{
    PVOID Got = NULL;
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Arrived);
    if (RtlRunOnceExecuteOnce(&Shared, Initialize, (PVOID)0x6000, &Got) == STATUS_SUCCESS &&
        Got == (PVOID)0x6000)
        InterlockedIncrement(&Good);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static BOOLEAN HaveArrived(PVOID Context)
{
    return Arrived == (LONG)(LONG_PTR)Context;
}

/* The initialization is begun here, so that the threads find it begun; it fails, and one of them does it. */
static VOID OnceCtWait(VOID)
{
    PKTHREAD Threads[6];
    PVOID Context;

    RtlRunOnceInitialize(&Shared);
    Calls = Good = Arrived = 0;
    Answer = TRUE;
    CT_STATUS(RtlRunOnceBeginInitialize(&Shared, 0, &Context), STATUS_PENDING);
    for (ULONG i = 0; i < 6; i++) {
        Threads[i] = CtStart(Contend, NULL);
        CT_REQUIRE(Threads[i] != NULL);
    }
    CtObserve(HaveArrived, (PVOID)6);
    CT_EQUAL(Good, 0);
    CT_SUCCESS(RtlRunOnceComplete(&Shared, RTL_RUN_ONCE_INIT_FAILED, NULL));
    for (ULONG i = 0; i < 6; i++)
        CtJoin(Threads[i]);
    CT_EQUAL(Good, 6);
    CT_EQUAL(Calls, 1);
}

static VOID OnceCtUuid(VOID)
{
    UUID a = {0}, b = {0};
    NTSTATUS Status = ExUuidCreate(&a);

    CT_CHECK(Status == STATUS_SUCCESS || Status == (NTSTATUS)0x40020056); /* RPC_NT_UUID_LOCAL_ONLY */
    Status = ExUuidCreate(&b);
    CT_CHECK(NT_SUCCESS(Status));
    CT_CHECK(RtlCompareMemory(&a, &b, sizeof(a)) != sizeof(a));
    CT_EQUAL(a.Data4[0] & 0xC0, 0x80);
}

static VOID OnceCtLocalTime(VOID)
{
    LARGE_INTEGER Now, Local, Back;

    KeQuerySystemTime(&Now);
    ExSystemTimeToLocalTime(&Now, &Local);
    ExLocalTimeToSystemTime(&Local, &Back);
    CT_EQUAL(Back.QuadPart, Now.QuadPart);
    CT_EQUAL((Now.QuadPart - Local.QuadPart) % (15ll * 60 * 10000000),
             0); /* zones differ by quarters of an hour */
}

static const CT_CASE Cases[] = {
    {"once.execute", OnceCtExecute}, {"once.async", OnceCtAsync},          {"once.wait", OnceCtWait},
    {"once.uuid", OnceCtUuid},       {"once.local_time", OnceCtLocalTime},
};
CT_DRIVER(Cases)
