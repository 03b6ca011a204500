/* SPDX-License-Identifier: MIT
 * ZwQueryObject: what a handle and its object are. [WDK ZwQueryObject, PUBLIC_OBJECT_BASIC_INFORMATION,
 * PUBLIC_OBJECT_TYPE_INFORMATION] */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"

#define OBP_TAG_ANSWER 'aQbO'
#define OBP_NAME_ROOM ((ULONG)sizeof(OBJECT_NAME_INFORMATION) + MAXUSHORT) /* no name is longer */

/* The caller's, and what is needed. */
typedef struct _OBP_ANSWER {
    PVOID Buffer;
    ULONG Length;
    ULONG Needed;
    KPROCESSOR_MODE Mode;
} OBP_ANSWER;

static NTSTATUS ObpAnswer(OBP_ANSWER *Answer, const VOID *Data, ULONG Size)
{
    Answer->Needed = Size;
    if (Answer->Length < Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    return MmTryWriteCaller(Answer->Buffer, Data, Size, Answer->Mode);
}

/* The reference that this query holds does not count. */
static NTSTATUS ObpQueryBasic(PVOID Object, const OBJECT_HANDLE_INFORMATION *Handle, OBP_ANSWER *Answer)
{
    const OBP_HEADER *Header = ObpHeader(Object);
    PUBLIC_OBJECT_BASIC_INFORMATION Basic = {
        .Attributes = Handle->HandleAttributes | (Header->Flags & OBP_FLAG_PERMANENT ? OBJ_PERMANENT : 0),
        .GrantedAccess = Handle->GrantedAccess,
        .HandleCount = (ULONG)Header->HandleCount,
        .PointerCount = (ULONG)Header->PointerCount - 1,
    };

    if (Answer->Length != sizeof(Basic)) {
        Answer->Needed = sizeof(Basic);
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    return ObpAnswer(Answer, &Basic, sizeof(Basic));
}

/* The type's name lies behind the structure. */
static NTSTATUS ObpQueryType(PVOID Object, OBP_ANSWER *Answer)
{
    struct {
        PUBLIC_OBJECT_TYPE_INFORMATION Type;
        WCHAR Name[32];
    } Data = {};
    PCUNICODE_STRING Name = &ObpHeader(Object)->Type->Name;

    NT_CHECK(Name->Length < sizeof(Data.Name));
    RtlCopyMemory(Data.Name, Name->Buffer, Name->Length);
    Data.Type.TypeName.Length = Name->Length;
    Data.Type.TypeName.MaximumLength = (USHORT)(Name->Length + sizeof(WCHAR));
    Data.Type.TypeName.Buffer = (PWCH)((PUBLIC_OBJECT_TYPE_INFORMATION *)Answer->Buffer + 1);
    return ObpAnswer(Answer, &Data,
                     (ULONG)((sizeof(Data.Type) + Name->Length + sizeof(WCHAR) + 7) & ~(ULONG_PTR)7));
}

static ULONG ObpSizeOfName(POBJECT_NAME_INFORMATION Name)
{
    return sizeof(*Name) + (Name->Name.Buffer != NULL ? Name->Name.Length + (ULONG)sizeof(WCHAR) : 0);
}

/* Of a file's name that is too long the caller gets what fits, and STATUS_BUFFER_OVERFLOW. */
static NTSTATUS ObpQueryNameFor(PVOID Object, OBP_ANSWER *Answer)
{
    ULONG Room = min(Answer->Length, OBP_NAME_ROOM);
    POBJECT_NAME_INFORMATION Name = NULL;

    if (Room >= sizeof(*Name))
        Name = ExAllocatePool2(POOL_FLAG_PAGED, Room, OBP_TAG_ANSWER);
    if (Room >= sizeof(*Name) && Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObQueryNameString(Object, Name, Name != NULL ? Room : 0, &Answer->Needed);
    if (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW) {
        ULONG Size = ObpSizeOfName(Name);
        if (Name->Name.Buffer != NULL)
            Name->Name.Buffer = (PWCH)((POBJECT_NAME_INFORMATION)Answer->Buffer + 1);
        NTSTATUS Written = MmTryWriteCaller(Answer->Buffer, Name, Size, Answer->Mode);
        Status = NT_SUCCESS(Written) ? Status : Written;
    }
    if (Name != NULL)
        ExFreePoolWithTag(Name, OBP_TAG_ANSWER);
    return Status;
}

static NTSTATUS ObpQueryFlags(const OBJECT_HANDLE_INFORMATION *Handle, OBP_ANSWER *Answer)
{
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {(Handle->HandleAttributes & OBJ_INHERIT) != 0,
                                            (Handle->HandleAttributes & OBJ_PROTECT_CLOSE) != 0};

    return ObpAnswer(Answer, &Flags, sizeof(Flags));
}

static NTSTATUS ObpQueryClass(PVOID Object, const OBJECT_HANDLE_INFORMATION *Handle,
                              OBJECT_INFORMATION_CLASS Class, OBP_ANSWER *Answer)
{
    switch (Class) {
    case ObjectBasicInformation:
        return ObpQueryBasic(Object, Handle, Answer);
    case ObjectNameInformation:
        return ObpQueryNameFor(Object, Answer);
    case ObjectTypeInformation:
        return ObpQueryType(Object, Answer);
    case ObjectHandleFlagInformation:
        return ObpQueryFlags(Handle, Answer);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

static NTSTATUS ObpQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class, OBP_ANSWER *Answer,
                               PULONG ReturnLength)
{
    OBJECT_HANDLE_INFORMATION Information;
    PVOID Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, NULL, Answer->Mode, &Object, &Information);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpQueryClass(Object, &Information, Class, Answer);
    ObfDereferenceObject(Object);
    BOOLEAN Tells =
        NT_SUCCESS(Status) || Status == STATUS_INFO_LENGTH_MISMATCH || Status == STATUS_BUFFER_OVERFLOW;
    if (ReturnLength == NULL || !Tells)
        return Status;
    NTSTATUS Told = MmWriteCaller(ReturnLength, &Answer->Needed, sizeof(Answer->Needed), Answer->Mode);
    return NT_SUCCESS(Told) ? Status : Told;
}

NTSTATUS NTAPI ZwQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass,
                             PVOID ObjectInformation, ULONG ObjectInformationLength, PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_ANSWER Answer = {ObjectInformation, ObjectInformationLength, 0, KernelMode};
    return ObpQueryObject(Handle, ObjectInformationClass, &Answer, ReturnLength);
}
