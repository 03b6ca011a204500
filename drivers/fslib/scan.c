/* SPDX-License-Identifier: MIT
 * See the header. */
#include "fslib/scan.h"

NTSTATUS FsPrepareList(PIRP Irp, FS_ENTRY_LIST *List)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    *List = (FS_ENTRY_LIST){.Class = Stack->Parameters.QueryDirectory.FileInformationClass,
                            .Length = Stack->Parameters.QueryDirectory.Length,
                            .Buffer = Irp->AssociatedIrp.SystemBuffer};
    if (Irp->MdlAddress != NULL)
        List->Buffer =
            MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    return List->Buffer != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS TakePattern(FS_SCAN *Scan, PUNICODE_STRING Given)
{
    if (Scan->Started)
        return STATUS_SUCCESS;
    if (Given != NULL && Given->Length != 0) {
        if (Given->Length > FS_MAX_PATTERN)
            return STATUS_OBJECT_NAME_INVALID;
        Scan->Pattern.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Given->Length, FS_SCAN_TAG);
        if (Scan->Pattern.Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Scan->Pattern.MaximumLength = Given->Length;
        RtlUpcaseUnicodeString(&Scan->Pattern, Given, FALSE);
    }
    Scan->Started = TRUE;
    return STATUS_SUCCESS;
}

static BOOLEAN Matches(FS_SCAN *Scan, const FS_ENTRY *Entry)
{
    UNICODE_STRING Name = {(USHORT)Entry->NameLength, (USHORT)Entry->NameLength, (PWCHAR)Entry->Name};
    return Scan->Pattern.Length == 0 || FsRtlIsNameInExpression(&Scan->Pattern, &Name, TRUE, NULL);
}

/* The status of the last that was tried. */
static NTSTATUS PutNames(FS_SCAN *Scan, FS_ENTRY_LIST *List, BOOLEAN Single, FS_NEXT_ENTRY *NextEntry,
                         PVOID Context)
{
    FS_ENTRY Entry;
    for (ULONG64 Place = Scan->Next; NextEntry(Context, &Place, &Entry); Scan->Next = Place) {
        if (!Matches(Scan, &Entry))
            continue;
        NTSTATUS Status = FsPutEntry(List, &Entry);
        if (Status == STATUS_NO_MORE_ENTRIES)
            return STATUS_SUCCESS;
        if (NT_ERROR(Status))
            return Status;
        Scan->Found = TRUE;
        if (Status != STATUS_SUCCESS || Single) {
            Scan->Next = Place;
            return Status;
        }
    }
    /* nothing at all matches, or no more does */
    return List->End != 0 ? STATUS_SUCCESS : Scan->Found ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
}

NTSTATUS FsScan(FS_SCAN *Scan, PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List, FS_NEXT_ENTRY *NextEntry,
                PVOID Context)
{
    NTSTATUS Status = TakePattern(Scan, Stack->Parameters.QueryDirectory.FileName);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Stack->Flags & SL_RESTART_SCAN)
        Scan->Next = 0;
    return PutNames(Scan, List, (Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0, NextEntry, Context);
}

VOID FsEndScan(FS_SCAN *Scan)
{
    if (Scan->Pattern.Buffer != NULL)
        ExFreePoolWithTag(Scan->Pattern.Buffer, FS_SCAN_TAG);
    *Scan = (FS_SCAN){0};
}
