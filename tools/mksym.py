#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make ntoskrnl.sym, the kernel's symbols for back-traces, from the linker's map file.

usage: mksym.py MAP OUT

Format (little endian): "NSYM", count, count x {rva, offset of name in the file} sorted by rva, names with terminators.
"""
import re
import struct
import sys

# " 0001:00001230       KiSystemStartup            0000000140002230     startup.c.obj"
LINE = re.compile(r'^\s*[0-9a-f]{4}:[0-9a-f]{8}\s+(\S+)\s+([0-9a-f]{16})\s')
BASE = re.compile(r'Preferred load address is ([0-9a-f]+)')


def read_map(path):
    base, symbols = None, {}
    for line in open(path, encoding='ascii', errors='replace'):
        if found := BASE.search(line):
            base = int(found[1], 16)
        elif (found := LINE.match(line)) and base is not None:
            rva = int(found[2], 16) - base
            if 0 < rva < 1 << 32 and not found[1].startswith(('__imp_', '??_C@', '.')):
                symbols.setdefault(rva, found[1])
    return sorted(symbols.items())


def main():
    symbols = read_map(sys.argv[1])
    if not symbols:
        sys.exit(f'mksym.py: {sys.argv[1]}: no symbols in it')
    names, table = b'', b''
    start = 8 + 8 * len(symbols)
    for rva, name in symbols:
        table += struct.pack('<II', rva, start + len(names))
        names += name.encode() + b'\0'
    with open(sys.argv[2], 'wb') as out:
        out.write(b'NSYM' + struct.pack('<I', len(symbols)) + table + names)


main()
