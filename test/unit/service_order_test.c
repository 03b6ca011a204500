/* SPDX-License-Identifier: MIT
 * kernel/io/service_order.c: start types, groups, tags, dependencies, and what cannot be met. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/service_order.h"

#define TEXT(Literal) {u"" Literal, sizeof(u"" Literal) / 2 - 1}
#define NAME(Literal) .Name = TEXT(Literal)

static const uint8_t BusTags[] = {3, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0};
static const SERVICE_TAGS Tags[] = {{TEXT("Bus"), BusTags, sizeof(BusTags)}, {TEXT("Port"), BusTags, 3}};
static const SERVICE_RULES Rules = {TEXT("Boot\0Bus\0Port\0"), Tags, 2};

static void Expect(SERVICE_ENTRY *Entries, uint32_t Count, const char *Letters)
{
    uint32_t Order[16];
    uint32_t Placed = ServiceOrder(Entries, Count, &Rules, Order);
    for (uint32_t i = 0; i < Placed; i++)
        assert_int_equal(Entries[Order[i]].Name.Text[0], Letters[i]);
    assert_int_equal(Letters[Placed], 0);
}

static void GroupsAndStartTypes(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .Start = 1, .Group = TEXT("Boot")},
        {NAME("b")},
        {NAME("c"), .Group = TEXT("Port")},
        {NAME("d"), .Group = TEXT("Unknown")},
        {NAME("e"), .Group = TEXT("bUS")},
        {NAME("f"), .Group = TEXT("Boot")},
    };
    Expect(Entries, 6, "fecdba");
}

static void TagsInAGroup(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .Group = TEXT("Bus")},           {NAME("b"), .Group = TEXT("Bus"), .Tag = 2},
        {NAME("c"), .Group = TEXT("Bus"), .Tag = 9}, {NAME("d"), .Group = TEXT("Bus"), .Tag = 5},
        {NAME("e"), .Group = TEXT("Bus"), .Tag = 1}, {NAME("f"), .Group = TEXT("Port"), .Tag = 1},
    };
    Expect(Entries, 6, "debcaf");
}

static void Dependencies(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .Group = TEXT("Boot"), .DependOnService = TEXT("C\0b\0")},
        {NAME("b"), .Group = TEXT("Bus")},
        {NAME("c"), .Group = TEXT("Port")},
        {NAME("d"), .DependOnGroup = TEXT("Late\0")},
        {NAME("e"), .Group = TEXT("Late")},
    };
    Expect(Entries, 5, "bcaed");
}

static void WhatCannotBeMet(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .DependOnService = TEXT("missing")},
        {NAME("b"), .DependOnService = TEXT("c")},
        {NAME("c"), .DependOnService = TEXT("b")},
        {NAME("d"), .DependOnService = TEXT("a")},
        {NAME("e"), .DependOnGroup = TEXT("Nobody")},
        {NAME("f"), .DependOnService = TEXT("f")},
        {NAME("g")},
    };
    Expect(Entries, 7, "g");
    assert_false(Entries[0].Placed);
    Expect(Entries, 0, "");
}

/* What is started on demand is started when one that starts by itself needs it, and then before it. */
static void OnDemand(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .Start = 2, .DependOnService = TEXT("B")},
        {NAME("b"), .Start = 3, .DependOnService = TEXT("c")},
        {NAME("c"), .Start = 3, .Group = TEXT("Boot")},
        {NAME("d"), .Start = 3},
        {NAME("e"), .Start = 4},
        {NAME("f"), .Start = 1},
        {NAME("g"), .Start = 2, .DependOnService = TEXT("e")},
        {NAME("h"), .Start = 2, .DependOnGroup = TEXT("late")},
        {NAME("i"), .Start = 3, .Group = TEXT("Late")},
    };
    Expect(Entries, 9, "fcba");
    assert_false(Entries[3].Wanted);
}

static void ExpectObstacle(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Index, SERVICE_OBSTACLE Obstacle,
                           char Name)
{
    SERVICE_TEXT Blocker = {0};
    assert_int_equal(ServiceObstacle(Entries, Count, Index, &Blocker), Obstacle);
    if (Name)
        assert_int_equal(Blocker.Text[0], Name);
}

static void WhyNot(void **State)
{
    (void)State;
    SERVICE_ENTRY Entries[] = {
        {NAME("a"), .DependOnService = TEXT("k\0missing")},
        {NAME("b"), .DependOnService = TEXT("c")},
        {NAME("c"), .DependOnService = TEXT("d")},
        {NAME("d"), .DependOnService = TEXT("b")},
        {NAME("e"), .DependOnService = TEXT("b")},
        {NAME("f"), .DependOnService = TEXT("f")},
        {NAME("g"), .DependOnService = TEXT("h")},
        {NAME("h"), .Start = 4},
        {NAME("i"), .DependOnGroup = TEXT("Nobody")},
        {NAME("j"), .DependOnGroup = TEXT("Round")},
        {NAME("k"), .Group = TEXT("Good")},
        {NAME("l"), .DependOnService = TEXT("j"), .Group = TEXT("Round")},
        {NAME("m"), .DependOnGroup = TEXT("Round")},
        {NAME("n"), .DependOnGroup = TEXT("Good")},
    };
    uint32_t Count = sizeof(Entries) / sizeof(*Entries);
    Expect(Entries, Count, "kn");
    ExpectObstacle(Entries, Count, 0, ServiceUnknown, 'm');
    ExpectObstacle(Entries, Count, 1, ServiceCircle, 'c');
    ExpectObstacle(Entries, Count, 3, ServiceCircle, 'b');
    ExpectObstacle(Entries, Count, 4, ServiceBlocked, 'b');
    ExpectObstacle(Entries, Count, 5, ServiceCircle, 'f');
    ExpectObstacle(Entries, Count, 6, ServiceDisabled, 'h');
    ExpectObstacle(Entries, Count, 8, ServiceEmptyGroup, 'N');
    ExpectObstacle(Entries, Count, 9, ServiceCircle, 'R');
    ExpectObstacle(Entries, Count, 11, ServiceCircle, 'j');
    ExpectObstacle(Entries, Count, 12, ServiceBlocked, 'R');
    ExpectObstacle(Entries, Count, 13, ServiceNoObstacle, 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(GroupsAndStartTypes), cmocka_unit_test(TagsInAGroup), cmocka_unit_test(Dependencies),
        cmocka_unit_test(WhatCannotBeMet),     cmocka_unit_test(OnDemand),     cmocka_unit_test(WhyNot),
    };
    return cmocka_run_group_tests_name("service_order", Tests, NULL, NULL);
}
