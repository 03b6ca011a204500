/* SPDX-License-Identifier: MIT
 * Private to ldr/screen: what differs between text cells and pixels. */
#pragma once
#include "screen/screen.h"

/* A cell of a frame buffer whose contents nobody knows; drawn as a blank. */
#define SCREEN_CELL_UNKNOWN ((uint16_t)0xffff)

/* The pixel value of a style's foreground; 0 for text cells. Black is always 0. */
uint32_t ScreenDrawColour(const LOADER_SCREEN *Mode, SCREEN_STYLE Style);

/* What the glass shows in a row: text cells are read, pixels are unknown. */
void ScreenDrawReadRow(const SCREEN *Screen, uint32_t Row, uint16_t *Cells);

/* Blanks the glass from a text row to its end, also the part that has no cells, and notes it in Shown. */
void ScreenDrawClearFrom(SCREEN *Screen, uint32_t Row);

void ScreenDrawCell(SCREEN *Screen, uint32_t Row, uint32_t Column, uint16_t Cell);
