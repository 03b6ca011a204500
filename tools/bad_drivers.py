#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write docs/bad-drivers.md from test/bad/expected.tsv, or check that it is up to date (--check)."""
import argparse
import sys

COLUMNS = ['driver', 'arguments', 'exit', 'outcome', 'must_say', 'stop', 'blamed', 'does']
HEAD = '''<!-- Made by tools/bad_drivers.py from test/bad/expected.tsv; do not edit. -->
# Bad drivers

What `ntbox run build/test/bad/NAME.sys ARGUMENTS` makes of deliberately bad drivers; `make test` checks every row. Exit codes: 0
pass, 1 the driver failed, 2 the driver cannot load, 3 usage or environment, 4 a fault of ntbox itself. With `--inf` the package
beside the driver is what is run, and the driver is not named.

The bug check is its code and four parameters, `*` where the value differs from run to run.

| driver | what it does | arguments | outcome | exit code | the report says | bug check | blamed function |
|---|---|---|---|---|---|---|---|
'''


def read(path):
    with open(path, encoding='utf-8') as f:
        lines = [l.rstrip('\n').split('\t') for l in f if l.strip() and not l.startswith('#')]
    if lines[0] != COLUMNS or any(len(l) != len(COLUMNS) for l in lines):
        sys.exit(f'{path}: every line needs the columns {" ".join(COLUMNS)}')
    return [dict(zip(COLUMNS, l)) for l in lines[1:]]


def code(text):
    return f'`{text}`' if text else ''


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true')
    p.add_argument('tsv')
    p.add_argument('document')
    a = p.parse_args()
    text = HEAD + ''.join(
        f'| {r["driver"]} | {r["does"]} | {code(r["arguments"])} | {r["outcome"]} | {r["exit"]} | {code(r["must_say"])} | '
        f'{code(r["stop"])} | {code(r["blamed"])} |\n'
        for r in read(a.tsv))
    if not a.check:
        with open(a.document, 'w', encoding='utf-8') as f:
            f.write(text)
        return 0
    with open(a.document, encoding='utf-8') as f:
        if f.read() != text:
            print(f'{a.document} is out of date: run tools/bad_drivers.py {a.tsv} {a.document}')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
