/* SPDX-License-Identifier: MIT
 * What a directory holds. [WDK ZwQueryDirectoryObject; Win32 NtQueryDirectoryObject] */
#include "ob_service.h"
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"

#define OBP_TAG_QUERY 'qDbO'
/* A spin lock is held meanwhile: what is more comes with the next call. The longest entry fits, beside the empty one. */
#define OBP_LONGEST_ANSWER 0x21000u
_Static_assert(2 * (sizeof(OBJECT_DIRECTORY_INFORMATION) + MAXUSHORT + sizeof(WCHAR)) <= OBP_LONGEST_ANSWER,
               "an entry with the longest name and type fits");

/* ObpNameLock held while Next is in use: the entries in the order of their buckets. */
typedef struct _OBP_WALK {
    OBP_DIRECTORY *Directory;
    ULONG Bucket;
    PLIST_ENTRY Entry;
} OBP_WALK;

static OBP_NAME *ObpNextName(OBP_WALK *Walk)
{
    Walk->Entry = Walk->Entry->Flink;
    while (Walk->Entry == &Walk->Directory->Bucket[Walk->Bucket]) {
        if (++Walk->Bucket == OBP_BUCKETS)
            return NULL;
        Walk->Entry = Walk->Directory->Bucket[Walk->Bucket].Flink;
    }
    return CONTAINING_RECORD(Walk->Entry, OBP_NAME, Bucket);
}

/* The entry that follows Skip others. */
static OBP_NAME *ObpFirstName(OBP_WALK *Walk, OBP_DIRECTORY *Directory, ULONG Skip)
{
    *Walk = (OBP_WALK){Directory, 0, &Directory->Bucket[0]};
    OBP_NAME *Name = ObpNextName(Walk);
    while (Name != NULL && Skip-- != 0)
        Name = ObpNextName(Walk);
    return Name;
}

static ULONG ObpSizeOf(const OBP_NAME *Name)
{
    return (ULONG)sizeof(OBJECT_DIRECTORY_INFORMATION) + Name->Name.Length + Name->Header->Type->Name.Length +
           2 * (ULONG)sizeof(WCHAR);
}

typedef struct _OBP_DIRECTORY_QUERY {
    OBP_DIRECTORY *Directory;
    ULONG First;    /* entries that were told before */
    ULONG Most;     /* entries that are wanted */
    ULONG Room;     /* bytes */
    PVOID Caller;   /* the buffer that the texts' addresses are of */
    ULONG Count;    /* out: entries that fit */
    ULONG Used;     /* out: bytes of these, the empty one included; when not one fits: what it takes */
    BOOLEAN NoMore; /* out: there is no entry behind these */
} OBP_DIRECTORY_QUERY;

/* ObpNameLock held. */
static VOID ObpMeasure(OBP_DIRECTORY_QUERY *Query)
{
    OBP_WALK Walk;
    OBP_NAME *Name = ObpFirstName(&Walk, Query->Directory, Query->First);

    Query->Count = 0;
    Query->Used = sizeof(OBJECT_DIRECTORY_INFORMATION);
    for (; Name != NULL && Query->Count < Query->Most; Name = ObpNextName(&Walk)) {
        ULONG Size = ObpSizeOf(Name);
        if (Query->Used + Size > Query->Room)
            break;
        Query->Used += Size;
        Query->Count++;
    }
    Query->NoMore = Name == NULL;
    if (Query->Count == 0 && Name != NULL)
        Query->Used += ObpSizeOf(Name);
}

/* Terminated; the address is the caller's. */
static PUCHAR ObpPutText(PUCHAR To, const OBP_DIRECTORY_QUERY *Query, const VOID *Copy, PCUNICODE_STRING From,
                         PUNICODE_STRING String)
{
    RtlCopyMemory(To, From->Buffer, From->Length);
    *(PWCH)(To + From->Length) = 0;
    *String = (UNICODE_STRING){From->Length, (USHORT)(From->Length + sizeof(WCHAR)),
                               (PWCH)((PUCHAR)Query->Caller + (To - (const UCHAR *)Copy))};
    return To + From->Length + sizeof(WCHAR);
}

/* ObpNameLock held, measured. */
static VOID ObpFill(const OBP_DIRECTORY_QUERY *Query, POBJECT_DIRECTORY_INFORMATION Copy)
{
    OBP_WALK Walk;
    OBP_NAME *Name = ObpFirstName(&Walk, Query->Directory, Query->First);
    PUCHAR Text = (PUCHAR)&Copy[Query->Count + 1];

    for (ULONG i = 0; i < Query->Count; i++, Name = ObpNextName(&Walk)) {
        Text = ObpPutText(Text, Query, Copy, &Name->Name, &Copy[i].Name);
        Text = ObpPutText(Text, Query, Copy, &Name->Header->Type->Name, &Copy[i].TypeName);
    }
    RtlZeroMemory(&Copy[Query->Count], sizeof(*Copy));
}

/* *Copy: in pool. STATUS_MORE_ENTRIES: others follow, which had no room. */
static NTSTATUS ObpCollect(OBP_DIRECTORY_QUERY *Query, POBJECT_DIRECTORY_INFORMATION *Copy)
{
    *Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, max(Query->Room, sizeof(**Copy)), OBP_TAG_QUERY);
    if (*Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KIRQL OldIrql = ArchAcquireLock(&ObpNameLock);
    ObpMeasure(Query);
    if (Query->Used <= Query->Room)
        ObpFill(Query, *Copy);
    ArchReleaseLock(&ObpNameLock, OldIrql);
    if (Query->Count == 0)
        return Query->NoMore ? STATUS_NO_MORE_ENTRIES : STATUS_BUFFER_TOO_SMALL;
    return Query->NoMore || Query->Most == 1 ? STATUS_SUCCESS : STATUS_MORE_ENTRIES;
}

typedef struct _OBP_DIRECTORY_ANSWER {
    PVOID Buffer; /* the caller's, as the rest */
    PULONG Context, ReturnLength;
    KPROCESSOR_MODE Mode;
} OBP_DIRECTORY_ANSWER;

static NTSTATUS ObpTell(const OBP_DIRECTORY_ANSWER *To, const OBP_DIRECTORY_QUERY *Query, const VOID *Copy,
                        NTSTATUS Status)
{
    ULONG Next = Query->First + Query->Count;
    NTSTATUS Told = Query->Used <= Query->Room ? MmTryWriteCaller(To->Buffer, Copy, Query->Used, To->Mode)
                                               : STATUS_SUCCESS;

    if (NT_SUCCESS(Told) && NT_SUCCESS(Status))
        Told = MmTryWriteCaller(To->Context, &Next, sizeof(Next), To->Mode);
    if (NT_SUCCESS(Told) && To->ReturnLength != NULL)
        Told = MmTryWriteCaller(To->ReturnLength, &Query->Used, sizeof(Query->Used), To->Mode);
    return NT_SUCCESS(Told) ? Status : Told;
}

static NTSTATUS ObpAnswerDirectory(OBP_DIRECTORY_QUERY *Query, const OBP_DIRECTORY_ANSWER *To)
{
    POBJECT_DIRECTORY_INFORMATION Copy;
    NTSTATUS Status = ObpCollect(Query, &Copy);

    if (Copy == NULL)
        return Status;
    Status = ObpTell(To, Query, Copy, Status);
    ExFreePoolWithTag(Copy, OBP_TAG_QUERY);
    return Status;
}

NTSTATUS ObQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length, BOOLEAN ReturnSingleEntry,
                                BOOLEAN RestartScan, PULONG Context, PULONG ReturnLength,
                                KPROCESSOR_MODE Mode)
{
    OBP_DIRECTORY_ANSWER Answer = {Buffer, Context, ReturnLength, Mode};
    OBP_DIRECTORY_QUERY Query = {
        .Most = ReturnSingleEntry ? 1 : MAXULONG, .Room = min(Length, OBP_LONGEST_ANSWER), .Caller = Buffer};
    ULONG Before;
    NTSTATUS Status = MmProbeCaller(Buffer, Length, Mode);

    if (NT_SUCCESS(Status))
        Status = MmReadCallerVariable(&Before, Context, sizeof(Before), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCaller(ReturnLength, sizeof(*ReturnLength), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(DirectoryHandle, DIRECTORY_QUERY, ObDirectoryObjectType, Mode,
                                           (PVOID *)&Query.Directory, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Query.First = RestartScan ? 0 : Before;
    Status = ObpAnswerDirectory(&Query, &Answer);
    ObfDereferenceObject(Query.Directory);
    return Status;
}

NTSTATUS NTAPI ZwQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length,
                                      BOOLEAN ReturnSingleEntry, BOOLEAN RestartScan, PULONG Context,
                                      PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObQueryDirectoryObject(DirectoryHandle, Buffer, Length, ReturnSingleEntry, RestartScan, Context,
                                  ReturnLength, KernelMode);
}
