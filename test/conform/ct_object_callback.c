/* SPDX-License-Identifier: MIT
 * Callbacks for handles to processes and threads; linked with /INTEGRITYCHECK. [WDK ObRegisterCallbacks, ObUnRegisterCallbacks,
 * ObGetFilterVersion, OB_PRE_CREATE_HANDLE_INFORMATION, OB_PRE_DUPLICATE_HANDLE_INFORMATION] */
#include "ct.h"

static HANDLE Tester; /* the thread that the case runs in: handles of others do not count */
static struct {
    ULONG Pre, Post, Step, PreStep[2], PostStep[2];
    OB_OPERATION Operation;
    ACCESS_MASK Original, Granted, Strip;
    PVOID Object, Context, Source, Target;
    NTSTATUS Status;
    BOOLEAN Kernel, SameContext;
    KIRQL Irql;
} Seen;

static OB_PREOP_CALLBACK_STATUS NTAPI Before(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    if (PsGetCurrentThreadId() != Tester)
        return OB_PREOP_SUCCESS;
    Seen.Pre++;
    Seen.PreStep[Context == &Seen] = ++Seen.Step;
    Seen.Operation = Information->Operation;
    Seen.Object = Information->Object;
    Seen.Kernel = Information->KernelHandle;
    Seen.Irql = KeGetCurrentIrql();
    Seen.Original = Information->Parameters->CreateHandleInformation.OriginalDesiredAccess;
    Information->Parameters->CreateHandleInformation.DesiredAccess &= ~Seen.Strip;
    if (Information->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
        Seen.Source = Information->Parameters->DuplicateHandleInformation.SourceProcess;
        Seen.Target = Information->Parameters->DuplicateHandleInformation.TargetProcess;
    }
    Information->CallContext = (PUCHAR)Context + 1;
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI After(PVOID Context, POB_POST_OPERATION_INFORMATION Information)
{
    if (PsGetCurrentThreadId() != Tester)
        return;
    Seen.Post++;
    Seen.PostStep[Context == &Seen] = ++Seen.Step;
    Seen.SameContext = Information->CallContext == (PUCHAR)Context + 1;
    Seen.Status = Information->ReturnStatus;
    Seen.Granted = Information->Parameters->CreateHandleInformation.GrantedAccess;
}

static NTSTATUS Register(PCWSTR Altitude, PVOID Context, POBJECT_TYPE *Type, OB_OPERATION Operations,
                         PVOID *Handle)
{
    OB_OPERATION_REGISTRATION Operation = {Type, Operations, Before, After};
    OB_CALLBACK_REGISTRATION Registration = {.Version = ObGetFilterVersion(),
                                             .OperationRegistrationCount = 1,
                                             .RegistrationContext = Context,
                                             .OperationRegistration = &Operation};
    RtlInitUnicodeString(&Registration.Altitude, Altitude);
    RtlZeroMemory(&Seen, sizeof(Seen));
    Tester = PsGetCurrentThreadId();
    return ObRegisterCallbacks(&Registration, Handle);
}

static NTSTATUS OpenSystem(ACCESS_MASK Access, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    CLIENT_ID Id = {(HANDLE)4, NULL};
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwOpenProcess(Handle, Access, &Attributes, &Id);
}

static ACCESS_MASK GrantedOf(HANDLE Handle)
{
    PVOID Object;
    OBJECT_HANDLE_INFORMATION Information = {0};
    if (NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, &Information)))
        ObDereferenceObject(Object);
    return Information.GrantedAccess;
}

/* Rights go, but only those that a driver may take. */
static VOID CallbackCreate(VOID)
{
    PVOID Registration;
    HANDLE Process = NULL;
    CT_EQUAL(ObGetFilterVersion(), 0x100);
    CT_REQUIRE(
        CT_SUCCESS(Register(L"320000.5", &Tester, PsProcessType, OB_OPERATION_HANDLE_CREATE, &Registration)));
    Seen.Strip = PROCESS_TERMINATE | SYNCHRONIZE;
    CT_SUCCESS(OpenSystem(PROCESS_TERMINATE | PROCESS_DUP_HANDLE | SYNCHRONIZE, &Process));
    CT_EQUAL(Seen.Pre, 1);
    CT_EQUAL(Seen.Post, 1);
    CT_EQUAL(Seen.Operation, OB_OPERATION_HANDLE_CREATE);
    CT_EQUAL(Seen.Original, PROCESS_TERMINATE | PROCESS_DUP_HANDLE | SYNCHRONIZE);
    CT_EQUAL(Seen.Object, PsInitialSystemProcess);
    CT_EQUAL(Seen.Irql, PASSIVE_LEVEL);
    CT_CHECK(Seen.Kernel && Seen.SameContext);
    CT_SUCCESS(Seen.Status);
    CT_EQUAL(Seen.Granted, PROCESS_DUP_HANDLE | SYNCHRONIZE);
    CT_EQUAL(GrantedOf(Process), PROCESS_DUP_HANDLE | SYNCHRONIZE);
    CT_SUCCESS(ZwClose(Process));
    ObUnRegisterCallbacks(Registration);
    CT_SUCCESS(OpenSystem(PROCESS_TERMINATE, &Process));
    CT_EQUAL(Seen.Pre, 1);
    CT_EQUAL(GrantedOf(Process), PROCESS_TERMINATE);
    ZwClose(Process);
}

static VOID CallbackDuplicate(VOID)
{
    PVOID Registration;
    HANDLE Copy = NULL;
    CT_REQUIRE(
        CT_SUCCESS(Register(L"320001", &Tester, PsThreadType, OB_OPERATION_HANDLE_DUPLICATE, &Registration)));
    CT_SUCCESS(ZwDuplicateObject(ZwCurrentProcess(), ZwCurrentThread(), ZwCurrentProcess(), &Copy,
                                 SYNCHRONIZE, OBJ_KERNEL_HANDLE, 0));
    CT_EQUAL(Seen.Pre, 1);
    CT_EQUAL(Seen.Operation, OB_OPERATION_HANDLE_DUPLICATE);
    CT_EQUAL(Seen.Object, PsGetCurrentThread());
    CT_EQUAL(Seen.Source, PsInitialSystemProcess);
    CT_EQUAL(Seen.Target, PsInitialSystemProcess);
    CT_EQUAL(Seen.Granted, SYNCHRONIZE);
    ZwClose(Copy);
    CT_SUCCESS(OpenSystem(SYNCHRONIZE, &Copy)); /* neither that type nor that operation */
    CT_EQUAL(Seen.Pre, 1);
    ZwClose(Copy);
    ObUnRegisterCallbacks(Registration);
}

/* The higher altitude comes first before the operation and last after it. */
static VOID CallbackOrder(VOID)
{
    PVOID Low, High, Same;
    HANDLE Process = NULL;
    CT_REQUIRE(CT_SUCCESS(Register(L"99999.9", &Tester, PsProcessType, OB_OPERATION_HANDLE_CREATE, &Low)));
    CT_SUCCESS(Register(L"100000", &Seen, PsProcessType, OB_OPERATION_HANDLE_CREATE, &High));
    CT_STATUS(Register(L"0100000.0", &Seen, PsProcessType, OB_OPERATION_HANDLE_CREATE, &Same),
              STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    CT_SUCCESS(OpenSystem(SYNCHRONIZE, &Process));
    CT_CHECK(Seen.PreStep[1] == 1 && Seen.PreStep[0] == 2 && Seen.PostStep[0] == 3 && Seen.PostStep[1] == 4);
    ZwClose(Process);
    ObUnRegisterCallbacks(High);
    ObUnRegisterCallbacks(Low);
}

static VOID CallbackRefused(VOID)
{
    PVOID Registration;
    CT_STATUS(Register(L"320002", NULL, ExEventObjectType, OB_OPERATION_HANDLE_CREATE, &Registration),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(Register(L"320002", NULL, PsProcessType, 0, &Registration), STATUS_INVALID_PARAMETER);
    CT_STATUS(Register(L"32x", NULL, PsProcessType, OB_OPERATION_HANDLE_CREATE, &Registration),
              STATUS_INVALID_PARAMETER);
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, NULL, NULL};
    OB_CALLBACK_REGISTRATION Empty = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"320002"), NULL,
                                      &Operation};
    CT_STATUS(ObRegisterCallbacks(&Empty, &Registration), STATUS_INVALID_PARAMETER);
    Empty.Version = 0x200;
    CT_STATUS(ObRegisterCallbacks(&Empty, &Registration), STATUS_INVALID_PARAMETER);
}

static const CT_CASE Cases[] = {
    {"object_callback.create", CallbackCreate},
    {"object_callback.duplicate", CallbackDuplicate},
    {"object_callback.order", CallbackOrder},
    {"object_callback.refused", CallbackRefused},
};
CT_DRIVER(Cases)
