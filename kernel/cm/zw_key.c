/* SPDX-License-Identifier: MIT
 * The services of the registry for kernel-mode callers, PASSIVE_LEVEL; cm_service.h says what each does. [WDK ZwCreateKey] TitleIndex is not
 * used. [WDK ZwNotifyChangeKey] nothing is ever written to Buffer. */
#include "cm/cmp.h"
#include "cm_service.h"
#include "ke.h"

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmOpenKey(KeyHandle, DesiredAccess, ObjectAttributes, 0, KernelMode);
}

NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG OpenOptions)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmOpenKey(KeyHandle, DesiredAccess, ObjectAttributes, OpenOptions, KernelMode);
}

NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG TitleIndex, PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmCreateKey(KeyHandle, DesiredAccess, ObjectAttributes, Class, CreateOptions, Disposition,
                       KernelMode);
}

NTSTATUS NTAPI ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                          ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmQueryKey(KeyHandle, KeyInformationClass, KeyInformation, Length, ResultLength, KernelMode);
}

NTSTATUS NTAPI ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                              PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmEnumerateKey(KeyHandle, Index, KeyInformationClass, KeyInformation, Length, ResultLength,
                          KernelMode);
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                               KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                               PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmQueryValueKey(KeyHandle, ValueName, KeyValueInformationClass, KeyValueInformation, Length,
                           ResultLength, KernelMode);
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                                   KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                                   PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmEnumerateValueKey(KeyHandle, Index, KeyValueInformationClass, KeyValueInformation, Length,
                               ResultLength, KernelMode);
}

NTSTATUS NTAPI ZwQueryMultipleValueKey(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                       PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmQueryMultipleValueKey(KeyHandle, ValueEntries, EntryCount, ValueBuffer, BufferLength,
                                   RequiredBufferLength, KernelMode);
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type,
                             PVOID Data, ULONG DataSize)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmSetValueKey(KeyHandle, ValueName, TitleIndex, Type, Data, DataSize, KernelMode);
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmDeleteValueKey(KeyHandle, ValueName, KernelMode);
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmDeleteKey(KeyHandle, KernelMode);
}

NTSTATUS NTAPI ZwRenameKey(HANDLE KeyHandle, PUNICODE_STRING NewName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmRenameKey(KeyHandle, NewName, KernelMode);
}

NTSTATUS NTAPI ZwSetInformationKey(HANDLE KeyHandle, KEY_SET_INFORMATION_CLASS KeySetInformationClass,
                                   PVOID KeySetInformation, ULONG KeySetInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmSetInformationKey(KeyHandle, KeySetInformationClass, KeySetInformation, KeySetInformationLength,
                               KernelMode);
}

NTSTATUS NTAPI ZwFlushKey(HANDLE KeyHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmFlushKey(KeyHandle, KernelMode);
}

NTSTATUS NTAPI ZwNotifyChangeKey(HANDLE KeyHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                 PIO_STATUS_BLOCK IoStatusBlock, ULONG CompletionFilter, BOOLEAN WatchTree,
                                 PVOID Buffer, ULONG BufferSize, BOOLEAN Asynchronous)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmNotifyChangeKey(KeyHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, CompletionFilter,
                             WatchTree, Asynchronous, KernelMode);
}

NTSTATUS NTAPI ZwSaveKey(HANDLE KeyHandle, HANDLE FileHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmSaveKey(KeyHandle, FileHandle, REG_STANDARD_FORMAT, KernelMode);
}

NTSTATUS NTAPI ZwSaveKeyEx(HANDLE KeyHandle, HANDLE FileHandle, ULONG Format)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmSaveKey(KeyHandle, FileHandle, Format, KernelMode);
}

NTSTATUS NTAPI ZwLoadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, POBJECT_ATTRIBUTES FileObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmLoadKey(KeyObjectAttributes, FileObjectAttributes, KernelMode);
}

NTSTATUS NTAPI ZwUnloadKey(POBJECT_ATTRIBUTES KeyObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return CmUnloadKey(KeyObjectAttributes, KernelMode);
}
