/* SPDX-License-Identifier: MIT
 * Completion ports. [Win32 CreateIoCompletionPort, GetQueuedCompletionStatus(Ex), SetFileCompletionNotificationModes, devnotes
 * NtRemoveIoCompletion] */
#include "ct_irp.h"

#define CODE(Function) CTL_CODE(FILE_DEVICE_UNKNOWN, Function, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_PEND CODE(0x920)
#define CODE_NOW CODE(0x921)
#define CODE_FAIL CODE(0x922)
#define CODE_WARN CODE(0x923)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtCompletion");
static PDEVICE_OBJECT Device;
static PIRP Pended;
static HANDLE Port;
static LARGE_INTEGER Now;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Location->MajorFunction != IRP_MJ_DEVICE_CONTROL)
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    switch (Location->Parameters.DeviceIoControl.IoControlCode) {
    case CODE_PEND:
        IoMarkIrpPending(Irp);
        Pended = Irp;
        return STATUS_PENDING;
    case CODE_NOW:
        return CtComplete(Irp, STATUS_SUCCESS, 5);
    case CODE_WARN:
        return CtComplete(Irp, STATUS_BUFFER_OVERFLOW, 0);
    default:
        return CtComplete(Irp, STATUS_UNSUCCESSFUL, 0);
    }
}

static HANDLE OpenFile(ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateFile(&Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0));
    return Handle;
}

static NTSTATUS Associate(HANDLE File, PVOID Key)
{
    FILE_COMPLETION_INFORMATION Information = {Port, Key};
    IO_STATUS_BLOCK Iosb;
    return ZwSetInformationFile(File, &Iosb, &Information, sizeof(Information), FileCompletionInformation);
}

static NTSTATUS SetModes(HANDLE File, ULONG Flags)
{
    FILE_IO_COMPLETION_NOTIFICATION_INFORMATION Information = {Flags};
    IO_STATUS_BLOCK Iosb;
    return ZwSetInformationFile(File, &Iosb, &Information, sizeof(Information),
                                FileIoCompletionNotificationInformation);
}

static NTSTATUS MakePort(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateIoCompletion(&Port, IO_COMPLETION_ALL_ACCESS, &Attributes, 0);
}

/* The device, a port, and a file that is associated with it under the key 7. */
static HANDLE Prepare(VOID)
{
    HANDLE File;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return NULL;
    Device->Flags = (Device->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    File = OpenFile(0);
    CT_SUCCESS(MakePort());
    CT_SUCCESS(Associate(File, (PVOID)7));
    return File;
}

static VOID Finish(HANDLE File)
{
    CT_SUCCESS(ZwClose(File));
    CT_SUCCESS(ZwClose(Port));
    IoDeleteDevice(Device);
}

static IO_STATUS_BLOCK Iosb;

static NTSTATUS Ask(HANDLE File, ULONG Code, PIO_APC_ROUTINE Routine, PVOID Context)
{
    return ZwDeviceIoControlFile(File, NULL, Routine, Context, &Iosb, Code, NULL, 0, NULL, 0);
}

/* The packet that is there; STATUS_TIMEOUT: none. */
static FILE_IO_COMPLETION_INFORMATION Packet;

static NTSTATUS Take(VOID)
{
    return ZwRemoveIoCompletion(Port, &Packet.KeyContext, &Packet.ApcContext, &Packet.IoStatusBlock, &Now);
}

/* By name, and what is no port. */
static VOID CompletionCreate(VOID)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtPort");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Again;
    InitializeObjectAttributes(&Attributes, &PortName, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateIoCompletion(&Port, IO_COMPLETION_ALL_ACCESS, &Attributes, 2));
    CT_STATUS(ZwCreateIoCompletion(&Again, IO_COMPLETION_ALL_ACCESS, &Attributes, 0),
              STATUS_OBJECT_NAME_COLLISION);
    Attributes.Attributes |= OBJ_OPENIF;
    CT_STATUS(ZwCreateIoCompletion(&Again, IO_COMPLETION_ALL_ACCESS, &Attributes, 0),
              STATUS_OBJECT_NAME_EXISTS);
    CT_SUCCESS(ZwClose(Again));
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CT_SUCCESS(ZwClose(Port));
    CT_SUCCESS(ZwCreateEvent(&Port, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE));
    CT_STATUS(Take(), STATUS_OBJECT_TYPE_MISMATCH);
    CT_SUCCESS(ZwClose(Port));
}

/* A request of the file becomes a packet with its key, the request's context and its results, if it has a context and did not fail at
 * once. The status block and the file are told as ever. */
static VOID CompletionRequest(VOID)
{
    HANDLE File = Prepare();
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(Ask(File, CODE_NOW, NULL, &Iosb));
    CT_SUCCESS(Take());
    CT_CHECK(Packet.KeyContext == (PVOID)7 && Packet.ApcContext == &Iosb);
    CT_CHECK(Packet.IoStatusBlock.Status == STATUS_SUCCESS && Packet.IoStatusBlock.Information == 5);
    CT_EQUAL(Iosb.Information, 5);
    CT_SUCCESS(ZwWaitForSingleObject(File, FALSE, &Now));
    CT_SUCCESS(Ask(File, CODE_NOW, NULL, NULL));
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CT_STATUS(Ask(File, CODE_FAIL, NULL, &Iosb), STATUS_UNSUCCESSFUL);
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CT_STATUS(Ask(File, CODE_PEND, NULL, &Name), STATUS_PENDING);
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CtComplete(Pended, STATUS_UNSUCCESSFUL, 0); /* failed, but not at once */
    CT_SUCCESS(Take());
    CT_CHECK(Packet.ApcContext == &Name);
    CT_STATUS(Packet.IoStatusBlock.Status, STATUS_UNSUCCESSFUL);
    Finish(File);
}

static VOID NTAPI NoRoutine(PVOID Context, PIO_STATUS_BLOCK Block, ULONG Reserved)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Block);
    UNREFERENCED_PARAMETER(Reserved);
}

/* One port for good, asynchronous files only, no APC routine besides. */
static VOID CompletionRefusals(VOID)
{
    HANDLE File = Prepare(), Synchronous = OpenFile(FILE_SYNCHRONOUS_IO_NONALERT);
    CT_REQUIRE(File != NULL && Synchronous != NULL);
    CT_STATUS(Associate(File, NULL), STATUS_INVALID_PARAMETER);
    CT_STATUS(Associate(Synchronous, NULL), STATUS_INVALID_PARAMETER);
    CT_STATUS(Ask(File, CODE_NOW, NoRoutine, &Iosb), STATUS_INVALID_PARAMETER);
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CT_SUCCESS(ZwClose(Synchronous));
    Finish(File);
}

/* As many as there are, in their order. */
static VOID CompletionMany(VOID)
{
    FILE_IO_COMPLETION_INFORMATION Packets[4];
    ULONG Removed = 9;
    HANDLE File = Prepare();
    CT_REQUIRE(File != NULL);
    for (ULONG_PTR i = 1; i <= 6; i++)
        CT_SUCCESS(Ask(File, CODE_NOW, NULL, (PVOID)i));
    CT_SUCCESS(ZwRemoveIoCompletionEx(Port, Packets, 4, &Removed, NULL, FALSE));
    CT_CHECK(Removed == 4 && Packets[0].ApcContext == (PVOID)1 && Packets[3].ApcContext == (PVOID)4);
    CT_SUCCESS(ZwRemoveIoCompletionEx(Port, Packets, 4, &Removed, NULL, TRUE));
    CT_CHECK(Removed == 2 && Packets[1].ApcContext == (PVOID)6 && Packets[1].KeyContext == (PVOID)7);
    CT_STATUS(ZwRemoveIoCompletionEx(Port, Packets, 4, &Removed, &Now, FALSE), STATUS_TIMEOUT);
    CT_EQUAL(Removed, 0);
    Finish(File);
}

/* What succeeds at once makes no packet, and what does not fail at once does not set the file, once that has been asked for. */
static VOID CompletionModes(VOID)
{
    HANDLE File = Prepare();
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(SetModes(File, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
    CT_SUCCESS(Ask(File, CODE_NOW, NULL, &Iosb));
    CT_STATUS(Take(), STATUS_TIMEOUT);
    CT_SUCCESS(ZwWaitForSingleObject(File, FALSE, &Now));
    CT_STATUS(Ask(File, CODE_WARN, NULL, &Iosb), STATUS_BUFFER_OVERFLOW);
    CT_SUCCESS(Take());
    CT_STATUS(Ask(File, CODE_PEND, NULL, &Iosb), STATUS_PENDING);
    CtComplete(Pended, STATUS_SUCCESS, 0);
    CT_SUCCESS(Take());
    CT_SUCCESS(SetModes(File, FILE_SKIP_SET_EVENT_ON_HANDLE));
    CT_SUCCESS(Ask(File, CODE_NOW, NULL, &Iosb));
    CT_STATUS(ZwWaitForSingleObject(File, FALSE, &Now), STATUS_TIMEOUT);
    CT_STATUS(Take(), STATUS_TIMEOUT); /* the first mode has stayed */
    CT_STATUS(SetModes(File, 0x100), STATUS_INVALID_PARAMETER);
    Finish(File);
}

/* The port's last handle is closed with a packet in it and a request under way. */
static VOID CompletionClose(VOID)
{
    HANDLE File = Prepare();
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(Ask(File, CODE_NOW, NULL, &Iosb));
    CT_STATUS(Ask(File, CODE_PEND, NULL, &Iosb), STATUS_PENDING);
    CT_SUCCESS(ZwClose(Port));
    CtComplete(Pended, STATUS_SUCCESS, 3);
    CT_EQUAL(Iosb.Information, 3);
    CT_SUCCESS(ZwClose(File));
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {
    {"completion.create", CompletionCreate},     {"completion.request", CompletionRequest},
    {"completion.refusals", CompletionRefusals}, {"completion.many", CompletionMany},
    {"completion.modes", CompletionModes},       {"completion.close", CompletionClose},
};
CT_DRIVER(Cases)
