/* SPDX-License-Identifier: MIT
 * Completion ports by handle: make, open, wait for packets, put one in, ask how many there are. ntoskrnl.exe exports three of them, as Zw; the
 * others are what user mode calls. [Win32 devnotes NtRemoveIoCompletion] [Win32 PostQueuedCompletionStatus, GetQueuedCompletionStatusEx] */
#include "completion.h"
#include "mm_caller.h"

#define IOP_PACKETS_AT_ONCE                                                                                  \
    64u /* below STATUS_ABANDONED, the smallest status that KeRemoveQueueEx returns in place of a count */

static NTSTATUS IopPortByHandle(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PKQUEUE *Port)
{
    return ObReferenceObjectByHandle(Handle, Access, IopCompletionType, Mode, (PVOID *)Port, NULL);
}

static NTSTATUS IopCreatePort(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Count,
                              KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PKQUEUE Port;
    HANDLE New;
    NTSTATUS Status = MmProbeCallerOutput(Handle, sizeof(*Handle), Mode);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, IopCompletionType, Attributes, Mode, NULL, sizeof(*Port), 0, 0,
                                (PVOID *)&Port);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeQueue(Port, Count);
    Status = ObInsertObject(Port, NULL, Access, 0, NULL, &New);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(Handle, New, Mode);
    return NT_SUCCESS(Given) ? Status : Given;
}

NTSTATUS NTAPI ZwCreateIoCompletion(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                    ULONG Count)
{
    return IopCreatePort(Handle, Access, Attributes, Count, KernelMode);
}

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                    ULONG Count)
{
    return IopCreatePort(Handle, Access, Attributes, Count, ExGetPreviousMode());
}

NTSTATUS NTAPI NtOpenIoCompletion(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    HANDLE Opened;
    NTSTATUS Status = MmProbeCallerOutput(Handle, sizeof(*Handle), Mode);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(Attributes, IopCompletionType, Mode, Access, NULL, &Opened);
    return NT_SUCCESS(Status) ? ObGiveHandle(Handle, Opened, Mode) : Status;
}

/* --- taking packets out --- */

typedef struct _IOP_REMOVE {
    PKQUEUE Port; /* referenced */
    LARGE_INTEGER Timeout;
    BOOLEAN HasTimeout, Alertable;
    KPROCESSOR_MODE Mode;
} IOP_REMOVE;

static NTSTATUS IopBeginRemove(IOP_REMOVE *Remove, HANDLE Handle, PLARGE_INTEGER Timeout, BOOLEAN Alertable,
                               KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;
    *Remove = (IOP_REMOVE){.HasTimeout = Timeout != NULL, .Alertable = Alertable, .Mode = Mode};
    if (Timeout != NULL)
        Status = MmReadCaller(&Remove->Timeout, Timeout, sizeof(*Timeout), Mode);
    return NT_SUCCESS(Status) ? IopPortByHandle(Handle, IO_COMPLETION_MODIFY_STATE, Mode, &Remove->Port)
                              : Status;
}

/* Waits for packets, at most Count of IOP_PACKETS_AT_ONCE; Taken of them are there. The reference goes. */
static NTSTATUS IopRemovePackets(IOP_REMOVE *Remove, PLIST_ENTRY *Entries, ULONG Count, PULONG Taken)
{
    ULONG Result = KeRemoveQueueEx(Remove->Port, Remove->Mode, Remove->Alertable,
                                   Remove->HasTimeout ? &Remove->Timeout : NULL, Entries, Count);
    *Taken = Result <= Count ? Result : 0;
    ObfDereferenceObject(Remove->Port);
    return *Taken != 0 ? STATUS_SUCCESS : (NTSTATUS)Result;
}

static NTSTATUS IopRemoveOne(HANDLE Handle, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Iosb,
                             PLARGE_INTEGER Timeout, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REMOVE Remove;
    PLIST_ENTRY Entry;
    ULONG Taken;
    NTSTATUS Status = MmProbeCallerOutput(Key, sizeof(*Key), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCallerOutput(Context, sizeof(*Context), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCallerOutput(Iosb, sizeof(*Iosb), Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRemove(&Remove, Handle, Timeout, FALSE, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopRemovePackets(&Remove, &Entry, 1, &Taken);
    if (Taken == 0)
        return Status;
    FILE_IO_COMPLETION_INFORMATION Packet = IopTakePacket(Entry);
    Status = MmWriteCaller(Key, &Packet.KeyContext, sizeof(*Key), Mode);
    if (NT_SUCCESS(Status))
        Status = MmWriteCaller(Context, &Packet.ApcContext, sizeof(*Context), Mode);
    return NT_SUCCESS(Status) ? MmWriteCaller(Iosb, &Packet.IoStatusBlock, sizeof(*Iosb), Mode) : Status;
}

NTSTATUS NTAPI ZwRemoveIoCompletion(HANDLE Handle, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Iosb,
                                    PLARGE_INTEGER Timeout)
{
    return IopRemoveOne(Handle, Key, Context, Iosb, Timeout, KernelMode);
}

NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Handle, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Iosb,
                                    PLARGE_INTEGER Timeout)
{
    return IopRemoveOne(Handle, Key, Context, Iosb, Timeout, ExGetPreviousMode());
}

/* Every packet is taken, also when one cannot be written any more. */
static NTSTATUS IopWritePackets(PFILE_IO_COMPLETION_INFORMATION To, PLIST_ENTRY *Entries, ULONG Count,
                                KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG I = 0; I < Count; I++) {
        FILE_IO_COMPLETION_INFORMATION Packet = IopTakePacket(Entries[I]);
        if (NT_SUCCESS(Status))
            Status = IopWriteRequestor(&To[I], &Packet, sizeof(Packet), Mode);
    }
    return Status;
}

/* [Win32 GetQueuedCompletionStatusEx] as many as there are, up to Count; it may be fewer. */
static NTSTATUS IopRemoveMany(HANDLE Handle, PFILE_IO_COMPLETION_INFORMATION Information, ULONG Count,
                              PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REMOVE Remove;
    PLIST_ENTRY Entries[IOP_PACKETS_AT_ONCE];
    ULONG Taken, Most = min(Count, IOP_PACKETS_AT_ONCE);
    if (Count == 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmProbeCallerOutput(Information, Most * sizeof(*Information), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCallerOutput(Removed, sizeof(*Removed), Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRemove(&Remove, Handle, Timeout, Alertable, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopRemovePackets(&Remove, Entries, Most, &Taken);
    NTSTATUS Written = IopWritePackets(Information, Entries, Taken, Mode);
    if (NT_SUCCESS(Written))
        Written = MmWriteCaller(Removed, &Taken, sizeof(Taken), Mode);
    return NT_SUCCESS(Written) ? Status : Written;
}

NTSTATUS NTAPI ZwRemoveIoCompletionEx(HANDLE Handle, PFILE_IO_COMPLETION_INFORMATION Information, ULONG Count,
                                      PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable)
{
    return IopRemoveMany(Handle, Information, Count, Removed, Timeout, Alertable, KernelMode);
}

NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE Handle, PFILE_IO_COMPLETION_INFORMATION Information, ULONG Count,
                                      PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable)
{
    return IopRemoveMany(Handle, Information, Count, Removed, Timeout, Alertable, ExGetPreviousMode());
}

/* --- putting one in, and asking --- */

NTSTATUS NTAPI NtSetIoCompletion(HANDLE Handle, PVOID Key, PVOID Context, NTSTATUS Status,
                                 ULONG_PTR Information)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    const FILE_IO_COMPLETION_INFORMATION Packet = {
        Key, Context, {.Status = Status, .Information = Information}};
    PKQUEUE Port;
    NTSTATUS Result = IopPortByHandle(Handle, IO_COMPLETION_MODIFY_STATE, ExGetPreviousMode(), &Port);
    if (!NT_SUCCESS(Result))
        return Result;
    Result = IopPostInformation(Port, &Packet);
    ObfDereferenceObject(Port);
    return Result;
}

NTSTATUS NTAPI NtQueryIoCompletion(HANDLE Handle, IO_COMPLETION_INFORMATION_CLASS Class, PVOID Buffer,
                                   ULONG Length, PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_COMPLETION_BASIC_INFORMATION Basic;
    ULONG Size = sizeof(Basic);
    PKQUEUE Port;
    if (Class != IoCompletionBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (Length != Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = IopPortByHandle(Handle, IO_COMPLETION_QUERY_STATE, Mode, &Port);
    if (!NT_SUCCESS(Status))
        return Status;
    Basic.Depth = KeReadStateQueue(Port);
    ObfDereferenceObject(Port);
    Status = MmWriteCaller(Buffer, &Basic, Size, Mode);
    if (NT_SUCCESS(Status) && ReturnLength != NULL)
        Status = MmWriteCaller(ReturnLength, &Size, sizeof(Size), Mode);
    return Status;
}
