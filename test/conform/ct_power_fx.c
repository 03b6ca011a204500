/* SPDX-License-Identifier: MIT
 * The power management framework: conditions and Fx states of two components, power of their device. [WDK PoFxRegisterDevice,
 * PoFxStartDevicePowerManagement, PoFxActivateComponent, PoFxIdleComponent, PoFxSetComponentLatency, PoFxSetDeviceIdleTimeout] */
#include "ct.h"

enum { ACTIVE = 'a', IDLE = 'i', STATE = 's', REQUIRED = 'R', NOT_REQUIRED = 'N' };

typedef struct CALL {
    char Kind;
    ULONG Component, State;
} CALL;

#define MOST_CALLS 64
static CALL Calls[MOST_CALLS];
static volatile LONG CallCount;
static PKTHREAD CallThread; /* that the last came in */
static BOOLEAN Answers;     /* in the callback */
static POHANDLE Handle;
static PDEVICE_OBJECT Device;
static ULONG Context;

static VOID Log(PVOID Given, char Kind, ULONG Component, ULONG State)
{
    CT_CHECK(Given == &Context);
    LONG At = InterlockedIncrement(&CallCount) - 1;
    CallThread = KeGetCurrentThread();
    if (At < MOST_CALLS)
        Calls[At] = (CALL){Kind, Component, State};
}

static VOID NTAPI ActiveCondition(PVOID Given, ULONG Component)
{
    Log(Given, ACTIVE, Component, 0);
}

static VOID NTAPI IdleCondition(PVOID Given, ULONG Component)
{
    Log(Given, IDLE, Component, 0);
    if (Answers)
        PoFxCompleteIdleCondition(Handle, Component);
}

static VOID NTAPI IdleState(PVOID Given, ULONG Component, ULONG State)
{
    Log(Given, STATE, Component, State);
    if (Answers)
        PoFxCompleteIdleState(Handle, Component);
}

static VOID NTAPI PowerRequired(PVOID Given)
{
    Log(Given, REQUIRED, 0, 0);
    if (Answers)
        PoFxReportDevicePoweredOn(Handle);
}

static VOID NTAPI PowerNotRequired(PVOID Given)
{
    Log(Given, NOT_REQUIRED, 0, 0);
    if (Answers)
        PoFxCompleteDevicePowerNotRequired(Handle);
}

/* --- the device: component 0 has three states, component 1 is always in F0 --- */

static PO_FX_COMPONENT_IDLE_STATE States[] = {
    {0, 0, PO_FX_UNKNOWN_POWER}, {1000, 2000, PO_FX_UNKNOWN_POWER}, {50000, 100000, PO_FX_UNKNOWN_POWER}};

static struct {
    PO_FX_DEVICE_V2 Device;
    PO_FX_COMPONENT_V2 Second;
} Two;

static VOID Describe(VOID)
{
    PO_FX_COMPONENT_V2 First = {.IdleStateCount = 3, .DeepestWakeableIdleState = 1, .IdleStates = States};
    PO_FX_COMPONENT_V2 *Components = Two.Device.Components;
    Two.Device.Version = PO_FX_VERSION_V2;
    Two.Device.ComponentActiveConditionCallback = ActiveCondition;
    Two.Device.ComponentIdleConditionCallback = IdleCondition;
    Two.Device.ComponentIdleStateCallback = IdleState;
    Two.Device.DevicePowerRequiredCallback = PowerRequired;
    Two.Device.DevicePowerNotRequiredCallback = PowerNotRequired;
    Two.Device.DeviceContext = &Context;
    Two.Device.ComponentCount = 2;
    Components[0] = First;
    First.IdleStateCount = 1;
    First.DeepestWakeableIdleState = 0;
    RtlCopyMemory((PUCHAR)Components + sizeof(First), &First, sizeof(First));
}

static VOID Make(VOID)
{
    Describe();
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    CT_SUCCESS(PoFxRegisterDevice(Device, (PPO_FX_DEVICE)&Two.Device, &Handle));
    CallCount = 0;
    Answers = TRUE;
}

static VOID Delete(VOID)
{
    PoFxUnregisterDevice(Handle);
    IoDeleteDevice(Device);
}

static VOID Pass(LONG Milliseconds)
{
    KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = -10000ll * Milliseconds});
}

/* All calls so far are these, once that many have come; none comes after them. */
static VOID Expect(const CALL *Wanted, LONG Count)
{
    for (ULONG i = 0; i < 200 && CallCount < Count; i++)
        Pass(5);
    Pass(20);
    CT_EQUAL(CallCount, Count);
    for (LONG i = 0; i < Count; i++) {
        CT_EQUAL(Calls[i].Kind, Wanted[i].Kind);
        CT_EQUAL(Calls[i].Component, Wanted[i].Component);
        CT_EQUAL(Calls[i].State, Wanted[i].State);
    }
    CallCount = 0;
}

#define EXPECT(...) Expect((const CALL[]){__VA_ARGS__}, sizeof((const CALL[]){__VA_ARGS__}) / sizeof(CALL))
#define EXPECT_NOTHING() Expect(NULL, 0)

/* Idle, with the device without power. */
static VOID Start(VOID)
{
    Make();
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 2}, {IDLE, 1, 0}, {NOT_REQUIRED, 0, 0});
}

/* --- cases --- */

static VOID Refused(VOID)
{
    POHANDLE None;
    Describe();
    CT_STATUS(PoFxRegisterDevice(NULL, (PPO_FX_DEVICE)&Two.Device, &None), STATUS_INVALID_PARAMETER);
    Two.Device.Version = 9;
    CT_STATUS(PoFxRegisterDevice(Device, (PPO_FX_DEVICE)&Two.Device, &None), STATUS_INVALID_PARAMETER);
    Describe();
    Two.Device.ComponentCount = 0;
    CT_STATUS(PoFxRegisterDevice(Device, (PPO_FX_DEVICE)&Two.Device, &None), STATUS_INVALID_PARAMETER);
    Describe();
    Two.Device.Components[0].IdleStateCount = 0;
    CT_STATUS(PoFxRegisterDevice(Device, (PPO_FX_DEVICE)&Two.Device, &None), STATUS_INVALID_PARAMETER);
}

/* Everything is active until power management starts. */
static VOID Register(VOID)
{
    Make();
    EXPECT_NOTHING();
    PoFxActivateComponent(Handle, 1, PO_FX_FLAG_BLOCKING);
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 2});
    PoFxIdleComponent(Handle, 1, 0);
    EXPECT({IDLE, 1, 0}, {NOT_REQUIRED, 0, 0});
    Delete();
    Make();
    Refused();
    Delete();
}

/* As the first version has it, which has its fields in another order. */
static VOID Version1(VOID)
{
    PO_FX_DEVICE_V1 One = {.Version = PO_FX_VERSION_V1,
                           .ComponentCount = 1,
                           .ComponentIdleConditionCallback = IdleCondition,
                           .ComponentIdleStateCallback = IdleState,
                           .DeviceContext = &Context,
                           .Components = {{.IdleStateCount = 2, .IdleStates = States}}};
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    CallCount = 0;
    Answers = TRUE;
    CT_REQUIRE(CT_SUCCESS(PoFxRegisterDevice(Device, (PPO_FX_DEVICE)&One, &Handle)));
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 1});
    PoFxActivateComponent(Handle, 0, PO_FX_FLAG_BLOCKING); /* it does not want to know */
    EXPECT({STATE, 0, 0});
    Delete();
}

/* Power, then the full state, then the condition; the last reference counts. */
static VOID Activate(VOID)
{
    Start();
    PoFxActivateComponent(Handle, 0, PO_FX_FLAG_BLOCKING);
    CT_EQUAL(CallCount, 3);
    EXPECT({REQUIRED, 0, 0}, {STATE, 0, 0}, {ACTIVE, 0, 0});
    PoFxActivateComponent(Handle, 0, 0);
    PoFxIdleComponent(Handle, 0, 0);
    EXPECT_NOTHING();
    PoFxIdleComponent(Handle, 0, PO_FX_FLAG_BLOCKING);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 2}, {NOT_REQUIRED, 0, 0});
    Delete();
}

/* Not in the thread that asks. */
static VOID Asynchronous(VOID)
{
    KIRQL Old;
    Start();
    PoFxActivateComponent(Handle, 1, PO_FX_FLAG_ASYNC_ONLY);
    EXPECT({REQUIRED, 0, 0}, {ACTIVE, 1, 0});
    CT_CHECK(CallThread != KeGetCurrentThread());
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    PoFxIdleComponent(Handle, 1, 0);
    KeLowerIrql(Old);
    EXPECT({IDLE, 1, 0}, {NOT_REQUIRED, 0, 0});
    Delete();
}

/* Each step waits for the driver's answer to the one before. */
static VOID Steps(VOID)
{
    Make();
    PoFxActivateComponent(Handle, 1, 0);
    Answers = FALSE;
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0});
    PoFxCompleteIdleCondition(Handle, 0);
    EXPECT({STATE, 0, 2});
    PoFxActivateComponent(Handle, 0, 0);
    EXPECT_NOTHING(); /* it is on its way to F2 */
    PoFxCompleteIdleState(Handle, 0);
    EXPECT({STATE, 0, 0});
    PoFxCompleteIdleState(Handle, 0);
    EXPECT({ACTIVE, 0, 0});
    Delete();
}

static VOID Latency(VOID)
{
    Make();
    PoFxActivateComponent(Handle, 1, 0); /* power stays on */
    PoFxSetComponentLatency(Handle, 0, 2000);
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 1});
    PoFxSetComponentLatency(Handle, 0, MAXULONG64);
    EXPECT({STATE, 0, 2});
    PoFxSetComponentWake(Handle, 0, TRUE);
    EXPECT({STATE, 0, 1});
    PoFxSetComponentResidency(Handle, 0, 1999);
    EXPECT({STATE, 0, 0});
    PoFxSetComponentWake(Handle, 0, FALSE);
    EXPECT_NOTHING();
    PoFxSetComponentResidency(Handle, 0, 100000);
    EXPECT({STATE, 0, 2});
    Delete();
}

/* Power is needed until all have been idle for the time that was set; the condition waits for the power. */
static VOID DevicePower(VOID)
{
    Make();
    PoFxSetDeviceIdleTimeout(Handle, 10000000); /* 1 s */
    PoFxStartDevicePowerManagement(Handle);
    EXPECT({IDLE, 0, 0}, {STATE, 0, 2}, {IDLE, 1, 0});
    Pass(500);
    PoFxActivateComponent(Handle, 1, PO_FX_FLAG_BLOCKING);
    PoFxIdleComponent(Handle, 1, PO_FX_FLAG_BLOCKING);
    Pass(500); /* the time begins anew */
    EXPECT({ACTIVE, 1, 0}, {IDLE, 1, 0});
    Answers = FALSE;
    EXPECT({NOT_REQUIRED, 0, 0});
    PoFxActivateComponent(Handle, 1, 0);
    EXPECT_NOTHING(); /* before the answer */
    PoFxCompleteDevicePowerNotRequired(Handle);
    EXPECT({REQUIRED, 0, 0});
    PoFxReportDevicePoweredOn(Handle);
    EXPECT({ACTIVE, 1, 0});
    Delete();
}

/* A device that is on by the way is told to use little. */
static VOID Surprise(VOID)
{
    Start();
    PoFxNotifySurprisePowerOn(Device);
    EXPECT({STATE, 0, 2}, {NOT_REQUIRED, 0, 0});
    PoFxActivateComponent(Handle, 1, PO_FX_FLAG_BLOCKING);
    EXPECT({REQUIRED, 0, 0}, {ACTIVE, 1, 0});
    PoFxNotifySurprisePowerOn(Device); /* it is no surprise */
    EXPECT_NOTHING();
    Delete();
}

static VOID NTAPI AnswerPower(PKDPC Dpc, PVOID Given, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Given);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Answers = TRUE;
    PoFxReportDevicePoweredOn(Handle);
}

/* [WDK PoFxActivateComponent] PO_FX_FLAG_BLOCKING: it returns when the component is active, though the driver answers from elsewhere. */
static VOID Blocking(VOID)
{
    KTIMER Timer;
    KDPC Dpc;
    LARGE_INTEGER Due = {.QuadPart = -1000000}; /* 100 ms */
    Start();
    Answers = FALSE;
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, AnswerPower, NULL);
    KeSetTimer(&Timer, Due, &Dpc);
    PoFxActivateComponent(Handle, 0, PO_FX_FLAG_BLOCKING);
    CT_EQUAL(CallCount, 3);
    EXPECT({REQUIRED, 0, 0}, {STATE, 0, 0}, {ACTIVE, 0, 0});
    KeFlushQueuedDpcs();
    Delete();
}

static VOID Control(VOID)
{
    static const GUID Code = {1, 2, 3, {4}};
    SIZE_T Returned = 7;
    Make();
    CT_STATUS(PoFxPowerControl(Handle, &Code, NULL, 0, NULL, 0, &Returned), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Returned, 0);
    EXPECT_NOTHING();
    Delete();
}

static const CT_CASE Cases[] = {{"power_fx.register", Register}, {"power_fx.version1", Version1},
                                {"power_fx.activate", Activate}, {"power_fx.async", Asynchronous},
                                {"power_fx.state", Steps},       {"power_fx.latency", Latency},
                                {"power_fx.power", DevicePower}, {"power_fx.surprise", Surprise},
                                {"power_fx.control", Control},   {"power_fx.blocking", Blocking}};
CT_DRIVER(Cases)
