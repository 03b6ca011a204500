/* SPDX-License-Identifier: MIT
 * Objects: made, counted, deleted. The last dereference deletes at once at PASSIVE_LEVEL, else a worker thread does it:
 * delete procedures of files and devices send IRPs and free what must be freed at PASSIVE_LEVEL. */
#include "obp_trace.h"
#include "ke_checks.h"
#include "ke_bugcheck.h"
#include "se.h"

static OBP_HEADER *volatile ObpDeletedHead; /* interlocked list */
static WORK_QUEUE_ITEM ObpReaperItem;

DECLSPEC_NOINLINE_CHECKED OBP_HEADER *ObpCheckedHeader(const void *Object)
{
    OBP_HEADER *Header = ObpHeader(Object);
    if (Header->Check != OBP_HEADER_CHECK)
        KeBugCheckEx(REFERENCE_BY_POINTER, 0, (ULONG_PTR)Object, Header->Check,
                     (ULONG_PTR)__builtin_return_address(0));
    return Header;
}

POBJECT_TYPE ObTypeOf(const void *Object)
{
    return ObpCheckedHeader(Object)->Type;
}

NTSTATUS ObAllocateName(PUNICODE_STRING Name, ULONG Length)
{
    if (Length > MAXUSHORT - 1)
        return STATUS_NAME_TOO_LONG;
    Name->Length = 0;
    Name->MaximumLength = (USHORT)(Length + sizeof(WCHAR));
    Name->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, Name->MaximumLength, OBP_TAG_NAME);
    return Name->Buffer != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

VOID ObFreeName(PUNICODE_STRING Name)
{
    if (Name->Buffer != NULL)
        ExFreePoolWithTag(Name->Buffer, OBP_TAG_NAME);
    Name->Buffer = NULL;
    Name->Length = Name->MaximumLength = 0;
}

/* Attributes are captured, the name they point to is not. */
static NTSTATUS ObpCaptureCreateInfo(OBP_HEADER *Header, const OBJECT_ATTRIBUTES *Attributes,
                                     KPROCESSOR_MODE Mode, KPROCESSOR_MODE AccessMode)
{
    OBP_CREATE_INFO *Info = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Info), OBP_TAG_CREATE);
    if (Info == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Info->RootDirectory = Attributes->RootDirectory;
    Info->Attributes = Attributes->Attributes;
    Info->Mode = AccessMode;
    if (Attributes->ObjectName != NULL) {
        NTSTATUS Status = ObpCaptureName(&Info->Name, Attributes->ObjectName, Mode);
        if (!NT_SUCCESS(Status)) {
            ExFreePoolWithTag(Info, OBP_TAG_CREATE);
            return Status;
        }
    }
    NTSTATUS Status =
        SeCaptureSecurityDescriptor(Attributes->SecurityDescriptor, Mode, PagedPool, TRUE, &Info->Security);
    if (!NT_SUCCESS(Status)) {
        ObFreeName(&Info->Name);
        ExFreePoolWithTag(Info, OBP_TAG_CREATE);
        return Status;
    }
    Header->Create = Info;
    return STATUS_SUCCESS;
}

VOID ObpFreeCreateInfo(OBP_HEADER *Header)
{
    if (Header->Create == NULL)
        return;
    ObFreeName(&Header->Create->Name);
    SeReleaseSecurityDescriptor(Header->Create->Security, KernelMode, TRUE);
    ExFreePoolWithTag(Header->Create, OBP_TAG_CREATE);
    Header->Create = NULL;
}

DECLSPEC_NOINLINE NTSTATUS NTAPI ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type,
                                                POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE AccessMode,
                                                PVOID ParseContext, ULONG Size, ULONG PagedCharge,
                                                ULONG NonPagedCharge, PVOID *Object)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Size > MAXULONG - sizeof(OBP_HEADER))
        return STATUS_INVALID_PARAMETER;
    OBP_HEADER *Header =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, (SIZE_T)Size + sizeof(OBP_HEADER), Type->Info.PoolTag);
    if (Header == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Attributes != NULL) {
        OBJECT_ATTRIBUTES Captured;
        NTSTATUS Status = ObCaptureAttributes(&Captured, Attributes, ProbeMode);
        if (NT_SUCCESS(Status) && (Captured.Attributes & OBJ_PERMANENT) &&
            !SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_CREATE_PERMANENT_PRIVILEGE), AccessMode))
            Status = STATUS_PRIVILEGE_NOT_HELD;
        if (NT_SUCCESS(Status))
            Status = ObpCaptureCreateInfo(Header, &Captured, ProbeMode, AccessMode);
        if (!NT_SUCCESS(Status)) {
            ExFreePoolWithTag(Header, Type->Info.PoolTag);
            return Status;
        }
        if (Captured.Attributes & OBJ_PERMANENT)
            Header->Flags = OBP_FLAG_PERMANENT;
    }
    Header->PointerCount = 1;
    Header->Type = Type;
    Header->Check = OBP_HEADER_CHECK;
    InterlockedIncrement64(&Type->ObjectCount);
    ObpTraceReference(ObpBody(Header), OBP_DEFAULT_TAG, 1, __builtin_return_address(0));
    *Object = ObpBody(Header);
    return STATUS_SUCCESS;
}

static VOID ObpDelete(OBP_HEADER *Header)
{
    POBJECT_TYPE Type = Header->Type;
    if (Header->HandleCount != 0 ||
        Header->Name != NULL) /* [WDK bug check 0x18] dereferenced more than referenced */
        KeBugCheckBlaming(NULL, REFERENCE_BY_POINTER, (ULONG_PTR)Type, (ULONG_PTR)ObpBody(Header), 1,
                          (ULONG_PTR)Header->HandleCount, ObpTraceSentence(ObpBody(Header)));
    if (ObpTracing)
        ObpTraceDeletion(ObpBody(Header), &Type->Name);
    if (Type->Info.Methods.Delete != NULL)
        Type->Info.Methods.Delete(ObpBody(Header));
    ObpFreeCreateInfo(Header);
    ObpFreeSecurity(Header);
    Header->Check = 0;
    InterlockedDecrement64(&Type->ObjectCount);
    ExFreePoolWithTag(Header, Type->Info.PoolTag);
}

static VOID NTAPI ObpReap(PVOID Context)
{
    OBP_HEADER *List = InterlockedExchangePointer((PVOID *)&ObpDeletedHead, NULL);
    while (List != NULL) {
        OBP_HEADER *Next = List->NextDeleted;
        ObpDelete(List);
        List = Next;
    }
}

/* The item may be queued again as soon as ObpReap runs: only the push that finds the list empty queues it. */
static VOID ObpDeferDelete(OBP_HEADER *Header)
{
    OBP_HEADER *Head;
    do {
        Head = ObpDeletedHead;
        Header->NextDeleted = Head;
    } while (InterlockedCompareExchangePointer((PVOID *)&ObpDeletedHead, Header, Head) != Head);
    if (Head == NULL) {
        ExInitializeWorkItem(&ObpReaperItem, ObpReap, NULL);
        ExQueueWorkItem(&ObpReaperItem, CriticalWorkQueue);
    }
}

static LONG64 ObpDropReference(PVOID Object, ULONG Tag, BOOLEAN Defer)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    ObpTraceReference(Object, Tag, -1, NULL);
    LONG64 Left = InterlockedDecrement64(&Header->PointerCount);
    if (Left > 0)
        return Left;
    if (Left < 0)
        KeBugCheckBlaming(NULL, REFERENCE_BY_POINTER, (ULONG_PTR)Header->Type, (ULONG_PTR)Object, 1,
                          (ULONG_PTR)Left, ObpTraceSentence(Object));
    if (Defer || KeGetCurrentIrql() > PASSIVE_LEVEL)
        ObpDeferDelete(Header);
    else
        ObpDelete(Header);
    return 0;
}

BOOLEAN ObpReferenceSafe(OBP_HEADER *Header)
{
    LONG64 Count = Header->PointerCount;
    while (Count > 0) {
        LONG64 Seen = InterlockedCompareExchange64(&Header->PointerCount, Count + 1, Count);
        if (Seen == Count) {
            ObpTraceReference(ObpBody(Header), OBP_DEFAULT_TAG, 1, NULL);
            return TRUE;
        }
        Count = Seen;
    }
    return FALSE;
}

BOOLEAN ObReferenceObjectSafe(PVOID Object)
{
    return ObpReferenceSafe(ObpCheckedHeader(Object));
}

DECLSPEC_NOINLINE_CHECKED LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    LONG64 Count = InterlockedIncrement64(&ObpCheckedHeader(Object)->PointerCount);
    ObpTraceReference(Object, OBP_DEFAULT_TAG, 1, __builtin_return_address(0));
    return Count;
}

/* [WDK ObReferenceObjectWithTag] the tag is for those who look for lost references. */
DECLSPEC_NOINLINE_CHECKED LONG_PTR FASTCALL ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    LONG64 Count = InterlockedIncrement64(&ObpCheckedHeader(Object)->PointerCount);
    ObpTraceReference(Object, Tag, 1, __builtin_return_address(0));
    return Count;
}

/* [WDK ObDereferenceObject] IRQL <= DISPATCH_LEVEL. */
LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ObpDropReference(Object, OBP_DEFAULT_TAG, FALSE);
}

LONG_PTR FASTCALL ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ObpDropReference(Object, Tag, FALSE);
}

/* [WDK ObDereferenceObjectDeferDelete] the deletion is left to a worker thread, so the caller may hold locks that the
 * delete procedure needs. */
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ObpDropReference(Object, OBP_DEFAULT_TAG, TRUE);
}

VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ObpDropReference(Object, Tag, TRUE);
}

/* [WDK ObReferenceObjectByPointer] STATUS_OBJECT_TYPE_MISMATCH when the type is another one. Without a type
 * only kernel mode may ask. */
static NTSTATUS ObpReferenceByPointer(PVOID Object, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                      ULONG Tag, const void *Caller)
{
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    if (ObjectType != Header->Type && (ObjectType != NULL || AccessMode != KernelMode))
        return STATUS_OBJECT_TYPE_MISMATCH;
    InterlockedIncrement64(&Header->PointerCount);
    ObpTraceReference(Object, Tag, 1, Caller);
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE_CHECKED NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess,
                                                                    POBJECT_TYPE ObjectType,
                                                                    KPROCESSOR_MODE AccessMode)
{
    return ObpReferenceByPointer(Object, ObjectType, AccessMode, OBP_DEFAULT_TAG,
                                 __builtin_return_address(0));
}

DECLSPEC_NOINLINE_CHECKED NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(
    PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, ULONG Tag)
{
    return ObpReferenceByPointer(Object, ObjectType, AccessMode, Tag, __builtin_return_address(0));
}
