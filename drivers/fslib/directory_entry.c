/* SPDX-License-Identifier: MIT
 * Entries of a directory query: all classes begin alike, then each has its own places. */
#include "directory_entry.h"

_Static_assert(FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileNameLength) ==
                       FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileNameLength) &&
                   FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileNameLength) ==
                       FIELD_OFFSET(FILE_ID_BOTH_DIR_INFORMATION, FileNameLength) &&
                   FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileNameLength) ==
                       FIELD_OFFSET(FILE_FULL_DIR_INFORMATION, FileNameLength) &&
                   FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileNameLength) ==
                       FIELD_OFFSET(FILE_ID_FULL_DIR_INFORMATION, FileNameLength),
               "FillCommon");

/* Offset of the name; 0 for a class that is none. */
static ULONG NameOffset(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileDirectoryInformation:
        return FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileName);
    case FileFullDirectoryInformation:
        return FIELD_OFFSET(FILE_FULL_DIR_INFORMATION, FileName);
    case FileBothDirectoryInformation:
        return FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName);
    case FileIdBothDirectoryInformation:
        return FIELD_OFFSET(FILE_ID_BOTH_DIR_INFORMATION, FileName);
    case FileIdFullDirectoryInformation:
        return FIELD_OFFSET(FILE_ID_FULL_DIR_INFORMATION, FileName);
    case FileNamesInformation:
        return FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName);
    default:
        return 0;
    }
}

static void FillCommon(FILE_DIRECTORY_INFORMATION *To, const FS_ENTRY *Entry)
{
    To->CreationTime = Entry->CreationTime;
    To->LastAccessTime = Entry->LastAccessTime;
    To->LastWriteTime = Entry->LastWriteTime;
    To->ChangeTime = Entry->ChangeTime;
    To->EndOfFile = Entry->EndOfFile;
    To->AllocationSize = Entry->AllocationSize;
    To->FileAttributes = Entry->Attributes;
    To->FileNameLength = Entry->NameLength;
}

/* The fixed part is zero before: no extended attributes, no short name. */
static void FillFixed(FILE_INFORMATION_CLASS Class, void *To, const FS_ENTRY *Entry)
{
    if (Class == FileNamesInformation) {
        ((FILE_NAMES_INFORMATION *)To)->FileNameLength = Entry->NameLength;
        return;
    }
    FillCommon(To, Entry);
    if (Class == FileIdBothDirectoryInformation)
        ((FILE_ID_BOTH_DIR_INFORMATION *)To)->FileId = Entry->FileId;
    if (Class == FileIdFullDirectoryInformation)
        ((FILE_ID_FULL_DIR_INFORMATION *)To)->FileId = Entry->FileId;
}

/* NextEntryOffset is the first field of all. */
static void Link(FS_ENTRY_LIST *List, ULONG At)
{
    if (At != 0)
        *(ULONG *)(List->Buffer + List->Last) = At - List->Last;
    List->Last = At;
}

NTSTATUS FsPutEntry(FS_ENTRY_LIST *List, const FS_ENTRY *Entry)
{
    ULONG Fixed = NameOffset(List->Class), At = (List->End + 7) & ~7u, Name = Entry->NameLength;
    if (Fixed == 0)
        return STATUS_INVALID_INFO_CLASS;
    if (At > List->Length || List->Length - At < Fixed)
        return List->End == 0 ? STATUS_BUFFER_TOO_SMALL : STATUS_NO_MORE_ENTRIES;
    ULONG Room = (List->Length - At - Fixed) & ~1u;
    if (Name > Room && List->End != 0)
        return STATUS_NO_MORE_ENTRIES;
    for (ULONG i = List->End; i < At + Fixed;
         i++) /* also between the entries: nothing of the kernel's goes out */
        List->Buffer[i] = 0;
    FillFixed(List->Class, List->Buffer + At, Entry);
    ULONG Copied = Name < Room ? Name : Room;
    for (ULONG i = 0; i < Copied; i++)
        List->Buffer[At + Fixed + i] = ((const UCHAR *)Entry->Name)[i];
    Link(List, At);
    List->End = At + Fixed + Copied;
    return Copied < Name ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
