/* SPDX-License-Identifier: MIT
 * libFuzzer over the agent's scenario reader: any bytes are refused with a rule or read to the end. The
 * length in the header is mended first, so that the mutations get past it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static uint32_t Touch(const SCENARIO_REQUEST *Request)
{
    uint16_t Wide[SCENARIO_MAX_NAME];
    uint32_t Sum = ScenarioToUtf16(&Request->Name, Wide, SCENARIO_MAX_NAME);
    for (uint32_t i = 0; i < Request->DataLength; i++)
        Sum += Request->Data[i];
    return Sum + ScenarioToUtf16(&Request->Device, Wide, SCENARIO_MAX_NAME);
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    SCENARIO_READER Reader;
    SCENARIO_REQUEST Request;
    volatile uint32_t Sum = 0;
    uint32_t Steps = 0, Short = (uint32_t)Length;
    uint8_t *Copy = malloc(Length + 1);
    if (!Copy)
        return 0;
    memcpy(Copy, Data, Length);
    if (Length >= sizeof(SCENARIO_HEADER))
        memcpy(Copy + offsetof(SCENARIO_HEADER, Length), &Short, sizeof(Short));
    if (ScenarioOpen(&Reader, Copy, Length)) {
        for (; ScenarioNext(&Reader, &Request); Steps++)
            Sum += Touch(&Request);
        if (Steps != Reader.StepCount)
            abort();
    } else if (!Reader.Error.Rule) {
        abort();
    }
    free(Copy);
    return 0;
}
