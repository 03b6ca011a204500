/* SPDX-License-Identifier: MIT
 * The services as a program calls them: previous mode UserMode, arguments in user memory, handles of its own. */
#include "kt.h"
#include "ke.h"
#include "mm_user.h"
#include "ob.h"
#include "ps.h"
#include "vm.h"

#define KERNEL_VARIABLE ((PVOID)MM_IMAGE_BASE) /* readable, and not the program's */

/* What the program has in its memory. */
typedef struct _USER_PAGE {
    PVOID Base;
    SIZE_T Size, Length;
    HANDLE Section;
    ULONG Old;
    LARGE_INTEGER Bytes;
    IO_STATUS_BLOCK Iosb;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    WCHAR Text[32];
    union {
        MEMORY_BASIC_INFORMATION Basic;
        MEMORY_WORKING_SET_EX_INFORMATION Page;
        SECTION_BASIC_INFORMATION Section;
    } Answer;
} USER_PAGE;

#define ME ((USER_PAGE *)KT_USER_BASE)
#define PROCESS ((HANDLE) - 1)

static POBJECT_ATTRIBUTES UserName(PCWSTR Text, ULONG Attributes)
{
    SIZE_T Length = wcslen(Text) * sizeof(WCHAR);
    RtlCopyMemory(ME->Text, Text, Length);
    ME->Name = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, ME->Text};
    InitializeObjectAttributes(&ME->Attributes, &ME->Name, Attributes, NULL, NULL);
    return &ME->Attributes;
}

static NTSTATUS UserSection(ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes)
{
    ME->Bytes.QuadPart = 0x2000;
    return NtCreateSection(&ME->Section, Access, Attributes, &ME->Bytes, PAGE_READWRITE, SEC_COMMIT, NULL);
}

/* --- virtual memory --- */

static VOID UserVirtual(KT_CONTEXT *Kt)
{
    ME->Base = NULL;
    ME->Size = 0x3000;
    KT_EXPECT(NtAllocateVirtualMemory(PROCESS, &ME->Base, 0, &ME->Size, MEM_COMMIT, PAGE_READWRITE) == 0);
    KT_EXPECT(ME->Base != NULL && ME->Size == 0x3000);
    KT_EXPECT(NtQueryVirtualMemory(PROCESS, ME->Base, MemoryBasicInformation, &ME->Answer,
                                   sizeof(ME->Answer.Basic), &ME->Length) == 0);
    KT_EXPECT(ME->Answer.Basic.RegionSize == 0x3000 && ME->Length == sizeof(ME->Answer.Basic));
    KT_EXPECT(NtLockVirtualMemory(PROCESS, &ME->Base, &ME->Size, 1) == 0);
    ME->Answer.Page.VirtualAddress = ME->Base;
    KT_EXPECT(NtQueryVirtualMemory(PROCESS, NULL, MemoryWorkingSetExInformation, &ME->Answer,
                                   sizeof(ME->Answer.Page), NULL) == 0);
    KT_EXPECT(ME->Answer.Page.VirtualAttributes & 1);
    KT_EXPECT(NtUnlockVirtualMemory(PROCESS, &ME->Base, &ME->Size, 1) == 0);
    KT_EXPECT(NtProtectVirtualMemory(PROCESS, &ME->Base, &ME->Size, PAGE_READONLY, &ME->Old) == 0);
    KT_EXPECT(ME->Old == PAGE_READWRITE);
    ME->Size = 0;
    KT_EXPECT(NtFreeVirtualMemory(PROCESS, &ME->Base, &ME->Size, MEM_RELEASE) == 0);
}

KT_TEST(vm_services_work_for_user_mode)
{
    KtAsUser(Kt, 1, UserVirtual);
}

/* Each pointer in turn leads into the kernel, or where nothing is: the service fails and has done nothing. */
static BOOLEAN UserRefuses(PVOID Wrong)
{
    PVOID *Base = Wrong;
    SIZE_T *Size = Wrong;
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;

    return NtAllocateVirtualMemory(PROCESS, Base, 0, &ME->Size, MEM_COMMIT, PAGE_READWRITE) == No &&
           NtAllocateVirtualMemory(PROCESS, &ME->Base, 0, Size, MEM_COMMIT, PAGE_READWRITE) == No &&
           NtFreeVirtualMemory(PROCESS, Base, &ME->Size, MEM_DECOMMIT) == No &&
           NtFreeVirtualMemory(PROCESS, &ME->Base, Size, MEM_DECOMMIT) == No &&
           NtProtectVirtualMemory(PROCESS, Base, &ME->Size, PAGE_READONLY, &ME->Old) == No &&
           NtProtectVirtualMemory(PROCESS, &ME->Base, Size, PAGE_READONLY, &ME->Old) == No &&
           NtProtectVirtualMemory(PROCESS, &ME->Base, &ME->Size, PAGE_READONLY, Wrong) == No &&
           NtLockVirtualMemory(PROCESS, Base, &ME->Size, 1) == No &&
           NtUnlockVirtualMemory(PROCESS, &ME->Base, Size, 1) == No &&
           NtFlushVirtualMemory(PROCESS, Base, &ME->Size, &ME->Iosb) == No &&
           NtFlushVirtualMemory(PROCESS, &ME->Base, &ME->Size, Wrong) == No &&
           NtQueryVirtualMemory(PROCESS, ME, MemoryBasicInformation, Wrong, 48, NULL) == No &&
           NtQueryVirtualMemory(PROCESS, ME, MemoryWorkingSetExInformation, Wrong, 16, NULL) == No &&
           NtQueryVirtualMemory(PROCESS, ME, MemoryBasicInformation, &ME->Answer, 48, Wrong) == No &&
           NtQuerySection(ME->Section, SectionBasicInformation, Wrong, 24, NULL) == No &&
           NtQuerySection(ME->Section, SectionBasicInformation, &ME->Answer, 24, Wrong) == No;
}

static BOOLEAN UserRefusesSection(PVOID Wrong)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;
    HANDLE Good = ME->Section;
    PVOID *Base = Wrong;

    return NtCreateSection(Wrong, SECTION_ALL_ACCESS, NULL, &ME->Bytes, PAGE_READWRITE, SEC_COMMIT, NULL) ==
               No &&
           NtCreateSection(&ME->Section, SECTION_ALL_ACCESS, NULL, Wrong, PAGE_READWRITE, SEC_COMMIT, NULL) ==
               No &&
           UserSection(SECTION_ALL_ACCESS, Wrong) == No &&
           NtOpenSection(Wrong, SECTION_ALL_ACCESS, UserName(L"\\BaseNamedObjects\\KtUser", 0)) == No &&
           NtOpenSection(&ME->Section, SECTION_ALL_ACCESS, Wrong) == No &&
           NtMapViewOfSection(Good, PROCESS, Base, 0, 0, NULL, &ME->Size, ViewUnmap, 0, PAGE_READONLY) ==
               No &&
           NtMapViewOfSection(Good, PROCESS, &ME->Base, 0, 0, Wrong, &ME->Size, ViewUnmap, 0,
                              PAGE_READONLY) == No &&
           NtMapViewOfSection(Good, PROCESS, &ME->Base, 0, 0, NULL, Wrong, ViewUnmap, 0, PAGE_READONLY) == No;
}

/* The name's structure and the name itself. */
static BOOLEAN UserRefusesName(PVOID Wrong)
{
    ME->Attributes.ObjectName = Wrong;
    BOOLEAN Right = UserSection(SECTION_ALL_ACCESS, &ME->Attributes) == STATUS_ACCESS_VIOLATION;
    ME->Attributes.ObjectName = &ME->Name;
    ME->Name.Buffer = Wrong;
    return Right && UserSection(SECTION_ALL_ACCESS, &ME->Attributes) == STATUS_ACCESS_VIOLATION;
}

static MM_SPACE_COUNTERS UserCounters(VOID)
{
    MM_SPACE_COUNTERS Counters;
    MmQueryAddressSpace(((PEPROCESS)KiCurrentThread()->ApcState.Process)->Pcb.AddressSpace, &Counters);
    return Counters;
}

/* Nothing was mapped, committed or locked since then. */
static BOOLEAN UserIsAsBefore(const MM_SPACE_COUNTERS *Before)
{
    MM_SPACE_COUNTERS Now = UserCounters();
    return Now.VirtualPages == Before->VirtualPages && Now.CommitPages == Before->CommitPages &&
           Now.LockedPages == Before->LockedPages;
}

static VOID UserPointers(KT_CONTEXT *Kt)
{
    PVOID Wrong[] = {KERNEL_VARIABLE, (PVOID)0x30000000, (PVOID)~7ull, (PVOID)0x8000000000000000};

    KT_EXPECT(UserSection(SECTION_ALL_ACCESS, NULL) == 0);
    MM_SPACE_COUNTERS Before = UserCounters();
    for (ULONG I = 0; I < RTL_NUMBER_OF(Wrong); I++) {
        ME->Base = ME;
        ME->Size = PAGE_SIZE;
        KT_EXPECT(UserRefuses(Wrong[I]));
        ME->Base = NULL;
        KT_EXPECT(UserRefusesSection(Wrong[I]));
        KT_EXPECT(UserRefusesName(Wrong[I]));
    }
    KT_EXPECT(UserIsAsBefore(&Before));
    KT_EXPECT(ObCloseHandle(ME->Section, UserMode) == 0);
}

KT_TEST(vm_services_touch_only_user_memory_for_user_mode)
{
    KtAsUser(Kt, 1, UserPointers);
}

/* Variables that can be read but not written: refused before anything is done. */
static VOID UserReadOnly(KT_CONTEXT *Kt)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;

    KT_EXPECT(UserSection(SECTION_ALL_ACCESS, NULL) == 0);
    ME->Base = NULL;
    ME->Size = PAGE_SIZE;
    KT_EXPECT(NtAllocateVirtualMemory(PROCESS, &ME->Base, 0, &ME->Size, MEM_COMMIT, PAGE_READWRITE) == 0);
    USER_PAGE *Fixed = ME->Base;
    Fixed->Size = PAGE_SIZE; /* Base, Offset: NULL, 0 */
    KT_EXPECT(NtProtectVirtualMemory(PROCESS, &ME->Base, &ME->Size, PAGE_READONLY, &ME->Old) == 0);
    MM_SPACE_COUNTERS Before = UserCounters();
    ME->Base = NULL;
    KT_EXPECT(NtAllocateVirtualMemory(PROCESS, &Fixed->Base, 0, &ME->Size, MEM_COMMIT, PAGE_READWRITE) == No);
    KT_EXPECT(NtAllocateVirtualMemory(PROCESS, &ME->Base, 0, &Fixed->Size, MEM_COMMIT, PAGE_READWRITE) == No);
    KT_EXPECT(NtMapViewOfSection(ME->Section, PROCESS, &Fixed->Base, 0, 0, NULL, &ME->Size, ViewUnmap, 0,
                                 PAGE_READONLY) == No);
    KT_EXPECT(NtMapViewOfSection(ME->Section, PROCESS, &ME->Base, 0, 0, &Fixed->Bytes, &ME->Size, ViewUnmap,
                                 0, PAGE_READONLY) == No);
    ME->Base = ME;
    KT_EXPECT(NtLockVirtualMemory(PROCESS, &ME->Base, &Fixed->Size, 1) == No);
    KT_EXPECT(UserIsAsBefore(&Before));
    KT_EXPECT(ObCloseHandle(ME->Section, UserMode) == 0);
}

KT_TEST(vm_services_probe_what_they_will_write)
{
    KtAsUser(Kt, 1, UserReadOnly);
}

/* --- handles --- */

static VOID UserHandles(KT_CONTEXT *Kt)
{
    ME->Base = NULL;
    ME->Size = 0;
    KT_EXPECT(UserSection(SECTION_QUERY, UserName(L"\\BaseNamedObjects\\KtUser", OBJ_KERNEL_HANDLE)) == 0);
    KT_EXPECT(!ObIsKernelHandle(ME->Section));
    KT_EXPECT(NtQuerySection(ME->Section, SectionBasicInformation, &ME->Answer, sizeof(ME->Answer.Section),
                             NULL) == 0);
    KT_EXPECT(ME->Answer.Section.MaximumSize.QuadPart == 0x2000);
    KT_EXPECT(NtMapViewOfSection(ME->Section, PROCESS, &ME->Base, 0, 0, NULL, &ME->Size, ViewUnmap, 0,
                                 PAGE_READONLY) == STATUS_ACCESS_DENIED);
    HANDLE First = ME->Section;
    KT_EXPECT(NtOpenSection(&ME->Section, SECTION_MAP_READ, &ME->Attributes) == 0);
    KT_EXPECT(NtQuerySection(ME->Section, SectionBasicInformation, &ME->Answer, sizeof(ME->Answer.Section),
                             NULL) == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtMapViewOfSection(ME->Section, PROCESS, &ME->Base, 0, 0, NULL, &ME->Size, ViewUnmap, 0,
                                 PAGE_READWRITE) == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtMapViewOfSection(ME->Section, PROCESS, &ME->Base, 0, 0, NULL, &ME->Size, ViewUnmap, 0,
                                 PAGE_READONLY) == 0);
    KT_EXPECT(ME->Size == 0x2000 && NtUnmapViewOfSection(PROCESS, ME->Base) == 0);
    KT_EXPECT(ObCloseHandle(ME->Section, UserMode) == 0 && ObCloseHandle(First, UserMode) == 0);
}

KT_TEST(vm_services_check_access_for_user_mode)
{
    KtAsUser(Kt, 1, UserHandles);
}

/* A handle of the kernel's own section. */
static NTSTATUS KernelSection(PHANDLE Section)
{
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Bytes = {.QuadPart = 0x1000};

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateSection(Section, SECTION_ALL_ACCESS, &Attributes, &Bytes, PAGE_READWRITE, SEC_COMMIT,
                           NULL);
}

static VOID UserKernelHandles(KT_CONTEXT *Kt)
{
    HANDLE Section;

    KT_EXPECT(KernelSection(&Section) == 0);
    NTSTATUS Queried = NtQuerySection(Section, SectionBasicInformation, &ME->Answer, 24, NULL);
    NTSTATUS Unmapped = NtUnmapViewOfSection(Section, ME);
    ZwClose(Section);
    KT_EXPECT(Queried == STATUS_INVALID_HANDLE && Unmapped == STATUS_INVALID_HANDLE);
}

KT_TEST(vm_services_know_kernel_handles)
{
    KtAsUser(Kt, 1, UserKernelHandles);
}

/* --- \Device\PhysicalMemory --- */

static VOID UserPhysical(KT_CONTEXT *Kt)
{
    POBJECT_ATTRIBUTES Name = UserName(L"\\Device\\PhysicalMemory", OBJ_CASE_INSENSITIVE | OBJ_OPENIF);
    HANDLE Section;

    KT_EXPECT(NtOpenSection(&ME->Section, SECTION_MAP_READ, Name) == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtOpenSection(&ME->Section, SECTION_QUERY, Name) == STATUS_ACCESS_DENIED);
    KT_EXPECT(UserSection(SECTION_MAP_READ, Name) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ZwOpenSection(&Section, SECTION_MAP_READ, Name) == 0);
    ZwClose(Section);
}

KT_TEST(vm_physical_memory_is_not_for_user_mode)
{
    KtAsUser(Kt, 1, UserPhysical);
}
