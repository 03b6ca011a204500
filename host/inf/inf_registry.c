/* SPDX-License-Identifier: MIT
 * A tree of keys by path: see inf_registry.h. */
#include "inf_registry.h"

#include <string.h>

#include "inf_text.h"

static void free_value(gpointer pointer)
{
    InfValue *value = pointer;
    g_free(value->Name);
    g_byte_array_unref(value->Data);
    g_free(value);
}

static void free_key(gpointer pointer)
{
    InfKey *key = pointer;
    g_free(key->Path);
    g_hash_table_unref(key->ByName);
    g_ptr_array_unref(key->Values);
    g_free(key);
}

/* By parts: the backslash comes before all other characters, so that what is below a key follows it. */
static int compare(gconstpointer one, gconstpointer other, gpointer context)
{
    const guchar *first = one, *second = other;
    while (*first && *first == *second) {
        first++;
        second++;
    }
    int left = *first == '\\' ? 1 : *first, right = *second == '\\' ? 1 : *second;
    return left - right;
}

InfRegistry *inf_registry_new(void)
{
    InfRegistry *registry = g_new0(InfRegistry, 1);
    registry->Keys = g_tree_new_full(compare, NULL, g_free, free_key);
    return registry;
}

void inf_registry_free(InfRegistry *registry)
{
    g_tree_unref(registry->Keys);
    g_free(registry);
}

const InfKey *inf_registry_find(const InfRegistry *registry, const char *path)
{
    g_autofree char *folded = inf_text_fold(path);
    return g_tree_lookup(registry->Keys, folded);
}

InfKey *inf_registry_key(InfRegistry *registry, const char *path)
{
    g_autofree char *folded = inf_text_fold(path);
    InfKey *key = g_tree_lookup(registry->Keys, folded);
    if (key)
        return key;
    key = g_new0(InfKey, 1);
    key->Path = g_strdup(path);
    key->Values = g_ptr_array_new_with_free_func(free_value);
    key->ByName = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_tree_insert(registry->Keys, g_steal_pointer(&folded), key);
    return key;
}

static InfValue *value_of(const InfKey *key, const char *name)
{
    g_autofree char *folded = inf_text_fold(name);
    return key ? g_hash_table_lookup(key->ByName, folded) : NULL;
}

const InfValue *inf_registry_value(const InfRegistry *registry, const char *path, const char *name)
{
    return value_of(inf_registry_find(registry, path), name);
}

bool inf_registry_number(const InfRegistry *registry, const char *path, const char *name, guint32 *number)
{
    const InfValue *value = inf_registry_value(registry, path, name);
    if (!value || value->Type != InfRegDword || value->Data->len != sizeof *number)
        return false;
    memcpy(number, value->Data->data, sizeof *number);
    *number = GUINT32_FROM_LE(*number);
    return true;
}

void inf_registry_set(InfRegistry *registry, const char *path, const char *name, guint32 type,
                      const void *data, guint length)
{
    InfKey *key = inf_registry_key(registry, path);
    InfValue *value = value_of(key, name);
    if (!value) {
        value = g_new0(InfValue, 1);
        value->Name = g_strdup(name);
        value->Data = g_byte_array_new();
        g_ptr_array_add(key->Values, value);
        g_hash_table_insert(key->ByName, inf_text_fold(name), value);
    }
    value->Type = type;
    registry->Bytes += length;
    g_byte_array_set_size(value->Data, 0);
    if (length)
        g_byte_array_append(value->Data, data, length);
}

void inf_registry_append_text(GByteArray *data, const char *text)
{
    for (;; text = g_utf8_next_char(text)) {
        gunichar2 units[2];
        glong count = 0;
        g_autofree gunichar2 *wide =
            g_utf8_to_utf16(text, *text ? g_utf8_next_char(text) - text : 0, NULL, &count, NULL);
        units[0] = count > 0 ? GUINT16_TO_LE(wide[0]) : 0;
        units[1] = count > 1 ? GUINT16_TO_LE(wide[1]) : 0;
        g_byte_array_append(data, (const guint8 *)units, count > 1 ? 4 : 2);
        if (*text == '\0')
            return;
    }
}

void inf_registry_set_text(InfRegistry *registry, const char *path, const char *name, guint32 type,
                           const char *text)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    inf_registry_append_text(data, text);
    inf_registry_set(registry, path, name, type, data->data, data->len);
}

void inf_registry_set_number(InfRegistry *registry, const char *path, const char *name, guint32 number)
{
    guint32 stored = GUINT32_TO_LE(number);
    inf_registry_set(registry, path, name, InfRegDword, &stored, sizeof stored);
}

void inf_registry_delete_value(InfRegistry *registry, const char *path, const char *name)
{
    InfKey *key = (InfKey *)inf_registry_find(registry, path);
    InfValue *value = value_of(key, name);
    g_autofree char *folded = inf_text_fold(name);
    if (!value)
        return;
    g_hash_table_remove(key->ByName, folded);
    g_ptr_array_remove(key->Values, value);
}

/* Those below a key follow it. */
static bool is_at_or_below(const char *path, const char *key)
{
    size_t length = strlen(key);
    return strncmp(path, key, length) == 0 && (path[length] == '\\' || path[length] == '\0');
}

void inf_registry_delete_key(InfRegistry *registry, const char *path)
{
    g_autofree char *folded = inf_text_fold(path);
    GTreeNode *node = g_tree_lower_bound(registry->Keys, folded);
    while (node && is_at_or_below(g_tree_node_key(node), folded)) {
        g_tree_remove(registry->Keys, g_tree_node_key(node));
        node = g_tree_lower_bound(registry->Keys, folded);
    }
}

char **inf_registry_texts(const InfValue *value)
{
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
    guint units = value->Data->len / 2;
    for (guint at = 0; at < units;) {
        guint begin = at;
        while (at < units && (value->Data->data[2 * at] || value->Data->data[2 * at + 1]))
            at++;
        g_autofree gunichar2 *wide = g_new0(gunichar2, at - begin + 1);
        for (guint i = begin; i < at; i++)
            wide[i - begin] = (gunichar2)(value->Data->data[2 * i] | value->Data->data[2 * i + 1] << 8);
        g_autofree char *text = g_utf16_to_utf8(wide, at - begin, NULL, NULL, NULL);
        if (text && *text)
            g_strv_builder_add(texts, text);
        at++;
    }
    return g_strv_builder_end(texts);
}
