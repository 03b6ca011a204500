/* SPDX-License-Identifier: MIT
 * The handles of all processes. [MS NtQuerySystemInformation] A handle that stays open is there once; SYSTEM_HANDLE_INFORMATION has 16 bits for a
 * process and a handle, SYSTEM_HANDLE_INFORMATION_EX the whole. */
#include "psp.h"
#include "ob.h"

/* The two forms of the answer. */
typedef struct _PSP_HANDLES {
    PUCHAR Data;
    ULONG Room, Count; /* handles; Count may be more than Room */
    BOOLEAN Extended;
    HANDLE ProcessId;
} PSP_HANDLES;

static VOID PspFillHandle(const OB_HANDLE_ENTRY *Entry, PVOID Context)
{
    PSP_HANDLES *Handles = Context;
    ULONG Index = Handles->Count++;

    if (Index >= Handles->Room)
        return;
    if (Handles->Extended) {
        ((SYSTEM_HANDLE_INFORMATION_EX *)Handles->Data)->Handles[Index] =
            (SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX){.Object = Entry->Object,
                                                .UniqueProcessId = (ULONG_PTR)Handles->ProcessId,
                                                .HandleValue = (ULONG_PTR)Entry->Handle,
                                                .GrantedAccess = Entry->Access,
                                                .ObjectTypeIndex = (USHORT)ObTypeIndex(Entry->Object),
                                                .HandleAttributes = Entry->Attributes};
        return;
    }
    ((SYSTEM_HANDLE_INFORMATION *)Handles->Data)->Handles[Index] =
        (SYSTEM_HANDLE_TABLE_ENTRY_INFO){.UniqueProcessId = (USHORT)(ULONG_PTR)Handles->ProcessId,
                                         .ObjectTypeIndex = (UCHAR)ObTypeIndex(Entry->Object),
                                         .HandleAttributes = (UCHAR)Entry->Attributes,
                                         .HandleValue = (USHORT)(ULONG_PTR)Entry->Handle,
                                         .Object = Entry->Object,
                                         .GrantedAccess = Entry->Access};
}

/* The process after Last (NULL: the first) that is not being deleted, referenced; Last's reference is dropped. Last cannot leave the list
 * before. */
static PEPROCESS PspNextProcess(PEPROCESS Last)
{
    PEPROCESS Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    PLIST_ENTRY Entry = Last != NULL ? Last->ListEntry.Flink : PspProcesses.Flink;

    for (; Entry != &PspProcesses && Found == NULL; Entry = Entry->Flink) {
        Found = CONTAINING_RECORD(Entry, EPROCESS, ListEntry);
        if (!ObReferenceObjectSafe(Found))
            Found = NULL;
    }
    ArchReleaseLock(&PspListLock, OldIrql);
    if (Last != NULL)
        ObDereferenceObject(Last);
    return Found;
}

static VOID PspFillHandles(PSP_HANDLES *Handles)
{
    PEPROCESS Process = NULL;

    Handles->Count = 0;
    while ((Process = PspNextProcess(Process)) != NULL) {
        Handles->ProcessId = Process->UniqueProcessId;
        ObEnumerateHandles(Process->Pcb.HandleTable, PspFillHandle, Handles);
    }
}

static ULONG PspHandlesSize(BOOLEAN Extended, ULONG Count)
{
    if (Extended)
        return (ULONG)(FIELD_OFFSET(SYSTEM_HANDLE_INFORMATION_EX, Handles) +
                       Count * sizeof(SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX));
    return (ULONG)(FIELD_OFFSET(SYSTEM_HANDLE_INFORMATION, Handles) +
                   Count * sizeof(SYSTEM_HANDLE_TABLE_ENTRY_INFO));
}

/* Room for what there was a moment ago and a little more, until it does. */
static BOOLEAN PspListHandles(PSP_HANDLES *Handles)
{
    PspFillHandles(Handles);
    while (Handles->Data == NULL || Handles->Count > Handles->Room) {
        if (Handles->Data != NULL)
            ExFreePoolWithTag(Handles->Data, PSP_TAG_QUERY);
        Handles->Room = Handles->Count + 32;
        Handles->Data = ExAllocatePool2(POOL_FLAG_NON_PAGED, PspHandlesSize(Handles->Extended, Handles->Room),
                                        PSP_TAG_QUERY);
        if (Handles->Data == NULL)
            return FALSE;
        PspFillHandles(Handles);
    }
    return TRUE;
}

NTSTATUS PspQueryHandles(const PSP_ANSWER *Answer, BOOLEAN Extended)
{
    PSP_HANDLES Handles = {.Extended = Extended};

    if (!PspListHandles(&Handles))
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Extended)
        ((SYSTEM_HANDLE_INFORMATION_EX *)Handles.Data)->NumberOfHandles = Handles.Count;
    else
        ((SYSTEM_HANDLE_INFORMATION *)Handles.Data)->NumberOfHandles = Handles.Count;
    NTSTATUS Status = PspAnswer(Answer, Handles.Data, PspHandlesSize(Extended, Handles.Count));
    ExFreePoolWithTag(Handles.Data, PSP_TAG_QUERY);
    return Status;
}
