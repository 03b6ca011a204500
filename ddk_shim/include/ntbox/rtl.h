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
