/* SPDX-License-Identifier: MIT
 * For drivers that note which PnP requests their devices get, in which order. */
#pragma once
#include <initguid.h>
#include <wdmguid.h>

#define CT_MOST_NOTES 256

typedef struct CT_NOTE {
    char Who;
    UCHAR Minor;
} CT_NOTE;

static CT_NOTE CtNotes[CT_MOST_NOTES]; /* CtNoteLock */
static ULONG CtNoteCount;
static KSPIN_LOCK CtNoteLock;
static KEVENT CtNoteAdded;

static inline VOID CtInitNotes(VOID)
{
    KeInitializeSpinLock(&CtNoteLock);
    KeInitializeEvent(&CtNoteAdded, SynchronizationEvent, FALSE);
}

static inline VOID CtNote(char Who, UCHAR Minor)
{
    KIRQL Irql;
    KeAcquireSpinLock(&CtNoteLock, &Irql);
    if (CtNoteCount < CT_MOST_NOTES)
        CtNotes[CtNoteCount++] = (CT_NOTE){Who, Minor};
    KeReleaseSpinLock(&CtNoteLock, Irql);
    KeSetEvent(&CtNoteAdded, IO_NO_INCREMENT, FALSE);
}

static inline VOID CtForgetNotes(VOID)
{
    KIRQL Irql;
    KeAcquireSpinLock(&CtNoteLock, &Irql);
    CtNoteCount = 0;
    KeReleaseSpinLock(&CtNoteLock, Irql);
}

/* Index of the first, from First on; CtNoteCount: none. */
static inline ULONG CtFindNote(char Who, UCHAR Minor, ULONG First)
{
    KIRQL Irql;
    KeAcquireSpinLock(&CtNoteLock, &Irql);
    ULONG i = First;
    while (i < CtNoteCount && (CtNotes[i].Who != Who || CtNotes[i].Minor != Minor))
        i++;
    BOOLEAN Found = i < CtNoteCount;
    KeReleaseSpinLock(&CtNoteLock, Irql);
    return Found ? i : CT_MOST_NOTES;
}

static inline BOOLEAN CtNoted(char Who, UCHAR Minor)
{
    return CtFindNote(Who, Minor, 0) != CT_MOST_NOTES;
}

/* The first of one kind comes before the first of the other that follows it. */
static inline BOOLEAN CtBefore(char Who, UCHAR Minor, char Next, UCHAR NextMinor)
{
    ULONG First = CtFindNote(Who, Minor, 0);
    return First != CT_MOST_NOTES && CtFindNote(Next, NextMinor, First + 1) != CT_MOST_NOTES;
}

static inline VOID CtAwait(char Who, UCHAR Minor)
{
    while (!CtNoted(Who, Minor))
        KeWaitForSingleObject(&CtNoteAdded, Executive, KernelMode, FALSE, NULL);
}

/* The PnP manager does one thing after the other: when it has asked for the bus's children twice more, all from before is done. */
static inline VOID CtAwaitQuiet(PDEVICE_OBJECT BusPdo)
{
    for (ULONG i = 0; i < 2; i++) {
        ULONG Before = CtNoteCount;
        IoInvalidateDeviceRelations(BusPdo, BusRelations);
        while (CtFindNote('b', IRP_MN_QUERY_DEVICE_RELATIONS, Before) == CT_MOST_NOTES)
            KeWaitForSingleObject(&CtNoteAdded, Executive, KernelMode, FALSE, NULL);
    }
}

static inline NTSTATUS CtComplete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static inline NTSTATUS CtPassDown(PDEVICE_OBJECT Lower, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static inline NTSTATUS CtForwardAndWait(PDEVICE_OBJECT Lower, PIRP Irp)
{
    return IoForwardIrpSynchronously(Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
}

/* Count characters, the terminators among them. */
static inline NTSTATUS CtAnswerText(PIRP Irp, PCWSTR Text, ULONG Count)
{
    PVOID Copy = ExAllocatePool2(POOL_FLAG_PAGED, Count * sizeof(WCHAR), 'nPtC');
    if (Copy == NULL)
        return CtComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    RtlCopyMemory(Copy, Text, Count * sizeof(WCHAR));
    Irp->IoStatus.Information = (ULONG_PTR)Copy;
    return CtComplete(Irp, STATUS_SUCCESS);
}

/* One device, or (NULL) none. */
static inline NTSTATUS CtAnswerRelation(PIRP Irp, PDEVICE_OBJECT Device)
{
    PDEVICE_RELATIONS Relations = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Relations), 'nPtC');
    if (Relations == NULL)
        return CtComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    if (Device != NULL) {
        ObReferenceObject(Device);
        Relations->Objects[0] = Device;
        Relations->Count = 1;
    }
    Irp->IoStatus.Information = (ULONG_PTR)Relations;
    return CtComplete(Irp, STATUS_SUCCESS);
}

static inline HANDLE CtOpenNewKey(PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key = NULL;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateKey(&Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, 0, NULL));
    return Key;
}

static inline VOID CtMakeKey(PCWSTR Path)
{
    ZwClose(CtOpenNewKey(Path));
}

static inline VOID CtSetService(PCWSTR Path, PUNICODE_STRING Service)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Service");
    WCHAR Text[64] = {0};
    HANDLE Key = CtOpenNewKey(Path);
    RtlCopyMemory(Text, Service->Buffer, Service->Length);
    CT_SUCCESS(ZwSetValueKey(Key, &Name, 0, REG_SZ, Text, Service->Length + (ULONG)sizeof(WCHAR)));
    ZwClose(Key);
}
