/* SPDX-License-Identifier: MIT
 * Extra create parameters: blocks of data, each with a type, that go with an open from the driver that opens to those in the stack. The list
 * hangs on the IRP. Who opens with a list frees it; a list that a driver attaches to an IRP of others is freed when the open is done.
 * [WDK "Using ECPs to Process IRP_MJ_CREATE Operations in a File System Filter Driver"] What a driver gives us is a list or a parameter when
 * extra_create_live.c knows it. */
#include "iop.h"
#include "ex.h"
#include "extra_create.h"

/* Its users have no lock but the order of the stack: one driver at a time has the IRP. */
struct _ECP_LIST {
    IOP_LIVE_ECP Live;
    LIST_ENTRY Parameters;
};

/* In front of the context that drivers see. */
struct DECLSPEC_ALIGN(16) _ECP_HEADER {
    IOP_LIVE_ECP Live;
    LIST_ENTRY Entry; /* in a list, or on itself */
    ULONG Size;       /* of the context */
    GUID Type;
    BOOLEAN NonPaged;
    BOOLEAN Acknowledged;
};
_Static_assert(sizeof(struct _ECP_HEADER) % 16 == 0, "the context is aligned as pool is");

static inline PECP_HEADER IopEcpOf(PVOID Context)
{
    return (PECP_HEADER)Context - 1;
}

static inline VOID IopRequireEcp(PVOID Context, const void *Caller)
{
    IopRequireLiveEcp(&IopEcpOf(Context)->Live, FALSE, Caller);
}

static inline VOID IopRequireEcpList(PECP_LIST List, const void *Caller)
{
    IopRequireLiveEcp(&List->Live, TRUE, Caller);
}

#define IOP_CALLER() __builtin_return_address(0) /* in the exported function */

/* --- lists and parameters. All IRQL <= APC_LEVEL --- */

/* Quotas are not charged (D-110). */
DECLSPEC_NOINLINE NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterList(FSRTL_ALLOCATE_ECPLIST_FLAGS Flags,
                                                                       PECP_LIST *EcpList)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PECP_LIST List = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*List), IOP_TAG_ECP);
    *EcpList = List;
    if (List == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    InitializeListHead(&List->Parameters);
    IopBeginEcp(&List->Live, TRUE, IOP_CALLER());
    return STATUS_SUCCESS;
}

static VOID IopReleaseEcp(PECP_HEADER Ecp)
{
    PVOID Lookaside = Ecp->Live.Lookaside;
    if (Lookaside == NULL)
        ExFreePool(Ecp);
    else if (Ecp->NonPaged)
        ExFreeToNPagedLookasideList(Lookaside, Ecp);
    else
        ExFreeToPagedLookasideList(Lookaside, Ecp);
}

/* In no list; its clean-up routine is called first. */
static VOID IopFreeEcp(PECP_HEADER Ecp, const void *Caller)
{
    if (Ecp->Live.Cleanup != NULL)
        IopCallEcpCleanup(Ecp->Live.Cleanup, Ecp + 1, &Ecp->Type);
    IopEndEcp(&Ecp->Live, Caller);
    IopReleaseEcp(Ecp);
}

/* [WDK FsRtlFreeExtraCreateParameterList] with all parameters in it. */
DECLSPEC_NOINLINE VOID NTAPI FsRtlFreeExtraCreateParameterList(PECP_LIST List)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IopRequireEcpList(List, IOP_CALLER());
    while (!IsListEmpty(&List->Parameters)) {
        PECP_HEADER Ecp = CONTAINING_RECORD(RemoveHeadList(&List->Parameters), ECP_HEADER, Entry);
        InitializeListHead(&Ecp->Entry);
        IopFreeEcp(Ecp, IOP_CALLER());
    }
    IopEndEcp(&List->Live, IOP_CALLER());
    ExFreePoolWithTag(List, IOP_TAG_ECP);
}

static VOID IopFillEcp(PECP_HEADER Ecp, LPCGUID Type, ULONG Size,
                       PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Cleanup, const void *Owner)
{
    RtlZeroMemory(Ecp, sizeof(*Ecp) + Size);
    InitializeListHead(&Ecp->Entry);
    Ecp->Size = Size;
    Ecp->Type = *Type;
    Ecp->Live.Cleanup = Cleanup;
    IopBeginEcp(&Ecp->Live, FALSE, Owner);
}

static NTSTATUS IopAllocateEcp(LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
                               PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, ULONG PoolTag,
                               PVOID *EcpContext, const void *Owner)
{
    POOL_FLAGS Pool = Flags & FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL ? POOL_FLAG_NON_PAGED : POOL_FLAG_PAGED;
    PECP_HEADER Ecp = ExAllocatePool2(Pool, sizeof(*Ecp) + (SIZE_T)SizeOfContext, PoolTag);
    *EcpContext = NULL;
    if (Ecp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    IopFillEcp(Ecp, EcpType, SizeOfContext, CleanupCallback, Owner);
    *EcpContext = Ecp + 1;
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE NTSTATUS NTAPI FsRtlAllocateExtraCreateParameter(
    LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, ULONG PoolTag, PVOID *EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return IopAllocateEcp(EcpType, SizeOfContext, Flags, CleanupCallback, PoolTag, EcpContext, IOP_CALLER());
}

/* [WDK FsRtlFreeExtraCreateParameter] it is in no list. */
DECLSPEC_NOINLINE VOID NTAPI FsRtlFreeExtraCreateParameter(PVOID EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IopRequireEcp(EcpContext, IOP_CALLER());
    if (!IsListEmpty(&IopEcpOf(EcpContext)->Entry))
        IopEcpViolation(EcpContext, "an extra create parameter is freed that is in a list", NULL);
    IopFreeEcp(IopEcpOf(EcpContext), IOP_CALLER());
}

/* --- from a driver's own look-aside list --- */

/* [WDK FsRtlInitExtraCreateParameterLookasideList] Size: of the contexts. */
VOID NTAPI FsRtlInitExtraCreateParameterLookasideList(PVOID Lookaside, FSRTL_ECP_LOOKASIDE_FLAGS Flags,
                                                      SIZE_T Size, ULONG Tag)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    SIZE_T Whole = sizeof(ECP_HEADER) + Size;
    if (Flags & FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL)
        ExInitializeNPagedLookasideList(Lookaside, NULL, NULL, NonPagedPoolNx, Whole, Tag, 0);
    else
        ExInitializePagedLookasideList(Lookaside, NULL, NULL, 0, Whole, Tag, 0);
}

VOID NTAPI FsRtlDeleteExtraCreateParameterLookasideList(PVOID Lookaside, FSRTL_ECP_LOOKASIDE_FLAGS Flags)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Flags & FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL)
        ExDeleteNPagedLookasideList(Lookaside);
    else
        ExDeletePagedLookasideList(Lookaside);
}

static BOOLEAN IopIsNonPagedList(const GENERAL_LOOKASIDE *List)
{
    return !(List->Type & PagedPool);
}

/* [WDK FsRtlAllocateExtraCreateParameterFromLookasideList] a context that is longer than the list's entries comes from pool. */
DECLSPEC_NOINLINE NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterFromLookasideList(
    LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, PVOID LookasideList, PVOID *EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    const GENERAL_LOOKASIDE *General = LookasideList;
    BOOLEAN NonPaged = IopIsNonPagedList(General);
    if (sizeof(ECP_HEADER) + (SIZE_T)SizeOfContext > General->Size)
        return IopAllocateEcp(EcpType, SizeOfContext, Flags, CleanupCallback, General->Tag, EcpContext,
                              IOP_CALLER());
    PECP_HEADER Ecp = NonPaged ? ExAllocateFromNPagedLookasideList(LookasideList)
                               : ExAllocateFromPagedLookasideList(LookasideList);
    *EcpContext = NULL;
    if (Ecp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    IopFillEcp(Ecp, EcpType, SizeOfContext, CleanupCallback, IOP_CALLER());
    Ecp->Live.Lookaside = LookasideList;
    Ecp->NonPaged = NonPaged;
    *EcpContext = Ecp + 1;
    return STATUS_SUCCESS;
}

/* --- what is in a list --- */

static PECP_HEADER IopFindEcp(PECP_LIST List, LPCGUID Type)
{
    for (PLIST_ENTRY E = List->Parameters.Flink; E != &List->Parameters; E = E->Flink) {
        PECP_HEADER Ecp = CONTAINING_RECORD(E, ECP_HEADER, Entry);
        if (RtlCompareMemory(&Ecp->Type, Type, sizeof(*Type)) == sizeof(*Type))
            return Ecp;
    }
    return NULL;
}

/* [WDK FsRtlInsertExtraCreateParameter] STATUS_INVALID_PARAMETER: one of this type is there, or it is in a list. */
NTSTATUS NTAPI FsRtlInsertExtraCreateParameter(PECP_LIST List, PVOID EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (List == NULL || EcpContext == NULL)
        return STATUS_INVALID_PARAMETER;
    IopRequireEcpList(List, IOP_CALLER());
    IopRequireEcp(EcpContext, IOP_CALLER());
    if (!IsListEmpty(&IopEcpOf(EcpContext)->Entry) || IopFindEcp(List, &IopEcpOf(EcpContext)->Type) != NULL)
        return STATUS_INVALID_PARAMETER;
    InsertTailList(&List->Parameters, &IopEcpOf(EcpContext)->Entry);
    return STATUS_SUCCESS;
}

static VOID IopTellEcp(PECP_HEADER Ecp, LPGUID Type, PVOID *Context, ULONG *Size)
{
    if (Type != NULL && Ecp != NULL)
        *Type = Ecp->Type;
    if (Context != NULL)
        *Context = Ecp != NULL ? Ecp + 1 : NULL;
    if (Size != NULL)
        *Size = Ecp != NULL ? Ecp->Size : 0;
}

NTSTATUS NTAPI FsRtlFindExtraCreateParameter(PECP_LIST List, LPCGUID EcpType, PVOID *EcpContext,
                                             ULONG *EcpContextSize)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (List == NULL)
        return STATUS_INVALID_PARAMETER;
    IopRequireEcpList(List, IOP_CALLER());
    PECP_HEADER Ecp = IopFindEcp(List, EcpType);
    IopTellEcp(Ecp, NULL, EcpContext, EcpContextSize);
    return Ecp != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* [WDK FsRtlRemoveExtraCreateParameter] the caller's from now on. */
NTSTATUS NTAPI FsRtlRemoveExtraCreateParameter(PECP_LIST List, LPCGUID EcpType, PVOID *EcpContext,
                                               ULONG *EcpContextSize)
{
    NTSTATUS Status = FsRtlFindExtraCreateParameter(List, EcpType, EcpContext, EcpContextSize);
    if (!NT_SUCCESS(Status))
        return Status;
    PECP_HEADER Ecp = IopEcpOf(*EcpContext);
    RemoveEntryList(&Ecp->Entry);
    InitializeListHead(&Ecp->Entry);
    return STATUS_SUCCESS;
}

/* [WDK FsRtlGetNextExtraCreateParameter] after the current one; the first for NULL. */
NTSTATUS NTAPI FsRtlGetNextExtraCreateParameter(PECP_LIST List, PVOID CurrentEcpContext, LPGUID NextEcpType,
                                                PVOID *NextEcpContext, ULONG *NextEcpContextSize)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (List == NULL)
        return STATUS_INVALID_PARAMETER;
    IopRequireEcpList(List, IOP_CALLER());
    if (CurrentEcpContext != NULL)
        IopRequireEcp(CurrentEcpContext, IOP_CALLER());
    PLIST_ENTRY Current = CurrentEcpContext != NULL ? &IopEcpOf(CurrentEcpContext)->Entry : &List->Parameters;
    PECP_HEADER Next =
        Current->Flink != &List->Parameters ? CONTAINING_RECORD(Current->Flink, ECP_HEADER, Entry) : NULL;
    IopTellEcp(Next, NextEcpType, NextEcpContext, NextEcpContextSize);
    return Next != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* [WDK FsRtlAcknowledgeEcp] who acts on a parameter tells the one who gave it. */
VOID NTAPI FsRtlAcknowledgeEcp(PVOID EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IopRequireEcp(EcpContext, IOP_CALLER());
    IopEcpOf(EcpContext)->Acknowledged = TRUE;
}

BOOLEAN NTAPI FsRtlIsEcpAcknowledged(PVOID EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IopRequireEcp(EcpContext, IOP_CALLER());
    return IopEcpOf(EcpContext)->Acknowledged;
}

/* [WDK FsRtlIsEcpFromUserMode] programs cannot give any. */
BOOLEAN NTAPI FsRtlIsEcpFromUserMode(PVOID EcpContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IopRequireEcp(EcpContext, IOP_CALLER());
    return FALSE;
}

/* --- the list of an IRP --- */

/* Of the overlay an open uses the allocation size only, which lies over the APC routine. */
PECP_LIST *IopEcpListOf(PIRP Irp)
{
    return (PECP_LIST *)&Irp->Overlay.AsynchronousParameters.UserApcContext;
}

static BOOLEAN IopIsCreate(PIRP Irp)
{
    if (Irp->CurrentLocation > Irp->StackCount)
        return FALSE;
    UCHAR Major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    return Major == IRP_MJ_CREATE || Major == IRP_MJ_CREATE_NAMED_PIPE || Major == IRP_MJ_CREATE_MAILSLOT;
}

/* [WDK FsRtlGetEcpListFromIrp] NULL, with success: the open has none. */
NTSTATUS NTAPI FsRtlGetEcpListFromIrp(PIRP Irp, PECP_LIST *EcpList)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (!IopIsCreate(Irp))
        return STATUS_INVALID_PARAMETER;
    *EcpList = *IopEcpListOf(Irp);
    return STATUS_SUCCESS;
}

/* [WDK FsRtlSetEcpListIntoIrp] */
NTSTATUS NTAPI FsRtlSetEcpListIntoIrp(PIRP Irp, PECP_LIST EcpList)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (!IopIsCreate(Irp))
        return STATUS_INVALID_PARAMETER_2;
    if (*IopEcpListOf(Irp) != NULL)
        return STATUS_INVALID_PARAMETER_3;
    if (EcpList != NULL)
        IopRequireEcpList(EcpList, IOP_CALLER());
    *IopEcpListOf(Irp) = EcpList;
    return STATUS_SUCCESS;
}
