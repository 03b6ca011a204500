/* SPDX-License-Identifier: MIT
 * Calls of the PnP manager that the mingw-w64 headers lack. [WDK IoSetDeviceInterfacePropertyData, IoGetDeviceInterfacePropertyData] */
#pragma once

#ifndef LOCALE_NEUTRAL /* [WDK IoSetDevicePropertyData] ntdef.h has it */
#define LOCALE_NEUTRAL 0
#endif

NTKERNELAPI NTSTATUS NTAPI IoSetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName,
                                                            CONST DEVPROPKEY *PropertyKey, LCID Lcid,
                                                            ULONG Flags, DEVPROPTYPE Type, ULONG Size,
                                                            PVOID Data);
NTKERNELAPI NTSTATUS NTAPI IoGetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName,
                                                            CONST DEVPROPKEY *PropertyKey, LCID Lcid,
                                                            ULONG Flags, ULONG Size, PVOID Data,
                                                            PULONG RequiredSize, PDEVPROPTYPE Type);
