/* SPDX-License-Identifier: MIT
 * What file systems ask the I/O manager to check, extended attributes of files, and what a file is called. [WDK IoCheckDesiredAccess,
 * IoCheckFunctionAccess, IoCheckQuerySetFileInformation, IoCheckQuotaBufferValidity, ZwQueryEaFile, ZwSetEaFile, ObQueryNameString] */
#include "ct_irp.h"

static VOID Desired(VOID)
{
    ACCESS_MASK Access = GENERIC_READ;
    CT_SUCCESS(IoCheckDesiredAccess(&Access, FILE_GENERIC_READ));
    CT_EQUAL(Access, FILE_GENERIC_READ);
    CT_STATUS(IoCheckDesiredAccess(&Access, FILE_GENERIC_READ & ~(ULONG)FILE_READ_EA), STATUS_ACCESS_DENIED);
    Access = FILE_WRITE_DATA;
    CT_STATUS(IoCheckDesiredAccess(&Access, FILE_GENERIC_READ), STATUS_ACCESS_DENIED);
    Access = 0;
    CT_SUCCESS(IoCheckDesiredAccess(&Access, 0));
}

static NTSTATUS Check(ACCESS_MASK Granted, UCHAR Major)
{
    return IoCheckFunctionAccess(Granted, Major, 0, 0, NULL, NULL);
}

static VOID Functions(VOID)
{
    FILE_INFORMATION_CLASS Class = FileDispositionInformation, Unknown = (FILE_INFORMATION_CLASS)200;
    FS_INFORMATION_CLASS Volume = FileFsLabelInformation;
    SECURITY_INFORMATION Security = DACL_SECURITY_INFORMATION;
    CT_SUCCESS(Check(FILE_READ_DATA, IRP_MJ_READ));
    CT_STATUS(Check(FILE_WRITE_DATA, IRP_MJ_READ), STATUS_ACCESS_DENIED);
    CT_SUCCESS(Check(FILE_APPEND_DATA, IRP_MJ_WRITE));
    CT_STATUS(Check(FILE_READ_DATA, IRP_MJ_WRITE), STATUS_ACCESS_DENIED);
    CT_SUCCESS(Check(0, IRP_MJ_CLOSE));
    CT_STATUS(Check(FILE_ALL_ACCESS, IRP_MJ_SHUTDOWN), STATUS_INVALID_DEVICE_REQUEST);
    CT_STATUS(Check(FILE_WRITE_EA, IRP_MJ_QUERY_EA), STATUS_ACCESS_DENIED);
    ULONG Code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_WRITE_ACCESS);
    CT_SUCCESS(IoCheckFunctionAccess(FILE_WRITE_DATA, IRP_MJ_DEVICE_CONTROL, 0, Code, NULL, NULL));
    CT_STATUS(IoCheckFunctionAccess(FILE_READ_DATA, IRP_MJ_FILE_SYSTEM_CONTROL, 0, Code, NULL, NULL),
              STATUS_ACCESS_DENIED);
    CT_SUCCESS(IoCheckFunctionAccess(DELETE, IRP_MJ_SET_INFORMATION, 0, 0, &Class, NULL));
    CT_STATUS(IoCheckFunctionAccess(FILE_WRITE_DATA, IRP_MJ_SET_INFORMATION, 0, 0, &Class, NULL),
              STATUS_ACCESS_DENIED);
    CT_STATUS(IoCheckFunctionAccess(DELETE, IRP_MJ_SET_INFORMATION, 0, 0, &Unknown, NULL),
              STATUS_INVALID_INFO_CLASS);
    CT_STATUS(IoCheckFunctionAccess(0, IRP_MJ_SET_VOLUME_INFORMATION, 0, 0, NULL, &Volume),
              STATUS_ACCESS_DENIED);
    CT_SUCCESS(IoCheckFunctionAccess(WRITE_DAC, IRP_MJ_SET_SECURITY, 0, 0, &Security, NULL));
    CT_STATUS(IoCheckFunctionAccess(READ_CONTROL, IRP_MJ_SET_SECURITY, 0, 0, &Security, NULL),
              STATUS_ACCESS_DENIED);
    CT_SUCCESS(IoCheckFunctionAccess(READ_CONTROL, IRP_MJ_QUERY_SECURITY, 0, 0, &Security, NULL));
}

static VOID Classes(VOID)
{
    CT_SUCCESS(IoCheckQuerySetFileInformation(FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FALSE));
    CT_STATUS(IoCheckQuerySetFileInformation(FileBasicInformation, sizeof(FILE_BASIC_INFORMATION) - 1, TRUE),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(IoCheckQuerySetFileInformation(FileStandardInformation, 100, TRUE), STATUS_INVALID_INFO_CLASS);
    CT_STATUS(IoCheckQuerySetFileInformation((FILE_INFORMATION_CLASS)-1, 100, FALSE),
              STATUS_INVALID_INFO_CLASS);
    CT_SUCCESS(
        IoCheckQuerySetVolumeInformation(FileFsSizeInformation, sizeof(FILE_FS_SIZE_INFORMATION), FALSE));
    CT_STATUS(IoCheckQuerySetVolumeInformation(FileFsSizeInformation, 1, FALSE), STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(IoCheckQuerySetVolumeInformation(FileFsSizeInformation, 100, TRUE), STATUS_INVALID_INFO_CLASS);
}

static union {
    FILE_QUOTA_INFORMATION First;
    UCHAR Bytes[256];
} Quotas;

static FILE_QUOTA_INFORMATION *MakeQuota(ULONG Offset, ULONG Next)
{
    FILE_QUOTA_INFORMATION *Entry = (PVOID)(Quotas.Bytes + Offset);
    static const SID System = {SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_LOCAL_SYSTEM_RID}};
    RtlZeroMemory(Entry, sizeof(*Entry));
    Entry->NextEntryOffset = Next;
    Entry->SidLength = sizeof(System);
    Entry->Sid = System;
    return Entry;
}

static VOID Quota(VOID)
{
    ULONG Size = FIELD_OFFSET(FILE_QUOTA_INFORMATION, Sid) + sizeof(SID), Wrong = 77;
    MakeQuota(0, 64);
    FILE_QUOTA_INFORMATION *Second = MakeQuota(64, 0);
    CT_SUCCESS(IoCheckQuotaBufferValidity(&Quotas.First, 64 + Size, &Wrong));
    CT_STATUS(IoCheckQuotaBufferValidity(&Quotas.First, 64 + Size - 1, &Wrong),
              STATUS_QUOTA_LIST_INCONSISTENT);
    CT_EQUAL(Wrong, 64);
    Second->SidLength = sizeof(SID) + 4;
    CT_STATUS(IoCheckQuotaBufferValidity(&Quotas.First, sizeof(Quotas), &Wrong),
              STATUS_QUOTA_LIST_INCONSISTENT);
    CT_EQUAL(Wrong, 64);
    Quotas.First.NextEntryOffset = 60;
    CT_STATUS(IoCheckQuotaBufferValidity(&Quotas.First, sizeof(Quotas), &Wrong),
              STATUS_QUOTA_LIST_INCONSISTENT);
    CT_EQUAL(Wrong, 0);
}

/* --- a device with files that have attributes and names --- */

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\CtCheck");
static PDEVICE_OBJECT Device;
static IO_STACK_LOCATION Seen;
static UCHAR SeenList[64], SeenBuffer[64];
static NTSTATUS NameStatus;
static ULONG NameLength, NameQuestions; /* of the name that the driver tells; L"\\told" if it is 10 */

static NTSTATUS TellName(PIRP Irp, PIO_STACK_LOCATION Location)
{
    FILE_NAME_INFORMATION *Answer = Irp->AssociatedIrp.SystemBuffer;
    ULONG Fixed = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    ULONG Room = Location->Parameters.QueryFile.Length - Fixed, Copied = min(NameLength, Room);
    NameQuestions++;
    CT_CHECK(Location->Parameters.QueryFile.FileInformationClass == FileNameInformation);
    if (!NT_SUCCESS(NameStatus))
        return CtComplete(Irp, NameStatus, 0);
    Answer->FileNameLength = NameLength;
    for (ULONG i = 0; i < Copied / sizeof(WCHAR); i++)
        Answer->FileName[i] = NameLength == 10 ? L"\\told"[i] : L'n';
    return CtComplete(Irp, Copied < NameLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS, Fixed + Copied);
}

static union {
    OBJECT_NAME_INFORMATION Name;
    UCHAR Bytes[4096];
} Object;

/* As a filter that logs does, in the middle of a synchronous file's request: it does not wait for that. */
static NTSTATUS AskOwnName(PIRP Irp, PFILE_OBJECT File)
{
    ULONG Needed;
    return CtComplete(Irp, ObQueryNameString(File, &Object.Name, sizeof(Object), &Needed), 0);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        CT_CHECK(Irp->UserIosb != NULL);
        return CtComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_READ:
        return AskOwnName(Irp, Location->FileObject);
    case IRP_MJ_QUERY_INFORMATION:
        return TellName(Irp, Location);
    case IRP_MJ_QUERY_EA:
        Seen = *Location;
        if (Seen.Parameters.QueryEa.EaList != NULL)
            RtlCopyMemory(SeenList, Seen.Parameters.QueryEa.EaList, Seen.Parameters.QueryEa.EaListLength);
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, 4, 0x77);
        return CtComplete(Irp, STATUS_SUCCESS, 4);
    case IRP_MJ_SET_EA:
        Seen = *Location;
        RtlCopyMemory(SeenBuffer, Irp->AssociatedIrp.SystemBuffer, Seen.Parameters.SetEa.Length);
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    default:
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    }
}

static BOOLEAN Prepare(VOID)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return FALSE;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return TRUE;
}

static NTSTATUS OpenFile(PHANDLE Handle)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\Device\\CtCheck\\opened");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwOpenFile(Handle, FILE_ALL_ACCESS, &Attributes, &Iosb, FILE_SHARE_READ,
                      FILE_SYNCHRONOUS_IO_NONALERT);
}

static VOID Attributes(VOID)
{
    union {
        FILE_FULL_EA_INFORMATION Ea;
        UCHAR Bytes[16];
    } List = {.Ea = {.EaNameLength = 1, .EaValueLength = 2}};
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    UCHAR Answer[32] = {0};
    ULONG Index = 3;
    List.Ea.EaName[0] = 'A';
    CT_REQUIRE(Prepare());
    CT_REQUIRE(CT_SUCCESS(OpenFile(&Handle)));
    /* two names, of which the second's entry begins at a multiple of 4 */
    static UCHAR Names[] = {8, 0, 0, 0, 1, 'A', 0, 0, 0, 0, 0, 0, 2, 'B', 'C', 0};
    CT_SUCCESS(
        ZwQueryEaFile(Handle, &Iosb, Answer, sizeof(Answer), TRUE, Names, sizeof(Names), &Index, TRUE));
    CT_CHECK(Iosb.Information == 4 && Answer[3] == 0x77 && Answer[4] == 0);
    CT_CHECK(Seen.Flags == (SL_RESTART_SCAN | SL_RETURN_SINGLE_ENTRY | SL_INDEX_SPECIFIED));
    CT_CHECK(Seen.Parameters.QueryEa.Length == sizeof(Answer) && Seen.Parameters.QueryEa.EaIndex == 3);
    CT_CHECK(Seen.Parameters.QueryEa.EaListLength == sizeof(Names) &&
             RtlCompareMemory(SeenList, Names, sizeof(Names)) == sizeof(Names));
    Seen.MajorFunction = 0;
    CT_STATUS(
        ZwQueryEaFile(Handle, &Iosb, Answer, sizeof(Answer), TRUE, Names, sizeof(Names) - 1, NULL, TRUE),
        STATUS_EA_LIST_INCONSISTENT); /* the second name does not end */
    CT_CHECK(Iosb.Status == STATUS_EA_LIST_INCONSISTENT && Iosb.Information == 8 && Seen.MajorFunction == 0);
    Names[0] = 7;
    CT_STATUS(ZwQueryEaFile(Handle, &Iosb, Answer, sizeof(Answer), TRUE, Names, sizeof(Names), NULL, TRUE),
              STATUS_EA_LIST_INCONSISTENT);
    CT_EQUAL(Iosb.Information, 0);
    CT_SUCCESS(ZwQueryEaFile(Handle, &Iosb, Answer, sizeof(Answer), FALSE, NULL, 0, NULL, FALSE));
    CT_CHECK(Seen.Flags == 0 && Seen.Parameters.QueryEa.EaList == NULL);
    CT_SUCCESS(ZwSetEaFile(Handle, &Iosb, &List, sizeof(List)));
    CT_CHECK(Seen.Parameters.SetEa.Length == sizeof(List) &&
             RtlCompareMemory(SeenBuffer, &List, sizeof(List)) == sizeof(List));
    List.Ea.EaName[1] = 'x'; /* the name does not end */
    Seen.MajorFunction = 0;
    CT_STATUS(ZwSetEaFile(Handle, &Iosb, &List, sizeof(List)), STATUS_EA_LIST_INCONSISTENT);
    CT_CHECK(Iosb.Status == STATUS_EA_LIST_INCONSISTENT && Iosb.Information == 0 && Seen.MajorFunction == 0);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

static BOOLEAN IsCalled(PCWSTR Text)
{
    UNICODE_STRING Expected;
    RtlInitUnicodeString(&Expected, Text);
    return RtlEqualUnicodeString(&Object.Name.Name, &Expected, FALSE);
}

static NTSTATUS AskName(HANDLE Handle, ULONG Length, PULONG Needed)
{
    return ZwQueryObject(Handle, (OBJECT_INFORMATION_CLASS)1, &Object, Length, Needed);
}

/* [Wine's test_object_info, kept true on Windows] what fits of a name that is too long. */
static VOID CheckShort(HANDLE Handle)
{
    ULONG Whole = sizeof(OBJECT_NAME_INFORMATION) + DeviceName.Length + 10 + sizeof(WCHAR), Needed = 0;
    CT_STATUS(AskName(Handle, Whole - 2, &Needed), STATUS_BUFFER_OVERFLOW);
    CT_CHECK(Needed == Whole && IsCalled(L"\\Device\\CtCheck\\tol"));
    CT_STATUS(AskName(Handle, sizeof(OBJECT_NAME_INFORMATION), &Needed), STATUS_BUFFER_OVERFLOW);
    CT_CHECK(Needed == Whole && Object.Name.Name.Length == 0);
    CT_STATUS(AskName(Handle, sizeof(OBJECT_NAME_INFORMATION) - 1, &Needed), STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Needed, Whole);
}

/* Its driver says what a file is called. */
static VOID FileNames(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    UCHAR Byte[1];
    ULONG Needed = 0;
    CT_REQUIRE(Prepare());
    NameStatus = STATUS_SUCCESS;
    NameLength = 10;
    NameQuestions = 0;
    CT_REQUIRE(CT_SUCCESS(OpenFile(&Handle)));
    CT_SUCCESS(AskName(Handle, sizeof(Object), &Needed));
    CT_CHECK(IsCalled(L"\\Device\\CtCheck\\told") && NameQuestions == 1);
    CheckShort(Handle);
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Byte, sizeof(Byte), NULL, NULL));
    CT_CHECK(IsCalled(L"\\Device\\CtCheck\\told"));
    NameLength = 1200; /* asked for once more, with more room */
    NameQuestions = 0;
    CT_SUCCESS(AskName(Handle, sizeof(Object), &Needed));
    CT_CHECK(Object.Name.Name.Length == DeviceName.Length + 1200 && NameQuestions == 2);
    NameLength = 0x20000; /* no string has such a name */
    CT_STATUS(AskName(Handle, sizeof(Object), &Needed), STATUS_NAME_TOO_LONG);
    NameStatus = STATUS_NOT_IMPLEMENTED;
    CT_SUCCESS(AskName(Handle, sizeof(Object), &Needed));
    CT_CHECK(IsCalled(L"\\Device\\CtCheck"));
    NameStatus = STATUS_UNSUCCESSFUL;
    CT_STATUS(AskName(Handle, sizeof(Object), &Needed), STATUS_UNSUCCESSFUL);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {
    {"io_check.desired", Desired}, {"io_check.function", Functions}, {"io_check.classes", Classes},
    {"io_check.quota", Quota},     {"io_check.ea", Attributes},      {"io_check.names", FileNames},
};
CT_DRIVER(Cases)
