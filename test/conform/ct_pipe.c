/* SPDX-License-Identifier: MIT
 * Named pipes: a server and its clients, requests that wait, both modes, the states of a pipe, and many at once. [WDK
 * NtCreateNamedPipeFile, IoCreateFile CreateFileTypeNamedPipe; Win32 "Named Pipes"] */
#include "ct.h"
#include "ct_crew.h"

#define PIPE L"\\??\\PIPE\\"
#define SYNCHRONOUS FILE_SYNCHRONOUS_IO_NONALERT

typedef struct SERVER {
    PCWSTR Name;
    ULONG Type, ReadMode, CompletionMode, Instances, Quota, Share, Options, Disposition;
} SERVER;

static const SERVER Stream = {PIPE L"ct_stream", 0, 0, 0, 2, 64, FILE_SHARE_READ | FILE_SHARE_WRITE, 0,
                              FILE_OPEN_IF};
static const SERVER Messages = {PIPE L"ct_message", 1, 1, 0, 2, 64, FILE_SHARE_READ | FILE_SHARE_WRITE, 0,
                                FILE_OPEN_IF};

static VOID Name(POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Text, PCWSTR Path)
{
    RtlInitUnicodeString(Text, Path);
    InitializeObjectAttributes(Attributes, Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
}

static NTSTATUS Serve(const SERVER *Server, PHANDLE Handle)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    NAMED_PIPE_CREATE_PARAMETERS Parameters = {.NamedPipeType = Server->Type,
                                               .ReadMode = Server->ReadMode,
                                               .CompletionMode = Server->CompletionMode,
                                               .MaximumInstances = Server->Instances,
                                               .InboundQuota = Server->Quota,
                                               .OutboundQuota = Server->Quota,
                                               .DefaultTimeout.QuadPart = -500000,
                                               .TimeoutSpecified = TRUE};
    Name(&Attributes, &Text, Server->Name);
    *Handle = NULL;
    return IoCreateFile(Handle, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &Attributes, &Iosb, NULL, 0,
                        Server->Share, Server->Disposition, Server->Options, NULL, 0, CreateFileTypeNamedPipe,
                        &Parameters, 0);
}

static NTSTATUS ConnectFor(PCWSTR Path, ACCESS_MASK Access, ULONG Options, PHANDLE Handle)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    Name(&Attributes, &Text, Path);
    *Handle = NULL;
    return ZwCreateFile(Handle, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0);
}

static NTSTATUS Connect(PCWSTR Path, PHANDLE Handle)
{
    return ConnectFor(Path, FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES,
                      0, Handle);
}

/* One end each, for asynchronous requests. */
static BOOLEAN MakePair(const SERVER *Server, PHANDLE Ours, PHANDLE Theirs)
{
    return CT_STATUS(Serve(Server, Ours), STATUS_SUCCESS) &&
           CT_STATUS(Connect(Server->Name, Theirs), STATUS_SUCCESS);
}

static HANDLE MakeEvent(VOID)
{
    HANDLE Event = NULL;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    return Event;
}

static NTSTATUS WaitFor(HANDLE Event)
{
    LARGE_INTEGER Timeout = {.QuadPart = -20 * 10000000ll};
    return ZwWaitForSingleObject(Event, FALSE, &Timeout);
}

static NTSTATUS Write(HANDLE End, PCSTR Text, ULONG Length, PIO_STATUS_BLOCK Iosb)
{
    return ZwWriteFile(End, NULL, NULL, NULL, Iosb, (PVOID)Text, Length, NULL, NULL);
}

static NTSTATUS Read(HANDLE End, PVOID To, ULONG Length, PIO_STATUS_BLOCK Iosb)
{
    Iosb->Information = 0;
    return ZwReadFile(End, NULL, NULL, NULL, Iosb, To, Length, NULL, NULL);
}

static BOOLEAN Is(PVOID Bytes, PCSTR Text, ULONG_PTR Length)
{
    return RtlCompareMemory(Bytes, Text, Length) == Length;
}

static NTSTATUS Control(HANDLE End, HANDLE Event, ULONG Code, PVOID Out, ULONG Length, PIO_STATUS_BLOCK Iosb)
{
    return ZwFsControlFile(End, Event, NULL, NULL, Iosb, Code, NULL, 0, Out, Length);
}

static ULONG State(HANDLE End)
{
    IO_STATUS_BLOCK Iosb;
    FILE_PIPE_LOCAL_INFORMATION Local = {0};
    CT_SUCCESS(ZwQueryInformationFile(End, &Iosb, &Local, sizeof(Local), FilePipeLocalInformation));
    return Local.NamedPipeState;
}

/* --- making and opening --- */

static VOID PipeCreate(VOID)
{
    HANDLE First, Second, Third, Client;
    SERVER Other = Stream;
    CT_STATUS(Connect(Stream.Name, &Client), STATUS_OBJECT_NAME_NOT_FOUND);
    Other.Disposition = FILE_OPEN;
    CT_STATUS(Serve(&Other, &First), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(Serve(&Stream, &First));
    CT_SUCCESS(Serve(&Stream, &Second));
    CT_STATUS(Serve(&Stream, &Third), STATUS_INSTANCE_NOT_AVAILABLE);
    Other.Disposition = FILE_CREATE;
    CT_STATUS(Serve(&Other, &Third), STATUS_ACCESS_DENIED);
    CT_EQUAL(State(First), FILE_PIPE_LISTENING_STATE);
    CT_SUCCESS(Connect(Stream.Name, &Client));
    CT_SUCCESS(Connect(Stream.Name, &Third));
    HANDLE Fourth;
    CT_STATUS(Connect(Stream.Name, &Fourth), STATUS_PIPE_NOT_AVAILABLE);
    ZwClose(Third);
    ZwClose(Client);
    ZwClose(Second);
    ZwClose(First);
    CT_STATUS(Connect(Stream.Name, &Client), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* [WDK NtCreateNamedPipeFile] */
static VOID PipeParameters(VOID)
{
    HANDLE Handle;
    SERVER Wrong = Stream;
    Wrong.ReadMode = FILE_PIPE_MESSAGE_MODE;
    CT_STATUS(Serve(&Wrong, &Handle), STATUS_INVALID_PARAMETER); /* messages from a stream */
    Wrong = Stream;
    Wrong.Instances = 0;
    CT_STATUS(Serve(&Wrong, &Handle), STATUS_INVALID_PARAMETER);
    Wrong = Stream;
    Wrong.Disposition = FILE_OVERWRITE;
    CT_STATUS(Serve(&Wrong, &Handle), STATUS_INVALID_PARAMETER);
    Wrong = Stream;
    Wrong.Share = FILE_SHARE_DELETE;
    CT_STATUS(Serve(&Wrong, &Handle), STATUS_INVALID_PARAMETER);
    Wrong = Stream;
    Wrong.Name = L"\\Device\\NamedPipe";
    CT_STATUS(Serve(&Wrong, &Handle), STATUS_OBJECT_NAME_INVALID);
}

/* What the configuration keeps a client from. */
static VOID PipeDirection(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[8];
    SERVER Outbound = Stream;
    Outbound.Share = FILE_SHARE_READ;
    CT_SUCCESS(Serve(&Outbound, &Server));
    CT_STATUS(ConnectFor(Stream.Name, FILE_WRITE_DATA, 0, &Client), STATUS_ACCESS_DENIED);
    CT_SUCCESS(ConnectFor(Stream.Name, FILE_READ_DATA, SYNCHRONOUS, &Client));
    CT_SUCCESS(Write(Server, "abc", 3, &Iosb));
    CT_SUCCESS(Read(Client, Buffer, 8, &Iosb));
    CT_CHECK(Iosb.Information == 3 && Is(Buffer, "abc", 3));
    CT_STATUS(Read(Server, Buffer, 8, &Iosb), STATUS_INVALID_PARAMETER);
    ZwClose(Client);
    ZwClose(Server);
}

/* --- data --- */

static VOID PipeStream(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[64];
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_SUCCESS(Write(Client, "one", 3, &Iosb));
    CT_SUCCESS(Write(Client, "two", 3, &Iosb));
    CT_SUCCESS(Read(Server, Buffer, 2, &Iosb));
    CT_CHECK(Iosb.Information == 2 && Is(Buffer, "on", 2));
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_CHECK(Iosb.Information == 4 && Is(Buffer, "etwo", 4)); /* there are no borders */
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_MESSAGE_MODE, FILE_PIPE_QUEUE_OPERATION};
    CT_STATUS(ZwSetInformationFile(Server, &Iosb, &Mode, sizeof(Mode), FilePipeInformation),
              STATUS_INVALID_PARAMETER);
    ZwClose(Client);
    ZwClose(Server);
}

static VOID PipeMessages(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[64];
    CT_REQUIRE(MakePair(&Messages, &Server, &Client));
    CT_SUCCESS(Write(Client, "first", 5, &Iosb));
    CT_SUCCESS(Write(Client, "", 0, &Iosb));
    CT_SUCCESS(Write(Client, "last", 4, &Iosb));
    CT_STATUS(Read(Server, Buffer, 3, &Iosb), STATUS_BUFFER_OVERFLOW);
    CT_CHECK(Iosb.Information == 3 && Is(Buffer, "fir", 3));
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_CHECK(Iosb.Information == 2 && Is(Buffer, "st", 2));
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_EQUAL(Iosb.Information, 0);
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_CHECK(Iosb.Information == 4 && Is(Buffer, "last", 4));
    /* the client reads a stream until it says otherwise */
    CT_SUCCESS(Write(Server, "ab", 2, &Iosb));
    CT_SUCCESS(Write(Server, "cd", 2, &Iosb));
    CT_SUCCESS(Read(Client, Buffer, 3, &Iosb));
    CT_CHECK(Iosb.Information == 3 && Is(Buffer, "abc", 3));
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_MESSAGE_MODE, FILE_PIPE_COMPLETE_OPERATION};
    CT_SUCCESS(ZwSetInformationFile(Client, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_SUCCESS(Read(Client, Buffer, 8, &Iosb));
    CT_EQUAL(Iosb.Information, 1);
    CT_STATUS(Read(Client, Buffer, 8, &Iosb), STATUS_PIPE_EMPTY); /* it does not wait either */
    ZwClose(Client);
    ZwClose(Server);
}

/* A read that waits gets what comes; one that is cancelled does not. */
static VOID PipeReadWaits(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Written, Cancelled;
    UCHAR Buffer[8] = {0}, Second[8] = {0};
    CT_REQUIRE(MakePair(&Messages, &Server, &Client));
    CT_STATUS(ZwReadFile(Server, Event, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL),
              STATUS_PENDING);
    CT_SUCCESS(ZwCancelIoFile(Server, &Cancelled));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_CANCELLED);
    CT_STATUS(ZwReadFile(Server, Event, NULL, NULL, &Iosb, Buffer, 4, NULL, NULL), STATUS_PENDING);
    CT_SUCCESS(Write(Client, "message", 7, &Written));
    CT_EQUAL(Written.Information, 7);
    CT_SUCCESS(WaitFor(Event));
    CT_CHECK(Iosb.Status == STATUS_BUFFER_OVERFLOW && Iosb.Information == 4 && Is(Buffer, "mess", 4));
    CT_SUCCESS(Read(Server, Second, 8, &Iosb));
    CT_CHECK(Iosb.Information == 3 && Is(Second, "age", 3));
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Event);
}

/* More than the quota waits for the reader, and is in its order. */
static VOID PipeQuota(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Waiting;
    static UCHAR Big[100], Buffer[200];
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    RtlFillMemory(Big, sizeof(Big), 'b');
    CT_SUCCESS(Write(Client, "start", 5, &Iosb));
    CT_STATUS(ZwWriteFile(Client, Event, NULL, NULL, &Waiting, Big, sizeof(Big), NULL, NULL), STATUS_PENDING);
    CT_SUCCESS(Read(Server, Buffer, 10, &Iosb));
    CT_CHECK(Iosb.Information == 10 && Is(Buffer, "startbbbbb", 10));
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_EQUAL(Iosb.Information, 95);
    CT_SUCCESS(WaitFor(Event));
    CT_CHECK(Waiting.Status == STATUS_SUCCESS && Waiting.Information == 100);
    /* who does not wait writes what there is room for */
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_BYTE_STREAM_MODE, FILE_PIPE_COMPLETE_OPERATION};
    CT_SUCCESS(ZwSetInformationFile(Client, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_SUCCESS(ZwWriteFile(Client, NULL, NULL, NULL, &Iosb, Big, sizeof(Big), NULL, NULL));
    CT_EQUAL(Iosb.Information, 64);
    FILE_PIPE_LOCAL_INFORMATION Local;
    CT_SUCCESS(ZwQueryInformationFile(Server, &Iosb, &Local, sizeof(Local), FilePipeLocalInformation));
    CT_CHECK(Local.ReadDataAvailable == 64 && Local.InboundQuota == 64 &&
             Local.NamedPipeEnd == FILE_PIPE_SERVER_END);
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Event);
}

static VOID PipePeek(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    ULONG Room[16];
    FILE_PIPE_PEEK_BUFFER *Peek = (PVOID)Room;
    CT_REQUIRE(MakePair(&Messages, &Server, &Client));
    CT_SUCCESS(Write(Client, "peeked", 6, &Iosb));
    CT_SUCCESS(Write(Client, "more", 4, &Iosb));
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_PEEK, Peek, sizeof(Room), &Iosb));
    CT_CHECK(Peek->ReadDataAvailable == 10 && Peek->NumberOfMessages == 2 && Peek->MessageLength == 6);
    CT_CHECK(Is(Peek->Data, "peeked", 6) &&
             Iosb.Information == FIELD_OFFSET(FILE_PIPE_PEEK_BUFFER, Data) + 6);
    CT_STATUS(
        Control(Server, NULL, FSCTL_PIPE_PEEK, Peek, FIELD_OFFSET(FILE_PIPE_PEEK_BUFFER, Data) + 2, &Iosb),
        STATUS_BUFFER_OVERFLOW);
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_PEEK, Peek, 4, &Iosb), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(Read(Server, Room, sizeof(Room), &Iosb));
    CT_EQUAL(Iosb.Information, 6);
    ZwClose(Client);
    ZwClose(Server);
}

static VOID PipeTransceive(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Answer;
    UCHAR Buffer[8], Reply[8] = {0};
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_MESSAGE_MODE, FILE_PIPE_QUEUE_OPERATION};
    CT_REQUIRE(MakePair(&Messages, &Server, &Client));
    CT_STATUS(ZwFsControlFile(Client, Event, NULL, NULL, &Answer, FSCTL_PIPE_TRANSCEIVE, "ask", 3, Reply, 8),
              STATUS_INVALID_PIPE_STATE);
    CT_SUCCESS(ZwSetInformationFile(Client, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_STATUS(ZwFsControlFile(Client, Event, NULL, NULL, &Answer, FSCTL_PIPE_TRANSCEIVE, "ask", 3, Reply, 8),
              STATUS_PENDING);
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_CHECK(Iosb.Information == 3 && Is(Buffer, "ask", 3));
    CT_SUCCESS(Write(Server, "reply", 5, &Iosb));
    CT_SUCCESS(WaitFor(Event));
    CT_CHECK(Answer.Status == STATUS_SUCCESS && Answer.Information == 5 && Is(Reply, "reply", 5));
    CT_SUCCESS(Write(Server, "unread", 6, &Iosb));
    CT_STATUS(ZwFsControlFile(Client, Event, NULL, NULL, &Answer, FSCTL_PIPE_TRANSCEIVE, "ask", 3, Reply, 8),
              STATUS_PIPE_BUSY);
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Event);
}

/* --- states --- */

static VOID PipeListen(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Waiting;
    UCHAR Buffer[8];
    CT_SUCCESS(Serve(&Stream, &Server));
    CT_STATUS(Read(Server, Buffer, 8, &Iosb), STATUS_PIPE_LISTENING);
    CT_STATUS(Control(Server, Event, FSCTL_PIPE_LISTEN, NULL, 0, &Waiting), STATUS_PENDING);
    CT_SUCCESS(Connect(Stream.Name, &Client));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Waiting.Status, STATUS_SUCCESS);
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb), STATUS_PIPE_CONNECTED);
    CT_STATUS(Control(Client, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb), STATUS_ILLEGAL_FUNCTION);
    CT_SUCCESS(Write(Server, "lost", 4, &Iosb));
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_DISCONNECT, NULL, 0, &Iosb));
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_DISCONNECT, NULL, 0, &Iosb), STATUS_PIPE_DISCONNECTED);
    CT_STATUS(Read(Client, Buffer, 8, &Iosb), STATUS_PIPE_DISCONNECTED);
    CT_STATUS(Write(Server, "x", 1, &Iosb), STATUS_PIPE_DISCONNECTED);
    CT_STATUS(Control(Server, Event, FSCTL_PIPE_LISTEN, NULL, 0, &Waiting), STATUS_PENDING);
    ZwClose(Client); /* the old one */
    CT_EQUAL(State(Server), FILE_PIPE_LISTENING_STATE);
    CT_SUCCESS(Connect(Stream.Name, &Client));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_IMPERSONATE, NULL, 0, &Iosb), STATUS_SUCCESS);
    PsRevertToSelf();
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Event);
}

/* The other end is closed: what is left can be read, then the pipe is broken. */
static VOID PipeClosing(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Waiting;
    UCHAR Buffer[8];
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_SUCCESS(Write(Client, "rest", 4, &Iosb));
    ZwClose(Client);
    CT_EQUAL(State(Server), FILE_PIPE_CLOSING_STATE);
    CT_STATUS(Write(Server, "x", 1, &Iosb), STATUS_PIPE_CLOSING);
    CT_SUCCESS(Read(Server, Buffer, 8, &Iosb));
    CT_EQUAL(Iosb.Information, 4);
    CT_STATUS(Read(Server, Buffer, 8, &Iosb), STATUS_PIPE_BROKEN);
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb), STATUS_PIPE_CLOSING);
    ZwClose(Server);
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_STATUS(ZwReadFile(Client, Event, NULL, NULL, &Waiting, Buffer, 8, NULL, NULL), STATUS_PENDING);
    ZwClose(Server);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Waiting.Status, STATUS_PIPE_BROKEN);
    CT_STATUS(Read(Client, Buffer, 8, &Iosb), STATUS_PIPE_BROKEN);
    ZwClose(Client);
    ZwClose(Event);
}

static NTSTATUS ConnectAs(PSECURITY_QUALITY_OF_SERVICE Quality, PHANDLE Handle)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    Name(&Attributes, &Text, Stream.Name);
    Attributes.SecurityQualityOfService = Quality;
    return ZwCreateFile(Handle, FILE_GENERIC_READ, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
}

/* [WDK SECURITY_QUALITY_OF_SERVICE] the client says how far the server may go. */
static VOID PipeQuality(VOID)
{
    HANDLE Server, Client = NULL;
    IO_STATUS_BLOCK Iosb;
    BOOLEAN CopyOnOpen, EffectiveOnly = FALSE;
    SECURITY_IMPERSONATION_LEVEL Level = SecurityDelegation;
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), SecurityIdentification, SECURITY_STATIC_TRACKING,
                                           TRUE};
    CT_SUCCESS(Serve(&Stream, &Server));
    Quality.Length--;
    CT_STATUS(ConnectAs(&Quality, &Client), STATUS_INVALID_PARAMETER);
    Quality.Length++;
    Quality.ImpersonationLevel = SecurityDelegation + 1;
    CT_STATUS(ConnectAs(&Quality, &Client), STATUS_BAD_IMPERSONATION_LEVEL);
    Quality.ImpersonationLevel = SecurityIdentification;
    CT_REQUIRE(CT_STATUS(ConnectAs(&Quality, &Client), STATUS_SUCCESS));
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_IMPERSONATE, NULL, 0, &Iosb));
    PACCESS_TOKEN Token =
        PsReferenceImpersonationToken(PsGetCurrentThread(), &CopyOnOpen, &EffectiveOnly, &Level);
    PsRevertToSelf();
    CT_CHECK(Token != NULL && Level == SecurityIdentification && EffectiveOnly);
    if (Token != NULL)
        PsDereferenceImpersonationToken(Token);
    ZwClose(Client);
    ZwClose(Server);
}

/* Closes the handle; the file object is held and gets a new one. */
static HANDLE Reopen(HANDLE Handle)
{
    PVOID File = NULL;
    HANDLE Late = NULL;
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, &File, NULL));
    ZwClose(Handle);
    CT_SUCCESS(ObOpenObjectByPointer(File, OBJ_KERNEL_HANDLE, NULL, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                                     *IoFileObjectType, KernelMode, &Late));
    ObDereferenceObject(File);
    return Late;
}

/* Requests that come after the end's cleanup, as those of another thread may. */
static VOID PipeLateServer(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_DISCONNECT, NULL, 0, &Iosb));
    Server = Reopen(Server);
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb), STATUS_FILE_CLOSED);
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_IMPERSONATE, NULL, 0, &Iosb), STATUS_FILE_CLOSED);
    ZwClose(Server); /* a second cleanup */
    ZwClose(Client);
    CT_STATUS(Connect(Stream.Name, &Client), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* What is meant for the next client is not the old one's. */
static VOID PipeLateClient(VOID)
{
    HANDLE Server, Late, Client;
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[8];
    FILE_PIPE_LOCAL_INFORMATION Local = {.ReadDataAvailable = 9};
    CT_REQUIRE(MakePair(&Stream, &Server, &Late));
    Late = Reopen(Late);
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_BYTE_STREAM_MODE, FILE_PIPE_COMPLETE_OPERATION};
    CT_SUCCESS(ZwSetInformationFile(Server, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_DISCONNECT, NULL, 0, &Iosb));
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb), STATUS_PIPE_LISTENING);
    CT_SUCCESS(Connect(Stream.Name, &Client));
    CT_SUCCESS(Write(Server, "secret", 6, &Iosb));
    CT_STATUS(Read(Late, Buffer, 8, &Iosb), STATUS_FILE_CLOSED);
    CT_STATUS(Write(Late, "forged", 6, &Iosb), STATUS_FILE_CLOSED);
    CT_STATUS(Control(Late, NULL, FSCTL_PIPE_PEEK, Buffer, 8, &Iosb), STATUS_FILE_CLOSED);
    CT_SUCCESS(ZwQueryInformationFile(Late, &Iosb, &Local, sizeof(Local), FilePipeLocalInformation));
    CT_EQUAL(Local.ReadDataAvailable, 0);
    ZwClose(Late);
    CT_SUCCESS(Read(Client, Buffer, 8, &Iosb));
    CT_CHECK(Iosb.Information == 6 && Is(Buffer, "secret", 6));
    CT_STATUS(Read(Server, Buffer, 8, &Iosb), STATUS_PIPE_EMPTY);
    ZwClose(Client);
    ZwClose(Server);
}

static NTSTATUS NTAPI NoteLocks(PDEVICE_OBJECT Device, PIRP Irp, PVOID Locked)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    *(BOOLEAN *)Locked = KeAreAllApcsDisabled();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A request that was cancelled before it could wait ends when the file system's mutex is released. */
static VOID PipeCancelledBefore(VOID)
{
    HANDLE Server, Client;
    PFILE_OBJECT File = NULL;
    UCHAR Buffer[8];
    BOOLEAN Locked = TRUE;
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_SUCCESS(ObReferenceObjectByHandle(Server, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    CT_REQUIRE(Irp != NULL);
    Irp->Cancel = TRUE;
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_READ;
    Stack->FileObject = File;
    Stack->Parameters.Read.Length = sizeof(Buffer);
    IoSetCompletionRoutine(Irp, NoteLocks, &Locked, TRUE, TRUE, TRUE);
    CT_STATUS(IoCallDriver(Device, Irp), STATUS_PENDING);
    CT_STATUS(Irp->IoStatus.Status, STATUS_CANCELLED);
    CT_CHECK(!Locked);
    IoFreeIrp(Irp);
    ObDereferenceObject(File);
    ZwClose(Client);
    ZwClose(Server);
}

/* Flushing waits until the other end has read. */
static VOID NTAPI ReadSoon(PVOID Context)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[8];
    (void)Read(*(HANDLE *)Context, Buffer, 8, &Iosb);
}

static VOID PipeFlush(VOID)
{
    HANDLE Server, Client;
    IO_STATUS_BLOCK Iosb;
    FILE_PIPE_LOCAL_INFORMATION Local;
    CT_REQUIRE(MakePair(&Stream, &Server, &Client));
    CT_SUCCESS(Write(Server, "flushed", 7, &Iosb));
    PKTHREAD Reader = CtStart(ReadSoon, &Client);
    CT_SUCCESS(ZwFlushBuffersFile(Server, &Iosb));
    CT_SUCCESS(ZwQueryInformationFile(Client, &Iosb, &Local, sizeof(Local), FilePipeLocalInformation));
    CT_EQUAL(Local.ReadDataAvailable, 0);
    CtJoin(Reader);
    ZwClose(Client);
    ZwClose(Server);
}

/* [Win32 WaitNamedPipe] */
static NTSTATUS WaitPipe(HANDLE Root, HANDLE Event, PCWSTR Text, LONGLONG Timeout, PIO_STATUS_BLOCK Iosb)
{
    ULONG64 Room[16] = {0};
    FILE_PIPE_WAIT_FOR_BUFFER *Wait = (PVOID)Room;
    UNICODE_STRING Wanted;
    RtlInitUnicodeString(&Wanted, Text);
    Wait->Timeout.QuadPart = Timeout;
    Wait->TimeoutSpecified = TRUE;
    Wait->NameLength = Wanted.Length;
    RtlCopyMemory(Wait->Name, Wanted.Buffer, Wanted.Length);
    return ZwFsControlFile(Root, Event, NULL, NULL, Iosb, FSCTL_PIPE_WAIT, Wait,
                           FIELD_OFFSET(FILE_PIPE_WAIT_FOR_BUFFER, Name) + Wanted.Length, NULL, 0);
}

static VOID PipeWait(VOID)
{
    HANDLE Root, Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Cancelled;
    CT_SUCCESS(ConnectFor(L"\\??\\PIPE\\", FILE_READ_ATTRIBUTES, 0, &Root));
    CT_STATUS(WaitPipe(Root, Event, L"ct_stream", -10000, &Iosb), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(Serve(&Stream, &Server));
    CT_SUCCESS(WaitPipe(Root, Event, L"CT_stream", -10000, &Iosb));
    CT_SUCCESS(Connect(Stream.Name, &Client));
    CT_STATUS(WaitPipe(Root, Event, L"CT_stream", -10000, &Iosb), STATUS_PENDING);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_IO_TIMEOUT);
    CT_STATUS(WaitPipe(Root, Event, L"CT_stream", -100 * 10000000ll, &Iosb), STATUS_PENDING);
    CT_SUCCESS(ZwCancelIoFile(Root, &Cancelled));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_CANCELLED);
    CT_STATUS(WaitPipe(Root, Event, L"CT_stream", -100 * 10000000ll, &Iosb), STATUS_PENDING);
    CT_SUCCESS(Control(Server, NULL, FSCTL_PIPE_DISCONNECT, NULL, 0, &Cancelled));
    CT_STATUS(Control(Server, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Cancelled), STATUS_PENDING);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS);
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Root);
    ZwClose(Event);
}

/* --- two servers and two clients: each message is answered, in its order, whatever waits for whom --- */

#define ROUNDS 100
static volatile LONG Wrong;

static BOOLEAN Exact(NTSTATUS Status, const IO_STATUS_BLOCK *Iosb, ULONG Length)
{
    return Status == STATUS_SUCCESS && Iosb->Information == Length;
}

static VOID ServerLoop(HANDLE End)
{
    IO_STATUS_BLOCK Iosb;
    ULONG Number;
    (void)Control(End, NULL, FSCTL_PIPE_LISTEN, NULL, 0, &Iosb); /* the client may be there already */
    for (;;) {
        NTSTATUS Status = Read(End, &Number, sizeof(Number), &Iosb);
        if (Status == STATUS_PIPE_BROKEN)
            return;
        if (!Exact(Status, &Iosb, sizeof(Number)))
            InterlockedIncrement(&Wrong);
        Number = ~Number;
        if (!Exact(Write(End, (PCSTR)&Number, sizeof(Number), &Iosb), &Iosb, sizeof(Number)))
            InterlockedIncrement(&Wrong);
    }
}

static VOID ClientLoop(VOID)
{
    IO_STATUS_BLOCK Iosb;
    ULONG Number;
    HANDLE End;
    if (!NT_SUCCESS(ConnectFor(PIPE L"ct_storm", FILE_READ_DATA | FILE_WRITE_DATA, SYNCHRONOUS, &End))) {
        InterlockedIncrement(&Wrong);
        return;
    }
    for (ULONG i = 0; i < ROUNDS; i++) {
        if (!Exact(Write(End, (PCSTR)&i, sizeof(i), &Iosb), &Iosb, sizeof(i)) ||
            !Exact(Read(End, &Number, sizeof(Number), &Iosb), &Iosb, sizeof(Number)) || Number != ~i)
            InterlockedIncrement(&Wrong);
    }
    ZwClose(End);
}

static HANDLE StormServers[2];

static VOID Storm(ULONG Number)
{
    if (Number < 2)
        ServerLoop(StormServers[Number]);
    else
        ClientLoop();
}

static VOID PipeStorm(VOID)
{
    static CT_CREW Crew;
    static const ULONG Quotas[] = {0, 64}; /* nothing is kept: each write meets its read */
    for (ULONG i = 0; i < RTL_NUMBER_OF(Quotas); i++) {
        SERVER Server = Messages;
        Server.Name = PIPE L"ct_storm";
        Server.Quota = Quotas[i];
        Server.Options = SYNCHRONOUS;
        for (ULONG j = 0; j < 2; j++)
            CT_REQUIRE(NT_SUCCESS(Serve(&Server, &StormServers[j])));
        Wrong = 0;
        CtRunCrew(&Crew, Storm);
        CT_EQUAL(Wrong, 0);
        ZwClose(StormServers[0]);
        ZwClose(StormServers[1]);
    }
}

/* Messages without bytes take room too: nobody fills the memory with them. */
static VOID PipeEmpty(VOID)
{
    HANDLE Server, Client, Event = MakeEvent();
    IO_STATUS_BLOCK Iosb, Waiting;
    UCHAR Buffer[8];
    CT_REQUIRE(MakePair(&Messages, &Server, &Client));
    for (ULONG i = 0; i < 64; i++)
        CT_SUCCESS(Write(Client, "", 0, &Iosb));
    CT_STATUS(ZwWriteFile(Client, Event, NULL, NULL, &Waiting, Buffer, 0, NULL, NULL), STATUS_PENDING);
    CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_EQUAL(Iosb.Information, 0);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Waiting.Status, STATUS_SUCCESS);
    /* who does not wait: the pipe is full; the message is not lost */
    FILE_PIPE_INFORMATION Mode = {FILE_PIPE_MESSAGE_MODE, FILE_PIPE_COMPLETE_OPERATION};
    CT_SUCCESS(ZwSetInformationFile(Client, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_SUCCESS(ZwSetInformationFile(Server, &Iosb, &Mode, sizeof(Mode), FilePipeInformation));
    CT_SUCCESS(Write(Client, "", 0, &Iosb));
    CT_STATUS(Write(Client, "", 0, &Iosb), STATUS_INSUFFICIENT_RESOURCES); /* one beyond the quota */
    for (ULONG i = 0; i < 65; i++)
        CT_SUCCESS(Read(Server, Buffer, sizeof(Buffer), &Iosb));
    CT_STATUS(Read(Server, Buffer, sizeof(Buffer), &Iosb), STATUS_PIPE_EMPTY);
    ZwClose(Client);
    ZwClose(Server);
    ZwClose(Event);
}

/* The names of all pipes; of each how many instances it has and may have. */
static VOID PipeDirectory(VOID)
{
    HANDLE Folder, First = NULL, Second = NULL, Device;
    IO_STATUS_BLOCK Iosb = {0};
    ULONG64 Room[64];
    FILE_DIRECTORY_INFORMATION *Found = (PVOID)Room;
    UNICODE_STRING Pattern = RTL_CONSTANT_STRING(L"CT_str*"), Text,
                   Nothing = RTL_CONSTANT_STRING(L"ct_none*");
    CT_SUCCESS(Serve(&Stream, &First));
    CT_SUCCESS(Serve(&Messages, &Second));
    CT_SUCCESS(ConnectFor(PIPE, FILE_LIST_DIRECTORY, SYNCHRONOUS | FILE_DIRECTORY_FILE, &Folder));
    CT_SUCCESS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                    FileDirectoryInformation, FALSE, &Pattern, FALSE));
    RtlInitUnicodeString(&Text, L"ct_stream");
    UNICODE_STRING Name = {(USHORT)Found->FileNameLength, (USHORT)Found->FileNameLength, Found->FileName};
    CT_CHECK(RtlEqualUnicodeString(&Name, &Text, FALSE) && Found->NextEntryOffset == 0);
    CT_CHECK(Found->EndOfFile.QuadPart == 1 && Found->AllocationSize.QuadPart == 2);
    CT_STATUS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                   FileDirectoryInformation, FALSE, &Pattern, FALSE),
              STATUS_NO_MORE_FILES);
    ZwClose(Folder);
    CT_SUCCESS(ConnectFor(PIPE, FILE_LIST_DIRECTORY, SYNCHRONOUS, &Folder));
    CT_STATUS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                   FileDirectoryInformation, FALSE, &Nothing, FALSE),
              STATUS_NO_SUCH_FILE);
    ZwClose(Folder);
    CT_SUCCESS(ConnectFor(L"\\Device\\NamedPipe", FILE_READ_ATTRIBUTES, SYNCHRONOUS, &Device));
    CT_STATUS(ZwQueryDirectoryFile(Device, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                   FileDirectoryInformation, FALSE, NULL, FALSE),
              STATUS_INVALID_PARAMETER);
    ZwClose(Device);
    ZwClose(First);
    ZwClose(Second);
}

static const CT_CASE Cases[] = {
    {"pipe.create", PipeCreate},
    {"pipe.parameters", PipeParameters},
    {"pipe.direction", PipeDirection},
    {"pipe.stream", PipeStream},
    {"pipe.messages", PipeMessages},
    {"pipe.read_waits", PipeReadWaits},
    {"pipe.quota", PipeQuota},
    {"pipe.peek", PipePeek},
    {"pipe.transceive", PipeTransceive},
    {"pipe.listen", PipeListen},
    {"pipe.closing", PipeClosing},
    {"pipe.quality", PipeQuality},
    {"pipe.late_server", PipeLateServer},
    {"pipe.late_client", PipeLateClient},
    {"pipe.cancelled_before", PipeCancelledBefore},
    {"pipe.flush", PipeFlush},
    {"pipe.wait", PipeWait},
    {"pipe.directory", PipeDirectory},
    {"pipe.empty", PipeEmpty},
    {"pipe.storm", PipeStorm},
};
CT_DRIVER(Cases)
