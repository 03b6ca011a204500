/* SPDX-License-Identifier: MIT
 * Completion ports: a kernel queue as an object, and the packets in it. A packet is the IRP of a request that ended, as it is, or a small block that
 * says what a program put into the port itself. [Win32 "I/O Completion Ports"] */
#include "completion.h"

POBJECT_TYPE IopCompletionType;

typedef enum _IOP_PACKET_TYPE { IopIrpPacket, IopMiniPacket } IOP_PACKET_TYPE;

/* The two first fields lie as in the IRP's tail, so that a packet says which of the two it is. */
typedef struct _IOP_MINI_PACKET {
    LIST_ENTRY Entry;
    ULONG PacketType;
    FILE_IO_COMPLETION_INFORMATION Information;
} IOP_MINI_PACKET;
_Static_assert(offsetof(IOP_MINI_PACKET, PacketType) ==
                   offsetof(IRP, Tail.Overlay.PacketType) - offsetof(IRP, Tail.Overlay.ListEntry),
               "a packet's type");

VOID IopPostIrp(PKQUEUE Port, PVOID Key, PIRP Irp)
{
    Irp->Tail.CompletionKey = Key;
    Irp->Tail.Overlay.PacketType = IopIrpPacket;
    KeInsertQueue(Port, &Irp->Tail.Overlay.ListEntry);
    ObfDereferenceObject(Port);
}

NTSTATUS IopPostInformation(PKQUEUE Port, const FILE_IO_COMPLETION_INFORMATION *Information)
{
    IOP_MINI_PACKET *Packet = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Packet), IOP_TAG_COMPLETION);
    if (Packet == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Packet->PacketType = IopMiniPacket;
    Packet->Information = *Information;
    KeInsertQueue(Port, &Packet->Entry);
    return STATUS_SUCCESS;
}

static FILE_IO_COMPLETION_INFORMATION IopTakeIrp(PIRP Irp)
{
    FILE_IO_COMPLETION_INFORMATION Information = {
        Irp->Tail.CompletionKey, Irp->Overlay.AsynchronousParameters.UserApcContext, Irp->IoStatus};
    IoFreeIrp(Irp);
    return Information;
}

FILE_IO_COMPLETION_INFORMATION IopTakePacket(PLIST_ENTRY Entry)
{
    IOP_MINI_PACKET *Packet = CONTAINING_RECORD(Entry, IOP_MINI_PACKET, Entry);
    if (Packet->PacketType == IopIrpPacket)
        return IopTakeIrp(CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry));
    FILE_IO_COMPLETION_INFORMATION Information = Packet->Information;
    ExFreePoolWithTag(Packet, IOP_TAG_COMPLETION);
    return Information;
}

/* [WDK KeRundownQueue] what is left is a ring without a head. */
static VOID IopEmptyPort(PVOID Object)
{
    PLIST_ENTRY First = KeRundownQueue(Object), Entry = First;
    if (First == NULL)
        return;
    do {
        PLIST_ENTRY Next = Entry->Flink;
        (void)IopTakePacket(Entry);
        Entry = Next;
    } while (Entry != First);
}

/* [Win32 GetQueuedCompletionStatus] who waits when the port's last handle is closed is told that it is abandoned. Files may still
 * put packets into it, which go with the port. */
static VOID IopClosePort(PVOID Object, POB_HANDLE_TABLE Table, LONG64 HandlesLeft)
{
    if (HandlesLeft == 0)
        IopEmptyPort(Object);
}

static const OB_TYPE_INFO IopCompletionTypeInfo = {
    .Name = L"IoCompletion",
    .PoolTag = IOP_TAG_COMPLETION,
    .Mapping = {STANDARD_RIGHTS_READ | IO_COMPLETION_QUERY_STATE,
                STANDARD_RIGHTS_WRITE | IO_COMPLETION_MODIFY_STATE, STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
                IO_COMPLETION_ALL_ACCESS},
    .ValidAccess = IO_COMPLETION_ALL_ACCESS,
    .WaitOffset = OB_NOT_WAITABLE, /* a queue has workers, not waiters */
    .Methods = {.Close = IopClosePort, .Delete = IopEmptyPort},
};

VOID IopInitCompletionType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&IopCompletionTypeInfo, &IopCompletionType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 4, 0, 0);
}

/* --- the file's side --- */

NTSTATUS IopAssociatePort(PFILE_OBJECT File, const FILE_COMPLETION_INFORMATION *Information,
                          KPROCESSOR_MODE Mode)
{
    if (File->Flags & FO_SYNCHRONOUS_IO)
        return STATUS_INVALID_PARAMETER;
    IO_COMPLETION_CONTEXT *Context =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Context), IOP_TAG_COMPLETION);
    if (Context == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Context->Key = Information->Key;
    NTSTATUS Status = ObReferenceObjectByHandle(Information->Port, IO_COMPLETION_MODIFY_STATE,
                                                IopCompletionType, Mode, &Context->Port, NULL);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Context, IOP_TAG_COMPLETION);
        return Status;
    }
    if (InterlockedCompareExchangePointer((PVOID *)&File->CompletionContext, Context, NULL) == NULL)
        return STATUS_SUCCESS;
    ObfDereferenceObject(Context->Port);
    ExFreePoolWithTag(Context, IOP_TAG_COMPLETION);
    return STATUS_INVALID_PARAMETER; /* one port for good */
}

VOID IopLeavePort(PFILE_OBJECT File)
{
    IO_COMPLETION_CONTEXT *Context = File->CompletionContext;
    if (Context == NULL)
        return;
    ObfDereferenceObject(Context->Port);
    ExFreePoolWithTag(Context, IOP_TAG_COMPLETION);
}

#define IOP_NOTIFICATION_FLAGS                                                                               \
    (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE |                                  \
     FILE_SKIP_SET_USER_EVENT_ON_FAST_IO)

/* [Win32 SetFileCompletionNotificationModes] once set, for good: as long as the file's driver does not change other flags without a lock at
 * the same moment. */
NTSTATUS IopSetNotificationModes(PFILE_OBJECT File, ULONG Modes)
{
    ULONG Flags = 0;
    if ((Modes & ~(ULONG)IOP_NOTIFICATION_FLAGS) != 0 || (File->Flags & FO_SYNCHRONOUS_IO))
        return STATUS_INVALID_PARAMETER;
    if (Modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
        Flags |= FO_SKIP_COMPLETION_PORT;
    if (Modes & FILE_SKIP_SET_EVENT_ON_HANDLE)
        Flags |= FO_SKIP_SET_EVENT;
    if (Modes & FILE_SKIP_SET_USER_EVENT_ON_FAST_IO)
        Flags |= FO_SKIP_SET_FAST_IO;
    InterlockedOr((LONG *)&File->Flags, (LONG)Flags);
    return STATUS_SUCCESS;
}

/* [Win32 CreateIoCompletionPort] [Win32 SetFileCompletionNotificationModes] [WDK ZwReadFile] without an APC context nobody wants a packet. */
static BOOLEAN IopWantsPacket(PFILE_OBJECT File, PIRP Irp)
{
    if (File->CompletionContext == NULL || Irp->Overlay.AsynchronousParameters.UserApcContext == NULL ||
        Irp->Overlay.AsynchronousParameters.UserApcRoutine != NULL)
        return FALSE;
    return !(File->Flags & FO_SKIP_COMPLETION_PORT) || Irp->PendingReturned ||
           !NT_SUCCESS(Irp->IoStatus.Status);
}

PKQUEUE IopReferencePort(PFILE_OBJECT File, PIRP Irp, PVOID *Key)
{
    if (!IopWantsPacket(File, Irp))
        return NULL;
    *Key = File->CompletionContext->Key;
    ObfReferenceObject(File->CompletionContext->Port);
    return File->CompletionContext->Port;
}
