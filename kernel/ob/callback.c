/* SPDX-License-Identifier: MIT
 * Who wants to be asked before, and told after, a handle to a process or thread is made. [WDK ObRegisterCallbacks, ObUnRegisterCallbacks,
 * OB_PRE_CREATE_HANDLE_INFORMATION] Before the operation the highest altitude is asked first, after it the lowest. Callbacks run at
 * PASSIVE_LEVEL, in the thread that makes the handle, without locks of ours. */
#include "obp_callback.h"
#include "kd.h"
#include "ke_bugcheck.h"
#include "rtl.h"

const OB_UPCALLS *ObUpcalls;

#define OBP_TAG_CALLBACK 'bCbO'

typedef struct _OBP_OPERATION {
    POBJECT_TYPE Type;
    OB_OPERATION Operations;
    POB_PRE_OPERATION_CALLBACK Pre;
    POB_POST_OPERATION_CALLBACK Post;
} OBP_OPERATION;

/* (k) ObpCallbackLock, (c) constant */
typedef struct _OBP_REGISTRATION {
    LIST_ENTRY Entry;        /* (k) of ObpRegistrations */
    BOOLEAN Going;           /* (k) it is being taken out: by one only */
    EX_RUNDOWN_REF Calls;    /* operations that it takes part in */
    PVOID Context;           /* (c) */
    UNICODE_STRING Altitude; /* (c) */
    ULONG Count;             /* (c) of Operation */
    OBP_OPERATION Operation[];
} OBP_REGISTRATION;

static EX_PUSH_LOCK ObpCallbackLock;                                         /* (k) in a critical region */
static LIST_ENTRY ObpRegistrations = {&ObpRegistrations, &ObpRegistrations}; /* (k) highest altitude first */
static volatile LONG ObpRegistrationCount;                                   /* (k) to write */

static VOID ObpLockCallbacks(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&ObpCallbackLock);
}

static VOID ObpUnlockCallbacks(VOID)
{
    ExReleasePushLockExclusive(&ObpCallbackLock);
    KeLeaveCriticalRegion();
}

/* --- registering --- */

/* [WDK ObRegisterCallbacks] STATUS_INVALID_PARAMETER for types without callbacks, and STATUS_ACCESS_DENIED for routines in images that are
 * not linked with /INTEGRITYCHECK. */
static NTSTATUS ObpCheckOperation(const OB_OPERATION_REGISTRATION *Operation)
{
    const ULONG Known = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE;

    if (Operation->ObjectType == NULL || *Operation->ObjectType == NULL ||
        (*Operation->ObjectType)->Info.Removable == 0)
        return STATUS_INVALID_PARAMETER;
    if (Operation->Operations == 0 || (Operation->Operations & ~Known) != 0 ||
        (Operation->PreOperation == NULL && Operation->PostOperation == NULL))
        return STATUS_INVALID_PARAMETER;
    if (Operation->PreOperation != NULL && !ObUpcalls->ForcesIntegrity((PVOID)Operation->PreOperation))
        return STATUS_ACCESS_DENIED;
    if (Operation->PostOperation != NULL && !ObUpcalls->ForcesIntegrity((PVOID)Operation->PostOperation))
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

static NTSTATUS ObpCheckRegistration(const OB_CALLBACK_REGISTRATION *From)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if ((From->Version & 0xff00) != OB_FLT_REGISTRATION_VERSION || From->OperationRegistrationCount == 0 ||
        !RtlIsAltitude(&From->Altitude))
        return STATUS_INVALID_PARAMETER;
    for (ULONG i = 0; NT_SUCCESS(Status) && i < From->OperationRegistrationCount; i++)
        Status = ObpCheckOperation(&From->OperationRegistration[i]);
    return Status;
}

/* One block: operations, then the altitude. NULL: no memory. */
static OBP_REGISTRATION *ObpCopyRegistration(const OB_CALLBACK_REGISTRATION *From)
{
    SIZE_T Size = sizeof(OBP_REGISTRATION) + From->OperationRegistrationCount * sizeof(OBP_OPERATION);
    OBP_REGISTRATION *New =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, Size + From->Altitude.Length, OBP_TAG_CALLBACK);

    if (New == NULL)
        return NULL;
    ExInitializeRundownProtection(&New->Calls);
    New->Context = From->RegistrationContext;
    New->Count = From->OperationRegistrationCount;
    New->Altitude.Buffer = (PWCH)((PUCHAR)New + Size);
    New->Altitude.Length = New->Altitude.MaximumLength = From->Altitude.Length;
    RtlCopyMemory(New->Altitude.Buffer, From->Altitude.Buffer, From->Altitude.Length);
    for (ULONG i = 0; i < New->Count; i++) {
        const OB_OPERATION_REGISTRATION *Operation = &From->OperationRegistration[i];
        New->Operation[i] = (OBP_OPERATION){*Operation->ObjectType, Operation->Operations,
                                            Operation->PreOperation, Operation->PostOperation};
    }
    return New;
}

/* [WDK ObRegisterCallbacks] STATUS_FLT_INSTANCE_ALTITUDE_COLLISION: another has that altitude. */
static NTSTATUS ObpInsertRegistrationLocked(OBP_REGISTRATION *New)
{
    PLIST_ENTRY At = ObpRegistrations.Flink;

    if (ObpRegistrationCount == OBP_MAX_REGISTRATIONS)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (; At != &ObpRegistrations; At = At->Flink) {
        LONG Order =
            RtlCompareAltitudes(&CONTAINING_RECORD(At, OBP_REGISTRATION, Entry)->Altitude, &New->Altitude);
        if (Order == 0)
            return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        if (Order < 0)
            break;
    }
    InsertTailList(At, &New->Entry);
    ObpRegistrationCount++;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration, PVOID *RegistrationHandle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    *RegistrationHandle = NULL;
    NTSTATUS Status = ObpCheckRegistration(CallbackRegistration);
    if (!NT_SUCCESS(Status))
        return Status;
    OBP_REGISTRATION *New = ObpCopyRegistration(CallbackRegistration);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObpLockCallbacks();
    Status = ObpInsertRegistrationLocked(New);
    ObpUnlockCallbacks();
    if (NT_SUCCESS(Status))
        *RegistrationHandle = New;
    else
        ExFreePoolWithTag(New, OBP_TAG_CALLBACK);
    return Status;
}

/* [WDK ObGetFilterVersion] */
USHORT NTAPI ObGetFilterVersion(VOID)
{
    return OB_FLT_REGISTRATION_VERSION;
}

/* Its calls end first: until then it stays in the list, for those who go on from it. */
static VOID ObpFinishRemoval(OBP_REGISTRATION *Registration)
{
    ExWaitForRundownProtectionRelease(&Registration->Calls);
    ObpLockCallbacks();
    RemoveEntryList(&Registration->Entry);
    ObpRegistrationCount--;
    ObpUnlockCallbacks();
    ExFreePoolWithTag(Registration, OBP_TAG_CALLBACK);
}

/* The registration, marked as going; NULL: it is none, or somebody takes it out. */
static OBP_REGISTRATION *ObpTakeRegistration(BOOLEAN (*IsWanted)(OBP_REGISTRATION *, const VOID *),
                                             const VOID *Context)
{
    OBP_REGISTRATION *Found = NULL;

    ObpLockCallbacks();
    for (PLIST_ENTRY At = ObpRegistrations.Flink; At != &ObpRegistrations && Found == NULL; At = At->Flink) {
        OBP_REGISTRATION *Registration = CONTAINING_RECORD(At, OBP_REGISTRATION, Entry);
        if (!Registration->Going && IsWanted(Registration, Context))
            Found = Registration;
    }
    if (Found != NULL)
        Found->Going = TRUE;
    ObpUnlockCallbacks();
    return Found;
}

static BOOLEAN ObpIsRegistration(OBP_REGISTRATION *Registration, const VOID *Handle)
{
    return Registration == Handle;
}

/* [WDK ObUnRegisterCallbacks] waits for operations that the callbacks take part in. What is no registration is the driver's error. */
DECLSPEC_NOINLINE VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    OBP_REGISTRATION *Registration = ObpTakeRegistration(ObpIsRegistration, RegistrationHandle);
    if (Registration == NULL)
        KeBugCheckBlaming(__builtin_return_address(0), DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ARGUMENT,
                          (ULONG_PTR)RegistrationHandle, 0, 0,
                          "ObUnRegisterCallbacks is given what ObRegisterCallbacks did not return");
    ObpFinishRemoval(Registration);
}

/* --- calling --- */

static const OBP_OPERATION *ObpOperationOf(const OBP_REGISTRATION *Registration, POBJECT_TYPE Type,
                                           OB_OPERATION Operation)
{
    for (ULONG i = 0; i < Registration->Count; i++)
        if (Registration->Operation[i].Type == Type && (Registration->Operation[i].Operations & Operation))
            return &Registration->Operation[i];
    return NULL;
}

/* The next one after Last (NULL: the first) that the operation concerns, protected. */
static OBP_REGISTRATION *ObpNextRegistration(OBP_REGISTRATION *Last, POBJECT_TYPE Type,
                                             OB_OPERATION Operation)
{
    OBP_REGISTRATION *Found = NULL;

    ObpLockCallbacks();
    PLIST_ENTRY At = Last != NULL ? Last->Entry.Flink : ObpRegistrations.Flink;
    for (; At != &ObpRegistrations && Found == NULL; At = At->Flink) {
        OBP_REGISTRATION *Registration = CONTAINING_RECORD(At, OBP_REGISTRATION, Entry);
        if (ObpOperationOf(Registration, Type, Operation) != NULL &&
            ExAcquireRundownProtection(&Registration->Calls))
            Found = Registration;
    }
    ObpUnlockCallbacks();
    return Found;
}

/* The rights that the callback took away are gone; it gives none, and takes no others than the documented ones. */
static VOID ObpTakeAway(OBP_HANDLE_EVENT *Event, ACCESS_MASK Wanted)
{
    ACCESS_MASK Removable = ObTypeOf(Event->Object)->Info.Removable;

    Event->Access &= Wanted | ~Removable;
}

static VOID ObpAsk(OBP_HANDLE_EVENT *Event, const OBP_OPERATION *Operation, OBP_CALLED *Called)
{
    OB_PRE_OPERATION_PARAMETERS Parameters = {.CreateHandleInformation = {Event->Access, Event->Original}};
    OB_PRE_OPERATION_INFORMATION Information = {.Operation = Event->Operation,
                                                .Object = Event->Object,
                                                .ObjectType = Operation->Type,
                                                .Parameters = &Parameters};
    KE_GATE Gate;

    if (Operation->Pre == NULL)
        return;
    Information.KernelHandle = Event->KernelHandle;
    if (Event->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
        Parameters.DuplicateHandleInformation.SourceProcess = Event->SourceProcess;
        Parameters.DuplicateHandleInformation.TargetProcess = Event->TargetProcess;
    }
    KeEnterGate(&Gate, GateObjectCallback, (PVOID)Operation->Pre);
    (void)Operation->Pre(Called->Registration->Context, &Information);
    KeLeaveGate(&Gate);
    Called->CallContext = Information.CallContext;
    ObpTakeAway(Event, Parameters.CreateHandleInformation.DesiredAccess);
}

BOOLEAN ObpHasCallbacks(PVOID Object)
{
    return ObpRegistrationCount != 0 && ObTypeOf(Object)->Info.Removable != 0;
}

VOID ObpBeforeHandle(OBP_HANDLE_EVENT *Event)
{
    POBJECT_TYPE Type = ObTypeOf(Event->Object);
    OBP_REGISTRATION *Registration = NULL;

    Event->CalledCount = 0;
    while (Event->CalledCount < OBP_MAX_REGISTRATIONS &&
           (Registration = ObpNextRegistration(Registration, Type, Event->Operation)) != NULL) {
        OBP_CALLED *Called = &Event->Called[Event->CalledCount++];
        *Called = (OBP_CALLED){Registration, NULL};
        ObpAsk(Event, ObpOperationOf(Registration, Type, Event->Operation), Called);
    }
}

static VOID ObpTell(const OBP_HANDLE_EVENT *Event, const OBP_OPERATION *Operation, const OBP_CALLED *Called,
                    NTSTATUS Status)
{
    OB_POST_OPERATION_PARAMETERS Parameters = {.CreateHandleInformation = {Event->Access}};
    OB_POST_OPERATION_INFORMATION Information = {.Operation = Event->Operation,
                                                 .Object = Event->Object,
                                                 .ObjectType = Operation->Type,
                                                 .CallContext = Called->CallContext,
                                                 .ReturnStatus = Status,
                                                 .Parameters = &Parameters};
    KE_GATE Gate;

    if (Operation->Post == NULL)
        return;
    Information.KernelHandle = Event->KernelHandle;
    KeEnterGate(&Gate, GateObjectCallback, (PVOID)Operation->Post);
    Operation->Post(Called->Registration->Context, &Information);
    KeLeaveGate(&Gate);
}

VOID ObpAfterHandle(const OBP_HANDLE_EVENT *Event, NTSTATUS Status)
{
    POBJECT_TYPE Type = ObTypeOf(Event->Object);

    for (ULONG i = Event->CalledCount; i-- > 0;) {
        OBP_REGISTRATION *Registration = Event->Called[i].Registration;
        ObpTell(Event, ObpOperationOf(Registration, Type, Event->Operation), &Event->Called[i], Status);
        ExReleaseRundownProtection(&Registration->Calls);
    }
}

/* --- a driver that goes --- */

typedef struct _OBP_RANGE {
    ULONG_PTR Base;
    SIZE_T Size;
} OBP_RANGE;

static BOOLEAN ObpLiesIn(const OBP_RANGE *Range, PVOID Address)
{
    return (ULONG_PTR)Address - Range->Base < Range->Size;
}

static BOOLEAN ObpCallsInto(OBP_REGISTRATION *Registration, const VOID *Range)
{
    for (ULONG i = 0; i < Registration->Count; i++)
        if (ObpLiesIn(Range, (PVOID)Registration->Operation[i].Pre) ||
            ObpLiesIn(Range, (PVOID)Registration->Operation[i].Post))
            return TRUE;
    return FALSE;
}

ULONG ObReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size)
{
    OBP_RANGE Range = {(ULONG_PTR)Base, Size};
    OBP_REGISTRATION *Registration;
    ULONG Count = 0;

    for (; (Registration = ObpTakeRegistration(ObpCallsInto, &Range)) != NULL; Count++) {
        KdLog("%s: object callbacks at altitude %wZ were not unregistered; they are now", Driver,
              &Registration->Altitude);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "object callbacks"),
                 KD_NUMBER(ReportKeyCount, 1));
        ObpFinishRemoval(Registration);
    }
    return Count;
}
