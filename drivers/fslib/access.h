/* SPDX-License-Identifier: MIT
 * What an open grants. Pure. */
#pragma once
#include <ntifs.h>

/* [WDK IRP_MJ_CREATE, ACCESS_STATE] the rights that were asked for; for MAXIMUM_ALLOWED all that a file has but Refused. The I/O manager
 * gives the handle what is noted here. */
ACCESS_MASK FsGrantAccess(PIO_SECURITY_CONTEXT Security, ACCESS_MASK Refused);
