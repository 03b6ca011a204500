/* SPDX-License-Identifier: MIT
 * Device setup classes that come with Windows. [WDK "System-Defined Device Setup Classes Available to Vendors"] */
#pragma once
#include <stdbool.h>

const char *inf_class_name(const char *guid); /* NULL: none of them */
const char *inf_class_guid(const char *name); /* NULL: none of them */

/* Is it "{8-4-4-4-12 hexadecimal digits}"? */
bool inf_class_is_guid(const char *text);
