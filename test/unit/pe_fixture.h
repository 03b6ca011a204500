/* SPDX-License-Identifier: MIT */
/* Shared by the tests of ldr/pe: the built image, its copies on the heap (so that AddressSanitizer sees one
 * byte too far), and tables of defects: one spoiled field, and the status and the words that the sentence
 * must have. */
#ifndef TEST_PE_FIXTURE_H
#define TEST_PE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pe/pe.h"
#include "pe_builder.h"

typedef struct _PE_TEST {
    PE_BUILD Build; /* spoil this, then ... */
    uint8_t *File;  /* ... Parse or Map makes these, exactly as long as they are said to be */
    uint8_t *Room;
    PE_IMAGE Image;  /* of File */
    PE_IMAGE Mapped; /* of Room */
    PE_ERROR Error;
} PE_TEST;

/* cmocka's per-test set-up and tear-down; the state is a PE_TEST with a correct image. */
int PeSetUp(void **State);
int PeTearDown(void **State);

PE_STATUS Parse(PE_TEST *Test, uint32_t Flags);
/* Parses and maps; both must succeed. */
void Map(PE_TEST *Test);

typedef struct _DEFECT {
    uint32_t Offset; /* in the file */
    uint32_t Size;   /* 1, 2, 4 or 8 bytes, of Value */
    uint64_t Value;
    PE_STATUS Status;
    const char *Words; /* in the sentence; NULL if Status is no error */
} DEFECT;

typedef PE_STATUS DEFECT_ACTION(PE_TEST *Test);

/* For each defect: build, spoil, act; the outcome must be the defect's. */
void RunDefects(const DEFECT *Defects, size_t Count, DEFECT_ACTION *Action);
#define RUN_DEFECTS(Table, Action) RunDefects(Table, sizeof(Table) / sizeof *(Table), Action)

/* The status and a part of the sentence in Test->Error. */
void ExpectError(const PE_TEST *Test, PE_STATUS Status, PE_STATUS Wanted, const char *Words);

#define PE_UNIT_TEST(Function) cmocka_unit_test_setup_teardown(Function, PeSetUp, PeTearDown)

#endif
