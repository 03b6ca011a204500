/* SPDX-License-Identifier: MIT
 * Parses the requests of the command line. The parts are split at colons, which no device name holds. */
#include "request.h"

#include <string.h>

#include "usage.h"

char *request_object_name(const char *device)
{
    if (g_str_has_prefix(device, "\\\\.\\"))
        return g_strconcat("\\??\\", device + 4, NULL);
    if (device[0] == '\\')
        return g_strdup(device);
    return g_strconcat("\\??\\", device, NULL);
}

static bool parse_ioctl(Request *request, char **parts, guint count, GError **error)
{
    uint64_t number;
    if (count < 2 || count > 4)
        return usage_error(error, "--ioctl wants DEVICE:CODE[:HEX-IN[:OUT-LENGTH]]");
    if (!usage_parse_number(parts[1], "--ioctl: the control code", UINT32_MAX, &number, error))
        return false;
    request->Code = (uint32_t)number;
    if (count > 2) {
        g_byte_array_unref(request->Input);
        request->Input = usage_parse_hex(parts[2], "--ioctl: the input", REQUEST_MAX_LENGTH, error);
        if (!request->Input)
            return false;
    }
    number = REQUEST_DEFAULT_LENGTH;
    if (count > 3 &&
        !usage_parse_number(parts[3], "--ioctl: the output length", REQUEST_MAX_LENGTH, &number, error))
        return false;
    request->OutputLength = (uint32_t)number;
    return true;
}

static bool parse_read(Request *request, char **parts, guint count, GError **error)
{
    uint64_t length = REQUEST_DEFAULT_LENGTH;
    if (count > 3)
        return usage_error(error, "--read wants DEVICE[:LENGTH[:OFFSET]]");
    if (count > 1 && !usage_parse_number(parts[1], "--read: the length", REQUEST_MAX_LENGTH, &length, error))
        return false;
    request->OutputLength = (uint32_t)length;
    return count < 3 ||
           usage_parse_number(parts[2], "--read: the offset", INT64_MAX, &request->Offset, error);
}

static bool parse_write(Request *request, char **parts, guint count, GError **error)
{
    if (count < 2 || count > 3)
        return usage_error(error, "--write wants DEVICE:HEX[:OFFSET]");
    g_byte_array_unref(request->Input);
    request->Input = usage_parse_hex(parts[1], "--write: the data", REQUEST_MAX_LENGTH, error);
    if (!request->Input)
        return false;
    return count < 3 ||
           usage_parse_number(parts[2], "--write: the offset", INT64_MAX, &request->Offset, error);
}

static bool parse_parts(Request *request, char **parts, GError **error)
{
    guint count = g_strv_length(parts);
    if (count == 0 || parts[0][0] == '\0')
        return usage_error(error, "a request without a device name");
    if (!g_utf8_validate(parts[0], -1, NULL))
        return usage_error(error, "a device name that is not UTF-8");
    request->Device = request_object_name(parts[0]);
    if (strlen(request->Device) > REQUEST_MAX_DEVICE)
        return usage_error(error, "a device name of %zu bytes: it can have %u", strlen(request->Device),
                           REQUEST_MAX_DEVICE);
    switch (request->Operation) {
    case ScenarioIoctl:
        return parse_ioctl(request, parts, count, error);
    case ScenarioRead:
        return parse_read(request, parts, count, error);
    default:
        return parse_write(request, parts, count, error);
    }
}

Request *request_parse(SCENARIO_OP operation, const char *text, GError **error)
{
    Request *request = g_new0(Request, 1);
    request->Operation = operation;
    request->Input = g_byte_array_new();
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    if (parse_parts(request, parts, error))
        return request;
    request_free(request);
    return NULL;
}

Request *request_sleep(void)
{
    Request *request = g_new0(Request, 1);
    request->Operation = ScenarioPowerCycle;
    request->Device = g_strdup("");
    request->Input = g_byte_array_new();
    return request;
}

void request_free(Request *request)
{
    g_free(request->Device);
    g_free(request->Command);
    g_free(request->Gone);
    g_clear_pointer(&request->Input, g_byte_array_unref);
    g_free(request);
}
