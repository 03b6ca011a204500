/* SPDX-License-Identifier: MIT
 * Tier 3, ps only: the header of a dump of a 64-bit system, as readers of the format agree on it (file(1), rizin's dmp_specs.h, libraries that
 * read dumps). */
#pragma once

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

/* dump_header.c. Any IRQL, no lock. What is the same in each kind of dump, in a zeroed header: the system, not the DumpType and its size. */
VOID PspFillDumpSystem(PSP_DUMP_HEADER *Header);
