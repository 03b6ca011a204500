/* SPDX-License-Identifier: MIT
 * Look-up in the generated tables of the names of statuses, bug checks and device problems. */
#include "ntstatus.h"

#include <glib.h>
#include <stdlib.h>

static int compare_code(const void *key, const void *element)
{
    uint32_t code = *(const uint32_t *)key;
    const CodeName *name = element;
    return code < name->Code ? -1 : code > name->Code;
}

static const char *find_name(const CodeName *table, size_t length, uint32_t code)
{
    const CodeName *found = bsearch(&code, table, length, sizeof *table, compare_code);
    return found ? found->Name : NULL;
}

const char *ntstatus_name(uint32_t status)
{
    return find_name(ntstatus_table, ntstatus_table_length, status);
}

const char *bugcheck_name(uint32_t code)
{
    return find_name(bugcheck_table, bugcheck_table_length, code);
}

const char *problem_name(uint32_t code)
{
    return find_name(problem_table, problem_table_length, code);
}

char *ntstatus_text(uint32_t status)
{
    const char *name = ntstatus_name(status);
    return name ? g_strdup(name) : g_strdup_printf("0x%08x", status);
}

bool ntstatus_is_error(uint32_t status)
{
    return status >= 0xC0000000u;
}
