/* SPDX-License-Identifier: MIT
 * ZwCreateSection. [WDK ZwCreateSection] */
#include "vmp.h"
#include "ke.h"

#define VM_KINDS (SEC_COMMIT | SEC_RESERVE | SEC_IMAGE)
#define VM_MODIFIERS (SEC_NO_CHANGE | SEC_FILE)
#define VM_UNSUPPORTED (SEC_LARGE_PAGES | SEC_NOCACHE | SEC_WRITECOMBINE)

/* Large pages and other cache types are not there (deviation D-120). */
static NTSTATUS VmpCheckAttributes(ULONG Attributes, ULONG Protect, BOOLEAN HasFile)
{
    ULONG Kind = Attributes & VM_KINDS;

    if (Attributes & VM_UNSUPPORTED)
        return STATUS_NOT_SUPPORTED;
    if ((Attributes & ~(ULONG)(VM_KINDS | VM_MODIFIERS)) != 0 || Kind == 0 || (Kind & (Kind - 1)) != 0)
        return STATUS_INVALID_PARAMETER_6;
    if ((Kind == SEC_IMAGE) && !HasFile)
        return STATUS_INVALID_FILE_FOR_SECTION;
    /* [WDK ZwCreateSection] PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE and its kin */
    if (Protect == PAGE_NOACCESS || (Protect & (PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE)) != 0 ||
        (Protect & (Protect - 1)) != 0 || Protect == 0 || Protect > PAGE_EXECUTE_WRITECOPY)
        return STATUS_INVALID_PAGE_PROTECTION;
    return STATUS_SUCCESS;
}

static BOOLEAN VmpWrites(ULONG Protect)
{
    return Protect == PAGE_READWRITE || Protect == PAGE_EXECUTE_READWRITE;
}

/* What the file was opened for limits what a section of it may permit; of a kernel-mode caller too (deviation D-121). */
static NTSTATUS VmpCheckFileAccess(ACCESS_MASK Granted, ULONG Protect)
{
    ACCESS_MASK Needed = VmpWrites(Protect) ? FILE_READ_DATA | FILE_WRITE_DATA : FILE_READ_DATA;
    BOOLEAN Executes = Protect >= PAGE_EXECUTE;
    if (Executes && !VmpWrites(Protect) && (Granted & FILE_EXECUTE))
        return STATUS_SUCCESS;
    return (Granted & Needed) == Needed ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* [WDK ZwCreateSection] a size of 0 is that of the file; a section that is larger makes the file so, if it may be written. */
static NTSTATUS VmpFitFile(PFILE_OBJECT File, ULONG64 *Size, ULONG Protect)
{
    ULONG64 FileSize;
    NTSTATUS Status = VmUpcalls->FileSize(File, &FileSize);

    if (!NT_SUCCESS(Status))
        return Status;
    if (*Size == 0 && FileSize == 0)
        return STATUS_MAPPED_FILE_SIZE_ZERO;
    if (*Size == 0)
        *Size = FileSize;
    if (*Size <= FileSize)
        return STATUS_SUCCESS;
    return VmpWrites(Protect) ? VmUpcalls->SetFileSize(File, *Size) : STATUS_SECTION_TOO_BIG;
}

static NTSTATUS VmpFileSegment(PFILE_OBJECT File, ULONG64 Size, VM_SECTION *Template)
{
    NTSTATUS Status;

    if (File->SectionObjectPointer == NULL)
        return STATUS_INVALID_FILE_FOR_SECTION;
    if (Template->Attributes & SEC_IMAGE)
        return VmpReferenceImage(File, &Template->Segment);
    Status = VmpFitFile(File, &Size, Template->Protect);
    if (NT_SUCCESS(Status))
        Status = MmReferenceFileSegment(File, Size, &Template->Segment);
    Template->Size = Size;
    return Status;
}

static NTSTATUS VmpSegmentOfHandle(HANDLE FileHandle, KPROCESSOR_MODE Mode, ULONG64 Size,
                                   VM_SECTION *Template)
{
    OBJECT_HANDLE_INFORMATION Information;
    PFILE_OBJECT File;
    NTSTATUS Status =
        ObReferenceObjectByHandle(FileHandle, 0, IoFileObjectType, Mode, (PVOID *)&File, &Information);
    if (!NT_SUCCESS(Status))
        return Status;
    Template->Attributes |= SEC_FILE;
    Status = VmpCheckFileAccess(Information.GrantedAccess, Template->Protect);
    if (NT_SUCCESS(Status))
        Status = VmpFileSegment(File, Size, Template);
    ObDereferenceObject(File);
    return Status;
}

static NTSTATUS VmpMakeSegment(HANDLE FileHandle, KPROCESSOR_MODE Mode, ULONG64 Size, VM_SECTION *Template)
{
    if (FileHandle != NULL)
        return VmpSegmentOfHandle(FileHandle, Mode, Size, Template);
    if (Size == 0)
        return STATUS_INVALID_PARAMETER_4;
    Template->Size = (Size + PAGE_MASK) & ~(ULONG64)PAGE_MASK; /* memory comes in pages */
    return MmCreatePageFileSegment(Template->Size, Template->Protect,
                                   (Template->Attributes & SEC_RESERVE) != 0, &Template->Segment);
}

static NTSTATUS VmpCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                                 POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
                                 ULONG Protect, ULONG AllocationAttributes, HANDLE FileHandle,
                                 KPROCESSOR_MODE Mode)
{
    VM_SECTION Template = {.Protect = Protect, .Attributes = AllocationAttributes}, *Section;
    LARGE_INTEGER Size = {.QuadPart = 0};
    NTSTATUS Status = VmpCheckAttributes(AllocationAttributes, Protect, FileHandle != NULL);

    if (NT_SUCCESS(Status))
        Status = MmProbeCaller(SectionHandle, sizeof(*SectionHandle), Mode);
    if (NT_SUCCESS(Status) && MaximumSize != NULL)
        Status = MmReadCaller(&Size, MaximumSize, sizeof(Size), Mode);
    if (NT_SUCCESS(Status) && Size.QuadPart < 0)
        Status = STATUS_SECTION_TOO_BIG;
    if (NT_SUCCESS(Status))
        Status = VmpMakeSegment(FileHandle, Mode, (ULONG64)Size.QuadPart, &Template);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpMakeSection(ObjectAttributes, Mode, &Template, &Section);
    MmReleaseSegment(Template.Segment);
    if (!NT_SUCCESS(Status))
        return Status;
    HANDLE Handle;
    Status = ObInsertObject(Section, NULL, DesiredAccess, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(SectionHandle, Handle, Mode);
    return NT_SUCCESS(Given) ? Status : Given; /* STATUS_OBJECT_NAME_EXISTS */
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                               POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
                               ULONG SectionPageProtection, ULONG AllocationAttributes, HANDLE FileHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpCreateSection(SectionHandle, DesiredAccess, ObjectAttributes, MaximumSize,
                            SectionPageProtection, AllocationAttributes, FileHandle, KernelMode);
}

NTSTATUS NTAPI NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                               POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
                               ULONG SectionPageProtection, ULONG AllocationAttributes, HANDLE FileHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpCreateSection(SectionHandle, DesiredAccess, ObjectAttributes, MaximumSize,
                            SectionPageProtection, AllocationAttributes, FileHandle, ExGetPreviousMode());
}
