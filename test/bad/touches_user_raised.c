/* SPDX-License-Identifier: MIT
 * Touches committed user memory for the first time at DISPATCH_LEVEL, where no page fault can be resolved. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

__attribute__((noinline)) static VOID TouchRaised(volatile UCHAR *Page)
{
    KIRQL Irql = KeRaiseIrqlToDpcLevel();
    *Page = 1;
    KeLowerIrql(Irql);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID Base = NULL;
    SIZE_T Size = 0x1000;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status =
        ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(Status))
        TouchRaised(Base);
    return Status;
}
