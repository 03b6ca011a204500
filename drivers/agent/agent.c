/* SPDX-License-Identifier: MIT
 * The agent: reads \SystemRoot\ntbox\scenario and does what it says, step by step, in DriverEntry. An
 * ordinary driver: it uses exports only. Before each step it writes ReportStepBegin, after it ReportStepEnd,
 * at the end ReportDone; when the host hears nothing after a ReportStepBegin, that is the last known state.
 * The host judges: a failed step does not stop it. */
#include "agent.h"

DRIVER_INITIALIZE DriverEntry;

static VOID BeginStep(const SCENARIO_REQUEST *Request)
{
    const SCENARIO_TEXT *Name = Request->Name.Length ? &Request->Name : &Request->Device;
    const AGENT_FIELD Fields[] = {
        AGENT_NUMBER(ReportKeyStep, Request->Number),
        AGENT_NUMBER(ReportKeyOperation, Request->Operation),
        AGENT_TEXT(ReportKeyName, Name->Bytes, Name->Length),
    };
    AgentReport(ReportStepBegin, Fields, RTL_NUMBER_OF(Fields));
}

/* What does not fit into one record is cut off; ReportKeyInformation still tells the length. */
static VOID EndStep(const SCENARIO_REQUEST *Request, const AGENT_RESULT *Result)
{
    ULONG Length = Result->DataLength;
    if (Length > REPORT_MAX_RECORD / 2)
        Length = REPORT_MAX_RECORD / 2;
    const AGENT_FIELD Fields[] = {
        AGENT_NUMBER(ReportKeyStep, Request->Number),
        AGENT_NUMBER(ReportKeyOperation, Request->Operation),
        AGENT_NUMBER(ReportKeyStatus, (ULONG)Result->Status),
        AGENT_NUMBER(ReportKeyInformation, Result->Information),
        AGENT_BYTES(ReportKeyData, Result->Data, Length),
        AGENT_TEXT(ReportKeyKind, REPORT_KIND_OPEN, Result->OpenFailed ? sizeof(REPORT_KIND_OPEN) - 1 : 0),
    };
    AgentReport(ReportStepEnd, Fields, RTL_NUMBER_OF(Fields));
}

static VOID RunSteps(SCENARIO_READER *Reader)
{
    SCENARIO_REQUEST Request;
    AGENT_RESULT Result;
    while (ScenarioNext(Reader, &Request)) {
        BeginStep(&Request);
        if (Request.Operation == ScenarioFail)
            Result = (AGENT_RESULT){.Status = AgentRunPasses(Reader, &Request)};
        else
            AgentRunStep(&Request, &Result);
        EndStep(&Request, &Result);
        if (Request.Flags & SCENARIO_FLAG_ECHO)
            AgentEcho(&Request, &Result);
        AgentFreeResult(&Result);
    }
}

/* Text is empty when all steps have run, whatever came of them. */
static VOID Done(NTSTATUS Status, PCSTR Text)
{
    const AGENT_FIELD Fields[] = {
        AGENT_NUMBER(ReportKeyStatus, (ULONG)Status),
        AGENT_TEXT(ReportKeyText, Text, strlen(Text)),
    };
    if (*Text)
        DbgPrint("agent: %s\n", Text);
    AgentReport(ReportDone, Fields, RTL_NUMBER_OF(Fields));
}

static NTSTATUS RunScenario(const void *Bytes, ULONG Length)
{
    CHAR Text[160];
    SCENARIO_READER Reader;
    if (!ScenarioOpen(&Reader, Bytes, Length)) {
        _snprintf(Text, sizeof(Text) - 1, "scenario: offset 0x%x: %s", Reader.Error.Offset,
                  Reader.Error.Rule);
        Text[sizeof(Text) - 1] = 0;
        Done(STATUS_FILE_CORRUPT_ERROR, Text);
        return STATUS_FILE_CORRUPT_ERROR;
    }
    RunSteps(&Reader);
    Done(STATUS_SUCCESS, "");
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. Returns when the scenario is at its end. A scenario that was run gives STATUS_SUCCESS. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\ntbox\\scenario");
    PVOID Bytes;
    ULONG Length;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = AgentOpenReport();
    if (!NT_SUCCESS(Status)) {
        DbgPrint("agent: \\Device\\Report cannot be opened: 0x%08x\n", Status);
        return Status;
    }
    Status = AgentReadFile(&Name, &Bytes, &Length);
    if (NT_SUCCESS(Status)) {
        Status = RunScenario(Bytes, Length);
        ExFreePoolWithTag(Bytes, AGENT_TAG);
    } else {
        Done(Status, "\\SystemRoot\\ntbox\\scenario cannot be read");
    }
    AgentCloseReport();
    return Status;
}
