/* SPDX-License-Identifier: MIT
 * Faults that the thread's own locks forbid: answered, and not waited for. */
#include "kt.h"
#include "mm/segment.h"
#include "mm/user_space.h"

KT_TEST(fault_under_the_lock_of_the_space_is_seen)
{
    PMM_ADDRESS_SPACE Space = MmSystemAddressSpace();
    MiLockSpace(Space);
    NTSTATUS Status = MmAccessFault(MM_USER_SHARED_DATA, 0);
    MiUnlockSpace(Space);
    KT_EXPECT(Status == STATUS_POSSIBLE_DEADLOCK);
    KT_EXPECT(MmAccessFault(MM_USER_SHARED_DATA, 0) == STATUS_SUCCESS);
}

KT_TEST(fault_under_the_lock_of_a_segment_is_seen)
{
    PMM_SEGMENT Segment;
    KT_EXPECT(MmCreatePageFileSegment(PAGE_SIZE, PAGE_READWRITE, FALSE, &Segment) == STATUS_SUCCESS);
    MiLockSegment(Segment);
    NTSTATUS Status = MmAccessFault(MM_USER_SHARED_DATA, 0);
    MiUnlockSegment(Segment);
    MmReleaseSegment(Segment);
    KT_EXPECT(Status == STATUS_POSSIBLE_DEADLOCK);
}

static NTSTATUS ReadGuarded(ULONG_PTR Address)
{
    __try {
        (VOID) * (const volatile UCHAR *)Address;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* It is no page fault of the address space, whoever has that locked. */
KT_TEST(fault_near_null_is_nobodys)
{
    PMM_ADDRESS_SPACE Space = MmSystemAddressSpace();
    MM_SPACE_COUNTERS Before, After;
    MmQueryAddressSpace(Space, &Before);
    MiLockSpace(Space);
    NTSTATUS Status = ReadGuarded(MM_USER_LOWEST - 1);
    MiUnlockSpace(Space);
    MmQueryAddressSpace(Space, &After);
    KT_EXPECT(Status == STATUS_ACCESS_VIOLATION && After.PageFaults == Before.PageFaults);
    KT_EXPECT(ReadGuarded(MM_USER_LOWEST) == STATUS_ACCESS_VIOLATION);
}
