/* SPDX-License-Identifier: MIT
 * The scenario writer: header, steps, fields; each padded to 8 bytes. Little endian, as host and guest are.
 */
#include "scenario.h"

#include <string.h>

#include "report_format.h"
#include "scenario_format.h"

typedef struct Writer {
    GByteArray *Bytes;
    guint StepStart;
    uint32_t StepCount;
    uint16_t Flags;
} Writer;

static void pad(GByteArray *bytes)
{
    static const guint8 zeros[8];
    g_byte_array_append(bytes, zeros, (8 - bytes->len % 8) % 8);
}

static void add_field(Writer *writer, REPORT_KIND kind, REPORT_KEY key, const void *data, size_t length)
{
    REPORT_FIELD field = {.Kind = (uint8_t)kind, .Key = (uint8_t)key, .Length = (uint32_t)length};
    g_byte_array_append(writer->Bytes, (const guint8 *)&field, sizeof field);
    if (length)
        g_byte_array_append(writer->Bytes, data, (guint)length);
    pad(writer->Bytes);
}

static void add_text(Writer *writer, REPORT_KEY key, const char *text)
{
    add_field(writer, ReportKindText, key, text, strlen(text));
}

static void add_number(Writer *writer, REPORT_KEY key, uint64_t number)
{
    add_field(writer, ReportKindNumber, key, &number, sizeof number);
}

static void begin_step(Writer *writer, SCENARIO_OP operation)
{
    SCENARIO_STEP step = {.Operation = (uint16_t)operation, .Flags = writer->Flags};
    writer->StepStart = writer->Bytes->len;
    writer->StepCount++;
    g_byte_array_append(writer->Bytes, (const guint8 *)&step, sizeof step);
}

static void end_step(Writer *writer)
{
    uint32_t length = writer->Bytes->len - writer->StepStart;
    memcpy(writer->Bytes->data + writer->StepStart + offsetof(SCENARIO_STEP, Length), &length, sizeof length);
}

static void add_bare_step(Writer *writer, SCENARIO_OP operation)
{
    begin_step(writer, operation);
    end_step(writer);
}

static void add_service_step(Writer *writer, SCENARIO_OP operation, const char *service)
{
    begin_step(writer, operation);
    add_text(writer, ReportKeyName, service);
    end_step(writer);
}

/* Its number is the step's. What comes behind it waits for devices that come. */
static void add_mark_step(Writer *writer, const Request *request)
{
    begin_step(writer, ScenarioMark);
    add_number(writer, ReportKeyCount, writer->StepCount);
    end_step(writer);
    if (!request->Gone)
        writer->Flags |= SCENARIO_FLAG_AWAIT;
}

static void add_request_step(Writer *writer, const Request *request)
{
    if (request->Operation == ScenarioMark) {
        add_mark_step(writer, request);
        return;
    }
    begin_step(writer, request->Operation);
    add_text(writer, ReportKeyDevice, request->Device);
    if (request->Operation == ScenarioIoctl)
        add_number(writer, ReportKeyCode, request->Code);
    if (request->Operation != ScenarioRead && request->Input->len)
        add_field(writer, ReportKindBytes, ReportKeyData, request->Input->data, request->Input->len);
    if (request->Operation != ScenarioWrite)
        add_number(writer, ReportKeySize, request->OutputLength);
    if (request->Operation != ScenarioIoctl && request->Offset)
        add_number(writer, ReportKeyOffset, request->Offset);
    end_step(writer);
}

/* The passes are of this scenario: their seed is the run's. */
static void add_fail_step(Writer *writer, const FailPlan *plan, uint64_t seed, uint32_t count)
{
    begin_step(writer, ScenarioFail);
    if (plan->Only)
        add_text(writer, ReportKeyName, plan->Only);
    add_number(writer, ReportKeyCount, count);
    add_number(writer, ReportKeySize, plan->Mode);
    add_number(writer, ReportKeyOffset, plan->Number);
    add_number(writer, ReportKeyHash, seed);
    add_number(writer, ReportKeyCode, plan->Passes);
    end_step(writer);
}

static void write_header(Writer *writer)
{
    SCENARIO_HEADER header = {.Magic = SCENARIO_MAGIC,
                              .Version = SCENARIO_VERSION,
                              .StepCount = writer->StepCount,
                              .Length = writer->Bytes->len};
    memcpy(writer->Bytes->data, &header, sizeof header);
}

GBytes *scenario_compile(const GArray *steps, const FailPlan *fail, uint64_t seed, bool echo)
{
    Writer writer = {.Bytes = g_byte_array_new(), .Flags = echo ? SCENARIO_FLAG_ECHO : 0};
    g_byte_array_set_size(writer.Bytes, sizeof(SCENARIO_HEADER));
    for (guint i = 0; i < steps->len; i++) {
        const RunStep *step = &g_array_index(steps, RunStep, i);
        if (step->Request)
            add_request_step(&writer, step->Request);
        else if (step->Operation == ScenarioFail)
            add_fail_step(&writer, fail, seed, step->Count);
        else if (step->Operation == ScenarioPowerCycle)
            add_bare_step(&writer, step->Operation);
        else
            add_service_step(&writer, step->Operation, step->Service);
    }
    write_header(&writer);
    return g_byte_array_free_to_bytes(writer.Bytes);
}

const char *scenario_operation_name(uint32_t operation)
{
    static const char *const names[] = {"step",  "load", "unload",           "ioctl",      "read",
                                        "write", "mark", "fail-allocations", "power-cycle"};
    return operation < G_N_ELEMENTS(names) ? names[operation] : names[0];
}
