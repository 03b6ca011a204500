#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn ddk_shim/abi/*.tsv (struct, field, offset, size, source) into _Static_asserts that the kernel and the drivers
of both flavours compile. Numbers are literals from published sources, never the sizeof of the header under test."""
import argparse
import re
import sys

COLUMNS = ['struct', 'field', 'offset', 'size', 'source']


class Bad(Exception):
    pass


def number(text):
    return None if text == '-' else int(text, 0)


def rows(path):
    with open(path, encoding='utf-8') as f:
        lines = [(n, l.rstrip('\n')) for n, l in enumerate(f, 1) if l.strip() and not l.startswith('#')]
    if not lines or lines[0][1].split('\t') != COLUMNS:
        raise Bad(f'{path}: the first line must name the columns {" ".join(COLUMNS)}, separated by tabs')
    for n, line in lines[1:]:
        parts = line.split('\t')
        if len(parts) != 5 or not parts[4]:
            raise Bad(f'{path}:{n}: expected 5 columns with a source')
        struct, field, offset, size, _ = parts
        if not re.match(r'\w+$', struct) or not re.match(r'[\w.\[\]]+$|-$', field):
            raise Bad(f'{path}:{n}: bad struct or field name')
        try:
            yield struct, field, number(offset), number(size)
        except ValueError:
            raise Bad(f'{path}:{n}: offset and size are numbers or -') from None


def asserts(struct, field, offset, size):
    if field == '-':
        yield f'_Static_assert(sizeof({struct}) == {size:#x}, "sizeof({struct}) is not {size:#x}");'
        return
    if offset is not None:
        yield (f'_Static_assert(__builtin_offsetof({struct}, {field}) == {offset:#x}, '
               f'"{struct}.{field} is not at {offset:#x}");')
    if size is not None:
        yield f'_Static_assert(sizeof((({struct} *)0)->{field}) == {size:#x}, "{struct}.{field} is not {size:#x} bytes");'


def main():
    p = argparse.ArgumentParser(description=__doc__.split('.')[0])
    p.add_argument('--out', required=True)
    p.add_argument('tsv', nargs='+')
    a = p.parse_args()
    try:
        lines = [l for path in a.tsv for row in rows(path) for l in asserts(*row)]
    except (Bad, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    with open(a.out, 'w', encoding='utf-8') as f:
        f.write('/* Made by tools/abi.py from the tables in ddk_shim/abi. */\n' + '\n'.join(lines) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
