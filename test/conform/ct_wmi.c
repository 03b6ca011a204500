/* SPDX-License-Identifier: MIT
 * A device as WMI provider, and the header of a dump file. [WDK IoWMIRegistrationControl, IRP_MN_REGINFO, IRP_MN_REGINFO_EX, IoWMIWriteEvent,
 * IoWMIAllocateInstanceIds, KeInitializeCrashDumpHeader] */
#include "ct_irp.h"
#include <wmistr.h>

static PDEVICE_OBJECT Device, Instance;
static KEVENT Asked;
static ULONG Extended, Plain, Updates, TooSmall;
static BOOLEAN OnlyPlain, WantsRoom;
static LARGE_INTEGER Patience = {.QuadPart = -10 * 10000000LL};

/* 400 GUIDs do not fit the first buffer. */
static ULONG Fill(WMIREGINFOW *Info, ULONG Size, BOOLEAN References)
{
    ULONG Count = WantsRoom ? 400 : 1;
    ULONG Needed = (ULONG)FIELD_OFFSET(WMIREGINFOW, WmiRegGuid) + Count * (ULONG)sizeof(WMIREGGUIDW);
    if (Size < Needed) {
        TooSmall++;
        *(ULONG *)Info = Needed;
        return 0;
    }
    Info->BufferSize = Needed;
    Info->GuidCount = Count;
    Info->WmiRegGuid[0].Guid.Data1 = 0x4E544258;
    Info->WmiRegGuid[0].Flags = References ? WMIREG_FLAG_INSTANCE_PDO : 0;
    Info->WmiRegGuid[0].InstanceCount = 1;
    Info->WmiRegGuid[0].Pdo = References ? (ULONG_PTR)Instance : 0;
    if (References)
        ObReferenceObject(Instance);
    return Needed;
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Ex = Location->MinorFunction == IRP_MN_REGINFO_EX;
    CT_CHECK(Location->Parameters.WMI.ProviderId == (ULONG_PTR)DeviceObject);
    CT_STATUS(Irp->IoStatus.Status, STATUS_NOT_SUPPORTED);
    CT_CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && Location->Parameters.WMI.Buffer != NULL);
    if (Ex && OnlyPlain) {
        Extended++;
        return CtComplete(Irp, Irp->IoStatus.Status, 0);
    }
    ULONG Used = Fill(Location->Parameters.WMI.Buffer, Location->Parameters.WMI.BufferSize, Ex);
    if (Used == 0)
        return CtComplete(Irp, STATUS_BUFFER_TOO_SMALL, sizeof(ULONG));
    Extended += Ex;
    Plain += !Ex;
    Updates += (ULONG_PTR)Location->Parameters.WMI.DataPath == WMIUPDATE;
    NTSTATUS Status = CtComplete(Irp, STATUS_SUCCESS, Used);
    KeSetEvent(&Asked, IO_NO_INCREMENT, FALSE);
    return Status;
}

static BOOLEAN Prepare(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    KeInitializeEvent(&Asked, SynchronizationEvent, FALSE);
    Extended = Plain = Updates = TooSmall = 0;
    OnlyPlain = WantsRoom = FALSE;
    return CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)) &&
           CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Instance));
}

static VOID Finish(VOID)
{
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_DEREGISTER));
    CT_STATUS(IoWMIRegistrationControl(Device, WMIREG_ACTION_DEREGISTER), STATUS_INVALID_PARAMETER);
    IoDeleteDevice(Device);
    IoDeleteDevice(Instance);
}

/* The device is asked for its blocks after it has registered, and again when it says that they have changed. */
static VOID Register(VOID)
{
    CT_REQUIRE(Prepare());
    CT_EQUAL(IoWMIDeviceObjectToProviderId(Device), 0);
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_REGISTER));
    CT_STATUS(IoWMIRegistrationControl(Device, WMIREG_ACTION_REGISTER), STATUS_OBJECT_NAME_EXISTS);
    CT_CHECK(IoWMIDeviceObjectToProviderId(Device) != 0);
    CT_SUCCESS(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, &Patience));
    CT_CHECK(Extended == 1 && Plain == 0 && Updates == 0);
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_UPDATE_GUIDS));
    CT_SUCCESS(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, &Patience));
    CT_CHECK(Extended == 2 && Updates == 1);
    CT_STATUS(IoWMIRegistrationControl(Device, 77), STATUS_INVALID_PARAMETER);
    Finish();
}

/* Drivers that know only the older request, and those whose answer is long. */
static VOID Answers(VOID)
{
    CT_REQUIRE(Prepare());
    OnlyPlain = TRUE;
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_REGISTER));
    CT_SUCCESS(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, &Patience));
    CT_CHECK(Extended == 1 && Plain == 1);
    OnlyPlain = FALSE;
    WantsRoom = TRUE;
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_REREGISTER));
    CT_SUCCESS(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, &Patience));
    CT_CHECK(TooSmall == 1 && Extended == 2);
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_BLOCK_IRPS));
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_UPDATE_GUIDS));
    Finish(); /* nothing is under way afterwards */
    CT_EQUAL(Extended, 2);
}

/* With success the block is WMI's. */
static VOID Event(VOID)
{
    WNODE_EVENT_ITEM *Item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Item), 'imWC');
    CT_REQUIRE(Item != NULL);
    Item->WnodeHeader.BufferSize = sizeof(*Item);
    CT_STATUS(IoWMIWriteEvent(Item), STATUS_INVALID_PARAMETER);
    Item->WnodeHeader.Flags = WNODE_FLAG_EVENT_ITEM;
    CT_SUCCESS(IoWMIWriteEvent(Item));
}

static VOID Identifiers(VOID)
{
    GUID Guid; /* nobody has asked for it before, in an earlier round either */
    ULONG First = 99, Second = 99, Other = 99;
    CT_CHECK(NT_SUCCESS(ExUuidCreate(&Guid)));
    CT_SUCCESS(IoWMIAllocateInstanceIds(&Guid, 3, &First));
    CT_SUCCESS(IoWMIAllocateInstanceIds(&Guid, 1, &Second));
    CT_EQUAL(Second, First + 3);
    CT_EQUAL(First, 0);
    CT_CHECK(NT_SUCCESS(ExUuidCreate(&Guid)));
    CT_SUCCESS(IoWMIAllocateInstanceIds(&Guid, 1, &Other));
    CT_EQUAL(Other, 0);
}

/* Offsets as readers of full dumps of 64-bit systems have them. */
static VOID DumpHeader(VOID)
{
    ULONG Needed = 0;
    UCHAR *Header;
    CT_STATUS(KeInitializeCrashDumpHeader(2, 0, NULL, 0, &Needed), STATUS_INVALID_PARAMETER);
    CT_STATUS(KeInitializeCrashDumpHeader(DUMP_TYPE_FULL, 1, NULL, 0, &Needed), STATUS_INVALID_PARAMETER);
    CT_CHECK(!NT_SUCCESS(KeInitializeCrashDumpHeader(DUMP_TYPE_FULL, 0, NULL, 0, &Needed)));
    CT_EQUAL(Needed, 0x2000);
    Header = ExAllocatePool2(POOL_FLAG_NON_PAGED, Needed, 'pmuD');
    CT_REQUIRE(Header != NULL);
    CT_SUCCESS(KeInitializeCrashDumpHeader(DUMP_TYPE_FULL, 0, Header, Needed, NULL));
    CT_CHECK(RtlCompareMemory(Header, "PAGEDU64", 8) == 8);
    CT_EQUAL(*(ULONG *)(Header + 0x08), 15);
    CT_EQUAL(*(ULONG *)(Header + 0x0c), 19045);
    CT_CHECK(*(ULONG64 *)(Header + 0x10) != 0 && *(ULONG64 *)(Header + 0x10) % PAGE_SIZE == 0);
    CT_EQUAL(*(ULONG *)(Header + 0x30), 0x8664);
    CT_EQUAL(*(ULONG *)(Header + 0x34), KeQueryActiveProcessorCount(NULL));
    CT_CHECK(RtlCompareMemory(*(UCHAR **)(Header + 0x80) + 0x10, "KDBG", 4) == 4);
    CT_EQUAL(*(ULONG *)(Header + 0xf98), DUMP_TYPE_FULL);
    ULONG64 Pages = 0, *Run = (ULONG64 *)(Header + 0x98);
    for (ULONG i = 0; i < *(ULONG *)(Header + 0x88); i++, Run += 2)
        Pages += Run[1];
    CT_CHECK(Pages != 0 && Pages == *(ULONG64 *)(Header + 0x90));
    CT_EQUAL(*(ULONG64 *)(Header + 0xfa0), 0x2000 + Pages * PAGE_SIZE);
    ExFreePool(Header);
}

static const CT_CASE Cases[] = {
    {"wmi.register", Register},       {"wmi.answers", Answers},        {"wmi.event", Event},
    {"wmi.identifiers", Identifiers}, {"wmi.dump_header", DumpHeader},
};
CT_DRIVER(Cases)
