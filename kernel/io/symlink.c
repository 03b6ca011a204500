/* SPDX-License-Identifier: MIT
 * Symbolic links that drivers make for their devices. Each is remembered with the image whose code made it, so that a link that
 * outlives its driver is found. */
#include "iop.h"
#include "kd.h"

typedef struct _IOP_LINK {
    LIST_ENTRY Entry;    /* (l) */
    PVOID Object;        /* the link, referenced */
    PIM_MODULE Creator;  /* (l) */
    UNICODE_STRING Name; /* ObFreeName */
} IOP_LINK;

static LIST_ENTRY IopLinks = {&IopLinks, &IopLinks}; /* (l) */
static FAST_MUTEX IopLinkLock;                       /* (l) */

VOID IopInitLinks(VOID)
{
    ExInitializeFastMutex(&IopLinkLock);
}

static VOID IopReportLink(PUNICODE_STRING Name, PUNICODE_STRING Target, PCSTR Kind)
{
    CHAR NameText[512], TargetText[512];
    UNICODE_STRING Empty = RTL_CONSTANT_STRING(L"");
    KdReport(
        ReportLink, KdUnicodeField(ReportKeyName, Name, NameText, sizeof(NameText)),
        KdUnicodeField(ReportKeyDevice, Target != NULL ? Target : &Empty, TargetText, sizeof(TargetText)),
        KD_TEXT(ReportKeyKind, Kind));
}

/* A record of its own costs nothing when it cannot be made: then only a leak goes unseen. */
static NTSTATUS IopPrepareLink(PUNICODE_STRING Name, PIM_MODULE Creator, IOP_LINK **NewLink)
{
    IOP_LINK *Link = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Link), IOP_TAG_LINK);
    if (Link == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = IopMakePath(&Link->Name, L"", Name, L"");
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Link, IOP_TAG_LINK);
        return Status;
    }
    Link->Creator = Creator;
    *NewLink = Link;
    return STATUS_SUCCESS;
}

static VOID IopFreeLink(IOP_LINK *Link)
{
    if (Link->Object != NULL)
        ObfDereferenceObject(Link->Object);
    ObFreeName(&Link->Name);
    ExFreePoolWithTag(Link, IOP_TAG_LINK);
}

static PVOID IopReferenceHandle(HANDLE Handle)
{
    PVOID Object = NULL;
    (void)ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL); /* it was just made */
    return Object;
}

static NTSTATUS IopCreateLink(PUNICODE_STRING Name, PUNICODE_STRING Target, PVOID Caller)
{
    IOP_LINK *Link;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    NTSTATUS Status = IopPrepareLink(Name, ImFindModule(Caller), &Link);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               NULL, NULL);
    Status = ZwCreateSymbolicLinkObject(&Handle, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, Target);
    if (!NT_SUCCESS(Status)) {
        IopFreeLink(Link);
        return Status;
    }
    Link->Object = IopReferenceHandle(Handle);
    ExAcquireFastMutex(&IopLinkLock);
    InsertTailList(&IopLinks, &Link->Entry);
    ExReleaseFastMutex(&IopLinkLock);
    ZwClose(Handle);
    IopReportLink(Name, Target, "created");
    return STATUS_SUCCESS;
}

/* [WDK IoCreateSymbolicLink] STATUS_OBJECT_NAME_COLLISION when the name is taken. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING Name, PUNICODE_STRING Target)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IopCreateLink(Name, Target, __builtin_return_address(0));
}

/* [WDK IoCreateUnprotectedSymbolicLink] differs in who may change it; there is no security check yet. */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoCreateUnprotectedSymbolicLink(PUNICODE_STRING Name, PUNICODE_STRING Target)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IopCreateLink(Name, Target, __builtin_return_address(0));
}

static IOP_LINK *IopTakeLink(PVOID Object)
{
    IOP_LINK *Found = NULL;
    ExAcquireFastMutex(&IopLinkLock);
    for (LIST_ENTRY *E = IopLinks.Flink; E != &IopLinks && Found == NULL; E = E->Flink) {
        IOP_LINK *Link = CONTAINING_RECORD(E, IOP_LINK, Entry);
        if (Link->Object == Object)
            Found = Link;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ExReleaseFastMutex(&IopLinkLock);
    return Found;
}

/* The newest of that name: an older one was deleted by another way. */
static IOP_LINK *IopTakeLinkNamed(PUNICODE_STRING Name)
{
    IOP_LINK *Found = NULL;
    ExAcquireFastMutex(&IopLinkLock);
    for (LIST_ENTRY *E = IopLinks.Blink; E != &IopLinks && Found == NULL; E = E->Blink) {
        IOP_LINK *Link = CONTAINING_RECORD(E, IOP_LINK, Entry);
        if (RtlEqualUnicodeString(&Link->Name, Name, TRUE))
            Found = Link;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ExReleaseFastMutex(&IopLinkLock);
    return Found;
}

/* A name that is not the one that it was made by. */
static NTSTATUS IopDeleteLinkByLookup(PUNICODE_STRING Name)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status = ZwOpenSymbolicLinkObject(&Handle, DELETE, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Object = IopReferenceHandle(Handle);
    IOP_LINK *Link = IopTakeLink(Object);
    ObfDereferenceObject(Object);
    Status = ZwMakeTemporaryObject(Handle);
    ZwClose(Handle);
    if (Link != NULL)
        IopFreeLink(Link);
    return Status;
}

/* [WDK IoDeleteSymbolicLink] STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH when it is no link. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING Name)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_LINK *Link = IopTakeLinkNamed(Name);
    NTSTATUS Status = STATUS_SUCCESS;
    if (Link != NULL) {
        ObMakeTemporaryObject(Link->Object); /* an unload routine gets rid of its link without any memory */
        IopFreeLink(Link);
    } else {
        Status = IopDeleteLinkByLookup(Name);
    }
    if (NT_SUCCESS(Status))
        IopReportLink(Name, NULL, "deleted");
    return Status;
}

/* One link of Module's that is not reported yet leaves the list. */
static IOP_LINK *IopTakeLinkOf(PIM_MODULE Module)
{
    IOP_LINK *Found = NULL;
    ExAcquireFastMutex(&IopLinkLock);
    for (LIST_ENTRY *E = IopLinks.Flink; E != &IopLinks && Found == NULL; E = E->Flink) {
        IOP_LINK *Link = CONTAINING_RECORD(E, IOP_LINK, Entry);
        if (Link->Creator == Module)
            Found = Link;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ExReleaseFastMutex(&IopLinkLock);
    return Found;
}

ULONG IopReportLinkLeaks(PIM_MODULE Module)
{
    ULONG Count = 0;
    IOP_LINK *Link;
    CHAR Text[512];
    while ((Link = IopTakeLinkOf(Module)) != NULL) {
        KdLog("%s: symbolic link %wZ was not deleted", Module->Name, &Link->Name);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "link"),
                 KD_NUMBER(ReportKeyCount, 1),
                 KdUnicodeField(ReportKeyName, &Link->Name, Text, sizeof(Text)));
        if (Link->Object != NULL)
            ObMakeTemporaryObject(Link->Object); /* the name is free for the next driver (D-237) */
        IopFreeLink(Link);
        Count++;
    }
    return Count;
}
