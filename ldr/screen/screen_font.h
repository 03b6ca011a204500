/* SPDX-License-Identifier: MIT
 * The 8x16 font that tools/mkfont.py makes at build time: one byte per pixel row, the leftmost pixel is
 * bit 7. */
#pragma once

#define SCREEN_GLYPH_WIDTH 8
#define SCREEN_GLYPH_HEIGHT 16
#define SCREEN_FONT_FIRST 32
#define SCREEN_FONT_LAST 126

extern const unsigned char ScreenFont[SCREEN_FONT_LAST - SCREEN_FONT_FIRST + 1][SCREEN_GLYPH_HEIGHT];
