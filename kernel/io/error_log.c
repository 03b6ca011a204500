/* SPDX-License-Identifier: MIT
 * Error log entries. Windows writes them to the System event log; here each is a line of the kernel's log (D-181). */
#include "iop.h"
#include "ex.h"
#include "kd.h"

/* In front of the packet that the driver fills in. */
typedef struct _IOP_ERROR_ENTRY {
    PVOID IoObject; /* referenced */
    ULONG Size;     /* bytes of the packet with its strings */
    ULONG Reserved;
    DECLSPEC_ALIGN(16) IO_ERROR_LOG_PACKET Packet;
} IOP_ERROR_ENTRY;

static IOP_ERROR_ENTRY *IopErrorEntry(PVOID Packet)
{
    return CONTAINING_RECORD(Packet, IOP_ERROR_ENTRY, Packet);
}

/* [WDK IoAllocateErrorLogEntry] IoObject: a device or driver object. NULL when memory is short or the size is not between that of the
 * packet and ERROR_LOG_MAXIMUM_SIZE. IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE PVOID NTAPI IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (IoObject == NULL || EntrySize < sizeof(IO_ERROR_LOG_PACKET) || EntrySize > ERROR_LOG_MAXIMUM_SIZE)
        return NULL;
    SIZE_T Size = FIELD_OFFSET(IOP_ERROR_ENTRY, Packet) + EntrySize;
    IOP_ERROR_ENTRY *Entry =
        ExAllocatePoolForOwner(NonPagedPoolNx, Size, IOP_TAG_ERROR_LOG, __builtin_return_address(0));
    if (Entry == NULL)
        return NULL;
    RtlZeroMemory(Entry, Size);
    ObfReferenceObject(IoObject);
    Entry->IoObject = IoObject;
    Entry->Size = EntrySize;
    return &Entry->Packet;
}

/* [WDK IoFreeErrorLogEntry] an entry that is not written. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoFreeErrorLogEntry(PVOID Packet)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_ERROR_ENTRY *Entry = IopErrorEntry(Packet);
    ObfDereferenceObject(Entry->IoObject);
    ExFreePoolWithTag(Entry, IOP_TAG_ERROR_LOG);
}

static PCSTR IopErrorDriver(const IOP_ERROR_ENTRY *Entry)
{
    PDRIVER_OBJECT Driver = ObTypeOf(Entry->IoObject) == IoDeviceObjectType
                                ? ((PDEVICE_OBJECT)Entry->IoObject)->DriverObject
                                : Entry->IoObject;
    PCSTR Name = KdModuleNameOf(Driver->DriverStart);
    return Name != NULL ? Name : "the kernel";
}

/* What the driver says of its strings is held against the entry's size. */
static VOID IopLogStrings(const IOP_ERROR_ENTRY *Entry)
{
    ULONG At = Entry->Packet.StringOffset;
    for (ULONG I = 0; I < Entry->Packet.NumberOfStrings && At < Entry->Size; I++) {
        PWCH Text = (PWCH)((PUCHAR)&Entry->Packet + At);
        ULONG Length = 0;
        while (At + (Length + 1) * sizeof(WCHAR) <= Entry->Size && Text[Length] != 0)
            Length++;
        UNICODE_STRING String = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)), Text};
        KdLog("    \"%wZ\"", &String);
        At += (Length + 1) * sizeof(WCHAR);
    }
}

/* [WDK IoWriteErrorLogEntry] frees the entry. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoWriteErrorLogEntry(PVOID Packet)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    const IO_ERROR_LOG_PACKET *Error = Packet;
    KdLog("%s: error log entry 0x%08x: unique value 0x%x, final status 0x%08x, %u bytes of data",
          IopErrorDriver(IopErrorEntry(Packet)), (unsigned)Error->ErrorCode,
          (unsigned)Error->UniqueErrorValue, (unsigned)Error->FinalStatus, Error->DumpDataSize);
    IopLogStrings(IopErrorEntry(Packet));
    IoFreeErrorLogEntry(Packet);
}
