/* SPDX-License-Identifier: MIT
 * The agent driver's own parts. Everything runs at PASSIVE_LEVEL in the thread that calls DriverEntry. */
#pragma once
#include <ntddk.h>
#include "ntbox/failure.h"
#include "report_format.h"
#include "scenario_parse.h"

#define AGENT_TAG 'tnga'

/* What a step came to. Data points into a buffer that AgentFreeResult frees. */
typedef struct AGENT_RESULT {
    NTSTATUS Status;
    ULONG_PTR Information;
    PUCHAR Data; /* output, DataLength bytes that the request says are valid */
    ULONG DataLength;
    BOOLEAN OpenFailed; /* Status is that of the open: no request was sent */
    PVOID Buffer;       /* pool block behind Data, or NULL */
} AGENT_RESULT;

/* step.c: runs one step. Never raises; a step that cannot be prepared gives the status of the preparation. */
VOID AgentRunStep(const SCENARIO_REQUEST *Request, AGENT_RESULT *Result);
VOID AgentFreeResult(AGENT_RESULT *Result);

/* file.c: a whole file in one pool block, which the caller frees with AGENT_TAG. */
NTSTATUS AgentReadFile(PCUNICODE_STRING Name, PVOID *Bytes, PULONG Length);

/* passes.c: the Count steps behind Reader, run while allocations fail. */
NTSTATUS AgentRunPasses(const SCENARIO_READER *Reader, const SCENARIO_REQUEST *Request);

/* echo.c: request and answer in words, by DbgPrint. */
VOID AgentEcho(const SCENARIO_REQUEST *Request, const AGENT_RESULT *Result);

/* report.c: one field of a record. */
typedef struct AGENT_FIELD {
    UCHAR Kind; /* REPORT_KIND */
    UCHAR Key;  /* REPORT_KEY */
    ULONG Length;
    const void *Data;
    ULONG64 Number; /* when Kind is ReportKindNumber */
} AGENT_FIELD;

#define AGENT_NUMBER(FieldKey, Value) {ReportKindNumber, (FieldKey), 8, NULL, (ULONG64)(Value)}
#define AGENT_BYTES(FieldKey, Pointer, Size) {ReportKindBytes, (FieldKey), (ULONG)(Size), (Pointer), 0}
#define AGENT_TEXT(FieldKey, Pointer, Size) {ReportKindText, (FieldKey), (ULONG)(Size), (Pointer), 0}

/* Opens \Device\Report; AgentReport before it does nothing and fails. */
NTSTATUS AgentOpenReport(VOID);
VOID AgentCloseReport(VOID);

/* Until the host has answered the mark. STATUS_UNSUCCESSFUL: it could not do it; STATUS_IO_TIMEOUT: it has not answered. PASSIVE_LEVEL. */
NTSTATUS AgentAwaitMark(ULONG64 Number);

/* Fills in the functions of ntbox/failure.h; STATUS_INVALID_DEVICE_REQUEST from the free kernel. */
NTSTATUS AgentGetFailure(NTBOX_FAILURE_INTERFACE *Interface);

/* Writes one record: Count fields, of which those with a Length of 0 are left out. A status that is no
 * success is also in the log. */
NTSTATUS AgentReport(REPORT_TYPE Type, const AGENT_FIELD *Fields, ULONG Count);
