/* SPDX-License-Identifier: MIT
 * The harness of the conformance drivers. A driver is a table of cases; DriverEntry runs them all at
 * PASSIVE_LEVEL, prints one line each and fails if one failed. Exports only: the same file runs on Windows.
 * Where the device
 * \Device\Report exists (ntbox), the begin and end of each case are recorded there too, so that calls are
 * counted by case. A driver includes this file once and ends with CT_DRIVER(Cases). */
#pragma once
#include <ntifs.h>
#include "ntbox/guarded_call.h"
#include "../../kernel/include/report_format.h"

typedef VOID CT_ROUTINE(VOID);
typedef struct CT_CASE {
    const char *Name; /* "event.set", as in ddk_shim/exports */
    CT_ROUTINE *Routine;
} CT_CASE;

static PDRIVER_OBJECT CtDriverObject;
static UNICODE_STRING CtRegistryPath; /* as DriverEntry got it; valid while cases run */
static HANDLE CtReport;
static char CtText[160]; /* why the current case failed, empty while it has not */

/* A failed check is remembered (the first of a case counts) and the case goes on; CT_REQUIRE leaves the case.
 */
#define CT_CHECK(Expression)                                                                                 \
    ((Expression) ? TRUE : (CtFail(__FILE_NAME__, __LINE__, #Expression, 0, 0, FALSE), FALSE))
#define CT_EQUAL(Actual, Expected)                                                                           \
    CtEqual(__FILE_NAME__, __LINE__, #Actual " is " #Expected, (ULONG64)(Actual), (ULONG64)(Expected))
#define CT_STATUS(Actual, Expected)                                                                          \
    CtEqual(__FILE_NAME__, __LINE__, #Actual " is " #Expected, (ULONG)(Actual), (ULONG)(Expected))
#define CT_SUCCESS(Actual) CT_STATUS(Actual, STATUS_SUCCESS)
#define CT_REQUIRE(Expression)                                                                               \
    do {                                                                                                     \
        if (!CT_CHECK(Expression))                                                                           \
            return;                                                                                          \
    } while (0)

/* Calls an export whose name the headers give to an inline function: CT_IMPORT(KIRQL, KeGetCurrentIrql, (VOID))
 * declares Imported_KeGetCurrentIrql, the driver's import slot itself. */
#define CT_IMPORT(Return, Name, Parameters)                                                                  \
    extern Return(NTAPI *const volatile Imported_##Name) Parameters __asm__("__imp_" #Name)

static ULONG CtAppend(char *To, ULONG At, ULONG Room, const char *Text)
{
    while (*Text != 0 && At + 1 < Room)
        To[At++] = *Text++;
    To[At] = 0;
    return At;
}

static ULONG CtAppendNumber(char *To, ULONG At, ULONG Room, ULONG64 Value, ULONG Radix)
{
    char Digits[24];
    ULONG i = sizeof(Digits) - 1;
    Digits[i] = 0;
    do {
        Digits[--i] = "0123456789abcdef"[Value % Radix];
        Value /= Radix;
    } while (Value != 0 && i > 0);
    return CtAppend(To, At, Room, Digits + i);
}

static inline VOID CtFail(const char *File, ULONG Line, const char *Expression, ULONG64 Actual,
                          ULONG64 Expected, BOOLEAN Values)
{
    ULONG Room = sizeof(CtText), At = 0;
    if (CtText[0] != 0)
        return;
    At = CtAppend(CtText, At, Room, File);
    At = CtAppend(CtText, At, Room, ":");
    At = CtAppendNumber(CtText, At, Room, Line, 10);
    At = CtAppend(CtText, At, Room, ": ");
    At = CtAppend(CtText, At, Room, Expression);
    if (!Values)
        return;
    At = CtAppend(CtText, At, Room, " (0x");
    At = CtAppendNumber(CtText, At, Room, Actual, 16);
    At = CtAppend(CtText, At, Room, ", expected 0x");
    At = CtAppendNumber(CtText, At, Room, Expected, 16);
    CtAppend(CtText, At, Room, ")");
}

static inline BOOLEAN CtEqual(const char *File, ULONG Line, const char *What, ULONG64 Actual,
                              ULONG64 Expected)
{
    if (Actual != Expected)
        CtFail(File, Line, What, Actual, Expected, TRUE);
    return Actual == Expected;
}

/* --- records --- */

typedef struct CT_RECORD {
    USHORT Type;
    USHORT Reserved;
    ULONG Reserved2;
    UCHAR Fields[512];
} CT_RECORD;

static ULONG CtPutField(CT_RECORD *Record, ULONG At, REPORT_KIND Kind, REPORT_KEY Key, const void *Data,
                        ULONG Length)
{
    REPORT_FIELD Field = {.Kind = (UCHAR)Kind, .Key = (UCHAR)Key, .Length = Length};
    const UCHAR *From = (const UCHAR *)&Field;
    for (ULONG i = 0; i < sizeof(Field); i++)
        Record->Fields[At++] = From[i];
    From = Data;
    for (ULONG i = 0; i < Length; i++)
        Record->Fields[At++] = From[i];
    while (At % 8 != 0)
        Record->Fields[At++] = 0;
    return At;
}

static ULONG CtLength(const char *Text)
{
    ULONG Length = 0;
    while (Text[Length] != 0)
        Length++;
    return Length;
}

static VOID CtWriteReport(REPORT_TYPE Type, const char *Case, NTSTATUS Status)
{
    CT_RECORD Record = {.Type = (USHORT)Type};
    ULONG64 Number = (ULONG)Status;
    IO_STATUS_BLOCK Iosb;
    ULONG At = CtPutField(&Record, 0, ReportKindText, ReportKeyCase, Case, CtLength(Case));
    if (CtReport == NULL)
        return;
    if (Type == ReportCaseEnd) {
        At = CtPutField(&Record, At, ReportKindNumber, ReportKeyStatus, &Number, sizeof(Number));
        At = CtPutField(&Record, At, ReportKindText, ReportKeyText, CtText, CtLength(CtText));
    }
    ZwWriteFile(CtReport, NULL, NULL, NULL, &Iosb, &Record, 8 + At, NULL, NULL);
}

static VOID CtOpenReport(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Report");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwCreateFile(&CtReport, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT,
                                 NULL, 0)))
        CtReport = NULL;
}

/* --- the run --- */

static NTSTATUS CtGuard(PVOID Context)
{
    const CT_CASE *Case = Context;
    Case->Routine();
    return STATUS_SUCCESS;
}

/* TRUE when it passed. A case must not raise, and must leave the IRQL and the APC state as they were. */
static BOOLEAN CtRunCase(const CT_CASE *Case)
{
    CtText[0] = 0;
    CtWriteReport(ReportCaseBegin, Case->Name, STATUS_SUCCESS);
    NTSTATUS Status = NtboxGuardedCall(CtGuard, (PVOID)Case);
    if (Status != STATUS_SUCCESS)
        CtFail(__FILE_NAME__, __LINE__, "the case raised no exception", (ULONG)Status, 0, TRUE);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    BOOLEAN Passed = CtText[0] == 0;
    CtWriteReport(ReportCaseEnd, Case->Name, Passed ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
    DbgPrint("case %s: %s%s\n", Case->Name, Passed ? "pass" : "FAIL ", CtText);
    return Passed;
}

static inline VOID NTAPI CtUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static inline NTSTATUS CtRun(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath, const CT_CASE *Cases,
                             ULONG Count)
{
    ULONG Failed = 0;
    CtDriverObject = DriverObject;
    CtRegistryPath = *RegistryPath;
    DriverObject->DriverUnload = CtUnload;
    CtOpenReport();
    for (ULONG i = 0; i < Count; i++)
        Failed += !CtRunCase(&Cases[i]);
    if (CtReport != NULL)
        ZwClose(CtReport);
    DbgPrint("%u cases, %u failed\n", (unsigned)Count, (unsigned)Failed);
    return Failed == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

#define CT_DRIVER(Cases)                                                                                     \
    DRIVER_INITIALIZE DriverEntry;                                                                           \
    NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)                    \
    {                                                                                                        \
        return CtRun(DriverObject, RegistryPath, Cases, RTL_NUMBER_OF(Cases));                               \
    }
