/* SPDX-License-Identifier: MIT
 * Lookaside lists. Allocating and freeing are inline in the headers (SLIST, then the list's own routine);
 * this is making and deleting them. */
#include "exp.h"

static VOID ExpInitializeLookaside(GENERAL_LOOKASIDE_POOL *List, ULONG PoolType, SIZE_T Size, ULONG Tag,
                                   const void *Maker)
{
    *List = (GENERAL_LOOKASIDE_POOL){0};
    List->Depth = EXP_LOOKASIDE_DEPTH;
    List->MaximumDepth = EXP_LOOKASIDE_MAXIMUM;
    List->Type = (POOL_TYPE)PoolType;
    List->Tag = Tag;
    List->Size = (ULONG)max(Size, LOOKASIDE_MINIMUM_BLOCK_SIZE); /* a free entry holds a link */
    InitializeListHead(&List->ListEntry);
    ExpNoteLookaside(List, Maker);
}

static VOID ExpEmptyLookaside(GENERAL_LOOKASIDE_POOL *List)
{
    PSLIST_ENTRY Next, Entry = ExpInterlockedFlushSList(&List->ListHead);
    for (; Entry != NULL; Entry = Next) {
        Next = Entry->Next;
        List->Free(Entry);
    }
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExInitializeNPagedLookasideList] Flags: POOL_RAISE_IF_ALLOCATION_FAILURE,
 * POOL_NX_ALLOCATION; Depth is reserved. */
DECLSPEC_NOINLINE VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
                                                             PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                                             ULONG Flags, SIZE_T Size, ULONG Tag,
                                                             USHORT Depth)
{
    GENERAL_LOOKASIDE_POOL *List = (GENERAL_LOOKASIDE_POOL *)&Lookaside->L;
    ExpInitializeLookaside(List, (ULONG)NonPagedPool | Flags, Size, Tag, __builtin_return_address(0));
    List->Allocate = Allocate != NULL ? Allocate : ExAllocatePoolWithTag;
    List->Free = Free != NULL ? Free : ExFreePool;
}

/* IRQL <= APC_LEVEL. [WDK ExInitializePagedLookasideList] */
DECLSPEC_NOINLINE VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
                                                            PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                                            ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    GENERAL_LOOKASIDE_POOL *List = (GENERAL_LOOKASIDE_POOL *)&Lookaside->L;
    ExpInitializeLookaside(List, (ULONG)PagedPool | Flags, Size, Tag, __builtin_return_address(0));
    List->Allocate = Allocate != NULL ? Allocate : ExAllocatePoolWithTag;
    List->Free = Free != NULL ? Free : ExFreePool;
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExDeleteNPagedLookasideList] frees the entries that wait in the list. */
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    ExpForgetLookaside((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
    ExpEmptyLookaside((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
}

/* IRQL <= APC_LEVEL. [WDK ExDeletePagedLookasideList] */
VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    ExpForgetLookaside((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
    ExpEmptyLookaside((GENERAL_LOOKASIDE_POOL *)&Lookaside->L);
}

/* --- LOOKASIDE_LIST_EX: its routines are told the list
 * -------------------------------------------------------------- */

static DECLSPEC_NOINLINE PVOID NTAPI ExpAllocateEx(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                                   PLOOKASIDE_LIST_EX Lookaside)
{
    return ExAllocatePoolForOwner(PoolType, NumberOfBytes, Tag, __builtin_return_address(0));
}

static VOID NTAPI ExpFreeEx(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside)
{
    ExFreePool(Buffer);
}

static BOOLEAN ExpIsPoolType(POOL_TYPE Type)
{
    return Type == NonPagedPool || Type == NonPagedPoolNx || Type == PagedPool ||
           Type == NonPagedPoolCacheAligned || Type == PagedPoolCacheAligned ||
           Type == NonPagedPoolNxCacheAligned;
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExInitializeLookasideListEx] STATUS_INVALID_PARAMETER_4 for the pool type, _5
 * for the flags, which exclude each other. They become pool-type bits that the allocation routine gets. */
DECLSPEC_NOINLINE NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
                                                             PALLOCATE_FUNCTION_EX Allocate,
                                                             PFREE_FUNCTION_EX Free, POOL_TYPE PoolType,
                                                             ULONG Flags, SIZE_T Size, ULONG Tag,
                                                             USHORT Depth)
{
    ULONG Type = (ULONG)PoolType;
    if (!ExpIsPoolType(PoolType))
        return STATUS_INVALID_PARAMETER_4;
    if (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL)
        Type |= POOL_RAISE_IF_ALLOCATION_FAILURE;
    else if (Flags == EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        Type |= POOL_QUOTA_FAIL_INSTEAD_OF_RAISE;
    else if (Flags != 0)
        return STATUS_INVALID_PARAMETER_5;
    ExpInitializeLookaside(&Lookaside->L, Type, Size, Tag, __builtin_return_address(0));
    Lookaside->L.AllocateEx = Allocate != NULL ? Allocate : ExpAllocateEx;
    Lookaside->L.FreeEx = Free != NULL ? Free : ExpFreeEx;
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExFlushLookasideListEx] frees the entries that wait in the list, which stays
 * usable. */
VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    PSLIST_ENTRY Next, Entry = ExpInterlockedFlushSList(&Lookaside->L.ListHead);
    for (; Entry != NULL; Entry = Next) {
        Next = Entry->Next;
        Lookaside->L.FreeEx(Entry, Lookaside);
    }
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExDeleteLookasideListEx] */
VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    ExpForgetLookaside(&Lookaside->L);
    ExFlushLookasideListEx(Lookaside);
}
