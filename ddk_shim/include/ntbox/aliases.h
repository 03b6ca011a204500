/* SPDX-License-Identifier: MIT
 * Exports whose C name the headers use for an inline function: the kernel defines them under these names and
 * the .def file renames them ([alias=...] in exports/ke.exp). Drivers reach them by
 * MmGetSystemRoutineAddress, by import from assembly, or when built with another header set. */
#pragma once

KIRQL KiExportGetCurrentIrql(VOID);
KIRQL KiExportRaiseIrql(KIRQL NewIrql);
VOID KiExportLowerIrql(KIRQL NewIrql);
KIRQL KiExportRaiseIrqlToDpcLevel(VOID);
PKTHREAD KiExportGetCurrentThread(VOID);
VOID KiExportInitializeSpinLock(PKSPIN_LOCK SpinLock);
