/* SPDX-License-Identifier: MIT
 * The devices of a driver, and the file that it came from. */
#include "iop.h"

/* [WDK IoEnumerateDeviceObjectList] Size in bytes. As many as there is room for, each referenced; how many there are; STATUS_BUFFER_TOO_SMALL when
 * that is more. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoEnumerateDeviceObjectList(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *List, ULONG Size,
                                           PULONG Actual)
{
    ULONG Room = List != NULL ? Size / sizeof(*List) : 0, Count = 0;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice, Count++) {
        if (Count >= Room)
            continue;
        ObfReferenceObject(Device);
        List[Count] = Device;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    *Actual = Count;
    return Count <= Room ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

/* [WDK IoQueryFullDriverPath] the caller frees Path->Buffer. STATUS_NOT_FOUND: the driver has no image of its own. IRQL <= APC_LEVEL. */
NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PIM_MODULE Module = IopModule(Driver);
    if (Module == NULL)
        return STATUS_NOT_FOUND;
    PWCH Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Module->FullName.Length + sizeof(WCHAR), IOP_TAG_NAME);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Buffer, Module->FullName.Buffer, Module->FullName.Length);
    *Path =
        (UNICODE_STRING){Module->FullName.Length, Module->FullName.Length + (USHORT)sizeof(WCHAR), Buffer};
    return STATUS_SUCCESS;
}
