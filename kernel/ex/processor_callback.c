/* SPDX-License-Identifier: MIT
 * Who wants to hear of processors. None is added after the start, so what is called at all is called at the registration, for
 * the processors that are there. [WDK KeRegisterProcessorChangeCallback] */
#include "ex.h"
#include "ke.h"

#define EXP_CALLBACK_TAG 'CorP'

/* The registration; the driver only gives its address back. One that is left behind is a block that its driver leaked. */
typedef struct _EXP_PROCESSOR_CALLBACK {
    PPROCESSOR_CALLBACK_FUNCTION Function;
    PVOID Context;
} EXP_PROCESSOR_CALLBACK;

static NTSTATUS ExpTellOfProcessor(const EXP_PROCESSOR_CALLBACK *Callback, ULONG Number,
                                   KE_PROCESSOR_CHANGE_NOTIFY_STATE State, NTSTATUS Failure)
{
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change = {
        .State = State, .NtNumber = Number, .Status = Failure, .ProcNumber = {.Number = (UCHAR)Number}};
    NTSTATUS Status = STATUS_SUCCESS;
    KE_GATE Gate;

    KeEnterGate(&Gate, GateProcessorChange, (PVOID)Callback->Function);
    Callback->Function(Callback->Context, &Change, &Status);
    KeLeaveGate(&Gate);
    return Status;
}

/* First each processor's start, then its end: complete, or, when the driver could not prepare for one, failure for those
 * before it. */
static NTSTATUS ExpTellOfExisting(const EXP_PROCESSOR_CALLBACK *Callback)
{
    ULONG Count = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), Told;
    NTSTATUS Status = STATUS_SUCCESS;

    for (Told = 0; Told < Count && NT_SUCCESS(Status); Told++)
        Status = ExpTellOfProcessor(Callback, Told, KeProcessorAddStartNotify, STATUS_SUCCESS);
    if (!NT_SUCCESS(Status))
        Told--; /* not the one that failed */
    for (ULONG Number = 0; Number < Told; Number++)
        (VOID) ExpTellOfProcessor(
            Callback, Number, NT_SUCCESS(Status) ? KeProcessorAddCompleteNotify : KeProcessorAddFailureNotify,
            Status);
    return Status;
}

/* PASSIVE_LEVEL. NULL: no memory, or the callback said that it cannot cope with a processor that is there. */
DECLSPEC_NOINLINE PVOID NTAPI KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                                                PVOID CallbackContext, ULONG Flags)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    EXP_PROCESSOR_CALLBACK *Callback = ExAllocatePoolForOwner(NonPagedPoolNx, sizeof(*Callback),
                                                              EXP_CALLBACK_TAG, __builtin_return_address(0));

    if (Callback == NULL)
        return NULL;
    *Callback = (EXP_PROCESSOR_CALLBACK){CallbackFunction, CallbackContext};
    if ((Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) != 0 && !NT_SUCCESS(ExpTellOfExisting(Callback))) {
        ExFreePoolWithTag(Callback, EXP_CALLBACK_TAG);
        return NULL;
    }
    return Callback;
}

/* PASSIVE_LEVEL. [WDK KeDeregisterProcessorChangeCallback] */
VOID NTAPI KeDeregisterProcessorChangeCallback(PVOID CallbackHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ExFreePoolWithTag(CallbackHandle, EXP_CALLBACK_TAG);
}
