/* SPDX-License-Identifier: MIT
 * The handles that an unloaded driver left open, in whichever process. */
#include "obp_handle.h"
#include "kd.h"

typedef struct _OBP_HANDLE_SEARCH {
    PCSTR Driver;
    ULONG_PTR Base;
    SIZE_T Size;
    ULONG Found;
} OBP_HANDLE_SEARCH;

static VOID ObpReportHandle(PCSTR Driver, ULONG Index, POBJECT_TYPE Type)
{
    UNICODE_STRING Name;
    CHAR Text[64];
    RtlInitUnicodeString(&Name, Type->Info.Name);
    KdLog("%s: handle 0x%x to an object of type %wZ was not closed", Driver, (unsigned)(Index * 4), &Name);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "handle"),
             KD_NUMBER(ReportKeyCount, 1), KdUnicodeField(ReportKeyName, &Name, Text, sizeof(Text)));
}

/* The type of the next handle of that owner in the block, which is forgotten: the next image at that address is not to blame. NULL: none
 * there, *Index is that of the next block. */
static POBJECT_TYPE ObpDisownHandle(OB_HANDLE_TABLE *Table, const OBP_HANDLE_SEARCH *Search, PULONG Index)
{
    POBJECT_TYPE Type = NULL;
    ULONG Block = *Index / OBP_ENTRIES_PER_BLOCK;
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
    for (; Type == NULL && *Index / OBP_ENTRIES_PER_BLOCK == Block; ++*Index) {
        OBP_ENTRY *Entry = &Table->Directory[*Index / OBP_ENTRIES_PER_BLOCK][*Index % OBP_ENTRIES_PER_BLOCK];
        if (Entry->Object == NULL || (ULONG_PTR)Entry->Owner - Search->Base >= Search->Size)
            continue;
        Type = ObpHeader(Entry->Object)->Type; /* types live for ever */
        Entry->Owner = NULL;
    }
    ArchReleaseLock(&Table->Lock, OldIrql);
    return Type;
}

static VOID ObpReportTable(OB_HANDLE_TABLE *Table, PVOID Context)
{
    OBP_HANDLE_SEARCH *Search = Context;
    for (ULONG Index = 0; Index / OBP_ENTRIES_PER_BLOCK < Table->BlockCount;) {
        POBJECT_TYPE Type = ObpDisownHandle(Table, Search, &Index);
        if (Type == NULL)
            continue;
        ObpReportHandle(Search->Driver, Index - 1, Type);
        Search->Found++;
    }
}

ULONG ObReportDriverHandles(PCSTR Driver, const void *Base, SIZE_T Size)
{
    OBP_HANDLE_SEARCH Search = {Driver, (ULONG_PTR)Base, Size, 0};
    ObpForEachTable(ObpReportTable, &Search);
    return Search.Found;
}
