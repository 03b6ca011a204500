/* SPDX-License-Identifier: MIT
 * Vectors of devices: the high nibble is the IRQL, 3 to 12. A line gets its vector when somebody first asks for it and keeps it. */
#include "halp.h"

#define FIRST_DEVICE_CLASS 3
#define LAST_DEVICE_CLASS 12
#define MAX_LINES 64

static struct {
    HAL_LINE Line;
    UCHAR Vector;
} HalpLines[MAX_LINES]; /* HalpVectorLock; entries are never taken back */
static ULONG HalpLineCount;
static USHORT HalpTaken[16];    /* HalpVectorLock: a bit for each vector of a class */
static USHORT HalpMessages[16]; /* the same for those that are messages */
static ARCH_LOCK HalpVectorLock = ARCH_LOCK_INIT("Vectors", LockRankHal, HIGH_LEVEL);

/* The first of Count free vectors of a class, from a multiple of Count on; 16: there are none. Count is a power of 2. */
static ULONG HalpFindFree(ULONG Class, ULONG Count)
{
    ULONG Mask = (1u << Count) - 1, At = 0;
    while (At < 16 && (HalpTaken[Class] & (Mask << At)) != 0)
        At += Count;
    return At;
}

/* From the class that has most left, the highest first, so that devices get different IRQLs while they last. 0: none left. */
static UCHAR HalpTakeVectorsLocked(ULONG Count)
{
    ULONG Best = 0;

    for (ULONG Class = LAST_DEVICE_CLASS; Class >= FIRST_DEVICE_CLASS; Class--)
        if (HalpFindFree(Class, Count) < 16 &&
            (Best == 0 || __builtin_popcount(HalpTaken[Class]) < __builtin_popcount(HalpTaken[Best])))
            Best = Class;
    if (Best == 0)
        return 0;
    ULONG At = HalpFindFree(Best, Count);
    HalpTaken[Best] |= (USHORT)(((1u << Count) - 1) << At);
    return (UCHAR)(Best << 4 | At);
}

UCHAR HalAllocateMessages(ULONG Count)
{
    if (Count == 0 || Count > 16)
        return 0;
    ULONG Power = Count == 1 ? 1 : 1u << (32 - __builtin_clz(Count - 1));
    KIRQL OldIrql = ArchAcquireLock(&HalpVectorLock);
    UCHAR Vector = HalpTakeVectorsLocked(Power);
    if (Vector != 0)
        HalpMessages[Vector >> 4] |= (USHORT)(((1u << Power) - 1) << (Vector & 15));
    ArchReleaseLock(&HalpVectorLock, OldIrql);
    return Vector;
}

VOID HalFreeMessages(UCHAR Vector, ULONG Count)
{
    ULONG Power = Count == 1 ? 1 : 1u << (32 - __builtin_clz(Count - 1));
    USHORT Mask = (USHORT)(((1u << Power) - 1) << (Vector & 15));
    KIRQL OldIrql = ArchAcquireLock(&HalpVectorLock);
    HalpTaken[Vector >> 4] &= (USHORT)~Mask;
    HalpMessages[Vector >> 4] &= (USHORT)~Mask;
    ArchReleaseLock(&HalpVectorLock, OldIrql);
}

BOOLEAN HalIsMessage(UCHAR Vector)
{
    return (HalpMessages[Vector >> 4] >> (Vector & 15) & 1) != 0;
}

/* [Intel SDM 3, 11.11] physical destination, fixed delivery, edge */
VOID HalDescribeMessage(UCHAR Vector, ULONG Processor, PULONG64 Address, PULONG Data)
{
    *Address = 0xfee00000u | HalApicIdOf(Processor) << 12;
    *Data = Vector;
}

static UCHAR HalpVectorOfLineLocked(const HAL_LINE *Line)
{
    for (ULONG i = 0; i < HalpLineCount; i++)
        if (HalpLines[i].Line.Gsi == Line->Gsi)
            return HalpLines[i].Vector;
    UCHAR Vector = HalpLineCount < MAX_LINES ? HalpTakeVectorsLocked(1) : 0;
    if (Vector != 0) {
        HalpLines[HalpLineCount].Line = *Line;
        HalpLines[HalpLineCount++].Vector = Vector;
    }
    return Vector;
}

UCHAR HalVectorOfLine(const HAL_LINE *Line)
{
    if (!HalpLineExists(Line->Gsi))
        return 0;
    KIRQL OldIrql = ArchAcquireLock(&HalpVectorLock);
    UCHAR Vector = HalpVectorOfLineLocked(Line);
    ArchReleaseLock(&HalpVectorLock, OldIrql);
    return Vector;
}

BOOLEAN HalLineOfVector(UCHAR Vector, HAL_LINE *Line)
{
    BOOLEAN Found = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&HalpVectorLock);

    for (ULONG i = 0; i < HalpLineCount && !Found; i++) {
        Found = HalpLines[i].Vector == Vector;
        *Line = HalpLines[i].Line;
    }
    ArchReleaseLock(&HalpVectorLock, OldIrql);
    return Found;
}

VOID HalEnableLine(const HAL_LINE *Line, UCHAR Vector, ULONG Processor)
{
    HalpRouteLine(Line, Vector, HalApicIdOf(Processor));
}

VOID HalDisableLine(const HAL_LINE *Line)
{
    HalpMaskLine(Line->Gsi);
}

/* [Windows 2000 DDK HalGetInterruptVector] From what a bus calls an interrupt to the system's vector, its IRQL, and the processors
 * that can get it; 0 for one that does not exist. On the PCI bus the level is the I/O APIC's line, level-triggered and active low
 * [PCI 3.0, 2.2.6]. */
ULONG NTAPI HalGetInterruptVector(INTERFACE_TYPE InterfaceType, ULONG BusNumber, ULONG BusInterruptLevel,
                                  ULONG BusInterruptVector, PKIRQL Irql, PKAFFINITY Affinity)
{
    ULONG Count = HalPresentProcessorCount();
    HAL_LINE Line = {.Gsi = BusInterruptLevel, .Level = TRUE, .ActiveLow = TRUE};
    UCHAR Vector = 0;

    if (InterfaceType == PCIBus ||
        ((InterfaceType == Isa || InterfaceType == Eisa || InterfaceType == Internal) &&
         HalFindIsaLine(BusInterruptLevel, &Line)))
        Vector = HalVectorOfLine(&Line);
    *Irql = Vector >> 4;
    *Affinity = Vector == 0 ? 0 : Count == 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << Count) - 1;
    return Vector;
}
