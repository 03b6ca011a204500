/* SPDX-License-Identifier: MIT
 * Run-time library exports that the mingw-w64 driver headers do not declare.
 * [WDK RtlIsNtDdiVersionAvailable, RtlAnsiCharToUnicodeChar, RtlDecompressBufferEx] */
#pragma once

NTSYSAPI WCHAR NTAPI RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter);
#undef RtlIsNtDdiVersionAvailable /* wdm.h: WdmlibRtlIsNtDdiVersionAvailable, a library's function; this is the export */
NTSYSAPI BOOLEAN NTAPI RtlIsNtDdiVersionAvailable(ULONG Version);
NTSYSAPI DECLSPEC_NORETURN VOID NTAPI RtlRaiseStatus(NTSTATUS Status);
NTSYSAPI NTSTATUS NTAPI RtlDecompressBufferEx(USHORT CompressionFormat, PUCHAR UncompressedBuffer,
                                              ULONG UncompressedBufferSize, PUCHAR CompressedBuffer,
                                              ULONG CompressedBufferSize, PULONG FinalUncompressedSize,
                                              PVOID WorkSpace);

/* Images in memory; the names are those of ntimage.h and of ntdll. */
typedef struct _LDR_RESOURCE_INFO {
    ULONG_PTR Type, Name, Language; /* numbers up to 65535; Type and Name may be pointers to names */
} LDR_RESOURCE_INFO, *PLDR_RESOURCE_INFO;
struct _IMAGE_NT_HEADERS64;
struct _IMAGE_RESOURCE_DATA_ENTRY;
NTSYSAPI struct _IMAGE_NT_HEADERS64 *NTAPI RtlImageNtHeader(PVOID Base);
NTSYSAPI NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, PVOID Base, ULONG64 Size,
                                           struct _IMAGE_NT_HEADERS64 **OutHeaders);
NTSYSAPI PVOID NTAPI RtlImageDirectoryEntryToData(PVOID Base, BOOLEAN MappedAsImage, USHORT DirectoryEntry,
                                                  PULONG Size);
NTSYSAPI PVOID NTAPI RtlFindExportedRoutineByName(PVOID Base, PCSTR RoutineName);
NTSYSAPI NTSTATUS NTAPI LdrFindResource_U(PVOID BaseAddress, PLDR_RESOURCE_INFO ResourceInfo, ULONG Level,
                                          struct _IMAGE_RESOURCE_DATA_ENTRY **ResourceDataEntry);
NTSYSAPI NTSTATUS NTAPI LdrAccessResource(PVOID BaseAddress,
                                          struct _IMAGE_RESOURCE_DATA_ENTRY *ResourceDataEntry,
                                          PVOID *Resource, PULONG Size);

/* ntifs.h names NlsMbOemCodePageTag only through a macro. */
extern NTSYSAPI PUSHORT NlsLeadByteInfo;
extern NTSYSAPI USHORT NlsAnsiCodePage, NlsOemCodePage;
