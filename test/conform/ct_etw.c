/* SPDX-License-Identifier: MIT
 * Event providers. Whether a session wants this one the case asks first; both answers have their rules. [WDK EtwRegister, EtwWrite, EtwWriteString,
 * EtwEventEnabled, EtwActivityIdControl] */
#include "ct.h"

static const GUID Provider = {0x4E544258, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static ULONG Enables;
static REGHANDLE Handle;

static VOID NTAPI Enabled(LPCGUID Source, ULONG Code, UCHAR Level, ULONGLONG Any, ULONGLONG All,
                          PEVENT_FILTER_DESCRIPTOR Filter, PVOID Context)
{
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Any);
    UNREFERENCED_PARAMETER(All);
    CT_CHECK(Source != NULL && Code == 1 && Filter == NULL && Context == &Enables);
    Enables++;
}

/* The provider hears of a session that wants it before the call returns, and not else. */
static VOID Register(VOID)
{
    const EVENT_DESCRIPTOR Event = {.Id = 7, .Level = 4, .Keyword = 1};
    Enables = 0;
    CT_STATUS(EtwRegister(NULL, NULL, NULL, &Handle), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(EtwRegister(&Provider, Enabled, &Enables, &Handle));
    CT_EQUAL(Enables, EtwProviderEnabled(Handle, 4, 1) ? 1 : 0);
    CT_EQUAL(EtwEventEnabled(Handle, &Event), EtwProviderEnabled(Handle, 4, 1));
    CT_SUCCESS(EtwUnregister(Handle));
    CT_CHECK(!EtwProviderEnabled(Handle, 4, 1) && !EtwEventEnabled(Handle, &Event));
    CT_STATUS(EtwUnregister(Handle), STATUS_INVALID_HANDLE);
}

/* At any IRQL, whether somebody listens or not. */
static VOID Write(VOID)
{
    const EVENT_DESCRIPTOR Event = {.Id = 7, .Level = 4, .Keyword = 0x10};
    UCHAR Bytes[3] = {0xAB, 0xCD, 0xEF};
    EVENT_DATA_DESCRIPTOR Data[2] = {{(ULONG_PTR)Bytes, 2, 0}, {(ULONG_PTR)&Bytes[2], 1, 0}};
    KIRQL OldIrql;
    CT_SUCCESS(EtwRegister(&Provider, NULL, NULL, &Handle));
    CT_SUCCESS(EtwWrite(Handle, &Event, NULL, 2, Data));
    KeRaiseIrql(HIGH_LEVEL, &OldIrql);
    NTSTATUS High = EtwWriteTransfer(Handle, &Event, NULL, NULL, 0, NULL);
    KeLowerIrql(OldIrql);
    CT_SUCCESS(High);
    CT_SUCCESS(EtwWriteEx(Handle, &Event, 0, 0, NULL, NULL, 1, Data));
    CT_SUCCESS(EtwWriteString(Handle, 4, 0x10, NULL, L"a text of the provider"));
    CT_STATUS(EtwWrite(Handle, &Event, NULL, MAX_EVENT_DATA_DESCRIPTORS + 1, Data), STATUS_INVALID_PARAMETER);
    CT_STATUS(EtwWrite(Handle + 1, &Event, NULL, 0, NULL), STATUS_INVALID_HANDLE);
    CT_SUCCESS(EtwUnregister(Handle));
    CT_STATUS(EtwWriteString(Handle, 4, 0, NULL, L"late"), STATUS_INVALID_HANDLE);
}

static BOOLEAN Same(const GUID *A, const GUID *B)
{
    return RtlCompareMemory(A, B, sizeof(*A)) == sizeof(*A);
}

static VOID Activity(VOID)
{
    GUID Before, Id, New, Again;
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_GET_ID, &Before));
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_CREATE_ID, &Id));
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_CREATE_ID, &New));
    CT_CHECK(!Same(&Id, &New));
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_SET_ID, &Id));
    Again = New;
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_GET_SET_ID, &Again));
    CT_CHECK(Same(&Again, &Id));
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_CREATE_SET_ID, &Again));
    CT_CHECK(Same(&Again, &New));
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_GET_ID, &Again));
    CT_CHECK(!Same(&Again, &New));
    CT_STATUS(EtwActivityIdControl(99, &Again), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(EtwActivityIdControl(EVENT_ACTIVITY_CTRL_SET_ID, &Before));
}

static const CT_CASE Cases[] = {{"etw.register", Register}, {"etw.write", Write}, {"etw.activity", Activity}};
CT_DRIVER(Cases)
