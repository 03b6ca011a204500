/* SPDX-License-Identifier: MIT
 * The tree of keys, numbers and directories. */
#include "cmocka_glib.h"

#include "inf_dirid.h"
#include "inf_number.h"
#include "inf_registry.h"

static void values_have_no_case(void **state)
{
    g_autoptr(InfRegistry) registry = inf_registry_new();
    guint32 number = 0;
    inf_registry_set_text(registry, "A\\B", "Name", InfRegSz, "x");
    inf_registry_set_number(registry, "a\\b", "NAME", 7);
    assert_int_equal(g_tree_nnodes(registry->Keys), 1);
    assert_true(inf_registry_number(registry, "A\\b", "name", &number));
    assert_int_equal(number, 7);
    assert_string_equal(inf_registry_value(registry, "A\\B", "name")->Name, "Name");
    inf_registry_delete_value(registry, "A\\B", "nAME");
    inf_registry_delete_value(registry, "A\\B", "other");
    inf_registry_delete_value(registry, "A\\C", "other");
    assert_null(inf_registry_value(registry, "A\\B", "Name"));
    assert_non_null(inf_registry_find(registry, "A\\B"));
}

static void deleting_a_key_deletes_what_is_below(void **state)
{
    g_autoptr(InfRegistry) registry = inf_registry_new();
    inf_registry_key(registry, "A");
    inf_registry_key(registry, "A\\B");
    inf_registry_key(registry, "A\\B\\C");
    inf_registry_key(registry, "A\\BC");
    inf_registry_delete_key(registry, "a\\b");
    assert_int_equal(g_tree_nnodes(registry->Keys), 2);
    assert_non_null(inf_registry_find(registry, "A\\BC"));
}

static void texts(void **state)
{
    static const guint8 wanted[] = {'a', 0, 0xe4, 0, 0x3d, 0xd8, 0, 0xde, 0, 0};
    g_autoptr(InfRegistry) registry = inf_registry_new();
    inf_registry_set_text(registry, "A", "", InfRegSz, "a\xc3\xa4\xf0\x9f\x98\x80");
    const InfValue *value = inf_registry_value(registry, "A", "");
    assert_int_equal(value->Data->len, sizeof wanted);
    assert_memory_equal(value->Data->data, wanted, sizeof wanted);
    g_auto(GStrv) list = inf_registry_texts(value);
    assert_string_equal(list[0], "a\xc3\xa4\xf0\x9f\x98\x80");
    assert_null(list[1]);
}

static void numbers(void **state)
{
    uint64_t number;
    uint8_t byte;
    assert_true(inf_number("4294967295", 32, &number) && number == UINT32_MAX);
    assert_true(inf_number("-1", 32, &number) && number == UINT32_MAX);
    assert_true(inf_number("-2147483648", 32, &number) && number == 0x80000000u);
    assert_true(inf_number("0xFFFFFFFFFFFFFFFF", 64, &number) && number == UINT64_MAX);
    assert_true(inf_number("-1", 64, &number) && number == UINT64_MAX);
    assert_false(inf_number("4294967296", 32, &number));
    assert_false(inf_number("-2147483649", 32, &number));
    assert_false(inf_number("18446744073709551616", 64, &number));
    static const char *const wrong[] = {"", "-", "0x", "x", "1x", " 1", "+1", "--1", "-0x"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(inf_number(wrong[i], 32, &number));
    assert_true(inf_number_byte("0xfE", &byte) && byte == 0xfe);
    assert_true(inf_number_byte("a", &byte) && byte == 10);
    assert_false(inf_number_byte("", &byte));
    assert_false(inf_number_byte("0x", &byte));
    assert_false(inf_number_byte("100", &byte));
    assert_false(inf_number_byte("1g", &byte));
}

static void directories(void **state)
{
    g_autofree char *drivers = inf_dirid_text("12", "p.inf"), *store = inf_dirid_text("13", "p.inf"),
                    *root = inf_dirid_text("24", "p");
    assert_string_equal(drivers, "C:\\Windows\\System32\\drivers");
    assert_string_equal(store, "C:\\Windows\\System32\\DriverStore\\FileRepository\\p.inf");
    assert_string_equal(root, "C:\\");
    assert_null(inf_dirid_text("12x", "p"));
    assert_null(inf_dirid_text("66000", "p"));
    assert_null(inf_dirid_text("4294967308", "p")); /* 12 in 32 bits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_no_case),
        cmocka_unit_test(deleting_a_key_deletes_what_is_below),
        cmocka_unit_test(texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
