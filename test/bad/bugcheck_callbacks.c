/* SPDX-License-Identifier: MIT
 * Stops the system with a callback of each kind registered; the last one says in which order they came and with what.
 * [WDK "Writing a Bug Check Reason Callback Routine"] */
#include <ntddk.h>

static CHAR Order[64];
static ULONG At;
static KBUGCHECK_REASON_CALLBACK_RECORD AddPages, Secondary, DumpIo, Removed;
static KBUGCHECK_CALLBACK_RECORD Reset;

static VOID Note(CHAR What)
{
    if (At + 1 < sizeof(Order))
        Order[At++] = What;
}

/* Two ranges: P, then Q with the context of the first. */
static VOID NTAPI OnAddPages(KBUGCHECK_CALLBACK_REASON Reason, PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                             PVOID Data, ULONG Length)
{
    PKBUGCHECK_ADD_PAGES Pages = Data;
    BOOLEAN First = Pages->Context == NULL;
    if (Reason != KbCallbackAddPages || Record != &AddPages || Length != sizeof(*Pages) ||
        Pages->Flags != 0 || Pages->BugCheckCode != MANUALLY_INITIATED_CRASH)
        Note('!');
    Note(First ? 'P' : 'Q');
    Pages->Flags =
        KB_ADD_PAGES_FLAG_VIRTUAL_ADDRESS | (First ? KB_ADD_PAGES_FLAG_ADDITIONAL_RANGES_EXIST : 0);
    Pages->Address = (ULONG_PTR)Order;
    Pages->Count = 1;
    Pages->Context = Order;
}

/* S when the size is asked for, D for the data. */
static VOID NTAPI OnSecondary(KBUGCHECK_CALLBACK_REASON Reason, PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                              PVOID Data, ULONG Length)
{
    PKBUGCHECK_SECONDARY_DUMP_DATA Dump = Data;
    BOOLEAN Size = Dump->OutBuffer == NULL;
    if (Reason != KbCallbackSecondaryDumpData || Record != &Secondary || Length != sizeof(*Dump) ||
        Dump->InBufferLength < 4 || (!Size && Dump->OutBuffer != Dump->InBuffer))
        Note('!');
    Note(Size ? 'S' : 'D');
    if (!Size)
        RtlCopyMemory(Dump->InBuffer, "\x4e\x54\xff", 3);
    Dump->Guid = (GUID){0x6e74626f, 0x1234, 0x5678, {1, 2, 3, 4, 5, 6, 7, 8}};
    Dump->OutBuffer = Dump->InBuffer;
    Dump->OutBufferLength = 3;
}

/* i for data, C at the end. */
static VOID NTAPI OnDumpIo(KBUGCHECK_CALLBACK_REASON Reason, PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                           PVOID Data, ULONG Length)
{
    PKBUGCHECK_DUMP_IO Io = Data;
    if (Reason != KbCallbackDumpIo || Record != &DumpIo || Length != sizeof(*Io) || Io->Offset != (ULONG64)-1)
        Note('!');
    if (Io->Type == KbDumpIoSecondaryData)
        Note(Io->BufferLength == 3 && *(UCHAR *)Io->Buffer == 0x4e ? 'i' : '!');
    if (Io->Type == KbDumpIoComplete)
        Note(Io->Buffer == NULL && Io->BufferLength == 0 ? 'C' : '!');
}

static VOID NTAPI OnReset(PVOID Buffer, ULONG Length)
{
    Note(Buffer == Order && Length == sizeof(Order) && KeGetCurrentIrql() == HIGH_LEVEL ? 'R' : '!');
    DbgPrint("callbacks ran: %s\n", Order);
}

static VOID Initialize(PKBUGCHECK_REASON_CALLBACK_RECORD Record)
{
    KeInitializeCallbackRecord(Record); /* a macro that wants a pointer's name */
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    Initialize(&DumpIo);
    Initialize(&Secondary);
    Initialize(&AddPages);
    Initialize(&Removed);
    PKBUGCHECK_CALLBACK_RECORD ResetRecord = &Reset;
    KeInitializeCallbackRecord(ResetRecord);
    KeRegisterBugCheckCallback(&Reset, OnReset, Order, sizeof(Order), (PUCHAR) "bugcheck_callbacks: reset");
    KeRegisterBugCheckReasonCallback(&DumpIo, OnDumpIo, KbCallbackDumpIo, (PUCHAR) "bugcheck_callbacks");
    KeRegisterBugCheckReasonCallback(&Removed, OnDumpIo, KbCallbackDumpIo, (PUCHAR) "bugcheck_callbacks");
    KeRegisterBugCheckReasonCallback(&Secondary, OnSecondary, KbCallbackSecondaryDumpData,
                                     (PUCHAR) "bugcheck_callbacks: data");
    KeRegisterBugCheckReasonCallback(&AddPages, OnAddPages, KbCallbackAddPages,
                                     (PUCHAR) "bugcheck_callbacks: pages");
    KeDeregisterBugCheckReasonCallback(&Removed);
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
}
