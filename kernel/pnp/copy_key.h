/* SPDX-License-Identifier: MIT
 * Keys of the driver database, and their copies. PASSIVE_LEVEL. */
#pragma once
#include "pnpp.h"

/* A value as it is, under another name; nothing when there is none. */
VOID PnpCopyText(HANDLE From, PCWSTR Name, HANDLE To, PCWSTR NewName);

/* All values and keys, as deep as the registry is, which has a limit. Values that are properties of a device go to Properties unless it is NULL. */
VOID PnpCopyTree(HANDLE From, HANDLE To, HANDLE Properties);

/* The same with a key below Configuration; nothing when there is none. */
VOID PnpCopyNamed(HANDLE Configuration, PCWSTR Name, HANDLE To, HANDLE Properties);

/* The name of a key below another; ObFreeName. STATUS_NO_MORE_ENTRIES: there are not so many. */
NTSTATUS PnpEnumerateKey(HANDLE Key, ULONG Index, PUNICODE_STRING Name);
