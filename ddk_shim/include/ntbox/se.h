/* SPDX-License-Identifier: MIT
 * Security: what the mingw-w64 headers lack of <ntifs.h>. [WDK TOKEN_GROUPS, SeAssignSecurityEx, SeFilterToken,
 * SeCaptureSecurityDescriptor] */
#pragma once

#ifndef SE_GROUP_MANDATORY
#define SE_GROUP_MANDATORY 0x00000001L
#define SE_GROUP_ENABLED_BY_DEFAULT 0x00000002L
#define SE_GROUP_ENABLED 0x00000004L
#define SE_GROUP_OWNER 0x00000008L
#define SE_GROUP_USE_FOR_DENY_ONLY 0x00000010L
#define SE_GROUP_INTEGRITY 0x00000020L
#define SE_GROUP_INTEGRITY_ENABLED 0x00000040L
#define SE_GROUP_LOGON_ID 0xC0000000L
#define SE_GROUP_RESOURCE 0x20000000L
#endif

#ifndef DISABLE_MAX_PRIVILEGE
#define DISABLE_MAX_PRIVILEGE 0x1
#define SANDBOX_INERT 0x2
#define LUA_TOKEN 0x4
#define WRITE_RESTRICTED 0x8
#endif

/* [WDK Process Security and Access Rights, Thread Security and Access Rights] */
#ifndef PROCESS_QUERY_INFORMATION
#define PROCESS_QUERY_INFORMATION 0x0400
#endif
#ifndef THREAD_QUERY_INFORMATION
#define THREAD_QUERY_INFORMATION 0x0040
#endif

#ifndef SEF_DACL_AUTO_INHERIT
#define SEF_DACL_AUTO_INHERIT 0x01
#define SEF_SACL_AUTO_INHERIT 0x02
#define SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT 0x04
#define SEF_AVOID_PRIVILEGE_CHECK 0x08
#define SEF_AVOID_OWNER_CHECK 0x10
#define SEF_DEFAULT_OWNER_FROM_PARENT 0x20
#define SEF_DEFAULT_GROUP_FROM_PARENT 0x40
#endif

/* ntifs.h has a macro over its own declaration of the export. */
#undef PsDereferenceImpersonationToken

NTKERNELAPI NTSTATUS NTAPI SeCaptureSecurityDescriptor(PSECURITY_DESCRIPTOR OriginalSecurityDescriptor,
                                                       KPROCESSOR_MODE CurrentMode, POOL_TYPE PoolType,
                                                       BOOLEAN CaptureIfKernel,
                                                       PSECURITY_DESCRIPTOR *CapturedSecurityDescriptor);
NTKERNELAPI VOID NTAPI SeReleaseSecurityDescriptor(PSECURITY_DESCRIPTOR CapturedSecurityDescriptor,
                                                   KPROCESSOR_MODE CurrentMode, BOOLEAN CaptureIfKernelMode);
NTKERNELAPI SECURITY_IMPERSONATION_LEVEL NTAPI SeTokenImpersonationLevel(PACCESS_TOKEN Token);
NTKERNELAPI VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process,
                                                 PSECURITY_SUBJECT_CONTEXT SubjectContext);
NTKERNELAPI BOOLEAN NTAPI PsIsThreadImpersonating(PETHREAD Thread);
NTSYSAPI NTSTATUS NTAPI NtAllocateLocallyUniqueId(PLUID Luid);
/* wdmsec.h, which is not always included. */
NTKERNELAPI NTSTATUS NTAPI WdmlibIoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                                      PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                                                      ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                                                      PCUNICODE_STRING DefaultSDDLString,
                                                      LPCGUID DeviceClassGuid, PDEVICE_OBJECT *DeviceObject);
