/* SPDX-License-Identifier: MIT
 * Records for the host, written to \Device\Report: one buffer that begins with {type, 0, 0} and goes on with
 * fields. */
#include "agent.h"

typedef struct REPORT_REQUEST {
    USHORT Type;
    USHORT Reserved;
    ULONG Reserved2;
} REPORT_REQUEST; /* followed by REPORT_FIELDs */

static HANDLE Report;

NTSTATUS AgentOpenReport(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Report");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(&Report, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

VOID AgentCloseReport(VOID)
{
    ZwClose(Report);
    Report = NULL;
}

static ULONG FieldSize(const AGENT_FIELD *Field)
{
    return Field->Length ? (ULONG)sizeof(REPORT_FIELD) + ((Field->Length + 7) & ~7u) : 0;
}

/* The block is zeroed, so the padding is. */
static PUCHAR PutField(PUCHAR At, const AGENT_FIELD *Field)
{
    REPORT_FIELD Header = {.Kind = Field->Kind, .Key = Field->Key, .Length = Field->Length};
    RtlCopyMemory(At, &Header, sizeof(Header));
    RtlCopyMemory(At + sizeof(Header), Field->Kind == ReportKindNumber ? &Field->Number : Field->Data,
                  Field->Length);
    return At + FieldSize(Field);
}

NTSTATUS AgentReport(REPORT_TYPE Type, const AGENT_FIELD *Fields, ULONG Count)
{
    REPORT_REQUEST Request = {.Type = (USHORT)Type};
    IO_STATUS_BLOCK Iosb;
    ULONG Length = sizeof(Request);
    for (ULONG i = 0; i < Count; i++)
        Length += FieldSize(&Fields[i]);

    PUCHAR Record = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, AGENT_TAG);
    if (Record == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Record, &Request, sizeof(Request));
    PUCHAR At = Record + sizeof(Request);
    for (ULONG i = 0; i < Count; i++) {
        if (Fields[i].Length)
            At = PutField(At, &Fields[i]);
    }
    NTSTATUS Status = ZwWriteFile(Report, NULL, NULL, NULL, &Iosb, Record, Length, NULL, NULL);
    ExFreePoolWithTag(Record, AGENT_TAG);
    if (!NT_SUCCESS(Status))
        DbgPrint("agent: a record of type %u was not written: 0x%08x\n", (ULONG)Type, Status);
    return Status;
}

#define LOOK_MS 10
#define PATIENCE_MS 25000

NTSTATUS AgentAwaitMark(ULONG64 Number)
{
    LARGE_INTEGER Pause = {.QuadPart = -10000LL * LOOK_MS};
    for (ULONG i = 0; i < PATIENCE_MS / LOOK_MS; i++) {
        REPORT_ANSWER Answer;
        IO_STATUS_BLOCK Iosb;
        NTSTATUS Status = ZwReadFile(Report, NULL, NULL, NULL, &Iosb, &Answer, sizeof(Answer), NULL, NULL);
        if (!NT_SUCCESS(Status))
            return Status;
        if (Answer.Answered >= Number)
            return Answer.Refused == Number ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
    }
    return STATUS_IO_TIMEOUT;
}

NTSTATUS AgentGetFailure(NTBOX_FAILURE_INTERFACE *Interface)
{
    IO_STATUS_BLOCK Iosb;
    return ZwDeviceIoControlFile(Report, NULL, NULL, NULL, &Iosb, IOCTL_NTBOX_FAILURE, NULL, 0, Interface,
                                 sizeof(*Interface));
}
