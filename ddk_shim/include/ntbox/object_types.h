/* SPDX-License-Identifier: MIT
 * The exported object types. The variable that ntoskrnl.exe exports is a POBJECT_TYPE; for a driver the name
 * stands for its address, as with the driver kit ([WDK ObReferenceObjectByHandle] "*PsThreadType"). */
#pragma once

#undef CmKeyObjectType
#undef ExEventObjectType
#undef ExSemaphoreObjectType
#undef IoDeviceObjectType
#undef IoDriverObjectType
#undef IoFileObjectType
#undef MmSectionObjectType
#undef PsThreadType
#undef PsProcessType
#undef SeTokenObjectType

#ifdef _NTOSKRNL_
extern POBJECT_TYPE CmKeyObjectType, ExEventObjectType, ExSemaphoreObjectType, IoFileObjectType, PsThreadType,
    IoDeviceObjectType, IoDriverObjectType, PsProcessType, SeTokenObjectType, MmSectionObjectType;
#else
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_CmKeyObjectType __asm__("CmKeyObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_ExEventObjectType __asm__("ExEventObjectType");
extern
    __declspec(dllimport) POBJECT_TYPE NtboxVariable_ExSemaphoreObjectType __asm__("ExSemaphoreObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_IoDeviceObjectType __asm__("IoDeviceObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_IoDriverObjectType __asm__("IoDriverObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_IoFileObjectType __asm__("IoFileObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_MmSectionObjectType __asm__("MmSectionObjectType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_PsThreadType __asm__("PsThreadType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_PsProcessType __asm__("PsProcessType");
extern __declspec(dllimport) POBJECT_TYPE NtboxVariable_SeTokenObjectType __asm__("SeTokenObjectType");
#define CmKeyObjectType (&NtboxVariable_CmKeyObjectType)
#define ExEventObjectType (&NtboxVariable_ExEventObjectType)
#define ExSemaphoreObjectType (&NtboxVariable_ExSemaphoreObjectType)
#define IoDeviceObjectType (&NtboxVariable_IoDeviceObjectType)
#define IoDriverObjectType (&NtboxVariable_IoDriverObjectType)
#define IoFileObjectType (&NtboxVariable_IoFileObjectType)
#define MmSectionObjectType (&NtboxVariable_MmSectionObjectType)
#define PsThreadType (&NtboxVariable_PsThreadType)
#define PsProcessType (&NtboxVariable_PsProcessType)
#define SeTokenObjectType (&NtboxVariable_SeTokenObjectType)
#endif
