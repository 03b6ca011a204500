/* SPDX-License-Identifier: MIT
 * AddReg: "root, subkey, name, flags, value...". [WDK "INF AddReg Directive"] the flags and their numbers. */
#include "inf_number.h"
#include "inf_read.h"
#include "inf_text.h"

#define FLG_ADDREG_BINVALUETYPE 0x00000001u
#define FLG_ADDREG_NOCLOBBER 0x00000002u
#define FLG_ADDREG_DELVAL 0x00000004u
#define FLG_ADDREG_APPEND 0x00000008u
#define FLG_ADDREG_KEYONLY 0x00000010u
#define FLG_ADDREG_OVERWRITEONLY 0x00000020u
#define FLG_ADDREG_KEYONLY_COMMON 0x00002000u
#define FLG_ADDREG_TYPE_MASK 0xffff0001u
#define FIRST_VALUE 5u /* field */
#define MAX_VALUE_NAME 16383

static const struct {
    guint32 Flags, Type;
} types[] = {
    {0x00000000, InfRegSz},     {0x00010000, InfRegMultiSz}, {0x00020000, InfRegExpandSz},
    {0x00000001, InfRegBinary}, {0x00010001, InfRegDword},   {0x00020001, InfRegNone},
    {0x000b0001, InfRegQword},
};

/* [WDK] Another type is its number in the high word, with FLG_ADDREG_BINVALUETYPE. */
static bool type_of(guint32 flags, guint32 *type)
{
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        if ((flags & FLG_ADDREG_TYPE_MASK) == types[i].Flags) {
            *type = types[i].Type;
            return true;
        }
    }
    *type = flags >> 16;
    return (flags & FLG_ADDREG_BINVALUETYPE) != 0;
}

/* ---- values ---- */

static bool add_bytes(const InfLine *line, GByteArray *data, GError **error)
{
    for (guint i = FIRST_VALUE; i <= inf_line_count(line); i++) {
        g_autofree char *field = inf_line_field(line, i);
        uint8_t byte;
        if (!inf_number_byte(field, &byte))
            return inf_line_error(line, error, "'%s' is no byte in hexadecimal", field);
        g_byte_array_append(data, &byte, 1);
    }
    return true;
}

/* One number, or its bytes, the lowest first. */
static bool add_number(const InfLine *line, GByteArray *data, unsigned size, GError **error)
{
    g_autofree char *field = inf_line_field(line, FIRST_VALUE);
    uint64_t number = 0;
    if (inf_line_count(line) == FIRST_VALUE + size - 1)
        return add_bytes(line, data, error);
    if (inf_line_count(line) > FIRST_VALUE || (*field && !inf_number(field, 8 * size, &number)))
        return inf_line_error(line, error, "'%s' is no number of %u bits", field, 8 * size);
    number = GUINT64_TO_LE(number);
    g_byte_array_append(data, (const guint8 *)&number, size);
    return true;
}

static void add_texts(const InfLine *line, GByteArray *data)
{
    for (guint i = FIRST_VALUE; i <= inf_line_count(line); i++) {
        g_autofree char *field = inf_line_field(line, i);
        if (*field) /* an empty one would end the list */
            inf_registry_append_text(data, field);
    }
    inf_registry_append_text(data, "");
}

static bool add_data(const InfLine *line, guint32 type, GByteArray *data, GError **error)
{
    g_autofree char *text = inf_line_field(line, FIRST_VALUE);
    switch (type) {
    case InfRegSz:
    case InfRegExpandSz:
        inf_registry_append_text(data, text);
        return true;
    case InfRegMultiSz:
        add_texts(line, data);
        return true;
    case InfRegDword:
        return add_number(line, data, 4, error);
    case InfRegQword:
        return add_number(line, data, 8, error);
    default:
        return add_bytes(line, data, error);
    }
}

/* ---- what is done with them ---- */

static bool check_room(const InfReader *reader, const InfLine *line, const char *path, GError **error)
{
    const InfKey *key = inf_registry_find(reader->Registry, path);
    if (key && key->Values->len >= INF_MAX_VALUES)
        return inf_line_error(line, error, "the key would get more than %u values", INF_MAX_VALUES);
    if (g_tree_nnodes(reader->Registry->Keys) >= (gint)INF_MAX_KEYS)
        return inf_line_error(line, error, "with this line there are more than %u keys", INF_MAX_KEYS);
    return reader->Registry->Bytes <= INF_MAX_DATA ||
           inf_line_error(line, error, "the values up to here have more than %u bytes", INF_MAX_DATA);
}

static bool has_text(char **texts, const char *text)
{
    while (*texts && !inf_text_equal(*texts, text))
        texts++;
    return *texts != NULL;
}

/* Those of the line that the value does not have come behind what it has. */
static void append(InfReader *reader, const InfLine *line, const char *path, const char *name,
                   const InfValue *old)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_auto(GStrv) texts = inf_registry_texts(old);
    for (char **text = texts; *text; text++)
        inf_registry_append_text(data, *text);
    for (guint i = FIRST_VALUE; i <= inf_line_count(line); i++) {
        g_autofree char *field = inf_line_field(line, i);
        if (*field && !has_text(texts, field))
            inf_registry_append_text(data, field);
    }
    inf_registry_append_text(data, "");
    inf_registry_set(reader->Registry, path, name, InfRegMultiSz, data->data, data->len);
}

static bool set_value(InfReader *reader, const InfLine *line, const char *path, const char *name,
                      guint32 flags, GError **error)
{
    const InfValue *old = inf_registry_value(reader->Registry, path, name);
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint32 type;
    if (!type_of(flags, &type))
        return inf_line_error(line, error, "the flags 0x%08x have no type that is known", flags);
    if ((flags & FLG_ADDREG_APPEND) && type != InfRegMultiSz)
        return inf_line_error(line, error, "the flags 0x%08x append, which REG_MULTI_SZ only can", flags);
    if (!add_data(line, type, data, error))
        return false;
    if (old ? (flags & FLG_ADDREG_NOCLOBBER) != 0 : (flags & FLG_ADDREG_OVERWRITEONLY) != 0)
        return true;
    if (old && (flags & FLG_ADDREG_APPEND))
        append(reader, line, path, name, old);
    else
        inf_registry_set(reader->Registry, path, name, type, data->data, data->len);
    return true;
}

static bool apply(InfReader *reader, const InfLine *line, const char *path, guint32 flags, GError **error)
{
    g_autofree char *name = inf_line_field(line, 3);
    /* [WDK] with neither name nor value, the line is about the key */
    bool key_only = (flags & (FLG_ADDREG_KEYONLY | FLG_ADDREG_KEYONLY_COMMON)) || inf_line_count(line) < 3;
    if (g_utf8_strlen(name, -1) > MAX_VALUE_NAME)
        return inf_line_error(line, error, "the value's name is too long");
    if (flags & FLG_ADDREG_DELVAL) {
        inf_registry_delete_value(reader->Registry, path, name);
        return true;
    }
    if (!check_room(reader, line, path, error))
        return false;
    if (!key_only)
        return set_value(reader, line, path, name, flags, error);
    inf_registry_key(reader->Registry, path);
    return true;
}

static bool read_line(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    g_autofree char *text = inf_line_field(line, 4), *path = NULL;
    uint64_t flags = 0;
    if (!inf_read_step(reader, line, error) || !inf_read_key_path(reader, line, scope, &path, error))
        return false;
    if (*text && !inf_number(text, 32, &flags))
        return inf_line_error(line, error, "'%s' is no number: flags of a value are wanted", text);
    return !path || apply(reader, line, path, (guint32)flags, error);
}

bool inf_read_add_registry(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
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
