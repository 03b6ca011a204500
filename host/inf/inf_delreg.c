/* SPDX-License-Identifier: MIT
 * DelReg: "root, subkey, name, flags, value". [WDK "INF DelReg Directive"] The hive is new, so it deletes what packages before this one, or
 * other sections, have added. */
#include "inf_number.h"
#include "inf_read.h"
#include "inf_text.h"

#define FLG_DELREG_MULTI_SZ_DELSTRING 0x00018002u

/* One text is taken out of a REG_MULTI_SZ. */
static void take_out(InfReader *reader, const char *path, const char *name, const char *text)
{
    const InfValue *value = inf_registry_value(reader->Registry, path, name);
    g_autoptr(GByteArray) data = g_byte_array_new();
    if (!value || value->Type != InfRegMultiSz)
        return;
    g_auto(GStrv) texts = inf_registry_texts(value);
    for (char **one = texts; *one; one++) {
        if (!inf_text_equal(*one, text))
            inf_registry_append_text(data, *one);
    }
    inf_registry_append_text(data, "");
    inf_registry_set(reader->Registry, path, name, InfRegMultiSz, data->data, data->len);
}

static bool read_line(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    g_autofree char *path = NULL, *name = inf_line_field(line, 3), *text = inf_line_field(line, 4);
    g_autofree char *value = inf_line_field(line, 5), *subkey = inf_line_field(line, 2);
    uint64_t flags = 0;
    if (!inf_read_step(reader, line, error) || !inf_read_key_path(reader, line, scope, &path, error))
        return false;
    if (*text && !inf_number(text, 32, &flags))
        return inf_line_error(line, error, "'%s' is no number: flags of a value are wanted", text);
    if (!path)
        return true;
    if (flags == FLG_DELREG_MULTI_SZ_DELSTRING)
        take_out(reader, path, name, value);
    else if (*name)
        inf_registry_delete_value(reader->Registry, path, name);
    else if (*subkey) /* never the root itself */
        inf_registry_delete_key(reader->Registry, path);
    return true;
}

bool inf_read_del_registry(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    for (guint i = 1; i <= inf_line_count(line); i++) {
        g_autofree char *name = inf_line_field(line, i);
        const InfSection *section = inf_read_require(reader, line, name, error);
        for (guint j = 0; section && j < section->Lines->len; j++) {
            if (!read_line(reader, inf_section_line(section, j), scope, error))
                return false;
        }
        if (!section)
            return false;
    }
    return true;
}
