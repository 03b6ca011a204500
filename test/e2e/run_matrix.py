#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""All samples and conformance drivers on machines that differ in processors and in how time goes, one machine for all of
them; and three rounds with four processors. (conform-mingw, conform-msvc and conform-free are 1, 4 and 1 processors.)
usage: run_matrix.py NTBOX BUILD"""
import sys

from everything import all_groups, words
from runs import Tally, expect_all_passed, finish, report

LIMIT = 300  # seconds of one machine, on a busy host
MACHINES = {
    '2 processors': ('mingw', ['--smp', '2']),
    'icount, 1 processor': ('msvc', ['--icount']),
    'icount, 2 processors': ('mingw', ['--smp', '2', '--icount', '--seed', '2']),
    'icount, 4 processors': ('msvc', ['--smp', '4', '--icount', '--seed', '3']),
    '4 processors, 3 rounds': ('mingw', ['--smp', '4', '--rounds', '3']),
}


def check(ntbox, build, flavour, options):
    _, document = report(ntbox, 'run', *options, '--timeout', str(LIMIT), *words(all_groups(build, flavour)), limit=LIMIT + 30)
    expect_all_passed(document)


def main():
    ntbox, build = sys.argv[1:]
    tally = Tally()
    for name, (flavour, options) in MACHINES.items():
        tally.run(f'{flavour}, {name}', check, ntbox, build, flavour, options)
    finish(tally)


main()
