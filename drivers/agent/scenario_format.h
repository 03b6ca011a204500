/* SPDX-License-Identifier: MIT
 * The scenario: what the host asks of the guest, compiled by `ntbox` into \SystemRoot\ntbox\scenario
 * (boot.cpio entry "Windows/ntbox/scenario") and run step by step by the agent driver. Fields are those of
 * report_format.h. Everything is checked by the agent: a damaged file gives one sentence and ends the run
 * with exit code 4. */
#pragma once
#include <stdint.h>

#define SCENARIO_MAGIC 0x5343424eu /* "NBCS" little endian */
#define SCENARIO_VERSION 1
#define SCENARIO_MAX_LENGTH (16u << 20)

typedef struct SCENARIO_HEADER {
    uint32_t Magic;
    uint16_t Version;
    uint16_t Reserved;
    uint32_t StepCount;
    uint32_t Length; /* whole file */
} SCENARIO_HEADER;   /* followed by StepCount steps */
_Static_assert(sizeof(SCENARIO_HEADER) == 16, "SCENARIO_HEADER");

typedef struct SCENARIO_STEP {
    uint32_t Length;    /* whole step with its fields, multiple of 8 */
    uint16_t Operation; /* SCENARIO_OP */
    uint16_t Flags;
} SCENARIO_STEP; /* followed by REPORT_FIELDs */
_Static_assert(sizeof(SCENARIO_STEP) == 8, "SCENARIO_STEP");

#define SCENARIO_FLAG_ECHO 1u /* print request and answer in words to the log too (the demo of the ISO) */

#define SCENARIO_FLAG_AWAIT 2u /* a device that cannot be opened may come yet: wait for it */

typedef enum SCENARIO_FAIL {
    ScenarioFailEach = 1,   /* the first, the second ... until a pass meets no failure */
    ScenarioFailOne = 2,    /* Offset: which */
    ScenarioFailRandom = 3, /* Offset: how many of 65536 */
} SCENARIO_FAIL;

typedef enum SCENARIO_OP {
    ScenarioLoad =
        1, /* Name: service; ZwLoadDriver(\Registry\Machine\System\CurrentControlSet\Services\Name) */
    ScenarioUnload = 2, /* Name: service */
    ScenarioIoctl =
        3, /* Device, Code, Data (input, may be absent), Size (output length): open, request, close */
    ScenarioRead = 4,  /* Device, Size, Offset (absent = 0) */
    ScenarioWrite = 5, /* Device, Data, Offset */
    ScenarioMark = 6,  /* Count: writes ReportMark, and waits until the host has answered it */
    ScenarioFail =
        7, /* Count: the steps behind it are run again and again before they are run as they stand, without records of
                          their own, while allocations fail; Size: SCENARIO_FAIL; Offset: its number; Hash: seed, Code: passes
                          (random); Name: image whose own allocations are meant, or all */
    ScenarioPowerCycle = 8, /* the system sleeps and wakes up: ZwInitiatePowerAction */
} SCENARIO_OP;
