/* SPDX-License-Identifier: MIT
 * Reads a scenario (scenario_format.h) and trusts nothing in it. Pure: bytes in, requests out that point into
 * them; no allocation. The same file is tested and fuzzed on the host. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "scenario_format.h"

#define SCENARIO_MAX_NAME 255u            /* bytes of a service or device name */
#define SCENARIO_MAX_TRANSFER (16u << 20) /* bytes of output or read */

typedef struct SCENARIO_ERROR {
    uint32_t Offset;  /* byte in the file */
    const char *Rule; /* one sentence, static text */
} SCENARIO_ERROR;

typedef struct SCENARIO_TEXT {
    const char *Bytes; /* UTF-8, no terminator */
    uint32_t Length;   /* 0: not given */
} SCENARIO_TEXT;

/* One step with the fields that its operation needs; the others are 0. */
typedef struct SCENARIO_REQUEST {
    uint32_t Number;    /* from 1 */
    uint16_t Operation; /* SCENARIO_OP */
    uint16_t Flags;
    SCENARIO_TEXT Name;   /* service */
    SCENARIO_TEXT Device; /* object name */
    uint32_t Code;
    uint32_t Size; /* output length */
    uint64_t Offset;
    uint64_t Count;
    uint64_t Hash;
    const uint8_t *Data;
    uint32_t DataLength;
} SCENARIO_REQUEST;

typedef struct SCENARIO_READER {
    const uint8_t *Bytes;
    uint32_t Length;
    uint32_t StepCount;
    uint32_t Next;   /* offset of the next step */
    uint32_t Number; /* of the last step given out */
    SCENARIO_ERROR Error;
} SCENARIO_READER;

/* Checks the whole file: after true, ScenarioNext gives StepCount requests. On false Reader->Error is filled
 * in. */
bool ScenarioOpen(SCENARIO_READER *Reader, const void *Bytes, uint64_t Length);

/* The next request; false at the end of the scenario. Only after ScenarioOpen has returned true. */
bool ScenarioNext(SCENARIO_READER *Reader, SCENARIO_REQUEST *Request);

/* Text as UTF-16, at most Room code units; returns how many, 0 when it does not fit or is no UTF-8. */
uint32_t ScenarioToUtf16(const SCENARIO_TEXT *Text, uint16_t *Buffer, uint32_t Room);
