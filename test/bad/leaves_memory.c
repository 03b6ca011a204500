/* SPDX-License-Identifier: MIT
 * Unloads without giving back virtual memory, with pages locked, a view of a section and one in system space: each must be reported. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LeaveMemory;

static VOID NTAPI LeaveMemory(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static NTSTATUS Map(HANDLE Section)
{
    PVOID View = NULL, SystemView, Object;
    SIZE_T Size = 0, SystemSize = 0;
    NTSTATUS Status = ZwMapViewOfSection(Section, ZwCurrentProcess(), &View, 0, 0, NULL, &Size, ViewUnmap, 0,
                                         PAGE_READWRITE);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Section, SECTION_MAP_WRITE, *MmSectionObjectType, KernelMode,
                                           &Object, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmMapViewInSystemSpace(Object, &SystemView, &SystemSize);
    ObDereferenceObject(Object);
    return Status;
}

static NTSTATUS Lock(PVOID Base)
{
    PMDL Mdl = IoAllocateMdl(Base, PAGE_SIZE, FALSE, FALSE, NULL);
    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID Base = NULL;
    SIZE_T Size = 0x1234;
    LARGE_INTEGER Bytes = {.QuadPart = 0x20000};
    HANDLE Section;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = LeaveMemory;
    NTSTATUS Status =
        ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(Status))
        Status = Lock(Base);
    if (NT_SUCCESS(Status))
        Status =
            ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, &Bytes, PAGE_READWRITE, SEC_COMMIT, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Map(Section);
    ZwClose(Section);
    return Status;
}
