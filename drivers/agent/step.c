/* SPDX-License-Identifier: MIT
 * Running the steps of a scenario. A device is opened, used once and closed again, for synchronous I/O: a
 * request that the driver pends makes the call wait. */
#include "agent.h"

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define SERVICES_LENGTH (sizeof(SERVICES) / sizeof(WCHAR) - 1)
#define METHOD_OF(Code) ((Code) & 3)

/* A request on an open device; it fills in Result->Status and Information. */
typedef NTSTATUS AGENT_REQUEST(HANDLE File, const SCENARIO_REQUEST *Request, PIO_STATUS_BLOCK Iosb,
                               PVOID Output);

static NTSTATUS LoadOrUnload(const SCENARIO_REQUEST *Request)
{
    WCHAR Buffer[SERVICES_LENGTH + SCENARIO_MAX_NAME];
    UNICODE_STRING Service = {.Buffer = Buffer, .MaximumLength = sizeof(Buffer)};
    RtlCopyMemory(Buffer, SERVICES, SERVICES_LENGTH * sizeof(WCHAR));
    ULONG Length = ScenarioToUtf16(&Request->Name, (uint16_t *)Buffer + SERVICES_LENGTH, SCENARIO_MAX_NAME);
    Service.Length = (USHORT)((SERVICES_LENGTH + Length) * sizeof(WCHAR));
    return Request->Operation == ScenarioLoad ? ZwLoadDriver(&Service) : ZwUnloadDriver(&Service);
}

static NTSTATUS Mark(const SCENARIO_REQUEST *Request)
{
    const AGENT_FIELD Fields[] = {AGENT_NUMBER(ReportKeyCount, Request->Count)};
    NTSTATUS Status = AgentReport(ReportMark, Fields, RTL_NUMBER_OF(Fields));
    return NT_SUCCESS(Status) ? AgentAwaitMark(Request->Count) : Status;
}

/* The rights that the request needs: for a control code those of its access bits. [WDK Defining I/O Control
 * Codes] */
static ACCESS_MASK RequestAccess(const SCENARIO_REQUEST *Request)
{
    if (Request->Operation == ScenarioRead)
        return FILE_READ_DATA;
    if (Request->Operation == ScenarioWrite)
        return FILE_WRITE_DATA;
    return FILE_READ_DATA | FILE_WRITE_DATA;
}

static NTSTATUS OpenOnce(const SCENARIO_REQUEST *Request, PHANDLE File)
{
    WCHAR Buffer[SCENARIO_MAX_NAME];
    UNICODE_STRING Name = {.Buffer = Buffer, .MaximumLength = sizeof(Buffer)};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    Name.Length =
        (USHORT)(ScenarioToUtf16(&Request->Device, (uint16_t *)Buffer, SCENARIO_MAX_NAME) * sizeof(WCHAR));
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(File, RequestAccess(Request) | SYNCHRONIZE, &Attributes, &Iosb, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

#define LOOK_MS 20
#define PATIENCE_MS 20000

/* A device that was plugged in comes when its driver has started it. */
static NTSTATUS OpenDevice(const SCENARIO_REQUEST *Request, PHANDLE File)
{
    LARGE_INTEGER Pause = {.QuadPart = -10000LL * LOOK_MS};
    NTSTATUS Status = OpenOnce(Request, File);
    if (!(Request->Flags & SCENARIO_FLAG_AWAIT))
        return Status;
    for (ULONG i = 0; !NT_SUCCESS(Status) && i < PATIENCE_MS / LOOK_MS; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
        Status = OpenOnce(Request, File);
    }
    return Status;
}

static NTSTATUS Ioctl(HANDLE File, const SCENARIO_REQUEST *Request, PIO_STATUS_BLOCK Iosb, PVOID Output)
{
    return ZwDeviceIoControlFile(File, NULL, NULL, NULL, Iosb, Request->Code, (PVOID)Request->Data,
                                 Request->DataLength, Output, Request->Size);
}

static NTSTATUS Read(HANDLE File, const SCENARIO_REQUEST *Request, PIO_STATUS_BLOCK Iosb, PVOID Output)
{
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Request->Offset};
    return ZwReadFile(File, NULL, NULL, NULL, Iosb, Output, Request->Size, &Offset, NULL);
}

static NTSTATUS Write(HANDLE File, const SCENARIO_REQUEST *Request, PIO_STATUS_BLOCK Iosb, PVOID Output)
{
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Request->Offset};
    return ZwWriteFile(File, NULL, NULL, NULL, Iosb, (PVOID)Request->Data, Request->DataLength, &Offset,
                       NULL);
}

/* The bytes that the answer holds: none after an error, and none where the second buffer is input
 * (METHOD_IN_DIRECT). [WDK IO_STATUS_BLOCK] Information is driver-defined; a value beyond the buffer is no
 * length. */
static ULONG AnswerLength(const SCENARIO_REQUEST *Request, const AGENT_RESULT *Result)
{
    if (NT_ERROR(Result->Status) || Result->Information > Request->Size)
        return 0;
    if (Request->Operation == ScenarioIoctl && METHOD_OF(Request->Code) == METHOD_IN_DIRECT)
        return 0;
    return (ULONG)Result->Information;
}

static VOID Send(const SCENARIO_REQUEST *Request, AGENT_REQUEST *Routine, AGENT_RESULT *Result)
{
    IO_STATUS_BLOCK Iosb = {{STATUS_SUCCESS}, 0};
    HANDLE File;
    if (Request->Size) {
        Result->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, Request->Size, AGENT_TAG);
        Result->Status = STATUS_INSUFFICIENT_RESOURCES;
        if (Result->Buffer == NULL)
            return;
    }
    Result->Status = OpenDevice(Request, &File);
    Result->OpenFailed = !NT_SUCCESS(Result->Status);
    if (Result->OpenFailed)
        return;
    Result->Status = Routine(File, Request, &Iosb, Result->Buffer);
    /* [WDK ZwDeviceIoControlFile] The block is not written when the call itself fails; it then holds zeros.
     */
    Result->Information = Iosb.Information;
    Result->Data = Result->Buffer;
    Result->DataLength = AnswerLength(Request, Result);
    ZwClose(File);
}

VOID AgentRunStep(const SCENARIO_REQUEST *Request, AGENT_RESULT *Result)
{
    RtlZeroMemory(Result, sizeof(*Result));
    switch (Request->Operation) {
    case ScenarioLoad:
    case ScenarioUnload:
        Result->Status = LoadOrUnload(Request);
        break;
    case ScenarioIoctl:
        Send(Request, Ioctl, Result);
        break;
    case ScenarioRead:
        Send(Request, Read, Result);
        break;
    case ScenarioWrite:
        Send(Request, Write, Result);
        break;
    case ScenarioMark:
        Result->Status = Mark(Request);
        break;
    case ScenarioPowerCycle:
        Result->Status = ZwInitiatePowerAction(PowerActionSleep, PowerSystemSleeping3, 0, FALSE);
        break;
    }
}

VOID AgentFreeResult(AGENT_RESULT *Result)
{
    if (Result->Buffer)
        ExFreePoolWithTag(Result->Buffer, AGENT_TAG);
}
