/* SPDX-License-Identifier: MIT
 * The counting pool and string assertions of the rtl unit tests. */
#include "rtl_test.h"

TEST_POOL TestPool;

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    assert_true(PoolType == PagedPool || PoolType == NonPagedPoolNx);
    assert_int_not_equal(NumberOfBytes, 0);
    assert_int_not_equal(Tag, 0);
    if (TestPool.FailAt != 0 && --TestPool.FailAt == 0)
        return NULL;
    TestPool.Live++;
    return malloc(NumberOfBytes);
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    (void)Tag;
    assert_non_null(P);
    TestPool.Live--;
    free(P);
}

void assert_ustr(PCUNICODE_STRING Actual, const WCHAR *Expected)
{
    assert_int_equal(Actual->Length, wcslen(Expected) * sizeof(WCHAR));
    assert_memory_equal(Actual->Buffer, Expected, Actual->Length);
}

void assert_astr(const STRING *Actual, const char *Expected)
{
    assert_int_equal(Actual->Length, strlen(Expected));
    assert_memory_equal(Actual->Buffer, Expected, Actual->Length);
}
