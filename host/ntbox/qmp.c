/* SPDX-License-Identifier: MIT
 * A small QMP client: one line out, lines in until the one that answers. */
#include "qmp.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_report.h"

#define DEADLINE_MICROSECONDS (3 * G_USEC_PER_SEC)
#define MAX_ANSWER (1u << 20)

G_DEFINE_QUARK(ntbox - qmp - error - quark, qmp_error)

typedef struct Monitor {
    int Fd;
    gint64 Deadline; /* monotonic */
    GString *Input;  /* read but not yet taken */
} Monitor;

static bool fail(GError **error, const char *reason)
{
    g_set_error(error, QMP_ERROR, 0, "QEMU's monitor %s", reason);
    return false;
}

/* Reads some bytes more. */
static bool receive(Monitor *monitor, GError **error)
{
    char buffer[4096];
    gint64 left = monitor->Deadline - g_get_monotonic_time();
    struct pollfd wait = {.fd = monitor->Fd, .events = POLLIN};
    if (left <= 0 || monitor->Input->len > MAX_ANSWER)
        return fail(error, "did not answer in time");
    int ready = poll(&wait, 1, (int)(left / 1000) + 1);
    if (ready < 0 && errno != EINTR)
        return fail(error, "cannot be read");
    if (ready <= 0)
        return true;
    ssize_t count = read(monitor->Fd, buffer, sizeof buffer);
    if (count <= 0)
        return fail(error, "is closed");
    g_string_append_len(monitor->Input, buffer, count);
    return true;
}

static char *receive_line(Monitor *monitor, GError **error)
{
    for (;;) {
        char *newline = memchr(monitor->Input->str, '\n', monitor->Input->len);
        if (newline) {
            gsize length = (gsize)(newline - monitor->Input->str);
            char *line = g_strndup(monitor->Input->str, length);
            g_string_erase(monitor->Input, 0, (gssize)length + 1);
            return line;
        }
        if (!receive(monitor, error))
            return NULL;
    }
}

static bool send_line(Monitor *monitor, const char *line, GError **error)
{
    for (size_t length = strlen(line); length;) {
        ssize_t count = send(monitor->Fd, line, length, MSG_NOSIGNAL);
        if (count <= 0)
            return fail(error, "is closed");
        line += count;
        length -= (size_t)count;
    }
    return true;
}

/* The text of the "return" member, "" if it is no text; NULL: the line is no answer (greeting, event, error).
 */
static char *answer_of(const char *line)
{
    g_autoptr(JsonNode) root = json_from_string(line, NULL);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    JsonObject *object = json_node_get_object(root);
    if (!json_object_has_member(object, "return"))
        return NULL;
    JsonNode *value = json_object_get_member(object, "return");
    bool text = JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING;
    return g_strdup(text ? json_node_get_string(value) : "");
}

static char *command(Monitor *monitor, const char *line, GError **error)
{
    if (!send_line(monitor, line, error))
        return NULL;
    for (;;) {
        g_autofree char *received = receive_line(monitor, error);
        if (!received)
            return NULL;
        char *answer = answer_of(received);
        if (answer)
            return answer;
    }
}

char *qmp_read_registers(int fd, GError **error)
{
    static const char *const lines[] = {
        "{\"execute\":\"qmp_capabilities\"}\n",
        "{\"execute\":\"stop\"}\n",
        "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info registers -a\"}}\n",
    };
    Monitor monitor = {fd, g_get_monotonic_time() + DEADLINE_MICROSECONDS, g_string_new(NULL)};
    char *answer = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_free(answer);
        answer = command(&monitor, lines[i], error);
        if (!answer)
            break;
    }
    g_string_free(monitor.Input, TRUE);
    return answer;
}

GPtrArray *qmp_parse_registers(const char *text)
{
    GPtrArray *states = g_ptr_array_new_with_free_func((GDestroyNotify)processor_state_free);
    const char *at = strstr(text, "CPU#");
    while (at) {
        const char *next = strstr(at + 4, "CPU#");
        g_autofree char *part = next ? g_strndup(at, (gsize)(next - at)) : g_strdup(at);
        const char *rip = strstr(part, "RIP=");
        if (rip) {
            ProcessorState *state = g_new0(ProcessorState, 1);
            state->Number = (unsigned)g_ascii_strtoull(part + 4, NULL, 10);
            state->Rip = g_ascii_strtoull(rip + 4, NULL, 16);
            state->Halted = strstr(part, "HLT=1") != NULL;
            g_ptr_array_add(states, state);
        }
        at = next;
    }
    return states;
}
