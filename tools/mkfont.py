#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the screen's font: 8x16 glyphs of ASCII 32..126 as a C table, from one of GRUB's PFF2 fonts.

usage: mkfont.py OUT.c [FONT.pf2]

Format: [GRUB manual, PFF2 font format] sections of a four-letter name and a big-endian length; CHIX lists code point,
flags and file offset of each glyph; a glyph is width, height, x and y offset, device width, then its bits without row
padding. The y offset counts from the baseline, which we put under pixel row 13 of 16.
"""
import os
import struct
import sys

FONTS = ('/usr/share/grub/ascii.pf2', '/usr/share/grub/unicode.pf2')
FIRST, LAST, HEIGHT, BASELINE = 32, 126, 16, 14


def sections(data):
    at = 0
    while at + 8 <= len(data):
        name, length = struct.unpack_from('>4sI', data, at)
        at += 8
        if name == b'DATA':
            return
        yield name, data[at:at + length]
        at += length


def glyph_rows(data, at, code):
    width, height, x, y, _ = struct.unpack_from('>HHhhH', data, at)
    at += 10
    rows = [0] * HEIGHT
    top = BASELINE - y - height
    if width and (x < 0 or x + width > 8 or top < 0 or top + height > HEIGHT):
        sys.exit(f'mkfont: glyph {code} does not fit into 8x{HEIGHT} pixels')
    for bit in range(width * height):
        if data[at + bit // 8] & (0x80 >> bit % 8):
            rows[top + bit // width] |= 0x80 >> (x + bit % width)
    return rows


def glyphs(data):
    index = dict(sections(data)).get(b'CHIX')
    if data[:12] != b'FILE\0\0\0\4PFF2' or index is None:
        sys.exit('mkfont: not a PFF2 font')
    offsets = {code: offset for code, _, offset in struct.iter_unpack('>IBI', index)}
    for code in range(FIRST, LAST + 1):
        if code not in offsets:
            sys.exit(f'mkfont: the font has no glyph for character {code}')
        yield code, glyph_rows(data, offsets[code], code)


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__.strip())
    font = arguments[1] if len(arguments) == 2 else next(filter(os.path.exists, FONTS), None)
    if font is None:
        sys.exit('mkfont: no font found; install the package grub-common, which brings ' + ' or '.join(FONTS))
    with open(font, 'rb') as file:
        data = file.read()
    with open(arguments[0], 'w', encoding='ascii') as out:
        out.write('/* Made by tools/mkfont.py. */\n#include "screen/screen_font.h"\n\n')
        out.write('const unsigned char ScreenFont[SCREEN_FONT_LAST - SCREEN_FONT_FIRST + 1][SCREEN_GLYPH_HEIGHT] = {\n')
        for _, rows in glyphs(data):
            out.write('    {' + ', '.join(f'0x{row:02x}' for row in rows) + '},\n')
        out.write('};\n')


if __name__ == '__main__':
    main(sys.argv[1:])
