/* SPDX-License-Identifier: MIT
 * Virtual memory of the current process, which is the System process here. [WDK ZwAllocateVirtualMemory, ZwFreeVirtualMemory,
 * ZwProtectVirtualMemory, ZwQueryVirtualMemory, MmSecureVirtualMemory, Memory Protection Constants] */
#include "ct_touch.h"

#define SYSTEM_START ((PVOID)0xffff800000000000)

#define GRANULARITY 0x10000u

static PVOID Base;
static SIZE_T Size;

/* Reserves, commits or both, anywhere. */
static NTSTATUS Take(SIZE_T Bytes, ULONG Type, ULONG Protect)
{
    Base = NULL;
    Size = Bytes;
    return ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, Type, Protect);
}

static NTSTATUS CommitAt(ULONG_PTR Offset, SIZE_T Bytes, ULONG Protect)
{
    PVOID At = (PUCHAR)Base + Offset;
    return ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_COMMIT, Protect);
}

static NTSTATUS FreeAt(ULONG_PTR Offset, SIZE_T Bytes, ULONG Type)
{
    PVOID At = (PUCHAR)Base + Offset;
    return ZwFreeVirtualMemory(ZwCurrentProcess(), &At, &Bytes, Type);
}

static NTSTATUS GiveBack(VOID)
{
    return FreeAt(0, 0, MEM_RELEASE);
}

static NTSTATUS WriteAt(ULONG_PTR Offset, UCHAR Value)
{
    return CtWrite((PUCHAR)Base + Offset, Value);
}

static NTSTATUS ReadAt(ULONG_PTR Offset, PUCHAR Value)
{
    return CtRead((PUCHAR)Base + Offset, Value);
}

static BOOLEAN Holds(ULONG_PTR Offset, UCHAR Wanted)
{
    return CtHolds((PUCHAR)Base + Offset, Wanted);
}

static BOOLEAN Faults(ULONG_PTR Offset)
{
    return CtFaults((PUCHAR)Base + Offset);
}

/* --- reserve, commit, decommit, release --- */

static VOID VirtualReserve(VOID)
{
    CT_SUCCESS(Take(0x12345, MEM_RESERVE, PAGE_READWRITE));
    CT_EQUAL((ULONG_PTR)Base % GRANULARITY, 0);
    CT_EQUAL(Size, 0x13000);
    CT_STATUS(WriteAt(0, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(CommitAt(0x2001, 0x1fff, PAGE_READWRITE));
    CT_CHECK(Holds(0x2000, 0) && Holds(0x3fff, 0));
    CT_SUCCESS(WriteAt(0x3fff, 0x5a));
    CT_CHECK(Holds(0x3fff, 0x5a));
    CT_STATUS(WriteAt(0x4000, 1), STATUS_ACCESS_VIOLATION);
    CT_STATUS(WriteAt(0x1fff, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(FreeAt(0x3000, 0x1000, MEM_DECOMMIT));
    CT_STATUS(WriteAt(0x3fff, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(WriteAt(0x2fff, 1));
    CT_SUCCESS(CommitAt(0x3000, 0x1000, PAGE_READWRITE));
    CT_CHECK(Holds(0x3fff, 0)); /* what was decommitted is gone */
    CT_SUCCESS(GiveBack());
    CT_STATUS(WriteAt(0x2000, 1), STATUS_ACCESS_VIOLATION);
    CT_STATUS(GiveBack(), STATUS_MEMORY_NOT_ALLOCATED);
}

static VOID VirtualCommit(VOID)
{
    CT_SUCCESS(Take(0x8000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    for (ULONG At = 0; At < 0x8000; At += PAGE_SIZE)
        CT_CHECK(Holds(At, 0) && NT_SUCCESS(WriteAt(At, (UCHAR)(At >> 12))));
    CT_SUCCESS(FreeAt(0x1000, 0x2000, MEM_DECOMMIT));
    CT_STATUS(WriteAt(0x1000, 1), STATUS_ACCESS_VIOLATION);
    CT_CHECK(Holds(0x3000, 3));
    /* a part is committed already and keeps its contents */
    CT_SUCCESS(CommitAt(0, 0x8000, PAGE_READONLY));
    CT_CHECK(Holds(0x1000, 0) && Holds(0x3000, 3));
    CT_STATUS(WriteAt(0x3000, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(FreeAt(0, 0, MEM_DECOMMIT));
    CT_STATUS(WriteAt(0x7000, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(GiveBack());
    /* MEM_COMMIT without an address reserves too */
    CT_SUCCESS(Take(1, MEM_COMMIT, PAGE_READWRITE));
    CT_CHECK(Size == PAGE_SIZE && Holds(0, 0));
    CT_SUCCESS(GiveBack());
}

static VOID VirtualPlace(VOID)
{
    CT_SUCCESS(Take(0x20000, MEM_RESERVE, PAGE_READWRITE));
    ULONG_PTR First = (ULONG_PTR)Base;
    CT_SUCCESS(GiveBack());
    PVOID At = (PVOID)(First + 0x1234);
    SIZE_T Bytes = 0x1000;
    CT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_RESERVE, PAGE_READWRITE));
    CT_EQUAL(At, First); /* rounded down to the granularity, the end up to a page */
    CT_EQUAL(Bytes, 0x3000);
    PVOID Again = (PVOID)First;
    SIZE_T More = 0x20000;
    CT_STATUS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Again, 0, &More, MEM_RESERVE, PAGE_READWRITE),
              STATUS_CONFLICTING_ADDRESSES);
    Base = At;
    CT_SUCCESS(GiveBack());
    CT_SUCCESS(Take(0x10000, MEM_RESERVE, PAGE_READWRITE));
    ULONG_PTR Low = (ULONG_PTR)Base;
    CT_SUCCESS(GiveBack());
    CT_SUCCESS(Take(0x10000, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE));
    CT_CHECK((ULONG_PTR)Base > Low);
    CT_SUCCESS(GiveBack());
    Base = NULL;
    Size = 0x10000;
    CT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 8, &Size, MEM_RESERVE, PAGE_READWRITE));
    CT_CHECK((ULONG_PTR)Base + Size <= 0x1000000);
    CT_SUCCESS(GiveBack());
}

/* A part of a range is released: what is left stays. */
static VOID VirtualSplit(VOID)
{
    CT_SUCCESS(Take(0x30000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    CT_SUCCESS(WriteAt(0, 1));
    CT_SUCCESS(WriteAt(0x10000, 2));
    CT_SUCCESS(WriteAt(0x20000, 3));
    CT_SUCCESS(FreeAt(0x10000, 0x10000, MEM_RELEASE));
    CT_CHECK(Holds(0, 1) && Holds(0x20000, 3));
    CT_STATUS(WriteAt(0x10000, 1), STATUS_ACCESS_VIOLATION);
    CT_STATUS(FreeAt(0x8000, 0, MEM_RELEASE), STATUS_FREE_VM_NOT_AT_BASE);
    CT_STATUS(FreeAt(0, 0x20000, MEM_RELEASE), STATUS_UNABLE_TO_FREE_VM);
    CT_SUCCESS(FreeAt(0x20000, 0, MEM_RELEASE));
    CT_CHECK(Holds(0, 1));
    CT_SUCCESS(GiveBack());
}

static NTSTATUS Refused(PVOID At, ULONG_PTR ZeroBits, SIZE_T Bytes, ULONG Type, ULONG Protect)
{
    return ZwAllocateVirtualMemory(ZwCurrentProcess(), &At, ZeroBits, &Bytes, Type, Protect);
}

static VOID VirtualWrong(VOID)
{
    CT_STATUS(Refused(NULL, 0, 0, MEM_COMMIT, PAGE_READWRITE), STATUS_INVALID_PARAMETER_4);
    CT_STATUS(Refused(NULL, 25, 1, MEM_COMMIT, PAGE_READWRITE), STATUS_INVALID_PARAMETER_3);
    CT_STATUS(Refused(NULL, 32, 1, MEM_COMMIT, PAGE_READWRITE), STATUS_INVALID_PARAMETER_3);
    CT_STATUS(Refused(NULL, 0x28, 1, MEM_COMMIT, PAGE_READWRITE), STATUS_INVALID_PARAMETER_3);
    CT_STATUS(Refused((PVOID)0x7ff000000000, 1, 1, MEM_RESERVE, PAGE_READWRITE), STATUS_INVALID_PARAMETER_3);
    CT_STATUS(Refused(NULL, 0, 1, 0, PAGE_READWRITE), STATUS_INVALID_PARAMETER_5);
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT | 1, PAGE_READWRITE), STATUS_INVALID_PARAMETER_5);
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT, 0), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT, PAGE_READONLY | PAGE_READWRITE),
              STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT, PAGE_WRITECOPY), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT, PAGE_READWRITE | PAGE_NOCACHE),
              STATUS_NOT_SUPPORTED); /* D-120 */
    CT_STATUS(Refused(NULL, 0, 1, MEM_COMMIT, PAGE_NOACCESS | PAGE_GUARD), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Refused(SYSTEM_START, 0, 1, MEM_RESERVE, PAGE_READWRITE), STATUS_INVALID_PARAMETER_2);
    CT_STATUS(Refused((PVOID)0x10000, 0, ~(SIZE_T)0, MEM_RESERVE, PAGE_READWRITE),
              STATUS_INVALID_PARAMETER_4);
    CT_STATUS(FreeAt(0, 0, 0), STATUS_INVALID_PARAMETER_4);
    CT_STATUS(FreeAt(0, 0, MEM_RELEASE | MEM_DECOMMIT), STATUS_INVALID_PARAMETER_4);
    PVOID At = NULL;
    SIZE_T Bytes = 1;
    CT_STATUS(ZwAllocateVirtualMemory((HANDLE)0x7fff0, &At, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE),
              STATUS_INVALID_HANDLE);
}

/* [WDK ZwAllocateVirtualMemory] more than there can be memory for is refused; what is reserved stays so, and costs nothing to look at. */
static VOID VirtualLimit(VOID)
{
    const SIZE_T Huge = 1ull << 43;
    MEMORY_BASIC_INFORMATION Basic;
    CT_REQUIRE(CT_SUCCESS(Take(Huge, MEM_RESERVE, PAGE_READWRITE)));
    CT_STATUS(CommitAt(0, Huge, PAGE_READWRITE), STATUS_COMMITMENT_LIMIT);
    CT_STATUS(CommitAt(0x1000, Huge - 0x2000, PAGE_READWRITE), STATUS_COMMITMENT_LIMIT);
    CT_SUCCESS(CommitAt(Huge / 2, 0x3000, PAGE_READWRITE));
    CT_SUCCESS(WriteAt(Huge / 2, 1));
    CT_STATUS(WriteAt(0x1000, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(
        ZwQueryVirtualMemory(ZwCurrentProcess(), Base, MemoryBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_CHECK(Basic.State == MEM_RESERVE && Basic.RegionSize == Huge / 2);
    CT_SUCCESS(GiveBack());
    CT_STATUS(Take(Huge, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), STATUS_COMMITMENT_LIMIT);
}

static VOID VirtualNt(VOID)
{
    PVOID At = NULL;
    SIZE_T Bytes = 0x5000;
    CT_SUCCESS(NtAllocateVirtualMemory(ZwCurrentProcess(), &At, 0, &Bytes, MEM_COMMIT, PAGE_READWRITE));
    Base = At;
    CT_SUCCESS(WriteAt(0x4fff, 9));
    Bytes = 0;
    CT_SUCCESS(NtFreeVirtualMemory(ZwCurrentProcess(), &At, &Bytes, MEM_RELEASE));
    CT_STATUS(WriteAt(0x4fff, 9), STATUS_ACCESS_VIOLATION);
}

/* --- protection --- */

static NTSTATUS Protect(ULONG_PTR Offset, SIZE_T Bytes, ULONG New, PULONG Old)
{
    PVOID At = (PUCHAR)Base + Offset;
    return ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Bytes, New, Old);
}

static VOID VirtualProtect(VOID)
{
    ULONG Old = 0;
    CT_SUCCESS(Take(0x10000, MEM_RESERVE, PAGE_READWRITE));
    CT_STATUS(Protect(0, 0x1000, PAGE_READONLY, &Old), STATUS_NOT_COMMITTED);
    CT_SUCCESS(CommitAt(0, 0x4000, PAGE_READWRITE));
    CT_SUCCESS(WriteAt(0x1000, 7));
    CT_SUCCESS(Protect(0x1000, 0x1000, PAGE_READONLY, &Old));
    CT_EQUAL(Old, PAGE_READWRITE);
    CT_CHECK(Holds(0x1000, 7));
    CT_STATUS(WriteAt(0x1000, 1), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(WriteAt(0x2000, 1));
    CT_SUCCESS(Protect(0x1000, 1, PAGE_NOACCESS, &Old));
    CT_EQUAL(Old, PAGE_READONLY);
    CT_CHECK(Faults(0x1000));
    CT_SUCCESS(Protect(0x1000, 1, PAGE_EXECUTE_READWRITE, &Old)); /* user memory may be both */
    CT_EQUAL(Old, PAGE_NOACCESS);
    CT_CHECK(Holds(0x1000, 7));
    CT_SUCCESS(WriteAt(0x1000, 8));
    CT_STATUS(Protect(0x3000, 0x2000, PAGE_READONLY, &Old), STATUS_NOT_COMMITTED);
    CT_STATUS(Protect(0x1000, 1, PAGE_WRITECOPY, &Old), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(Protect(0x1000, 1, 3, &Old), STATUS_INVALID_PAGE_PROTECTION);
    CT_SUCCESS(GiveBack());
    CT_STATUS(Protect(0x1000, 1, PAGE_READONLY, &Old), STATUS_CONFLICTING_ADDRESSES);
}

/* The first access is told, the next ones are not. */
static VOID VirtualGuard(VOID)
{
    ULONG Old;
    CT_SUCCESS(Take(0x3000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD));
    CT_STATUS(WriteAt(0x1000, 1), STATUS_GUARD_PAGE_VIOLATION);
    CT_SUCCESS(WriteAt(0x1000, 1));
    UCHAR Value;
    CT_STATUS(ReadAt(0x2000, &Value), STATUS_GUARD_PAGE_VIOLATION);
    CT_CHECK(Holds(0x2000, 0));
    CT_SUCCESS(Protect(0x1000, 0x1000, PAGE_READONLY | PAGE_GUARD, &Old));
    CT_EQUAL(Old, PAGE_READWRITE);
    CT_STATUS(WriteAt(0x1000, 2), STATUS_GUARD_PAGE_VIOLATION);
    CT_STATUS(WriteAt(0x1000, 2), STATUS_ACCESS_VIOLATION);
    CT_CHECK(Holds(0x1000, 1));
    CT_SUCCESS(GiveBack());
}

/* Whatever address: an exception, never a crash. */
static VOID VirtualFault(VOID)
{
    static const ULONG_PTR Addresses[] = {
        0, 8, 0xffff, 0x7ffe0000 + PAGE_SIZE, 0x7fffffff0000, 0x7fffffffffff};
    UCHAR Value;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Addresses); i++)
        CT_STATUS(CtRead((PVOID)Addresses[i], &Value), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(CtRead((PVOID)0x7ffe0000 + 0x26c, &Value)); /* KUSER_SHARED_DATA.NtMajorVersion */
    CT_EQUAL(Value, 10);
    Base = (PVOID)0x7ffe0000;
    CT_STATUS(WriteAt(0, 0), STATUS_ACCESS_VIOLATION);
    CT_STATUS(GiveBack() == STATUS_SUCCESS, FALSE);
}

/* The first bytes of a file, over all pages of the block. */
static NTSTATUS ReadIntoBlock(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\ntoskrnl.exe");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    HANDLE File;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, FILE_SHARE_READ,
                            FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0));
    NTSTATUS Status = ZwReadFile(File, NULL, NULL, NULL, &Iosb, Base, 0x3000, &Offset, NULL);
    CT_SUCCESS(ZwClose(File));
    return Status;
}

/* A buffer that cannot be written is an exception to who probes it, and a status to who passes it with a request. */
static NTSTATUS ProbeWrite(PVOID Context)
{
    ProbeForWrite(Context, 0x3000, 1);
    return STATUS_SUCCESS;
}

static VOID VirtualProbe(VOID)
{
    ULONG Old;
    CT_SUCCESS(Take(0x3000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    CT_SUCCESS(NtboxGuardedCall(ProbeWrite, Base));
    CT_SUCCESS(ReadIntoBlock());
    CT_CHECK(Holds(0, 'M') && Holds(1, 'Z'));
    CT_SUCCESS(Protect(0x2000, 0x1000, PAGE_READONLY, &Old));
    CT_STATUS(NtboxGuardedCall(ProbeWrite, Base), STATUS_ACCESS_VIOLATION);
    CT_STATUS(ReadIntoBlock(), STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(GiveBack());
    CT_STATUS(NtboxGuardedCall(ProbeWrite, Base), STATUS_ACCESS_VIOLATION);
    CT_STATUS(ReadIntoBlock(), STATUS_ACCESS_VIOLATION);
}

/* --- query --- */

static NTSTATUS Query(ULONG_PTR Offset, MEMORY_BASIC_INFORMATION *Information)
{
    SIZE_T Length = 0;
    NTSTATUS Status = ZwQueryVirtualMemory(ZwCurrentProcess(), (PUCHAR)Base + Offset, MemoryBasicInformation,
                                           Information, sizeof(*Information), &Length);
    if (NT_SUCCESS(Status))
        CT_EQUAL(Length, sizeof(*Information));
    return Status;
}

static VOID ExpectRegion(ULONG_PTR Offset, ULONG_PTR First, SIZE_T Bytes, ULONG State, ULONG Access)
{
    MEMORY_BASIC_INFORMATION Information;
    CT_SUCCESS(Query(Offset, &Information));
    CT_EQUAL(Information.BaseAddress, (PUCHAR)Base + First);
    CT_EQUAL(Information.RegionSize, Bytes);
    CT_EQUAL(Information.State, State);
    CT_EQUAL(Information.Protect, Access);
    CT_EQUAL(Information.AllocationBase, Base);
    CT_EQUAL(Information.AllocationProtect, PAGE_EXECUTE_READ);
    CT_EQUAL(Information.Type, MEM_PRIVATE);
}

static VOID VirtualQuery(VOID)
{
    MEMORY_BASIC_INFORMATION Information;
    MEMORY_REGION_INFORMATION Region;
    MEMORY_WORKING_SET_EX_INFORMATION Page;
    CT_SUCCESS(Take(0x10000, MEM_RESERVE, PAGE_EXECUTE_READ));
    CT_SUCCESS(CommitAt(0x2000, 0x3000, PAGE_READWRITE));
    CT_SUCCESS(WriteAt(0x3000, 1));
    ExpectRegion(0x234, 0, 0x2000, MEM_RESERVE, 0);
    ExpectRegion(0x2fff, 0x2000, 0x3000, MEM_COMMIT, PAGE_READWRITE);
    ExpectRegion(0x4000, 0x4000, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    ExpectRegion(0x5000, 0x5000, 0xb000, MEM_RESERVE, 0);
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), Base, MemoryRegionInformation, &Region,
                                    sizeof(Region), NULL));
    CT_CHECK(Region.AllocationBase == Base && Region.RegionSize == 0x10000 && Region.CommitSize == 0x3000);
    Page.VirtualAddress = (PUCHAR)Base + 0x3000;
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), NULL, MemoryWorkingSetExInformation, &Page,
                                    sizeof(Page), NULL));
    CT_EQUAL(Page.VirtualAttributes & 0xfff1, 1 | PAGE_READWRITE << 4);
    Page.VirtualAddress = (PUCHAR)Base + 0x4000;
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), NULL, MemoryWorkingSetExInformation, &Page,
                                    sizeof(Page), NULL));
    CT_EQUAL(Page.VirtualAttributes & 1, 0);
    CT_SUCCESS(GiveBack());
    CT_SUCCESS(Query(0, &Information));
    CT_CHECK(Information.State == MEM_FREE && Information.Protect == PAGE_NOACCESS);
    CT_STATUS(ZwQueryVirtualMemory(ZwCurrentProcess(), Base, MemoryBasicInformation, &Information, 8, NULL),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwQueryVirtualMemory(ZwCurrentProcess(), SYSTEM_START, MemoryBasicInformation, &Information,
                                   sizeof(Information), NULL),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(ZwQueryVirtualMemory(ZwCurrentProcess(), Base, (MEMORY_INFORMATION_CLASS)99, &Information,
                                   sizeof(Information), NULL),
              STATUS_INVALID_INFO_CLASS);
}

/* --- locked, secured, copied --- */

static VOID VirtualLock(VOID)
{
    PVOID At;
    SIZE_T Bytes = 0x2000;
    MEMORY_WORKING_SET_EX_INFORMATION Page;
    CT_SUCCESS(Take(0x4000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    At = Base;
    CT_SUCCESS(ZwLockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1));
    Page.VirtualAddress = (PUCHAR)Base + 0x1000;
    CT_SUCCESS(ZwQueryVirtualMemory(ZwCurrentProcess(), NULL, MemoryWorkingSetExInformation, &Page,
                                    sizeof(Page), NULL));
    CT_CHECK((Page.VirtualAttributes & 1) && (Page.VirtualAttributes & 1 << 22));
    Bytes = 0x3000;
    CT_STATUS(ZwUnlockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1), STATUS_NOT_LOCKED);
    Bytes = 0x2000;
    CT_SUCCESS(ZwUnlockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1));
    CT_STATUS(ZwUnlockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1), STATUS_NOT_LOCKED);
    CT_SUCCESS(GiveBack());
    Bytes = 0x1000;
    CT_STATUS(ZwLockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1), STATUS_ACCESS_VIOLATION);
    /* all or none */
    CT_SUCCESS(Take(0x4000, MEM_RESERVE, PAGE_READWRITE));
    CT_SUCCESS(CommitAt(0, 0x2000, PAGE_READWRITE));
    At = Base;
    Bytes = 0x4000;
    CT_CHECK(!NT_SUCCESS(ZwLockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1)));
    Bytes = 0x1000;
    CT_STATUS(ZwUnlockVirtualMemory(ZwCurrentProcess(), &At, &Bytes, 1), STATUS_NOT_LOCKED);
    CT_SUCCESS(GiveBack());
}

static VOID VirtualSecure(VOID)
{
    ULONG Old;
    CT_SUCCESS(Take(0x3000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    HANDLE Secure = MmSecureVirtualMemory((PUCHAR)Base + 0x1000, 0x1000, PAGE_READWRITE);
    CT_REQUIRE(Secure != NULL);
    CT_STATUS(Protect(0x1000, 0x1000, PAGE_READONLY, &Old), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(FreeAt(0x1000, 0x1000, MEM_DECOMMIT), STATUS_INVALID_PAGE_PROTECTION);
    CT_STATUS(GiveBack(), STATUS_INVALID_PAGE_PROTECTION);
    CT_SUCCESS(WriteAt(0x1000, 1));
    CT_SUCCESS(Protect(0x2000, 0x1000, PAGE_READONLY, &Old));
    MmUnsecureVirtualMemory(Secure);
    CT_SUCCESS(Protect(0x1000, 0x1000, PAGE_READONLY, &Old));
    CT_CHECK(MmSecureVirtualMemory((PUCHAR)Base + 0x1000, 0x1000, PAGE_READWRITE) == NULL);
    Secure = MmSecureVirtualMemory((PUCHAR)Base + 0x1000, 0x1000, PAGE_READONLY);
    CT_CHECK(Secure != NULL);
    MmUnsecureVirtualMemory(Secure);
    CT_SUCCESS(GiveBack());
    CT_CHECK(MmSecureVirtualMemory(Base, 1, PAGE_READONLY) == NULL);
}

static VOID VirtualCopy(VOID)
{
    SIZE_T Done = 77;
    UCHAR Text[16] = "0123456789abcde";
    CT_SUCCESS(Take(0x2000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    CT_SUCCESS(MmCopyVirtualMemory(IoGetCurrentProcess(), Text, IoGetCurrentProcess(), (PUCHAR)Base + 0xff8,
                                   16, KernelMode, &Done));
    CT_CHECK(Done == 16 && Holds(0xff8, '0') && Holds(0x1006, 'e'));
    CT_STATUS(MmCopyVirtualMemory(IoGetCurrentProcess(), Text, IoGetCurrentProcess(), (PUCHAR)Base + 0x1ff8,
                                  16, KernelMode, &Done),
              STATUS_PARTIAL_COPY);
    CT_STATUS(
        MmCopyVirtualMemory(IoGetCurrentProcess(), Text, IoGetCurrentProcess(), Base, 16, UserMode, &Done),
        STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(GiveBack());
}

/* --- MDLs of user memory --- */

static NTSTATUS LockGuarded(PVOID Mdl)
{
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* Pages that nobody has touched are made; they stay although their owner frees them. */
static VOID VirtualMdl(VOID)
{
    CT_SUCCESS(Take(0x3000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
    PMDL Mdl = IoAllocateMdl((PUCHAR)Base + 0x123, 0x2000, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_REQUIRE(CT_SUCCESS(NtboxGuardedCall(LockGuarded, Mdl)));
    volatile UCHAR *View = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    CT_REQUIRE(View != NULL);
    CT_CHECK(View[0] == 0 && View[0x1fff] == 0);
    View[0x1fff] = 0x5a;
    CT_CHECK(Holds(0x2122, 0x5a));
    CT_SUCCESS(GiveBack());
    View[0] = 1; /* still ours */
    CT_CHECK(View[0x1fff] == 0x5a && Faults(0x2122));
    MmUnlockPages(Mdl);
    CT_STATUS(NtboxGuardedCall(LockGuarded, Mdl), STATUS_ACCESS_VIOLATION);
    IoFreeMdl(Mdl);
}

static VOID VirtualReadOnlyMdl(VOID)
{
    CT_SUCCESS(Take(0x1000, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY));
    PMDL Mdl = IoAllocateMdl(Base, 0x1000, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_STATUS(NtboxGuardedCall(LockGuarded, Mdl), STATUS_ACCESS_VIOLATION);
    CT_CHECK(!(Mdl->MdlFlags & MDL_PAGES_LOCKED));
    IoFreeMdl(Mdl);
    CT_SUCCESS(GiveBack());
}

typedef struct USER_MAP {
    PMDL Mdl;
    PVOID Address;
} USER_MAP;

static NTSTATUS MapForUser(PVOID Context)
{
    USER_MAP *Map = Context;
    Map->Address =
        MmMapLockedPagesSpecifyCache(Map->Mdl, UserMode, MmCached, Map->Address, FALSE, NormalPagePriority);
    return STATUS_SUCCESS;
}

/* Memory of a driver in the address space of the current process. */
static VOID VirtualUserMap(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPool, 0x2000, 'tVtC');
    CT_REQUIRE(Block != NULL);
    USER_MAP Map = {IoAllocateMdl(Block + 8, 0x2000 - 8, FALSE, FALSE, NULL), NULL};
    CT_REQUIRE(Map.Mdl != NULL);
    MmBuildMdlForNonPagedPool(Map.Mdl);
    CT_REQUIRE(CT_SUCCESS(NtboxGuardedCall(MapForUser, &Map)));
    CT_CHECK((ULONG_PTR)Map.Address < (ULONG_PTR)SYSTEM_START && BYTE_OFFSET(Map.Address) == 8);
    Base = PAGE_ALIGN(Map.Address);
    Block[0x1fff] = 7;
    CT_CHECK(Holds(0x1fff, 7));
    CT_SUCCESS(WriteAt(8, 9));
    CT_EQUAL(Block[8], 9);
    CT_CHECK(!NT_SUCCESS(GiveBack()));
    ULONG Old;
    CT_CHECK(!NT_SUCCESS(Protect(0, 0x1000, PAGE_READONLY, &Old)));
    MmUnmapLockedPages(Map.Address, Map.Mdl);
    CT_CHECK(Faults(0x1fff));
    IoFreeMdl(Map.Mdl);
    ExFreePoolWithTag(Block, 'tVtC');
}

static const CT_CASE Cases[] = {
    {"virtual.reserve", VirtualReserve},  {"virtual.commit", VirtualCommit},
    {"virtual.place", VirtualPlace},      {"virtual.split", VirtualSplit},
    {"virtual.wrong", VirtualWrong},      {"virtual.nt", VirtualNt},
    {"virtual.protect", VirtualProtect},  {"virtual.guard", VirtualGuard},
    {"virtual.fault", VirtualFault},      {"virtual.probe", VirtualProbe},
    {"virtual.query", VirtualQuery},      {"virtual.lock", VirtualLock},
    {"virtual.secure", VirtualSecure},    {"virtual.copy", VirtualCopy},
    {"virtual.mdl", VirtualMdl},          {"virtual.readonly_mdl", VirtualReadOnlyMdl},
    {"virtual.user_map", VirtualUserMap}, {"virtual.limit", VirtualLimit},
};
CT_DRIVER(Cases)
