/* SPDX-License-Identifier: MIT
 * Unloads while an APC of its is queued: one for user mode, to a thread that never goes there. When that thread ends the APC's
 * rundown routine would be called in an image that is gone. */
#include <ntifs.h>
#include <ntbox/ke.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ApcLeftUnload;
static KAPC Apc;

static VOID NTAPI ApcLeftKernel(PRKAPC ThisApc, PKNORMAL_ROUTINE *Normal, PVOID *Context, PVOID *Argument1,
                                PVOID *Argument2)
{
    UNREFERENCED_PARAMETER(ThisApc);
    UNREFERENCED_PARAMETER(Normal);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID NTAPI ApcLeftRundown(PRKAPC ThisApc)
{
    UNREFERENCED_PARAMETER(ThisApc);
}

static VOID NTAPI ApcLeftNormal(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID NTAPI ApcLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeInitializeApc(&Apc, KeGetCurrentThread(), OriginalApcEnvironment, ApcLeftKernel, ApcLeftRundown,
                    ApcLeftNormal, UserMode, NULL);
    KeInsertQueueApc(&Apc, NULL, NULL, IO_NO_INCREMENT);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = ApcLeftUnload;
    return STATUS_SUCCESS;
}
