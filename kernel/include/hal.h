/* SPDX-License-Identifier: MIT
 * Tier 2, hal: the board: ACPI tables, local APIC, clocks, PCI configuration space, power-off. */
#pragma once
#include "arch_trap.h"
#include "osloader/loader_block.h"

/* Vectors. The high nibble is the IRQL at which the handler runs. */
#define HAL_VECTOR_APC 0x1f
#define HAL_VECTOR_DPC 0x2f
#define HAL_VECTOR_CLOCK 0xd1
#define HAL_VECTOR_IPI 0xe1
#define HAL_VECTOR_SPURIOUS 0xff

/* IRQL HIGH or interrupts off, boot processor. Reads the ACPI tables through the direct map. */
VOID HalInitSystem(const LOADER_BLOCK *Block);

/* One line about what the ACPI tables describe. */
VOID HalLogBoard(VOID);

/* Processors that the MADT lists as usable, at most HAL_MAX_PROCESSORS; 1 without a MADT. Number 0 is the boot processor. */
#define HAL_MAX_PROCESSORS 64
ULONG HalPresentProcessorCount(VOID);
ULONG HalApicIdOf(ULONG Processor);

/* Of the calling processor. Each processor initialises its local APIC once (HalInitSystem does the boot processor's). */
VOID HalInitProcessorApic(VOID);
ULONG HalLocalApicId(VOID);

/* To another processor; it handles the vector when its CR8 lets it. Any IRQL. */
VOID HalSendInterrupt(ULONG Processor, UCHAR Vector);
VOID HalSendInterruptToOthers(UCHAR Vector); /* all but the caller */
VOID HalSendNmi(ULONG Processor);

/* INIT, then start-up at Page, a physical page below 1 MiB. [Intel SDM 3, 9.4.4] */
VOID HalResetProcessor(ULONG Processor);
VOID HalStartProcessor(ULONG Processor, ULONG Page);

/* An interrupt line: global system interrupt, and how it is wired. */
typedef struct _HAL_LINE {
    ULONG Gsi;
    BOOLEAN Level;
    BOOLEAN ActiveLow;
} HAL_LINE;
#define HAL_ISA_LINES 16
BOOLEAN HalFindIsaLine(ULONG Irq, HAL_LINE *Line); /* FALSE: there is no such ISA interrupt */

/* The line's vector, whose high nibble is its IRQL, 3 to 12. 0: there is no such line, or no vector left. IRQL any. */
UCHAR HalVectorOfLine(const HAL_LINE *Line);
BOOLEAN HalLineOfVector(UCHAR Vector, HAL_LINE *Line);
VOID HalEnableLine(const HAL_LINE *Line, UCHAR Vector,
                   ULONG Processor); /* a line for which the above was TRUE */
VOID HalDisableLine(const HAL_LINE *Line);

/* Messages: vectors that devices write themselves. Count, at most 16, that follow each other, of one IRQL; 0: there are not so many. Any IRQL. */
UCHAR HalAllocateMessages(ULONG Count);
VOID HalFreeMessages(UCHAR Vector, ULONG Count);
BOOLEAN HalIsMessage(UCHAR Vector);
/* What the device has to write, and where. */
VOID HalDescribeMessage(UCHAR Vector, ULONG Processor, PULONG64 Address, PULONG Data);

/* Software interrupt to the calling processor: pending until CR8 falls below the vector's class. Any IRQL. */
VOID HalRequestSoftwareInterrupt(UCHAR Vector);
VOID HalEndOfInterrupt(VOID);

/* The calling processor's clock: HAL_VECTOR_CLOCK every Period (100 ns units). */
#define HAL_CLOCK_PERIOD 10000
VOID HalStartClock(ULONG Period);

/* 100 ns since boot, from the time stamp counter. Any IRQL. */
ULONG64 HalQueryInterruptTime(VOID);
ULONG64 HalQueryPerformanceCounter(VOID); /* at HAL_PERFORMANCE_FREQUENCY */
#define HAL_PERFORMANCE_FREQUENCY 10000000ull
ULONG64 HalTscFrequency(VOID);

/* Date and time of the board's clock, 100 ns since 1601. Boot only. */
ULONG64 HalQueryRealTimeClock(VOID);
BOOLEAN HalHasRealTimeClock(VOID);

/* PCI configuration space: in memory where the board has it (4096 bytes for each function), else by ports (256 bytes). Offset lies within. Any IRQL. */
ULONG HalReadPciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset);
VOID HalWritePciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset, ULONG Value);
ULONG HalPciConfigLength(UCHAR Bus);

/* Width 1, 2 or 4 bytes, at an offset that is a multiple of it. */
VOID HalWritePciBytes(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset, const UCHAR *Bytes,
                      ULONG Width);

/* Is there a PCI bus, and is it PCI Express? */
BOOLEAN HalHasPci(VOID);
BOOLEAN HalIsPciExpress(VOID);

/* Physical address and size of the shared memory of an ivshmem-plain device; FALSE when there is none. */
BOOLEAN HalFindReportMemory(ULONG64 *Physical, ULONG64 *Length);

/* Ends the run: debug-exit port when the command line names one (`exitport=0xf4`), else ACPI S5, else halts. */
DECLSPEC_NORETURN VOID HalPowerOff(UCHAR ExitValue);
VOID HalSetExitPort(USHORT Port);
