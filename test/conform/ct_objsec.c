/* SPDX-License-Identifier: MIT
 * Descriptors of objects, secure devices, share access. [WDK ZwQuerySecurityObject, ZwSetSecurityObject, ObGetObjectSecurity,
 * IoCreateDeviceSecure, SDDL for Device Objects, IoValidateDeviceIoControlAccess, IoCheckShareAccess] */
#include "ct_security.h"
#include <wdmsec.h>

typedef struct OBJECT_SECURITY {
    SECURITY_DESCRIPTOR Descriptor;
    union {
        ACL Acl;
        UCHAR Room[128];
    } Dacl;
    CT_SID Owner;
} OBJECT_SECURITY;

/* Owner Administrators; a DACL that allows one right to Everyone. */
static PSECURITY_DESCRIPTOR OneRight(OBJECT_SECURITY *Security, ACCESS_MASK Mask)
{
    CT_SID World;
    RtlCreateSecurityDescriptor(&Security->Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateAcl(&Security->Dacl.Acl, sizeof(Security->Dacl), ACL_REVISION);
    RtlAddAccessAllowedAce(&Security->Dacl.Acl, ACL_REVISION, Mask, CtWorldSid(&World));
    RtlSetDaclSecurityDescriptor(&Security->Descriptor, TRUE, &Security->Dacl.Acl, FALSE);
    RtlSetOwnerSecurityDescriptor(&Security->Descriptor, CtAdminsSid(&Security->Owner), FALSE);
    RtlSetGroupSecurityDescriptor(&Security->Descriptor, &Security->Owner, FALSE);
    return &Security->Descriptor;
}

/* The mask of the first ACE of a handle's DACL; 0 when there is none. */
static ACCESS_MASK FirstMask(HANDLE Handle, ULONG *AceCount)
{
    UCHAR Room[512] __attribute__((aligned(8)));
    ULONG Needed = 0;
    BOOLEAN Present = FALSE, Defaulted;
    PACL Dacl = NULL;
    PACCESS_ALLOWED_ACE Ace = NULL;
    CT_SUCCESS(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, Room, sizeof(Room), &Needed));
    CT_CHECK(RtlValidRelativeSecurityDescriptor(Room, Needed, 0));
    RtlGetDaclSecurityDescriptor(Room, &Present, &Dacl, &Defaulted);
    *AceCount = Present && Dacl != NULL ? Dacl->AceCount : 0;
    if (*AceCount == 0 || !NT_SUCCESS(RtlGetAce(Dacl, 0, (PVOID *)&Ace)))
        return 0;
    return Ace->Mask;
}

static VOID ObjectEvent(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtSecureEvent");
    OBJECT_SECURITY Security;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL, Second = NULL;
    ULONG Count = 0, Needed = 0;
    UCHAR Room[256] __attribute__((aligned(8)));
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL,
                               OneRight(&Security, GENERIC_READ));
    CT_REQUIRE(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_EQUAL(FirstMask(Event, &Count), STANDARD_RIGHTS_READ | EVENT_QUERY_STATE); /* mapped by the type */
    CT_STATUS(ZwQuerySecurityObject(Event, OWNER_SECURITY_INFORMATION, NULL, 0, &Needed),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Needed, sizeof(SECURITY_DESCRIPTOR_RELATIVE) + RtlLengthSid(&Security.Owner));
    CT_SUCCESS(NtQuerySecurityObject(Event, OWNER_SECURITY_INFORMATION, Room, sizeof(Room), &Needed));
    CT_SUCCESS(ZwSetSecurityObject(Event, DACL_SECURITY_INFORMATION, OneRight(&Security, SYNCHRONIZE)));
    CT_EQUAL(FirstMask(Event, &Count), SYNCHRONIZE);
    CT_SUCCESS(
        NtSetSecurityObject(Event, DACL_SECURITY_INFORMATION, OneRight(&Security, EVENT_MODIFY_STATE)));
    CT_EQUAL(FirstMask(Event, &Count), EVENT_MODIFY_STATE);
    CT_EQUAL(Count, 1);
    RtlSetOwnerSecurityDescriptor(&Security.Descriptor, NULL, FALSE);
    CT_STATUS(ZwSetSecurityObject(Event, OWNER_SECURITY_INFORMATION, &Security.Descriptor),
              STATUS_INVALID_SECURITY_DESCR);
    CT_STATUS(ZwSetSecurityObject((HANDLE)(LONG_PTR)0xFFFF8, DACL_SECURITY_INFORMATION, &Security.Descriptor),
              STATUS_INVALID_HANDLE);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwOpenEvent(&Second, EVENT_ALL_ACCESS, &Attributes)); /* kernel mode is not asked */
    ZwClose(Second);
    ZwClose(Event);
    Security.Descriptor.Revision = 9;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, &Security.Descriptor);
    CT_STATUS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE),
              STATUS_UNKNOWN_REVISION);
}

/* A thread's descriptor decides what user mode gets. */
static VOID ObjectPointer(VOID)
{
    PETHREAD Thread = PsGetCurrentThread();
    OBJECT_SECURITY Security;
    HANDLE Kernel = NULL, User = NULL;
    PSECURITY_DESCRIPTOR Found = NULL;
    BOOLEAN Allocated = FALSE, Present = FALSE, Defaulted;
    PACL Dacl = NULL;
    OBJECT_HANDLE_INFORMATION Information;
    PVOID Object;
    CT_REQUIRE(NT_SUCCESS(ObOpenObjectByPointer(Thread, OBJ_KERNEL_HANDLE, NULL, THREAD_ALL_ACCESS,
                                                *PsThreadType, KernelMode, &Kernel)));
    OneRight(&Security, SYNCHRONIZE);
    RtlSetOwnerSecurityDescriptor(&Security.Descriptor,
                                  CtNtSid(&Security.Owner, SECURITY_LOCAL_SERVICE_RID, 0), FALSE);
    CT_SUCCESS(ZwSetSecurityObject(Kernel, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                   &Security.Descriptor));
    CT_SUCCESS(ObGetObjectSecurity(Thread, &Found, &Allocated));
    CT_REQUIRE(Found != NULL);
    RtlGetDaclSecurityDescriptor(Found, &Present, &Dacl, &Defaulted);
    CT_CHECK(Present && Dacl != NULL && Dacl->AceCount == 1);
    ObReleaseObjectSecurity(Found, Allocated);
    CT_STATUS(ObOpenObjectByPointer(Thread, 0, NULL, THREAD_ALL_ACCESS, *PsThreadType, UserMode, &User),
              STATUS_ACCESS_DENIED);
    CT_SUCCESS(ObOpenObjectByPointer(Thread, 0, NULL, MAXIMUM_ALLOWED, *PsThreadType, UserMode, &User));
    CT_SUCCESS(ObReferenceObjectByHandle(User, 0, *PsThreadType, KernelMode, &Object, &Information));
    CT_EQUAL(Information.GrantedAccess, SYNCHRONIZE);
    ObDereferenceObject(Object);
    ZwClose(User);
    RtlSetDaclSecurityDescriptor(&Security.Descriptor, TRUE, NULL, FALSE);
    CT_SUCCESS(ZwSetSecurityObject(Kernel, DACL_SECURITY_INFORMATION, &Security.Descriptor));
    CT_SUCCESS(ObOpenObjectByPointer(Thread, 0, NULL, THREAD_ALL_ACCESS, *PsThreadType, UserMode, &User));
    ZwClose(User);
    ZwClose(Kernel);
}

/* [WDK ObOpenObjectByPointer] OBJ_FORCE_ACCESS_CHECK: kernel mode is asked too. */
static VOID ObjectForce(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtForcedEvent");
    OBJECT_SECURITY Security;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL, Second = NULL;
    PVOID Object;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, OneRight(&Security, SYNCHRONIZE));
    CT_REQUIRE(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK, NULL, NULL);
    CT_STATUS(ZwOpenEvent(&Second, EVENT_ALL_ACCESS, &Attributes), STATUS_ACCESS_DENIED);
    CT_SUCCESS(ZwOpenEvent(&Second, SYNCHRONIZE, &Attributes));
    ZwClose(Second);
    CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL));
    CT_STATUS(ObOpenObjectByPointer(Object, OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK, NULL,
                                    EVENT_ALL_ACCESS, *ExEventObjectType, KernelMode, &Second),
              STATUS_ACCESS_DENIED);
    CT_SUCCESS(ObOpenObjectByPointer(Object, OBJ_KERNEL_HANDLE, NULL, EVENT_ALL_ACCESS, *ExEventObjectType,
                                     KernelMode, &Second));
    ZwClose(Second);
    ObDereferenceObject(Object);
    ZwClose(Event);
}

/* A SACL of kernel mode's needs no privilege; audit ACEs and the label are asked for and set apart. */
static VOID ObjectSacl(VOID)
{
    OBJECT_SECURITY Security;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;
    ULONG Needed = 0;
    CT_SID World;
    UCHAR Room[512] __attribute__((aligned(8))), Audit[128] __attribute__((aligned(8))) = {0};
    PACL Sacl = (PACL)Audit;
    PSYSTEM_AUDIT_ACE Ace;
    BOOLEAN Present = FALSE, Defaulted;
    OneRight(&Security, GENERIC_READ);
    RtlCreateAcl(Sacl, sizeof(Audit), ACL_REVISION);
    Ace = (PSYSTEM_AUDIT_ACE)(Sacl + 1);
    CtWorldSid(&World);
    Ace->Header.AceType = SYSTEM_AUDIT_ACE_TYPE;
    Ace->Header.AceFlags = SUCCESSFUL_ACCESS_ACE_FLAG;
    Ace->Header.AceSize = (USHORT)(FIELD_OFFSET(SYSTEM_AUDIT_ACE, SidStart) + RtlLengthSid(&World));
    Ace->Mask = EVENT_MODIFY_STATE;
    CT_SUCCESS(RtlCopySid(RtlLengthSid(&World), &Ace->SidStart, &World));
    Sacl->AceCount = 1;
    CT_SUCCESS(RtlSetSaclSecurityDescriptor(&Security.Descriptor, TRUE, Sacl, FALSE));
    RtlSetOwnerSecurityDescriptor(&Security.Descriptor,
                                  CtNtSid(&Security.Owner, SECURITY_LOCAL_SERVICE_RID, 0), FALSE);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, &Security.Descriptor);
    CT_REQUIRE(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_SUCCESS(ZwQuerySecurityObject(Event, SACL_SECURITY_INFORMATION, Room, sizeof(Room), &Needed));
    CT_SUCCESS(RtlGetSaclSecurityDescriptor(Room, &Present, &Sacl, &Defaulted));
    CT_CHECK(Present && Sacl != NULL && Sacl->AceCount == 1);
    /* the event has no label: nothing of the audit ACE is shown, or taken away */
    CT_SUCCESS(ZwQuerySecurityObject(Event, LABEL_SECURITY_INFORMATION, Room, sizeof(Room), &Needed));
    CT_SUCCESS(RtlGetSaclSecurityDescriptor(Room, &Present, &Sacl, &Defaulted));
    CT_CHECK(!Present || Sacl == NULL || Sacl->AceCount == 0);
    CT_SUCCESS(ZwSetSecurityObject(Event, LABEL_SECURITY_INFORMATION, Room));
    CT_SUCCESS(ZwQuerySecurityObject(Event, SACL_SECURITY_INFORMATION, Room, sizeof(Room), &Needed));
    CT_SUCCESS(RtlGetSaclSecurityDescriptor(Room, &Present, &Sacl, &Defaulted));
    CT_CHECK(Present && Sacl != NULL && Sacl->AceCount == 1);
    CT_STATUS(ZwQuerySecurityObject(Event, 0x8000, Room, sizeof(Room), &Needed), STATUS_INVALID_PARAMETER);
    ZwClose(Event);
}

/* --- devices --- */

static UCHAR SeenFlags;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        SeenFlags = Stack->Flags;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\CtSecureDevice");

static PDEVICE_OBJECT MakeDevice(PCUNICODE_STRING Sddl, NTSTATUS Expected)
{
    PDEVICE_OBJECT Device = NULL;
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = CtDriverObject->MajorFunction[IRP_MJ_CLOSE] =
        CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = CtDriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] =
            Dispatch;
    CT_STATUS(IoCreateDeviceSecure(CtDriverObject, 0, &DeviceName, FILE_DEVICE_UNKNOWN,
                                   FILE_DEVICE_SECURE_OPEN, FALSE, Sddl, NULL, &Device),
              Expected);
    if (Device != NULL)
        Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return Device;
}

/* As a user-mode caller with this thread's token. */
static NTSTATUS OpenChecked(ACCESS_MASK Access, ULONG Options, HANDLE *Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &DeviceName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return IoCreateFile(Handle, Access, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL, Options);
}

static VOID ObjectDevice(VOID)
{
    UNICODE_STRING Wrong = RTL_CONSTANT_STRING(L"D:P(A;;GZ;;;SY)");
    OBJECT_SECURITY Security;
    HANDLE Handle = NULL;
    ULONG Count = 0;
    CT_EQUAL(MakeDevice(&Wrong, STATUS_INVALID_PARAMETER), NULL);
    PDEVICE_OBJECT Device = MakeDevice(&SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R, STATUS_SUCCESS);
    CT_REQUIRE(Device != NULL);
    CT_SUCCESS(ObOpenObjectByPointer(Device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, *IoDeviceObjectType,
                                     KernelMode, &Handle));
    CT_EQUAL(FirstMask(Handle, &Count), FILE_ALL_ACCESS);
    CT_EQUAL(Count, 4);
    /* what wdmsec.lib does */
    CT_SUCCESS(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, OneRight(&Security, GENERIC_READ)));
    CT_EQUAL(FirstMask(Handle, &Count), FILE_GENERIC_READ);
    ZwClose(Handle);
    CT_STATUS(OpenChecked(FILE_GENERIC_WRITE, IO_FORCE_ACCESS_CHECK, &Handle), STATUS_ACCESS_DENIED);
    CT_REQUIRE(NT_SUCCESS(OpenChecked(FILE_GENERIC_READ, IO_FORCE_ACCESS_CHECK, &Handle)));
    CT_EQUAL(FirstMask(Handle, &Count), FILE_GENERIC_READ); /* the file is the device */
    ZwClose(Handle);
    CT_SUCCESS(OpenChecked(FILE_GENERIC_WRITE, 0, &Handle));
    ZwClose(Handle);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &DeviceName, OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK, NULL,
                               NULL);
    CT_STATUS(ZwOpenFile(&Handle, FILE_GENERIC_WRITE, &Attributes, &Iosb, 0, FILE_SYNCHRONOUS_IO_NONALERT),
              STATUS_ACCESS_DENIED);
    IoDeleteDevice(Device);
    Device = MakeDevice(&SDDL_DEVOBJ_KERNEL_ONLY, STATUS_SUCCESS);
    CT_REQUIRE(Device != NULL);
    CT_STATUS(OpenChecked(FILE_GENERIC_READ, IO_FORCE_ACCESS_CHECK, &Handle), STATUS_ACCESS_DENIED);
    IoDeleteDevice(Device);
}

/* The handle's rights are in the request. */
static VOID ObjectControl(VOID)
{
    PDEVICE_OBJECT Device = MakeDevice(&SDDL_DEVOBJ_SYS_ALL, STATUS_SUCCESS);
    HANDLE Handle = NULL;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(Device != NULL);
    CT_REQUIRE(NT_SUCCESS(OpenChecked(FILE_READ_DATA | SYNCHRONIZE, 0, &Handle)));
    CT_SUCCESS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb,
                                     CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS),
                                     NULL, 0, NULL, 0));
    CT_EQUAL(SeenFlags & (SL_READ_ACCESS_GRANTED | SL_WRITE_ACCESS_GRANTED), SL_READ_ACCESS_GRANTED);
    ZwClose(Handle);
    PIRP Irp = IoAllocateIrp(2, FALSE);
    IoDeleteDevice(Device);
    CT_REQUIRE(Irp != NULL);
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    IoGetCurrentIrpStackLocation(Irp)->Flags = SL_READ_ACCESS_GRANTED;
    Irp->RequestorMode = UserMode;
    CT_SUCCESS(IoValidateDeviceIoControlAccess(Irp, FILE_READ_ACCESS));
    CT_STATUS(IoValidateDeviceIoControlAccess(Irp, FILE_READ_ACCESS | FILE_WRITE_ACCESS),
              STATUS_ACCESS_DENIED);
    CT_STATUS(IoValidateDeviceIoControlAccess(Irp, 0x10), STATUS_INVALID_PARAMETER);
    Irp->RequestorMode = KernelMode;
    CT_SUCCESS(IoValidateDeviceIoControlAccess(Irp, FILE_WRITE_ACCESS));
    IoFreeIrp(Irp);
}

static VOID ObjectShare(VOID)
{
    FILE_OBJECT First = {0}, Second = {0}, Third = {0};
    SHARE_ACCESS Share;
    CT_EQUAL(IoGetFileObjectGenericMapping()->GenericAll, FILE_ALL_ACCESS);
    IoSetShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &First, &Share);
    CT_CHECK(First.ReadAccess && !First.WriteAccess && First.SharedRead && !First.SharedWrite);
    CT_EQUAL(Share.OpenCount, 1);
    CT_STATUS(IoCheckShareAccess(FILE_WRITE_DATA, FILE_SHARE_READ, &Second, &Share, TRUE),
              STATUS_SHARING_VIOLATION);
    CT_STATUS(IoCheckShareAccess(FILE_READ_DATA, FILE_SHARE_WRITE, &Second, &Share, TRUE),
              STATUS_SHARING_VIOLATION);
    CT_STATUS(IoCheckShareAccess(DELETE, FILE_SHARE_READ, &Second, &Share, TRUE), STATUS_SHARING_VIOLATION);
    CT_EQUAL(Share.OpenCount, 1);
    CT_SUCCESS(IoCheckShareAccess(FILE_EXECUTE, FILE_SHARE_READ, &Second, &Share, FALSE));
    CT_EQUAL(Share.OpenCount, 1);
    IoUpdateShareAccess(&Second, &Share);
    CT_EQUAL(Share.OpenCount, 2);
    CT_EQUAL(Share.Readers, 2);
    CT_SUCCESS(IoCheckShareAccess(FILE_READ_ATTRIBUTES, 0, &Third, &Share, TRUE)); /* not counted */
    CT_EQUAL(Share.OpenCount, 2);
    IoRemoveShareAccess(&Third, &Share);
    IoRemoveShareAccess(&First, &Share);
    IoRemoveShareAccess(&Second, &Share);
    CT_CHECK(Share.OpenCount == 0 && Share.Readers == 0 && Share.SharedRead == 0);
}

/* Bits: 1 reading, 2 writing, 4 deleting, as the FILE_SHARE bits are. */
static ACCESS_MASK ShareBitsToAccess(ULONG Bits)
{
    return (Bits & 1 ? FILE_READ_DATA : 0) | (Bits & 2 ? FILE_APPEND_DATA : 0) | (Bits & 4 ? DELETE : 0);
}

/* [Win32 Creating and Opening Files] each must share what the other does; who does none of the three is in nobody's way. */
static BOOLEAN MayMeet(ULONG Has, ULONG Shares, ULONG Wants, ULONG WouldShare)
{
    return Has == 0 || Wants == 0 || ((Wants & ~Shares) == 0 && (Has & ~WouldShare) == 0);
}

/* Every pair of opens. */
static VOID ObjectSharePairs(VOID)
{
    CT_EQUAL(FILE_SHARE_READ | FILE_SHARE_WRITE << 8 | FILE_SHARE_DELETE << 16, 0x040201);
    for (ULONG Pair = 0; Pair < 4096; Pair++) {
        ULONG Has = Pair & 7, Shares = Pair >> 3 & 7, Wants = Pair >> 6 & 7, WouldShare = Pair >> 9;
        FILE_OBJECT First = {0}, Second = {0};
        SHARE_ACCESS Share;
        IoSetShareAccess(ShareBitsToAccess(Has), Shares, &First, &Share);
        BOOLEAN May = MayMeet(Has, Shares, Wants, WouldShare);
        NTSTATUS Status = IoCheckShareAccess(ShareBitsToAccess(Wants), WouldShare, &Second, &Share, TRUE);
        if (Status != (May ? STATUS_SUCCESS : STATUS_SHARING_VIOLATION))
            CT_EQUAL(Pair, ~0u);
        if (Share.OpenCount != (Has != 0) + (ULONG)(May && Wants != 0))
            CT_EQUAL(Pair, ~1u);
    }
}

static const CT_CASE Cases[] = {
    {"objsec.event", ObjectEvent},   {"objsec.pointer", ObjectPointer},
    {"objsec.device", ObjectDevice}, {"objsec.force", ObjectForce},
    {"objsec.sacl", ObjectSacl},     {"objsec.control", ObjectControl},
    {"objsec.share", ObjectShare},   {"objsec.share_pairs", ObjectSharePairs},
};

CT_DRIVER(Cases)
