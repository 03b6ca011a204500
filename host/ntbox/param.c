/* SPDX-License-Identifier: MIT
 * Parses --param and turns its value into the bytes of a registry value. */
#include "param.h"

#include <string.h>

#include "usage.h"

#define MAX_DATA (1024u * 1024u)

/* Appends text as UTF-16LE, with a terminator. */
static bool append_utf16(GByteArray *data, const char *text, GError **error)
{
    glong units;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    if (!wide)
        return usage_error(error, "--param: '%s' is not UTF-8", text);
    g_byte_array_append(data, (const guint8 *)wide, (guint)(units + 1) * 2);
    return true;
}

static bool append_number(GByteArray *data, const char *text, size_t size, GError **error)
{
    uint64_t number;
    uint64_t maximum = size == 4 ? UINT32_MAX : UINT64_MAX;
    if (!usage_parse_number(text, "--param: the value", maximum, &number, error))
        return false;
    number = GUINT64_TO_LE(number);
    g_byte_array_append(data, (const guint8 *)&number, (guint)size);
    return true;
}

static bool append_multi(GByteArray *data, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "\\0", -1);
    for (char **part = parts; *part; part++) {
        /* [WDK Registry Value Types] an empty string ends a REG_MULTI_SZ, so it can hold none. */
        if (**part && !append_utf16(data, *part, error))
            return false;
    }
    return append_utf16(data, "", error);
}

static bool append_binary(GByteArray *data, const char *text, GError **error)
{
    g_autoptr(GByteArray) bytes = usage_parse_hex(text, "--param: the value", MAX_DATA, error);
    if (!bytes)
        return false;
    g_byte_array_append(data, bytes->data, bytes->len);
    return true;
}

static bool encode(ServiceParameter *parameter, const char *value, GError **error)
{
    switch (parameter->Type) {
    case RegistryDword:
        return append_number(parameter->Data, value, 4, error);
    case RegistryQword:
        return append_number(parameter->Data, value, 8, error);
    case RegistryMultiSz:
        return append_multi(parameter->Data, value, error);
    case RegistryBinary:
        return append_binary(parameter->Data, value, error);
    default:
        return append_utf16(parameter->Data, value, error);
    }
}

static bool parse_type(const char *name, RegistryType *type, GError **error)
{
    static const struct {
        const char *Name;
        RegistryType Type;
    } types[] = {
        {"dword", RegistryDword},        {"qword", RegistryQword},      {"sz", RegistrySz},
        {"expand_sz", RegistryExpandSz}, {"multi_sz", RegistryMultiSz}, {"binary", RegistryBinary},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strcasecmp(name, types[i].Name) == 0) {
            *type = types[i].Type;
            return true;
        }
    }
    return usage_error(error, "--param: unknown type '%s' (dword, qword, sz, expand_sz, multi_sz, binary)",
                       name);
}

/* Splits "[SERVICE/]NAME" and stores both. */
static bool parse_name(ServiceParameter *parameter, const char *name, GError **error)
{
    const char *slash = strchr(name, '/');
    parameter->Service = slash ? g_strndup(name, (gsize)(slash - name)) : NULL;
    parameter->Name = g_strdup(slash ? slash + 1 : name);
    if (!*parameter->Name || (slash && slash == name) || !g_utf8_validate(name, -1, NULL))
        return usage_error(error, "--param: '%s' is not a value's name", name);
    return true;
}

static bool parse(ServiceParameter *parameter, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    const char *colon = equals ? strchr(equals, ':') : NULL;
    if (!colon)
        return usage_error(error, "--param wants [SERVICE/]NAME=TYPE:VALUE, not '%s'", text);
    g_autofree char *name = g_strndup(text, (gsize)(equals - text));
    g_autofree char *type = g_strndup(equals + 1, (gsize)(colon - equals - 1));
    return parse_name(parameter, name, error) && parse_type(type, &parameter->Type, error) &&
           encode(parameter, colon + 1, error);
}

ServiceParameter *service_parameter_parse(const char *text, GError **error)
{
    ServiceParameter *parameter = g_new0(ServiceParameter, 1);
    parameter->Data = g_byte_array_new();
    if (parse(parameter, text, error))
        return parameter;
    service_parameter_free(parameter);
    return NULL;
}

void service_parameter_free(ServiceParameter *parameter)
{
    g_free(parameter->Service);
    g_free(parameter->Name);
    g_byte_array_unref(parameter->Data);
    g_free(parameter);
}

bool service_parameter_applies(const ServiceParameter *parameter, const char *service)
{
    return !parameter->Service || g_ascii_strcasecmp(parameter->Service, service) == 0;
}
