/* SPDX-License-Identifier: MIT
 * KeInitializeCrashDumpHeader: the first two pages of a full dump of the memory of a 64-bit system. The routine is documented, the layout is what readers
 * of the format agree on (file(1), libraries that read dumps). What follows the header in such a file is the RAM, in the order of its runs. */
#include "ps.h"
#include "ke.h"
#include "mm.h"

#define PSP_DUMP_RUNS 42u /* that the block of 700 bytes has room for */

typedef struct _PSP_DUMP_RUN {
    ULONG64 BasePage, PageCount;
} PSP_DUMP_RUN;

typedef struct _PSP_DUMP_MEMORY { /* PHYSICAL_MEMORY_DESCRIPTOR64 */
    ULONG NumberOfRuns, Unused;
    ULONG64 NumberOfPages;
    PSP_DUMP_RUN Run[PSP_DUMP_RUNS];
} PSP_DUMP_MEMORY;

typedef struct _PSP_DUMP_HEADER { /* DUMP_HEADER64 */
    ULONG Signature, ValidDump;   /* "PAGE", "DU64" */
    ULONG MajorVersion, MinorVersion;
    ULONG64 DirectoryTableBase; /* 0x010 */
    ULONG64 PfnDataBase, PsLoadedModuleList, PsActiveProcessHead;
    ULONG MachineImageType, NumberProcessors; /* 0x030 */
    ULONG BugCheckCode, Unused;
    ULONG64 BugCheckParameter[4];
    CHAR VersionUser[32];
    ULONG64 KdDebuggerDataBlock; /* 0x080 */
    union {
        PSP_DUMP_MEMORY Memory; /* 0x088 */
        UCHAR MemoryRoom[704];
    };
    UCHAR ContextRecord[3000]; /* 0x348 */
    UCHAR Exception[152];      /* 0xf00 */
    ULONG DumpType, Unused2;   /* 0xf98 */
    ULONG64 RequiredDumpSpace, SystemTime;
    CHAR Comment[128];
    ULONG64 SystemUpTime; /* 0x1030 */
    ULONG MiniDumpFields, SecondaryDataState, ProductType, SuiteMask;
    UCHAR Rest[0x2000 - 0x1048];
} PSP_DUMP_HEADER;
ASSERT_OFFSET(PSP_DUMP_HEADER, KdDebuggerDataBlock, 0x80);
ASSERT_OFFSET(PSP_DUMP_HEADER, Memory, 0x88);
ASSERT_OFFSET(PSP_DUMP_HEADER, ContextRecord, 0x348);
ASSERT_OFFSET(PSP_DUMP_HEADER, Exception, 0xf00);
ASSERT_OFFSET(PSP_DUMP_HEADER, DumpType, 0xf98);
ASSERT_OFFSET(PSP_DUMP_HEADER, RequiredDumpSpace, 0xfa0);
ASSERT_OFFSET(PSP_DUMP_HEADER, SystemUpTime, 0x1030);
ASSERT_SIZE(PSP_DUMP_HEADER, 0x2000);

/* FALSE: there are more runs of RAM than the header has room for. */
static BOOLEAN PspFillDumpMemory(PSP_DUMP_MEMORY *Memory)
{
    PFN_NUMBER Count;
    for (PFN_NUMBER Frame = 0; MmNextRamRange(&Frame, &Count); Frame += Count) {
        if (Memory->NumberOfRuns == PSP_DUMP_RUNS)
            return FALSE;
        Memory->Run[Memory->NumberOfRuns++] = (PSP_DUMP_RUN){Frame, Count};
        Memory->NumberOfPages += Count;
    }
    return TRUE;
}

static VOID PspFillDumpSystem(PSP_DUMP_HEADER *Header)
{
    LARGE_INTEGER Time;
    Header->Signature = 'EGAP';
    Header->ValidDump = '46UD';
    Header->MajorVersion = 15;
    Header->MinorVersion = 19045;
    Header->DirectoryTableBase = PsInitialSystemProcess->Pcb.DirectoryTableBase;
    Header->MachineImageType = IMAGE_FILE_MACHINE_AMD64;
    Header->NumberProcessors = KeActiveProcessorCount;
    KeQueryDebuggerData(&Header->KdDebuggerDataBlock, &Header->PsLoadedModuleList);
    KeQuerySystemTime(&Time);
    Header->SystemTime = (ULONG64)Time.QuadPart;
    Header->SystemUpTime = KeQueryInterruptTime();
    Header->ProductType = NtProductWinNt;
    Header->DumpType = DUMP_TYPE_FULL;
    Header->RequiredDumpSpace = sizeof(*Header) + (Header->Memory.NumberOfPages << PAGE_SHIFT);
}

/* [WDK KeInitializeCrashDumpHeader] DUMP_TYPE_FULL and no flags; the directory table is the System process's. Any IRQL. */
NTSTATUS NTAPI KeInitializeCrashDumpHeader(ULONG DumpType, ULONG Flags, PVOID Buffer, ULONG BufferSize,
                                           PULONG BufferNeeded)
{
    PSP_DUMP_HEADER *Header = Buffer;
    if (DumpType != DUMP_TYPE_FULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (BufferNeeded != NULL)
        *BufferNeeded = sizeof(*Header);
    if (BufferSize < sizeof(*Header))
        return STATUS_BUFFER_TOO_SMALL;
    RtlZeroMemory(Header, sizeof(*Header));
    if (!PspFillDumpMemory(&Header->Memory))
        return STATUS_INSUFFICIENT_RESOURCES;
    PspFillDumpSystem(Header);
    return STATUS_SUCCESS;
}
