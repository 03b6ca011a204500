/* SPDX-License-Identifier: MIT
 * Requests as a program makes them: previous mode UserMode, buffers in user memory, handles of its own. The device answers control codes
 * of this file. */
#include "service_test.h"
#include "kt.h"

#define KERNEL_VARIABLE ((PVOID)MM_IMAGE_BASE) /* readable, and not the program's */

static PDEVICE_OBJECT ServiceDevice;
PIRP volatile KtServicePended;
static LARGE_INTEGER ServiceWroteAt;
static PFILE_OBJECT ServiceTarget; /* of the last rename, only to be compared */
static UCHAR ServiceLocked;        /* minor function of the last lock request */
static PEPROCESS ServiceUnlocked;  /* whose ranges the last one was about */

static NTSTATUS ServiceComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* In the caller's process: its page goes, as if another of its threads had freed it. */
static VOID ServiceTakeAway(VOID)
{
    PVOID Base = SECOND;
    SIZE_T Size = PAGE_SIZE;
    (void)ZwFreeVirtualMemory(ZwCurrentProcess(), &Base, &Size, MEM_DECOMMIT);
}

static VOID NTAPI ServiceCancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    (void)ServiceComplete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS ServiceControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Length = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case PEND:
        IoMarkIrpPending(Irp);
        KtServicePended = Irp;
        return STATUS_PENDING;
    case PEND_CANCELABLE:
        IoMarkIrpPending(Irp);
        IoSetCancelRoutine(Irp, ServiceCancel);
        return STATUS_PENDING;
    case TAKE_AWAY:
        ServiceTakeAway();
        return ServiceComplete(Irp, STATUS_SUCCESS, Length);
    case DIRECT:
        RtlFillMemory(MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority), Length, 0x33);
        return ServiceComplete(Irp, STATUS_SUCCESS, Length);
    default:
        return ServiceComplete(Irp, STATUS_SUCCESS, Length);
    }
}

static NTSTATUS NTAPI ServiceDispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MajorFunction) {
    case IRP_MJ_DEVICE_CONTROL:
        return ServiceControl(Irp, Stack);
    case IRP_MJ_READ:
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.Read.Length, 0x44);
        return ServiceComplete(Irp, STATUS_SUCCESS, Stack->Parameters.Read.Length);
    case IRP_MJ_WRITE:
        ServiceWroteAt = Stack->Parameters.Write.ByteOffset;
        return ServiceComplete(Irp, STATUS_SUCCESS, Stack->Parameters.Write.Length);
    case IRP_MJ_LOCK_CONTROL:
        ServiceLocked = Stack->MinorFunction;
        ServiceUnlocked = IoGetRequestorProcess(Irp);
        return ServiceComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_SET_INFORMATION:
        ServiceTarget = Stack->Parameters.SetFile.FileObject;
        return ServiceComplete(Irp, STATUS_SUCCESS, 0);
    default:
        return ServiceComplete(Irp, STATUS_SUCCESS, 0);
    }
}

static NTSTATUS NTAPI ServiceInit(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\KtService");
    for (ULONG I = 0; I <= IRP_MJ_MAXIMUM_FUNCTION; I++)
        Driver->MajorFunction[I] = ServiceDispatch;
    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &ServiceDevice);
    if (NT_SUCCESS(Status))
        ServiceDevice->Flags = (ServiceDevice->Flags | DO_BUFFERED_IO) & ~(ULONG)DO_DEVICE_INITIALIZING;
    return Status;
}

/* The driver is made once and stays. */
static BOOLEAN ServiceExists(VOID)
{
    return ServiceDevice != NULL || NT_SUCCESS(IoCreateDriver(L"\\Driver\\KtService", ServiceInit));
}

static NTSTATUS UserOpen(ACCESS_MASK Access, ULONG Options)
{
    static const WCHAR Path[] = L"\\Device\\KtService";
    RtlCopyMemory(ME->Text, Path, sizeof(Path));
    ME->Name = (UNICODE_STRING){sizeof(Path) - sizeof(WCHAR), sizeof(Path), ME->Text};
    InitializeObjectAttributes(&ME->Attributes, &ME->Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    return NtOpenFile(&ME->File, Access, &ME->Attributes, &ME->Iosb, FILE_SHARE_READ | FILE_SHARE_WRITE,
                      Options);
}

/* Body runs as a thread of a program would, with two pages and the device open. */
VOID KtUserIn(KT_CONTEXT *Kt, ULONG Options, KT_ROUTINE Body)
{
    KT_USER User;

    KT_EXPECT(ServiceExists() && KtBecomeUser(&User, 2) == STATUS_SUCCESS);
    NTSTATUS Status = UserOpen(GENERIC_READ | SYNCHRONIZE, Options);
    if (NT_SUCCESS(Status)) {
        Body(Kt);
        Status = NtClose(ME->File);
    }
    KtBecomeKernel(&User);
    KT_EXPECT(Kt->Expression != NULL || NT_SUCCESS(Status));
}

static NTSTATUS UserControl(ULONG Code, PVOID Input, PVOID Output)
{
    return NtDeviceIoControlFile(ME->File, NULL, NULL, NULL, &ME->Iosb, Code, Input, 16, Output, 16);
}

static VOID UserRequests(KT_CONTEXT *Kt)
{
    KT_EXPECT(!ObIsKernelHandle(ME->File)); /* whatever user mode asked */
    RtlFillMemory(ME->Input, 16, 0x11);
    KT_EXPECT(UserControl(ECHO(FILE_READ_ACCESS), ME->Input, ME->Output) == STATUS_SUCCESS);
    KT_EXPECT(ME->Output[0] == 0x11 && ME->Output[15] == 0x11 && ME->Iosb.Information == 16);
    KT_EXPECT(UserControl(DIRECT, ME->Input, ME->Output) == STATUS_SUCCESS && ME->Output[15] == 0x33);
    KT_EXPECT(NtReadFile(ME->File, NULL, NULL, NULL, &ME->Iosb, ME->Output, 8, NULL, NULL) == 0);
    KT_EXPECT(ME->Output[7] == 0x44 && ME->Output[8] == 0x33 && ME->Iosb.Information == 8);
    KT_EXPECT(NtQueryInformationFile(ME->File, &ME->Iosb, &ME->Position, sizeof(ME->Position),
                                     FilePositionInformation) == 0);
    KT_EXPECT(ME->Position.CurrentByteOffset.QuadPart == 8);
}

KT_TEST(io_services_work_for_user_mode)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserRequests);
}

/* The handle was opened for reading: what else the request needs is refused, and so is a handle of the kernel's. */
static VOID UserAccess(KT_CONTEXT *Kt)
{
    HANDLE Own = ME->File, Kernel;
    KT_EXPECT(UserControl(ECHO(FILE_WRITE_ACCESS), ME->Input, ME->Output) == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtWriteFile(ME->File, NULL, NULL, NULL, &ME->Iosb, ME->Input, 8, NULL, NULL) ==
              STATUS_ACCESS_DENIED);
    KT_EXPECT(ZwDuplicateObject(ZwCurrentProcess(), ME->File, ZwCurrentProcess(), &Kernel, 0,
                                OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS) == 0);
    ME->File = Kernel;
    NTSTATUS Control = UserControl(ECHO(FILE_ANY_ACCESS), ME->Input, ME->Output), Close = NtClose(Kernel);
    ME->File = Own;
    KT_EXPECT(Control == STATUS_INVALID_HANDLE && Close == STATUS_INVALID_HANDLE && ZwClose(Kernel) == 0);
}

KT_TEST(io_services_check_the_handle_of_user_mode)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserAccess);
}

static NTSTATUS UserOpenAgain(HANDLE Root, ACCESS_MASK Access, PHANDLE File)
{
    ME->Name = Root != NULL
                   ? (UNICODE_STRING){0, 0, ME->Text}
                   : (UNICODE_STRING){(USHORT)(wcslen(ME->Text) * sizeof(WCHAR)), sizeof(ME->Text), ME->Text};
    ME->Attributes.RootDirectory = Root;
    HANDLE Own = ME->File;
    NTSTATUS Status = NtOpenFile(&ME->File, Access, &ME->Attributes, &ME->Iosb, 7, 0);
    *File = ME->File;
    ME->File = Own;
    return Status;
}

/* [WDK ZwWriteFile] a handle that may only append: the offset is the end of the file, whatever is asked. */
static VOID UserAppends(KT_CONTEXT *Kt)
{
    HANDLE Append;
    ME->Offset.QuadPart = 0;
    KT_EXPECT(UserOpenAgain(NULL, FILE_APPEND_DATA | SYNCHRONIZE, &Append) == STATUS_SUCCESS);
    NTSTATUS Status = NtWriteFile(Append, NULL, NULL, NULL, &ME->Iosb, ME->Input, 8, &ME->Offset, NULL);
    KT_EXPECT(NtClose(Append) == STATUS_SUCCESS && Status == STATUS_SUCCESS);
    KT_EXPECT(ServiceWroteAt.LowPart == FILE_WRITE_TO_END_OF_FILE && ServiceWroteAt.HighPart == -1);
}

KT_TEST(io_append_handle_writes_at_the_end)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserAppends);
}

/* An empty name relative to an open of the device is one of the device, which is asked; to ask for nothing is refused too. */
static VOID UserOpensRelative(KT_CONTEXT *Kt)
{
    HANDLE File;
    KT_EXPECT(UserOpenAgain(ME->File, FILE_READ_DATA | SYNCHRONIZE, &File) == STATUS_SUCCESS);
    KT_EXPECT(NtClose(File) == STATUS_SUCCESS);
    KT_EXPECT(UserOpenAgain(NULL, 0, &File) == STATUS_ACCESS_DENIED);
}

KT_TEST(io_relative_open_of_a_device_is_checked)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserOpensRelative);
}

/* Each pointer in turn leads into the kernel, or where nothing is. */
static BOOLEAN UserRefuses(PVOID Wrong)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;
    HANDLE File = ME->File;

    return NtDeviceIoControlFile(File, NULL, NULL, NULL, Wrong, ECHO(0), ME->Input, 16, ME->Output, 16) ==
               No &&
           UserControl(ECHO(0), Wrong, ME->Output) == No && UserControl(ECHO(0), ME->Input, Wrong) == No &&
           UserControl(DIRECT, ME->Input, Wrong) == No &&
           NtReadFile(File, NULL, NULL, NULL, Wrong, ME->Output, 8, NULL, NULL) == No &&
           NtReadFile(File, NULL, NULL, NULL, &ME->Iosb, Wrong, 8, NULL, NULL) == No &&
           NtReadFile(File, NULL, NULL, NULL, &ME->Iosb, ME->Output, 8, Wrong, NULL) == No &&
           NtReadFile(File, NULL, NULL, NULL, &ME->Iosb, ME->Output, 8, NULL, Wrong) == No &&
           NtQueryInformationFile(File, Wrong, &ME->Position, 8, FilePositionInformation) == No &&
           NtQueryInformationFile(File, &ME->Iosb, Wrong, 8, FilePositionInformation) == No &&
           NtSetInformationFile(File, &ME->Iosb, Wrong, 8, FilePositionInformation) == No &&
           NtOpenFile(Wrong, GENERIC_READ, &ME->Attributes, &ME->Iosb, 0, 0) == No &&
           NtOpenFile(&ME->File, GENERIC_READ, Wrong, &ME->Iosb, 0, 0) == No &&
           NtOpenFile(&ME->File, GENERIC_READ, &ME->Attributes, Wrong, 0, 0) == No && ME->File == File;
}

static VOID UserWrongPointers(KT_CONTEXT *Kt)
{
    KT_EXPECT(UserRefuses(KERNEL_VARIABLE));
    KT_EXPECT(UserRefuses((PVOID)0x70000000));
}

KT_TEST(io_services_touch_only_user_memory_for_user_mode)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserWrongPointers);
}

/* Where the answer goes cannot be left out, and is asked for before anything is done. */
static VOID UserLeavesOut(KT_CONTEXT *Kt)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;
    HANDLE File = ME->File;
    ServiceWroteAt.QuadPart = -1;
    ME->Offset.QuadPart = 0;
    KT_EXPECT(NtReadFile(File, NULL, NULL, NULL, NULL, ME->Output, 8, NULL, NULL) == No);
    KT_EXPECT(NtWriteFile(File, NULL, NULL, NULL, NULL, ME->Input, 8, &ME->Offset, NULL) != STATUS_SUCCESS);
    KT_EXPECT(ServiceWroteAt.QuadPart == -1);
    KT_EXPECT(NtQueryInformationFile(File, NULL, &ME->Position, 8, FilePositionInformation) == No);
    KT_EXPECT(NtOpenFile(NULL, GENERIC_READ, &ME->Attributes, &ME->Iosb, 0, 0) == No);
    KT_EXPECT(NtOpenFile(&ME->File, GENERIC_READ, &ME->Attributes, NULL, 0, 0) == No && ME->File == File);
    KT_EXPECT(NtCreateIoCompletion(NULL, IO_COMPLETION_ALL_ACCESS, NULL, 0) == No);
}

KT_TEST(io_services_need_somewhere_to_answer)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserLeavesOut);
}

/* A driver passes on the program's addresses: what is not there is a status, and the file is free for the next request. */
static VOID UserAddressesPassedOn(KT_CONTEXT *Kt)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;
    HANDLE File = ME->File;
    PVOID Wrong = (PVOID)0x70000000;
    KT_EXPECT(ZwSetInformationFile(File, &ME->Iosb, Wrong, 8, FilePositionInformation) == No);
    KT_EXPECT(ZwSetInformationFile(File, &ME->Iosb, Wrong, 40, FileBasicInformation) == No);
    KT_EXPECT(ZwQueryInformationFile(File, &ME->Iosb, Wrong, 8, FilePositionInformation) == No);
    KT_EXPECT(ZwQueryVolumeInformationFile(File, &ME->Iosb, Wrong, 8, FileFsDeviceInformation) == No);
    KT_EXPECT(ZwSetVolumeInformationFile(File, &ME->Iosb, Wrong, 48, FileFsControlInformation) == No);
    KT_EXPECT(ZwLockFile(File, NULL, NULL, NULL, &ME->Iosb, Wrong, Wrong, 0, TRUE, TRUE) == No);
    KT_EXPECT(ZwQueryDirectoryFile(File, NULL, NULL, NULL, &ME->Iosb, SECOND, 512, FileNamesInformation, TRUE,
                                   Wrong, TRUE) == No);
    KT_EXPECT(ZwQueryInformationFile(File, &ME->Iosb, &ME->Position, 8, FilePositionInformation) == 0);
}

KT_TEST(io_services_keep_nothing_when_an_address_is_wrong)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserAddressesPassedOn);
}

/* --- renaming: the folder is opened with the program's rights, by the kernel --- */

static NTSTATUS UserRename(HANDLE File, HANDLE Root, PCWSTR To)
{
    FILE_RENAME_INFORMATION *Rename = (PVOID)SECOND;
    *Rename = (FILE_RENAME_INFORMATION){.RootDirectory = Root,
                                        .FileNameLength = (ULONG)(wcslen(To) * sizeof(WCHAR))};
    RtlCopyMemory(Rename->FileName, To, Rename->FileNameLength);
    ServiceTarget = NULL;
    return NtSetInformationFile(File, &ME->Iosb, Rename, 256, FileRenameInformation);
}

static VOID UserRenames(KT_CONTEXT *Kt)
{
    HANDLE File;
    KT_EXPECT(UserOpenAgain(NULL, DELETE | SYNCHRONIZE, &File) == STATUS_SUCCESS);
    NTSTATUS Simple = UserRename(File, NULL, L"x");
    BOOLEAN None = ServiceTarget == NULL;
    NTSTATUS Whole = UserRename(File, NULL, L"\\Device\\KtService\\x");
    BOOLEAN Given = ServiceTarget != NULL;
    NTSTATUS Relative = UserRename(File, ME->File, L"x");
    Given = Given && ServiceTarget != NULL;
    NTSTATUS Kernels = UserRename(File, (HANDLE)(LONG_PTR)(LONG)0x80000004, L"x");
    NTSTATUS Other = UserRename(File, NULL, L"\\Device\\Null");
    KT_EXPECT(NtClose(File) == STATUS_SUCCESS && None && Given);
    KT_EXPECT(Simple == STATUS_SUCCESS && Whole == STATUS_SUCCESS && Relative == STATUS_SUCCESS);
    KT_EXPECT(Kernels == STATUS_INVALID_HANDLE && Other == STATUS_NOT_SAME_DEVICE);
}

KT_TEST(io_user_mode_renames_by_whole_names)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserRenames);
}

/* The ranges of a process go with its last handle, although somebody else still has the file open. */
static VOID UserLocks(KT_CONTEXT *Kt)
{
    PFILE_OBJECT File;
    HANDLE Kept, Second;
    KT_EXPECT(ObReferenceObjectByHandle(ME->File, 0, IoFileObjectType, KernelMode, (PVOID *)&File, NULL) ==
              0);
    NTSTATUS Status = ObOpenObjectByPointer(File, OBJ_KERNEL_HANDLE, NULL, GENERIC_READ, IoFileObjectType,
                                            KernelMode, &Kept);
    KT_EXPECT(NT_SUCCESS(Status));
    KT_EXPECT(ObOpenObjectByPointer(File, 0, NULL, GENERIC_READ, IoFileObjectType, KernelMode, &Second) == 0);
    ObDereferenceObject(File);
    ME->Position.CurrentByteOffset.QuadPart = 16;
    ServiceLocked = 0;
    KT_EXPECT(NtClose(Second) == 0 && ServiceLocked == 0);
    KT_EXPECT(ObOpenObjectByPointer(File, 0, NULL, GENERIC_READ, IoFileObjectType, KernelMode, &Second) == 0);
    KT_EXPECT(NtLockFile(ME->File, NULL, NULL, NULL, &ME->Iosb, &ME->Position.CurrentByteOffset,
                         &ME->Position.CurrentByteOffset, 0, TRUE, TRUE) == 0);
    KT_EXPECT(ServiceLocked == IRP_MN_LOCK && File->LockOperation);
    KT_EXPECT(NtClose(Second) == 0 && ServiceLocked == IRP_MN_LOCK); /* it has another one */
    /* the ranges that go are those of the handle's process, not of who closes it */
    KT_EXPECT(ObCloseHandle(Kept, KernelMode) == 0 && ServiceUnlocked == PsInitialSystemProcess);
    KT_EXPECT(ObOpenObjectByPointer(File, OBJ_KERNEL_HANDLE, NULL, GENERIC_READ, IoFileObjectType, KernelMode,
                                    &Kept) == 0);
    KT_EXPECT(NtClose(ME->File) == 0 && ServiceLocked == IRP_MN_UNLOCK_ALL);
    KT_EXPECT(ServiceUnlocked == PsGetCurrentProcess());
    ServiceLocked = 0;
    KT_EXPECT(ObCloseHandle(Kept, KernelMode) == 0 && ServiceLocked == 0); /* that is a cleanup */
    KT_EXPECT(UserOpen(GENERIC_READ | SYNCHRONIZE, 0) == STATUS_SUCCESS);
}

KT_TEST(io_ranges_go_with_the_last_handle_of_a_process)
{
    KtUserIn(Kt, 0, UserLocks);
}

/* The output buffer is gone when the driver has answered. */
static VOID UserLosesBuffer(KT_CONTEXT *Kt)
{
    KT_EXPECT(UserControl(TAKE_AWAY, ME->Input, SECOND) == STATUS_ACCESS_VIOLATION);
}

KT_TEST(io_request_outlives_its_buffer)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserLosesBuffer);
}

/* Completed by a DPC, which runs in no process. */
static VOID NTAPI ServiceCompleteInDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PIRP Irp = KtServicePended;
    RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, 16, 0x55);
    (void)ServiceComplete(Irp, STATUS_SUCCESS, 16);
}

/* A thread that has left the process meanwhile: the request ends all the same, and nothing is written into the other process. */
static VOID UserLeaves(KT_CONTEXT *Kt)
{
    static KDPC Dpc;
    KAPC_STATE State;
    PFILE_OBJECT File;
    KT_EXPECT(UserControl(PEND, ME->Input, ME->Output) == STATUS_PENDING);
    KT_EXPECT(ObReferenceObjectByHandle(ME->File, 0, IoFileObjectType, KernelMode, (PVOID *)&File, NULL) ==
              0);
    KeStackAttachProcess(&PsInitialSystemProcess->Pcb, &State);
    KeInitializeDpc(&Dpc, ServiceCompleteInDpc, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    NTSTATUS Status = KeWaitForSingleObject(&File->Event, Executive, KernelMode, FALSE, NULL);
    KeUnstackDetachProcess(&State);
    ObDereferenceObject(File);
    KT_EXPECT(Status == STATUS_SUCCESS && ME->Output[0] == 0);
}

KT_TEST(io_request_of_a_process_left_ends)
{
    KtUserIn(Kt, 0, UserLeaves);
}

/* The output arrives in the process that asked. */
static VOID UserAsynchronous(KT_CONTEXT *Kt)
{
    static KDPC Dpc;
    ME->Iosb.Information = 77;
    KT_EXPECT(UserControl(PEND, ME->Input, ME->Output) == STATUS_PENDING && ME->Iosb.Information == 77);
    KeInitializeDpc(&Dpc, ServiceCompleteInDpc, NULL);
    KeSetTargetProcessorDpc(&Dpc, (CCHAR)(KeActiveProcessorCount - 1));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KT_EXPECT(ZwWaitForSingleObject(ME->File, FALSE, NULL) == STATUS_SUCCESS);
    KT_EXPECT(ME->Iosb.Status == STATUS_SUCCESS && ME->Iosb.Information == 16);
    KT_EXPECT(ME->Output[0] == 0x55 && ME->Output[15] == 0x55);
}

KT_TEST(io_request_ends_in_its_process)
{
    KtUserIn(Kt, 0, UserAsynchronous);
}

/* An alert of its own mode ends the wait of a program whose file says so, and the next request is as ever. */
static VOID UserAlerted(KT_CONTEXT *Kt)
{
    KeAlertThread(KiCurrentThread(), UserMode);
    KT_EXPECT(UserControl(PEND_CANCELABLE, ME->Input, ME->Output) == STATUS_ALERTED);
    KT_EXPECT(ME->Iosb.Status == STATUS_ALERTED && ME->Iosb.Information == 0);
    KT_EXPECT(UserControl(ECHO(0), ME->Input, ME->Output) == 0 && ME->Iosb.Information == 16);
}

KT_TEST(io_alertable_wait_ends_by_alert)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_ALERT, UserAlerted);
}
