/* SPDX-License-Identifier: MIT
 * Names of bytes, for file systems on disk formats that have them. The code page has one byte for each character, so a DBCS name is a string of
 * ANSI characters. [WDK FsRtlDoesDbcsContainWildCards, FsRtlDissectDbcs] */
#include "io.h"
#include "ke.h"

/* [WDK FsRtlDoesDbcsContainWildCards] */
BOOLEAN NTAPI FsRtlDoesDbcsContainWildCards(PANSI_STRING Name)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    for (ULONG I = 0; I < Name->Length; I++) {
        UCHAR Character = (UCHAR)Name->Buffer[I];
        if (Character < 128 && (FsRtlLegalAnsiCharacterArray[Character] & FSRTL_WILD_CHARACTER))
            return TRUE;
    }
    return FALSE;
}

static ANSI_STRING FsRtlpPart(const ANSI_STRING *Name, ULONG From, ULONG To)
{
    USHORT Length = (USHORT)(To - From);
    return (ANSI_STRING){Length, Length, Length == 0 ? NULL : Name->Buffer + From};
}

/* [WDK FsRtlDissectDbcs] a backslash at the beginning is passed over; what follows the first part's backslash remains. */
VOID NTAPI FsRtlDissectDbcs(ANSI_STRING Name, PANSI_STRING FirstPart, PANSI_STRING RemainingPart)
{
    ULONG Begin = Name.Length != 0 && Name.Buffer[0] == '\\', End = Begin;
    while (End < Name.Length && Name.Buffer[End] != '\\')
        End++;
    *FirstPart = FsRtlpPart(&Name, Begin, End);
    *RemainingPart = FsRtlpPart(&Name, min(End + 1, Name.Length), Name.Length);
}

/* [WDK FsRtlIsTotalDeviceFailure] of a sector is not of the disk. */
BOOLEAN NTAPI FsRtlIsTotalDeviceFailure(NTSTATUS Status)
{
    return !NT_SUCCESS(Status) && Status != STATUS_CRC_ERROR && Status != STATUS_DEVICE_DATA_ERROR;
}
