/* SPDX-License-Identifier: MIT
 * Starts the drivers that start by themselves, in the order that their keys ask for: what on Windows the loader and the I/O manager do
 * for boot and system start, and the service control manager for auto start. */
#include "reinitialize.h"
#include "service_list.h"
#include "crt.h"
#include "kd.h"

#define IOP_SERVICE_KINDS 4u

static const PCSTR IopServiceKinds[IOP_SERVICE_KINDS] = {"boot", "system", "auto", "demand"};

static VOID IopReportBegin(const SERVICE_ENTRY *Entry)
{
    CHAR Buffer[256];
    UNICODE_STRING Name = IopServiceString(Entry->Name);
    NT_CHECK(Entry->Start < IOP_SERVICE_KINDS);
    KdReport(ReportServiceBegin, KdUnicodeField(ReportKeyName, &Name, Buffer, sizeof(Buffer)),
             KD_TEXT(ReportKeyKind, IopServiceKinds[Entry->Start]));
}

/* Why may be empty. */
static VOID IopReportEnd(const SERVICE_ENTRY *Entry, NTSTATUS Status, PCSTR Why)
{
    CHAR Buffer[256];
    UNICODE_STRING Name = IopServiceString(Entry->Name);
    KdReport(ReportServiceEnd, KdUnicodeField(ReportKeyName, &Name, Buffer, sizeof(Buffer)),
             KD_NUMBER(ReportKeyStatus, (ULONG)Status), KD_TEXT(ReportKeyText, Why));
}

/* [Win32 CreateService, dwErrorControl] "Ignore" says nothing to the user, "normal" and worse do; "critical" fails the boot of the
 * last known good configuration, and the one that runs is the only one there is. */
static VOID IopTellFailure(const SERVICE_ENTRY *Entry, const IOP_SERVICE_STATE *State, PCSTR Why)
{
    UNICODE_STRING Name = IopServiceString(Entry->Name);
    if (State->ErrorControl == IopErrorIgnore)
        KdLog("service %wZ was not started: %s", &Name, Why);
    else
        KdLogError("service %wZ was not started: %s", &Name, Why);
    if (State->ErrorControl == IopErrorCritical)
        KeBugCheckBlaming(NULL, CRITICAL_SERVICE_FAILED, (ULONG_PTR)State->Status, 0, 0, 0,
                          "a service whose ErrorControl is critical was not started");
}

/* Format has a %wZ for Other, and may have one %X for the status behind it. A name may be as long as a value of the hive: it is cut. */
static VOID IopFail(const IOP_SERVICE_LIST *List, ULONG Index, NTSTATUS Status, PCSTR Format,
                    SERVICE_TEXT Other)
{
    CHAR Text[256];
    UNICODE_STRING Name = IopServiceString((SERVICE_TEXT){Other.Text, min(Other.Length, 64)});
    (VOID) _snprintf_s(Text, sizeof(Text), sizeof(Text) - 1, Format, &Name, (unsigned)Status);
    List->States[Index].Status = Status;
    IopReportEnd(&List->Entries[Index], Status, Text);
    IopTellFailure(&List->Entries[Index], &List->States[Index], Text);
}

static const IOP_SERVICE_STATE *IopStateOf(const IOP_SERVICE_LIST *List, SERVICE_TEXT Name)
{
    for (ULONG i = 0; i < List->Count; i++) {
        if (ServiceNameEquals(List->Entries[i].Name, Name))
            return &List->States[i];
    }
    return NULL;
}

static BOOLEAN IopGroupRuns(const IOP_SERVICE_LIST *List, SERVICE_TEXT Group)
{
    for (ULONG i = 0; i < List->Count; i++) {
        if (List->States[i].Started && ServiceNameEquals(List->Entries[i].Group, Group))
            return TRUE;
    }
    return FALSE;
}

/* Those that it depends on come before it: have they been started? */
static BOOLEAN IopDependenciesRun(const IOP_SERVICE_LIST *List, ULONG Index)
{
    SERVICE_TEXTS Names = List->Entries[Index].DependOnService, Groups = List->Entries[Index].DependOnGroup;
    SERVICE_TEXT Name;
    while (ServiceTakeText(&Names, &Name)) {
        const IOP_SERVICE_STATE *State = IopStateOf(List, Name);
        if (State == NULL || !State->Started) {
            IopFail(List, Index, STATUS_UNSUCCESSFUL, "it depends on %wZ, which was not started", Name);
            return FALSE;
        }
    }
    while (ServiceTakeText(&Groups, &Name)) {
        if (!IopGroupRuns(List, Name)) {
            IopFail(List, Index, STATUS_UNSUCCESSFUL,
                    "it depends on the group %wZ, of which no driver was started", Name);
            return FALSE;
        }
    }
    return TRUE;
}

static NTSTATUS IopLoadEntry(const SERVICE_ENTRY *Entry)
{
    UNICODE_STRING Path, Name = IopServiceString(Entry->Name);
    NTSTATUS Status =
        IopMakePath(&Path, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\", &Name, L"");
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwLoadDriver(&Path);
    ObFreeName(&Path);
    return Status;
}

static VOID IopStartEntry(const IOP_SERVICE_LIST *List, ULONG Index)
{
    const SERVICE_ENTRY *Entry = &List->Entries[Index];
    IopReportBegin(Entry);
    if (!IopDependenciesRun(List, Index))
        return;
    NTSTATUS Status = IopLoadEntry(Entry);
    if (!NT_SUCCESS(Status)) {
        IopFail(List, Index, Status, "loading %wZ ended with status 0x%08X", Entry->Name);
        return;
    }
    List->States[Index].Started = TRUE;
    IopReportEnd(Entry, Status, "");
}

static PCSTR IopObstacleText(SERVICE_OBSTACLE Obstacle)
{
    switch (Obstacle) {
    case ServiceUnknown:
        return "it depends on %wZ, and there is no such service";
    case ServiceDisabled:
        return "it depends on %wZ, which is disabled";
    case ServiceEmptyGroup:
        return "it depends on the group %wZ, of which no driver starts by itself";
    case ServiceCircle:
        return "it depends on %wZ, which in a circle depends on it";
    default:
        return "it depends on %wZ, which cannot be started";
    }
}

/* Those that are not in the order. */
static VOID IopTellObstacles(const IOP_SERVICE_LIST *List)
{
    for (ULONG i = 0; i < List->Count; i++) {
        SERVICE_TEXT Name;
        if (!List->Entries[i].Wanted || List->Entries[i].Placed)
            continue;
        IopReportBegin(&List->Entries[i]);
        SERVICE_OBSTACLE Obstacle = ServiceObstacle(List->Entries, List->Count, i, &Name);
        IopFail(List, i, STATUS_UNSUCCESSFUL, IopObstacleText(Obstacle), Name);
    }
}

/* How many of the order come before the devices: up to the last one of boot start, with what it depends on. */
static ULONG IopBootCount(const IOP_SERVICE_LIST *List, ULONG Placed)
{
    while (Placed != 0 && List->Entries[List->Order[Placed - 1]].Start != SERVICE_BOOT_START)
        Placed--;
    return Placed;
}

static VOID IopStartPlaced(const IOP_SERVICE_LIST *List, ULONG From, ULONG To)
{
    for (ULONG i = From; i < To; i++)
        IopStartEntry(List, List->Order[i]);
}

VOID IoStartServices(IO_START_DEVICES *StartDevices)
{
    IOP_SERVICE_LIST List;
    ULONG Placed = 0;
    NTSTATUS Status = IopReadServiceList(&List);
    if (NT_SUCCESS(Status))
        Placed = ServiceOrder(List.Entries, List.Count, &List.Rules, List.Order);
    else
        KdLogError("the services cannot be read, status 0x%08X: no driver starts by itself",
                   (unsigned)Status);
    ULONG Boot = IopBootCount(&List, Placed);
    IopBeginDriverRound();
    IopStartPlaced(&List, 0, Boot);
    StartDevices();
    IopEndBootRound();
    IopStartPlaced(&List, Boot, Placed);
    IopEndDriverRound();
    if (NT_SUCCESS(Status))
        IopTellObstacles(&List);
    IopFreeServiceList(&List);
}
