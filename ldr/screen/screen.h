/* SPDX-License-Identifier: MIT
 * A text console on EGA text cells or on a linear RGB frame buffer. Pure: all state is in the caller's
 * SCREEN, the only memory written besides it is the glass (the device's memory as the caller has mapped it).
 * Reading a frame buffer is slow, so nothing is ever read back from one: a shadow knows what each cell shows,
 * and a write, also one that scrolls, draws only the cells that changed. No locks: the caller serialises
 * calls on one SCREEN. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osloader/loader_block.h"

/* A larger device is used in its upper left part. */
#define SCREEN_MAX_COLUMNS 160u
#define SCREEN_MAX_ROWS 64u

typedef enum SCREEN_STYLE {
    ScreenNormal = 0, /* light grey on black */
    ScreenBold = 1,   /* white on black */
    ScreenError = 2,  /* light red on black */
    ScreenStyleCount = 3,
} SCREEN_STYLE;

/* A cell is a character in the low byte and its SCREEN_STYLE in the high byte. About 40 KiB: not for a stack.
 */
typedef struct SCREEN {
    LOADER_SCREEN Mode;
    uint8_t *Glass; /* Mode.Base as mapped by the caller; NULL: nothing is drawn */
    uint32_t Columns, Rows;
    uint32_t Column, Row;               /* where the next character goes */
    uint32_t DirtyFirst, DirtyEnd;      /* rows that may differ from Shown */
    uint32_t Colours[ScreenStyleCount]; /* pixel values of the frame buffer */
    uint16_t Wanted[SCREEN_MAX_ROWS][SCREEN_MAX_COLUMNS];
    uint16_t Shown[SCREEN_MAX_ROWS][SCREEN_MAX_COLUMNS];
} SCREEN;

/* Bytes from Mode->Base that must be mapped at Glass; 0 if the mode cannot be used (none, or fields that
 * contradict each other). */
uint64_t ScreenGlassSize(const LOADER_SCREEN *Mode);

/* Starts at row FirstRow (Mode->CursorRow as a rule). What stands above stays until it scrolls away (EGA text
 * is kept while it scrolls), the rest is cleared. False, and a SCREEN that ignores writes, if ScreenGlassSize
 * is 0. */
bool ScreenInit(SCREEN *Screen, const LOADER_SCREEN *Mode, void *Glass, uint32_t FirstRow);

/* Writes Length characters; '\n' goes to the start of the next row, '\r' to the start of this one, '\t' to
 * the next multiple of 8, '\b' one back. Anything else outside ASCII 32..126 shows as '?'. Long lines wrap.
 */
void ScreenWrite(SCREEN *Screen, SCREEN_STYLE Style, const char *Text, size_t Length);
