/* SPDX-License-Identifier: MIT
 * The agent's scenario reader under ASan and UBSan: the demo scenario that tools/mkscenario.py made (argument
 * 1), and damage of every kind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "report_format.h"
#include "scenario_parse.h"

static const char *DemoPath;

static uint8_t *Demo(uint32_t *Length)
{
    FILE *File = fopen(DemoPath, "rb");
    assert_non_null(File);
    fseek(File, 0, SEEK_END);
    *Length = (uint32_t)ftell(File);
    rewind(File);
    uint8_t *Bytes = malloc(*Length);
    assert_non_null(Bytes);
    assert_int_equal(fread(Bytes, 1, *Length, File), *Length);
    fclose(File);
    return Bytes;
}

static void Is(const SCENARIO_TEXT *Text, const char *Expected)
{
    assert_int_equal(Text->Length, strlen(Expected));
    assert_memory_equal(Text->Bytes, Expected, Text->Length);
}

static void ReadsTheDemo(void **State)
{
    (void)State;
    uint32_t Length;
    uint8_t *Bytes = Demo(&Length);
    SCENARIO_READER Reader;
    SCENARIO_REQUEST Step;
    assert_true(ScenarioOpen(&Reader, Bytes, Length));
    assert_int_equal(Reader.StepCount, 8);
    assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Number, 1);
    assert_int_equal(Step.Operation, ScenarioLoad);
    assert_int_equal(Step.Flags, SCENARIO_FLAG_ECHO);
    Is(&Step.Name, "ioctl");
    assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Operation, ScenarioIoctl);
    Is(&Step.Device, "\\Device\\NtboxIoctl");
    assert_int_equal(Step.Code, 0x222000);
    assert_int_equal(Step.Size, 64);
    assert_int_equal(Step.DataLength, 14);
    assert_memory_equal(Step.Data, "Hello, driver!", 14);
    for (int i = 3; i <= 6; i++)
        assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Operation, ScenarioWrite);
    assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Operation, ScenarioRead);
    assert_int_equal(Step.Offset, 8);
    assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Operation, ScenarioUnload);
    assert_int_equal(Step.Number, 8);
    assert_false(ScenarioNext(&Reader, &Step));
    assert_false(ScenarioNext(&Reader, &Step));
    free(Bytes);
}

/* A scenario of one step, written by hand. */
typedef struct FILE_BYTES {
    uint64_t Words[64];
    uint32_t Length;
} FILE_BYTES;

static void Begin(FILE_BYTES *File, uint16_t Operation)
{
    SCENARIO_HEADER Header = {SCENARIO_MAGIC, SCENARIO_VERSION, 0, 1, 0};
    SCENARIO_STEP Step = {0, Operation, 0};
    memset(File, 0, sizeof(*File));
    memcpy(File->Words, &Header, sizeof(Header));
    memcpy(File->Words + 2, &Step, sizeof(Step));
    File->Length = sizeof(Header) + sizeof(Step);
}

static void Field(FILE_BYTES *File, uint8_t Kind, uint8_t Key, const void *Data, uint32_t Length)
{
    REPORT_FIELD Header = {Kind, Key, 0, Length};
    uint8_t *At = (uint8_t *)File->Words + File->Length;
    memcpy(At, &Header, sizeof(Header));
    memcpy(At + sizeof(Header), Data, Length);
    File->Length += (uint32_t)sizeof(Header) + ((Length + 7) & ~7u);
}

static void Text(FILE_BYTES *File, uint8_t Key, const char *Value)
{
    Field(File, ReportKindText, Key, Value, (uint32_t)strlen(Value));
}

static void Number(FILE_BYTES *File, uint8_t Key, uint64_t Value)
{
    Field(File, ReportKindNumber, Key, &Value, sizeof(Value));
}

static void Finish(FILE_BYTES *File)
{
    uint32_t StepLength = File->Length - (uint32_t)sizeof(SCENARIO_HEADER);
    memcpy((uint8_t *)File->Words + offsetof(SCENARIO_HEADER, Length), &File->Length, 4);
    memcpy((uint8_t *)File->Words + sizeof(SCENARIO_HEADER), &StepLength, 4);
}

static void Refused(FILE_BYTES *File, uint32_t Offset, const char *Rule)
{
    SCENARIO_READER Reader;
    Finish(File);
    assert_false(ScenarioOpen(&Reader, File->Words, File->Length));
    assert_string_equal(Reader.Error.Rule, Rule);
    assert_int_equal(Reader.Error.Offset, Offset);
}

static void NamesWhatIsWrong(void **State)
{
    (void)State;
    FILE_BYTES File;
    Begin(&File, 0);
    Refused(&File, 16, "a step has an unknown operation");
    Begin(&File, ScenarioPowerCycle + 1);
    Refused(&File, 16, "a step has an unknown operation");
    Begin(&File, ScenarioLoad);
    Refused(&File, 16, "a step lacks a field that its operation needs");
    Begin(&File, ScenarioLoad);
    Text(&File, ReportKeyName, "");
    Refused(&File, 16, "a name is empty");
    Begin(&File, ScenarioLoad);
    Text(&File, ReportKeyName, "a\\b");
    Refused(&File, 16, "a service name holds a path separator");
    Begin(&File, ScenarioLoad);
    Text(&File, ReportKeyName, "a\xff");
    Refused(&File, 16, "a name is no UTF-8");
    Begin(&File, ScenarioLoad);
    Number(&File, ReportKeyName, 1);
    Refused(&File, 24, "a field has another kind than its key demands");
    Begin(&File, ScenarioLoad);
    Text(&File, ReportKeyName, "a");
    Text(&File, ReportKeyName, "b");
    Refused(&File, 40, "a field occurs twice in one step");
    Begin(&File, ScenarioIoctl);
    Text(&File, ReportKeyDevice, "NtboxIoctl");
    Number(&File, ReportKeyCode, 1);
    Refused(&File, 16, "a device name does not begin with a backslash");
    Begin(&File, ScenarioIoctl);
    Number(&File, ReportKeyCode, 1ull << 32);
    Refused(&File, 24, "a control code has more than 32 bits");
    Begin(&File, ScenarioRead);
    Number(&File, ReportKeySize, SCENARIO_MAX_TRANSFER + 1ull);
    Refused(&File, 24, "an output length is over 16 MiB");
    Begin(&File, ScenarioRead);
    Number(&File, ReportKeyOffset, 1ull << 63);
    Refused(&File, 24, "a file offset is negative");
    Begin(&File, ScenarioMark);
    Field(&File, ReportKindNumber, ReportKeyCount, "1234", 4);
    Refused(&File, 24, "a number is not 8 bytes long");
}

static void SkipsUnknownFields(void **State)
{
    (void)State;
    FILE_BYTES File;
    SCENARIO_READER Reader;
    SCENARIO_REQUEST Step;
    Begin(&File, ScenarioMark);
    Text(&File, 200, "later");
    Number(&File, ReportKeyCount, 7);
    Finish(&File);
    assert_true(ScenarioOpen(&Reader, File.Words, File.Length));
    assert_true(ScenarioNext(&Reader, &Step));
    assert_int_equal(Step.Count, 7);
}

static void ConvertsNames(void **State)
{
    (void)State;
    uint16_t Wide[4];
    SCENARIO_TEXT Umlaut = {"\xc3\xbc", 2}, Emoji = {"\xf0\x9f\x98\x80", 4}, Overlong = {"\xc0\xaf", 2},
                  Cut = {"\xe2\x82", 2};
    assert_int_equal(ScenarioToUtf16(&Umlaut, Wide, 4), 1);
    assert_int_equal(Wide[0], 0xfc);
    assert_int_equal(ScenarioToUtf16(&Emoji, Wide, 4), 2);
    assert_int_equal(Wide[0], 0xd83d);
    assert_int_equal(Wide[1], 0xde00);
    assert_int_equal(ScenarioToUtf16(&Emoji, Wide, 1), 0);
    assert_int_equal(ScenarioToUtf16(&Overlong, Wide, 4), 0);
    assert_int_equal(ScenarioToUtf16(&Cut, Wide, 4), 0);
}

/* Each byte with several values, and each length: refused with a rule, or readable to the end. */
static void DamageIsHarmless(void **State)
{
    (void)State;
    static const uint8_t Masks[] = {0x01, 0x40, 0x80, 0xff};
    uint32_t Length, Refusals = 0;
    uint8_t *Bytes = Demo(&Length);
    SCENARIO_READER Reader;
    SCENARIO_REQUEST Step;
    for (uint32_t At = 0; At < Length * sizeof(Masks); At++) {
        Bytes[At / sizeof(Masks)] ^= Masks[At % sizeof(Masks)];
        bool Good = ScenarioOpen(&Reader, Bytes, Length);
        assert_true(Good || Reader.Error.Rule);
        Refusals += !Good;
        while (Good && ScenarioNext(&Reader, &Step))
            assert_true(Step.Number <= Reader.StepCount);
        Bytes[At / sizeof(Masks)] ^= Masks[At % sizeof(Masks)];
    }
    assert_true(Refusals > 200);
    for (uint32_t Part = 0; Part < Length; Part++) {
        uint8_t *Copy = malloc(Part + 1);
        memcpy(Copy, Bytes, Part);
        if (Part >= sizeof(SCENARIO_HEADER))
            memcpy(Copy + offsetof(SCENARIO_HEADER, Length), &Part, 4);
        assert_false(ScenarioOpen(&Reader, Copy, Part));
        free(Copy);
    }
    free(Bytes);
}

int main(int Count, char **Arguments)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(ReadsTheDemo),       cmocka_unit_test(NamesWhatIsWrong),
        cmocka_unit_test(SkipsUnknownFields), cmocka_unit_test(ConvertsNames),
        cmocka_unit_test(DamageIsHarmless),
    };
    if (Count != 2)
        return 2;
    DemoPath = Arguments[1];
    return cmocka_run_group_tests_name("scenario", Tests, NULL, NULL);
}
