/* SPDX-License-Identifier: MIT
 * What registry callbacks keep with key objects, the names and numbers of keys that they ask for, and the end of a callback.
 * [WDK CmSetCallbackObjectContext, CmCallbackGetKeyObjectID, CmUnRegisterCallback] */
#include "cm/callback.h"
#include "ex.h"
#include "kd.h"
#include "ke_bugcheck.h"

typedef struct _CMP_CONTEXT {
    LIST_ENTRY Entry; /* (c) of CMP_KEY.Contexts */
    LIST_ENTRY All;   /* (c) */
    CMP_KEY *Key;
    CMP_CALLBACK *Callback;
    PVOID Value; /* (c) */
} CMP_CONTEXT;

static LIST_ENTRY CmpContexts = {&CmpContexts, &CmpContexts}; /* (c) of CMP_CONTEXT.All */

/* (c) */
static CMP_CONTEXT *CmpFindContext(CMP_KEY *Key, const CMP_CALLBACK *Callback)
{
    for (LIST_ENTRY *At = Key->Contexts.Flink; At != &Key->Contexts; At = At->Flink) {
        CMP_CONTEXT *Context = CONTAINING_RECORD(At, CMP_CONTEXT, Entry);
        if (Context->Callback == Callback)
            return Context;
    }
    return NULL;
}

/* The list is looked at without the lock: a context that another thread is just setting is not seen yet. */
PVOID CmpObjectContext(CMP_KEY *Key, const CMP_CALLBACK *Callback)
{
    if (Key == NULL || __atomic_load_n(&Key->Contexts.Flink, __ATOMIC_RELAXED) == &Key->Contexts)
        return NULL;
    CmpLockCallbacks();
    CMP_CONTEXT *Context = CmpFindContext(Key, Callback);
    PVOID Value = Context != NULL ? Context->Value : NULL;
    CmpUnlockCallbacks();
    return Value;
}

/* (c) */
static VOID CmpUnlinkContext(CMP_CONTEXT *Context)
{
    RemoveEntryList(&Context->Entry);
    RemoveEntryList(&Context->All);
}

/* [WDK REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION] the context is in no list any more. */
static VOID CmpEndContext(CMP_CONTEXT *Context, BOOLEAN Tell)
{
    REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION Information = {.Object = Context->Key,
                                                            .ObjectContext = Context->Value};
    if (Tell)
        (void)CmpCallDriver(Context->Callback, RegNtCallbackObjectContextCleanup, &Information);
    ExFreePoolWithTag(Context, CMP_TAG_CALLBACK);
}

/* (c) on entry and return. */
static VOID CmpCleanContext(CMP_CONTEXT *Context)
{
    CMP_CALLBACK *Callback = Context->Callback;
    BOOLEAN Tell = !Callback->Silent;
    CmpUnlinkContext(Context);
    Callback->Cleaning++;
    CmpUnlockCallbacks();
    CmpEndContext(Context, Tell);
    CmpLockCallbacks();
    Callback->Cleaning--;
    if (Callback->Going)
        KeSetEvent(&Callback->Cleaned, IO_NO_INCREMENT, FALSE);
}

/* The key object goes, and with it what callbacks keep with it. A callback that is going waits for this thread. */
VOID CmpCleanContexts(CMP_KEY *Key)
{
    CmpLockCallbacks();
    while (!IsListEmpty(&Key->Contexts))
        CmpCleanContext(CONTAINING_RECORD(Key->Contexts.Flink, CMP_CONTEXT, Entry));
    CmpUnlockCallbacks();
    if (Key->Path.Buffer != NULL)
        ObFreeName(&Key->Path);
}

/* (c). A context of the callback whose key object is alive, which gets a reference; *Left: there are others, that threads which delete keys will
 * end. */
static CMP_CONTEXT *CmpTakeContextOf(const CMP_CALLBACK *Callback, BOOLEAN *Left)
{
    *Left = Callback->Cleaning != 0;
    for (LIST_ENTRY *At = CmpContexts.Flink; At != &CmpContexts; At = At->Flink) {
        CMP_CONTEXT *Context = CONTAINING_RECORD(At, CMP_CONTEXT, All);
        if (Context->Callback != Callback)
            continue;
        if (ObReferenceObjectSafe(Context->Key)) {
            CmpUnlinkContext(Context);
            return Context;
        }
        *Left = TRUE;
    }
    return NULL;
}

/* The callback is going: it gets no new contexts. */
static VOID CmpDropContextsOf(CMP_CALLBACK *Callback)
{
    for (;;) {
        BOOLEAN Left;
        CmpLockCallbacks();
        CMP_CONTEXT *Context = CmpTakeContextOf(Callback, &Left);
        CmpUnlockCallbacks();
        if (Context == NULL && !Left)
            return;
        if (Context == NULL) {
            (void)KeWaitForSingleObject(&Callback->Cleaned, Executive, KernelMode, FALSE, NULL);
            continue;
        }
        CMP_KEY *Key = Context->Key;
        CmpEndContext(Context, !Callback->Silent);
        ObfDereferenceObject(Key);
    }
}

/* (c). Puts NewContext in the place of what there is; New is used where there was none. */
static NTSTATUS CmpSetContext(CMP_KEY *Key, LARGE_INTEGER Cookie, PVOID NewContext, PVOID *OldContext,
                              CMP_CONTEXT **New)
{
    CMP_CALLBACK *Callback = CmpFindCallback(Cookie);
    if (Callback == NULL)
        return STATUS_INVALID_PARAMETER;
    CMP_CONTEXT *Context = CmpFindContext(Key, Callback);
    if (Context == NULL && Callback->Going)
        return STATUS_INVALID_PARAMETER;
    *OldContext = Context != NULL ? Context->Value : NULL;
    if (Context == NULL) {
        Context = *New;
        *New = NULL;
        *Context = (CMP_CONTEXT){.Key = Key, .Callback = Callback};
        InsertTailList(&Key->Contexts, &Context->Entry);
        InsertTailList(&CmpContexts, &Context->All);
    }
    Context->Value = NewContext;
    if (NewContext != NULL)
        return STATUS_SUCCESS;
    CmpUnlinkContext(Context); /* nothing is kept any more */
    *New = Context;
    return STATUS_SUCCESS;
}

/* [WDK CmSetCallbackObjectContext] IRQL <= APC_LEVEL. */
NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, PLARGE_INTEGER Cookie, PVOID NewContext,
                                          PVOID *OldContext)
{
    PVOID Old = NULL;
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Object == NULL || ObTypeOf(Object) != CmKeyObjectType)
        return STATUS_INVALID_PARAMETER;
    CMP_CONTEXT *New = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*New), CMP_TAG_CALLBACK);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    CmpLockCallbacks();
    NTSTATUS Status = CmpSetContext(Object, *Cookie, NewContext, &Old, &New);
    CmpUnlockCallbacks();
    if (New != NULL)
        ExFreePoolWithTag(New, CMP_TAG_CALLBACK);
    if (OldContext != NULL)
        *OldContext = Old;
    return Status;
}

/* --- names and numbers ---------------------------------------------------------------------------------------------------- */

static NTSTATUS CmpCopyKeyPath(const CMP_KEY *Key, PUNICODE_STRING Path)
{
    CmpLockShared();
    ULONG Length = CmpPathLength(Key->Kcb);
    NTSTATUS Status =
        Length > MAXUSHORT - sizeof(WCHAR) ? STATUS_NAME_TOO_LONG : ObAllocateName(Path, Length);
    if (NT_SUCCESS(Status)) {
        CmpPutPath(Key->Kcb, Path->Buffer);
        Path->Length = (USHORT)Length;
    }
    CmpUnlockShared();
    return Status;
}

static NTSTATUS CmpCheckKeyObject(PLARGE_INTEGER Cookie, PVOID Object)
{
    if (Object == NULL || ObTypeOf(Object) != CmKeyObjectType)
        return STATUS_INVALID_PARAMETER;
    CmpLockCallbacks();
    BOOLEAN Known = CmpFindCallback(*Cookie) != NULL;
    CmpUnlockCallbacks();
    return Known ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* [WDK CmCallbackGetKeyObjectID] IRQL <= APC_LEVEL. The number is the same for all objects of one key while one of them is open, and never that
 * of another; the name stays as long as the object, and as it is now. */
NTSTATUS NTAPI CmCallbackGetKeyObjectID(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                        PCUNICODE_STRING *ObjectName)
{
    UNICODE_STRING Path;
    CMP_KEY *Key = Object;
    KI_REQUIRE_IRQL(APC_LEVEL);
    NTSTATUS Status = CmpCheckKeyObject(Cookie, Object);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ObjectID != NULL)
        *ObjectID = (ULONG_PTR)Key->Kcb->Number;
    if (ObjectName == NULL)
        return STATUS_SUCCESS;
    Status = CmpCopyKeyPath(Key, &Path);
    if (!NT_SUCCESS(Status))
        return Status;
    CmpLockCallbacks();
    BOOLEAN First = Key->Path.Buffer == NULL;
    if (First)
        Key->Path = Path;
    CmpUnlockCallbacks();
    if (!First)
        ObFreeName(&Path);
    *ObjectName = &Key->Path;
    return STATUS_SUCCESS;
}

/* [WDK CmCallbackGetKeyObjectIDEx] IRQL <= APC_LEVEL. The name is the caller's, who gives it to CmCallbackReleaseKeyObjectIDEx. */
NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                          PCUNICODE_STRING *ObjectName, ULONG Flags)
{
    CMP_KEY *Key = Object;
    KI_REQUIRE_IRQL(APC_LEVEL);
    NTSTATUS Status = Flags != 0 ? STATUS_INVALID_PARAMETER : CmpCheckKeyObject(Cookie, Object);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ObjectID != NULL)
        *ObjectID = (ULONG_PTR)Key->Kcb->Number;
    if (ObjectName == NULL)
        return STATUS_SUCCESS;
    PUNICODE_STRING Name = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Name), CMP_TAG_CALLBACK);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = CmpCopyKeyPath(Key, Name);
    if (NT_SUCCESS(Status))
        *ObjectName = Name;
    else
        ExFreePoolWithTag(Name, CMP_TAG_CALLBACK);
    return Status;
}

/* [WDK CmCallbackReleaseKeyObjectIDEx] IRQL <= APC_LEVEL. */
VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    UNICODE_STRING Name = *ObjectName;
    ObFreeName(&Name);
    ExFreePoolWithTag((PVOID)ObjectName, CMP_TAG_CALLBACK);
}

/* [WDK CmGetBoundTransaction] IRQL <= APC_LEVEL. NULL: the key is not part of a transaction; there are none here. */
PVOID NTAPI CmGetBoundTransaction(PLARGE_INTEGER Cookie, PVOID Object)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return NULL;
}

/* [WDK CmGetCallbackVersion] IRQL <= APC_LEVEL. 1.1: as since Windows 7. */
VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Major != NULL)
        *Major = 1;
    if (Minor != NULL)
        *Minor = 1;
}

/* --- the end of a callback ------------------------------------------------------------------------------------------------ */

/* Callback is going, in the list still, so that those who stand at it find the next. */
static VOID CmpRemoveCallback(CMP_CALLBACK *Callback)
{
    ExWaitForRundownProtectionRelease(&Callback->Calls);
    CmpDropContextsOf(Callback);
    CmpLockCallbacks();
    CmpUnlinkCallback(Callback);
    CmpUnlockCallbacks();
    CmpFreeCallback(Callback);
}

/* [WDK CmUnRegisterCallback] IRQL <= APC_LEVEL. When it returns, the callback does not run and is not called again; from inside the callback
 * that is a deadlock, which is stopped here (D-225). */
NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    CmpLockCallbacks();
    CMP_CALLBACK *Callback = CmpFindCallback(Cookie);
    BOOLEAN Inside = Callback != NULL && CmpIsCalling(Callback), Again = Callback != NULL && Callback->Going;
    if (Callback != NULL)
        Callback->Going = TRUE;
    CmpUnlockCallbacks();
    if (Callback == NULL || (Again && !Inside))
        return STATUS_INVALID_PARAMETER;
    if (Inside)
        KeBugCheckBlaming((PVOID)Callback->Function, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_NOTIFY,
                          (ULONG_PTR)Callback->Function, 0, 0,
                          "a registry callback unregisters itself: CmUnRegisterCallback would wait for ever");
    CmpRemoveCallback(Callback);
    return STATUS_SUCCESS;
}

ULONG CmReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;
    for (;; Count++) {
        CmpLockCallbacks();
        CMP_CALLBACK *Callback = CmpFindCallbackIn(Base, Size);
        if (Callback != NULL)
            Callback->Going = Callback->Silent = TRUE;
        CmpUnlockCallbacks();
        if (Callback == NULL)
            return Count;
        ULONG64 Offset = (ULONG64)Callback->Function - (ULONG64)Base;
        CmpRemoveCallback(Callback);
        KdLog("%s: registry callback %s+0x%llx was not unregistered; it is now", Driver, Driver, Offset);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "registry callback"),
                 KD_NUMBER(ReportKeyCount, 1), KD_TEXT(ReportKeyModule, Driver),
                 KD_NUMBER(ReportKeyOffset, Offset));
    }
}
