/* SPDX-License-Identifier: MIT
 * ZwQueryVolumeInformationFile and ZwSetVolumeInformationFile. What kind of device it is the I/O manager knows, the rest the file system. */
#include "iop.h"
#include "mm_caller.h"

typedef struct _IOP_VOLUME_CLASS {
    FS_INFORMATION_CLASS Class;
    ULONG Query, Set; /* least length; 0: it cannot be */
    ACCESS_MASK QueryAccess, SetAccess;
} IOP_VOLUME_CLASS;

/* [WDK ZwQueryVolumeInformationFile] [WDK ZwSetVolumeInformationFile] */
static const IOP_VOLUME_CLASS IopVolumeClasses[] = {
    {FileFsVolumeInformation, sizeof(FILE_FS_VOLUME_INFORMATION), 0, 0, 0},
    {FileFsLabelInformation, 0, sizeof(FILE_FS_LABEL_INFORMATION), 0, FILE_WRITE_DATA},
    {FileFsSizeInformation, sizeof(FILE_FS_SIZE_INFORMATION), 0, 0, 0},
    {FileFsDeviceInformation, sizeof(FILE_FS_DEVICE_INFORMATION), 0, 0, 0},
    {FileFsAttributeInformation, sizeof(FILE_FS_ATTRIBUTE_INFORMATION), 0, 0, 0},
    {FileFsControlInformation, sizeof(FILE_FS_CONTROL_INFORMATION), sizeof(FILE_FS_CONTROL_INFORMATION),
     FILE_READ_DATA, FILE_WRITE_DATA},
    {FileFsFullSizeInformation, sizeof(FILE_FS_FULL_SIZE_INFORMATION), 0, 0, 0},
    {FileFsObjectIdInformation, sizeof(FILE_FS_OBJECTID_INFORMATION), sizeof(FILE_FS_OBJECTID_INFORMATION), 0,
     FILE_WRITE_DATA},
};

static NTSTATUS IopCheckVolumeClass(FS_INFORMATION_CLASS Class, BOOLEAN Set, ULONG Length,
                                    const IOP_VOLUME_CLASS **Known)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(IopVolumeClasses); I++) {
        ULONG Least = Set ? IopVolumeClasses[I].Set : IopVolumeClasses[I].Query;
        *Known = &IopVolumeClasses[I];
        if (IopVolumeClasses[I].Class == Class && Least != 0)
            return Length >= Least ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* [WDK IoCheckQuerySetVolumeInformation] */
NTSTATUS NTAPI IoCheckQuerySetVolumeInformation(FS_INFORMATION_CLASS FsInformationClass, ULONG Length,
                                                BOOLEAN SetOperation)
{
    const IOP_VOLUME_CLASS *Known;
    return IopCheckVolumeClass(FsInformationClass, SetOperation, Length, &Known);
}

ACCESS_MASK IopAccessOfVolumeClass(FS_INFORMATION_CLASS Class, BOOLEAN Set)
{
    const IOP_VOLUME_CLASS *Known;
    if (!NT_SUCCESS(IopCheckVolumeClass(Class, Set, MAXULONG, &Known)))
        return IOP_NO_SUCH_CLASS;
    return Set ? Known->SetAccess : Known->QueryAccess;
}

/* [WDK FILE_FS_DEVICE_INFORMATION] of the device that was opened, not of the file system's. */
static NTSTATUS IopAnswerDevice(IOP_REQUEST *Request, PVOID Buffer)
{
    PDEVICE_OBJECT Device = Request->File->DeviceObject;
    FILE_FS_DEVICE_INFORMATION Answer = {Device->DeviceType, Device->Characteristics};
    if (Request->File->Vpb != NULL)
        Answer.Characteristics |= FILE_DEVICE_IS_MOUNTED;
    return IopAnswerRequest(Request, IopWriteRequestor(Buffer, &Answer, sizeof(Answer), Request->Mode),
                            sizeof(Answer));
}

static NTSTATUS IopAskVolume(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, BOOLEAN Set)
{
    NTSTATUS Status = IopUseSystemBuffer(Request, Buffer, Length, Set);
    return NT_SUCCESS(Status) ? IopSendRequest(Request, TRUE) : Status;
}

static NTSTATUS IopQueryVolume(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                               FS_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_VOLUME_CLASS *Known;
    NTSTATUS Status = IopCheckVolumeClass(Class, FALSE, Length, &Known);
    if (NT_SUCCESS(Status))
        Status = MmProbeCallerOutput(Buffer, Length, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    const IOP_CALLER Caller = {.File = File, .Access = Known->QueryAccess, .Iosb = Iosb, .Mode = Mode};
    Status = IopBeginRequest(&Request, &Caller, IRP_MJ_QUERY_VOLUME_INFORMATION);
    if (Status != STATUS_SUCCESS)
        return Status;
    if (Class == FileFsDeviceInformation)
        return IopAnswerDevice(&Request, Buffer);
    if (Request.File->Flags &
        FO_DIRECT_DEVICE_OPEN) { /* [Wine's test_object_info, kept true on Windows] no volume was opened */
        IopAbandonRequest(&Request);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    Request.Stack->Parameters.QueryVolume.Length = Length;
    Request.Stack->Parameters.QueryVolume.FsInformationClass = Class;
    return IopAskVolume(&Request, Buffer, Length, FALSE);
}

NTSTATUS NTAPI ZwQueryVolumeInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                            FS_INFORMATION_CLASS Class)
{
    return IopQueryVolume(File, Iosb, Buffer, Length, Class, KernelMode);
}

NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                            FS_INFORMATION_CLASS Class)
{
    return IopQueryVolume(File, Iosb, Buffer, Length, Class, ExGetPreviousMode());
}

static NTSTATUS IopSetVolume(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                             FS_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_VOLUME_CLASS *Known;
    NTSTATUS Status = IopCheckVolumeClass(Class, TRUE, Length, &Known);
    if (!NT_SUCCESS(Status))
        return Status;
    const IOP_CALLER Caller = {.File = File, .Access = Known->SetAccess, .Iosb = Iosb, .Mode = Mode};
    Status = IopBeginRequest(&Request, &Caller, IRP_MJ_SET_VOLUME_INFORMATION);
    if (Status != STATUS_SUCCESS)
        return Status;
    Request.Stack->Parameters.SetVolume.Length = Length;
    Request.Stack->Parameters.SetVolume.FsInformationClass = Class;
    return IopAskVolume(&Request, Buffer, Length, TRUE);
}

NTSTATUS NTAPI ZwSetVolumeInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                          FS_INFORMATION_CLASS Class)
{
    return IopSetVolume(File, Iosb, Buffer, Length, Class, KernelMode);
}

NTSTATUS NTAPI NtSetVolumeInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                          FS_INFORMATION_CLASS Class)
{
    return IopSetVolume(File, Iosb, Buffer, Length, Class, ExGetPreviousMode());
}
