/* SPDX-License-Identifier: MIT
 * Short forms over JsonBuilder: a member is written only when there is a value. */
#pragma once
#include <json-glib/json-glib.h>
#include <stdint.h>

void json_put_text(JsonBuilder *builder, const char *name, const char *text); /* NULL: no member */
/* JSON numbers are doubles to many readers, so an address is written as text: "0xfffff80000000000". */
void json_put_address(JsonBuilder *builder, const char *name, uint64_t address);
void json_put_number(JsonBuilder *builder, const char *name, int64_t number);
void json_put_bool(JsonBuilder *builder, const char *name, gboolean value);
void json_put_hex(JsonBuilder *builder, const char *name, GBytes *bytes); /* NULL: no member */
void json_open_array(JsonBuilder *builder, const char *name);
void json_open_object(JsonBuilder *builder, const char *name); /* name NULL: an array's element */

/* Ends the document (the root is open) and frees builder; indented, with a final newline. */
char *json_finish(JsonBuilder *builder);
