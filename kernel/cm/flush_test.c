/* SPDX-License-Identifier: MIT
 * When hives are flushed by themselves, and again after a flush that failed. The file is on the boot volume, which nothing is written to. */
#include "cm/cmp.h"
#include "kt.h"

#define SECOND 10000000ll

static NTSTATUS LoadHive(PCWSTR To)
{
    UNICODE_STRING Name, File = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\config\\SYSTEM");
    OBJECT_ATTRIBUTES Key, Source;
    RtlInitUnicodeString(&Name, To);
    InitializeObjectAttributes(&Key, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&Source, &File, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwLoadKey(&Key, &Source);
}

static NTSTATUS OpenLoaded(PUNICODE_STRING Name, PHANDLE Handle, CMP_KEY **Key)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = ZwOpenKey(Handle, KEY_ALL_ACCESS, &Attributes);
    return NT_SUCCESS(Status) ? CmpReferenceKey(*Handle, 0, KernelMode, Key) : Status;
}

/* Within a second of so many seconds from now. */
static BOOLEAN IsPlannedIn(CMP_HIVE *Hive, LONGLONG Seconds)
{
    CmpLockExclusive();
    LONGLONG Left = (LONGLONG)(Hive->FlushAt - KeQueryInterruptTime());
    CmpUnlockExclusive();
    return Left <= Seconds * SECOND && Left > (Seconds - 1) * SECOND;
}

KT_TEST(cm_a_flush_that_fails_is_tried_again_later_each_time)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\KtFlush"),
                   Value = RTL_CONSTANT_STRING(L"v");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    CMP_KEY *Key;
    ULONG Number = 0;
    KT_EXPECT(LoadHive(L"\\Registry\\Machine\\KtFlush") == STATUS_SUCCESS);
    KT_EXPECT(LoadHive(L"\\Registry\\Machine\\KtFlushToo") == STATUS_SHARING_VIOLATION);
    KT_EXPECT(NT_SUCCESS(OpenLoaded(&Name, &Handle, &Key)));
    CMP_HIVE *Hive = Key->Kcb->Hive;
    KT_EXPECT(Hive->FlushAt == 0);
    KT_EXPECT(ZwSetValueKey(Handle, &Value, 0, REG_DWORD, &Number, sizeof(Number)) == STATUS_SUCCESS);
    KT_EXPECT(IsPlannedIn(Hive, 5));
    for (LONGLONG Seconds = 10; Seconds <= 640; Seconds *= 2) {
        KT_EXPECT(ZwFlushKey(Handle) == STATUS_REGISTRY_IO_FAILED && IsPlannedIn(Hive, Seconds));
        KT_EXPECT(Hive->Held != NULL);
    }
    KT_EXPECT(ZwFlushKey(Handle) == STATUS_REGISTRY_IO_FAILED && IsPlannedIn(Hive, 640));
    KT_EXPECT(ZwDeleteValueKey(Handle, &Value) == STATUS_SUCCESS && IsPlannedIn(Hive, 640));
    ObfDereferenceObject(Key);
    KT_EXPECT(ZwClose(Handle) == STATUS_SUCCESS);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    KT_EXPECT(ZwUnloadKey(&Attributes) == STATUS_SUCCESS);
}
