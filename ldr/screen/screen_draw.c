/* SPDX-License-Identifier: MIT
 * Cells to glass. EGA: 16 bits, character and attribute. RGB: 15 to 32 bits per pixel, little-endian. */
#include "screen/screen_draw.h"
#include "screen/screen_font.h"

typedef struct STYLE {
    uint8_t EgaAttribute;
    uint8_t Red, Green, Blue;
} STYLE;

static const STYLE Styles[ScreenStyleCount] = {
    [ScreenNormal] = {0x07, 0xaa, 0xaa, 0xaa},
    [ScreenBold] = {0x0f, 0xff, 0xff, 0xff},
    [ScreenError] = {0x0c, 0xff, 0x55, 0x55},
};

static uint32_t BytesPerPixel(const LOADER_SCREEN *Mode)
{
    return (Mode->BitsPerPixel + 7u) / 8u;
}

static bool ChannelFits(const LOADER_SCREEN *Mode, uint32_t Position, uint32_t Size)
{
    return Size >= 1 && Size <= 16 && Position + Size <= BytesPerPixel(Mode) * 8;
}

static bool RgbIsUsable(const LOADER_SCREEN *Mode)
{
    if (Mode->BitsPerPixel < 15 || Mode->BitsPerPixel > 32)
        return false;
    if (Mode->Width < SCREEN_GLYPH_WIDTH || Mode->Height < SCREEN_GLYPH_HEIGHT)
        return false;
    return (uint64_t)Mode->Width * BytesPerPixel(Mode) <= Mode->Pitch &&
           ChannelFits(Mode, Mode->RedPosition, Mode->RedSize) &&
           ChannelFits(Mode, Mode->GreenPosition, Mode->GreenSize) &&
           ChannelFits(Mode, Mode->BluePosition, Mode->BlueSize);
}

uint64_t ScreenGlassSize(const LOADER_SCREEN *Mode)
{
    bool Text = Mode->Type == LoaderScreenText && Mode->Width >= 1 && Mode->Height >= 1 &&
                (uint64_t)Mode->Width * 2 <= Mode->Pitch && Mode->Pitch % 2 == 0;
    if (!Text && !(Mode->Type == LoaderScreenRgb && RgbIsUsable(Mode)))
        return 0;
    uint64_t Size = (uint64_t)Mode->Pitch * Mode->Height;
    return Size <= UINT64_MAX - Mode->Base ? Size : 0;
}

static uint32_t Channel(uint32_t Value, uint32_t Position, uint32_t Size)
{
    uint32_t Scaled = Size >= 8 ? Value << (Size - 8) : Value >> (8 - Size);
    return Scaled << Position;
}

uint32_t ScreenDrawColour(const LOADER_SCREEN *Mode, SCREEN_STYLE Style)
{
    if (Mode->Type != LoaderScreenRgb)
        return 0;
    const STYLE *S = &Styles[Style];
    return Channel(S->Red, Mode->RedPosition, Mode->RedSize) |
           Channel(S->Green, Mode->GreenPosition, Mode->GreenSize) |
           Channel(S->Blue, Mode->BluePosition, Mode->BlueSize);
}

static volatile uint16_t *TextRow(const SCREEN *Screen, uint32_t Row)
{
    return (volatile uint16_t *)(void *)(Screen->Glass + (uint64_t)Row * Screen->Mode.Pitch);
}

static SCREEN_STYLE StyleOfAttribute(uint8_t Attribute)
{
    for (uint32_t Style = 0; Style < ScreenStyleCount; Style++) {
        if (Styles[Style].EgaAttribute == Attribute)
            return (SCREEN_STYLE)Style;
    }
    return ScreenNormal;
}

void ScreenDrawReadRow(const SCREEN *Screen, uint32_t Row, uint16_t *Cells)
{
    for (uint32_t Column = 0; Column < Screen->Columns; Column++) {
        Cells[Column] = SCREEN_CELL_UNKNOWN;
        if (Screen->Mode.Type == LoaderScreenText) {
            uint16_t Glass = TextRow(Screen, Row)[Column];
            Cells[Column] =
                (uint16_t)((Glass & 0xff) | (uint32_t)StyleOfAttribute((uint8_t)(Glass >> 8)) << 8);
        }
    }
}

/* The glass is at least 2-byte aligned in all modes; pixels are cleared in 8-byte steps where it allows. */
static void Zero(uint8_t *At, uint64_t Count)
{
    while (Count && (uintptr_t)At % 8) {
        *(volatile uint8_t *)At++ = 0;
        Count--;
    }
    volatile uint64_t *Words = (volatile uint64_t *)(void *)At;
    for (uint64_t i = 0; i < Count / 8; i++)
        Words[i] = 0;
    for (uint64_t i = Count & ~7ull; i < Count; i++)
        ((volatile uint8_t *)At)[i] = 0;
}

void ScreenDrawClearFrom(SCREEN *Screen, uint32_t First)
{
    if (Screen->Mode.Type == LoaderScreenRgb) {
        uint64_t Above = (uint64_t)First * SCREEN_GLYPH_HEIGHT;
        Zero(Screen->Glass + Above * Screen->Mode.Pitch, (Screen->Mode.Height - Above) * Screen->Mode.Pitch);
    } else {
        for (uint32_t Row = First; Row < Screen->Mode.Height; Row++) {
            for (uint32_t Column = 0; Column < Screen->Mode.Width; Column++)
                TextRow(Screen, Row)[Column] = (uint16_t)(' ' | Styles[ScreenNormal].EgaAttribute << 8);
        }
    }
    for (uint32_t Row = First; Row < Screen->Rows; Row++) {
        for (uint32_t Column = 0; Column < Screen->Columns; Column++)
            Screen->Shown[Row][Column] = ' ';
    }
}

static void DrawRow32(uint8_t *At, uint32_t Bits, uint32_t Colour)
{
    volatile uint32_t *Pixels = (volatile uint32_t *)(void *)At;
    for (uint32_t X = 0; X < SCREEN_GLYPH_WIDTH; X++)
        Pixels[X] = (Bits << X & 0x80) ? Colour : 0;
}

static void DrawRowBytes(uint8_t *At, uint32_t Bits, uint32_t Colour, uint32_t PixelSize)
{
    volatile uint8_t *Bytes = At;
    for (uint32_t X = 0; X < SCREEN_GLYPH_WIDTH; X++) {
        uint32_t Pixel = (Bits << X & 0x80) ? Colour : 0;
        for (uint32_t Byte = 0; Byte < PixelSize; Byte++)
            *Bytes++ = (uint8_t)(Pixel >> Byte * 8);
    }
}

static void DrawGlyph(SCREEN *Screen, uint32_t Row, uint32_t Column, const uint8_t *Glyph, uint32_t Colour)
{
    uint32_t PixelSize = BytesPerPixel(&Screen->Mode);
    uint8_t *At = Screen->Glass + (uint64_t)Row * SCREEN_GLYPH_HEIGHT * Screen->Mode.Pitch +
                  (uint64_t)Column * SCREEN_GLYPH_WIDTH * PixelSize;
    bool Words = PixelSize == 4 && (uintptr_t)At % 4 == 0 && Screen->Mode.Pitch % 4 == 0;
    for (uint32_t Y = 0; Y < SCREEN_GLYPH_HEIGHT; Y++) {
        if (Words)
            DrawRow32(At, Glyph[Y], Colour);
        else
            DrawRowBytes(At, Glyph[Y], Colour, PixelSize);
        At += Screen->Mode.Pitch;
    }
}

void ScreenDrawCell(SCREEN *Screen, uint32_t Row, uint32_t Column, uint16_t Cell)
{
    uint32_t Character = Cell == SCREEN_CELL_UNKNOWN ? ' ' : Cell & 0xff;
    uint32_t Style = Cell >> 8 < ScreenStyleCount ? Cell >> 8 : ScreenNormal;
    if (Screen->Mode.Type == LoaderScreenText) {
        TextRow(Screen, Row)[Column] = (uint16_t)(Character | (uint32_t)Styles[Style].EgaAttribute << 8);
        return;
    }
    DrawGlyph(Screen, Row, Column, ScreenFont[Character - SCREEN_FONT_FIRST], Screen->Colours[Style]);
}
