/* SPDX-License-Identifier: MIT
 * hal.dll's call that ntddk.h declares for old-style drivers only. */
#pragma once

NTHALAPI ULONG NTAPI HalGetInterruptVector(INTERFACE_TYPE InterfaceType, ULONG BusNumber,
                                           ULONG BusInterruptLevel, ULONG BusInterruptVector, PKIRQL Irql,
                                           PKAFFINITY Affinity);
