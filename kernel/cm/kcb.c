/* SPDX-License-Identifier: MIT
 * Key control blocks: found by hive and cell, counted, gone with the last reference. */
#include "cm/cmp.h"
#include "ke.h"

#define CMP_BUCKETS 127u

static EX_PUSH_LOCK CmpKcbLock;
static volatile LONG64 CmpLastNumber;      /* of a KCB */
static LIST_ENTRY CmpBuckets[CMP_BUCKETS]; /* (k); a head that was not used yet is zero */

static LIST_ENTRY *CmpBucket(const CMP_HIVE *Hive, ULONG Cell)
{
    LIST_ENTRY *Head = &CmpBuckets[((ULONG_PTR)Hive / 64 + Cell / 8) % CMP_BUCKETS];
    if (Head->Flink == NULL)
        InitializeListHead(Head);
    return Head;
}

/* In a critical region, as (r)'s holders are, and whoever gives up a reference. */
static VOID CmpLockKcbs(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&CmpKcbLock);
}

static VOID CmpUnlockKcbs(VOID)
{
    ExReleasePushLockExclusive(&CmpKcbLock);
    KeLeaveCriticalRegion();
}

static CMP_KCB *CmpFindKcbLocked(const CMP_HIVE *Hive, ULONG Cell)
{
    LIST_ENTRY *Head = CmpBucket(Hive, Cell);
    for (LIST_ENTRY *At = Head->Flink; At != Head; At = At->Flink) {
        CMP_KCB *Kcb = CONTAINING_RECORD(At, CMP_KCB, Bucket);
        if (Kcb->Hive == Hive && Kcb->Cell == Cell)
            return Kcb;
    }
    return NULL;
}

VOID CmpReferenceKcb(CMP_KCB *Kcb)
{
    InterlockedIncrement(&Kcb->References);
}

static VOID CmpFreeKcb(CMP_KCB *Kcb)
{
    ObFreeName(&Kcb->Name);
    ExFreePoolWithTag(Kcb, CMP_TAG_KCB);
}

/* Gives up one reference; the parent whose reference goes with the KCB, or NULL. */
static CMP_KCB *CmpDropKcb(CMP_KCB *Kcb)
{
    LONG Seen = Kcb->References;
    while (Seen > 1) {
        LONG Now = InterlockedCompareExchange(&Kcb->References, Seen - 1, Seen);
        if (Now == Seen)
            return NULL;
        Seen = Now;
    }
    CmpLockKcbs();
    BOOLEAN Last = InterlockedDecrement(&Kcb->References) == 0;
    if (Last && !Kcb->Deleted)
        RemoveEntryList(&Kcb->Bucket);
    CmpUnlockKcbs();
    if (!Last)
        return NULL;
    CMP_KCB *Parent = Kcb->Parent;
    CmpFreeKcb(Kcb);
    return Parent;
}

VOID CmpDereferenceKcb(CMP_KCB *Kcb)
{
    while (Kcb != NULL)
        Kcb = CmpDropKcb(Kcb);
}

static NTSTATUS CmpNewKcb(CMP_KCB *Parent, const CMP_NODE *Node, CMP_KCB **New)
{
    CMP_KCB *Kcb = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Kcb), CMP_TAG_KCB);
    if (Kcb == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObAllocateName(&Kcb->Name, Node->Name.Length * sizeof(WCHAR));
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Kcb, CMP_TAG_KCB);
        return Status;
    }
    for (ULONG i = 0; i < Node->Name.Length; i++)
        Kcb->Name.Buffer[i] = HiveNameCharacter(&Node->Name, i);
    Kcb->Name.Length = Node->Name.Length * sizeof(WCHAR);
    Kcb->References = 1;
    Kcb->Number = (ULONG64)InterlockedIncrement64(&CmpLastNumber);
    Kcb->Hive = Node->Hive;
    Kcb->Cell = Node->Key.Cell;
    Kcb->Parent = Parent;
    InitializeListHead(&Kcb->Notifies);
    *New = Kcb;
    return STATUS_SUCCESS;
}

/* (k) The KCB that there is, referenced, or NULL. */
static CMP_KCB *CmpReferenceExisting(const CMP_NODE *Node)
{
    CMP_KCB *Kcb = CmpFindKcbLocked(Node->Hive, Node->Key.Cell);
    if (Kcb != NULL)
        CmpReferenceKcb(Kcb);
    return Kcb;
}

NTSTATUS CmpGetKcb(CMP_KCB *Parent, const CMP_NODE *Node, CMP_KCB **Kcb)
{
    CMP_KCB *New;
    CmpLockKcbs();
    *Kcb = CmpReferenceExisting(Node);
    CmpUnlockKcbs();
    if (*Kcb != NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = CmpNewKcb(Parent, Node, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    CmpLockKcbs();
    *Kcb = CmpReferenceExisting(Node);
    if (*Kcb == NULL) {
        if (Parent != NULL)
            CmpReferenceKcb(Parent);
        InsertHeadList(CmpBucket(New->Hive, New->Cell), &New->Bucket);
        *Kcb = New;
    }
    CmpUnlockKcbs();
    if (*Kcb != New)
        CmpFreeKcb(New);
    return STATUS_SUCCESS;
}

VOID CmpForgetKcb(CMP_KCB *Kcb)
{
    CmpLockKcbs();
    Kcb->Deleted = TRUE;
    RemoveEntryList(&Kcb->Bucket);
    CmpUnlockKcbs();
}

VOID CmpMoveKcb(CMP_KCB *Kcb, ULONG Cell, PUNICODE_STRING Name)
{
    CmpLockKcbs();
    RemoveEntryList(&Kcb->Bucket);
    Kcb->Cell = Cell;
    InsertHeadList(CmpBucket(Kcb->Hive, Cell), &Kcb->Bucket);
    CmpUnlockKcbs();
    ObFreeName(&Kcb->Name);
    Kcb->Name = *Name;
}

/* (k) */
static BOOLEAN CmpIsInUse(const CMP_KCB *Kcb, const CMP_HIVE *Hive, const CMP_KCB *But)
{
    return Kcb->Hive == Hive && (Kcb != But || Kcb->References > 1);
}

BOOLEAN CmpIsHiveInUse(const CMP_HIVE *Hive, const CMP_KCB *But)
{
    BOOLEAN Found = FALSE;
    CmpLockKcbs();
    for (ULONG i = 0; i < CMP_BUCKETS && !Found; i++) {
        LIST_ENTRY *Head = &CmpBuckets[i];
        for (LIST_ENTRY *At = Head->Flink; At != NULL && At != Head && !Found; At = At->Flink)
            Found = CmpIsInUse(CONTAINING_RECORD(At, CMP_KCB, Bucket), Hive, But);
    }
    CmpUnlockKcbs();
    return Found;
}

ULONG CmpPathLength(const CMP_KCB *Kcb)
{
    ULONG Length = 0;
    for (; Kcb != NULL; Kcb = Kcb->Parent)
        Length += sizeof(WCHAR) + Kcb->Name.Length;
    return Length;
}

VOID CmpPutPath(const CMP_KCB *Kcb, PWCHAR To)
{
    To += CmpPathLength(Kcb) / sizeof(WCHAR);
    for (; Kcb != NULL; Kcb = Kcb->Parent) {
        To -= Kcb->Name.Length / sizeof(WCHAR);
        RtlCopyMemory(To, Kcb->Name.Buffer, Kcb->Name.Length);
        *--To = OBJ_NAME_PATH_SEPARATOR;
    }
}
