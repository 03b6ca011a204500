/* SPDX-License-Identifier: MIT
 * The console: cursor, wrapping and scrolling happen in the wanted cells; a flush at the end of each write
 * brings them to the glass (screen_draw.c). */
#include "screen/screen.h"
#include "screen/screen_draw.h"
#include "screen/screen_font.h"

#define BLANK ((uint16_t)' ')

static uint32_t Smaller(uint32_t A, uint32_t B)
{
    return A < B ? A : B;
}

static void FillCells(uint16_t *Cells, uint16_t Value, uint32_t Count)
{
    for (uint32_t i = 0; i < Count; i++)
        Cells[i] = Value;
}

static void SetGrid(SCREEN *Screen)
{
    uint32_t Columns = Screen->Mode.Width;
    uint32_t Rows = Screen->Mode.Height;
    if (Screen->Mode.Type == LoaderScreenRgb) {
        Columns /= SCREEN_GLYPH_WIDTH;
        Rows /= SCREEN_GLYPH_HEIGHT;
    }
    Screen->Columns = Smaller(Columns, SCREEN_MAX_COLUMNS);
    Screen->Rows = Smaller(Rows, SCREEN_MAX_ROWS);
}

bool ScreenInit(SCREEN *Screen, const LOADER_SCREEN *Mode, void *Glass, uint32_t FirstRow)
{
    Screen->Glass = NULL;
    if (Glass == NULL || ScreenGlassSize(Mode) == 0)
        return false;

    Screen->Mode = *Mode;
    Screen->Glass = Glass;
    SetGrid(Screen);
    Screen->Column = 0;
    Screen->Row = Smaller(FirstRow, Screen->Rows - 1);
    Screen->DirtyFirst = Screen->Rows;
    Screen->DirtyEnd = 0;
    for (uint32_t Style = 0; Style < ScreenStyleCount; Style++)
        Screen->Colours[Style] = ScreenDrawColour(&Screen->Mode, (SCREEN_STYLE)Style);
    for (uint32_t Row = 0; Row < Screen->Rows; Row++) {
        ScreenDrawReadRow(Screen, Row, Screen->Shown[Row]);
        FillCells(Screen->Wanted[Row], BLANK, Screen->Columns);
        if (Row < Screen->Row)
            ScreenDrawReadRow(Screen, Row, Screen->Wanted[Row]);
    }
    ScreenDrawClearFrom(Screen, Screen->Row);
    return true;
}

static void MarkDirty(SCREEN *Screen, uint32_t First, uint32_t End)
{
    if (First < Screen->DirtyFirst)
        Screen->DirtyFirst = First;
    if (End > Screen->DirtyEnd)
        Screen->DirtyEnd = End;
}

static void Flush(SCREEN *Screen)
{
    for (uint32_t Row = Screen->DirtyFirst; Row < Screen->DirtyEnd; Row++) {
        for (uint32_t Column = 0; Column < Screen->Columns; Column++) {
            uint16_t Cell = Screen->Wanted[Row][Column];
            if (Cell == Screen->Shown[Row][Column])
                continue;
            ScreenDrawCell(Screen, Row, Column, Cell);
            Screen->Shown[Row][Column] = Cell;
        }
    }
    Screen->DirtyFirst = Screen->Rows;
    Screen->DirtyEnd = 0;
}

static void NewLine(SCREEN *Screen)
{
    Screen->Column = 0;
    if (Screen->Row + 1 < Screen->Rows) {
        Screen->Row++;
        return;
    }
    for (uint32_t Row = 1; Row < Screen->Rows; Row++) {
        for (uint32_t Column = 0; Column < Screen->Columns; Column++) {
            uint16_t Cell = Screen->Wanted[Row][Column];
            Screen->Wanted[Row - 1][Column] = Cell == SCREEN_CELL_UNKNOWN ? BLANK : Cell;
        }
    }
    FillCells(Screen->Wanted[Screen->Rows - 1], BLANK, Screen->Columns);
    MarkDirty(Screen, 0, Screen->Rows);
}

static void PutCharacter(SCREEN *Screen, SCREEN_STYLE Style, uint8_t Character)
{
    if (Character < SCREEN_FONT_FIRST || Character > SCREEN_FONT_LAST)
        Character = '?';
    if (Screen->Column == Screen->Columns)
        NewLine(Screen);
    Screen->Wanted[Screen->Row][Screen->Column] = (uint16_t)(Character | (uint32_t)Style << 8);
    MarkDirty(Screen, Screen->Row, Screen->Row + 1);
    Screen->Column++;
}

void ScreenWrite(SCREEN *Screen, SCREEN_STYLE Style, const char *Text, size_t Length)
{
    if (Screen->Glass == NULL)
        return;
    for (size_t i = 0; i < Length; i++) {
        switch (Text[i]) {
        case '\n':
            NewLine(Screen);
            break;
        case '\r':
            Screen->Column = 0;
            break;
        case '\t':
            Screen->Column = Smaller((Screen->Column + 8) & ~7u, Screen->Columns);
            break;
        case '\b':
            Screen->Column -= Screen->Column > 0;
            break;
        default:
            PutCharacter(Screen, Style, (uint8_t)Text[i]);
        }
    }
    Flush(Screen);
}
