/* SPDX-License-Identifier: MIT
 * What an INF adds goes from the driver database to the keys of a device: see copy_key.h. */
#include "copy_key.h"
#include "ex.h"

VOID PnpCopyText(HANDLE From, PCWSTR Name, HANDLE To, PCWSTR NewName)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    if (!NT_SUCCESS(PnpQueryValue(From, Name, REG_SZ, &Value)))
        return;
    (void)PnpSetData(To, NewName, REG_SZ, Value->Data, Value->DataLength);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
}

/* [WDK "INF DDInstall.HW Section"] these are properties of the device, not parameters of its driver. */
static BOOLEAN PnpIsProperty(const KEY_VALUE_FULL_INFORMATION *Value)
{
    static const PCWSTR Names[] = {L"UpperFilters",          L"LowerFilters", L"DeviceType",
                                   L"DeviceCharacteristics", L"Exclusive",    L"Security"};
    UNICODE_STRING Name = {(USHORT)Value->NameLength, (USHORT)Value->NameLength, (PWCH)Value->Name};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        UNICODE_STRING Known;
        RtlInitUnicodeString(&Known, Names[i]);
        if (RtlEqualUnicodeString(&Name, &Known, TRUE))
            return TRUE;
    }
    return FALSE;
}

/* A value of a key, whatever its length; ExFreePoolWithTag. STATUS_NO_MORE_ENTRIES: there are not so many. */
static NTSTATUS PnpEnumerateValue(HANDLE Key, ULONG Index, KEY_VALUE_FULL_INFORMATION **Value)
{
    ULONG Length = 0;
    NTSTATUS Status = ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL)
        return Status;
    *Value = ExAllocatePool2(POOL_FLAG_PAGED, Length, PNP_TAG_TEXT);
    if (*Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, *Value, Length, &Length);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Value, PNP_TAG_TEXT);
    return Status;
}

static VOID PnpCopyValues(HANDLE From, HANDLE To, HANDLE Properties)
{
    KEY_VALUE_FULL_INFORMATION *Value;
    for (ULONG Index = 0; NT_SUCCESS(PnpEnumerateValue(From, Index, &Value)); Index++) {
        UNICODE_STRING Name = {(USHORT)Value->NameLength, (USHORT)Value->NameLength, Value->Name};
        HANDLE Key = Properties != NULL && PnpIsProperty(Value) ? Properties : To;
        (void)ZwSetValueKey(Key, &Name, 0, Value->Type, (PUCHAR)Value + Value->DataOffset, Value->DataLength);
        ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    }
}

NTSTATUS PnpEnumerateKey(HANDLE Key, ULONG Index, PUNICODE_STRING Name)
{
    ULONG Length = 0;
    NTSTATUS Status = ZwEnumerateKey(Key, Index, KeyBasicInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL)
        return Status;
    KEY_BASIC_INFORMATION *Basic = ExAllocatePool2(POOL_FLAG_PAGED, Length, PNP_TAG_TEXT);
    if (Basic == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwEnumerateKey(Key, Index, KeyBasicInformation, Basic, Length, &Length);
    UNICODE_STRING Found = {(USHORT)Basic->NameLength, (USHORT)Basic->NameLength, Basic->Name};
    if (NT_SUCCESS(Status))
        Status = ObAllocateName(Name, Found.Length);
    if (NT_SUCCESS(Status))
        RtlAppendUnicodeStringToString(Name, &Found);
    ExFreePoolWithTag(Basic, PNP_TAG_TEXT);
    return Status;
}

/* The key of the same name below the other. */
static VOID PnpCopyBelow(HANDLE From, HANDLE To, PCUNICODE_STRING Name)
{
    HANDLE Source, Target;
    if (!NT_SUCCESS(PnpOpenKey(From, L"", Name, L"", KEY_READ, &Source)))
        return;
    if (NT_SUCCESS(PnpMakeKey(To, L"", Name, L"", REG_OPTION_NON_VOLATILE, &Target))) {
        PnpCopyTree(Source, Target, NULL);
        ZwClose(Target);
    }
    ZwClose(Source);
}

VOID PnpCopyTree(HANDLE From, HANDLE To, HANDLE Properties)
{
    UNICODE_STRING Name;
    PnpCopyValues(From, To, Properties);
    for (ULONG Index = 0; NT_SUCCESS(PnpEnumerateKey(From, Index, &Name)); Index++) {
        PnpCopyBelow(From, To, &Name);
        ObFreeName(&Name);
    }
}

VOID PnpCopyNamed(HANDLE Configuration, PCWSTR Name, HANDLE To, HANDLE Properties)
{
    UNICODE_STRING Empty = RTL_CONSTANT_STRING(L"");
    HANDLE From;
    if (!NT_SUCCESS(PnpOpenKey(Configuration, Name, &Empty, L"", KEY_READ, &From)))
        return;
    PnpCopyTree(From, To, Properties);
    ZwClose(From);
}
