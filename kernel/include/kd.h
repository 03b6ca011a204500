/* SPDX-License-Identifier: MIT
 * Tier 2, kd: what the kernel tells the world. The log (serial, screen), the report channel to the host,
 * symbols of the kernel for back-traces. Serves every layer; callable at any IRQL unless said otherwise. */
#pragma once
#include "nt.h"
#include "osloader/loader_block.h"
#include "report_format.h"

/* One line of the kernel's own log, to COM1, the screen and the report channel. printf language of
 * kernel/rtl; no trailing newline. Any IRQL. */
VOID KdLog(PCSTR Format, ...) __attribute__((format(printf, 1, 2)));

/* The same, shown as an error on the screen. */
VOID KdLogError(PCSTR Format, ...) __attribute__((format(printf, 1, 2)));

/* Start-up, in this order; each is optional. The serial port first, before anything can fail. */
VOID KdInitializeSerial(VOID);
VOID KdInitializeScreen(const LOADER_SCREEN *Mode, PVOID Glass);
BOOLEAN KdOpenReport(PVOID Memory,
                     ULONG64 Length); /* FALSE and a log line: not a report channel, or another version */

/* From now on nobody else runs: the log lock is not taken any more. */
VOID KdEnterBugCheck(VOID);

/* How kd finds the driver that calls DbgPrint (kd lies below image): set by init. */
extern PCSTR (*KdModuleNameOf)(const void *Address);

typedef struct _KD_FIELD {
    UCHAR Kind; /* REPORT_KIND */
    UCHAR Key;  /* REPORT_KEY */
    ULONG Length;
    ULONG64 Number;
    const void *Data;
} KD_FIELD;

#define KD_NUMBER(FieldKey, Value) ((KD_FIELD){ReportKindNumber, (FieldKey), 8, (ULONG64)(Value), NULL})
#define KD_BYTES(FieldKey, Pointer, Size)                                                                    \
    ((KD_FIELD){ReportKindBytes, (FieldKey), (ULONG)(Size), 0, (Pointer)})
#define KD_TEXTN(FieldKey, Pointer, Size)                                                                    \
    ((KD_FIELD){ReportKindText, (FieldKey), (ULONG)(Size), 0, (Pointer)})
KD_FIELD KdTextField(UCHAR Key, PCSTR Text);
#define KD_TEXT(FieldKey, Pointer) KdTextField((FieldKey), (Pointer))

/* UTF-16 is converted to UTF-8 in Buffer, which must live until KdReport returns. */
KD_FIELD KdUnicodeField(UCHAR Key, PCUNICODE_STRING Text, PCHAR Buffer, ULONG BufferLength);

/* Leaks that were reported since boot, also while the channel is closed. Measured are those of which is known that they are these blocks of
 * pool, these pages of system space, and nothing else. */
typedef struct _KD_LEAKS {
    volatile LONG64 Count, Measured, Blocks, Pages; /* interlocked */
} KD_LEAKS;
extern KD_LEAKS KdLeaks;

/* Of one leak, besides its record. Any IRQL. */
VOID KdMeasureLeak(ULONG64 Blocks, ULONG64 Pages);

/* Writes one record to the report channel. Never waits, never allocates; dropped and counted when the ring is
 * full, nothing happens when there is no channel. Any IRQL, NMI and bug check included. */
VOID KdReportFields(REPORT_TYPE Type, const KD_FIELD *Fields, ULONG Count);
#define KdReport(Type, ...)                                                                                  \
    KdReportFields((Type), (const KD_FIELD[]){__VA_ARGS__},                                                  \
                   sizeof((KD_FIELD[]){__VA_ARGS__}) / sizeof(KD_FIELD))

/* A record whose fields are already encoded (from \Device\Report). The caller has checked them with
 * KdFieldsAreValid. */
BOOLEAN KdFieldsAreValid(const void *Fields, ULONG Length);
VOID KdReportEncoded(REPORT_TYPE Type, const void *Fields, ULONG Length);
/* What the host says of the marks: the last one that it has answered; the return value is the last one that it refused. 0: none. */
ULONG64 KdReadAnswer(PULONG64 Answered);
