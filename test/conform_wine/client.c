/* SPDX-License-Identifier: MIT
 * The client of Wine's kernel driver tests (dlls/ntoskrnl.exe/tests/driver.c), as a driver: it gives them the section, the file and the
 * services that they look for, and sends the requests that a program would send. What it expects of the answers are the facts that
 * Wine's own client (ntoskrnl.c) holds against Windows. driver.h comes with Wine's source. */
#include "wine_ddk.h"
#include "driver.h"

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define UNTOUCHED ((NTSTATUS)0xdeadf00d)

static ULONG Passed, Failed;
static CHAR Context[120];

static VOID Check(BOOLEAN Good, ULONG Line, PCSTR What, ULONG64 Seen)
{
    if (Good) {
        Passed++;
        return;
    }
    Failed++;
    DbgPrint("wine| client.c:%lu: Test failed: %s%s, seen %#I64x\n", Line, Context, What, Seen);
}
#define CHECK(Condition, Seen) Check((Condition) != 0, __LINE__, #Condition, (ULONG64)(Seen))
#define SUCCEEDS(Call) CheckStatus(__LINE__, #Call, (Call))

static BOOLEAN CheckStatus(ULONG Line, PCSTR What, NTSTATUS Status)
{
    Check(Status == STATUS_SUCCESS, Line, What, (ULONG)Status);
    return Status == STATUS_SUCCESS;
}

/* --- what the tests look for: C:\windows\winetest_ntoskrnl_okfile, a section --- */

static PDEVICE_OBJECT OkDevice;
static UNICODE_STRING OkLink = RTL_CONSTANT_STRING(L"\\??\\C:");
static HANDLE Section;
static struct test_data *Data;

static CHAR OkLine[400]; /* the tests write it in pieces, one thread at a time */
static ULONG OkLength;

static VOID OkWrite(PCSTR Text, ULONG Length)
{
    for (ULONG i = 0; i < Length; i++) {
        if (Text[i] != '\n' && OkLength < sizeof(OkLine) - 1)
            OkLine[OkLength++] = Text[i];
        if (Text[i] == '\n') {
            OkLine[OkLength] = 0;
            DbgPrint("wine| %s\n", OkLine);
            OkLength = 0;
        }
    }
}

static NTSTATUS NTAPI OkDispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    Irp->IoStatus.Information = 0;
    if (Stack->MajorFunction == IRP_MJ_WRITE) {
        OkWrite(Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.Write.Length);
        Irp->IoStatus.Information = Stack->Parameters.Write.Length;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static BOOLEAN MakeOkFile(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\WineOkFile");
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLEANUP] =
        Driver->MajorFunction[IRP_MJ_CLOSE] = Driver->MajorFunction[IRP_MJ_WRITE] = OkDispatch;
    if (!SUCCEEDS(IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &OkDevice)))
        return FALSE;
    OkDevice->Flags |= DO_BUFFERED_IO;
    OkDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return SUCCEEDS(IoCreateSymbolicLink(&OkLink, &Name));
}

static BOOLEAN MakeSection(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\winetest_ntoskrnl_section");
    OBJECT_ATTRIBUTES Attributes = {
        .Length = sizeof(Attributes), .ObjectName = &Name, .Attributes = OBJ_KERNEL_HANDLE};
    LARGE_INTEGER Size = {.QuadPart = sizeof(struct test_data)};
    SIZE_T View = 0;
    if (!SUCCEEDS(ZwCreateSection(&Section, SECTION_ALL_ACCESS, &Attributes, &Size, PAGE_READWRITE,
                                  SEC_COMMIT, NULL)) ||
        !SUCCEEDS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&Data, 0, 0, NULL, &View,
                                     ViewUnmap, 0, PAGE_READWRITE)))
        return FALSE;
    Data->running_under_wine = 0;
    Data->winetest_debug = 1;
    return TRUE;
}

static BOOLEAN MakeService(PCWSTR Key, PCWSTR Image)
{
    UNICODE_STRING Path;
    ULONG Type = 1, Start = 3, Control = 1;
    HANDLE Handle;
    RtlInitUnicodeString(&Path, Key);
    OBJECT_ATTRIBUTES Attributes = {
        .Length = sizeof(Attributes), .ObjectName = &Path, .Attributes = OBJ_KERNEL_HANDLE};
    if (!SUCCEEDS(ZwCreateKey(&Handle, KEY_ALL_ACCESS, &Attributes, 0, NULL, 0, NULL)))
        return FALSE;
    ZwClose(Handle);
    return SUCCEEDS(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"Type", REG_DWORD, &Type, 4)) &&
           SUCCEEDS(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"Start", REG_DWORD, &Start, 4)) &&
           SUCCEEDS(
               RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"ErrorControl", REG_DWORD, &Control, 4)) &&
           SUCCEEDS(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Key, L"ImagePath", REG_EXPAND_SZ,
                                          (PVOID)Image, (ULONG)(wcslen(Image) + 1) * sizeof(WCHAR)));
}

/* --- requests --- */

static HANDLE Device;

static NTSTATUS Open(PHANDLE Handle, PCWSTR Path, ACCESS_MASK Access, ULONG Options)
{
    UNICODE_STRING Name;
    IO_STATUS_BLOCK Iosb;
    RtlInitUnicodeString(&Name, Path);
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes),
                                    .ObjectName = &Name,
                                    .Attributes = OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE};
    return ZwCreateFile(Handle, Access | SYNCHRONIZE | FILE_READ_ATTRIBUTES, &Attributes, &Iosb, NULL, 0, 0,
                        FILE_OPEN, Options | FILE_NON_DIRECTORY_FILE, NULL, 0);
}

static NTSTATUS Control(HANDLE File, HANDLE Event, PIO_STATUS_BLOCK Iosb, ULONG Code, PVOID In,
                        ULONG InLength, PVOID Out, ULONG OutLength)
{
    return ZwDeviceIoControlFile(File, Event, NULL, NULL, Iosb, Code, In, InLength, Out, OutLength);
}

static ULONG Count(HANDLE File, ULONG Code)
{
    IO_STATUS_BLOCK Iosb;
    ULONG Value = 0xdeadbeef;
    SUCCEEDS(Control(File, NULL, &Iosb, Code, NULL, 0, &Value, sizeof(Value)));
    return Value;
}

static VOID TestBasic(VOID)
{
    CHAR Text[32] = {0}, Input[] = "ignored";
    IO_STATUS_BLOCK Iosb;
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_BASIC_IOCTL, NULL, 0, Text, sizeof(Text)));
    CHECK(Iosb.Information == sizeof(teststr), Iosb.Information);
    CHECK(strcmp(Text, teststr) == 0, 0);
    RtlFillMemory(Text, sizeof(Text), 0xCC);
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_BASIC_IOCTL, Input, sizeof(Input), Text, 10));
    CHECK(Iosb.Information == 10, Iosb.Information);
    CHECK(strncmp(Text, teststr, 10) == 0 && (UCHAR)Text[10] == 0xCC, Text[10]);
}

/* The driver's own tests, of about 1,500 checks. It finds the string and the variable by the process's base and these offsets. */
static VOID TestMain(VOID)
{
    static ULONG64 Modified;
    PUCHAR Base = PsGetProcessSectionBaseAddress(PsGetCurrentProcess());
    struct main_test_input Input = {.process_id = (DWORD)(ULONG_PTR)PsGetCurrentProcessId(),
                                    .teststr_offset = (SIZE_T)((PUCHAR)teststr - Base),
                                    .modified_value = &Modified};
    IO_STATUS_BLOCK Iosb;
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_MAIN_TEST, &Input, sizeof(Input), NULL, 0));
    CHECK(Modified == 0xdeadbeeffeedcafe, Modified);
}

static VOID TestLoad(VOID)
{
    BOOL Load = TRUE;
    IO_STATUS_BLOCK Iosb;
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_LOAD_DRIVER, &Load, sizeof(Load), NULL, 0));
    Load = FALSE;
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_LOAD_DRIVER, &Load, sizeof(Load), NULL, 0));
}

/* Creates and closes are counted by file object, not by handle. */
static VOID TestFiles(VOID)
{
    HANDLE First, Second, Duplicate;
    ULONG Creates = Count(Device, IOCTL_WINETEST_GET_CREATE_COUNT);
    ULONG Closes = Count(Device, IOCTL_WINETEST_GET_CLOSE_COUNT);
    CHECK(Count(Device, IOCTL_WINETEST_GET_FSCONTEXT) == 1, 0);
    if (!SUCCEEDS(Open(&First, L"\\??\\WineTestDriver", 0, FILE_SYNCHRONOUS_IO_NONALERT)) ||
        !SUCCEEDS(Open(&Second, L"\\??\\WineTestDriver", 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    CHECK(Count(Device, IOCTL_WINETEST_GET_CREATE_COUNT) == Creates + 2, 0);
    SUCCEEDS(ZwDuplicateObject(ZwCurrentProcess(), First, ZwCurrentProcess(), &Duplicate, 0,
                               OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS));
    CHECK(Count(Device, IOCTL_WINETEST_GET_CREATE_COUNT) == Creates + 2, 0);
    CHECK(Count(First, IOCTL_WINETEST_GET_FSCONTEXT) == Creates + 1, 0);
    CHECK(Count(Second, IOCTL_WINETEST_GET_FSCONTEXT) == Creates + 2, 0);
    CHECK(Count(Duplicate, IOCTL_WINETEST_GET_FSCONTEXT) == Creates + 1, 0);
    ZwClose(Duplicate);
    CHECK(Count(Device, IOCTL_WINETEST_GET_CLOSE_COUNT) == Closes, 0);
    ZwClose(Second);
    CHECK(Count(Device, IOCTL_WINETEST_GET_CLOSE_COUNT) == Closes + 1, 0);
    ZwClose(First);
    CHECK(Count(Device, IOCTL_WINETEST_GET_CLOSE_COUNT) == Closes + 2, 0);
}

static VOID TestCancel(VOID)
{
    HANDLE File;
    IO_STATUS_BLOCK Iosb, First, Second;
    if (!SUCCEEDS(Open(&File, L"\\??\\WineTestDriver", FILE_WRITE_ATTRIBUTES, 0)))
        return;
    SUCCEEDS(Control(File, NULL, &Iosb, IOCTL_WINETEST_RESET_CANCEL, NULL, 0, NULL, 0));
    CHECK(Control(File, NULL, &First, IOCTL_WINETEST_TEST_CANCEL, NULL, 0, NULL, 0) == STATUS_PENDING, 0);
    CHECK(Control(File, NULL, &Second, IOCTL_WINETEST_TEST_CANCEL, NULL, 0, NULL, 0) == STATUS_PENDING, 0);
    CHECK(Count(File, IOCTL_WINETEST_GET_CANCEL_COUNT) == 0, 0);
    SUCCEEDS(ZwCancelIoFile(File, &Iosb));
    CHECK(Count(File, IOCTL_WINETEST_GET_CANCEL_COUNT) == 2, 0);
    CHECK(First.Status == STATUS_CANCELLED && Second.Status == STATUS_CANCELLED, (ULONG)First.Status);
    ZwClose(File);
}

/* --- every combination of what a driver returns, what it puts into the status block, and how --- */

typedef struct _ANSWER {
    struct return_status_params *Params;
    ULONG Code;
    PCSTR Text; /* that the buffer has afterwards */
    CHAR Buffer[7];
    IO_STATUS_BLOCK Iosb;
} ANSWER;

static NTSTATUS Ask(ANSWER *A, HANDLE File, HANDLE Event, PIO_APC_ROUTINE Apc, PVOID ApcContext)
{
    RtlCopyMemory(A->Buffer, "abcdef", 7);
    A->Iosb.Status = UNTOUCHED;
    A->Iosb.Information = 0xdeadf00d;
    return ZwDeviceIoControlFile(File, Event, Apc, ApcContext, &A->Iosb, A->Code, A->Params,
                                 sizeof(*A->Params), A->Buffer, sizeof(A->Buffer));
}

static VOID CheckAnswer(ANSWER *A, BOOLEAN Told, ULONG Line)
{
    Check(strcmp(A->Buffer, A->Text) == 0, Line, "the buffer", A->Buffer[0]);
    Check(A->Iosb.Status == (Told ? A->Params->iosb_status : UNTOUCHED), Line, "Iosb.Status",
          (ULONG)A->Iosb.Status);
    Check(A->Iosb.Information == (Told ? 3 : 0xdeadf00d), Line, "Iosb.Information", A->Iosb.Information);
}

static BOOLEAN IsSet(HANDLE Waitable)
{
    LARGE_INTEGER Zero = {0};
    return ZwWaitForSingleObject(Waitable, FALSE, &Zero) == STATUS_SUCCESS;
}

static ULONG ApcCalls;

static VOID NTAPI Apc(PVOID ApcContext, PIO_STATUS_BLOCK Iosb, ULONG Reserved)
{
    ApcCalls++;
    CHECK(ApcContext == (PVOID)456 && Reserved == 0, ApcContext);
}

static VOID AskOverlapped(ANSWER *A, BOOLEAN Told, HANDLE Event)
{
    HANDLE File;
    NTSTATUS Status;
    LONG Was;
    if (!SUCCEEDS(Open(&File, L"\\??\\WineTestDriver", FILE_ALL_ACCESS, 0)))
        return;
    CHECK(IsSet(File), 0);
    for (ULONG Set = 0; Set <= 1; Set++) { /* the event is cleared by the request */
        Set ? ZwSetEvent(Event, &Was) : ZwClearEvent(Event);
        Status = Ask(A, File, Event, NULL, NULL);
        CHECK(Status == A->Params->ret_status, (ULONG)Status);
        CheckAnswer(A, Told, __LINE__);
        CHECK(IsSet(Event) == Told, Told);
        CHECK(!IsSet(File), 0);
    }
    Status = Ask(A, File, NULL, NULL, NULL);
    CHECK(Status == A->Params->ret_status, (ULONG)Status);
    CheckAnswer(A, Told, __LINE__);
    CHECK(IsSet(File) == Told, Told);
    ApcCalls = 0;
    Status = Ask(A, File, NULL, Apc, (PVOID)456);
    CHECK(Status == A->Params->ret_status, (ULONG)Status);
    CheckAnswer(A, Told, __LINE__);
    CHECK(ApcCalls == Told, ApcCalls); /* a kernel-mode routine is called at once */
    ZwClose(File);
}

static VOID AskEach(ULONG Code, struct return_status_params *Params, HANDLE Event)
{
    ANSWER A = {.Params = Params, .Code = Code, .Text = "ghijkl"};
    if (Params->ret_status == STATUS_PENDING && !Params->pending)
        return; /* Windows hangs */
    if (Code == IOCTL_WINETEST_RETURN_STATUS_BUFFERED)
        A.Text = NT_ERROR(Params->iosb_status) ? "abcdef" : "ghidef";
    NTSTATUS Expected = Params->ret_status == STATUS_PENDING ? Params->iosb_status : Params->ret_status;
    NTSTATUS Status = Ask(&A, Device, NULL, NULL, NULL);
    CHECK(Status == Expected, (ULONG)Status);
    CheckAnswer(&A, !NT_ERROR(Params->iosb_status), __LINE__);
    AskOverlapped(&A, Params->pending || !NT_ERROR(Params->iosb_status), Event);
}

static VOID TestStatus(VOID)
{
    static const NTSTATUS Statuses[] = {
        STATUS_SUCCESS,         STATUS_PENDING,       STATUS_TIMEOUT,         0x0eadbeef,          0x4eadbeef,
        STATUS_BUFFER_OVERFLOW, (NTSTATUS)0x8eadbeef, STATUS_NOT_IMPLEMENTED, (NTSTATUS)0xceadbeef};
    static const ULONG Codes[] = {IOCTL_WINETEST_RETURN_STATUS_BUFFERED, IOCTL_WINETEST_RETURN_STATUS_DIRECT,
                                  IOCTL_WINETEST_RETURN_STATUS_NEITHER};
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    HANDLE Event;
    if (!SUCCEEDS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)))
        return;
    for (ULONG i = 0; i < ARRAY_SIZE(Statuses) * ARRAY_SIZE(Statuses) * 2 * ARRAY_SIZE(Codes); i++) {
        ULONG Code = i % ARRAY_SIZE(Codes), Pending = i / ARRAY_SIZE(Codes) % 2,
              Pair = i / ARRAY_SIZE(Codes) / 2;
        struct return_status_params Params = {Statuses[Pair / ARRAY_SIZE(Statuses)],
                                              Statuses[Pair % ARRAY_SIZE(Statuses)], (BOOL)Pending};
        _snprintf(Context, sizeof(Context),
                  "return %#lx, status block %#lx, pending %lu, method %lu: ", Params.ret_status,
                  Params.iosb_status, Pending, Codes[Code] & 3);
        AskEach(Codes[Code], &Params, Event);
    }
    Context[0] = 0;
    ZwClose(Event);
}

/* --- names --- */

static BOOLEAN IsText(PCWSTR Text, ULONG Length, PCWSTR Expected)
{
    return Length == wcslen(Expected) * sizeof(WCHAR) && memcmp(Text, Expected, Length) == 0;
}

/* What the driver says to a question for the file's name decides what the object is called. */
static VOID TestName(PCWSTR Path, NTSTATUS FileStatus, NTSTATUS ObjectStatus, PCWSTR ObjectName)
{
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    union {
        OBJECT_NAME_INFORMATION Name;
        FILE_NAME_INFORMATION File;
        UCHAR Room[200];
    } Answer;
    if (!SUCCEEDS(Open(&File, Path, 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    NTSTATUS Status = ZwQueryObject(File, 1 /* ObjectNameInformation */, &Answer, sizeof(Answer), NULL);
    CHECK(Status == ObjectStatus, (ULONG)Status);
    if (Status == STATUS_SUCCESS && ObjectName != NULL)
        CHECK(IsText(Answer.Name.Name.Buffer, Answer.Name.Name.Length, ObjectName), Answer.Name.Name.Length);
    Status = ZwQueryInformationFile(File, &Iosb, &Answer, sizeof(Answer), FileNameInformation);
    CHECK(Status == FileStatus, (ULONG)Status);
    ZwClose(File);
}

static VOID TestShortName(VOID)
{
    static const WCHAR Whole[] = L"\\Device\\WineTestDriver\\subfile";
    const ULONG Needed = sizeof(OBJECT_NAME_INFORMATION) + sizeof(Whole);
    HANDLE File;
    ULONG Size = 0;
    union {
        OBJECT_NAME_INFORMATION Name;
        UCHAR Room[200];
    } Answer;
    if (!SUCCEEDS(Open(&File, L"\\??\\WineTestDriver\\subfile", 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    SUCCEEDS(ZwQueryObject(File, 1, &Answer, sizeof(Answer), &Size));
    CHECK(Size == Needed, Size);
    NTSTATUS Status = ZwQueryObject(File, 1, &Answer, Needed - 2, &Size);
    CHECK(Status == STATUS_BUFFER_OVERFLOW && Size == Needed, (ULONG)Status);
    CHECK(IsText(Answer.Name.Name.Buffer, Answer.Name.Name.Length, L"\\Device\\WineTestDriver\\subfil"),
          Answer.Name.Name.Length);
    Status = ZwQueryObject(File, 1, &Answer, sizeof(OBJECT_NAME_INFORMATION), &Size);
    CHECK(Status == STATUS_BUFFER_OVERFLOW && Size == Needed, (ULONG)Status);
    PUNICODE_STRING Type = (PUNICODE_STRING)&Answer; /* OBJECT_TYPE_INFORMATION begins with it */
    SUCCEEDS(ZwQueryObject(File, 2 /* ObjectTypeInformation */, &Answer, sizeof(Answer), NULL));
    CHECK(IsText(Type->Buffer, Type->Length, L"File"), Type->Length);
    ZwClose(File);
}

static VOID TestNames(VOID)
{
    static const WCHAR Root[] = L"\\Device\\WineTestDriver";
    TestName(L"\\??\\WineTestDriver", STATUS_INVALID_DEVICE_REQUEST, STATUS_SUCCESS, Root);
    TestName(L"\\??\\WineTestDriver\\subfile", STATUS_SUCCESS, STATUS_SUCCESS,
             L"\\Device\\WineTestDriver\\subfile");
    TestName(L"\\??\\WineTestDriver\\notimpl", STATUS_NOT_IMPLEMENTED, STATUS_SUCCESS, Root);
    TestName(L"\\??\\WineTestDriver\\badparam", STATUS_INVALID_PARAMETER, STATUS_SUCCESS, Root);
    TestName(L"\\??\\WineTestDriver\\genfail", STATUS_UNSUCCESSFUL, STATUS_UNSUCCESSFUL, NULL);
    TestName(L"\\??\\WineTestDriver\\badtype", STATUS_OBJECT_TYPE_MISMATCH, STATUS_OBJECT_TYPE_MISMATCH,
             NULL);
    TestShortName();
}

/* --- the volume's questions, which this driver answers at once, later or not --- */

static VOID TestVolume(VOID)
{
    HANDLE File;
    union {
        FILE_FS_VOLUME_INFORMATION Volume;
        UCHAR Room[200];
    } Answer;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status =
        ZwQueryVolumeInformationFile(Device, &Iosb, &Answer, sizeof(Answer), FileFsVolumeInformation);
    CHECK(Status == STATUS_INVALID_DEVICE_REQUEST, (ULONG)Status);
    if (!SUCCEEDS(Open(&File, L"\\??\\WineTestDriver\\subfile", 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    SUCCEEDS(ZwQueryVolumeInformationFile(File, &Iosb, &Answer, sizeof(Answer), FileFsVolumeInformation));
    CHECK(Iosb.Information ==
              FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel) + Answer.Volume.VolumeLabelLength,
          Iosb.Information);
    CHECK(Answer.Volume.VolumeSerialNumber == 0xdeadbeef, Answer.Volume.VolumeSerialNumber);
    Iosb = (IO_STATUS_BLOCK){.Status = UNTOUCHED, .Information = 0xdeadf00d};
    Status = ZwQueryVolumeInformationFile(File, &Iosb, &Answer, sizeof(Answer), FileFsAttributeInformation);
    CHECK(Status == STATUS_NOT_IMPLEMENTED, (ULONG)Status);
    CHECK(Iosb.Status == UNTOUCHED && Iosb.Information == 0xdeadf00d, (ULONG)Iosb.Status);
    ZwClose(File);
}

static VOID TestBlocking(VOID)
{
    for (ULONG Options = 0; Options <= FILE_SYNCHRONOUS_IO_NONALERT;
         Options += FILE_SYNCHRONOUS_IO_NONALERT) {
        HANDLE File;
        UCHAR Room[40];
        IO_STATUS_BLOCK Iosb;
        if (!SUCCEEDS(Open(&File, L"\\??\\WineTestDriver\\", FILE_ALL_ACCESS, Options)))
            return;
        RtlFillMemory(&Iosb, sizeof(Iosb), 0xCC);
        SUCCEEDS(ZwQueryVolumeInformationFile(File, &Iosb, Room, sizeof(Room), FileFsSizeInformation));
        CHECK(Iosb.Status == STATUS_SUCCESS && Iosb.Information == 0, (ULONG)Iosb.Status);
        Iosb = (IO_STATUS_BLOCK){.Status = UNTOUCHED, .Information = 0xdeadf00d};
        NTSTATUS Status =
            ZwQueryVolumeInformationFile(File, &Iosb, Room, sizeof(Room), FileFsFullSizeInformation);
        CHECK(Status == STATUS_DEVICE_NOT_READY, (ULONG)Status);
        NTSTATUS Told = Options != 0 ? UNTOUCHED : STATUS_DEVICE_NOT_READY;
        CHECK(Iosb.Status == Told, (ULONG)Iosb.Status);
        ZwClose(File);
    }
}

/* --- the order of it all --- */

static VOID TestDriver(VOID)
{
    IO_STATUS_BLOCK Iosb;
    if (!SUCCEEDS(Open(&Device, L"\\??\\WineTestDriver", 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    TestBasic();
    TestMain();
    TestCancel();
    TestLoad();
    TestFiles();
    TestStatus();
    TestNames();
    TestVolume();
    TestBlocking();
    SUCCEEDS(Control(Device, NULL, &Iosb, IOCTL_WINETEST_DETACH, NULL, 0, NULL, 0));
    ZwClose(Device);
}

static VOID TestAll(VOID)
{
    UNICODE_STRING First = RTL_CONSTANT_STRING(SERVICES L"WineTestDriver"),
                   Third = RTL_CONSTANT_STRING(SERVICES L"WineTestDriver3");
    NTSTATUS Status;
    if (!MakeService(SERVICES L"WineTestDriver", L"\\SystemRoot\\System32\\drivers\\driver.sys") ||
        !MakeService(SERVICES L"WineTestDriver2", L"\\SystemRoot\\System32\\drivers\\driver2.tmp.sys") ||
        !MakeService(SERVICES L"WineTestDriver3", L"\\SystemRoot\\System32\\drivers\\driver3.sys"))
        return;
    if (SUCCEEDS(ZwLoadDriver(&First))) {
        TestDriver();
        SUCCEEDS(ZwUnloadDriver(&First));
    }
    Status = ZwLoadDriver(&Third); /* its DriverEntry fails */
    CHECK(Status == STATUS_NOT_IMPLEMENTED || Status == STATUS_FAILED_DRIVER_ENTRY, (ULONG)Status);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    IoDeleteSymbolicLink(&OkLink);
    if (OkDevice != NULL)
        IoDeleteDevice(OkDevice);
    if (Data != NULL)
        ZwUnmapViewOfSection(ZwCurrentProcess(), Data);
    if (Section != NULL)
        ZwClose(Section);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    Driver->DriverUnload = Unload;
    if (MakeOkFile(Driver) && MakeSection())
        TestAll();
    DbgPrint("wine| client: %lu passed, %lu failed\n", Passed, Failed);
    return STATUS_SUCCESS;
}
