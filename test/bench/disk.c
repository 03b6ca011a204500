/* SPDX-License-Identifier: MIT
 * Random reads of 4 KiB from the first disk through system services, for disk.py: Parameters\Depth of them are under way at a time,
 * Parameters\Reads are done. One line of DbgPrint says how long they took. disk_linux.c is the same for Linux. */
#include <ntifs.h>

#include "disk_reads.h"

#define TAG 'ksiD'

typedef struct SLOT {
    HANDLE Event; /* the read has ended */
    IO_STATUS_BLOCK Iosb;
    ULONG Block;
    PUCHAR Buffer;
} SLOT;

static SLOT Slots[DISK_MOST_DEPTH];

DRIVER_INITIALIZE DriverEntry;

static ULONG Parameter(PUNICODE_STRING RegistryPath, PCWSTR Name)
{
    WCHAR Path[200];
    ULONG Value = 0, None = 0;
    RTL_QUERY_REGISTRY_TABLE Query[2] = {{.Flags = RTL_QUERY_REGISTRY_DIRECT,
                                          .Name = (PWSTR)Name,
                                          .EntryContext = &Value,
                                          .DefaultType = REG_DWORD,
                                          .DefaultData = &None,
                                          .DefaultLength = sizeof(None)}};
    _snwprintf(Path, RTL_NUMBER_OF(Path), L"%wZ\\Parameters", RegistryPath);
    Path[RTL_NUMBER_OF(Path) - 1] = 0;
    NTSTATUS Status = RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Query, NULL, NULL);
    return NT_SUCCESS(Status) ? Value : 0;
}

static NTSTATUS OpenDisk(PHANDLE Disk)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\??\\PhysicalDrive0");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwOpenFile(Disk, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb,
                      FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_NON_DIRECTORY_FILE);
}

static NTSTATUS PrepareSlot(SLOT *Slot)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Slot->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, DISK_BLOCK, TAG);
    if (Slot->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    return ZwCreateEvent(&Slot->Event, EVENT_ALL_ACCESS, &Attributes, SynchronizationEvent, FALSE);
}

static VOID ReleaseSlot(SLOT *Slot)
{
    if (Slot->Event != NULL)
        ZwClose(Slot->Event);
    if (Slot->Buffer != NULL)
        ExFreePoolWithTag(Slot->Buffer, TAG);
}

static NTSTATUS Submit(HANDLE Disk, SLOT *Slot, ULONG Block)
{
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Block * DISK_BLOCK};
    Slot->Block = Block;
    return ZwReadFile(Disk, Slot->Event, NULL, NULL, &Slot->Iosb, Slot->Buffer, DISK_BLOCK, &Offset, NULL);
}

/* The slot's read is waited for, also when it failed. */
static NTSTATUS Reap(SLOT *Slot)
{
    (void)ZwWaitForSingleObject(Slot->Event, FALSE, NULL);
    if (!NT_SUCCESS(Slot->Iosb.Status))
        return Slot->Iosb.Status;
    return *(ULONG *)Slot->Buffer == Slot->Block ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}

/* The oldest is waited for, and its slot has the next one. */
static NTSTATUS Read(HANDLE Disk, ULONG Depth, ULONG Reads)
{
    ULONG64 State = DISK_SEED;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Begun = 0, Ended = 0;
    while (NT_SUCCESS(Status) && Ended < Reads) {
        while (NT_SUCCESS(Status) && Begun < Reads && Begun - Ended < Depth) {
            Status = Submit(Disk, &Slots[Begun % Depth], DiskNextBlock(&State));
            if (NT_SUCCESS(Status))
                Begun++;
        }
        if (Ended < Begun)
            Status = Reap(&Slots[Ended++ % Depth]);
    }
    for (; Ended < Begun; Ended++)
        (void)Reap(&Slots[Ended % Depth]);
    return Status;
}

static VOID Measure(HANDLE Disk, ULONG Depth, ULONG Reads)
{
    LARGE_INTEGER Frequency;
    LONGLONG Start = KeQueryPerformanceCounter(&Frequency).QuadPart;
    NTSTATUS Status = Read(Disk, Depth, Reads);
    LONGLONG Took = KeQueryPerformanceCounter(NULL).QuadPart - Start;
    if (NT_SUCCESS(Status))
        DbgPrint("disk: %lu reads took %I64d us\n", Reads, Took * 1000000 / Frequency.QuadPart);
    else
        DbgPrint("disk: a read failed with %lx\n", Status);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ULONG Depth = Parameter(RegistryPath, L"Depth"), Reads = Parameter(RegistryPath, L"Reads");
    HANDLE Disk = NULL;
    Driver->DriverUnload = Unload;
    if (Depth == 0 || Depth > DISK_MOST_DEPTH)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = OpenDisk(&Disk);
    for (ULONG i = 0; NT_SUCCESS(Status) && i < Depth; i++)
        Status = PrepareSlot(&Slots[i]);
    if (NT_SUCCESS(Status))
        Measure(Disk, Depth, Reads);
    for (ULONG i = 0; i < Depth; i++)
        ReleaseSlot(&Slots[i]);
    if (Disk != NULL)
        ZwClose(Disk);
    return Status;
}
