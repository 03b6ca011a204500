/* SPDX-License-Identifier: MIT
 * ldr/screen under ASan and UBSan, on text cells and on frame buffers of every pixel size. The glass is a
 * block of exactly the size that ScreenGlassSize asks for, so a pixel drawn outside is seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "screen/screen.h"
#include "screen/screen_font.h"

static SCREEN Screen;

static void Write(const char *Text)
{
    ScreenWrite(&Screen, ScreenNormal, Text, strlen(Text));
}

static LOADER_SCREEN TextMode(uint32_t Columns, uint32_t Rows)
{
    return (LOADER_SCREEN){.Type = LoaderScreenText, .Width = Columns, .Height = Rows, .Pitch = Columns * 2};
}

static LOADER_SCREEN RgbMode(uint32_t Width, uint32_t Height, uint8_t BitsPerPixel)
{
    LOADER_SCREEN Mode = {
        .Type = LoaderScreenRgb, .Width = Width, .Height = Height, .BitsPerPixel = BitsPerPixel};
    uint8_t Size = BitsPerPixel >= 24 ? 8 : 5;
    Mode.RedSize = Mode.GreenSize = Mode.BlueSize = Size;
    Mode.GreenPosition = Size;
    Mode.RedPosition = (uint8_t)(2 * Size);
    Mode.Pitch = Width * ((BitsPerPixel + 7u) / 8u) + 12;
    return Mode;
}

static uint8_t *NewGlass(const LOADER_SCREEN *Mode, uint8_t Fill)
{
    uint64_t Size = ScreenGlassSize(Mode);
    assert_true(Size > 0);
    uint8_t *Glass = malloc(Size);
    assert_non_null(Glass);
    memset(Glass, Fill, Size);
    return Glass;
}

static void AssertRow(const uint8_t *Glass, const LOADER_SCREEN *Mode, uint32_t Row, const char *Text)
{
    size_t Length = strlen(Text);
    for (uint32_t Column = 0; Column < Mode->Width; Column++)
        assert_int_equal(Glass[Row * Mode->Pitch + Column * 2], Column < Length ? Text[Column] : ' ');
}

static void WrapsAndScrolls(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = TextMode(8, 3);
    uint8_t *Glass = NewGlass(&Mode, 'x');
    assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
    AssertRow(Glass, &Mode, 0, "");
    Write("one\nlong line");
    AssertRow(Glass, &Mode, 0, "one");
    AssertRow(Glass, &Mode, 1, "long lin");
    AssertRow(Glass, &Mode, 2, "e");
    Write("\nlast\r\t!\b?\x80");
    AssertRow(Glass, &Mode, 0, "e");
    AssertRow(Glass, &Mode, 1, "last    ");
    AssertRow(Glass, &Mode, 2, "??");
    free(Glass);
}

static void FullLineDoesNotSkipARow(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = TextMode(4, 3);
    uint8_t *Glass = NewGlass(&Mode, 0);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
    Write("full\nnext");
    AssertRow(Glass, &Mode, 0, "full");
    AssertRow(Glass, &Mode, 1, "next");
    free(Glass);
}

static void StylesAreAttributes(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = TextMode(8, 2);
    uint8_t *Glass = NewGlass(&Mode, 0);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
    Write("a");
    ScreenWrite(&Screen, ScreenBold, "b", 1);
    ScreenWrite(&Screen, ScreenError, "c", 1);
    assert_memory_equal(Glass,
                        "a\x07"
                        "b\x0f"
                        "c\x0c",
                        6);
    free(Glass);
}

static void KeepsWhatStandsAboveTheFirstRow(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = TextMode(4, 3);
    uint8_t *Glass = NewGlass(&Mode, 0);
    memcpy(Glass,
           "o\x0fl\x0f"
           "d\x07!\x07",
           8);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 1));
    Write("new");
    AssertRow(Glass, &Mode, 0, "old!");
    AssertRow(Glass, &Mode, 1, "new");
    assert_int_equal(Glass[1], 0x0f);
    Write("\n\n");
    AssertRow(Glass, &Mode, 0, "new");
    free(Glass);
}

/* A tampered cell shows whether it is drawn again: only changed cells may be. */
static void DrawsOnlyChangedCells(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = TextMode(4, 2);
    uint8_t *Glass = NewGlass(&Mode, 0);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
    Write("ab\nac");
    Glass[0] = '#'; /* row 0 column 0 shows 'a' and will show 'a' */
    Write("\n");
    assert_int_equal(Glass[0], '#');
    assert_int_equal(Glass[2], 'c');
    free(Glass);
}

static uint32_t Pixel(const uint8_t *Glass, const LOADER_SCREEN *Mode, uint32_t X, uint32_t Y)
{
    uint32_t Size = (Mode->BitsPerPixel + 7u) / 8u, Value = 0;
    memcpy(&Value, Glass + (uint64_t)Y * Mode->Pitch + X * Size, Size);
    return Value;
}

static void AssertGlyph(const uint8_t *Glass, const LOADER_SCREEN *Mode, uint32_t Column, uint32_t Row,
                        char Character, uint32_t Colour)
{
    for (uint32_t Y = 0; Y < SCREEN_GLYPH_HEIGHT; Y++) {
        uint32_t Bits = ScreenFont[Character - SCREEN_FONT_FIRST][Y];
        for (uint32_t X = 0; X < 8; X++) {
            uint32_t Expected = (Bits >> (7 - X) & 1) ? Colour : 0;
            assert_int_equal(Pixel(Glass, Mode, Column * 8 + X, Row * 16 + Y), Expected);
        }
    }
}

static void DrawsGlyphsInEveryPixelSize(void **State)
{
    (void)State;
    static const struct {
        uint8_t BitsPerPixel;
        uint32_t White;
    } Cases[] = {{15, 0x7fff}, {16, 0x7fff}, {24, 0xffffff}, {32, 0xffffff}};
    for (size_t i = 0; i < sizeof(Cases) / sizeof(Cases[0]); i++) {
        LOADER_SCREEN Mode =
            RgbMode(33, 50, Cases[i].BitsPerPixel); /* 4 columns, 3 rows, a rest on both sides */
        uint8_t *Glass = NewGlass(&Mode, 0xee);
        assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
        assert_int_equal(Pixel(Glass, &Mode, 32, 49), 0);
        ScreenWrite(&Screen, ScreenBold, "a\nAbcdE", 7);
        AssertGlyph(Glass, &Mode, 0, 0, 'a', Cases[i].White);
        AssertGlyph(Glass, &Mode, 0, 1, 'A', Cases[i].White);
        AssertGlyph(Glass, &Mode, 0, 2, 'E', Cases[i].White);
        ScreenWrite(&Screen, ScreenBold, "\n", 1);
        AssertGlyph(Glass, &Mode, 0, 0, 'A', Cases[i].White);
        AssertGlyph(Glass, &Mode, 3, 0, 'd', Cases[i].White);
        AssertGlyph(Glass, &Mode, 0, 1, 'E', Cases[i].White);
        AssertGlyph(Glass, &Mode, 0, 2, ' ', Cases[i].White);
        free(Glass);
    }
}

static void UnknownPixelsScrollAwayBlank(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = RgbMode(16, 32, 32);
    uint8_t *Glass = NewGlass(&Mode, 0xee);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 1));
    assert_int_equal(Pixel(Glass, &Mode, 0, 0), 0xeeeeeeee);
    assert_int_equal(Pixel(Glass, &Mode, 0, 16), 0);
    Write("\n");
    assert_int_equal(Pixel(Glass, &Mode, 0, 0), 0);
    free(Glass);
}

static void LargeScreensAreUsedInPart(void **State)
{
    (void)State;
    LOADER_SCREEN Mode = RgbMode(2000, 1200, 32);
    uint8_t *Glass = NewGlass(&Mode, 0xee);
    assert_true(ScreenInit(&Screen, &Mode, Glass, 0));
    assert_int_equal(Screen.Columns, SCREEN_MAX_COLUMNS);
    assert_int_equal(Screen.Rows, SCREEN_MAX_ROWS);
    for (int i = 0; i < 70; i++)
        Write("a line that is long enough to reach beyond the right edge of the largest grid that a screen "
              "can have, "
              "which is one hundred and sixty columns wide, so it wraps\n");
    free(Glass);
}

static void NonsenseIsRefused(void **State)
{
    (void)State;
    uint8_t Glass[64] = {0};
    LOADER_SCREEN Good = RgbMode(64, 64, 32);
    LOADER_SCREEN Bad[10];
    for (size_t i = 0; i < 10; i++)
        Bad[i] = Good;
    Bad[0].Type = LoaderScreenNone;
    Bad[1].Type = 77;
    Bad[2].BitsPerPixel = 8;
    Bad[3].BitsPerPixel = 33;
    Bad[4].Pitch = 64 * 4 - 1;
    Bad[5].RedPosition = 25;
    Bad[6].GreenSize = 0;
    Bad[7].Base = UINT64_MAX - 100;
    Bad[8].Height = 15;
    Bad[9] = TextMode(80, 25);
    Bad[9].Pitch = 159;
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(ScreenGlassSize(&Bad[i]), 0);
        assert_false(ScreenInit(&Screen, &Bad[i], Glass, 0));
        Write("nothing happens");
    }
    assert_false(ScreenInit(&Screen, &Good, NULL, 0));
    Write("nothing happens");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(WrapsAndScrolls),
        cmocka_unit_test(FullLineDoesNotSkipARow),
        cmocka_unit_test(StylesAreAttributes),
        cmocka_unit_test(KeepsWhatStandsAboveTheFirstRow),
        cmocka_unit_test(DrawsOnlyChangedCells),
        cmocka_unit_test(DrawsGlyphsInEveryPixelSize),
        cmocka_unit_test(UnknownPixelsScrollAwayBlank),
        cmocka_unit_test(LargeScreensAreUsedInPart),
        cmocka_unit_test(NonsenseIsRefused),
    };
    return cmocka_run_group_tests_name("screen", Tests, NULL, NULL);
}
