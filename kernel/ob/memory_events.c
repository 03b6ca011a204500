/* SPDX-License-Identifier: MIT
 * The events of \KernelObjects that tell how much memory is left. [WDK Standard Event Objects; Win32 CreateMemoryResourceNotification]
 * Low: less than 32 MB of each 4 GB, at most 64 MB; high: more than three times that. They are looked after each second. */
#include "obp.h"
#include "ke.h"
#include "mm.h"

#define OBP_LOW_FRACTION 128u                        /* of RAM: 32 MB of 4 GB */
#define OBP_LOW_MOST (64u * 1024 * 1024 / PAGE_SIZE) /* pages */
#define OBP_HIGH_TIMES 3u
#define OBP_LOOK_MILLISECONDS 1000

typedef struct _OBP_LEVEL {
    PCWSTR Low, High;
    PKEVENT LowEvent, HighEvent; /* referenced for ever */
} OBP_LEVEL;

enum { ObpRam, ObpPagedPool, ObpNonPagedPool, ObpLevelCount };

static OBP_LEVEL ObpLevels[ObpLevelCount] = {
    [ObpRam] = {L"\\KernelObjects\\LowMemoryCondition", L"\\KernelObjects\\HighMemoryCondition", NULL, NULL},
    [ObpPagedPool] = {L"\\KernelObjects\\LowPagedPoolCondition", L"\\KernelObjects\\HighPagedPoolCondition",
                      NULL, NULL},
    [ObpNonPagedPool] = {L"\\KernelObjects\\LowNonPagedPoolCondition",
                         L"\\KernelObjects\\HighNonPagedPoolCondition", NULL, NULL},
};
static KTIMER ObpLevelTimer;
static KDPC ObpLevelDpc;

static VOID ObpTellLevel(const OBP_LEVEL *Level, SIZE_T Free, SIZE_T Low)
{
    if (Free < Low)
        (void)KeSetEvent(Level->LowEvent, 0, FALSE);
    else
        KeClearEvent(Level->LowEvent);
    if (Free > Low * OBP_HIGH_TIMES)
        (void)KeSetEvent(Level->HighEvent, 0, FALSE);
    else
        KeClearEvent(Level->HighEvent);
}

/* Pool grows as long as its region has addresses and there are free pages. */
static SIZE_T ObpFreePool(MM_POOL_REGION Region, SIZE_T FreePages)
{
    SIZE_T Room = MmFreePoolRegionPages(Region);

    return Room < FreePages ? Room : FreePages;
}

static VOID ObpLookAtMemory(VOID)
{
    MM_COUNTERS Memory;

    MmQueryCounters(&Memory);
    SIZE_T Low = Memory.TotalPages / OBP_LOW_FRACTION;
    if (Low > OBP_LOW_MOST)
        Low = OBP_LOW_MOST;
    ObpTellLevel(&ObpLevels[ObpRam], Memory.FreePages, Low);
    ObpTellLevel(&ObpLevels[ObpPagedPool], ObpFreePool(MmPagedPoolRegion, Memory.FreePages), Low);
    ObpTellLevel(&ObpLevels[ObpNonPagedPool], ObpFreePool(MmNonPagedPoolRegion, Memory.FreePages), Low);
}

static VOID NTAPI ObpLevelRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    ObpLookAtMemory();
}

static PKEVENT ObpMakeCondition(PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    PVOID Event = NULL;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               NULL, NULL);
    NTSTATUS Status = ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, 0, ExEventObjectType, KernelMode, &Event, NULL);
        (void)ObCloseHandle(Handle, KernelMode);
    }
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 6, 0, 0);
    return Event;
}

VOID ObWatchMemory(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000LL * OBP_LOOK_MILLISECONDS};

    for (ULONG i = 0; i < ObpLevelCount; i++) {
        ObpLevels[i].LowEvent = ObpMakeCondition(ObpLevels[i].Low);
        ObpLevels[i].HighEvent = ObpMakeCondition(ObpLevels[i].High);
    }
    ObpLookAtMemory();
    KeInitializeTimer(&ObpLevelTimer);
    KeInitializeDpc(&ObpLevelDpc, ObpLevelRoutine, NULL);
    (void)KeSetTimerEx(&ObpLevelTimer, Due, OBP_LOOK_MILLISECONDS, &ObpLevelDpc);
}
