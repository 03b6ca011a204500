/* SPDX-License-Identifier: MIT
 * Tier 2, ob: which rights the parts of a security descriptor need. */
#pragma once
#include "nt.h"

/* STATUS_INVALID_PARAMETER: a part that nobody knows. Any IRQL. */
NTSTATUS ObAccessForParts(SECURITY_INFORMATION Parts, BOOLEAN Set, PACCESS_MASK Access);
