/* SPDX-License-Identifier: MIT
 * What exporter.sys exports to other drivers. */
#pragma once

#ifdef EXPORTER_ITSELF
#define EXPORTER_API
#else
#define EXPORTER_API DECLSPEC_IMPORT
#endif

/* Adds Amount to the sum that all clients share and returns the new sum. Any IRQL. */
EXPORTER_API LONG NTAPI ExporterAdd(LONG Amount);
