/* SPDX-License-Identifier: MIT
 * All processes and their threads at one moment. [MS NtQuerySystemInformation, SYSTEM_PROCESS_INFORMATION] An entry is the process, its
 * threads, its image's name; the last one's NextEntryOffset is 0. */
#include "psp.h"
#include "ob.h"

#define PSP_NAME_ROOM ((ULONG)sizeof(((EPROCESS *)NULL)->ImageFileName) * sizeof(WCHAR))

static ULONG PspEntrySize(ULONG Threads)
{
    ULONG Size = (ULONG)(FIELD_OFFSET(SYSTEM_PROCESS_INFORMATION, Threads) +
                         Threads * sizeof(SYSTEM_THREAD_INFORMATION) + PSP_NAME_ROOM);

    return (Size + 7) & ~7u;
}

/* PspListLock held. */
static ULONG PspSnapshotSizeLocked(VOID)
{
    ULONG Size = 0;

    for (PLIST_ENTRY Entry = PspProcesses.Flink; Entry != &PspProcesses; Entry = Entry->Flink)
        Size += PspEntrySize(CONTAINING_RECORD(Entry, EPROCESS, ListEntry)->ActiveThreads);
    return Size;
}

/* The thread may run and wait meanwhile: its state is that of some moment. */
static VOID PspFillThread(const ETHREAD *Thread, SYSTEM_THREAD_INFORMATION *To)
{
    To->KernelTime.QuadPart = (LONGLONG)Thread->Tcb.KernelTicks * PSP_TICK;
    To->CreateTime = Thread->CreateTime;
    To->StartAddress = (PVOID)Thread->StartRoutine;
    To->ClientId = Thread->Cid;
    To->Priority = Thread->Tcb.Priority;
    To->BasePriority = Thread->Tcb.BasePriority;
    To->ContextSwitches = Thread->Tcb.ContextSwitches;
    To->ThreadState = (ULONG)Thread->Tcb.State;
    To->WaitReason = Thread->Tcb.WaitReason;
}

/* Name lies behind the threads; its address is where the caller will see it. */
static VOID PspFillName(const EPROCESS *Process, SYSTEM_PROCESS_INFORMATION *To, ULONG_PTR Shift)
{
    PWCH Name = (PWCH)&To->Threads[To->NumberOfThreads];
    USHORT Length = 0;

    for (; Process->ImageFileName[Length] != 0; Length++)
        Name[Length] = (UCHAR)Process->ImageFileName[Length];
    if (Length == 0)
        return;
    To->ImageName.Length = Length * sizeof(WCHAR);
    To->ImageName.MaximumLength = To->ImageName.Length + sizeof(WCHAR);
    To->ImageName.Buffer = (PWCH)((ULONG_PTR)Name + Shift);
}

/* PspListLock held. Returns the entry's size. */
static ULONG PspFillProcessLocked(const EPROCESS *Process, SYSTEM_PROCESS_INFORMATION *To, ULONG_PTR Shift)
{
    ULONG64 Ticks = Process->EndedTicks;

    for (PLIST_ENTRY Entry = Process->ThreadList.Flink; Entry != &Process->ThreadList; Entry = Entry->Flink) {
        const ETHREAD *Thread = CONTAINING_RECORD(Entry, ETHREAD, ProcessEntry);
        PspFillThread(Thread, &To->Threads[To->NumberOfThreads++]);
        Ticks += Thread->Tcb.KernelTicks;
    }
    To->NumberOfThreadsHighWatermark = Process->MostThreads;
    To->CreateTime = Process->CreateTime;
    To->KernelTime.QuadPart = (LONGLONG)Ticks * PSP_TICK;
    To->BasePriority = PSP_BASE_PRIORITY;
    To->UniqueProcessId = Process->UniqueProcessId;
    To->InheritedFromUniqueProcessId = Process->ParentId;
    To->HandleCount = ObHandleCount(Process->Pcb.HandleTable);
    PspFillName(Process, To, Shift);
    To->NextEntryOffset = PspEntrySize(To->NumberOfThreads);
    return To->NextEntryOffset;
}

/* PspListLock held; Data has the room. */
static VOID PspFillSnapshotLocked(PUCHAR Data, ULONG_PTR Shift)
{
    SYSTEM_PROCESS_INFORMATION *Last = NULL;

    for (PLIST_ENTRY Entry = PspProcesses.Flink; Entry != &PspProcesses; Entry = Entry->Flink) {
        Last = (SYSTEM_PROCESS_INFORMATION *)Data;
        Data += PspFillProcessLocked(CONTAINING_RECORD(Entry, EPROCESS, ListEntry), Last, Shift);
    }
    Last->NextEntryOffset = 0;
}

/* The data, all of one moment, or NULL: *Size is too little, and what would do. */
static BOOLEAN PspTakeSnapshot(PUCHAR Data, PULONG Size, const VOID *Buffer)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    ULONG Needed = PspSnapshotSizeLocked();
    BOOLEAN Fits = Data != NULL && Needed <= *Size;

    if (Fits)
        PspFillSnapshotLocked(Data, (ULONG_PTR)Buffer - (ULONG_PTR)Data);
    ArchReleaseLock(&PspListLock, OldIrql);
    *Size = Needed;
    return Fits;
}

NTSTATUS PspQueryProcesses(const PSP_ANSWER *Answer)
{
    PUCHAR Data = NULL;
    ULONG Size = 0;

    while (!PspTakeSnapshot(Data, &Size, Answer->Buffer)) {
        if (Data != NULL)
            ExFreePoolWithTag(Data, PSP_TAG_QUERY);
        Data = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, PSP_TAG_QUERY);
        if (Data == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = PspAnswer(Answer, Data, Size);
    ExFreePoolWithTag(Data, PSP_TAG_QUERY);
    return Status;
}
