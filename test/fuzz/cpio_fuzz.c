/* SPDX-License-Identifier: MIT
 * libFuzzer over the archive reader: any bytes are an archive or are refused with a sentence; every entry
 * that is handed out can be read to its end and is found again by its name. */
#include <stdint.h>
#include <stdlib.h>

#include "cpio/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static void ReadEntry(const uint8_t *Data, size_t Length, const CPIO_ENTRY *Entry)
{
    CPIO_ENTRY Found;
    CPIO_ERROR Error;
    volatile uint8_t Sink = 0;
    for (uint32_t i = 0; i < Entry->Size; i++)
        Sink ^= Entry->Data[i];
    uint32_t Type = Entry->Mode & CPIO_MODE_TYPE;
    if (Type != CPIO_MODE_FILE && Type != CPIO_MODE_DIRECTORY)
        return;
    if (CpioFind(Data, Length, Entry->Name, true, &Found, &Error) != CpioFound ||
        Found.Offset > Entry->Offset)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    CPIO_WALK Walk;
    CPIO_ENTRY Entry;
    CPIO_STATUS Status;
    CpioBegin(&Walk, Data, Length);
    while ((Status = CpioNext(&Walk, &Entry)) == CpioFound)
        ReadEntry(Data, Length, &Entry);
    if (Status == CpioDamaged && !Walk.Error.Rule)
        abort();
    return 0;
}
