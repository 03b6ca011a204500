/* SPDX-License-Identifier: MIT
 * The list of loaded modules as drivers find it through PsLoadedModuleList and DriverObject->DriverSection. No kit declares it:
 * drivers bring their own declarations, so nothing includes this file by itself. Layout of Windows 10 x64 as in the public symbols
 * of ntoskrnl.exe. */
#pragma once

typedef struct _KLDR_DATA_TABLE_ENTRY {
    LIST_ENTRY InLoadOrderLinks;
    PVOID ExceptionTable;
    ULONG ExceptionTableSize;
    PVOID GpValue;
    PVOID NonPagedDebugInfo;
    PVOID DllBase;
    PVOID EntryPoint;
    ULONG SizeOfImage;
    UNICODE_STRING FullDllName;
    UNICODE_STRING BaseDllName;
    ULONG Flags;
    USHORT LoadCount;
    USHORT SignatureLevel;
    PVOID SectionPointer;
    ULONG CheckSum;
    ULONG CoverageSectionSize;
    PVOID CoverageSection;
    PVOID LoadedImports;
    PVOID NtDataTableEntry;
    ULONG SizeOfImageNotRounded;
    ULONG TimeDateStamp;
} KLDR_DATA_TABLE_ENTRY, *PKLDR_DATA_TABLE_ENTRY;

extern NTKERNELAPI LIST_ENTRY PsLoadedModuleList;
extern NTKERNELAPI ERESOURCE PsLoadedModuleResource;
