/* SPDX-License-Identifier: MIT
 * Semaphores and mutexes. [WDK KeInitializeSemaphore, KeReleaseSemaphore, KeReadStateSemaphore,
 * KeInitializeMutex, KeReleaseMutex, KeReadStateMutex] */
#include "ct.h"

static LARGE_INTEGER Now; /* zero: test the state, do not wait */

static NTSTATUS TryWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Now);
}

static VOID SemaphoreInit(VOID)
{
    KSEMAPHORE Semaphore;
    KeInitializeSemaphore(&Semaphore, 2, 5);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 2);
    CT_EQUAL(Semaphore.Limit, 5);
    CT_SUCCESS(TryWait(&Semaphore));
    CT_SUCCESS(TryWait(&Semaphore));
    CT_STATUS(TryWait(&Semaphore), STATUS_TIMEOUT);
}

static NTSTATUS ReleaseTooMuch(PVOID Semaphore)
{
    KeReleaseSemaphore(Semaphore, IO_NO_INCREMENT, 5, FALSE);
    return STATUS_SUCCESS;
}

/* Returns the count before; going over the limit raises and leaves the count as it was. */
static VOID SemaphoreRelease(VOID)
{
    KSEMAPHORE Semaphore;
    KeInitializeSemaphore(&Semaphore, 0, 4);
    CT_EQUAL(KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 1, FALSE), 0);
    CT_EQUAL(KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 2, FALSE), 1);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 3);
    CT_STATUS(NtboxGuardedCall(ReleaseTooMuch, &Semaphore), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 3);
}

static VOID SemaphoreRead(VOID)
{
    KSEMAPHORE Semaphore;
    KeInitializeSemaphore(&Semaphore, 1, 1);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 1);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 1);
    CT_SUCCESS(TryWait(&Semaphore));
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 0);
}

/* A mutex starts free; its owner may take it again and must release it as often. */
static VOID MutexInit(VOID)
{
    KMUTEX Mutex;
    KeInitializeMutex(&Mutex, 0);
    CT_EQUAL(KeReadStateMutex(&Mutex), 1);
    CT_SUCCESS(TryWait(&Mutex));
    CT_SUCCESS(TryWait(&Mutex));
    CT_EQUAL(KeReleaseMutex(&Mutex, FALSE), -1);
    CT_EQUAL(KeReleaseMutex(&Mutex, FALSE), 0);
    CT_EQUAL(KeReadStateMutex(&Mutex), 1);
}

static NTSTATUS ReleaseNotOwned(PVOID Mutex)
{
    KeReleaseMutex(Mutex, FALSE);
    return STATUS_SUCCESS;
}

/* Who holds a kernel mutex runs with normal kernel APCs disabled; who does not may not release it. */
static VOID MutexRelease(VOID)
{
    KMUTEX Mutex;
    KeInitializeMutex(&Mutex, 0);
    CT_STATUS(NtboxGuardedCall(ReleaseNotOwned, &Mutex), STATUS_MUTANT_NOT_OWNED);
    CT_CHECK(!KeAreApcsDisabled());
    CT_SUCCESS(KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL));
    CT_CHECK(KeAreApcsDisabled());
    CT_EQUAL(KeReleaseMutex(&Mutex, FALSE), 0);
    CT_CHECK(!KeAreApcsDisabled());
}

static VOID MutexRead(VOID)
{
    KMUTEX Mutex;
    KeInitializeMutex(&Mutex, 0);
    CT_EQUAL(KeReadStateMutex(&Mutex), 1);
    CT_SUCCESS(TryWait(&Mutex));
    CT_EQUAL(KeReadStateMutex(&Mutex), 0);
    KeReleaseMutex(&Mutex, FALSE);
}

static const CT_CASE Cases[] = {
    {"semaphore.init", SemaphoreInit}, {"semaphore.release", SemaphoreRelease},
    {"semaphore.read", SemaphoreRead}, {"mutex.init", MutexInit},
    {"mutex.release", MutexRelease},   {"mutex.read", MutexRead},
};
CT_DRIVER(Cases)
