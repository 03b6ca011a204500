/* SPDX-License-Identifier: MIT
 * Reinitialize routines: what a driver still has to do when those that were loaded with it are there. */
#include "reinitialize.h"
#include "kd.h"

typedef struct _IOP_REINITIALIZE {
    LIST_ENTRY Entry; /* (d) */
    PDRIVER_OBJECT Driver;
    PDRIVER_REINITIALIZE Routine;
    PVOID Context;
} IOP_REINITIALIZE;

static LIST_ENTRY IopBootRoutines = {&IopBootRoutines, &IopBootRoutines};       /* (d) */
static LIST_ENTRY IopDriverRoutines = {&IopDriverRoutines, &IopDriverRoutines}; /* (d) */

static ULONG IopRounds; /* (d) that have begun and not ended */

static VOID IopRegisterRoutine(PLIST_ENTRY List, ULONG Flag, PDRIVER_OBJECT Driver,
                               PDRIVER_REINITIALIZE Routine, PVOID Context)
{
    IOP_REINITIALIZE *New = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*New), IOP_TAG_DRIVER);
    if (New == NULL) { /* the caller gets no status */
        KdLog("no memory to register a reinitialize routine of %wZ: it will not be called",
              &Driver->DriverName);
        return;
    }
    New->Driver = Driver;
    New->Routine = Routine;
    New->Context = Context;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    Driver->Flags |= Flag;
    InsertTailList(List, &New->Entry);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

/* [WDK IoRegisterDriverReinitialization] from DriverEntry, which then succeeds, or from the routine itself. PASSIVE_LEVEL. */
VOID NTAPI IoRegisterDriverReinitialization(PDRIVER_OBJECT Driver, PDRIVER_REINITIALIZE Routine,
                                            PVOID Context)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopRegisterRoutine(&IopDriverRoutines, DRVO_REINIT_REGISTERED, Driver, Routine, Context);
}

VOID NTAPI IoRegisterBootDriverReinitialization(PDRIVER_OBJECT Driver, PDRIVER_REINITIALIZE Routine,
                                                PVOID Context)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopRegisterRoutine(&IopBootRoutines, DRVO_BOOTREINIT_REGISTERED, Driver, Routine, Context);
}

static ULONG IopFlagOf(PLIST_ENTRY List)
{
    return List == &IopBootRoutines ? DRVO_BOOTREINIT_REGISTERED : DRVO_REINIT_REGISTERED;
}

static IOP_REINITIALIZE *IopFindReadyLocked(PLIST_ENTRY List)
{
    for (PLIST_ENTRY E = List->Flink; E != List; E = E->Flink) {
        IOP_REINITIALIZE *Entry = CONTAINING_RECORD(E, IOP_REINITIALIZE, Entry);
        if (Entry->Driver->Flags & DRVO_INITIALIZED)
            return Entry;
    }
    return NULL;
}

/* The first routine of the list whose driver's DriverEntry has succeeded, taken out, its driver referenced; NULL: there is none,
 * or more rounds go on. */
static IOP_REINITIALIZE *IopTakeRoutine(PLIST_ENTRY List, ULONG Rounds)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_REINITIALIZE *Taken = IopRounds <= Rounds ? IopFindReadyLocked(List) : NULL;
    if (Taken != NULL) {
        RemoveEntryList(&Taken->Entry);
        Taken->Driver->Flags &= ~IopFlagOf(List);
        ObfReferenceObject(Taken->Driver);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Taken;
}

/* [WDK DRIVER_REINITIALIZE] Count: how often one was called, this time included. */
static VOID IopRunRoutines(PLIST_ENTRY List, ULONG Rounds)
{
    IOP_REINITIALIZE *Taken;
    while ((Taken = IopTakeRoutine(List, Rounds)) != NULL) {
        PDRIVER_OBJECT Driver = Taken->Driver;
        ULONG Count = ++Driver->DriverExtension->Count;
        IopCallReinitialize(Taken->Routine, Driver, Taken->Context, Count);
        ExFreePoolWithTag(Taken, IOP_TAG_DRIVER);
        ObfDereferenceObject(Driver);
    }
}

VOID IopRunReinitialization(VOID)
{
    IopRunRoutines(&IopBootRoutines, 0);
    IopRunRoutines(&IopDriverRoutines, 0);
}

static VOID IopCountRound(LONG By)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IopRounds += (ULONG)By;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

VOID IopBeginDriverRound(VOID)
{
    IopCountRound(1);
}

VOID IopEndDriverRound(VOID)
{
    IopCountRound(-1);
    IopRunReinitialization();
}

VOID IopEndBootRound(VOID)
{
    IopRunRoutines(&IopBootRoutines, 1);
}

static VOID IopForgetIn(PLIST_ENTRY List, PDRIVER_OBJECT Driver, PLIST_ENTRY Gone)
{
    for (PLIST_ENTRY E = List->Flink, Next; E != List; E = Next) {
        Next = E->Flink;
        if (CONTAINING_RECORD(E, IOP_REINITIALIZE, Entry)->Driver != Driver)
            continue;
        RemoveEntryList(E);
        InsertTailList(Gone, E);
    }
}

VOID IopForgetReinitialization(PDRIVER_OBJECT Driver)
{
    LIST_ENTRY Gone;
    InitializeListHead(&Gone);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IopForgetIn(&IopBootRoutines, Driver, &Gone);
    IopForgetIn(&IopDriverRoutines, Driver, &Gone);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    while (!IsListEmpty(&Gone))
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Gone), IOP_REINITIALIZE, Entry), IOP_TAG_DRIVER);
}
