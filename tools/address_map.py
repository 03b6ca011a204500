#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write docs/address-map.md from the constants of kernel/include/mm.h and ldr/osloader, or check that it is up to date (--check)."""
import argparse
import os
import re
import sys

MM_H = 'kernel/include/mm.h'
LAYOUT_H = 'ldr/osloader/layout.h'
LOADER_H = 'ldr/osloader/loader_block.h'
OSL_H = 'ldr/osloader/osl.h'
OUTPUT = 'docs/address-map.md'
REGION = re.compile(r'REGION\((\w+),\s*(\d+),\s*((?:"[^"]*"\s*)+)\)')
SLOT = 1 << 39
UNITS = [(1 << 40, 'TiB'), (1 << 30, 'GiB'), (1 << 20, 'MiB'), (1 << 10, 'KiB')]
HEAD = '''<!-- Made by tools/address_map.py from the constants in the source; do not edit: run scripts/address-map. -->
# Address map

48-bit addresses, four levels of tables. The kernel half is the same in all address spaces but for the entry through which each
sees its own page tables: all other top-level entries are made at boot and never change.

## Fixed

| from | to | what |
|---|---|---|
'''
RANDOM = '''
## Placed at random at each boot

In whole top-level entries (512 GiB) of `{first}` to `{end}`, each free place as likely as any other. `seed=N` on the kernel's command
line (`ntbox run --seed N`) gives the same places again; without it the seed comes from RDRAND and the time-stamp counter.

| region | size | what |
|---|---|---|
'''


class Bad(Exception):
    pass


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as file:
        return file.read()


def constant(text, name, path):
    match = re.search(rf'#define {name} (0x[0-9a-f]+)', text)
    if not match:
        raise Bad(f'{path}: no constant {name}')
    return int(match.group(1), 16)


def size(value):
    for unit, name in UNITS:
        if value >= unit and value % unit == 0:
            return f'{value // unit} {name}'
    return f'{value} bytes'


def address(value):
    return f'`{value:016x}`'


def slot_address(slot):
    return 0xffff000000000000 | slot << 39


def random_regions(text):
    found = [(name, int(slots), ''.join(re.findall(r'"([^"]*)"', words))) for name, slots, words
             in REGION.findall(text.replace('\\\n', '\n'))]
    if not found:
        raise Bad(f'{MM_H}: no REGION(name, entries, "what") found')
    return found


def document(root):
    mm, layout, loader, osl = (read(root, path) for path in (MM_H, LAYOUT_H, LOADER_H, OSL_H))
    user_end = constant(mm, 'MM_USER_END', MM_H)
    shared = constant(mm, 'MM_SHARED_DATA_BASE', MM_H)
    images = constant(loader, 'LOADER_IMAGE_BASE', LOADER_H)
    slide = constant(osl, 'OSL_IMAGE_STEP', OSL_H) * int(re.search(r'OSL_IMAGE_SLIDES (\d+)u', osl).group(1))
    first, end = (constant(layout, f'LAYOUT_{name}_SLOT', LAYOUT_H) for name in ('FIRST', 'END'))
    fixed = [(0, 0xffff, 'never mapped: NULL'),
             (0x10000, user_end - 0x10001, 'user half: the process of the thread'),
             (0x7ffe0000, 0x7ffe0fff, 'KUSER_SHARED_DATA, read-only'),
             (user_end - 0x10000, user_end - 1, 'never mapped'),
             (shared, shared + 0xfff, 'KUSER_SHARED_DATA, read/write for the kernel, no-execute'),
             (images, images + SLOT - 1,
              f'images: ntoskrnl.exe and hal.dll at random in the first {size(slide)}, then drivers; each page as its section says')]
    lines = [f'| {address(low)} | {address(high)} | {what} |' for low, high, what in fixed]
    rows = [('DirectMap', 'as memory', 'all physical memory, read/write, no-execute; 1 GiB pages where the processor has them, else 2 MiB'),
            ('PageTables', size(SLOT), 'the page tables, through their recursive entry; read/write, no-execute')]
    rows += [(name, size(slots * SLOT), what) for name, slots, what in random_regions(mm)]
    text = HEAD + '\n'.join(lines) + '\n'
    text += RANDOM.format(first=f'{slot_address(first):016x}', end=f'{slot_address(end) - 1:016x}')
    return text + '\n'.join(f'| {name} | {large} | {what} |' for name, large, what in rows) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true')
    parser.add_argument('root')
    arguments = parser.parse_args()
    path = os.path.join(arguments.root, OUTPUT)
    text = document(arguments.root)
    if not arguments.check:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    elif not os.path.exists(path) or read(arguments.root, OUTPUT) != text:
        raise Bad(f'{OUTPUT} is not what the source says; run scripts/address-map')


if __name__ == '__main__':
    try:
        main()
    except Bad as error:
        sys.exit(f'address_map: {error}')
