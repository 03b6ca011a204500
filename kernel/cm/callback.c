/* SPDX-License-Identifier: MIT
 * Drivers that filter the registry: who they are, and calling them. [WDK Filtering Registry Calls, CmRegisterCallbackEx] Before an
 * operation the highest altitude is asked first, after it the lowest. A callback is called in a critical region, without locks of
 * the registry. What it does to the registry itself is told to those below it only. */
#include "cm/callback.h"
#include "ke.h"
#include "rtl.h"

static EX_PUSH_LOCK CmpCallbackLock; /* (c) */
static LIST_ENTRY CmpCallbacks = {&CmpCallbacks,
                                  &CmpCallbacks}; /* (c) of CMP_CALLBACK, highest altitude first */
volatile LONG CmpCallbackCount;                   /* (c), read without */
static LONGLONG CmpNextCookie;                    /* (c) */

VOID CmpLockCallbacks(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&CmpCallbackLock);
}

VOID CmpUnlockCallbacks(VOID)
{
    ExReleasePushLockExclusive(&CmpCallbackLock);
    KeLeaveCriticalRegion();
}

/* --- registering ---------------------------------------------------------------------------------------------------- */

/* Where the altitude belongs. [WDK CmRegisterCallbackEx] STATUS_FLT_INSTANCE_ALTITUDE_COLLISION: another has it. */
static NTSTATUS CmpInsertCallback(CMP_CALLBACK *Callback)
{
    LIST_ENTRY *At = CmpCallbacks.Flink;
    for (; At != &CmpCallbacks; At = At->Flink) {
        LONG Order =
            RtlCompareAltitudes(&CONTAINING_RECORD(At, CMP_CALLBACK, Entry)->Altitude, &Callback->Altitude);
        if (Order == 0 && !Callback->Legacy && !CONTAINING_RECORD(At, CMP_CALLBACK, Entry)->Legacy)
            return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        if (Order < 0)
            break;
    }
    InsertTailList(At, &Callback->Entry);
    InterlockedIncrement(&CmpCallbackCount);
    Callback->Cookie.QuadPart = ++CmpNextCookie;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpRegister(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude, BOOLEAN Legacy,
                            PVOID Context, PLARGE_INTEGER Cookie)
{
    CMP_CALLBACK *Callback = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Callback), CMP_TAG_CALLBACK);
    if (Callback == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObAllocateName(&Callback->Altitude, Altitude->Length);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Callback, CMP_TAG_CALLBACK);
        return Status;
    }
    RtlCopyUnicodeString(&Callback->Altitude, Altitude);
    Callback->Function = Function;
    Callback->Context = Context;
    Callback->Legacy = Legacy;
    ExInitializeRundownProtection(&Callback->Calls);
    KeInitializeEvent(&Callback->Cleaned, SynchronizationEvent, FALSE);
    CmpLockCallbacks();
    Status = CmpInsertCallback(Callback);
    *Cookie = Callback->Cookie;
    CmpUnlockCallbacks();
    if (!NT_SUCCESS(Status))
        CmpFreeCallback(Callback);
    return Status;
}

VOID CmpFreeCallback(CMP_CALLBACK *Callback)
{
    ObFreeName(&Callback->Altitude);
    ExFreePoolWithTag(Callback, CMP_TAG_CALLBACK);
}

/* [WDK CmRegisterCallbackEx] IRQL <= APC_LEVEL. */
NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude, PVOID Driver,
                                    PVOID Context, PLARGE_INTEGER Cookie, PVOID Reserved)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Function == NULL || Driver == NULL || Altitude == NULL || !RtlIsAltitude(Altitude))
        return STATUS_INVALID_PARAMETER;
    return CmpRegister(Function, Altitude, FALSE, Context, Cookie);
}

/* [WDK CmRegisterCallback] IRQL <= APC_LEVEL. Such callbacks share an altitude of the system's. */
NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context, PLARGE_INTEGER Cookie)
{
    static const UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"425000");
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Function == NULL)
        return STATUS_INVALID_PARAMETER;
    return CmpRegister(Function, &Altitude, TRUE, Context, Cookie);
}

CMP_CALLBACK *CmpFindCallback(LARGE_INTEGER Cookie)
{
    for (LIST_ENTRY *At = CmpCallbacks.Flink; At != &CmpCallbacks; At = At->Flink) {
        CMP_CALLBACK *Callback = CONTAINING_RECORD(At, CMP_CALLBACK, Entry);
        if (Callback->Cookie.QuadPart == Cookie.QuadPart)
            return Callback;
    }
    return NULL;
}

CMP_CALLBACK *CmpFindCallbackIn(const void *Base, SIZE_T Size)
{
    for (LIST_ENTRY *At = CmpCallbacks.Flink; At != &CmpCallbacks; At = At->Flink) {
        CMP_CALLBACK *Callback = CONTAINING_RECORD(At, CMP_CALLBACK, Entry);
        if ((ULONG_PTR)Callback->Function - (ULONG_PTR)Base < Size && !Callback->Going)
            return Callback;
    }
    return NULL;
}

VOID CmpUnlinkCallback(CMP_CALLBACK *Callback)
{
    RemoveEntryList(&Callback->Entry);
    InterlockedDecrement(&CmpCallbackCount);
}

/* --- calling ---------------------------------------------------------------------------------------------------------- */

/* A call of a callback, on the stack of the thread that makes it. */
typedef struct _CMP_GATE {
    KE_GATE Gate;
    CMP_CALLBACK *Callback; /* lives at least as long as the call */
} CMP_GATE;

/* The innermost call at or outside Gate; NULL: none. */
static const CMP_GATE *CmpCallAt(const KE_GATE *Gate)
{
    while (Gate != NULL && Gate->Kind != GateRegistryCallback)
        Gate = Gate->Outer;
    return Gate != NULL ? CONTAINING_RECORD(Gate, CMP_GATE, Gate) : NULL;
}

BOOLEAN CmpIsCalling(const CMP_CALLBACK *Callback)
{
    const CMP_GATE *Call = CmpCallAt(KiCurrentThread()->Gate);
    while (Call != NULL && Call->Callback != Callback)
        Call = CmpCallAt(Call->Gate.Outer);
    return Call != NULL;
}

/* [WDK Supporting Layered Registry Filtering Drivers] what a callback does to the registry itself is told to those below it. */
static LIST_ENTRY *CmpFirstEntry(VOID)
{
    const CMP_GATE *Call = CmpCallAt(KiCurrentThread()->Gate);
    return Call != NULL ? Call->Callback->Entry.Flink : CmpCallbacks.Flink;
}

/* The next callback after Last (NULL: the first) that takes calls, protected. */
static CMP_CALLBACK *CmpNextCallback(CMP_CALLBACK *Last)
{
    CMP_CALLBACK *Found = NULL;
    CmpLockCallbacks();
    LIST_ENTRY *At = Last != NULL ? Last->Entry.Flink : CmpFirstEntry();
    for (; At != &CmpCallbacks && Found == NULL; At = At->Flink) {
        CMP_CALLBACK *Callback = CONTAINING_RECORD(At, CMP_CALLBACK, Entry);
        if (ExAcquireRundownProtection(&Callback->Calls))
            Found = Callback;
    }
    CmpUnlockCallbacks();
    return Found;
}

NTSTATUS CmpCallDriver(CMP_CALLBACK *Callback, REG_NOTIFY_CLASS Class, PVOID Information)
{
    CMP_GATE Call = {.Callback = Callback};
    KeEnterCriticalRegion();
    KeEnterGate(&Call.Gate, GateRegistryCallback, (PVOID)Callback->Function);
    NTSTATUS Status = Callback->Function(Callback->Context, (PVOID)(ULONG_PTR)Class, Information);
    KeLeaveGate(&Call.Gate);
    KeLeaveCriticalRegion();
    return Status;
}

/* Room for Count more of those who were told. */
static BOOLEAN CmpGrowCalled(CMP_CALL *Call, ULONG *Room)
{
    if (Call->Count < *Room)
        return TRUE;
    ULONG More = *Room ? *Room * 2 : 8;
    CMP_CALLED *Called = ExAllocatePool2(POOL_FLAG_PAGED, More * sizeof(*Called), CMP_TAG_CALLBACK);
    if (Called == NULL)
        return FALSE;
    if (Call->Called != NULL) {
        RtlCopyMemory(Called, Call->Called, Call->Count * sizeof(*Called));
        ExFreePoolWithTag(Call->Called, CMP_TAG_CALLBACK);
    }
    Call->Called = Called;
    *Room = More;
    return TRUE;
}

static VOID CmpDropCalled(CMP_CALL *Call)
{
    while (Call->Count != 0)
        ExReleaseRundownProtection(&Call->Called[--Call->Count].Callback->Calls);
    if (Call->Called != NULL)
        ExFreePoolWithTag(Call->Called, CMP_TAG_CALLBACK);
    Call->Called = NULL;
}

/* Callback is asked before the operation; it counts as told. */
static NTSTATUS CmpAsk(CMP_CALL *Call, CMP_CALLBACK *Callback)
{
    CMP_CALLED *Called = &Call->Called[Call->Count++];
    *Called = (CMP_CALLED){.Callback = Callback};
    *Call->CallContext = NULL;
    *Call->ObjectContext = CmpObjectContext(Call->Key, Callback);
    NTSTATUS Status = CmpCallDriver(Callback, Call->Pre, Call->Information);
    Called->CallContext = *Call->CallContext;
    return Status;
}

/* [WDK Handling Notifications] a status that is no success is what the caller gets, at once, and nobody is told after; with
 * STATUS_CALLBACK_BYPASS the driver has done the operation, and the caller gets STATUS_SUCCESS. */
BOOLEAN CmpBeginCall(CMP_CALL *Call, NTSTATUS *Result)
{
    ULONG Room = 0;
    CMP_CALLBACK *Callback = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    if (!CmpHasCallbacks())
        return TRUE;
    KeEnterCriticalRegion();
    while (NT_SUCCESS(Status) && (Callback = CmpNextCallback(Callback)) != NULL) {
        if (!CmpGrowCalled(Call, &Room)) {
            ExReleaseRundownProtection(&Callback->Calls);
            Status = STATUS_INSUFFICIENT_RESOURCES;
            break;
        }
        Status = CmpAsk(Call, Callback);
    }
    KeLeaveCriticalRegion();
    if (NT_SUCCESS(Status))
        return TRUE;
    CmpDropCalled(Call);
    *Result = Status == STATUS_CALLBACK_BYPASS ? STATUS_SUCCESS : Status;
    return FALSE;
}

/* [WDK REG_POST_OPERATION_INFORMATION] with STATUS_CALLBACK_BYPASS a driver changes the status to ReturnStatus. */
NTSTATUS CmpEndCall(CMP_CALL *Call, PVOID Object, NTSTATUS Status)
{
    KeEnterCriticalRegion();
    for (ULONG i = Call->Count; i-- != 0;) {
        CMP_CALLED *Called = &Call->Called[i];
        REG_POST_OPERATION_INFORMATION Post = {.Object = Object,
                                               .Status = Status,
                                               .PreInformation = Call->Information,
                                               .ReturnStatus = Status,
                                               .CallContext = Called->CallContext,
                                               .ObjectContext =
                                                   CmpObjectContext(Call->Key, Called->Callback)};
        if (CmpCallDriver(Called->Callback, Call->Post, &Post) == STATUS_CALLBACK_BYPASS)
            Status = Post.ReturnStatus;
    }
    CmpDropCalled(Call);
    KeLeaveCriticalRegion();
    return Status;
}
