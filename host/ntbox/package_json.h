/* SPDX-License-Identifier: MIT
 * Writes the facts of one driver package as JSON. */
#pragma once
#include <json-glib/json-glib.h>

#include "package_facts.h"

/* One object, an element of an open array. */
void package_json_put(JsonBuilder *builder, const PackageFacts *facts);
