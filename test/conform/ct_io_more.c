/* SPDX-License-Identifier: MIT
 * Small names of the I/O manager: controllers, lists of devices, marks of files and requests. Each rule is of the WDK page with the function's name. */
#include "ct_irp.h"

static PDEVICE_OBJECT MakeDevice(VOID)
{
    PDEVICE_OBJECT Device = NULL;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    return Device;
}

/* --- controllers --- */

static ULONG Given;
static PDEVICE_OBJECT GivenTo[4];
static IO_ALLOCATION_ACTION Action;

static IO_ALLOCATION_ACTION NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp, PVOID Base, PVOID Context)
{
    CT_CHECK(Irp == Device->CurrentIrp && Base == NULL && Context == &Given);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    GivenTo[Given++] = Device;
    return Action;
}

/* One device at a time, in the order in which they asked; who does not keep it lets the next one have it at once. */
static VOID ControllerCase(VOID)
{
    PDEVICE_OBJECT First = MakeDevice(), Second = MakeDevice(), Third = MakeDevice();
    PCONTROLLER_OBJECT Controller = IoCreateController(24);
    KIRQL OldIrql;
    CT_REQUIRE(First != NULL && Second != NULL && Third != NULL && Controller != NULL);
    RtlFillMemory(Controller->ControllerExtension, 24, 0x11);
    Given = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Action = KeepObject;
    IoAllocateController(Controller, First, Control, &Given);
    CT_EQUAL(Given, 1);
    IoAllocateController(Controller, Second, Control, &Given);
    IoAllocateController(Controller, Third, Control, &Given);
    CT_EQUAL(Given, 1);
    Action = DeallocateObject;
    IoFreeController(Controller);
    CT_CHECK(Given == 3 && GivenTo[0] == First && GivenTo[1] == Second && GivenTo[2] == Third);
    IoAllocateController(Controller, First, Control, &Given);
    CT_EQUAL(Given, 4);
    KeLowerIrql(OldIrql);
    IoDeleteController(Controller);
    IoDeleteDevice(First);
    IoDeleteDevice(Second);
    IoDeleteDevice(Third);
}

/* --- devices and drivers --- */

static VOID DeviceListCase(VOID)
{
    PDEVICE_OBJECT List[3] = {NULL};
    ULONG Actual = 9;
    PDEVICE_OBJECT Base = MakeDevice(), Top = MakeDevice();
    CT_REQUIRE(Base != NULL && Top != NULL);
    CT_STATUS(IoEnumerateDeviceObjectList(CtDriverObject, NULL, 0, &Actual), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Actual, 2);
    CT_STATUS(IoEnumerateDeviceObjectList(CtDriverObject, List, sizeof(List[0]), &Actual),
              STATUS_BUFFER_TOO_SMALL);
    CT_CHECK(Actual == 2 && List[0] != NULL && List[1] == NULL);
    ObDereferenceObject(List[0]);
    CT_SUCCESS(IoEnumerateDeviceObjectList(CtDriverObject, List, sizeof(List), &Actual));
    CT_CHECK(Actual == 2 && List[0] != List[1] && List[2] == NULL);
    CT_CHECK((List[0] == Base || List[1] == Base) && (List[0] == Top || List[1] == Top));
    ObDereferenceObject(List[0]);
    ObDereferenceObject(List[1]);
    IoDeleteDevice(Top);
    IoDeleteDevice(Base);
}

static VOID DriverPathCase(VOID)
{
    UNICODE_STRING Path, End = RTL_CONSTANT_STRING(L"\\ct_io_more.sys");
    CT_REQUIRE(CT_SUCCESS(IoQueryFullDriverPath(CtDriverObject, &Path)));
    CT_CHECK(Path.Length > End.Length && Path.MaximumLength >= Path.Length);
    UNICODE_STRING Tail = {End.Length, End.Length, Path.Buffer + (Path.Length - End.Length) / sizeof(WCHAR)};
    CT_CHECK(RtlEqualUnicodeString(&Tail, &End, TRUE));
    CT_EQUAL(Path.Buffer[0], '\\');
    ExFreePool(Path.Buffer);
}

/* --- marks --- */

static VOID FileMarkCase(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\ntoskrnl.exe");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    PFILE_OBJECT File;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwOpenFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb,
                                     FILE_SHARE_READ, FILE_SYNCHRONOUS_IO_NONALERT)));
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    CT_CHECK(!IoIsFileOriginRemote(File));
    CT_STATUS(IoSetFileOrigin(File, FALSE), STATUS_INVALID_PARAMETER_MIX);
    CT_SUCCESS(IoSetFileOrigin(File, TRUE));
    CT_STATUS(IoSetFileOrigin(File, TRUE), STATUS_INVALID_PARAMETER_MIX);
    CT_CHECK(IoIsFileOriginRemote(File) && (File->Flags & FO_REMOTE_ORIGIN));
    CT_SUCCESS(IoSetFileOrigin(File, FALSE));
    CT_CHECK(IoGetTransactionParameterBlock(File) == NULL);
    ObDereferenceObject(File);
    ZwClose(Handle);
}

static VOID HintCase(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    CT_REQUIRE(Irp != NULL);
    CT_EQUAL(IoGetIoPriorityHint(Irp), IoPriorityNormal);
    Irp->Flags = IRP_NOCACHE | IRP_READ_OPERATION;
    CT_EQUAL(IoGetPagingIoPriority(Irp), IoPagingPriorityInvalid);
    for (ULONG Hint = IoPriorityVeryLow; Hint < MaxIoPriorityTypes; Hint++) {
        CT_SUCCESS(IoSetIoPriorityHint(Irp, (IO_PRIORITY_HINT)Hint));
        CT_EQUAL(IoGetIoPriorityHint(Irp), Hint);
    }
    CT_STATUS(IoSetIoPriorityHint(Irp, MaxIoPriorityTypes), STATUS_INVALID_PARAMETER);
    CT_EQUAL(IoGetIoPriorityHint(Irp), IoPriorityCritical);
    CT_EQUAL(Irp->Flags & (IRP_NOCACHE | IRP_READ_OPERATION), IRP_NOCACHE | IRP_READ_OPERATION);
    Irp->Flags |= IRP_PAGING_IO;
    CT_EQUAL(IoGetPagingIoPriority(Irp), IoPagingPriorityNormal);
    IoFreeIrp(Irp);
}

static VOID StackCase(VOID)
{
    static ULONG Elsewhere;
    ULONG Here = 0;
    CT_CHECK(IoWithinStackLimits((ULONG_PTR)&Here, sizeof(Here)));
    CT_CHECK(!IoWithinStackLimits((ULONG_PTR)&Elsewhere, sizeof(Elsewhere)));
    CT_CHECK(!IoWithinStackLimits((ULONG_PTR)&Here, 0x100000));
}

static const CT_CASE Cases[] = {
    {"io_more.controller", ControllerCase},
    {"io_more.devices", DeviceListCase},
    {"io_more.path", DriverPathCase},
    {"io_more.mark", FileMarkCase},
    {"io_more.hint", HintCase},
    {"io_more.stack", StackCase},
};
CT_DRIVER(Cases)
