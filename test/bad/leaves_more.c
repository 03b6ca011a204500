/* SPDX-License-Identifier: MIT
 * Unloads without giving back what is no pool block of its own: a handle, contiguous memory, a mapping of device memory, a mapped MDL,
 * callbacks. Each must be reported. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD MoreUnload;
static KBUGCHECK_CALLBACK_RECORD Record;

static VOID NTAPI MoreCallback(PVOID Buffer, ULONG Length)
{
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(Length);
}

static BOOLEAN NTAPI MoreNmi(PVOID Context, BOOLEAN Handled)
{
    UNREFERENCED_PARAMETER(Context);
    return Handled;
}

static VOID NTAPI MoreUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static BOOLEAN LeaveMappings(VOID)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = -1}, IoApic = {.QuadPart = 0xfec00000};
    PVOID Contiguous = MmAllocateContiguousMemory(PAGE_SIZE, Highest);
    PMDL Mdl = IoAllocateMdl(&Record, sizeof(Record), FALSE, FALSE, NULL);
    if (Contiguous == NULL || Mdl == NULL)
        return FALSE;
    MmBuildMdlForNonPagedPool(Mdl);
    return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority) != NULL &&
           MmMapIoSpace(IoApic, PAGE_SIZE, MmNonCached) != NULL;
}

static BOOLEAN LeaveCallbacks(VOID)
{
    PKBUGCHECK_CALLBACK_RECORD Callback = &Record;
    KeInitializeCallbackRecord(Callback);
    return KeRegisterBugCheckCallback(Callback, MoreCallback, NULL, 0, (PUCHAR) "more") &&
           KeRegisterNmiCallback(MoreNmi, NULL) != NULL;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    NTSTATUS Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!LeaveMappings() || !LeaveCallbacks())
        return STATUS_INSUFFICIENT_RESOURCES;
    DriverObject->DriverUnload = MoreUnload;
    return STATUS_SUCCESS;
}
