/* SPDX-License-Identifier: MIT
 * What the power management framework does next with a device: power first, then the full state F0, then the active condition; and the other way down.
 * [WDK "Overview of the Power Management Framework", "Component-Level Power Management", PoFxActivateComponent, PoFxIdleComponent] */
#include "popfx.h"

/* [WDK PO_FX_COMPONENT_IDLE_STATE] the deepest state whose way back is short enough, that pays for the time expected, and from which it can wake if it must. */
static ULONG PopFxChooseState(const POP_FX_COMPONENT *Component)
{
    for (ULONG State = Component->StateCount - 1; State > 0; State--) {
        const PO_FX_COMPONENT_IDLE_STATE *Idle = &Component->States[State];
        if (Idle->TransitionLatency <= Component->Latency &&
            Idle->ResidencyRequirement <= Component->Residency &&
            (!Component->WakeHint || State <= Component->DeepestWakeable))
            return State;
    }
    return 0;
}

static POP_FX_CALL PopFxGoToState(const POP_FX *Fx, POP_FX_COMPONENT *Component, ULONG State, PULONG Told)
{
    Component->Next = *Told = State;
    if (Fx->IdleState == NULL) {
        Component->State = State;
        return PopFxCallSilent;
    }
    Component->Step = PopFxIdleState;
    return PopFxCallState;
}

/* [WDK DevicePowerRequiredCallback] only after the device was told that power is not required, and when it has answered. */
static POP_FX_CALL PopFxPowerUp(POP_FX *Fx)
{
    if (Fx->Power != PopFxOff)
        return PopFxCallNone;
    Fx->Power = Fx->PowerRequired != NULL ? PopFxRequired : PopFxOn;
    return Fx->PowerRequired != NULL ? PopFxCallRequired : PopFxCallSilent;
}

static POP_FX_CALL PopFxWakeComponent(POP_FX *Fx, POP_FX_COMPONENT *Component, PULONG State)
{
    Fx->IdleSince = 0;
    if (Fx->Power != PopFxOn)
        return PopFxPowerUp(Fx);
    if (Component->State != 0)
        return PopFxGoToState(Fx, Component, 0, State);
    Component->Active = TRUE;
    return Fx->ActiveCondition != NULL ? PopFxCallActive : PopFxCallSilent;
}

/* While the device has no power its components stay as they are. */
static POP_FX_CALL PopFxRestComponent(POP_FX *Fx, POP_FX_COMPONENT *Component, PULONG State)
{
    ULONG Deepest = PopFxChooseState(Component);
    if (Component->Active) {
        Component->Active = FALSE;
        Component->Step = Fx->IdleCondition != NULL ? PopFxIdleCondition : PopFxStable;
        return Fx->IdleCondition != NULL ? PopFxCallIdle : PopFxCallSilent;
    }
    if (Component->State != Deepest && Fx->Power == PopFxOn)
        return PopFxGoToState(Fx, Component, Deepest, State);
    return PopFxCallNone;
}

static POP_FX_CALL PopFxMoveComponent(POP_FX *Fx, POP_FX_COMPONENT *Component, PULONG State)
{
    if (Component->Step != PopFxStable)
        return PopFxCallNone;
    if (Component->References > 0)
        return Component->Active ? PopFxCallNone : PopFxWakeComponent(Fx, Component, State);
    return Fx->Started ? PopFxRestComponent(Fx, Component, State) : PopFxCallNone;
}

static BOOLEAN PopFxAllIdle(const POP_FX *Fx)
{
    for (ULONG i = 0; i < Fx->Count; i++) {
        const POP_FX_COMPONENT *Component = &Fx->Components[i];
        if (Component->References > 0 || Component->Active || Component->Step != PopFxStable)
            return FALSE;
    }
    return Fx->Started;
}

/* [WDK PoFxSetDeviceIdleTimeout] power is needed until all components have been idle for that long. */
static POP_FX_CALL PopFxMoveDevice(POP_FX *Fx)
{
    if (Fx->Power != PopFxOn || !PopFxAllIdle(Fx)) {
        Fx->IdleSince = Fx->Power == PopFxOn ? 0 : Fx->IdleSince;
        return PopFxCallNone;
    }
    ULONG64 Now = KeQueryInterruptTime();
    if (Fx->IdleSince == 0)
        Fx->IdleSince = Now;
    ULONG64 Passed = Now - Fx->IdleSince;
    if (Passed < Fx->IdleTimeout) {
        LARGE_INTEGER Due = {.QuadPart = -(LONGLONG)(Fx->IdleTimeout - Passed)};
        KeSetTimer(&Fx->Timer, Due, &Fx->Dpc);
        return PopFxCallNone;
    }
    if (Fx->PowerNotRequired == NULL)
        return PopFxCallNone;
    Fx->Power = PopFxNotRequired;
    return PopFxCallNotRequired;
}

/* The first component that has something to do. */
static POP_FX_CALL PopFxMoveComponents(POP_FX *Fx, PULONG Component, PULONG State)
{
    POP_FX_CALL Call = PopFxCallNone;
    for (ULONG i = 0; i < Fx->Count && Call == PopFxCallNone; i++) {
        *Component = i;
        Call = PopFxMoveComponent(Fx, &Fx->Components[i], State);
    }
    return Call;
}

POP_FX_CALL PopFxTakeNextLocked(POP_FX *Fx, PULONG Component, PULONG State)
{
    POP_FX_CALL Call = PopFxCallSilent;
    if (Fx->Gone)
        return PopFxCallNone;
    while (Call == PopFxCallSilent)
        Call = PopFxMoveComponents(Fx, Component, State);
    return Call != PopFxCallNone ? Call : PopFxMoveDevice(Fx);
}

BOOLEAN PopFxIsSettledLocked(const POP_FX *Fx, ULONG Component)
{
    const POP_FX_COMPONENT *Of = &Fx->Components[Component];
    return Fx->Gone || (Of->Step == PopFxStable && Of->Active == (Of->References > 0));
}
