/* SPDX-License-Identifier: MIT
 * Registering a device with the power management framework, and what its driver says of it. There is no platform extension (PEP): the framework
 * decides alone. [WDK PoFxRegisterDevice and its kin] */
#include "popfx.h"
#include "ke_bugcheck.h"

static LIST_ENTRY PopFxDevices = {&PopFxDevices, &PopFxDevices}; /* (l) */

static VOID PopFxRequire(BOOLEAN Holds, const POP_FX *Fx, ULONG_PTR What, PCSTR Text)
{
    if (!Holds)
        KeBugCheckBlaming(Fx->Owner, DRIVER_VERIFIER_DETECTED_VIOLATION, POP_RULE_FX, (ULONG_PTR)Fx, What, 0,
                          Text);
}

static POP_FX_COMPONENT *PopFxComponent(POP_FX *Fx, ULONG Component)
{
    PopFxRequire(Component < Fx->Count, Fx, Component,
                 "a driver has named a component that its device, as it was registered, does not have");
    return &Fx->Components[Component];
}

/* --- registering --- */

/* Of either version. */
static VOID PopFxReadComponent(const PO_FX_DEVICE *Device, ULONG i, POP_FX_COMPONENT *Component)
{
    if (Device->Version == PO_FX_VERSION_V1) {
        const PO_FX_COMPONENT_V1 *From = &((const PO_FX_DEVICE_V1 *)Device)->Components[i];
        Component->StateCount = From->IdleStateCount;
        Component->DeepestWakeable = From->DeepestWakeableIdleState;
        Component->States = From->IdleStates;
        return;
    }
    const PO_FX_COMPONENT_V2 *From = &((const PO_FX_DEVICE_V2 *)Device)->Components[i];
    Component->StateCount = From->IdleStateCount;
    Component->DeepestWakeable = From->DeepestWakeableIdleState;
    Component->States = From->IdleStates;
}

static ULONG PopFxCountComponents(const PO_FX_DEVICE *Device)
{
    return Device->Version == PO_FX_VERSION_V1 ? ((const PO_FX_DEVICE_V1 *)Device)->ComponentCount
                                               : ((const PO_FX_DEVICE_V2 *)Device)->ComponentCount;
}

#define POP_FX_MOST 4096u /* components, states of one */

/* How many states all components have; 0: the description is none. */
static ULONG PopFxCountStates(const PO_FX_DEVICE *Device)
{
    POP_FX_COMPONENT Component;
    ULONG Count = 0, Components;
    if (Device->Version != PO_FX_VERSION_V1 && Device->Version != PO_FX_VERSION_V2)
        return 0;
    Components = PopFxCountComponents(Device);
    for (ULONG i = 0; i < Components && Components <= POP_FX_MOST; i++) {
        PopFxReadComponent(Device, i, &Component);
        if (Component.StateCount == 0 || Component.StateCount > POP_FX_MOST || Component.States == NULL ||
            Component.DeepestWakeable >= Component.StateCount)
            return 0;
        Count += Component.StateCount;
    }
    return Count;
}

static VOID PopFxReadCallbacks(POP_FX *Fx, const PO_FX_DEVICE *Device)
{
    if (Device->Version == PO_FX_VERSION_V1) {
        const PO_FX_DEVICE_V1 *From = (const PO_FX_DEVICE_V1 *)Device;
        Fx->ActiveCondition = From->ComponentActiveConditionCallback;
        Fx->IdleCondition = From->ComponentIdleConditionCallback;
        Fx->IdleState = From->ComponentIdleStateCallback;
        Fx->PowerRequired = From->DevicePowerRequiredCallback;
        Fx->PowerNotRequired = From->DevicePowerNotRequiredCallback;
        Fx->Context = From->DeviceContext;
        return;
    }
    const PO_FX_DEVICE_V2 *From = (const PO_FX_DEVICE_V2 *)Device;
    Fx->ActiveCondition = From->ComponentActiveConditionCallback;
    Fx->IdleCondition = From->ComponentIdleConditionCallback;
    Fx->IdleState = From->ComponentIdleStateCallback;
    Fx->PowerRequired = From->DevicePowerRequiredCallback;
    Fx->PowerNotRequired = From->DevicePowerNotRequiredCallback;
    Fx->Context = From->DeviceContext;
}

/* All components are on and active. The states are copied behind them. */
static VOID PopFxReadComponents(POP_FX *Fx, const PO_FX_DEVICE *Device)
{
    PO_FX_COMPONENT_IDLE_STATE *States = (PO_FX_COMPONENT_IDLE_STATE *)&Fx->Components[Fx->Count];
    for (ULONG i = 0; i < Fx->Count; i++) {
        POP_FX_COMPONENT *Component = &Fx->Components[i];
        PopFxReadComponent(Device, i, Component);
        RtlCopyMemory(States, Component->States, Component->StateCount * sizeof(*States));
        Component->States = States;
        Component->Active = TRUE;
        Component->Latency = Component->Residency = MAXULONG64;
        States += Component->StateCount;
    }
}

static POP_FX *PopFxFindLocked(PDEVICE_OBJECT Pdo)
{
    for (PLIST_ENTRY E = PopFxDevices.Flink; E != &PopFxDevices; E = E->Flink)
        if (CONTAINING_RECORD(E, POP_FX, Entry)->Pdo == Pdo)
            return CONTAINING_RECORD(E, POP_FX, Entry);
    return NULL;
}

static VOID PopFxEnter(POP_FX *Fx)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    BOOLEAN Known = PopFxFindLocked(Fx->Pdo) != NULL;
    InsertTailList(&PopFxDevices, &Fx->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRequire(!Known, Fx, (ULONG_PTR)Fx->Pdo,
                 "a device was registered with the power management framework that is registered already");
}

/* PASSIVE_LEVEL. What the description points to is copied. STATUS_INVALID_PARAMETER: there is no device, or its description is none; STATUS_INSUFFICIENT_RESOURCES. */
DECLSPEC_NOINLINE NTSTATUS NTAPI PoFxRegisterDevice(PDEVICE_OBJECT Pdo, PPO_FX_DEVICE Device,
                                                    POHANDLE *Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ULONG States = Pdo != NULL ? PopFxCountStates(Device) : 0;
    if (States == 0)
        return STATUS_INVALID_PARAMETER;
    ULONG Count = PopFxCountComponents(Device);
    SIZE_T Size =
        sizeof(POP_FX) + Count * sizeof(POP_FX_COMPONENT) + States * sizeof(PO_FX_COMPONENT_IDLE_STATE);
    POP_FX *Fx = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, POP_TAG);
    if (Fx == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Fx->Pdo = Pdo;
    Fx->Owner = __builtin_return_address(0);
    Fx->Count = Count;
    ObfReferenceObject(Pdo);
    PopFxReadCallbacks(Fx, Device);
    PopFxReadComponents(Fx, Device);
    PopFxInitRun(Fx);
    PopFxEnter(Fx);
    *Handle = (POHANDLE)Fx;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. Components that were not activated go idle: callbacks may come before this returns. */
VOID NTAPI PoFxStartDevicePowerManagement(POHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    POP_FX *Fx = (POP_FX *)Handle;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Fx->Started = TRUE;
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRun(Fx, TRUE);
}

static VOID PopFxFree(POP_FX *Fx)
{
    PopFxStop(Fx);
    ObfDereferenceObject(Fx->Pdo);
    ExFreePoolWithTag(Fx, POP_TAG);
}

/* PASSIVE_LEVEL, not in a callback. When it returns, no callback runs any more. */
VOID NTAPI PoFxUnregisterDevice(POHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    POP_FX *Fx = (POP_FX *)Handle;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    RemoveEntryList(&Fx->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxFree(Fx);
}

static POP_FX *PopFxTakeOf(const IM_MODULE *Module)
{
    POP_FX *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopFxDevices.Flink; E != &PopFxDevices && Found == NULL; E = E->Flink) {
        POP_FX *Fx = CONTAINING_RECORD(E, POP_FX, Entry);
        if ((ULONG_PTR)Fx->Owner - (ULONG_PTR)Module->Base < Module->Size)
            Found = Fx;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    return Found;
}

VOID PopReportFxLeaks(PIM_MODULE Module)
{
    POP_FX *Fx;
    while ((Fx = PopFxTakeOf(Module)) != NULL) {
        PopFxFree(Fx);
        PopReportLeak(Module, "registration with the power management framework");
    }
}

/* --- use --- */

static VOID PopFxChangeReferences(POHANDLE Handle, ULONG Component, ULONG Flags, LONG By)
{
    POP_FX *Fx = (POP_FX *)Handle;
    POP_FX_COMPONENT *Of = PopFxComponent(Fx, Component);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    LONG References = Of->References += By;
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRequire(References >= 0, Fx, Component,
                 "a component was made idle more often than it was activated");
    PopFxRun(Fx, !(Flags & PO_FX_FLAG_ASYNC_ONLY));
    if (Flags & PO_FX_FLAG_BLOCKING)
        PopFxAwait(Fx, Component);
}

/* [WDK PoFxActivateComponent] IRQL <= DISPATCH_LEVEL; PO_FX_FLAG_BLOCKING: < DISPATCH_LEVEL, not in a callback; the component is active when it returns.
 * PO_FX_FLAG_ASYNC_ONLY: callbacks are called by another thread. */
VOID NTAPI PoFxActivateComponent(POHANDLE Handle, ULONG Component, ULONG Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxChangeReferences(Handle, Component, Flags, 1);
}

/* [WDK PoFxIdleComponent] the same. */
VOID NTAPI PoFxIdleComponent(POHANDLE Handle, ULONG Component, ULONG Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxChangeReferences(Handle, Component, Flags, -1);
}

/* --- answers: IRQL <= DISPATCH_LEVEL, in the callback or after it --- */

static VOID PopFxAnswerStep(POHANDLE Handle, ULONG Component, POP_FX_STEP Step)
{
    POP_FX *Fx = (POP_FX *)Handle;
    POP_FX_COMPONENT *Of = PopFxComponent(Fx, Component);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    BOOLEAN Asked = Of->Step == Step;
    Of->Step = PopFxStable;
    if (Step == PopFxIdleState)
        Of->State = Of->Next;
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRequire(Asked, Fx, Component,
                 "a driver has completed a callback of a component that was not called");
    PopFxRun(Fx, FALSE);
}

/* [WDK PoFxCompleteIdleCondition] */
VOID NTAPI PoFxCompleteIdleCondition(POHANDLE Handle, ULONG Component)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxAnswerStep(Handle, Component, PopFxIdleCondition);
}

/* [WDK PoFxCompleteIdleState] */
VOID NTAPI PoFxCompleteIdleState(POHANDLE Handle, ULONG Component)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxAnswerStep(Handle, Component, PopFxIdleState);
}

/* [WDK PoFxCompleteDevicePowerNotRequired] */
VOID NTAPI PoFxCompleteDevicePowerNotRequired(POHANDLE Handle)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_FX *Fx = (POP_FX *)Handle;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    BOOLEAN Asked = Fx->Power == PopFxNotRequired;
    Fx->Power = PopFxOff;
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRequire(Asked, Fx, 0, "a driver has completed DevicePowerNotRequiredCallback, which was not called");
    PopFxRun(Fx, FALSE);
}

/* [WDK PoFxReportDevicePoweredOn] after DevicePowerRequiredCallback, and after the system woke up: then nothing need be outstanding. */
VOID NTAPI PoFxReportDevicePoweredOn(POHANDLE Handle)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_FX *Fx = (POP_FX *)Handle;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    if (Fx->Power == PopFxRequired || Fx->Power == PopFxOff) {
        Fx->Power = PopFxOn;
        Fx->IdleSince = 0;
    }
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxRun(Fx, FALSE);
}

static POP_FX *PopFxSurpriseLocked(PDEVICE_OBJECT Pdo)
{
    POP_FX *Fx = PopFxFindLocked(Pdo);
    if (Fx == NULL || Fx->Power != PopFxOff)
        return NULL;
    Fx->Power = PopFxOn;
    Fx->IdleSince = 0;
    for (ULONG i = 0; i < Fx->Count; i++)
        if (Fx->Components[i].Step == PopFxStable)
            Fx->Components[i].State = 0;
    if (Fx->Running)
        return NULL; /* who runs looks once more */
    Fx->Running = Fx->Queued = TRUE;
    return Fx;
}

/* [WDK PoFxNotifySurprisePowerOn] by a bus driver: the device is on with all its components, and is configured to use little. */
VOID NTAPI PoFxNotifySurprisePowerOn(PDEVICE_OBJECT Pdo)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    POP_FX *Fx = PopFxSurpriseLocked(Pdo);
    ArchReleaseLock(&PopLock, OldIrql);
    if (Fx != NULL)
        ExQueueWorkItem(&Fx->Work, CriticalWorkQueue);
}

/* --- wishes: IRQL <= DISPATCH_LEVEL --- */

/* [WDK PoFxSetComponentLatency] 100 ns: states with a longer way back are not chosen. */
VOID NTAPI PoFxSetComponentLatency(POHANDLE Handle, ULONG Component, ULONGLONG Latency)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxComponent((POP_FX *)Handle, Component)->Latency = Latency;
    PopFxRun((POP_FX *)Handle, FALSE);
}

/* [WDK PoFxSetComponentResidency] 100 ns: states that do not pay in that time are not chosen. */
VOID NTAPI PoFxSetComponentResidency(POHANDLE Handle, ULONG Component, ULONGLONG Residency)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxComponent((POP_FX *)Handle, Component)->Residency = Residency;
    PopFxRun((POP_FX *)Handle, FALSE);
}

/* [WDK PoFxSetComponentWake] TRUE: states from which it cannot wake are not chosen. */
VOID NTAPI PoFxSetComponentWake(POHANDLE Handle, ULONG Component, BOOLEAN WakeHint)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopFxComponent((POP_FX *)Handle, Component)->WakeHint = WakeHint;
    PopFxRun((POP_FX *)Handle, FALSE);
}

/* [WDK PoFxSetDeviceIdleTimeout] 100 ns. */
VOID NTAPI PoFxSetDeviceIdleTimeout(POHANDLE Handle, ULONGLONG IdleTimeout)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ((POP_FX *)Handle)->IdleTimeout = IdleTimeout;
    PopFxRun((POP_FX *)Handle, FALSE);
}

/* [WDK PoFxPowerControl] a request to the platform extension, which is not there (D-286). */
NTSTATUS NTAPI PoFxPowerControl(POHANDLE Handle, LPCGUID PowerControlCode, PVOID InBuffer,
                                SIZE_T InBufferSize, PVOID OutBuffer, SIZE_T OutBufferSize,
                                PSIZE_T BytesReturned)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (BytesReturned != NULL)
        *BytesReturned = 0;
    return STATUS_NOT_SUPPORTED;
}
