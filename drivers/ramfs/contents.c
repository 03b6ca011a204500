/* SPDX-License-Identifier: MIT
 * The bytes of files, in pages. The caller holds RamfsData. Pages behind the size are zero, so that growing shows zeros. */
#include "ramfs.h"

static ULONG PagesOf(LONGLONG Size)
{
    return (ULONG)((Size + RAMFS_PAGE - 1) / RAMFS_PAGE);
}

/* A table with room for Count pages. */
static NTSTATUS GrowTable(RAMFS_NODE *Node, ULONG Count)
{
    NTSTATUS Status;
    ULONG Room = Count + Count / 2;
    if (Count <= Node->TableCount)
        return STATUS_SUCCESS;
    UCHAR **Pages = RamfsAllocate(POOL_FLAG_PAGED, Room * sizeof(*Pages), &Status);
    if (Pages == NULL)
        return Status;
    RtlCopyMemory(Pages, Node->Pages, Node->PageCount * sizeof(*Pages));
    RamfsFree(Node->Pages, Node->TableCount * sizeof(*Pages));
    Node->Pages = Pages;
    Node->TableCount = Room;
    return STATUS_SUCCESS;
}

static VOID SetPageCount(RAMFS_NODE *Node, ULONG Count)
{
    Node->PageCount = Count;
    Node->Header.AllocationSize.QuadPart = (LONGLONG)Count * RAMFS_PAGE;
}

/* All or nothing. */
NTSTATUS RamfsReserve(RAMFS_NODE *Node, LONGLONG Size)
{
    ULONG Old = Node->PageCount, Count;
    if (Size > (LONGLONG)RAMFS_CAPACITY)
        return STATUS_DISK_FULL;
    NTSTATUS Status = GrowTable(Node, PagesOf(Size));
    for (Count = Old; NT_SUCCESS(Status) && Count < PagesOf(Size);) {
        Node->Pages[Count] = RamfsAllocate(POOL_FLAG_PAGED, RAMFS_PAGE, &Status);
        if (NT_SUCCESS(Status))
            Count++;
    }
    SetPageCount(Node, Count);
    if (!NT_SUCCESS(Status))
        RamfsTrim(Node, (LONGLONG)Old * RAMFS_PAGE);
    return Status;
}

VOID RamfsTrim(RAMFS_NODE *Node, LONGLONG Size)
{
    ULONG Count = PagesOf(Size);
    if (Count > Node->PageCount)
        return;
    for (ULONG i = Count; i < Node->PageCount; i++)
        RamfsFree(Node->Pages[i], RAMFS_PAGE);
    SetPageCount(Node, Count);
    if (Count != 0)
        return;
    RamfsFree(Node->Pages, Node->TableCount * sizeof(*Node->Pages));
    Node->Pages = NULL;
    Node->TableCount = 0;
}

/* What is cut off becomes zero. */
VOID RamfsSetSize(RAMFS_NODE *Node, LONGLONG Size)
{
    LONGLONG Old = Node->Header.FileSize.QuadPart;
    for (LONGLONG At = Size; At < Old;) {
        ULONG InPage = (ULONG)(At % RAMFS_PAGE);
        RtlZeroMemory(Node->Pages[At / RAMFS_PAGE] + InPage, RAMFS_PAGE - InPage);
        At += RAMFS_PAGE - InPage;
    }
    Node->Header.FileSize.QuadPart = Node->Header.ValidDataLength.QuadPart = Size;
}

VOID RamfsCopyOut(const RAMFS_NODE *Node, LONGLONG Offset, UCHAR *To, ULONG Length)
{
    while (Length != 0) {
        ULONG InPage = (ULONG)(Offset % RAMFS_PAGE), Part = min(Length, RAMFS_PAGE - InPage);
        RtlCopyMemory(To, Node->Pages[Offset / RAMFS_PAGE] + InPage, Part);
        To += Part;
        Offset += Part;
        Length -= Part;
    }
}

VOID RamfsCopyIn(RAMFS_NODE *Node, LONGLONG Offset, const UCHAR *From, ULONG Length)
{
    while (Length != 0) {
        ULONG InPage = (ULONG)(Offset % RAMFS_PAGE), Part = min(Length, RAMFS_PAGE - InPage);
        RtlCopyMemory(Node->Pages[Offset / RAMFS_PAGE] + InPage, From, Part);
        From += Part;
        Offset += Part;
        Length -= Part;
    }
}
