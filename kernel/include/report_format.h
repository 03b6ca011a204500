/* SPDX-License-Identifier: MIT
 * The report channel, guest to host: a ring of records in memory that both share (the BAR of an ivshmem-plain
 * device). Kernel and host command include this header; fixed-width types only. docs/report-channel.md
 * explains it.
 *
 * Writers (any processor, any IRQL, NMI and bug check included) reserve by an atomic compare-exchange on
 * Produced, fill the record and publish it by storing Length last (release). The reader takes records in
 * order, stops at Length 0, zeroes what it consumed and then advances Consumed. A record that does not fit is
 * dropped and counted in Lost: a writer never waits. A record never wraps: the rest of the ring before its
 * end is one REPORT_PAD record. */
#pragma once
#include <stdint.h>

#define REPORT_MAGIC 0x5250424eu /* "NBPR" little endian */
#define REPORT_VERSION 1
#define REPORT_DATA_OFFSET 4096u     /* of the ring in the shared memory; the header has the first page */
#define REPORT_MAX_RECORD (1u << 20) /* bytes, header included */

/* ReportKeyText of a bug check of the start-up. */
#define REPORT_NO_MEMORY "there is not enough memory to start"
/* ReportKeyKind of the end of a step whose device could not be opened: the request was not sent. */
#define REPORT_KIND_OPEN "open"

typedef struct REPORT_HEADER {
    uint32_t Magic;   /* written by the host before start: the kernel accepts the device by it */
    uint16_t Version; /* of the host; a kernel that does not know it leaves the channel closed and logs so */
    uint16_t GuestVersion; /* written by the kernel when it opens the channel */
    uint64_t RingLength;   /* bytes, a power of two; by the host */
    uint64_t Produced;     /* (guest) byte offset of the next record, counts on without wrapping */
    uint64_t Lost;         /* (guest) records that did not fit */
    uint64_t Reserved[4];
    uint64_t Consumed; /* (host) on a cache line of its own */
    uint64_t Answered; /* (host) the last ReportMark that it has acted on */
    uint64_t Refused;  /* (host) the last one that it could not do; written before Answered */
    uint64_t Reserved2[5];
} REPORT_HEADER;
_Static_assert(sizeof(REPORT_HEADER) == 128, "REPORT_HEADER");

/* What a read of \Device\Report gives. */
typedef struct REPORT_ANSWER {
    uint64_t Answered, Refused; /* as in the header */
} REPORT_ANSWER;

typedef struct REPORT_RECORD {
    uint32_t Length; /* whole record, multiple of 8; 0 = not yet published */
    uint16_t Type;   /* REPORT_TYPE */
    uint8_t Irql;
    uint8_t Reserved;
    uint32_t Processor;
    uint32_t Reserved2;
    uint64_t Sequence; /* counts from 1 over all processors; a gap is a lost record */
    uint64_t Time;     /* 100 ns since boot (interrupt time) */
} REPORT_RECORD;       /* followed by fields up to Length */
_Static_assert(sizeof(REPORT_RECORD) == 32, "REPORT_RECORD");

/* A field: this header, then Length bytes, then padding to a multiple of 8. A reader skips keys it does not
 * know. */
typedef struct REPORT_FIELD {
    uint8_t Kind; /* REPORT_KIND */
    uint8_t Key;  /* REPORT_KEY */
    uint16_t Reserved;
    uint32_t Length; /* bytes that follow: 8 for a number */
} REPORT_FIELD;
_Static_assert(sizeof(REPORT_FIELD) == 8, "REPORT_FIELD");

typedef enum REPORT_KIND {
    ReportKindNumber = 1, /* uint64_t */
    ReportKindText = 2,   /* UTF-8, no terminator */
    ReportKindBytes = 3,
} REPORT_KIND;

typedef enum REPORT_KEY {
    ReportKeyText = 1,        /* a line, a sentence */
    ReportKeyDriver = 2,      /* image base name, "ioctl.sys" */
    ReportKeyStatus = 3,      /* NTSTATUS, zero-extended */
    ReportKeyBase = 4,        /* image base */
    ReportKeySize = 5,        /* bytes */
    ReportKeyDevice = 6,      /* object name, "\Device\Ioctl" */
    ReportKeyStep = 7,        /* scenario step number, from 1 */
    ReportKeyOperation = 8,   /* SCENARIO_OP */
    ReportKeyInformation = 9, /* IoStatus.Information */
    ReportKeyData = 10,       /* output bytes */
    ReportKeyDll = 11,        /* of a missing import */
    ReportKeySymbol = 12,     /* import or function name */
    ReportKeyKind = 13,       /* text: of a leak ("pool", "device", "timer", "thread" ...), of an outcome */
    ReportKeyTag = 14,        /* pool tag, four characters */
    ReportKeyAddress = 15,    /* code address in the guest */
    ReportKeyModule = 16,     /* image that holds the address */
    ReportKeyOffset = 17,     /* address minus image base */
    ReportKeyCode = 18,       /* bug-check code, control code */
    ReportKeyParameter1 = 19, /* of a bug check; 20, 21, 22 are 2 to 4 */
    ReportKeyParameter2 = 20,
    ReportKeyParameter3 = 21,
    ReportKeyParameter4 = 22,
    ReportKeyIrql = 23,
    ReportKeyCount = 24,
    ReportKeyTotal = 25,
    ReportKeyCase = 26,  /* "event.set": driver and case of a conformance test */
    ReportKeyDepth = 27, /* of a stack frame, 0 is where it happened */
    ReportKeyName = 28,  /* any other name */
    ReportKeyProcessor = 29,
    ReportKeyHash = 30,
} REPORT_KEY;

typedef enum REPORT_TYPE {
    ReportPad = 1,     /* no fields: the unused end of the ring */
    ReportBoot = 2,    /* Text (version), Count (active processors), Total (present processors) */
    ReportLog = 3,     /* Text: a line of the kernel's own log */
    ReportPrint = 4,   /* Driver (if known), Text: DbgPrint and family, as the driver gave it */
    ReportImage = 5,   /* Driver, Base, Size, Status, Text (sentence when refused or warned) */
    ReportMissing = 6, /* Driver, Dll, Symbol: one per missing import */
    ReportEntry = 7,   /* Driver, Status: DriverEntry returned */
    ReportDevice = 8,  /* Driver, Device, Kind ("created"/"deleted") */
    ReportLink = 9,    /* Name, Device (target), Kind ("created"/"deleted") */
    ReportUnload = 10, /* Driver, Status */
    ReportLeak =
        11, /* Driver, Kind, Tag, Size, Count, Module, Offset (allocating code), Text (its callers) */
    ReportStepBegin = 12, /* Step, Operation, Name: the last known state when nothing follows */
    ReportStepEnd = 13,   /* Step, Operation, Status, Information, Data, Kind (REPORT_KIND_OPEN) */
    ReportBugCheck = 14,  /* Code, Parameter1-4, Irql, Driver/Module/Symbol/Offset at fault if known, Text */
    ReportFrame =
        15, /* Depth, Address, Module, Offset, Symbol: one line of the back-trace after ReportBugCheck */
    ReportCaseBegin = 16, /* Case */
    ReportCaseEnd = 17,   /* Case, Status (0 pass), Text (why it failed) */
    ReportCall = 18, /* Case, Symbol, Count: with `bind=count`, calls that crossed a binding in that case */
    ReportDone =
        19, /* Status, of the scheduler's events Hash and Count: the scenario is at its end; power-off follows */
    ReportViolation =
        20, /* Driver, Kind (rule), Text, Symbol, Offset: a broken rule that does not stop the machine */
    ReportMark = 21, /* Count: numbered mark, the host acts on it */
    ReportRequest =
        22, /* Driver that holds it, Name (IRP_MJ_...), Code, Address (IRP): in flight at a bug check */
    ReportProcessorFrame =
        23, /* as ReportFrame, and Processor: where another one stood when a bug check stopped it */
    ReportThread =
        24, /* Address (thread), Text (what it waits for), Kind (of the lock, if it is one), Module,
                          Symbol, Offset (where in a driver): one that does not run while the machine hangs */
    ReportThreadFrame = 25, /* as ReportFrame: the stack of the thread before it */
    ReportPassBegin = 26,   /* Count: the scenario begins a pass in which allocations fail */
    ReportPassEnd =
        27, /* Count, Total (allocations in it), Information (how many failed), Module, Symbol, Offset (who asked for
                               the last one that failed) */
    ReportPoolBlock =
        28, /* Text: whose block a bug check or leak is about, who allocated and who freed it, one record each */
    ReportPool =
        29, /* Driver (empty: not known), Tag, Kind ("paged"/"nonpaged"), Count, Size: live blocks at the end */
    ReportDenied =
        30, /* Total (allocations), Information (how many of them failed on purpose), Module, Symbol, Offset (who asked for
                          the last one that did): of the boot, or when the machine stops meanwhile */
    ReportHive =
        31, /* Name, Offset, Total (bytes of the file), Data: a part of a hive, when it was asked for */
    ReportServiceBegin = 32, /* Name, Kind ("boot", "system", "auto", "demand"): started as its key says */
    ReportServiceEnd = 33,   /* Name, Status, Text (why it was not started, if its driver does not tell) */
    ReportTrace = 34,        /* Driver, Name (provider), Text: an event of a provider that `etw` asks for */
    ReportNode =
        35, /* Driver (its function driver, or the one that failed; empty: none), Name (instance path), Kind ("installed", "started", "stopped", "failed", "removed", ...), Status, Code (CM_PROB_...) */
} REPORT_TYPE;
