/* SPDX-License-Identifier: MIT
 * Extra create parameters, and opens that begin below a filter. [WDK FsRtlAllocateExtraCreateParameterList and its kin, IoCreateFileEx,
 * IoCreateFileSpecifyDeviceObjectHint] */
#include "ct_irp.h"

static const GUID GuidA = {0x4E544258, 2, 1, {1}}, GuidB = {0x4E544258, 2, 2, {1}},
                  GuidC = {0x4E544258, 2, 3, {1}};
static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtEcp"),
                      FileName = RTL_CONSTANT_STRING(L"\\Device\\CtEcp\\file");
static PDEVICE_OBJECT Device, Filter, Foreign, Lower;
static ULONG Cleanups, Creates, Filtered, SeenValue;
static BOOLEAN FilterAdds, FilterSaw;
static GUID LastType;

static VOID CleanUp(PVOID Context, LPCGUID Type)
{
    CT_CHECK(KeGetCurrentIrql() <= APC_LEVEL && Context != NULL);
    Cleanups++;
    LastType = *Type;
}

static BOOLEAN SameGuid(const GUID *A, const GUID *B)
{
    return RtlCompareMemory(A, B, sizeof(*A)) == sizeof(*A);
}

static PVOID MakeEcp(const GUID *Type, ULONG Value)
{
    PVOID Context = NULL;
    CT_SUCCESS(FsRtlAllocateExtraCreateParameter(Type, sizeof(ULONG), 0, CleanUp, 'pcEC', &Context));
    if (Context != NULL)
        *(ULONG *)Context = Value;
    return Context;
}

static PECP_LIST MakeList(const GUID *Type, ULONG Value)
{
    PECP_LIST List = NULL;
    CT_SUCCESS(FsRtlAllocateExtraCreateParameterList(0, &List));
    CT_SUCCESS(FsRtlInsertExtraCreateParameter(List, MakeEcp(Type, Value)));
    return List;
}

/* --- lists --- */

static VOID WalkList(PECP_LIST List, PVOID First, PVOID Second)
{
    PVOID Found = NULL;
    ULONG Size = 0;
    GUID Type;
    CT_SUCCESS(FsRtlGetNextExtraCreateParameter(List, NULL, &Type, &Found, &Size));
    CT_CHECK(Found == First && Size == sizeof(ULONG) && SameGuid(&Type, &GuidA));
    CT_SUCCESS(FsRtlGetNextExtraCreateParameter(List, First, &Type, &Found, NULL));
    CT_CHECK(Found == Second && SameGuid(&Type, &GuidB));
    CT_STATUS(FsRtlGetNextExtraCreateParameter(List, Second, NULL, &Found, NULL), STATUS_NOT_FOUND);
    CT_CHECK(Found == NULL);
}

static VOID Lists(VOID)
{
    PVOID A = MakeEcp(&GuidA, 1), B = MakeEcp(&GuidB, 2), Again = MakeEcp(&GuidA, 3), Found = A;
    PECP_LIST List;
    ULONG Size = 0;
    Cleanups = 0;
    CT_SUCCESS(FsRtlAllocateExtraCreateParameterList(0, &List));
    CT_REQUIRE(List != NULL && A != NULL && B != NULL && Again != NULL);
    CT_STATUS(FsRtlFindExtraCreateParameter(List, &GuidA, &Found, NULL), STATUS_NOT_FOUND);
    CT_CHECK(Found == NULL);
    CT_SUCCESS(FsRtlInsertExtraCreateParameter(List, A));
    CT_SUCCESS(FsRtlInsertExtraCreateParameter(List, B));
    CT_STATUS(FsRtlInsertExtraCreateParameter(List, Again), STATUS_INVALID_PARAMETER); /* one of each type */
    CT_SUCCESS(FsRtlFindExtraCreateParameter(List, &GuidB, &Found, &Size));
    CT_CHECK(Found == B && Size == sizeof(ULONG) && *(ULONG *)B == 2);
    CT_SUCCESS(FsRtlFindExtraCreateParameter(List, &GuidA, NULL, NULL));
    WalkList(List, A, B);
    CT_SUCCESS(FsRtlRemoveExtraCreateParameter(List, &GuidA, &Found, &Size));
    CT_CHECK(Found == A);
    CT_STATUS(FsRtlRemoveExtraCreateParameter(List, &GuidA, &Found, NULL), STATUS_NOT_FOUND);
    CT_SUCCESS(FsRtlInsertExtraCreateParameter(List, Again));
    FsRtlFreeExtraCreateParameter(A);
    CT_CHECK(Cleanups == 1 && SameGuid(&LastType, &GuidA));
    FsRtlFreeExtraCreateParameterList(List); /* and the two that are in it */
    CT_EQUAL(Cleanups, 3);
}

static VOID FromLookaside(FSRTL_ECP_LOOKASIDE_FLAGS Flags)
{
    static union {
        NPAGED_LOOKASIDE_LIST NonPaged;
        PAGED_LOOKASIDE_LIST Paged;
    } Lookaside;
    PVOID Fits = NULL, Long = NULL;
    Cleanups = 0;
    FsRtlInitExtraCreateParameterLookasideList(&Lookaside, Flags, 32, 'pcEC');
    CT_SUCCESS(FsRtlAllocateExtraCreateParameterFromLookasideList(&GuidA, 32, 0, CleanUp, &Lookaside, &Fits));
    CT_SUCCESS(FsRtlAllocateExtraCreateParameterFromLookasideList(&GuidB, 64, 0, CleanUp, &Lookaside, &Long));
    CT_REQUIRE(Fits != NULL && Long != NULL);
    RtlFillMemory(Fits, 32, 0x55);
    RtlFillMemory(Long, 64, 0x66);
    FsRtlFreeExtraCreateParameter(Fits);
    FsRtlFreeExtraCreateParameter(Long);
    CT_EQUAL(Cleanups, 2);
    FsRtlDeleteExtraCreateParameterLookasideList(&Lookaside, Flags);
}

static VOID Lookasides(VOID)
{
    FromLookaside(0);
    FromLookaside(FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL);
}

/* --- opens --- */

static VOID SeeList(PIRP Irp)
{
    PECP_LIST List = NULL;
    PVOID Context = NULL;
    Creates++;
    CT_SUCCESS(FsRtlGetEcpListFromIrp(Irp, &List));
    SeenValue = 0;
    if (List == NULL || !NT_SUCCESS(FsRtlFindExtraCreateParameter(List, &GuidA, &Context, NULL)))
        return;
    SeenValue = *(ULONG *)Context;
    CT_CHECK(!FsRtlIsEcpFromUserMode(Context) && !FsRtlIsEcpAcknowledged(Context));
    FsRtlAcknowledgeEcp(Context);
}

static VOID FilterCreate(PIRP Irp)
{
    PECP_LIST List = NULL;
    CT_SUCCESS(FsRtlGetEcpListFromIrp(Irp, &List));
    FilterSaw = List != NULL;
    if (!FilterAdds)
        return;
    PECP_LIST Mine = MakeList(&GuidA, 77);
    if (List == NULL)
        CT_SUCCESS(FsRtlSetEcpListIntoIrp(Irp, Mine)); /* freed when the open is done */
    else
        CT_SUCCESS(FsRtlInsertExtraCreateParameter(List, MakeEcp(&GuidC, 5)));
    PECP_LIST Other = List == NULL ? MakeList(&GuidB, 1) : Mine;
    CT_STATUS(FsRtlSetEcpListIntoIrp(Irp, Other), STATUS_INVALID_PARAMETER_3);
    FsRtlFreeExtraCreateParameterList(Other);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Create = Location->MajorFunction == IRP_MJ_CREATE;
    PECP_LIST List = NULL;
    if (!Create) {
        CT_STATUS(FsRtlGetEcpListFromIrp(Irp, &List), STATUS_INVALID_PARAMETER);
        CT_STATUS(FsRtlSetEcpListIntoIrp(Irp, NULL), STATUS_INVALID_PARAMETER_2);
    }
    if (DeviceObject == Filter) {
        Filtered++;
        if (Create)
            FilterCreate(Irp);
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Lower, Irp);
    }
    if (Create)
        SeeList(Irp);
    return CtComplete(Irp, STATUS_SUCCESS, Create ? FILE_OPENED : 0);
}

static BOOLEAN Prepare(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    CtDriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = Dispatch;
    Cleanups = Creates = Filtered = 0;
    FilterAdds = FALSE;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)) ||
        !CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Filter)) ||
        !CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Foreign)))
        return FALSE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    Lower = IoAttachDeviceToDeviceStack(Filter, Device);
    Filter->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return CT_CHECK(Lower == Device);
}

static VOID Finish(VOID)
{
    IoDetachDevice(Device);
    IoDeleteDevice(Filter);
    IoDeleteDevice(Device);
    IoDeleteDevice(Foreign);
}

static NTSTATUS OpenWith(PIO_DRIVER_CREATE_CONTEXT Context, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &FileName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return IoCreateFileEx(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
                          FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL, 0, Context);
}

/* Drivers of the stack find the list and say that they use a parameter; whoever opens frees his list. */
static VOID Opens(VOID)
{
    IO_DRIVER_CREATE_CONTEXT Context;
    HANDLE Handle;
    PVOID Found = NULL;
    CT_REQUIRE(Prepare());
    IoInitializeDriverCreateContext(&Context);
    Context.ExtraCreateParameter = MakeList(&GuidA, 42);
    CT_REQUIRE(CT_SUCCESS(OpenWith(&Context, &Handle)));
    CT_CHECK(SeenValue == 42 && FilterSaw && Creates == 1);
    CT_SUCCESS(FsRtlFindExtraCreateParameter(Context.ExtraCreateParameter, &GuidA, &Found, NULL));
    CT_CHECK(Found != NULL && FsRtlIsEcpAcknowledged(Found));
    ZwClose(Handle);
    CT_EQUAL(Cleanups, 0);
    FilterAdds = TRUE; /* to the list that is there */
    FsRtlRemoveExtraCreateParameter(Context.ExtraCreateParameter, &GuidA, &Found, NULL);
    FsRtlFreeExtraCreateParameter(Found);
    CT_REQUIRE(CT_SUCCESS(OpenWith(&Context, &Handle)));
    ZwClose(Handle);
    CT_SUCCESS(FsRtlFindExtraCreateParameter(Context.ExtraCreateParameter, &GuidC, &Found, NULL));
    FsRtlFreeExtraCreateParameterList(Context.ExtraCreateParameter);
    Cleanups = 0;
    CT_REQUIRE(CT_SUCCESS(OpenWith(NULL, &Handle))); /* the filter's own list */
    CT_CHECK(SeenValue == 77 && !FilterSaw);
    CT_EQUAL(Cleanups, 2); /* its own, and the one that it could not attach */
    ZwClose(Handle);
    Context.Size = 4;
    CT_STATUS(OpenWith(&Context, &Handle), STATUS_INVALID_PARAMETER);
    Finish();
}

static NTSTATUS OpenBelow(PDEVICE_OBJECT Hint, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &FileName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return IoCreateFileSpecifyDeviceObjectHint(Handle, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb,
                                               NULL, 0, 0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0,
                                               CreateFileTypeNone, NULL, 0, Hint);
}

/* The filter sees neither the open nor what follows on that handle. */
static VOID Hints(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    PFILE_OBJECT File = NULL;
    CT_REQUIRE(Prepare());
    CT_REQUIRE(CT_SUCCESS(OpenBelow(Device, &Handle)));
    CT_CHECK(Creates == 1 && Filtered == 0);
    CT_SUCCESS(ZwFlushBuffersFile(Handle, &Iosb));
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    CT_CHECK(IoGetRelatedDeviceObject(File) == Device);
    ObDereferenceObject(File);
    ZwClose(Handle);
    CT_EQUAL(Filtered, 0);
    CT_REQUIRE(CT_SUCCESS(OpenBelow(Filter, &Handle)));
    ZwClose(Handle);
    CT_EQUAL(Filtered, 3); /* create, cleanup, close */
    CT_REQUIRE(CT_SUCCESS(OpenBelow(NULL, &Handle)));
    ZwClose(Handle);
    CT_EQUAL(Filtered, 6);
    CT_STATUS(OpenBelow(Foreign, &Handle), STATUS_INVALID_DEVICE_OBJECT_PARAMETER);
    CT_EQUAL(Creates, 3);
    Finish();
}

static const CT_CASE Cases[] = {
    {"ecp.list", Lists},
    {"ecp.lookaside", Lookasides},
    {"ecp.open", Opens},
    {"ecp.hint", Hints},
};
CT_DRIVER(Cases)
