#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that each function of the kernel that takes its return address, to say who called it, is DECLSPEC_NOINLINE (or, when only the checked kernel records
it, DECLSPEC_NOINLINE_CHECKED): inlined, it would name its caller's caller. An inline function of a header means the function that it is part of, and is left alone. --fix adds the word."""
import argparse
import glob
import os
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
TAKES = re.compile(r'\b(?:__builtin_return_address|_ReturnAddress|EXP_CALLER|KI_CALLER)\s*\(')

def blank(match):
    return re.sub(r'[^\n]', ' ', match[0])


def problems(lines):
    """(line number, head) of each definition that takes its return address and may be inlined. A body is from a brace in the first column
    to the next one; the head before it begins behind a line that is empty or ends something."""
    plain = COMMENT.sub(blank, '\n'.join(lines)).split('\n')
    for number, line in enumerate(plain):
        if line != '{':
            continue
        end = plain.index('}', number) if '}' in plain[number:] else len(plain)
        first = number
        while first and plain[first - 1].strip() and plain[first - 1][0] not in '#}' and not plain[first - 1].endswith(';'):
            first -= 1
        head = ' '.join(' '.join(plain[first:number]).split())
        if any(TAKES.search(text) for text in plain[number:end]) and 'DECLSPEC_NOINLINE' not in head:
            yield first, head


def main():
    p = argparse.ArgumentParser(description=__doc__.split('.')[0])
    p.add_argument('--fix', action='store_true')
    p.add_argument('root')
    a = p.parse_args()
    found = []
    for path in sorted(glob.glob(os.path.join(a.root, 'kernel/**/*.c'), recursive=True)):
        with open(path, encoding='utf-8') as f:
            lines = f.read().split('\n')
        wrong = list(problems(lines))
        found += [f'{os.path.relpath(path, a.root)}: {head}' for _, head in wrong]
        if a.fix and wrong:
            for first, _ in wrong:
                static = 'static ' if lines[first].startswith('static ') else ''
                lines[first] = static + 'DECLSPEC_NOINLINE ' + lines[first][len(static):]
            with open(path, 'w', encoding='utf-8') as f:
                f.write('\n'.join(lines))
    for line in found:
        print(line)
    print(f'{len(found)} functions take their return address and may be inlined')
    return 1 if found and not a.fix else 0


if __name__ == '__main__':
    sys.exit(main())
