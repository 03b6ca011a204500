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
    return ZwCreateFile(&Report, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, FILE_SHARE_WRITE,
                        FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
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

NTSTATUS AgentGetFailure(NTBOX_FAILURE_INTERFACE *Interface)
{
    IO_STATUS_BLOCK Iosb;
    return ZwDeviceIoControlFile(Report, NULL, NULL, NULL, &Iosb, IOCTL_NTBOX_FAILURE, NULL, 0, Interface,
                                 sizeof(*Interface));
}
