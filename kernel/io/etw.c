/* SPDX-License-Identifier: MIT
 * Event tracing: providers register and write events at any IRQL; the events of those that the kernel option `etw` names become records of the report.
 * There is one session, from start-up to the end. Nothing of a provider is called while it writes, and its slot is never freed, so writing takes
 * no lock. [WDK EtwRegister, EtwWrite, "Adding Event Tracing to Kernel-Mode Drivers"] */
#include "iop.h"
#include "crt.h"
#include "kd.h"

#define IOP_TRACE_SLOTS 256u
#define IOP_TRACE_SHOWN 32u /* bytes of an event that its record shows */
#define IOP_GUID_TEXT 36u
#define IOP_TRACE_OPTION 512u

typedef struct _IOP_TRACE_SLOT {
    volatile ULONG Generation; /* odd: in use. (d) to change */
    volatile BOOLEAN Enabled;  /* the session wants it */
    GUID Provider;             /* (d), constant while in use */
    PIM_MODULE Module;         /* (d) the driver's; NULL: not known */
} IOP_TRACE_SLOT;

static IOP_TRACE_SLOT IopTraceSlots[IOP_TRACE_SLOTS];
static CHAR IopTraceOption[IOP_TRACE_OPTION]; /* constant after start-up; empty: nothing is traced */

VOID IoSetTracing(PCSTR Option)
{
    ULONG Length = 0;
    for (; Option[Length] != 0 && Option[Length] != ' ' && Length + 1 < IOP_TRACE_OPTION; Length++)
        IopTraceOption[Length] = Option[Length];
    if (Length + 1 == IOP_TRACE_OPTION)
        KdLogError("the option etw is too long: of %u characters on it is not looked at",
                   IOP_TRACE_OPTION - 1);
}

static VOID IopFormatGuid(const GUID *Guid, CHAR Text[IOP_GUID_TEXT + 1])
{
    const UCHAR *B = Guid->Data4;
    _snprintf(Text, IOP_GUID_TEXT + 1, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
              (unsigned)Guid->Data1, Guid->Data2, Guid->Data3, B[0], B[1], B[2], B[3], B[4], B[5], B[6],
              B[7]);
}

/* `etw=all`, or identifiers without braces with commas between. */
static BOOLEAN IopIsTraced(const GUID *Guid)
{
    CHAR Text[IOP_GUID_TEXT + 1];
    if (strncmp(IopTraceOption, "all", 3) == 0)
        return TRUE;
    IopFormatGuid(Guid, Text);
    for (PCSTR Word = IopTraceOption; *Word != 0;) {
        if (_strnicmp(Word, Text, IOP_GUID_TEXT) == 0)
            return TRUE;
        while (*Word != 0 && *Word != ',')
            Word++;
        Word += *Word == ',';
    }
    return FALSE;
}

static IOP_TRACE_SLOT *IopTakeSlotLocked(const GUID *Guid, PIM_MODULE Module, REGHANDLE *Handle)
{
    for (ULONG I = 0; I < IOP_TRACE_SLOTS; I++) {
        IOP_TRACE_SLOT *Slot = &IopTraceSlots[I];
        if (Slot->Generation & 1)
            continue;
        Slot->Provider = *Guid;
        Slot->Module = Module;
        Slot->Enabled = FALSE;
        Slot->Generation++;
        *Handle = ((REGHANDLE)Slot->Generation << 32) | (I + 1);
        return Slot;
    }
    return NULL;
}

/* NULL: the handle is none, or its provider is gone. */
static IOP_TRACE_SLOT *IopSlotOf(REGHANDLE Handle)
{
    ULONG Index = (ULONG)Handle - 1;
    if (Index >= IOP_TRACE_SLOTS || IopTraceSlots[Index].Generation != (ULONG)(Handle >> 32))
        return NULL;
    return IopTraceSlots[Index].Generation & 1 ? &IopTraceSlots[Index] : NULL;
}

/* [WDK EtwRegister] a provider that is enabled already is told so before the call returns, as far as it has a callback. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI EtwRegister(LPCGUID ProviderId, PETWENABLECALLBACK EnableCallback,
                                             PVOID CallbackContext, PREGHANDLE RegHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (ProviderId == NULL || RegHandle == NULL)
        return STATUS_INVALID_PARAMETER;
    PIM_MODULE Module = ImFindModule(__builtin_return_address(0));
    BOOLEAN Traced = IopIsTraced(ProviderId);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_TRACE_SLOT *Slot = IopTakeSlotLocked(ProviderId, Module, RegHandle);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Slot == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Slot->Enabled = Traced;
    if (Traced && EnableCallback != NULL)
        IopCallTraceEnable(EnableCallback, CallbackContext);
    return STATUS_SUCCESS;
}

/* [WDK EtwUnregister] PASSIVE_LEVEL. */
NTSTATUS NTAPI EtwUnregister(REGHANDLE RegHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_TRACE_SLOT *Slot = IopSlotOf(RegHandle);
    if (Slot != NULL)
        Slot->Generation++;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Slot != NULL ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

ULONG IopReportTraceLeaks(PIM_MODULE Module)
{
    ULONG Count = 0;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (ULONG I = 0; I < IOP_TRACE_SLOTS; I++) {
        if (!(IopTraceSlots[I].Generation & 1) || IopTraceSlots[I].Module != Module)
            continue;
        IopTraceSlots[I].Generation++;
        Count++;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Count == 0)
        return 0;
    KdLog("%s: %lu event providers were not unregistered; they are now", Module->Name, Count);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "event provider"),
             KD_NUMBER(ReportKeyCount, Count));
    return Count;
}

/* [WDK EtwProviderEnabled] [WDK EtwEventEnabled] the session takes all levels and keywords. Any IRQL. */
BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    const IOP_TRACE_SLOT *Slot = IopSlotOf(RegHandle);
    return Slot != NULL && Slot->Enabled;
}

BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    return EtwProviderEnabled(RegHandle, EventDescriptor->Level, EventDescriptor->Keyword);
}

/* --- events --- */

static VOID IopReportEvent(const IOP_TRACE_SLOT *Slot, PCSTR Text)
{
    CHAR Provider[IOP_GUID_TEXT + 1];
    IopFormatGuid(&Slot->Provider, Provider);
    KdReport(ReportTrace, KD_TEXT(ReportKeyDriver, Slot->Module != NULL ? Slot->Module->Name : ""),
             KD_TEXT(ReportKeyName, Provider), KD_TEXT(ReportKeyText, Text));
}

/* The first bytes of the event's data in hexadecimal, and how many there are. */
static ULONG64 IopFormatData(PEVENT_DATA_DESCRIPTOR Data, ULONG Count, CHAR Text[2 * IOP_TRACE_SHOWN + 1])
{
    ULONG Shown = 0;
    ULONG64 Size = 0;
    for (ULONG I = 0; I < Count; Size += Data[I].Size, I++) {
        const UCHAR *Bytes = (const UCHAR *)(ULONG_PTR)Data[I].Ptr;
        for (ULONG J = 0; J < Data[I].Size && Shown < IOP_TRACE_SHOWN; J++, Shown++) {
            Text[2 * Shown] = "0123456789abcdef"[Bytes[J] >> 4];
            Text[2 * Shown + 1] = "0123456789abcdef"[Bytes[J] & 15];
        }
    }
    Text[2 * Shown] = 0;
    return Size;
}

static VOID IopReportData(const IOP_TRACE_SLOT *Slot, PCEVENT_DESCRIPTOR Event, ULONG Count,
                          PEVENT_DATA_DESCRIPTOR Data)
{
    CHAR Bytes[2 * IOP_TRACE_SHOWN + 1], Text[192];
    ULONG64 Size = IopFormatData(Data, Count, Bytes);
    _snprintf(Text, sizeof(Text), "event %u, level %u, keyword 0x%llx, %llu bytes%s%s", Event->Id,
              Event->Level, Event->Keyword, Size, Size != 0 ? ": " : "", Bytes);
    IopReportEvent(Slot, Text);
}

/* [WDK EtwWriteEx] filters and activity identifiers are for sessions that keep them. Any IRQL. STATUS_SUCCESS also when nobody listens. */
NTSTATUS NTAPI EtwWriteEx(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, ULONG64 Filter,
                          ULONG Flags, LPCGUID ActivityId, LPCGUID RelatedActivityId, ULONG UserDataCount,
                          PEVENT_DATA_DESCRIPTOR UserData)
{
    const IOP_TRACE_SLOT *Slot = IopSlotOf(RegHandle);
    if (Slot == NULL)
        return STATUS_INVALID_HANDLE;
    if (EventDescriptor == NULL || UserDataCount > MAX_EVENT_DATA_DESCRIPTORS ||
        (UserDataCount != 0 && UserData == NULL))
        return STATUS_INVALID_PARAMETER;
    if (Slot->Enabled)
        IopReportData(Slot, EventDescriptor, UserDataCount, UserData);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                                LPCGUID RelatedActivityId, ULONG UserDataCount,
                                PEVENT_DATA_DESCRIPTOR UserData)
{
    return EtwWriteEx(RegHandle, EventDescriptor, 0, 0, ActivityId, RelatedActivityId, UserDataCount,
                      UserData);
}

NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                        ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
    return EtwWriteEx(RegHandle, EventDescriptor, 0, 0, ActivityId, NULL, UserDataCount, UserData);
}

/* [WDK EtwWriteString] Any IRQL. */
NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword, LPCGUID ActivityId,
                              PCWSTR String)
{
    CHAR Text[192];
    const IOP_TRACE_SLOT *Slot = IopSlotOf(RegHandle);
    if (Slot == NULL)
        return STATUS_INVALID_HANDLE;
    if (String == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!Slot->Enabled)
        return STATUS_SUCCESS;
    ULONG At = (ULONG)_snprintf(Text, sizeof(Text), "level %u, keyword 0x%llx: ", Level, Keyword);
    for (; *String != 0 && At + 1 < sizeof(Text); String++)
        Text[At++] = *String < 0x80 ? (CHAR)*String : '?';
    Text[At] = 0;
    IopReportEvent(Slot, Text);
    return STATUS_SUCCESS;
}

/* --- what the thread is doing --- */

/* [WDK EtwActivityIdControl] of the current thread. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI EtwActivityIdControl(ULONG ControlCode, LPGUID ActivityId)
{
    static volatile LONG64 Last;
    GUID *Own = &CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb)->ActivityId;
    GUID Given, Before = *Own;
    const GUID New = {(ULONG)InterlockedIncrement64(&Last), 0x4E54, 0x4258, {0}};
    if (ActivityId == NULL)
        return STATUS_INVALID_PARAMETER;
    Given = *ActivityId;
    switch (ControlCode) {
    case EVENT_ACTIVITY_CTRL_GET_ID:
        *ActivityId = Before;
        return STATUS_SUCCESS;
    case EVENT_ACTIVITY_CTRL_SET_ID:
        *Own = Given;
        return STATUS_SUCCESS;
    case EVENT_ACTIVITY_CTRL_CREATE_ID:
        *ActivityId = New;
        return STATUS_SUCCESS;
    case EVENT_ACTIVITY_CTRL_GET_SET_ID:
        *ActivityId = Before;
        *Own = Given;
        return STATUS_SUCCESS;
    case EVENT_ACTIVITY_CTRL_CREATE_SET_ID:
        *ActivityId = Before;
        *Own = New;
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_PARAMETER;
    }
}
