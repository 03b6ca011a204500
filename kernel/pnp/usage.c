/* SPDX-License-Identifier: MIT
 * What drivers claim for devices that no bus enumerates. A claim is for a driver or for one of its devices, and replaces the one before; an empty list
 * gives back. Devices that come later get something else. [WDK IoReportResourceForDetection, IoReportResourceUsage] */
#include "ex.h"
#include "image.h"
#include "kd.h"
#include "resources.h"

/* The owner of its ranges. */
typedef struct _PNP_USAGE {
    LIST_ENTRY Entry;  /* (p) */
    const void *For;   /* a driver or device object; compared only */
    const void *Image; /* where the driver begins */
} PNP_USAGE;

static LIST_ENTRY PnpUsages = {&PnpUsages, &PnpUsages}; /* (p) */
static volatile LONG PnpUsageCount;

/* --- the list --- */

/* FALSE: it claims nothing that can be claimed. The list was checked. */
static BOOLEAN PnpRangeOf(const CM_PARTIAL_RESOURCE_DESCRIPTOR *D, const void *Owner, PNP_RANGE *Range)
{
    *Range = (PNP_RANGE){.Owner = Owner, .Shared = D->ShareDisposition == CmResourceShareShared};
    switch (D->Type) {
    case CmResourceTypePort:
    case CmResourceTypeMemory:
        Range->Start = (ULONG64)D->u.Generic.Start.QuadPart;
        Range->End = Range->Start + D->u.Generic.Length - 1;
        return TRUE;
    case CmResourceTypeInterrupt:
        Range->Start = Range->End = D->u.Interrupt.Vector;
        return (D->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) == 0;
    case CmResourceTypeDma:
        Range->Start = Range->End = D->u.Dma.Channel;
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN PnpIsGoodDescriptor(const CM_PARTIAL_RESOURCE_DESCRIPTOR *D)
{
    ULONG64 End;
    if (D->Type != CmResourceTypePort && D->Type != CmResourceTypeMemory)
        return TRUE;
    return D->u.Generic.Length != 0 &&
           !__builtin_add_overflow((ULONG64)D->u.Generic.Start.QuadPart, D->u.Generic.Length - 1, &End);
}

typedef struct _PNP_WALK {
    const UCHAR *At, *End; /* what is left */
    ULONG Lists;           /* and how many lists it should hold */
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *D;
    ULONG Left; /* descriptors at D */
} PNP_WALK;

/* List NULL: there is nothing. FALSE: it is too short for its count. */
static BOOLEAN PnpBeginWalk(const CM_RESOURCE_LIST *List, ULONG Size, PNP_WALK *Walk)
{
    *Walk = (PNP_WALK){0};
    if (List == NULL)
        return TRUE;
    if (Size < FIELD_OFFSET(CM_RESOURCE_LIST, List))
        return FALSE;
    Walk->At = (const UCHAR *)List + FIELD_OFFSET(CM_RESOURCE_LIST, List);
    Walk->End = (const UCHAR *)List + Size;
    Walk->Lists = List->Count;
    return TRUE;
}

/* The next descriptor, NULL at the end. FALSE: the list is cut. */
static BOOLEAN PnpStep(PNP_WALK *Walk, const CM_PARTIAL_RESOURCE_DESCRIPTOR **D)
{
    static const ULONG Head =
        FIELD_OFFSET(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList.PartialDescriptors);
    while (Walk->Left == 0 && Walk->Lists != 0) {
        const CM_FULL_RESOURCE_DESCRIPTOR *Full = (const CM_FULL_RESOURCE_DESCRIPTOR *)Walk->At;
        if ((SIZE_T)(Walk->End - Walk->At) < Head)
            return FALSE;
        Walk->At += Head;
        Walk->Left = Full->PartialResourceList.Count;
        Walk->Lists--;
    }
    *D = NULL;
    if (Walk->Left == 0)
        return TRUE;
    if ((SIZE_T)(Walk->End - Walk->At) < sizeof(**D))
        return FALSE;
    *D = (const CM_PARTIAL_RESOURCE_DESCRIPTOR *)Walk->At;
    Walk->At += sizeof(**D);
    Walk->Left--;
    return PnpIsGoodDescriptor(*D);
}

/* --- a report, in the PnP thread --- */

typedef struct _PNP_REPORT {
    PDRIVER_OBJECT Driver;
    const void *For;
    const CM_RESOURCE_LIST *List; /* NULL or empty: it gives back */
    ULONG Size;
    BOOLEAN Override, Conflict;
} PNP_REPORT;

static PNP_USAGE *PnpFindUsage(const PNP_REPORT *Report)
{
    for (PLIST_ENTRY E = PnpUsages.Flink; E != &PnpUsages; E = E->Flink) {
        PNP_USAGE *Usage = CONTAINING_RECORD(E, PNP_USAGE, Entry);
        if (Usage->For == Report->For)
            return Usage;
    }
    return NULL;
}

static PNP_USAGE *PnpMakeUsage(const PNP_REPORT *Report)
{
    PNP_USAGE *Usage = PnpFindUsage(Report);
    if (Usage != NULL)
        return Usage;
    Usage = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Usage), PNP_TAG_RESOURCE);
    if (Usage == NULL)
        return NULL;
    Usage->For = Report->For;
    Usage->Image = Report->Driver->DriverStart;
    InsertTailList(&PnpUsages, &Usage->Entry);
    InterlockedIncrement(&PnpUsageCount);
    return Usage;
}

static VOID PnpDropUsage(PNP_USAGE *Usage)
{
    PnpUnclaimAll(Usage);
    RemoveEntryList(&Usage->Entry);
    ExFreePoolWithTag(Usage, PNP_TAG_RESOURCE);
    InterlockedDecrement(&PnpUsageCount);
}

/* How many ranges it has. STATUS_UNSUCCESSFUL: the list is wrong. */
static NTSTATUS PnpCheckReport(PNP_REPORT *Report, const void *Owner, PULONG Ranges)
{
    PNP_WALK Walk;
    PNP_RANGE Range;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *D;
    *Ranges = 0;
    if (!PnpBeginWalk(Report->List, Report->Size, &Walk))
        return STATUS_UNSUCCESSFUL;
    do {
        if (!PnpStep(&Walk, &D))
            return STATUS_UNSUCCESSFUL;
        if (D != NULL && PnpRangeOf(D, Owner, &Range)) {
            ++*Ranges;
            Report->Conflict |= !PnpIsFree(D->Type, &Range);
        }
    } while (D != NULL);
    return Report->Conflict && !Report->Override ? STATUS_CONFLICTING_ADDRESSES : STATUS_SUCCESS;
}

static NTSTATUS PnpClaimReport(const PNP_REPORT *Report, const void *Owner)
{
    PNP_WALK Walk;
    PNP_RANGE Range;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *D;
    NTSTATUS Status = STATUS_SUCCESS;
    (void)PnpBeginWalk(Report->List, Report->Size, &Walk);
    while (NT_SUCCESS(Status) && PnpStep(&Walk, &D) && D != NULL) {
        if (PnpRangeOf(D, Owner, &Range))
            Status = PnpClaim(D->Type, &Range);
    }
    return Status;
}

static NTSTATUS PnpReportUsage(PVOID Context)
{
    PNP_REPORT *Report = Context;
    ULONG Ranges;
    PNP_USAGE *Usage = PnpFindUsage(Report);
    NTSTATUS Status = PnpCheckReport(Report, Usage, &Ranges);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Ranges == 0) {
        if (Usage != NULL)
            PnpDropUsage(Usage);
        return STATUS_SUCCESS;
    }
    Usage = PnpMakeUsage(Report);
    if (Usage == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PnpUnclaimAll(Usage);
    Status = PnpClaimReport(Report, Usage);
    if (!NT_SUCCESS(Status))
        PnpDropUsage(Usage);
    return Status;
}

/* --- what a driver leaves --- */

static NTSTATUS PnpDropUsagesOf(PVOID Context)
{
    const IM_MODULE *Module = Context;
    ULONG Count = 0;
    for (PLIST_ENTRY E = PnpUsages.Flink, Next; E != &PnpUsages; E = Next) {
        PNP_USAGE *Usage = CONTAINING_RECORD(E, PNP_USAGE, Entry);
        Next = E->Flink;
        if (Usage->Image != Module->Base)
            continue;
        PnpDropUsage(Usage);
        Count++;
    }
    if (Count != 0)
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name),
                 KD_TEXT(ReportKeyKind, "hardware resources"), KD_NUMBER(ReportKeyCount, Count));
    return STATUS_SUCCESS;
}

VOID PnpReportUsageLeaks(PIM_MODULE Module)
{
    if (PnpUsageCount != 0)
        (void)PnpCall(PnpDropUsagesOf, Module);
}

/* --- exports --- */

static NTSTATUS PnpReportList(PNP_REPORT *Report, PBOOLEAN ConflictDetected)
{
    NTSTATUS Status = PnpCall(PnpReportUsage, Report);
    *ConflictDetected |= Report->Conflict;
    return Status;
}

/* [WDK IoReportResourceForDetection] PASSIVE_LEVEL. The device's list counts, else the driver's. STATUS_CONFLICTING_ADDRESSES: somebody has some of it;
 * STATUS_UNSUCCESSFUL: the list is wrong. What was claimed before stays then. */
NTSTATUS NTAPI IoReportResourceForDetection(PDRIVER_OBJECT DriverObject, PCM_RESOURCE_LIST DriverList,
                                            ULONG DriverListSize, PDEVICE_OBJECT DeviceObject,
                                            PCM_RESOURCE_LIST DeviceList, ULONG DeviceListSize,
                                            PBOOLEAN ConflictDetected)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PNP_REPORT Report = {
        .Driver = DriverObject, .For = DriverObject, .List = DriverList, .Size = DriverListSize};
    if (DeviceObject != NULL) {
        Report.For = DeviceObject;
        if (DeviceList != NULL || DriverList == NULL) {
            Report.List = DeviceList;
            Report.Size = DeviceListSize;
        }
    }
    *ConflictDetected = FALSE;
    return PnpReportList(&Report, ConflictDetected);
}

/* [WDK IoReportResourceUsage] PASSIVE_LEVEL. Both lists count, each for its own; the class's name is of no use here. OverrideConflict: what others have is
 * claimed as well. */
NTSTATUS NTAPI IoReportResourceUsage(PUNICODE_STRING DriverClassName, PDRIVER_OBJECT DriverObject,
                                     PCM_RESOURCE_LIST DriverList, ULONG DriverListSize,
                                     PDEVICE_OBJECT DeviceObject, PCM_RESOURCE_LIST DeviceList,
                                     ULONG DeviceListSize, BOOLEAN OverrideConflict,
                                     PBOOLEAN ConflictDetected)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(DriverClassName);
    PNP_REPORT Drivers = {DriverObject, DriverObject, DriverList, DriverListSize, OverrideConflict, FALSE};
    PNP_REPORT Devices = {DriverObject, DeviceObject, DeviceList, DeviceListSize, OverrideConflict, FALSE};
    *ConflictDetected = FALSE;
    NTSTATUS Status = DriverList != NULL || DeviceObject == NULL ? PnpReportList(&Drivers, ConflictDetected)
                                                                 : STATUS_SUCCESS;
    if (NT_SUCCESS(Status) && DeviceObject != NULL)
        Status = PnpReportList(&Devices, ConflictDetected);
    return Status;
}
