/* SPDX-License-Identifier: MIT
 * Touches user addresses where it must not: rule 0, a DPC reads a page of the process that happens to run; rule 1, a page that is not
 * there, under a spin lock; rule 2, user code is called; rule 3, a guard page, without a handler. */
#define DEVICE_NAME L"\\Device\\NtboxTouchesUser"
#include "rules.h"

static PVOID Page;
static KDPC Dpc;

static VOID TakePage(VOID)
{
    SIZE_T Size = PAGE_SIZE;
    if (Page == NULL && NT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Page, 0, &Size,
                                                           MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)))
        *(volatile UCHAR *)Page = 0xc3; /* ret */
}

static VOID NTAPI DpcReads(PKDPC ThisDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    (VOID) * (volatile UCHAR *)Page;
}

BREAKS TouchInDpc(VOID)
{
    KeInitializeDpc(&Dpc, DpcReads, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

BREAKS TouchUnderLock(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL OldIrql;
    SIZE_T Size = 0;
    ZwFreeVirtualMemory(ZwCurrentProcess(), &Page, &Size, MEM_RELEASE);
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &OldIrql);
    (VOID) * (volatile UCHAR *)Page;
    KeReleaseSpinLock(&Lock, OldIrql);
}

BREAKS CallUserCode(VOID)
{
    SIZE_T Size = PAGE_SIZE;
    ULONG Old;
    ZwProtectVirtualMemory(ZwCurrentProcess(), &Page, &Size, PAGE_EXECUTE_READ, &Old);
    ((VOID(NTAPI *)(VOID))Page)();
}

BREAKS TouchGuard(VOID)
{
    SIZE_T Size = PAGE_SIZE;
    ULONG Old;
    ZwProtectVirtualMemory(ZwCurrentProcess(), &Page, &Size, PAGE_READWRITE | PAGE_GUARD, &Old);
    (VOID) * (volatile UCHAR *)Page;
}

static VOID (*const Rules[])(VOID) = {TouchInDpc, TouchUnderLock, CallUserCode, TouchGuard};
RULES(Rules, TakePage())
