/* SPDX-License-Identifier: MIT
 * Names of NTSTATUS values, bug-check codes and device problems. The tables are generated from the mingw-w64 headers by
 * tools/gen_status_names.py and sorted by value. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CodeName {
    uint32_t Code;
    const char *Name;
} CodeName;

extern const CodeName ntstatus_table[];
extern const size_t ntstatus_table_length;
extern const CodeName bugcheck_table[];
extern const size_t bugcheck_table_length;
extern const CodeName problem_table[];
extern const size_t problem_table_length;

/* "STATUS_SUCCESS", or NULL where the headers have no name for the value. */
const char *ntstatus_name(uint32_t status);

/* "IRQL_NOT_LESS_OR_EQUAL", or NULL. */
const char *bugcheck_name(uint32_t code);

/* "CM_PROB_FAILED_START", or NULL. */
const char *problem_name(uint32_t code);

/* "STATUS_SUCCESS", or "0xc0de0001" for a value without a name. The caller frees it with g_free. */
char *ntstatus_text(uint32_t status);

/* Severity "error" (the two top bits are set): a warning such as STATUS_BUFFER_OVERFLOW is none. */
bool ntstatus_is_error(uint32_t status);
