/* SPDX-License-Identifier: MIT
 * Memory manager names that came after the mingw-w64 headers. */
#pragma once

/* [WDK MmGetSystemAddressForMdlSafe] or-ed into the page priority, Windows 8 and later. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute 0x40000000
#endif
#ifndef MdlMappingWithGuardPtes
#define MdlMappingWithGuardPtes 0x20000000
#endif

NTKERNELAPI PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
