/* SPDX-License-Identifier: MIT
 * Tier 3, rtl_*.c only: keys by RTL_REGISTRY_..., and the values that a query table asks for. */
#pragma once
#include "cm/cmp.h"

/* CmpCloseRelative gives back what it opened; with RTL_REGISTRY_HANDLE Path is the handle. */
NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, ACCESS_MASK Access, BOOLEAN Create, PHANDLE Key);
VOID CmpCloseRelative(ULONG RelativeTo, HANDLE Key);

/* A value for a table entry. Data has two NULs behind it. */
typedef struct _CMP_QUERIED {
    PWSTR Name; /* with a terminator */
    ULONG Type;
    PVOID Data;
    ULONG Length; /* bytes */
} CMP_QUERIED;

/* rtl_deliver.c: gives the value to the entry: to its routine, or into its buffer. */
NTSTATUS CmpDeliver(const RTL_QUERY_REGISTRY_TABLE *Entry, const CMP_QUERIED *Value, PVOID Context,
                    PVOID Environment);

/* rtl_expand.c: the text with its %variables% replaced, and a terminator; ExFreePoolWithTag CMP_TAG_QUERY. *Bytes counts the
 * terminator. Environment: "NAME=value" texts, ended by an empty one; NULL: SystemRoot and SystemDrive. */
NTSTATUS CmpExpandText(PCWSTR Text, ULONG Characters, PVOID Environment, PWSTR *Expanded, PULONG Bytes);
