#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write docs/locks.md from the kernel's source, or check that it is up to date (--check): the ranks of ARCH_LOCK_RANK
and every ARCH_LOCK_INIT and ARCH_LOCK_CLASS with name, rank, IRQL and file."""
import argparse
import os
import re
import sys
from dataclasses import dataclass

RANKS_IN = 'kernel/include/arch.h'
COMMENT = re.compile(r'/\*.*?\*/', re.S)
RANK = re.compile(r'(LockRank\w+)\s*(?:=\s*0\s*)?,\s*/\*\s*(.*?)\s*\*/', re.S)
LOCK = re.compile(r'\bARCH_LOCK_INIT\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)')
CLASS = re.compile(r'\bARCH_LOCK_CLASS\s+\w+\s*=\s*\{([^{}]*)\}')
FIELDS = ['Name', 'Rank', 'Irql', 'AddressOrder']
HEAD = '''<!-- Made by tools/locks.py from the kernel's source; do not edit: run scripts/locks. -->
# Spin locks

A processor may take a spin lock only if its rank is above that of every lock that it holds at the same IRQL; a lock whose IRQL is
higher may always follow, one whose IRQL is lower never. So no two processors can wait for each other. The checked kernel
compares at every acquisition (`kernel/ke/lock_check.c`) and stops with SPIN_LOCK_ALREADY_OWNED naming both locks the first time
that an order is wrong, not the first time that it bites. A lock that is only tried for (it cannot wait) may have any rank.

Drivers call the kernel with their own locks held and in their own order, so all of theirs share the lowest rank; the
kernel calls a driver with no lock held but those that are documented for it (the cancel spin lock).

| rank | what it guards | name in reports | held at | declared in |
|---|---|---|---|---|
'''


class Bad(Exception):
    pass


@dataclass(frozen=True)
class Lock:
    name: str
    rank: str
    irql: str
    file: str
    ordered: bool = False


def read_ranks(root):
    """[(LockRankX, what it guards)] in order."""
    with open(os.path.join(root, RANKS_IN), encoding='utf-8') as f:
        text = f.read()
    body = re.search(r'typedef enum _ARCH_LOCK_RANK \{(.*?)\} ARCH_LOCK_RANK;', text, re.S)
    if not body:
        raise Bad(f'{RANKS_IN}: no ARCH_LOCK_RANK')
    ranks = [(name, ' '.join(what.split())) for name, what in RANK.findall(body[1])]
    if len(ranks) != len(re.findall(r'\bLockRank\w+', COMMENT.sub('', body[1]))):
        raise Bad(f'{RANKS_IN}: every rank needs a comment that says what it guards')
    return ranks


def class_fields(text):
    """The initialiser of an ARCH_LOCK_CLASS, designated or in order, as a dictionary."""
    parts = [p.strip() for p in text.split(',') if p.strip()]
    values = {}
    for field, part in zip(FIELDS, parts):
        m = re.fullmatch(r'\.(\w+)\s*=\s*(.*)', part, re.S)
        values[m[1] if m else field] = m[2] if m else part
    return values


def locks_of(text, file):
    text = COMMENT.sub('', text)
    for m in LOCK.finditer(text):
        if m[2] != '(LockRank)':
            yield Lock(m[1], m[2], m[3], file)
    for m in CLASS.finditer(text):
        v = class_fields(m[1])
        yield Lock(v.get('Name', '?'), v.get('Rank', '?'), v.get('Irql', '?'), file, v.get('AddressOrder') == 'TRUE')


def read_locks(root):
    for where, folders, files in os.walk(os.path.join(root, 'kernel')):
        folders.sort()
        for name in sorted(files):
            if name.endswith(('.c', '.h')) and not name.endswith('_test.c'):
                path = os.path.join(where, name)
                with open(path, encoding='utf-8') as f:
                    text = f.read()
                if os.path.relpath(path, root) != RANKS_IN:
                    yield from locks_of(text, os.path.relpath(path, root))


def rows(ranks, locks):
    known = {name for name, _ in ranks}
    for lock in locks:
        if lock.rank not in known:
            raise Bad(f'{lock.file}: the lock {lock.name} has the rank {lock.rank}, which is none')
        if not lock.irql.endswith('_LEVEL'):
            raise Bad(f'{lock.file}: the lock {lock.name} has the IRQL {lock.irql}')
    for number, (rank, what) in enumerate(ranks):
        here = sorted({lock for lock in locks if lock.rank == rank}, key=lambda l: (l.file, l.name))
        for lock in here or [Lock('-', rank, '-', '-')]:
            name = lock.name.strip('"') if lock.name.startswith('"') or lock.name == '-' else '(given by the caller)'
            name += ', in address order' if lock.ordered else ''
            yield f'| {number} {rank.removeprefix("LockRank")} | {what} | {name} | {lock.irql} | {lock.file} |\n'


def document(root):
    return HEAD + ''.join(rows(read_ranks(root), list(read_locks(root))))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--check', action='store_true')
    p.add_argument('root')
    a = p.parse_args()
    path = os.path.join(a.root, 'docs/locks.md')
    try:
        text = document(a.root)
    except Bad as problem:
        print(problem)
        return 1
    if not a.check:
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return 0
    with open(path, encoding='utf-8') as f:
        same = f.read() == text
    if not same:
        print('docs/locks.md is out of date: run scripts/locks')
    return 0 if same else 1


if __name__ == '__main__':
    sys.exit(main())
