/* SPDX-License-Identifier: MIT
 * Reading function tables and UNWIND_INFO, versions 1 and 2, with every offset checked against the image.
 *
 *   UNWIND_INFO: | version:3 flags:5 | prolog size | code count | frame register:4 offset/16:4 | codes,
 * padded to an even count | then a handler RVA and its data, or a chained RUNTIME_FUNCTION [MS x64 exception
 * handling] */
#include "unwind.h"

const UCHAR *RtlpImageBytes(const RTL_IMAGE_VIEW *Image, ULONG64 Rva, ULONG Length)
{
    if (Rva > Image->Size || Length > Image->Size - Rva)
        return NULL;
    if (Length != 0 && !RtlpUpcalls.IsReadable(Image->Base + Rva, Length))
        return NULL;
    return (const UCHAR *)(ULONG_PTR)(Image->Base + Rva);
}

BOOLEAN RtlpReadUnwindInfo(const RTL_IMAGE_VIEW *Image, ULONG Rva, RTLP_UNWIND_INFO *Info)
{
    const UCHAR *Header = RtlpImageBytes(Image, Rva, 4);

    if (Header == NULL || Rva % 4 != 0)
        return FALSE;
    Info->Version = Header[0] & 7;
    Info->Flags = Header[0] >> 3;
    Info->PrologSize = Header[1];
    Info->Count = Header[2];
    Info->FrameRegister = Header[3] & 15;
    Info->FrameOffset = (Header[3] >> 4) * 16u;
    Info->Codes = RtlpImageBytes(Image, (ULONG64)Rva + 4, Info->Count * 2u);
    Info->TrailerRva = Rva + 4 + ((Info->Count + 1u) & ~1u) * 2;
    if (Info->Codes == NULL || (Info->Version != 1 && Info->Version != 2))
        return FALSE;
    return !(Info->Flags & UNW_FLAG_CHAININFO) || !(Info->Flags & (UNW_FLAG_EHANDLER | UNW_FLAG_UHANDLER));
}

static ULONG RtlpSlot(const RTLP_UNWIND_INFO *Info, ULONG Index)
{
    return Info->Codes[Index * 2] | (ULONG)Info->Codes[Index * 2 + 1] << 8;
}

/* Slots that an operation takes, 0 if it is not one of this version. */
static ULONG RtlpSlotCount(const RTLP_UNWIND_INFO *Info, ULONG Operation, ULONG OperationInfo)
{
    switch (Operation) {
    case UnwindPushNonvolatile:
    case UnwindAllocSmall:
    case UnwindSetFrameRegister:
        return 1;
    case UnwindPushMachineFrame:
        return OperationInfo <= 1 ? 1 : 0;
    case UnwindAllocLarge:
        return OperationInfo == 0 ? 2 : OperationInfo == 1 ? 3 : 0;
    case UnwindSaveNonvolatile:
    case UnwindSaveXmm:
        return 2;
    case UnwindSaveNonvolatileFar:
    case UnwindSaveXmmFar:
        return 3;
    case UnwindEpilog:
        return Info->Version == 2 ? 1 : 0;
    default:
        return 0;
    }
}

BOOLEAN RtlpReadUnwindCode(const RTLP_UNWIND_INFO *Info, ULONG Index, RTLP_UNWIND_CODE *Code)
{
    Code->PrologOffset = Info->Codes[Index * 2];
    Code->Operation = Info->Codes[Index * 2 + 1] & 15;
    Code->Info = Info->Codes[Index * 2 + 1] >> 4;
    Code->Slots = RtlpSlotCount(Info, Code->Operation, Code->Info);
    Code->Value = 0;
    if (Code->Slots == 0 || Code->Slots > Info->Count - Index)
        return FALSE;
    if (Code->Slots == 2) /* scaled: by 16 for XMM registers, else by 8 */
        Code->Value = RtlpSlot(Info, Index + 1) * (Code->Operation == UnwindSaveXmm ? 16 : 8);
    else if (Code->Slots == 3)
        Code->Value = RtlpSlot(Info, Index + 1) | RtlpSlot(Info, Index + 2) << 16;
    else if (Code->Operation == UnwindAllocSmall)
        Code->Value = Code->Info * 8u + 8;
    return TRUE;
}

static BOOLEAN RtlpReadEntry(const RTL_IMAGE_VIEW *Image, ULONG Rva, RUNTIME_FUNCTION *Entry)
{
    const UCHAR *Bytes = RtlpImageBytes(Image, Rva, sizeof(*Entry));

    if (Bytes == NULL)
        return FALSE;
    memcpy(Entry, Bytes, sizeof(*Entry));
    return TRUE;
}

BOOLEAN RtlpReadChainedEntry(const RTL_IMAGE_VIEW *Image, const RTLP_UNWIND_INFO *Info,
                             RUNTIME_FUNCTION *Entry)
{
    return RtlpReadEntry(Image, Info->TrailerRva, Entry);
}

/* Whether a part of a function begins with the frame already made: it is chained, or its codes belong to no prolog of its own (gcc
 * moves cold code so). */
static BOOLEAN RtlpBeginsWithFrame(const RTL_IMAGE_VIEW *Image, const RUNTIME_FUNCTION *Entry)
{
    RTLP_UNWIND_INFO Info;
    RTLP_UNWIND_CODE Code;

    if (!RtlpReadUnwindInfo(Image, Entry->UnwindData, &Info) || (Info.Flags & UNW_FLAG_CHAININFO))
        return TRUE;
    for (ULONG i = 0; i < Info.Count && Info.PrologSize == 0; i += Code.Slots) {
        if (!RtlpReadUnwindCode(&Info, i, &Code))
            return TRUE;
        if (Code.Operation != UnwindEpilog)
            return TRUE;
    }
    return FALSE;
}

/* Whether a jump to Rva can be a tail call: to the start of a function, or to a leaf function, which has no entry. */
BOOLEAN RtlpIsCallable(const RTL_IMAGE_VIEW *Image, ULONG Rva)
{
    const RUNTIME_FUNCTION *Entry = RtlpFindFunction(Image, Rva);

    return Entry == NULL || (Rva == Entry->BeginAddress && !RtlpBeginsWithFrame(Image, Entry));
}

/* Binary search; an entry whose unwind data has bit 0 set stands for the entry at that address. */
const RUNTIME_FUNCTION *RtlpFindFunction(const RTL_IMAGE_VIEW *Image, ULONG Rva)
{
    ULONG Low = 0, High = Image->FunctionCount;

    while (Low < High) {
        ULONG Middle = Low + (High - Low) / 2;
        const RUNTIME_FUNCTION *Entry = &Image->FunctionTable[Middle];
        if (Rva < Entry->BeginAddress) {
            High = Middle;
        } else if (Rva >= Entry->EndAddress) {
            Low = Middle + 1;
        } else if (Entry->UnwindData & 1) {
            ULONG Target = Entry->UnwindData & ~1u;
            return Target % 4 != 0 ? NULL
                                   : (const RUNTIME_FUNCTION *)RtlpImageBytes(Image, Target, sizeof(*Entry));
        } else {
            return Entry;
        }
    }
    return NULL;
}

/* [WDK RtlLookupFunctionEntry] NULL for a leaf function; *ImageBase is 0 when ControlPc is in no image. The
 * history table is a hint and is not used. */
PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase,
                                               PUNWIND_HISTORY_TABLE HistoryTable)
{
    RTL_IMAGE_VIEW Image;

    UNREFERENCED_PARAMETER(HistoryTable);
    *ImageBase = 0;
    if (!RtlpUpcalls.FindImage(ControlPc, &Image))
        return NULL;
    *ImageBase = Image.Base;
    return (PRUNTIME_FUNCTION)RtlpFindFunction(&Image, (ULONG)(ControlPc - Image.Base));
}

/* [WDK RtlPcToFileHeader] NULL, also in *BaseOfImage, when the address is in no image. */
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage)
{
    RTL_IMAGE_VIEW Image;

    *BaseOfImage = NULL;
    if (RtlpUpcalls.FindImage((ULONG64)(ULONG_PTR)PcValue, &Image))
        *BaseOfImage = (PVOID)(ULONG_PTR)Image.Base;
    return *BaseOfImage;
}
