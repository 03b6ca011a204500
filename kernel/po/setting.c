/* SPDX-License-Identifier: MIT
 * Power settings that drivers want to know: their values now, and each new one. [WDK PoRegisterPowerSettingCallback; Win32 "Power Setting GUIDs"] */
#include "pop.h"

#define POP_CONSOLE_DISPLAY_STATE                                                                            \
    {0x6fe69556, 0x704a, 0x47a0, {0x8f, 0x24, 0xc2, 0x8d, 0x93, 0x6f, 0xda, 0x47}}
#define POP_MONITOR_POWER_ON {0x02731015, 0x4510, 0x4526, {0x99, 0xe6, 0xe5, 0xa1, 0x7e, 0xbd, 0x1a, 0xea}}

const GUID PopConsoleDisplayState = POP_CONSOLE_DISPLAY_STATE;
const GUID PopMonitorPowerOn = POP_MONITOR_POWER_ON;

/* What this machine has: mains power, and a display that is on while the system works. */
typedef struct _POP_VALUE {
    GUID Setting;
    ULONG Value; /* (l) */
} POP_VALUE;

static POP_VALUE PopValues[] = {
    {POP_CONSOLE_DISPLAY_STATE, 1}, /* on */
    {POP_MONITOR_POWER_ON, 1},
    {{0x5d3e9a59, 0xe9d5, 0x4b00, {0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48}},
     PoAc}, /* GUID_ACDC_POWER_SOURCE */
    {{0x98a7f580, 0x01f7, 0x48aa, {0x9c, 0x0f, 0x44, 0x35, 0x2c, 0x29, 0xe5, 0xc0}},
     0}, /* GUID_SYSTEM_AWAYMODE: not in it */
};

typedef struct _POP_SETTING {
    LIST_ENTRY Entry;                 /* (l) */
    ULONG64 Number;                   /* (c) rises from one to the next */
    GUID Setting;                     /* (c) */
    PPOWER_SETTING_CALLBACK Callback; /* (c) */
    PVOID Context;                    /* (c) */
    EX_RUNDOWN_REF Calls;             /* that run */
} POP_SETTING;

static LIST_ENTRY PopSettings = {&PopSettings, &PopSettings}; /* (l) by number */
static ULONG64 PopSettingNumber;                              /* (l) */

static VOID PopCallSetting(const POP_SETTING *Setting, ULONG Value)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateNotification, (PVOID)Setting->Callback);
    (void)Setting->Callback(&Setting->Setting, &Value, sizeof(Value), Setting->Context);
    KeLeaveGate(&Gate);
}

static POP_VALUE *PopFindValue(const GUID *Setting)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(PopValues); i++)
        if (IsEqualGUID(&PopValues[i].Setting, Setting))
            return &PopValues[i];
    return NULL;
}

/* --- a new value --- */

/* The first behind that number which is about the setting; its calls are protected. NULL: no more. */
static POP_SETTING *PopProtectNext(const GUID *Setting, ULONG64 Number)
{
    POP_SETTING *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopSettings.Flink; E != &PopSettings && Found == NULL; E = E->Flink) {
        POP_SETTING *Next = CONTAINING_RECORD(E, POP_SETTING, Entry);
        if (Next->Number > Number && IsEqualGUID(&Next->Setting, Setting) &&
            ExAcquireRundownProtection(&Next->Calls))
            Found = Next;
    }
    ArchReleaseLock(&PopLock, OldIrql);
    return Found;
}

VOID PopChangeSetting(const GUID *Setting, ULONG Value)
{
    POP_SETTING *Next;
    ULONG64 Number = 0;
    PopFindValue(Setting)->Value = Value;
    while ((Next = PopProtectNext(Setting, Number)) != NULL) {
        Number = Next->Number;
        PopCallSetting(Next, Value);
        ExReleaseRundownProtection(&Next->Calls);
    }
}

/* --- registering --- */

/* Afterwards it does not run and is not called. */
static VOID PopFreeSetting(POP_SETTING *Setting)
{
    ExWaitForRundownProtectionRelease(&Setting->Calls);
    ExFreePoolWithTag(Setting, POP_TAG);
}

/* [WDK PoRegisterPowerSettingCallback] PASSIVE_LEVEL. The callback is called with the value that the setting has, before this returns, and at
 * PASSIVE_LEVEL with each new one. A setting that this machine does not have has no value. */
NTSTATUS NTAPI PoRegisterPowerSettingCallback(PDEVICE_OBJECT DeviceObject, LPCGUID SettingGuid,
                                              PPOWER_SETTING_CALLBACK Callback, PVOID Context, PVOID *Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    POP_SETTING *Setting = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Setting), POP_TAG);
    if (Setting == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Setting->Setting = *SettingGuid;
    Setting->Callback = Callback;
    Setting->Context = Context;
    ExInitializeRundownProtection(&Setting->Calls);
    (void)ExAcquireRundownProtection(&Setting->Calls);
    const POP_VALUE *Value = PopFindValue(SettingGuid);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Setting->Number = ++PopSettingNumber;
    InsertTailList(&PopSettings, &Setting->Entry);
    ULONG Now = Value != NULL ? Value->Value : 0;
    ArchReleaseLock(&PopLock, OldIrql);
    if (Handle != NULL)
        *Handle = Setting;
    if (Value != NULL)
        PopCallSetting(Setting, Now);
    ExReleaseRundownProtection(&Setting->Calls);
    return STATUS_SUCCESS;
}

/* Handle, or (NULL) the first with a callback in the module, is taken out. NULL: there is none. */
static POP_SETTING *PopTakeSetting(PVOID Handle, const IM_MODULE *Module)
{
    POP_SETTING *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopSettings.Flink; E != &PopSettings && Found == NULL; E = E->Flink) {
        POP_SETTING *Setting = CONTAINING_RECORD(E, POP_SETTING, Entry);
        if (Handle != NULL ? Setting == Handle
                           : (ULONG_PTR)Setting->Callback - (ULONG_PTR)Module->Base < Module->Size)
            Found = Setting;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    return Found;
}

/* [WDK PoUnregisterPowerSettingCallback] PASSIVE_LEVEL, not in the callback. When it returns, the callback does not run any more. */
NTSTATUS NTAPI PoUnregisterPowerSettingCallback(PVOID Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    POP_SETTING *Setting = Handle != NULL ? PopTakeSetting(Handle, NULL) : NULL;
    if (Setting == NULL)
        return STATUS_INVALID_PARAMETER;
    PopFreeSetting(Setting);
    return STATUS_SUCCESS;
}

VOID PopReportSettingLeaks(PIM_MODULE Module)
{
    POP_SETTING *Setting;
    while ((Setting = PopTakeSetting(NULL, Module)) != NULL) {
        PopFreeSetting(Setting);
        PopReportLeak(Module, "power setting callback");
    }
}
