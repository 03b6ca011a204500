/* SPDX-License-Identifier: MIT
 * A small QMP client: one line a command, answered in order; events come between. */
#include "qmp.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_report.h"

#define DEADLINE_MICROSECONDS (3 * G_USEC_PER_SEC)
#define MAX_UNREAD (1u << 20)

G_DEFINE_QUARK(ntbox - qmp - error - quark, qmp_error)

static bool fail(GError **error, const char *reason)
{
    g_set_error(error, QMP_ERROR, 0, "QEMU's monitor %s", reason);
    return false;
}

/* ---- what QEMU says ---- */

/* With `-action shutdown=pause` (machine.c) the machine then stands still, so that it can be looked at. */
static void take_shutdown(QmpMonitor *monitor, JsonObject *event)
{
    JsonObject *data =
        json_object_has_member(event, "data") ? json_object_get_object_member(event, "data") : NULL;
    const char *reason = data ? json_object_get_string_member_with_default(data, "reason", "") : "";
    if (strcmp(reason, "guest-reset") == 0)
        monitor->Reset = true;
    else
        monitor->PowerOff = true;
}

static void take_deleted(QmpMonitor *monitor, JsonObject *event)
{
    JsonObject *data =
        json_object_has_member(event, "data") ? json_object_get_object_member(event, "data") : NULL;
    const char *device = data ? json_object_get_string_member_with_default(data, "device", NULL) : NULL;
    if (device)
        g_ptr_array_add(monitor->Deleted, g_strdup(device));
}

static char *refusal_of(JsonObject *answer)
{
    JsonObject *refusal = json_object_get_object_member(answer, "error");
    return g_strdup(refusal ? json_object_get_string_member_with_default(refusal, "desc", "") : "");
}

/* The text of the "return" member, "" if it is no text. */
static char *text_of(JsonObject *answer)
{
    JsonNode *value = json_object_get_member(answer, "return");
    bool text = JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING;
    return g_strdup(text ? json_node_get_string(value) : "");
}

/* Greetings and other events say nothing that we want to know. */
static void take_line(QmpMonitor *monitor, const char *line)
{
    g_autoptr(JsonNode) root = json_from_string(line, NULL);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return;
    JsonObject *object = json_node_get_object(root);
    bool good = json_object_has_member(object, "return");
    if (good || json_object_has_member(object, "error")) {
        g_free(monitor->Answer);
        monitor->Answer = good ? text_of(object) : NULL;
        g_free(monitor->Refusal);
        monitor->Refusal = good ? NULL : refusal_of(object);
        monitor->Outstanding -= monitor->Outstanding > 0;
        return;
    }
    const char *event = json_object_get_string_member_with_default(object, "event", "");
    if (strcmp(event, "SHUTDOWN") == 0)
        take_shutdown(monitor, object);
    else if (strcmp(event, "DEVICE_DELETED") == 0)
        take_deleted(monitor, object);
}

static void take_lines(QmpMonitor *monitor)
{
    char *newline;
    while ((newline = memchr(monitor->Input->str, '\n', monitor->Input->len))) {
        gsize length = (gsize)(newline - monitor->Input->str);
        g_autofree char *line = g_strndup(monitor->Input->str, length);
        g_string_erase(monitor->Input, 0, (gssize)length + 1);
        take_line(monitor, line);
    }
}

/* Takes what is there. False when the monitor is closed, or says more than anybody can mean. */
static bool receive(QmpMonitor *monitor)
{
    char buffer[4096];
    ssize_t count;
    while ((count = recv(monitor->Fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        g_string_append_len(monitor->Input, buffer, count);
        take_lines(monitor);
        if (monitor->Input->len > MAX_UNREAD)
            return false;
    }
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

/* ---- what we say ---- */

static bool send_line(QmpMonitor *monitor, const char *line)
{
    for (size_t length = strlen(line); length;) {
        ssize_t count = send(monitor->Fd, line, length, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        line += count;
        length -= (size_t)count;
    }
    monitor->Outstanding++;
    return true;
}

static bool wait_for_input(const QmpMonitor *monitor, gint64 deadline)
{
    struct pollfd wait = {.fd = monitor->Fd, .events = POLLIN};
    gint64 left = deadline - g_get_monotonic_time();
    return left > 0 && (poll(&wait, 1, (int)(left / 1000) + 1) >= 0 || errno == EINTR);
}

/* Waits for the answer to this command, behind those of the ones before it; it is then in monitor->Answer. */
static bool command(QmpMonitor *monitor, const char *line, gint64 deadline, GError **error)
{
    if (!send_line(monitor, line))
        return fail(error, "is closed");
    while (monitor->Outstanding) {
        if (!wait_for_input(monitor, deadline))
            return fail(error, "did not answer in time");
        if (!receive(monitor) && monitor->Outstanding)
            return fail(error, "is closed");
    }
    return monitor->Answer || fail(error, "refused a command");
}

static bool commands(QmpMonitor *monitor, const char *const *lines, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + DEADLINE_MICROSECONDS;
    for (; *lines; lines++) {
        if (!command(monitor, *lines, deadline, error))
            return false;
    }
    return true;
}

bool qmp_do(QmpMonitor *monitor, const char *line, GError **error)
{
    g_ptr_array_set_size(monitor->Deleted, 0);
    if (command(monitor, line, g_get_monotonic_time() + DEADLINE_MICROSECONDS, error))
        return true;
    if (monitor->Refusal) {
        g_clear_error(error);
        g_set_error(error, QMP_ERROR, 0, "QEMU refused %.*s: %s", (int)strcspn(line, "\n"), line,
                    monitor->Refusal);
    }
    return false;
}

bool qmp_is_deleted(const QmpMonitor *monitor, const char *device)
{
    return g_ptr_array_find_with_equal_func(monitor->Deleted, device, g_str_equal, NULL);
}

void qmp_open(QmpMonitor *monitor, int fd)
{
    *monitor = (QmpMonitor){
        .Fd = fd, .Input = g_string_new(NULL), .Deleted = g_ptr_array_new_with_free_func(g_free)};
    send_line(monitor,
              "{\"execute\":\"qmp_capabilities\"}\n"); /* the socket holds it until QEMU has started */
}

void qmp_close(QmpMonitor *monitor)
{
    if (monitor->Input)
        g_string_free(g_steal_pointer(&monitor->Input), TRUE);
    g_clear_pointer(&monitor->Answer, g_free);
    g_clear_pointer(&monitor->Refusal, g_free);
    g_clear_pointer(&monitor->Deleted, g_ptr_array_unref);
}

void qmp_poll(QmpMonitor *monitor)
{
    (void)receive(monitor); /* closed: QEMU has ended, which the child's exit tells */
}

char *qmp_read_registers(QmpMonitor *monitor, GError **error)
{
    static const char *const lines[] = {
        "{\"execute\":\"stop\"}\n",
        "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info registers -a\"}}\n",
        NULL,
    };
    return commands(monitor, lines, error) ? g_steal_pointer(&monitor->Answer) : NULL;
}

bool qmp_inject_nmi(QmpMonitor *monitor, GError **error)
{
    static const char *const lines[] = {"{\"execute\":\"inject-nmi\"}\n", "{\"execute\":\"cont\"}\n", NULL};
    return commands(monitor, lines, error);
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
