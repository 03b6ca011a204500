/* SPDX-License-Identifier: MIT
 * The kernel address space: protections, guard pages, what faults say, and the audit of all tables. */
#include "kt.h"
#include "kd.h"
#include "mm.h"

#define FAULT_READ 0
#define FAULT_WRITE 2
#define FAULT_PRESENT 1
#define FAULT_FETCH 16

static MM_FAULT_KIND KindOf(const void *Address, ULONG64 ErrorCode)
{
    MM_FAULT Fault;
    MmClassifyFault(Address, ErrorCode, &Fault);
    return Fault.Kind;
}

static VOID NameWritableCode(PVOID Address, SIZE_T Size, PVOID Context)
{
    KdLog("writable and executable: %p, %llu bytes", Address, (ULONG64)Size);
}

KT_TEST(mm_no_page_is_writable_and_executable)
{
    KT_EXPECT(MmAuditPageTables(NameWritableCode, NULL) == 0);
}

KT_TEST(mm_stack_has_a_guard_page)
{
    PVOID Base, Limit;
    MM_FAULT Fault;
    KT_EXPECT(MmAllocateKernelStack(MM_KERNEL_STACK_SIZE, &Base, &Limit));
    KT_EXPECT((PUCHAR)Base - (PUCHAR)Limit == MM_KERNEL_STACK_SIZE && ((ULONG_PTR)Base & 15) == 0);
    *(volatile ULONG64 *)Limit = 1;
    *((volatile ULONG64 *)Base - 1) = 2;
    MmClassifyFault((PUCHAR)Limit - 8, FAULT_WRITE, &Fault);
    KT_EXPECT(Fault.Kind == MmFaultStackGuard && Fault.Region == MmRegionSystemPtes);
    KT_EXPECT(Fault.Base == Limit && Fault.Size == MM_KERNEL_STACK_SIZE);
    KT_EXPECT(!MmIsAddressValid(Base) && !MmIsAddressValid((PUCHAR)Limit - 1));
    MmFreeKernelStack(Base, Limit);
    KT_EXPECT(KindOf(Limit, FAULT_READ) == MmFaultFreedMapping);
    KT_EXPECT(KindOf((PUCHAR)Limit - 8, FAULT_READ) == MmFaultFreedMapping);
}

KT_TEST(mm_system_pages_come_zeroed_and_go)
{
    MM_COUNTERS Before, After;
    MmQueryCounters(&Before);
    PUCHAR Pages = MmAllocateSystemPages(70, MmReadWrite);
    KT_EXPECT(Pages != NULL && ((ULONG_PTR)Pages & PAGE_MASK) == 0);
    for (ULONG I = 0; I < 70; I++) {
        KT_EXPECT(Pages[I * PAGE_SIZE] == 0 && Pages[I * PAGE_SIZE + PAGE_SIZE - 1] == 0);
        Pages[I * PAGE_SIZE] = (UCHAR)I;
    }
    for (ULONG I = 0; I < 70; I++)
        KT_EXPECT(Pages[I * PAGE_SIZE] == I);
    MmFreeSystemPages(Pages, 70);
    KT_EXPECT(!MmIsAddressValid(Pages) && !MmIsAddressValid(Pages + 69 * PAGE_SIZE));
    MmQueryCounters(&After);
    KT_EXPECT(After.FreePages + (After.TablePages - Before.TablePages) == Before.FreePages);
    KT_EXPECT(After.SystemPtes == Before.SystemPtes);
}

KT_TEST(mm_image_pages_have_the_rights_of_their_sections)
{
    PUCHAR Image = MmAllocateImageSpace(5 * PAGE_SIZE - 1);
    KT_EXPECT(Image != NULL && (ULONG_PTR)Image >= MM_IMAGE_BASE);
    for (ULONG I = 0; I < 5 * PAGE_SIZE; I++)
        KT_EXPECT(Image[I] == 0);
    Image[PAGE_SIZE] = 0xc3; /* ret */
    MmProtectImage(Image, PAGE_SIZE, MmReadOnly);
    MmProtectImage(Image + PAGE_SIZE, PAGE_SIZE, MmExecuteRead);
    ((VOID(*)(VOID))(Image + PAGE_SIZE))();
    KT_EXPECT(KindOf(Image, FAULT_PRESENT | FAULT_WRITE) == MmFaultReadOnly);
    KT_EXPECT(KindOf(Image + 2 * PAGE_SIZE, FAULT_PRESENT | FAULT_FETCH) == MmFaultNoExecute);
    KT_EXPECT(MmAuditPageTables(NULL, NULL) == 0);
    MmDiscardImagePages(Image + 3 * PAGE_SIZE, PAGE_SIZE);
    KT_EXPECT(KindOf(Image + 3 * PAGE_SIZE, FAULT_READ) == MmFaultFreedImage);
    MmProtectImage(Image, 5 * PAGE_SIZE, MmReadWrite);
    KT_EXPECT(!MmIsAddressValid(Image + 3 * PAGE_SIZE));
    MmFreeImageSpace(Image, 5 * PAGE_SIZE - 1);
    KT_EXPECT(KindOf(Image, FAULT_READ) == MmFaultFreedImage);
}

KT_TEST(mm_faults_are_named)
{
    KT_EXPECT(KindOf((PVOID)0x8000000000000000, FAULT_READ) == MmFaultNonCanonical);
    KT_EXPECT(KindOf(NULL, FAULT_READ) == MmFaultNull);
    KT_EXPECT(KindOf((PVOID)0x10000, FAULT_WRITE) == MmFaultUser);
    KT_EXPECT(KindOf((PVOID)(MM_SHADOW_BASE + 5), FAULT_READ) == MmFaultUnmapped);
    KT_EXPECT(KindOf((PVOID)(MM_SYSTEM_PTE_BASE + MM_REGION_SIZE - 1), FAULT_READ) == MmFaultUnmapped);
    KT_EXPECT(KindOf((PVOID)MM_SHARED_DATA_BASE, FAULT_READ) == MmFaultMapped);
}

KT_TEST(mm_device_memory_is_seen_twice)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(TRUE);
    PHYSICAL_ADDRESS Physical = {.QuadPart = (LONG64)((Page << PAGE_SHIFT) + 0x123)};
    PUCHAR View = MmMapIoSpace(Physical, 0x20, MmNonCached);
    KT_EXPECT(View != NULL && ((ULONG_PTR)View & PAGE_MASK) == 0x123);
    *View = 0x5a;
    KT_EXPECT(((PUCHAR)MmDirectMap(Page << PAGE_SHIFT))[0x123] == 0x5a);
    KT_EXPECT(MmGetPhysicalAddress(View).QuadPart == Physical.QuadPart);
    MmUnmapIoSpace(View, 0x20);
    KT_EXPECT(!MmIsAddressValid(View));
    PUCHAR ReadOnly = MmMapIoSpaceEx(Physical, 1, PAGE_READONLY | PAGE_NOCACHE);
    KT_EXPECT(ReadOnly != NULL && *ReadOnly == 0x5a &&
              KindOf(ReadOnly, FAULT_PRESENT | FAULT_WRITE) == MmFaultReadOnly);
    MmUnmapIoSpace(ReadOnly, 1);
    KT_EXPECT(MmMapIoSpaceEx(Physical, 1, PAGE_EXECUTE_READWRITE) == NULL);
    KT_EXPECT(MmMapIoSpace(Physical, MAXULONG64, MmCached) == NULL &&
              MmMapIoSpace(Physical, 0, MmCached) == NULL);
    MmFreePhysicalPages(Page, 1);
}

KT_TEST(mm_contiguous_memory_is_contiguous)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = 0xffffff}, None = {0}, Boundary = {.QuadPart = 0x10000};
    PUCHAR Memory = MmAllocateContiguousMemorySpecifyCache(5 * PAGE_SIZE, None, Highest, Boundary, MmCached);
    KT_EXPECT(Memory != NULL);
    ULONG64 First = (ULONG64)MmGetPhysicalAddress(Memory).QuadPart;
    KT_EXPECT(First + 5 * PAGE_SIZE - 1 <= 0xffffff &&
              First / 0x10000 == (First + 5 * PAGE_SIZE - 1) / 0x10000);
    for (ULONG I = 0; I < 5; I++)
        KT_EXPECT((ULONG64)MmGetPhysicalAddress(Memory + I * PAGE_SIZE).QuadPart == First + I * PAGE_SIZE);
    MmFreeContiguousMemory(Memory);
    KT_EXPECT(!MmIsAddressValid(Memory));
    Highest.QuadPart = PAGE_SIZE - 2;
    KT_EXPECT(MmAllocateContiguousMemory(1, Highest) == NULL);
}
