/* SPDX-License-Identifier: MIT
 * Threads of the in-kernel tests. */
#include "kt.h"
#include "ps.h"

PVOID KtStartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    PVOID Thread = NULL;

    if (!NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context)))
        return NULL;
    (void)ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    return Thread;
}

VOID KtJoinThread(PVOID Thread)
{
    if (Thread == NULL)
        return;
    (void)KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}
