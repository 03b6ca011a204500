/* SPDX-License-Identifier: MIT
 * ObQueryNameString: the path of an object, from the name space or (files, keys) from its type. */
#include "obp.h"
#include "ke.h"

#define OBP_TAG_QUERY 'qQbO'

/* Bytes of the path, 0 when the object has no name. A detached directory ends the path where it is. */
static ULONG ObpPathLengthLocked(OBP_HEADER *Header)
{
    if (Header == ObpHeader(ObpRootDirectory))
        return sizeof(WCHAR);
    ULONG Length = 0;
    for (; Header->Name != NULL; Header = ObpHeader(Header->Name->Directory))
        Length += sizeof(WCHAR) + Header->Name->Name.Length;
    return Length;
}

/* Room is exactly the path's length. */
static VOID ObpFillPathLocked(OBP_HEADER *Header, PWCH Room, ULONG Length)
{
    PWCH Write = Room + Length / sizeof(WCHAR);
    if (Header == ObpHeader(ObpRootDirectory))
        *--Write = OBJ_NAME_PATH_SEPARATOR;
    for (; Header->Name != NULL; Header = ObpHeader(Header->Name->Directory)) {
        Write -= Header->Name->Name.Length / sizeof(WCHAR);
        RtlCopyMemory(Write, Header->Name->Name.Buffer, Header->Name->Name.Length);
        *--Write = OBJ_NAME_PATH_SEPARATOR;
    }
}

/* Appends the name-space path: the caller's buffer may be pageable, so it is built in our own first. */
static NTSTATUS ObpQueryPath(OBP_HEADER *Header, PUNICODE_STRING Name, PULONG Needed)
{
    PWCH Copy = NULL;
    ULONG Room = 0;
    for (;;) {
        KIRQL OldIrql = ArchAcquireLock(&ObpNameLock);
        ULONG Length = ObpPathLengthLocked(Header);
        BOOLEAN Fits = Length <= Room;
        if (Fits && Length != 0)
            ObpFillPathLocked(Header, Copy, Length);
        ArchReleaseLock(&ObpNameLock, OldIrql);
        *Needed = Length;
        if (Fits)
            break;
        if (Copy != NULL)
            ExFreePoolWithTag(Copy, OBP_TAG_QUERY);
        Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, OBP_TAG_QUERY);
        if (Copy == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Room = Length;
    }
    BOOLEAN Overflow = *Needed > Name->MaximumLength;
    if (!Overflow && *Needed != 0)
        RtlCopyMemory(Name->Buffer, Copy, *Needed);
    if (!Overflow)
        Name->Length = (USHORT)*Needed;
    if (Copy != NULL)
        ExFreePoolWithTag(Copy, OBP_TAG_QUERY);
    return Overflow ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS ObpQueryName(PVOID Object, PUNICODE_STRING Name, PULONG Needed)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    if (Header->Type->Info.Methods.QueryName != NULL)
        return Header->Type->Info.Methods.QueryName(Object, Name, Needed);
    return ObpQueryPath(Header, Name, Needed);
}

static ULONG ObpNameRoom(POBJECT_NAME_INFORMATION Information, ULONG Length)
{
    ULONG Overhead = sizeof(OBJECT_NAME_INFORMATION) + sizeof(WCHAR);
    if (Information == NULL || Length <= Overhead)
        return 0;
    return (Length - Overhead < MAXUSHORT - 1 ? Length - Overhead : MAXUSHORT - 1) & ~1u;
}

/* Room 0: the name does not lie behind the structure. */
static VOID ObpFillName(POBJECT_NAME_INFORMATION Information, PUNICODE_STRING Name, ULONG Room)
{
    if (Room == 0) {
        RtlZeroMemory(&Information->Name, sizeof(Information->Name));
        return;
    }
    Name->Buffer[Name->Length / sizeof(WCHAR)] = 0;
    Name->MaximumLength = (USHORT)(Name->Length + sizeof(WCHAR));
    Information->Name = *Name;
}

/* [WDK ObQueryNameString] the string lies behind the structure, terminated; an object without a name gives an empty string
 * with a NULL buffer; STATUS_INFO_LENGTH_MISMATCH with the needed size when it does not fit; of a file's name, which its type appends as far as
 * it fits, that much and STATUS_BUFFER_OVERFLOW; STATUS_NAME_TOO_LONG when no string could have it. PASSIVE_LEVEL. */
NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION Information, ULONG Length,
                                 PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    WCHAR Begin; /* tells whether the type appends what fits */
    ULONG Needed = 0, Room = ObpNameRoom(Information, Length);
    UNICODE_STRING Name = {0, sizeof(Begin), &Begin};
    if (Room != 0)
        Name = (UNICODE_STRING){0, (USHORT)Room, (PWCH)(Information + 1)};
    NTSTATUS Status = ObpQueryName(Object, &Name, &Needed);
    if (!NT_SUCCESS(Status) && Status != STATUS_BUFFER_OVERFLOW)
        return Status;
    if (Needed > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    *ReturnLength = sizeof(OBJECT_NAME_INFORMATION) + (Needed != 0 ? Needed + sizeof(WCHAR) : 0);
    if (Information == NULL || Length < sizeof(*Information))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Status == STATUS_BUFFER_OVERFLOW ? Name.Length == 0 : Length < *ReturnLength)
        return STATUS_INFO_LENGTH_MISMATCH;
    ObpFillName(Information, &Name, Needed != 0 ? Room : 0);
    return Status;
}
