/* SPDX-License-Identifier: MIT
 * Hive files are written as a whole. A file that exists is replaced by a new one beside it, so that a machine that stops in between leaves a
 * hive that loads. [WDK FILE_RENAME_INFORMATION] */
#include "cm/cmp.h"

#define CMP_NEW_SUFFIX L".flush" /* what the new file is called until it is complete */

NTSTATUS CmpHoldFile(PCUNICODE_STRING Path, PHANDLE File)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    *File = NULL;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    return ZwCreateFile(File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                        0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
}

VOID CmpReleaseFile(PHANDLE File)
{
    if (*File != NULL)
        ZwClose(*File);
    *File = NULL;
}

/* The file may be one for synchronous calls or not. */
NTSTATUS CmpWriteFile(HANDLE File, const uint8_t *Bytes, ULONG Length)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    HANDLE Event;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwWriteFile(File, Event, NULL, NULL, &Iosb, (PVOID)Bytes, Length, &Start, NULL);
    if (Status == STATUS_PENDING) {
        ZwWaitForSingleObject(Event, FALSE, NULL);
        Status = Iosb.Status;
    }
    ZwClose(Event);
    return NT_SUCCESS(Status) && Iosb.Information != Length ? STATUS_DISK_FULL : Status;
}

/* What a stopped machine left of it before is overwritten. */
static NTSTATUS CmpMakeNewFile(PCUNICODE_STRING Path, PHANDLE File)
{
    static const UNICODE_STRING Suffix = RTL_CONSTANT_STRING(CMP_NEW_SUFFIX);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    UNICODE_STRING Name;
    if (Path->Length + Suffix.Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    NTSTATUS Status = ObAllocateName(&Name, Path->Length + (ULONG)Suffix.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyUnicodeString(&Name, Path);
    (void)RtlAppendUnicodeStringToString(&Name, &Suffix);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateFile(File, FILE_WRITE_DATA | DELETE | SYNCHRONIZE, &Attributes, &Iosb, NULL,
                          FILE_ATTRIBUTE_NORMAL, 0, FILE_OVERWRITE_IF,
                          FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
    ObFreeName(&Name);
    return Status;
}

/* Its name becomes the last component of Path. */
static NTSTATUS CmpTakeName(HANDLE File, PCUNICODE_STRING Path)
{
    IO_STATUS_BLOCK Iosb;
    ULONG First = Path->Length / sizeof(WCHAR);
    while (First != 0 && Path->Buffer[First - 1] != OBJ_NAME_PATH_SEPARATOR)
        First--;
    ULONG Length = Path->Length - First * (ULONG)sizeof(WCHAR);
    ULONG Size = (ULONG)sizeof(FILE_RENAME_INFORMATION) + Length;
    FILE_RENAME_INFORMATION *Rename = ExAllocatePool2(POOL_FLAG_PAGED, Size, CMP_TAG_HIVE);
    if (Rename == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Rename->ReplaceIfExists = TRUE;
    Rename->FileNameLength = Length;
    RtlCopyMemory(Rename->FileName, Path->Buffer + First, Length);
    NTSTATUS Status = ZwSetInformationFile(File, &Iosb, Rename, Size, FileRenameInformation);
    ExFreePoolWithTag(Rename, CMP_TAG_HIVE);
    return Status;
}

/* An open file is not replaced: for a moment nobody holds it. Who opens it then makes this fail, and keeps it from being held until the next
 * flush. */
static NTSTATUS CmpTakeHeldName(HANDLE File, PCUNICODE_STRING Path, PHANDLE Held)
{
    CmpReleaseFile(Held);
    NTSTATUS Status = CmpTakeName(File, Path);
    if (NT_SUCCESS(Status))
        *Held = File;
    else
        (void)CmpHoldFile(Path, Held);
    return Status;
}

/* All of it is on the volume. */
static NTSTATUS CmpFillNewFile(HANDLE File, const uint8_t *Bytes, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status = CmpWriteFile(File, Bytes, Length);
    return NT_SUCCESS(Status) ? ZwFlushBuffersFile(File, &Iosb) : Status;
}

NTSTATUS CmpReplaceFile(PCUNICODE_STRING Path, PHANDLE Held, const uint8_t *Bytes, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    FILE_DISPOSITION_INFORMATION Delete = {.DeleteFile = TRUE};
    HANDLE File;
    NTSTATUS Status = CmpMakeNewFile(Path, &File);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpFillNewFile(File, Bytes, Length);
    if (NT_SUCCESS(Status))
        Status = Held != NULL ? CmpTakeHeldName(File, Path, Held) : CmpTakeName(File, Path);
    if (!NT_SUCCESS(Status))
        (void)ZwSetInformationFile(File, &Iosb, &Delete, sizeof(Delete), FileDispositionInformation);
    if (!NT_SUCCESS(Status) || Held == NULL)
        ZwClose(File);
    return Status;
}
