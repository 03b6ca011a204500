/* SPDX-License-Identifier: MIT
 * The steps that move devices: --unplug, --plug and --surprise. */
#include "hot_plug.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "pci_control.h"
#include "usage.h"

static Request *new_request(SCENARIO_OP operation, const char *verb, const char *text)
{
    Request *request = g_new0(Request, 1);
    request->Operation = operation;
    request->Input = g_byte_array_new();
    request->Device = verb ? g_strconcat(verb, " ", text, NULL) : g_strdup(text);
    return request;
}

/* One line for the monitor; members of arguments are texts. Takes over the builder, which stands inside of the arguments. */
static char *end_command(JsonBuilder *builder)
{
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *line = json_to_string(root, FALSE);
    g_object_unref(builder);
    return g_strconcat(line, "\n", NULL);
}

static JsonBuilder *begin_command(const char *command)
{
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "execute");
    json_builder_add_string_value(builder, command);
    json_builder_set_member_name(builder, "arguments");
    json_builder_begin_object(builder);
    return builder;
}

static void add_member(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

Request *hot_plug_parse_unplug(const char *text, GError **error)
{
    if (!*text || strpbrk(text, ",= \t")) {
        usage_error(error, "--unplug wants the id of a device, not '%s'", text);
        return NULL;
    }
    Request *request = new_request(ScenarioMark, "unplug", text);
    JsonBuilder *builder = begin_command("device_del");
    add_member(builder, "id", text);
    request->Command = end_command(builder);
    request->Gone = g_strdup(text);
    return request;
}

/* "driver,name=value,..." as --device has it. */
Request *hot_plug_parse_plug(const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    if (!*parts || **parts == '\0' || strchr(*parts, '=')) {
        usage_error(error, "--plug wants the name of a QEMU device, not '%s'", text);
        return NULL;
    }
    JsonBuilder *builder = begin_command("device_add");
    add_member(builder, "driver", *parts);
    for (char **part = parts + 1; *part; part++) {
        g_auto(GStrv) pair = g_strsplit(*part, "=", 2);
        add_member(builder, *pair ? *pair : "", *pair && pair[1] ? pair[1] : "on");
    }
    Request *request = new_request(ScenarioMark, "plug", text);
    request->Command = end_command(builder);
    return request;
}

/* "bus:device.function": hexadecimal, decimal, decimal, as the location of a device is printed. */
Request *hot_plug_parse_surprise(const char *text, GError **error)
{
    unsigned bus, device, function;
    int length = 0;
    if (sscanf(text, "%2x:%2u.%1u%n", &bus, &device, &function, &length) != 3 || text[length] ||
        device > 31 || function > 7) {
        usage_error(error, "--surprise wants BUS:DEVICE.FUNCTION (BUS in hexadecimal), not '%s'", text);
        return NULL;
    }
    NTBOX_PCI_PLACE place = {.Bus = (guint8)bus, .Device = (guint8)device, .Function = (guint8)function};
    Request *request = new_request(ScenarioIoctl, NULL, NTBOX_PCI_DEVICE);
    request->Code = IOCTL_NTBOX_PCI_TAKE_AWAY;
    g_byte_array_append(request->Input, (const guint8 *)&place, sizeof place);
    return request;
}
