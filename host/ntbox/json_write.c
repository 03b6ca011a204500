/* SPDX-License-Identifier: MIT
 * Short forms over JsonBuilder: see json_write.h. */
#include "json_write.h"

#include <inttypes.h>

void json_put_text(JsonBuilder *builder, const char *name, const char *text)
{
    if (!text)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

void json_put_address(JsonBuilder *builder, const char *name, uint64_t address)
{
    g_autofree char *text = g_strdup_printf("0x%" PRIx64, address);
    json_put_text(builder, name, text);
}

void json_put_number(JsonBuilder *builder, const char *name, int64_t number)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, number);
}

void json_put_bool(JsonBuilder *builder, const char *name, gboolean value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

void json_put_hex(JsonBuilder *builder, const char *name, GBytes *bytes)
{
    if (!bytes)
        return;
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    GString *text = g_string_sized_new(length * 2 + 1);
    for (gsize i = 0; i < length; i++)
        g_string_append_printf(text, "%02x", data[i]);
    json_put_text(builder, name, text->str);
    g_string_free(text, TRUE);
}

void json_open_array(JsonBuilder *builder, const char *name)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
}

void json_open_object(JsonBuilder *builder, const char *name)
{
    if (name)
        json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

char *json_finish(JsonBuilder *builder)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_object_unref(builder);
    json_generator_set_pretty(generator, TRUE);
    json_generator_set_root(generator, root);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}
