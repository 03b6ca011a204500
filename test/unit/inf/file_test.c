/* SPDX-License-Identifier: MIT
 * From bytes to fields: encodings, syntax, strings. */
#include "cmocka_glib.h"

#include <string.h>

#include "inf_error.h"
#include "inf_file.h"
#include "inf_text.h"

static InfFile *parse_bytes(const void *bytes, gsize length)
{
    GError *error = NULL;
    InfFile *file = inf_file_parse("x.inf", bytes, length, &error);
    if (error)
        fail_msg("%s", error->message);
    return file;
}

static InfFile *parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void expect_error_of(const void *bytes, gsize length, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    assert_null(inf_file_parse("x.inf", bytes, length, &error));
    assert_non_null(error);
    assert_true(error->domain == INF_ERROR);
    if (!g_str_has_prefix(error->message, wanted))
        fail_msg("'%s' does not begin with '%s'", error->message, wanted);
}

static void expect_error(const char *text, const char *wanted)
{
    expect_error_of(text, strlen(text), wanted);
}

static const InfLine *line_of(const InfFile *file, const char *section, guint index)
{
    const InfSection *found = inf_file_section(file, section);
    assert_non_null(found);
    assert_true(index < found->Lines->len);
    return inf_section_line(found, index);
}

static void expect_field(const InfLine *line, guint index, const char *wanted)
{
    g_autofree char *text = inf_line_field(line, index);
    assert_string_equal(text, wanted);
}

/* The fields behind the key, joined by '|', of the one line of [S]. */
static void expect_line(const char *text, const char *wanted)
{
    g_autofree char *whole = g_strconcat("[S]\n", text, NULL);
    g_autoptr(InfFile) file = parse(whole);
    const InfLine *line = line_of(file, "S", 0);
    g_autoptr(GString) fields = g_string_new(line->HasKey ? inf_line_raw(line, 0) : "");
    g_string_append_c(fields, line->HasKey ? '=' : ':');
    for (guint i = 1; i <= inf_line_count(line); i++) {
        g_autofree char *field = inf_line_field(line, i);
        g_string_append_printf(fields, "%s%s", i > 1 ? "|" : "", field);
    }
    assert_string_equal(fields->str, wanted);
    assert_int_equal(inf_file_section(file, "S")->Lines->len, 1);
}

static void fields(void **state)
{
    expect_line("a = b , c ,, d", "a=b|c||d");
    expect_line("a,b=c", ":a|b=c");
    expect_line("a=b=c", "a=b=c");
    expect_line(" \t only word \t ", ":only word");
    expect_line("a=", "a=");
    expect_line(",", ":|");
    expect_line("k=v;comment, \"", "k=v");
    expect_line("k=\"a, b; c = d\" ; comment", "k=a, b; c = d");
    expect_line("k=\" kept \"", "k= kept ");
    expect_line("k=\"say \"\"yes\"\"\"", "k=say \"yes\"");
    expect_line("k=\"\",x", "k=|x");
    expect_line("k=a\"b c\"d", "k=ab cd");
    expect_line("\"k=\"=v", "k==v");
    expect_line("HKR,Sub\\Key,\"a=b\",,%12%\\x", ":HKR|Sub\\Key|a=b||C:\\Windows\\System32\\drivers\\x");
}

static void continued_lines(void **state)
{
    expect_line("k=a,\\\n  b,\\ ; comment\r\n\tc", "k=a|b|c");
    expect_line("k=a\\b", "k=a\\b");
    expect_line("k=\"a\\\"", "k=a\\");
    expect_line("k=a\\", "k=a");
    expect_line("k=1,\\\n[not a section],2", "k=1|[not a section]|2");
}

static void sections(void **state)
{
    g_autoptr(InfFile) file = parse("; x\r\n\r\n[One]\r\na=1\r\r[ two ] rest\n[ONE]\nb=2\n[\"th;ree\"]\n");
    assert_int_equal(file->Sections->len, 3);
    assert_int_equal(inf_file_section(file, "oNE")->Lines->len, 2);
    assert_int_equal(line_of(file, "one", 0)->Number, 4);
    assert_int_equal(line_of(file, "one", 1)->Number, 8);
    assert_non_null(inf_file_section(file, "Two"));
    assert_non_null(inf_file_section(file, "TH;REE"));
    assert_null(inf_file_section(file, "three"));
    assert_ptr_equal(inf_section_find(inf_file_section(file, "one"), "B"), line_of(file, "one", 1));
    assert_null(inf_section_find(inf_file_section(file, "one"), "c"));
    g_autoptr(InfFile) twice = parse("[S]\na=1\nA=2\n");
    assert_ptr_equal(inf_section_find(inf_file_section(twice, "S"), "a"), line_of(twice, "S", 0));
}

static void strings(void **state)
{
    g_autoptr(InfFile) file = parse("[S]\nk%a%=%A%,\"%b%,%B%\",%%a%%,50% of %a%,%none%,%c%,%,%9999999%\n"
                                    "[Strings]\na=one\nb=\"t,w;o\"\nc=\"%a% %%\"\nd=plain\n"
                                    "[strings.0409]\nD=English\n[Strings.0407]\nA=eins\n");
    const InfLine *line = line_of(file, "S", 0);
    expect_field(line, 0, "kone");
    expect_field(line, 1, "one");
    expect_field(line, 2, "t,w;o,t,w;o");
    expect_field(line, 3, "%a%");
    expect_field(line, 4, "50% of %a%");
    expect_field(line, 5, "%none%");
    expect_field(line, 6, "%a% %%"); /* one pass */
    expect_field(line, 7, "%");
    expect_field(line, 8, "%9999999%");
    expect_field(line, 9, "");
    assert_int_equal(file->Undefined->len, 2);
    assert_string_equal(file->Undefined->pdata[0],
                        "x.inf:2: [S] k%a%: %none% is in no Strings section and stays as it is");
}

static void localized_strings(void **state)
{
    g_autoptr(InfFile) file =
        parse("[S]\n%a%,%b%,%c%\n[Strings]\na=1\nb=1\nc=1\n[Strings.0009]\na=2\nb=2\n[Strings.0409]\na=3\n");
    const InfLine *line = line_of(file, "S", 0);
    expect_field(line, 1, "3");
    expect_field(line, 2, "2");
    expect_field(line, 3, "1");
}

static void circles_of_strings(void **state)
{
    g_autoptr(InfFile) file = parse("[S]\n%a%\n[Strings]\na=%b%\nb=%a%%a%\n");
    expect_field(line_of(file, "S", 0), 1, "%b%");
}

static GByteArray *in_utf16(const char *text, bool big)
{
    glong length;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &length, NULL);
    GByteArray *bytes = g_byte_array_new();
    for (glong i = 0; i < length; i++) {
        guint16 unit = big ? GUINT16_TO_BE(wide[i]) : GUINT16_TO_LE(wide[i]);
        g_byte_array_append(bytes, (const guint8 *)&unit, 2);
    }
    return bytes;
}

static void encodings(void **state)
{
    static const char text[] = "\xef\xbb\xbf[S]\r\nk=G\xc3\xa4r\xe2\x82\xac\xf0\x9f\x98\x80\r\n";
    g_autoptr(InfFile) utf8 = parse(text);
    expect_field(line_of(utf8, "S", 0), 1, "G\xc3\xa4r\xe2\x82\xac\xf0\x9f\x98\x80");
    for (int big = 0; big < 2; big++) {
        g_autoptr(GByteArray) bytes = in_utf16(text, big);
        g_autoptr(InfFile) wide = parse_bytes(bytes->data, bytes->len);
        expect_field(line_of(wide, "S", 0), 1, "G\xc3\xa4r\xe2\x82\xac\xf0\x9f\x98\x80");
        expect_error_of(bytes->data, bytes->len - 1, "x.inf:3: here is half a character");
    }
    g_autoptr(InfFile) ansi = parse("[S]\nk=G\xe4r\x80\n\x1a\x01 what follows is not looked at");
    expect_field(line_of(ansi, "S", 0), 1, "G\xc3\xa4r\xe2\x82\xac");
}

static void names_have_no_case(void **state)
{
    g_autoptr(InfFile) file = parse("\xef\xbb\xbf[\xc3\x84]\na=1\n");
    assert_non_null(inf_file_section(file, "\xc3\xa4"));
    assert_true(inf_text_equal("\xc3\x84x", "\xc3\xa4X"));
    assert_false(inf_text_equal("a", "ab"));
    assert_false(inf_text_equal("ab", "a"));
    assert_true(inf_text_begins("Strings.0409", "STRINGS."));
    assert_false(inf_text_begins("Str", "Strings"));
}

static void errors_name_the_line(void **state)
{
    expect_error("; x\n\nk=v\n", "x.inf:3: this stands before the first [section]");
    expect_error("[a]\n[b\n", "x.inf:2: a section's name ends with ']'");
    expect_error("[]\n", "x.inf:1: this section has no name");
    expect_error("[a]\nk=a,\\\n \"b\n", "x.inf:3: a quoted text does not end");
    expect_error_of("[a]\r\nk=\0", 8, "x.inf:2: here is a NUL");
    expect_error("[a]\rk=\x01", "x.inf:2: here is the control character 0x01");
    expect_error_of("\xff\xfe[", 3, "x.inf:1: here is half");
    expect_error_of("\xff\xfe\x00\xdc", 4, "x.inf:1: here is half");
    expect_error_of("\xff\xfe\x00\xd8[\x00", 6, "x.inf:1: here is half");
    expect_error("\xef\xbb\xbf[\xff]", "x.inf:1: here is half");
}

static void an_empty_file_has_no_section(void **state)
{
    g_autoptr(InfFile) file = parse("");
    assert_int_equal(file->Sections->len, 0);
    g_autoptr(InfFile) mark = parse("\xff\xfe");
    assert_int_equal(mark->Sections->len, 0);
}

static void long_things(void **state)
{
    g_autoptr(GString) text = g_string_new("[S]\nk=");
    for (int i = 0; i < 100000; i++)
        g_string_append(text, "0123456789,");
    g_autoptr(InfFile) file = parse(text->str);
    assert_int_equal(inf_line_count(line_of(file, "S", 0)), 100001);
    expect_field(line_of(file, "S", 0), 100000, "0123456789");
    g_autofree char *name = g_strnfill(256, 'n'), *header = g_strconcat("[", name, "]", NULL);
    expect_error(header, "x.inf:1: this section's name has more than 255");
    g_autofree char *huge = g_strnfill(100u << 20, '\n');
    expect_error_of(huge, 100u << 20, "x.inf:1: the file has 104857600 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(continued_lines),
        cmocka_unit_test(sections),
        cmocka_unit_test(strings),
        cmocka_unit_test(localized_strings),
        cmocka_unit_test(circles_of_strings),
        cmocka_unit_test(encodings),
        cmocka_unit_test(names_have_no_case),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(an_empty_file_has_no_section),
        cmocka_unit_test(long_things),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
