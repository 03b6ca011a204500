/* SPDX-License-Identifier: MIT
 * The report channel: records into the ring that the host reads (include/report_format.h). Lock-free: usable in any
 * context, NMI and bug check included. The format is checked here once, the host checks everything again. */
#include "kdp.h"
#include "hal.h"

static REPORT_HEADER *KdpChannel; /* NULL: no channel */
static PUCHAR KdpRing;
static ULONG64 KdpRingLength;
static ULONG64 KdpSequence;

BOOLEAN KdOpenReport(PVOID Memory, ULONG64 Length)
{
    REPORT_HEADER *Header = Memory;

    if (Header->Magic != REPORT_MAGIC) {
        KdLog("report channel: the shared memory has no header; nothing is reported");
        return FALSE;
    }
    if (Header->Version != REPORT_VERSION) {
        KdLog("report channel: the host speaks version %u, this kernel %u; nothing is reported",
              (unsigned)Header->Version, REPORT_VERSION);
        return FALSE;
    }
    if ((Header->RingLength & (Header->RingLength - 1)) != 0 || Header->RingLength < REPORT_MAX_RECORD ||
        Length < REPORT_DATA_OFFSET || Header->RingLength > Length - REPORT_DATA_OFFSET) {
        KdLog("report channel: a ring of %llu bytes does not fit its memory",
              (unsigned long long)Header->RingLength);
        return FALSE;
    }
    KdpRing = (PUCHAR)Memory + REPORT_DATA_OFFSET;
    KdpRingLength = Header->RingLength;
    Header->GuestVersion = REPORT_VERSION;
    __atomic_store_n(&KdpChannel, Header, __ATOMIC_RELEASE);
    return TRUE;
}

static VOID KdpPublish(ULONG64 At, ULONG Length, USHORT Type)
{
    REPORT_RECORD *Record = (REPORT_RECORD *)(KdpRing + (At & (KdpRingLength - 1)));
    ULONG Processor;

    __asm__ volatile("movl %%gs:0x1a4, %0" : "=r"(Processor));
    Record->Type = Type;
    Record->Irql = ArchGetIrql();
    Record->Processor = Processor;
    Record->Time = HalQueryInterruptTime();
    Record->Sequence = __atomic_add_fetch(&KdpSequence, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&Record->Length, Length, __ATOMIC_RELEASE);
}

/* Reserves Length bytes that do not wrap, with a pad record before them when the ring's end is too near. */
static BOOLEAN KdpReserve(ULONG Length, ULONG64 *At)
{
    ULONG64 Start = __atomic_load_n(&KdpChannel->Produced, __ATOMIC_RELAXED), Pad;

    do {
        ULONG64 ToEnd = KdpRingLength - (Start & (KdpRingLength - 1));
        Pad = ToEnd < Length ? ToEnd : 0;
        ULONG64 Used = Start + Pad + Length - __atomic_load_n(&KdpChannel->Consumed, __ATOMIC_ACQUIRE);
        if (Used > KdpRingLength) {
            __atomic_add_fetch(&KdpChannel->Lost, 1, __ATOMIC_RELAXED);
            __atomic_add_fetch(&KdpSequence, 1, __ATOMIC_RELAXED);
            return FALSE;
        }
    } while (!__atomic_compare_exchange_n(&KdpChannel->Produced, &Start, Start + Pad + Length, FALSE,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if (Pad != 0) /* Length and Type only: a pad may be as short as 8 bytes */
        __atomic_store_n((ULONG64 *)(KdpRing + (Start & (KdpRingLength - 1))), Pad | (ULONG64)ReportPad << 32,
                         __ATOMIC_RELEASE);
    *At = Start + Pad;
    return TRUE;
}

static PUCHAR KdpPutField(PUCHAR At, const KD_FIELD *Field)
{
    REPORT_FIELD *Header = (REPORT_FIELD *)At;

    Header->Kind = Field->Kind;
    Header->Key = Field->Key;
    Header->Length = Field->Length;
    if (Field->Kind == ReportKindNumber)
        *(ULONG64 *)(Header + 1) = Field->Number;
    else
        memcpy(Header + 1, Field->Data, Field->Length);
    return At + sizeof(*Header) + ALIGN_UP_BY(Field->Length, 8);
}

KD_LEAKS KdLeaks;

VOID KdMeasureLeak(ULONG64 Blocks, ULONG64 Pages)
{
    InterlockedExchangeAdd64(&KdLeaks.Blocks, (LONG64)Blocks);
    InterlockedExchangeAdd64(&KdLeaks.Pages, (LONG64)Pages);
    InterlockedExchangeAdd64(&KdLeaks.Measured, 1);
}

VOID KdReportFields(REPORT_TYPE Type, const KD_FIELD *Fields, ULONG Count)
{
    ULONG64 Length = sizeof(REPORT_RECORD), At;

    if (Type == ReportLeak)
        InterlockedExchangeAdd64(&KdLeaks.Count, 1);
    if (KdpChannel == NULL)
        return;
    for (ULONG i = 0; i < Count; i++)
        Length += sizeof(REPORT_FIELD) + ALIGN_UP_BY((ULONG64)Fields[i].Length, 8);
    if (Length > REPORT_MAX_RECORD || !KdpReserve((ULONG)Length, &At))
        return;
    PUCHAR Next = KdpRing + (At & (KdpRingLength - 1)) + sizeof(REPORT_RECORD);
    for (ULONG i = 0; i < Count; i++)
        Next = KdpPutField(Next, &Fields[i]);
    KdpPublish(At, (ULONG)Length, (USHORT)Type);
}

VOID KdReportEncoded(REPORT_TYPE Type, const void *Fields, ULONG Length)
{
    ULONG64 At;

    if (KdpChannel == NULL || Length > REPORT_MAX_RECORD - sizeof(REPORT_RECORD) ||
        !KdpReserve((ULONG)sizeof(REPORT_RECORD) + Length, &At))
        return;
    memcpy(KdpRing + (At & (KdpRingLength - 1)) + sizeof(REPORT_RECORD), Fields, Length);
    KdpPublish(At, (ULONG)sizeof(REPORT_RECORD) + Length, (USHORT)Type);
}

ULONG64 KdReadAnswer(PULONG64 Answered)
{
    *Answered = KdpChannel != NULL ? __atomic_load_n(&KdpChannel->Answered, __ATOMIC_ACQUIRE) : 0;
    return KdpChannel != NULL ? KdpChannel->Refused : 0;
}

BOOLEAN KdFieldsAreValid(const void *Fields, ULONG Length)
{
    ULONG At = 0;

    while (Length - At >= sizeof(REPORT_FIELD)) {
        const REPORT_FIELD *Field = (const REPORT_FIELD *)((const UCHAR *)Fields + At);
        ULONG64 Next = (ULONG64)At + sizeof(*Field) + ALIGN_UP_BY((ULONG64)Field->Length, 8);
        BOOLEAN KindIsRight = Field->Kind == ReportKindText || Field->Kind == ReportKindBytes ||
                              (Field->Kind == ReportKindNumber && Field->Length == 8);
        if (!KindIsRight || Next > Length)
            return FALSE;
        At = (ULONG)Next;
    }
    return At == Length;
}

KD_FIELD KdTextField(UCHAR Key, PCSTR Text)
{
    return KD_TEXTN(Key, Text, Text != NULL ? strlen(Text) : 0);
}

static ULONG KdpPutUtf8(PCHAR At, ULONG Room, ULONG Code)
{
    if (Code < 0x80 && Room >= 1) {
        At[0] = (CHAR)Code;
        return 1;
    }
    if (Code >= 0x80 && Code < 0x800 && Room >= 2) {
        At[0] = (CHAR)(0xc0 | Code >> 6);
        At[1] = (CHAR)(0x80 | (Code & 63));
        return 2;
    }
    if (Code >= 0x800 && Room >= 3) {
        At[0] = (CHAR)(0xe0 | Code >> 12);
        At[1] = (CHAR)(0x80 | (Code >> 6 & 63));
        At[2] = (CHAR)(0x80 | (Code & 63));
        return 3;
    }
    return 0;
}

/* Surrogates become U+FFFD: names of objects are text for people here. */
KD_FIELD KdUnicodeField(UCHAR Key, PCUNICODE_STRING Text, PCHAR Buffer, ULONG BufferLength)
{
    ULONG Length = 0, Put;

    for (ULONG i = 0; i < Text->Length / sizeof(WCHAR); i++) {
        WCHAR Unit = Text->Buffer[i];
        Put = KdpPutUtf8(Buffer + Length, BufferLength - Length, (Unit & 0xf800) == 0xd800 ? 0xfffd : Unit);
        if (Put == 0)
            break;
        Length += Put;
    }
    return KD_TEXTN(Key, Buffer, Length);
}
