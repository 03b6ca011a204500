/* SPDX-License-Identifier: MIT
 * What drivers want to do when the system stops: reset a device, or add data to the dump. There is no dump file (D-062): what
 * they would add goes to the log. [WDK KeRegisterBugCheckCallback, KeRegisterBugCheckReasonCallback; "Writing a Bug Check
 * Reason Callback Routine"]
 *
 * A record is the driver's memory and in one of two lists. A processor may be frozen while it changes a list: the forward links
 * are right at each instant, and the bug check follows no others. */
#include "ki.h"

static ARCH_LOCK KiCallbackLock = ARCH_LOCK_INIT("BugCheckCallbacks", LockRankHal, HIGH_LEVEL);
static LIST_ENTRY KiCallbacks = {&KiCallbacks, &KiCallbacks}; /* (KiCallbackLock) KBUGCHECK_CALLBACK_RECORD */
static LIST_ENTRY KiReasons = {&KiReasons,
                               &KiReasons}; /* (KiCallbackLock) KBUGCHECK_REASON_CALLBACK_RECORD */

/* --- registration: any IRQL ------------------------------------------------------------------------------------------- */

static ULONG_PTR KiCallbackSum(PKBUGCHECK_CALLBACK_RECORD Record)
{
    return (ULONG_PTR)Record->CallbackRoutine + (ULONG_PTR)Record->Buffer + Record->Length +
           (ULONG_PTR)Record->Component;
}

static ULONG_PTR KiReasonSum(PKBUGCHECK_REASON_CALLBACK_RECORD Record)
{
    return (ULONG_PTR)Record->CallbackRoutine + (ULONG_PTR)Record->Component + Record->Reason;
}

static BOOLEAN KiRemoveRecord(PLIST_ENTRY Entry, PUCHAR State)
{
    KIRQL OldIrql = ArchAcquireLock(&KiCallbackLock);
    BOOLEAN Inserted = *State == BufferInserted;
    if (Inserted) {
        RemoveEntryList(Entry);
        *State = BufferEmpty;
    }
    ArchReleaseLock(&KiCallbackLock, OldIrql);
    return Inserted;
}

/* [WDK KeRegisterBugCheckCallback] FALSE: the record is registered already, or was not initialized. */
BOOLEAN NTAPI KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer,
                                         ULONG Length, PUCHAR Component)
{
    KIRQL OldIrql = ArchAcquireLock(&KiCallbackLock);
    BOOLEAN Empty = CallbackRecord->State == BufferEmpty;
    if (Empty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Buffer = Buffer;
        CallbackRecord->Length = Length;
        CallbackRecord->Component = Component;
        CallbackRecord->Checksum = KiCallbackSum(CallbackRecord);
        CallbackRecord->State = BufferInserted;
        InsertTailList(&KiCallbacks, &CallbackRecord->Entry);
    }
    ArchReleaseLock(&KiCallbackLock, OldIrql);
    return Empty;
}

/* [WDK KeDeregisterBugCheckCallback] FALSE: it is not registered. */
BOOLEAN NTAPI KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord)
{
    return KiRemoveRecord(&CallbackRecord->Entry, &CallbackRecord->State);
}

static BOOLEAN KiKnowsReason(KBUGCHECK_CALLBACK_REASON Reason)
{
    return Reason == KbCallbackSecondaryDumpData || Reason == KbCallbackDumpIo ||
           Reason == KbCallbackAddPages;
}

/* [WDK KeRegisterBugCheckReasonCallback] FALSE: registered already, or a reason for which nothing would be called (D-062). */
BOOLEAN NTAPI KeRegisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord,
                                               PKBUGCHECK_REASON_CALLBACK_ROUTINE CallbackRoutine,
                                               KBUGCHECK_CALLBACK_REASON Reason, PUCHAR Component)
{
    if (!KiKnowsReason(Reason))
        return FALSE;
    KIRQL OldIrql = ArchAcquireLock(&KiCallbackLock);
    BOOLEAN Empty = CallbackRecord->State == BufferEmpty;
    if (Empty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Component = Component;
        CallbackRecord->Reason = Reason;
        CallbackRecord->Checksum = KiReasonSum(CallbackRecord);
        CallbackRecord->State = BufferInserted;
        InsertTailList(&KiReasons, &CallbackRecord->Entry);
    }
    ArchReleaseLock(&KiCallbackLock, OldIrql);
    return Empty;
}

/* [WDK KeDeregisterBugCheckReasonCallback] FALSE: it is not registered. */
BOOLEAN NTAPI KeDeregisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord)
{
    return KiRemoveRecord(&CallbackRecord->Entry, &CallbackRecord->State);
}

/* --- what an unloaded driver left ------------------------------------------------------------------------------------- */

typedef struct _KI_IMAGE_RANGE {
    ULONG_PTR Base;
    SIZE_T Size;
} KI_IMAGE_RANGE;

static BOOLEAN KiRecordLiesIn(const void *Record, const void *Routine, const KI_IMAGE_RANGE *Image)
{
    return (ULONG_PTR)Record - Image->Base < Image->Size || (ULONG_PTR)Routine - Image->Base < Image->Size;
}

/* KiCallbackLock held. Takes the records of an image out of one list. */
static ULONG KiTakeCallbacks(const KI_IMAGE_RANGE *Image)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = KiCallbacks.Flink, Next; Entry != &KiCallbacks; Entry = Next) {
        PKBUGCHECK_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry);
        Next = Entry->Flink;
        if (!KiRecordLiesIn(Record, (PVOID)Record->CallbackRoutine, Image))
            continue;
        RemoveEntryList(Entry);
        Record->State = BufferEmpty;
        Count++;
    }
    return Count;
}

static ULONG KiTakeReasons(const KI_IMAGE_RANGE *Image)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = KiReasons.Flink, Next; Entry != &KiReasons; Entry = Next) {
        PKBUGCHECK_REASON_CALLBACK_RECORD Record =
            CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);
        Next = Entry->Flink;
        if (!KiRecordLiesIn(Record, (PVOID)Record->CallbackRoutine, Image))
            continue;
        RemoveEntryList(Entry);
        Record->State = BufferEmpty;
        Count++;
    }
    return Count;
}

static VOID KiReportCallbacks(PCSTR Driver, PCSTR Kind, ULONG Count)
{
    if (Count == 0)
        return;
    KdLog("%s: %lu %ss were not deregistered; they are now", Driver, Count, Kind);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, Count));
}

VOID KeReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size)
{
    const KI_IMAGE_RANGE Image = {(ULONG_PTR)Base, Size};
    KIRQL OldIrql = ArchAcquireLock(&KiCallbackLock);
    ULONG Count = KiTakeCallbacks(&Image) + KiTakeReasons(&Image);

    ArchReleaseLock(&KiCallbackLock, OldIrql);
    KiReportCallbacks(Driver, "bug check callback", Count);
    KiReportCallbacks(Driver, "NMI callback", KiTakeNmiCallbacks(Base, Size));
}

/* --- at the bug check: HIGH_LEVEL, all others frozen ------------------------------------------------------------------ */

/* The memory can be read. */
static BOOLEAN KiIsThere(const void *Address, SIZE_T Size)
{
    for (ULONG_PTR Page = (ULONG_PTR)Address & ~(ULONG_PTR)(PAGE_SIZE - 1); Page < (ULONG_PTR)Address + Size;
         Page += PAGE_SIZE)
        if (!MmIsAddressValid((PVOID)Page))
            return FALSE;
    return TRUE;
}

/* FALSE, and a line in the log: the record's driver has gone, or somebody wrote to it. */
static BOOLEAN KiMayCall(const void *Routine, BOOLEAN SumIsRight, const void *Record)
{
    KI_SYMBOL Symbol;

    KiUpcalls->Symbolize(Routine, &Symbol);
    if (SumIsRight && Symbol.Module[0] != 0)
        return TRUE;
    KdLogError("*** bug check callback record %p: %s; not called", Record,
               SumIsRight ? "its routine is in no loaded image" : "it was changed after it was registered");
    return FALSE;
}

/* The record after Entry; NULL: the last, or memory that was freed. */
static PLIST_ENTRY KiNextRecord(PLIST_ENTRY Head, PLIST_ENTRY Entry, SIZE_T Size)
{
    PLIST_ENTRY Next = Entry->Flink;

    if (Next == Head)
        return NULL;
    if (KiIsThere(Next, Size))
        return Next;
    KdLogError("*** bug check callback record %p is freed memory: no further ones are called", Next);
    return NULL;
}

static PKBUGCHECK_REASON_CALLBACK_RECORD KiNextReason(PLIST_ENTRY Entry, KBUGCHECK_CALLBACK_REASON Reason)
{
    while ((Entry = KiNextRecord(&KiReasons, Entry, sizeof(KBUGCHECK_REASON_CALLBACK_RECORD))) != NULL) {
        PKBUGCHECK_REASON_CALLBACK_RECORD Record =
            CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);
        if (Record->Reason == Reason &&
            KiMayCall(Record->CallbackRoutine, Record->Checksum == KiReasonSum(Record), Record))
            return Record;
    }
    return NULL;
}

static PCSTR KiComponent(const UCHAR *Component)
{
    return Component != NULL && KiIsThere(Component, 32) ? (PCSTR)Component : "?";
}

#define KI_MAX_RANGES 64 /* of one callback: one that always wants more shall not stop the report */

static VOID KiAddPages(ULONG Code)
{
    for (PKBUGCHECK_REASON_CALLBACK_RECORD Record = KiNextReason(&KiReasons, KbCallbackAddPages);
         Record != NULL; Record = KiNextReason(&Record->Entry, KbCallbackAddPages)) {
        KBUGCHECK_ADD_PAGES Pages = {.Context = NULL, .BugCheckCode = Code};
        ULONG Ranges = 0;
        do {
            Pages.Flags = 0;
            Pages.Address = Pages.Count = 0;
            Record->CallbackRoutine(KbCallbackAddPages, Record, &Pages, sizeof(Pages));
            KdLog("%.32s would add %llu pages at %s address %llx to a dump", KiComponent(Record->Component),
                  (unsigned long long)Pages.Count,
                  (Pages.Flags & KB_ADD_PAGES_FLAG_PHYSICAL_ADDRESS) != 0 ? "physical" : "virtual",
                  (unsigned long long)Pages.Address);
        } while ((Pages.Flags & KB_ADD_PAGES_FLAG_ADDITIONAL_RANGES_EXIST) != 0 && ++Ranges < KI_MAX_RANGES);
    }
}

static VOID KiTellDumpIo(KBUGCHECK_DUMP_IO_TYPE Type, PVOID Buffer, ULONG Length)
{
    for (PKBUGCHECK_REASON_CALLBACK_RECORD Record = KiNextReason(&KiReasons, KbCallbackDumpIo);
         Record != NULL; Record = KiNextReason(&Record->Entry, KbCallbackDumpIo)) {
        KBUGCHECK_DUMP_IO Io = {
            .Offset = (ULONG64)-1, .Buffer = Buffer, .BufferLength = Length, .Type = Type}; /* in sequence */
        Record->CallbackRoutine(KbCallbackDumpIo, Record, &Io, sizeof(Io));
    }
}

static VOID KiLogBytes(const UCHAR *Bytes, ULONG Length)
{
    for (ULONG At = 0; At < Length; At += 16) {
        CHAR Line[16 * 3 + 1];
        ULONG To = 0;
        for (ULONG i = At; i < Length && i < At + 16; i++) {
            Line[To++] = ' ';
            Line[To++] = "0123456789abcdef"[Bytes[i] >> 4];
            Line[To++] = "0123456789abcdef"[Bytes[i] & 15];
        }
        Line[To] = 0;
        KdLog("  %04x:%s", (unsigned)At, Line);
    }
}

#define KI_MAX_SECONDARY 0x10000u /* of one callback */
#define KI_LOGGED_SECONDARY 256u

static VOID KiLogSecondary(PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                           const KBUGCHECK_SECONDARY_DUMP_DATA *Data)
{
    const GUID *Guid = &Data->Guid;
    KdLog("%.32s added %u bytes, {%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
          KiComponent(Record->Component), (unsigned)Data->OutBufferLength, (unsigned)Guid->Data1, Guid->Data2,
          Guid->Data3, Guid->Data4[0], Guid->Data4[1], Guid->Data4[2], Guid->Data4[3], Guid->Data4[4],
          Guid->Data4[5], Guid->Data4[6], Guid->Data4[7]);
    KiLogBytes(Data->OutBuffer,
               Data->OutBufferLength < KI_LOGGED_SECONDARY ? Data->OutBufferLength : KI_LOGGED_SECONDARY);
}

/* First the size is asked for (OutBuffer is NULL), then the data (OutBuffer is InBuffer). */
static VOID KiAddSecondaryData(VOID)
{
    static DECLSPEC_ALIGN(16) UCHAR Room[PAGE_SIZE];

    for (PKBUGCHECK_REASON_CALLBACK_RECORD Record = KiNextReason(&KiReasons, KbCallbackSecondaryDumpData);
         Record != NULL; Record = KiNextReason(&Record->Entry, KbCallbackSecondaryDumpData)) {
        KBUGCHECK_SECONDARY_DUMP_DATA Data = {
            .InBuffer = Room, .InBufferLength = sizeof(Room), .MaximumAllowed = KI_MAX_SECONDARY};
        Record->CallbackRoutine(KbCallbackSecondaryDumpData, Record, &Data, sizeof(Data));
        if (Data.OutBuffer == NULL || Data.OutBufferLength == 0)
            continue;
        Data.OutBuffer = Data.InBuffer = Room;
        Data.OutBufferLength = 0;
        Record->CallbackRoutine(KbCallbackSecondaryDumpData, Record, &Data, sizeof(Data));
        if (Data.OutBufferLength > KI_MAX_SECONDARY || !KiIsThere(Data.OutBuffer, Data.OutBufferLength)) {
            KdLogError("*** %.32s has %u bytes at %p for a dump, which are too many or not there",
                       KiComponent(Record->Component), (unsigned)Data.OutBufferLength, Data.OutBuffer);
            continue;
        }
        KiLogSecondary(Record, &Data);
        KiTellDumpIo(KbDumpIoSecondaryData, Data.OutBuffer, Data.OutBufferLength);
    }
}

/* [WDK KeRegisterBugCheckCallback] The routines run when the dump has been written; each once. */
static VOID KiRunPlainCallbacks(VOID)
{
    PLIST_ENTRY Entry = &KiCallbacks;

    while ((Entry = KiNextRecord(&KiCallbacks, Entry, sizeof(KBUGCHECK_CALLBACK_RECORD))) != NULL) {
        PKBUGCHECK_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry);
        if (Record->State != BufferInserted ||
            !KiMayCall(Record->CallbackRoutine, Record->Checksum == KiCallbackSum(Record), Record))
            continue;
        Record->State = BufferStarted;
        Record->CallbackRoutine(Record->Buffer, Record->Length);
        Record->State = BufferFinished;
    }
}

VOID KiRunBugCheckCallbacks(ULONG Code)
{
    KiAddPages(Code);
    KiAddSecondaryData();
    KiTellDumpIo(KbDumpIoComplete, NULL, 0);
    KiRunPlainCallbacks();
}
