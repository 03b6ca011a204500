/* SPDX-License-Identifier: MIT
 * Tier 2, cm: the services of the registry, for a caller of either mode. PASSIVE_LEVEL. What user mode passes is captured once, its handles have
 * the access that the key's descriptor grants, and each service asks for the right that its page names. */
#pragma once
#include "nt.h"

/* [WDK ZwOpenKey, ZwOpenKeyEx] The key must exist: STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS CmOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                   ULONG OpenOptions, KPROCESSOR_MODE Mode);
/* [WDK ZwCreateKey] A new key's descriptor is that of ObjectAttributes and what its parent passes on. Disposition may be NULL. A key that was made
 * stays when there is no memory for its handle. */
NTSTATUS CmCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                     PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition, KPROCESSOR_MODE Mode);

NTSTATUS CmQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                    ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode);
NTSTATUS CmEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                        PVOID KeyInformation, ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode);
NTSTATUS CmQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                         ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode);
NTSTATUS CmEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                             KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                             ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode);
NTSTATUS CmQueryMultipleValueKey(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                 PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength,
                                 KPROCESSOR_MODE Mode);

NTSTATUS CmSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                       ULONG DataSize, KPROCESSOR_MODE Mode);
NTSTATUS CmDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, KPROCESSOR_MODE Mode);
NTSTATUS CmDeleteKey(HANDLE KeyHandle, KPROCESSOR_MODE Mode);
NTSTATUS CmRenameKey(HANDLE KeyHandle, PUNICODE_STRING NewName, KPROCESSOR_MODE Mode);
NTSTATUS CmSetInformationKey(HANDLE KeyHandle, KEY_SET_INFORMATION_CLASS KeySetInformationClass,
                             PVOID KeySetInformation, ULONG KeySetInformationLength, KPROCESSOR_MODE Mode);
NTSTATUS CmFlushKey(HANDLE KeyHandle, KPROCESSOR_MODE Mode);

/* [WDK ZwNotifyChangeKey] What user mode does not wait for ends by an APC to the thread: status block, event, ApcRoutine. */
NTSTATUS CmNotifyChangeKey(HANDLE KeyHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK IoStatusBlock, ULONG CompletionFilter, BOOLEAN WatchTree,
                           BOOLEAN Asynchronous, KPROCESSOR_MODE Mode);
/* [RegSaveKeyEx] STATUS_PRIVILEGE_NOT_HELD: user mode needs SeBackupPrivilege. */
NTSTATUS CmSaveKey(HANDLE KeyHandle, HANDLE FileHandle, ULONG Format, KPROCESSOR_MODE Mode);
/* [RegLoadKey, RegUnLoadKey] STATUS_PRIVILEGE_NOT_HELD: user mode needs SeRestorePrivilege. The file is opened by the kernel. */
NTSTATUS CmLoadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, POBJECT_ATTRIBUTES FileObjectAttributes,
                   KPROCESSOR_MODE Mode);
NTSTATUS CmUnloadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, KPROCESSOR_MODE Mode);
