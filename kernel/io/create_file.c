/* SPDX-License-Identifier: MIT
 * IoCreateFile, ZwCreateFile, ZwOpenFile, and what user mode calls. */
#include "iop.h"
#include "mm_caller.h"

static BOOLEAN IopDirectoryOptionsAreValid(const IOP_OPEN *Open)
{
    if (!(Open->CreateOptions & FILE_DIRECTORY_FILE))
        return TRUE;
    if (Open->CreateOptions & FILE_NON_DIRECTORY_FILE)
        return FALSE;
    return Open->Disposition == FILE_CREATE || Open->Disposition == FILE_OPEN ||
           Open->Disposition == FILE_OPEN_IF;
}

/* [WDK ZwCreateFile] which values and combinations are valid. */
static BOOLEAN IopOpenIsValid(const IOP_OPEN *Open)
{
    ULONG Options = Open->CreateOptions;
    ULONG Synchronous = Options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);
    if (Open->Disposition > FILE_MAXIMUM_DISPOSITION || (Options & ~FILE_VALID_OPTION_FLAGS) != 0)
        return FALSE;
    if (Open->AllocationSize.QuadPart < 0)
        return FALSE;
    if (Synchronous == (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT))
        return FALSE;
    if (Synchronous != 0 && !(Open->DesiredAccess & (SYNCHRONIZE | GENERIC_ALL | GENERIC_READ |
                                                     GENERIC_WRITE | GENERIC_EXECUTE | MAXIMUM_ALLOWED)))
        return FALSE;
    if ((Options & FILE_DELETE_ON_CLOSE) && !(Open->DesiredAccess & (DELETE | GENERIC_ALL | MAXIMUM_ALLOWED)))
        return FALSE;
    return IopDirectoryOptionsAreValid(Open);
}

/* The variables of a call, before anything is opened. */
static NTSTATUS IopProbeCreate(PHANDLE Handle, PIO_STATUS_BLOCK Iosb, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = MmProbeCallerOutput(Handle, sizeof(*Handle), Mode);
    return NT_SUCCESS(Status) ? MmProbeCallerOutput(Iosb, sizeof(*Iosb), Mode) : Status;
}

/* The caller's extended attributes become the kernel's own copy. */
static NTSTATUS IopCaptureEa(IOP_OPEN *Open, PVOID Buffer, ULONG Length, KPROCESSOR_MODE Mode)
{
    if (Buffer == NULL || Length == 0)
        return STATUS_SUCCESS;
    PVOID Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, IOP_TAG_BUFFER);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ULONG ErrorOffset;
    NTSTATUS Status = MmReadCaller(Copy, Buffer, Length, Mode);
    if (NT_SUCCESS(Status))
        Status = IoCheckEaBufferValidity(Copy, Length, &ErrorOffset);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Copy, IOP_TAG_BUFFER);
        return Status;
    }
    Open->EaBuffer = Copy;
    Open->EaLength = Length;
    return STATUS_SUCCESS;
}

static NTSTATUS IopOpenCaptured(PHANDLE Handle, POBJECT_ATTRIBUTES Attributes, PIO_STATUS_BLOCK Iosb,
                                IOP_OPEN *Open, KPROCESSOR_MODE Mode)
{
    HANDLE Opened;
    Open->FinalStatus = STATUS_UNSUCCESSFUL;
    NTSTATUS Status =
        ObOpenObjectByName(Attributes, IoFileObjectType, Mode, Open->DesiredAccess, Open, &Opened);
    if (!NT_SUCCESS(Status))
        return Status;
    IO_STATUS_BLOCK Result = {.Status = Open->FinalStatus, .Information = Open->Information};
    Status = ObGiveHandle(Handle, Opened, Mode);
    if (NT_SUCCESS(Status))
        Status = MmWriteCaller(Iosb, &Result, sizeof(Result), Mode);
    return NT_SUCCESS(Status) ? Open->FinalStatus : Status;
}

typedef struct _IOP_CREATE_CALL {
    PHANDLE Handle;
    POBJECT_ATTRIBUTES Attributes;
    PIO_STATUS_BLOCK Iosb;
    PLARGE_INTEGER AllocationSize;
    PVOID EaBuffer;
    ULONG EaLength;
    ULONG FileAttributes, ShareAccess;
    KPROCESSOR_MODE Mode;
} IOP_CREATE_CALL;

/* Open: access, disposition and options. */
static NTSTATUS IopCreate(const IOP_CREATE_CALL *Call, IOP_OPEN *Open)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = IopProbeCreate(Call->Handle, Call->Iosb, Call->Mode);
    if (NT_SUCCESS(Status) && Call->AllocationSize != NULL)
        Status = MmReadCaller(&Open->AllocationSize, Call->AllocationSize, sizeof(LARGE_INTEGER), Call->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Open->FileAttributes = (USHORT)Call->FileAttributes;
    Open->ShareAccess = (USHORT)Call->ShareAccess;
    if ((Call->ShareAccess & ~(ULONG)FILE_SHARE_VALID_FLAGS) != 0 || !IopOpenIsValid(Open) ||
        !IopTypeIsValid(Open))
        return STATUS_INVALID_PARAMETER;
    Status = IopCaptureEa(Open, Call->EaBuffer, Call->EaLength, Call->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenCaptured(Call->Handle, Call->Attributes, Call->Iosb, Open, Call->Mode);
    if (Open->EaBuffer != NULL)
        ExFreePoolWithTag(Open->EaBuffer, IOP_TAG_BUFFER);
    return Status;
}

NTSTATUS IopCreateForCaller(PHANDLE Handle, POBJECT_ATTRIBUTES Attributes, IOP_OPEN *Open,
                            KPROCESSOR_MODE Mode)
{
    Open->FinalStatus = STATUS_UNSUCCESSFUL;
    NTSTATUS Status =
        ObOpenObjectByName(Attributes, IoFileObjectType, Mode, Open->DesiredAccess, Open, Handle);
    return NT_SUCCESS(Status) ? Open->FinalStatus : Status;
}

/* [WDK IoCreateFile] IO_NO_PARAMETER_CHECKING: the caller is a driver in the context of a user-mode caller, and its own variables are
 * meant. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                            PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength, CREATE_FILE_TYPE Type, PVOID ExtraParameters, ULONG Options)
{
    KPROCESSOR_MODE Mode = Options & IO_NO_PARAMETER_CHECKING ? KernelMode : ExGetPreviousMode();
    const IOP_CREATE_CALL Call = {Handle,         Attributes,  Iosb, AllocationSize, EaBuffer, EaLength,
                                  FileAttributes, ShareAccess, Mode};
    IOP_OPEN Open = {.DesiredAccess = Access,
                     .CreateOptions = CreateOptions,
                     .Disposition = Disposition,
                     .Options = Options,
                     .Type = Type,
                     .TypeParameters = ExtraParameters};
    return IopCreate(&Call, &Open);
}

/* [WDK IO_DRIVER_CREATE_CONTEXT] Size says which fields are there. There are no transactions (D-270). */
static NTSTATUS IopUseContext(IOP_OPEN *Open, const IO_DRIVER_CREATE_CONTEXT *Context)
{
    if (Context == NULL)
        return STATUS_SUCCESS;
    if (Context->Size < (CSHORT)sizeof(*Context))
        return STATUS_INVALID_PARAMETER;
    if (Context->TxnParameters != NULL)
        return STATUS_NOT_SUPPORTED;
    Open->Hint = Context->DeviceObjectHint;
    Open->Ecps = Context->ExtraCreateParameter;
    return STATUS_SUCCESS;
}

/* [WDK IoCreateFileEx] all variables are the calling driver's, who also frees its list of extra create parameters. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFileEx(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                              PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                              ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                              ULONG EaLength, CREATE_FILE_TYPE Type, PVOID InternalParameters, ULONG Options,
                              PIO_DRIVER_CREATE_CONTEXT DriverContext)
{
    const IOP_CREATE_CALL Call = {Handle,   Attributes,     Iosb,        AllocationSize, EaBuffer,
                                  EaLength, FileAttributes, ShareAccess, KernelMode};
    IOP_OPEN Open = {.DesiredAccess = Access,
                     .CreateOptions = CreateOptions,
                     .Disposition = Disposition,
                     .Options = Options,
                     .Type = Type,
                     .TypeParameters = InternalParameters};
    NTSTATUS Status = IopUseContext(&Open, DriverContext);
    return NT_SUCCESS(Status) ? IopCreate(&Call, &Open) : Status;
}

/* [WDK IoCreateFileSpecifyDeviceObjectHint] the older way to name the device that the requests go to. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFileSpecifyDeviceObjectHint(PHANDLE Handle, ACCESS_MASK Access,
                                                   POBJECT_ATTRIBUTES Attributes, PIO_STATUS_BLOCK Iosb,
                                                   PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                                                   ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions,
                                                   PVOID EaBuffer, ULONG EaLength, CREATE_FILE_TYPE Type,
                                                   PVOID InternalParameters, ULONG Options,
                                                   PVOID DeviceObject)
{
    IO_DRIVER_CREATE_CONTEXT Context = {.Size = sizeof(Context), .DeviceObjectHint = DeviceObject};
    return IoCreateFileEx(Handle, Access, Attributes, Iosb, AllocationSize, FileAttributes, ShareAccess,
                          Disposition, CreateOptions, EaBuffer, EaLength, Type, InternalParameters, Options,
                          &Context);
}

/* [WDK ZwCreateFile] */
NTSTATUS NTAPI ZwCreateFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                            PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength)
{
    const IOP_CREATE_CALL Call = {Handle,   Attributes,     Iosb,        AllocationSize, EaBuffer,
                                  EaLength, FileAttributes, ShareAccess, KernelMode};
    IOP_OPEN Open = {.DesiredAccess = Access, .CreateOptions = CreateOptions, .Disposition = Disposition};
    return IopCreate(&Call, &Open);
}

NTSTATUS NTAPI NtCreateFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                            PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength)
{
    const IOP_CREATE_CALL Call = {Handle,   Attributes,     Iosb,        AllocationSize,     EaBuffer,
                                  EaLength, FileAttributes, ShareAccess, ExGetPreviousMode()};
    IOP_OPEN Open = {.DesiredAccess = Access, .CreateOptions = CreateOptions, .Disposition = Disposition};
    return IopCreate(&Call, &Open);
}

/* [WDK ZwOpenFile] */
NTSTATUS NTAPI ZwOpenFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                          PIO_STATUS_BLOCK Iosb, ULONG ShareAccess, ULONG OpenOptions)
{
    return ZwCreateFile(Handle, Access, Attributes, Iosb, NULL, 0, ShareAccess, FILE_OPEN, OpenOptions, NULL,
                        0);
}

NTSTATUS NTAPI NtOpenFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                          PIO_STATUS_BLOCK Iosb, ULONG ShareAccess, ULONG OpenOptions)
{
    return NtCreateFile(Handle, Access, Attributes, Iosb, NULL, 0, ShareAccess, FILE_OPEN, OpenOptions, NULL,
                        0);
}

/* [WDK IoCheckEaBufferValidity] aligned entries with names that end, the last one last; the offset of the first wrong one. */
NTSTATUS NTAPI IoCheckEaBufferValidity(PFILE_FULL_EA_INFORMATION Buffer, ULONG Length, PULONG ErrorOffset)
{
    ULONG Offset = 0;
    for (;;) {
        ULONG Left = Length - Offset, Fixed = FIELD_OFFSET(FILE_FULL_EA_INFORMATION, EaName);
        *ErrorOffset = Offset;
        if (Left < Fixed)
            return STATUS_EA_LIST_INCONSISTENT;
        const FILE_FULL_EA_INFORMATION *Entry = (PVOID)((PUCHAR)Buffer + Offset);
        ULONG Size = Fixed + Entry->EaNameLength + 1u + Entry->EaValueLength, Next = Entry->NextEntryOffset;
        if (Left < Size || Entry->EaName[Entry->EaNameLength] != 0)
            return STATUS_EA_LIST_INCONSISTENT;
        if (Next == 0)
            return STATUS_SUCCESS;
        if (Next != ((Size + 3) & ~3u) || Next > Left)
            return STATUS_EA_LIST_INCONSISTENT;
        Offset += Next;
    }
}
