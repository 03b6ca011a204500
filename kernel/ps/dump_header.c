/* SPDX-License-Identifier: MIT
 * KeInitializeCrashDumpHeader: the first two pages of a full dump of the memory of a 64-bit system. The routine is documented, the layout (dump.h) is
 * what readers of the format agree on. What follows the header in such a file is the RAM, in the order of its runs. */
#include "ps.h"
#include "dump.h"
#include "ke.h"
#include "mm.h"

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

VOID PspFillDumpSystem(PSP_DUMP_HEADER *Header)
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
    Header->DumpType = DUMP_TYPE_FULL;
    Header->RequiredDumpSpace = sizeof(*Header) + (Header->Memory.NumberOfPages << PAGE_SHIFT);
    return STATUS_SUCCESS;
}
