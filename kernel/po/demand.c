/* SPDX-License-Identifier: MIT
 * Who needs the system or the display to stay on: execution states and power requests. Nothing here goes to sleep by idling, so they change
 * nothing but what SystemExecutionState tells. [WDK PoRegisterSystemState, PoSetSystemState, PoCreatePowerRequest, ZwPowerInformation] */
#include "pop.h"

typedef struct _POP_DEMAND {
    LIST_ENTRY Entry;                  /* (l) */
    ULONG Counts[PowerRequestMaximum]; /* (l) by POWER_REQUEST_TYPE */
    BOOLEAN UserPresent;               /* (l) ES_USER_PRESENT */
    const void *Owner;                 /* (c) code of who has it; NULL: that of Device */
    PDEVICE_OBJECT Device;             /* (c) of a power request, referenced; NULL: an execution state */
} POP_DEMAND;

static LIST_ENTRY PopDemands = {&PopDemands, &PopDemands}; /* (l) */

static POP_DEMAND *PopMakeDemand(PDEVICE_OBJECT Device, const void *Owner)
{
    POP_DEMAND *Demand = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Demand), POP_TAG);
    if (Demand == NULL)
        return NULL;
    Demand->Device = Device;
    Demand->Owner = Owner;
    if (Device != NULL)
        ObfReferenceObject(Device);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    InsertTailList(&PopDemands, &Demand->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    return Demand;
}

/* Out of the list already. */
static VOID PopFreeDemand(POP_DEMAND *Demand)
{
    if (Demand->Device != NULL)
        ObfDereferenceObject(Demand->Device);
    ExFreePoolWithTag(Demand, POP_TAG);
}

static VOID PopDeleteDemand(POP_DEMAND *Demand)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    RemoveEntryList(&Demand->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    PopFreeDemand(Demand);
}

/* --- execution states --- */

static VOID PopSetDemand(POP_DEMAND *Demand, EXECUTION_STATE Flags)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Demand->Counts[PowerRequestSystemRequired] = (Flags & ES_SYSTEM_REQUIRED) != 0;
    Demand->Counts[PowerRequestDisplayRequired] = (Flags & ES_DISPLAY_REQUIRED) != 0;
    Demand->UserPresent = (Flags & ES_USER_PRESENT) != 0;
    ArchReleaseLock(&PopLock, OldIrql);
}

/* [WDK PoRegisterSystemState] IRQL <= DISPATCH_LEVEL. A handle for the state, or what was given as one, whose state is another now. NULL: no memory. */
DECLSPEC_NOINLINE PVOID NTAPI PoRegisterSystemState(PVOID StateHandle, EXECUTION_STATE Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_DEMAND *Demand = StateHandle != NULL ? StateHandle : PopMakeDemand(NULL, __builtin_return_address(0));
    if (Demand != NULL)
        PopSetDemand(Demand, Flags);
    return Demand;
}

/* [WDK PoUnregisterSystemState] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI PoUnregisterSystemState(PVOID StateHandle)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopDeleteDemand(StateHandle);
}

/* [WDK PoSetSystemState] IRQL <= DISPATCH_LEVEL. The system was needed at this moment: the countdown to its sleep begins again, and there is none. */
VOID NTAPI PoSetSystemState(EXECUTION_STATE Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
}

/* --- power requests --- */

/* [WDK PoCreatePowerRequest] IRQL <= DISPATCH_LEVEL. STATUS_INVALID_PARAMETER: no device. The reason is for who looks at requests, and nobody does. */
NTSTATUS NTAPI PoCreatePowerRequest(PVOID *PowerRequest, PDEVICE_OBJECT DeviceObject,
                                    PCOUNTED_REASON_CONTEXT Context)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    *PowerRequest = NULL;
    if (DeviceObject == NULL)
        return STATUS_INVALID_PARAMETER;
    *PowerRequest = PopMakeDemand(DeviceObject, NULL);
    return *PowerRequest != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS PopCountDemand(POP_DEMAND *Demand, POWER_REQUEST_TYPE Type, BOOLEAN More)
{
    if ((ULONG)Type >= PowerRequestMaximum)
        return STATUS_NOT_SUPPORTED;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    if (More)
        Demand->Counts[Type]++;
    else if (Demand->Counts[Type] != 0)
        Demand->Counts[Type]--;
    ArchReleaseLock(&PopLock, OldIrql);
    return STATUS_SUCCESS;
}

/* [WDK PoSetPowerRequest] IRQL <= DISPATCH_LEVEL. STATUS_NOT_SUPPORTED: no such type. */
NTSTATUS NTAPI PoSetPowerRequest(PVOID PowerRequest, POWER_REQUEST_TYPE Type)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return PopCountDemand(PowerRequest, Type, TRUE);
}

/* [WDK PoClearPowerRequest] the same. */
NTSTATUS NTAPI PoClearPowerRequest(PVOID PowerRequest, POWER_REQUEST_TYPE Type)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return PopCountDemand(PowerRequest, Type, FALSE);
}

/* [WDK PoDeletePowerRequest] IRQL <= APC_LEVEL. */
VOID NTAPI PoDeletePowerRequest(PVOID PowerRequest)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PopDeleteDemand(PowerRequest);
}

/* --- what they come to --- */

static EXECUTION_STATE PopExecutionState(VOID)
{
    EXECUTION_STATE State = 0;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopDemands.Flink; E != &PopDemands; E = E->Flink) {
        const POP_DEMAND *Demand = CONTAINING_RECORD(E, POP_DEMAND, Entry);
        if (Demand->Counts[PowerRequestSystemRequired] != 0 ||
            Demand->Counts[PowerRequestAwayModeRequired] != 0)
            State |= ES_SYSTEM_REQUIRED;
        if (Demand->Counts[PowerRequestDisplayRequired] != 0)
            State |= ES_DISPLAY_REQUIRED;
        if (Demand->UserPresent)
            State |= ES_USER_PRESENT;
    }
    ArchReleaseLock(&PopLock, OldIrql);
    return State;
}

/* [Win32 CallNtPowerInformation] PASSIVE_LEVEL. SystemExecutionState: a ULONG of ES_XXX. STATUS_NOT_SUPPORTED: another level (D-284). */
NTSTATUS NTAPI ZwPowerInformation(POWER_INFORMATION_LEVEL InformationLevel, PVOID InputBuffer,
                                  ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (InformationLevel != SystemExecutionState)
        return STATUS_NOT_SUPPORTED;
    if (InputBuffer != NULL || InputBufferLength != 0 || OutputBuffer == NULL)
        return STATUS_INVALID_PARAMETER;
    if (OutputBufferLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    *(PULONG)OutputBuffer = PopExecutionState();
    return STATUS_SUCCESS;
}

/* --- leaks --- */

static BOOLEAN PopDemandIsOf(const POP_DEMAND *Demand, const IM_MODULE *Module)
{
    const void *Owner =
        Demand->Owner != NULL ? Demand->Owner : (const void *)Demand->Device->DriverObject->DriverInit;
    return (ULONG_PTR)Owner - (ULONG_PTR)Module->Base < Module->Size;
}

static POP_DEMAND *PopTakeDemandOf(const IM_MODULE *Module)
{
    POP_DEMAND *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopDemands.Flink; E != &PopDemands && Found == NULL; E = E->Flink)
        if (PopDemandIsOf(CONTAINING_RECORD(E, POP_DEMAND, Entry), Module))
            Found = CONTAINING_RECORD(E, POP_DEMAND, Entry);
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    return Found;
}

VOID PopReportDemandLeaks(PIM_MODULE Module)
{
    POP_DEMAND *Demand;
    while ((Demand = PopTakeDemandOf(Module)) != NULL) {
        PopReportLeak(Module, Demand->Device != NULL ? "power request" : "system state");
        PopFreeDemand(Demand);
    }
}
