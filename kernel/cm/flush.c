/* SPDX-License-Identifier: MIT
 * Hives that changed go to their files. [WDK ZwFlushKey] "flushes the entire registry hive for the key"; "the system flushes key changes
 * automatically every few seconds": some time after the first change, in a system worker thread. */
#include "cm/cmp.h"
#include "cm_service.h"
#include "kd.h"
#include "ke.h"

#define CMP_FLUSH_DELAY (5 * 10000000ull) /* 5 s, doubled after each flush that fails */
#define CMP_MOST_DOUBLINGS 7u             /* up to 640 s */

static KMUTEX CmpFlushMutex; /* (f) */
static KTIMER CmpFlushTimer;
static KDPC CmpFlushDpc;
static WORK_QUEUE_ITEM CmpFlushItem; /* queued by the DPC while CmpFlushArmed is not 0 */
static ULONG64
    CmpFlushArmed; /* (r) interrupt time for which the timer is set, until its work item begins; or 0 */
static BOOLEAN CmpFlushStopped; /* (r) the system is shut down */

VOID CmpLockFlush(VOID)
{
    (void)KeWaitForSingleObject(&CmpFlushMutex, Executive, KernelMode, FALSE, NULL);
}

VOID CmpUnlockFlush(VOID)
{
    (void)KeReleaseMutex(&CmpFlushMutex, FALSE);
}

/* --- one hive ------------------------------------------------------------------------------------------------------- */

/* The file as it is to be, in pool; NULL: nothing has changed. */
static NTSTATUS CmpCopyFile(CMP_HIVE *Hive, uint8_t **Copy, uint32_t *Length)
{
    const uint8_t *Bytes;
    NTSTATUS Status = STATUS_SUCCESS;
    *Copy = NULL;
    CmpLockExclusive();
    Hive->FlushAt = 0;
    if (Hive->Hive.Dirty) {
        HiveSeal(&Hive->Hive, CmpNow(), &Bytes, Length);
        *Copy = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, *Length, CMP_TAG_HIVE);
        if (*Copy != NULL) {
            RtlCopyMemory(*Copy, Bytes, *Length);
            Hive->Hive.Dirty = false;
        } else {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    CmpUnlockExclusive();
    return Status;
}

/* (r) alone. A timer that has fired, and whose work item has not begun, was set for an earlier time. */
static VOID CmpArmFlush(ULONG64 At)
{
    ULONG64 Now = KeQueryInterruptTime();
    LARGE_INTEGER Due = {.QuadPart = At > Now ? -(LONGLONG)(At - Now) : -1};
    if (CmpFlushStopped || (CmpFlushArmed != 0 && CmpFlushArmed <= At))
        return;
    CmpFlushArmed = At;
    (void)KeSetTimer(&CmpFlushTimer, Due, &CmpFlushDpc);
}

/* (r) alone. */
static VOID CmpPlanFlush(CMP_HIVE *Hive, ULONG Doublings)
{
    Hive->FlushAt = KeQueryInterruptTime() + (CMP_FLUSH_DELAY << Doublings);
    CmpArmFlush(Hive->FlushAt);
}

VOID CmpFlushLater(CMP_HIVE *Hive)
{
    if (Hive->FlushAt == 0 && Hive->Hive.Dirty && Hive->File.Length != 0)
        CmpPlanFlush(Hive, 0);
}

/* A system without a writable volume. */
static BOOLEAN CmpIsNoVolume(const CMP_HIVE *Hive, NTSTATUS Status)
{
    return !Hive->Loaded &&
           (Status == STATUS_OBJECT_PATH_NOT_FOUND || Status == STATUS_OBJECT_NAME_NOT_FOUND);
}

/* It is tried again by itself, each time later than before, but not on a system without a volume: there the next change does. */
static VOID CmpKeepDirty(CMP_HIVE *Hive, NTSTATUS Status)
{
    if (Hive->Failures < CMP_MOST_DOUBLINGS)
        Hive->Failures++;
    CmpLockExclusive();
    Hive->Hive.Dirty = true;
    if (!CmpIsNoVolume(Hive, Status))
        CmpPlanFlush(Hive, Hive->Failures);
    CmpUnlockExclusive();
}

/* Once, until it is written again. That there is no volume is no news. */
static VOID CmpSayUnwritten(CMP_HIVE *Hive, NTSTATUS Status)
{
    if (!CmpIsNoVolume(Hive, Status) && !Hive->Unwritten)
        KdLog("%wZ cannot be written: status 0x%08X; the hive stays in memory", &Hive->File,
              (unsigned)Status);
    Hive->Unwritten = TRUE;
}

static NTSTATUS CmpWriteHive(CMP_HIVE *Hive)
{
    uint8_t *Copy;
    uint32_t Length;
    NTSTATUS Status = CmpCopyFile(Hive, &Copy, &Length);
    if (NT_SUCCESS(Status) && Copy == NULL)
        return STATUS_SUCCESS;
    if (NT_SUCCESS(Status)) {
        Hive->Writing = TRUE;
        Status = CmpReplaceFile(&Hive->File, Hive->Loaded ? &Hive->Held : NULL, Copy, Length);
        Hive->Writing = FALSE;
        ExFreePoolWithTag(Copy, CMP_TAG_HIVE);
    }
    if (NT_SUCCESS(Status)) {
        Hive->Failures = 0;
        Hive->Unwritten = FALSE;
        return STATUS_SUCCESS;
    }
    CmpKeepDirty(Hive, Status);
    CmpSayUnwritten(Hive, Status);
    return Status == STATUS_INSUFFICIENT_RESOURCES ? Status : STATUS_REGISTRY_IO_FAILED;
}

/* A file system that flushes the hive that it is just given would wait for itself. */
NTSTATUS CmpFlushHive(CMP_HIVE *Hive)
{
    if (Hive->File.Length == 0)
        return STATUS_SUCCESS;
    return Hive->Writing ? STATUS_REGISTRY_IO_FAILED : CmpWriteHive(Hive);
}

/* A hive that is unloaded, whose keys are deleted, goes under the same lock. */
static NTSTATUS CmpFlushKey(CMP_KEY *Key)
{
    CmpLockFlush();
    CmpLockShared();
    NTSTATUS Status = Key->Kcb->Deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
    CmpUnlockShared();
    if (NT_SUCCESS(Status))
        Status = CmpFlushHive(Key->Kcb->Hive);
    CmpUnlockFlush();
    return Status;
}

/* [WDK ZwFlushKey] returns when the changes have been written. STATUS_REGISTRY_IO_FAILED: they could not be. */
NTSTATUS CmFlushKey(HANDLE KeyHandle, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(KeyHandle, 0, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_FLUSH_KEY_INFORMATION Information = {.Object = Key};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreFlushKey, RegNtPostFlushKey, Key, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Key, CmpFlushKey(Key));
    ObfDereferenceObject(Key);
    return Status;
}

/* --- all of them ---------------------------------------------------------------------------------------------------- */

/* No hive goes away meanwhile: who unloads one has (f). */
static VOID CmpFlushAll(VOID)
{
    CMP_HIVE *Hive = NULL;
    CmpLockFlush();
    while ((Hive = CmpNextHive(Hive)) != NULL)
        (void)CmpFlushHive(Hive);
    CmpUnlockFlush();
}

/* (f). Its time has come; if not, the timer is set for it. */
static BOOLEAN CmpIsFlushDue(const CMP_HIVE *Hive)
{
    CmpLockExclusive();
    BOOLEAN Due = Hive->FlushAt != 0 && Hive->FlushAt <= KeQueryInterruptTime();
    if (Hive->FlushAt != 0 && !Due)
        CmpArmFlush(Hive->FlushAt);
    CmpUnlockExclusive();
    return Due;
}

static VOID NTAPI CmpFlushWork(PVOID Context)
{
    CMP_HIVE *Hive = NULL;
    CmpLockExclusive();
    CmpFlushArmed = 0;
    CmpUnlockExclusive();
    CmpLockFlush();
    while ((Hive = CmpNextHive(Hive)) != NULL) {
        if (CmpIsFlushDue(Hive))
            (void)CmpFlushHive(Hive);
    }
    CmpUnlockFlush();
}

static VOID NTAPI CmpFlushDue(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    ExQueueWorkItem(&CmpFlushItem, DelayedWorkQueue);
}

VOID CmpInitFlush(VOID)
{
    KeInitializeMutex(&CmpFlushMutex, 0);
    KeInitializeTimer(&CmpFlushTimer);
    KeInitializeDpc(&CmpFlushDpc, CmpFlushDue, NULL);
    ExInitializeWorkItem(&CmpFlushItem, CmpFlushWork, NULL);
}

VOID CmShutdownSystem(VOID)
{
    CmpLockExclusive();
    CmpFlushStopped = TRUE;
    CmpUnlockExclusive();
    (void)KeCancelTimer(&CmpFlushTimer); /* one that has fired finds nothing to write */
    CmpFlushAll();
}
