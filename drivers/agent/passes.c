/* SPDX-License-Identifier: MIT
 * Steps of a scenario again and again while allocations fail: each pass loads, exercises and unloads, and afterwards as much memory must be
 * in use as before. The passes write no records of steps, but one before and one after each. */
#include "agent.h"

#define MAX_PASSES 100000u

typedef struct PASSES {
    const SCENARIO_READER *Start;
    const SCENARIO_REQUEST *Request;
    NTBOX_FAILURE_INTERFACE Kernel;
    NTBOX_LEDGER Before;
} PASSES;

/* FALSE: something could not be unloaded. */
static BOOLEAN RunSteps(const PASSES *Passes, BOOLEAN UnloadsOnly)
{
    BOOLEAN Unloaded = TRUE;
    SCENARIO_READER Reader = *Passes->Start;
    SCENARIO_REQUEST Request;
    AGENT_RESULT Result;
    for (ULONG64 i = 0; i < Passes->Request->Count && ScenarioNext(&Reader, &Request); i++) {
        if (Request.Operation == ScenarioFail || (UnloadsOnly && Request.Operation != ScenarioUnload))
            continue;
        AgentRunStep(&Request, &Result);
        if (Request.Operation == ScenarioUnload && !NT_SUCCESS(Result.Status))
            Unloaded = FALSE;
        AgentFreeResult(&Result);
    }
    return Unloaded;
}

static BOOLEAN RunUnderPlan(const PASSES *Passes, const NTBOX_FAILURE_PLAN *Plan,
                            NTBOX_FAILURE_RESULT *Result)
{
    Passes->Kernel.Begin(Plan);
    BOOLEAN Unloaded = RunSteps(Passes, FALSE);
    Passes->Kernel.End(Result);
    RunSteps(Passes, TRUE); /* what could not be unloaded for want of memory */
    return Unloaded;
}

static VOID BeginPass(ULONG64 Number)
{
    const AGENT_FIELD Fields[] = {AGENT_NUMBER(ReportKeyCount, Number)};
    AgentReport(ReportPassBegin, Fields, RTL_NUMBER_OF(Fields));
}

/* How many allocations failed. What is lost in a pass is counted once. */
static ULONG64 RunPass(PASSES *Passes, ULONG64 Number, const NTBOX_FAILURE_PLAN *Plan)
{
    NTBOX_FAILURE_RESULT Result;
    NTBOX_LEDGER After;
    BeginPass(Number);
    RunUnderPlan(Passes, Plan, &Result);
    Passes->Kernel.TakeStock(&After);
    Passes->Kernel.ReportPass(Number, &Result, (LONG64)After.PoolBlocks - (LONG64)Passes->Before.PoolBlocks,
                              (LONG64)After.SystemPages - (LONG64)Passes->Before.SystemPages);
    Passes->Before = After;
    return Result.Failed;
}

/* Pass 0: what is made once and kept (caches, tables) is made here. FALSE: a driver does not go, so there can be no second pass. */
static BOOLEAN WarmUp(PASSES *Passes)
{
    static const NTBOX_FAILURE_PLAN Nothing = {.Mode = NtboxFailNone};
    NTBOX_FAILURE_RESULT Result;
    BeginPass(0);
    BOOLEAN Unloaded = RunUnderPlan(Passes, &Nothing, &Result) && RunUnderPlan(Passes, &Nothing, &Result);
    Passes->Kernel.ReportPass(0, &Result, 0, 0);
    Passes->Kernel.TakeStock(&Passes->Before);
    return Unloaded;
}

static VOID RunEach(PASSES *Passes, NTBOX_FAILURE_PLAN *Plan)
{
    Plan->Mode = NtboxFailNth;
    for (Plan->Number = 1; Plan->Number <= MAX_PASSES; Plan->Number++)
        if (RunPass(Passes, Plan->Number, Plan) == 0)
            return;
}

static VOID RunRandom(PASSES *Passes, NTBOX_FAILURE_PLAN *Plan)
{
    const SCENARIO_REQUEST *Request = Passes->Request;
    Plan->Mode = NtboxFailRandom;
    Plan->Number = Request->Offset;
    for (ULONG Pass = 1; Pass <= Request->Code && Pass <= MAX_PASSES; Pass++) {
        Plan->Seed = Request->Hash * 0x10001 + ((ULONG64)Pass << 32); /* to which the number is added */
        RunPass(Passes, Pass, Plan);
    }
}

static NTSTATUS MakePlan(const SCENARIO_REQUEST *Request, NTBOX_FAILURE_PLAN *Plan)
{
    if (Request->Name.Length >= sizeof(Plan->Only))
        return STATUS_NAME_TOO_LONG;
    RtlZeroMemory(Plan, sizeof(*Plan));
    RtlCopyMemory(Plan->Only, Request->Name.Bytes, Request->Name.Length);
    return STATUS_SUCCESS;
}

NTSTATUS AgentRunPasses(const SCENARIO_READER *Reader, const SCENARIO_REQUEST *Request)
{
    PASSES Passes = {.Start = Reader, .Request = Request};
    NTBOX_FAILURE_PLAN Plan;
    NTSTATUS Status = AgentGetFailure(&Passes.Kernel);
    if (NT_SUCCESS(Status))
        Status = MakePlan(Request, &Plan);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!WarmUp(&Passes))
        return STATUS_INVALID_DEVICE_REQUEST;
    switch (Request->Size) {
    case ScenarioFailEach:
        RunEach(&Passes, &Plan);
        return STATUS_SUCCESS;
    case ScenarioFailOne:
        Plan.Mode = NtboxFailNth;
        Plan.Number = Request->Offset;
        RunPass(&Passes, Plan.Number, &Plan);
        return STATUS_SUCCESS;
    case ScenarioFailRandom:
        RunRandom(&Passes, &Plan);
        return STATUS_SUCCESS;
    }
    return STATUS_INVALID_PARAMETER;
}
