/* SPDX-License-Identifier: MIT
 * Which driver package is a device's: the IDs of the device against those of the packages in \Registry\Machine\System\DriverDatabase, which
 * the host wrote from INF files. [WDK "How Windows Ranks Drivers", "Identifier Score"] */
#include "match.h"
#include "crt.h"
#include "ex.h"

/* [WDK "Identifier Score"] less is better: an ID that the INF calls a hardware ID before one that it calls compatible, hardware IDs of the device
 * before its compatible IDs, each from the most specific one down. */
#define PNP_SCORE_INF_COMPATIBLE 0x1000u
#define PNP_SCORE_DEVICE_COMPATIBLE 0x2000u

static VOID PnpOffer(PNP_MATCH *Match, ULONG Score, const KEY_VALUE_FULL_INFORMATION *Value,
                     PCUNICODE_STRING Id)
{
    ULONG Length = min(Value->NameLength, (ULONG)(sizeof(Match->Package) - sizeof(WCHAR)));
    if (Score >= Match->Score || Id->Length >= sizeof(Match->Id))
        return;
    Match->Score = Score;
    RtlZeroMemory(Match->Package, sizeof(Match->Package));
    RtlZeroMemory(Match->Id, sizeof(Match->Id));
    RtlCopyMemory(Match->Package, Value->Name, Length);
    RtlCopyMemory(Match->Id, Id->Buffer, Id->Length);
}

/* Each value is a package that has the ID, with its place among the package's. */
static VOID PnpOfferPackages(PNP_MATCH *Match, HANDLE Key, ULONG Base, PCUNICODE_STRING Id)
{
    union {
        KEY_VALUE_FULL_INFORMATION Information;
        UCHAR Room[512];
    } Value;
    ULONG Length;
    for (ULONG Index = 0;; Index++) {
        NTSTATUS Status =
            ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, &Value, sizeof(Value), &Length);
        if (Status == STATUS_NO_MORE_ENTRIES)
            return;
        if (!NT_SUCCESS(Status) || Value.Information.Type != REG_DWORD ||
            Value.Information.DataLength != sizeof(ULONG))
            continue;
        ULONG Place = *(const UNALIGNED ULONG *)((PUCHAR)&Value + Value.Information.DataOffset);
        PnpOffer(Match, Base + (Place == 0 ? 0 : PNP_SCORE_INF_COMPATIBLE), &Value.Information, Id);
    }
}

static VOID PnpTryId(PNP_MATCH *Match, PCUNICODE_STRING Id, ULONG Base)
{
    HANDLE Key;
    if (!NT_SUCCESS(PnpOpenKey(NULL, PNP_DATABASE L"DeviceIds\\", Id, L"", KEY_READ, &Key)))
        return;
    PnpOfferPackages(Match, Key, Base, Id);
    ZwClose(Key);
}

static VOID PnpTryIds(PNP_MATCH *Match, HANDLE Device, PCWSTR Name, ULONG Base)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    UNICODE_STRING Id;
    ULONG At = 0, Place = 0;
    if (!NT_SUCCESS(PnpQueryValue(Device, Name, REG_MULTI_SZ, &Value)))
        return;
    while (PnpNextText((const WCHAR *)Value->Data, Value->DataLength, &At, &Id))
        PnpTryId(Match, &Id, Base + Place++);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
}

NTSTATUS PnpFindPackage(HANDLE Device, PNP_MATCH *Match)
{
    Match->Score = MAXULONG;
    PnpTryIds(Match, Device, L"HardwareID", 0);
    PnpTryIds(Match, Device, L"CompatibleIDs", PNP_SCORE_DEVICE_COMPATIBLE);
    return Match->Score != MAXULONG ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}
