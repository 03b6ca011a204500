/* SPDX-License-Identifier: MIT
 * IMAGE_SCN_MEM_SHARED: "The section can be shared in memory" [PE format, section flags]. The file is a device of this driver, whose contents
 * lie in memory: an image with a section that is shared and one that is not. */
#include "ct.h"
#include <ntimage.h>

#define BASE 0x180000000ull
#define SHARED 0x1000u /* RVAs */
#define OWN 0x2000u
#define RAW 0x200u

static UCHAR File[3 * RAW];
static SECTION_OBJECT_POINTERS Pointers;

static VOID MakeSection(PIMAGE_SECTION_HEADER Header, ULONG Rva, ULONG Raw, ULONG Also)
{
    Header->Misc.VirtualSize = RAW;
    Header->VirtualAddress = Rva;
    Header->SizeOfRawData = RAW;
    Header->PointerToRawData = Raw;
    Header->Characteristics =
        IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ | IMAGE_SCN_MEM_WRITE | Also;
    RtlFillMemory(File + Raw, RAW, 1);
}

static VOID MakeImage(VOID)
{
    PIMAGE_DOS_HEADER Dos = (PIMAGE_DOS_HEADER)File;
    PIMAGE_NT_HEADERS64 Nt = (PIMAGE_NT_HEADERS64)(File + sizeof(*Dos));
    PIMAGE_SECTION_HEADER Sections = (PIMAGE_SECTION_HEADER)(Nt + 1);
    Dos->e_magic = 0x5a4d;
    Dos->e_lfanew = sizeof(*Dos);
    Nt->Signature = 0x4550;
    Nt->FileHeader.Machine = 0x8664;
    Nt->FileHeader.NumberOfSections = 2;
    Nt->FileHeader.SizeOfOptionalHeader = sizeof(Nt->OptionalHeader);
    Nt->FileHeader.Characteristics = 0x23; /* no relocations, executable, large addresses */
    Nt->OptionalHeader.Magic = 0x20b;
    Nt->OptionalHeader.ImageBase = BASE;
    Nt->OptionalHeader.SectionAlignment = PAGE_SIZE;
    Nt->OptionalHeader.FileAlignment = RAW;
    Nt->OptionalHeader.MajorSubsystemVersion = 10;
    Nt->OptionalHeader.SizeOfImage = 3 * PAGE_SIZE;
    Nt->OptionalHeader.SizeOfHeaders = RAW;
    Nt->OptionalHeader.Subsystem = 3;
    Nt->OptionalHeader.NumberOfRvaAndSizes = 16;
    MakeSection(&Sections[0], SHARED, RAW, IMAGE_SCN_MEM_SHARED);
    MakeSection(&Sections[1], OWN, 2 * RAW, 0);
}
C_ASSERT(sizeof(IMAGE_DOS_HEADER) + sizeof(IMAGE_NT_HEADERS64) + 2 * sizeof(IMAGE_SECTION_HEADER) <= RAW);

/* --- the file ---------------------------------------------------------------------------------------------------- */

static NTSTATUS CompleteWith(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Open(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoGetCurrentIrpStackLocation(Irp)->FileObject->SectionObjectPointer = &Pointers;
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.Read.Length;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    UNREFERENCED_PARAMETER(Device);
    if (Offset >= (LONGLONG)sizeof(File) || Irp->MdlAddress == NULL)
        return CompleteWith(Irp, STATUS_END_OF_FILE, 0);
    if (Length > sizeof(File) - Offset)
        Length = (ULONG)(sizeof(File) - Offset);
    PUCHAR Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    RtlCopyMemory(Buffer, File + Offset, Length);
    return CompleteWith(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS NTAPI Query(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;
    UNREFERENCED_PARAMETER(Device);
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryFile.FileInformationClass !=
        FileStandardInformation)
        return CompleteWith(Irp, STATUS_INVALID_PARAMETER, 0);
    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->EndOfFile.QuadPart = sizeof(File);
    return CompleteWith(Irp, STATUS_SUCCESS, sizeof(*Standard));
}

#define NAME L"\\Device\\CtImageShared"

static PDEVICE_OBJECT MakeDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    PDEVICE_OBJECT Device = NULL;
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = Open;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = Close;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = Close;
    CtDriverObject->MajorFunction[IRP_MJ_READ] = Read;
    CtDriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = Query;
    if (NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device)))
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return Device;
}

static NTSTATUS OpenSection(PHANDLE Section)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status =
        ZwCreateFile(&Handle, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                     FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateSection(Section, SECTION_ALL_ACCESS, &Attributes, NULL, PAGE_EXECUTE, SEC_IMAGE, Handle);
    ZwClose(Handle);
    return Status;
}

/* --- views -------------------------------------------------------------------------------------------------------- */

/* STATUS_IMAGE_NOT_AT_BASE for the second one. */
static volatile UCHAR *Map(HANDLE Section)
{
    PVOID Base = NULL;
    SIZE_T Size = 0;
    NTSTATUS Status = ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                                         PAGE_READONLY);
    return NT_SUCCESS(Status) ? Base : NULL;
}

static VOID Unmap(volatile UCHAR *View)
{
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), (PVOID)View));
}

static ULONG ProtectionOf(volatile UCHAR *Address)
{
    MEMORY_BASIC_INFORMATION Basic = {0};
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), (PVOID)Address, MemoryBasicInformation, &Basic,
                                    sizeof(Basic), NULL));
    return Basic.Protect;
}

static VOID UseViews(HANDLE Section)
{
    volatile UCHAR *First = Map(Section), *Second = Map(Section);
    CT_REQUIRE(First != NULL && Second != NULL && First != Second);
    CT_EQUAL(ProtectionOf(First + SHARED), PAGE_READWRITE);
    CT_EQUAL(ProtectionOf(First + OWN), PAGE_WRITECOPY);
    CT_CHECK(First[SHARED] == 1 && Second[SHARED] == 1 && Second[OWN] == 1 && First[SHARED + RAW] == 0);
    First[SHARED] = 5;
    First[OWN] = 6;
    CT_CHECK(Second[SHARED] == 5 && Second[OWN] == 1);
    Second[SHARED] = 7;
    CT_CHECK(First[SHARED] == 7 && First[OWN] == 6);
    Unmap(First);
    Unmap(Second);
    First = Map(Section); /* the section keeps what was written */
    CT_REQUIRE(First != NULL);
    CT_CHECK(First[SHARED] == 7 && First[OWN] == 1);
    Unmap(First);
}

static VOID ImageShared(VOID)
{
    HANDLE Section;
    PDEVICE_OBJECT Device = MakeDevice();
    CT_REQUIRE(Device != NULL);
    MakeImage();
    for (ULONG i = 0; i < 2; i++) { /* a new section begins as the file says */
        if (CT_SUCCESS(OpenSection(&Section))) {
            UseViews(Section);
            CT_SUCCESS(ZwClose(Section));
        }
        CT_CHECK(MmForceSectionClosed(&Pointers, FALSE));
        CT_EQUAL(File[RAW], 1);
    }
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {{"image_shared.views", ImageShared}};
CT_DRIVER(Cases)
