/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: the devices of the board that no bus enumerates: who they are, and what is wired to them. */
#pragma once
#include "nt.h"

typedef enum _PNP_ACPI_KIND {
    PnpAcpiPciRoot,
    PnpAcpiClock,
    PnpAcpiKinds,
} PNP_ACPI_KIND;

BOOLEAN PnpAcpiIsThere(PNP_ACPI_KIND Kind);
/* Answers of a PDO, in paged pool of the caller. STATUS_NOT_SUPPORTED: it has nothing to say. PASSIVE_LEVEL. */
NTSTATUS PnpAcpiMakeId(PNP_ACPI_KIND Kind, BUS_QUERY_ID_TYPE Type, PVOID *Text);
NTSTATUS PnpAcpiMakeResources(PNP_ACPI_KIND Kind, PVOID *List);
NTSTATUS PnpAcpiMakeRequirements(PNP_ACPI_KIND Kind, PVOID *List);
