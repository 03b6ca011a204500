#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Events of drivers are told when the kernel option `etw` asks for their provider, and only then.
usage: run_traces.py NTBOX DRIVER (ct_etw.sys)"""
import sys

from runs import Tally, call, expect, expect_all_passed, expect_equal, finish, report

PROVIDER = '4e544258-0001-0002-0304-05060708090a'
WANTED = ['event 7, level 4, keyword 0x10, 3 bytes: abcdef', 'event 7, level 4, keyword 0x10, 0 bytes',
          'event 7, level 4, keyword 0x10, 2 bytes: abcd', 'level 4, keyword 0x10: a text of the provider']


def traces(ntbox, driver, option):
    _, document = report(ntbox, 'run', driver, *(('--append', option) if option else ()))
    expect_all_passed(document)
    return [(trace['driver'], trace['name'], trace['text']) for trace in document['traces']]


def told(ntbox, driver, option):
    expect_equal('traces', traces(ntbox, driver, option), [('ct_etw.sys', PROVIDER, text) for text in WANTED])


def not_told(ntbox, driver, option):
    expect_equal('traces', traces(ntbox, driver, option), [])


def as_text(ntbox, driver):
    _, out, _ = call(ntbox, 'run', driver, '--append', 'etw=all')
    lines = [line for line in out.splitlines() if line.strip().startswith('trace ')]
    expect_equal('lines', len(lines), len(WANTED))
    expect(PROVIDER in lines[0] and WANTED[0] in lines[0], f'the first line is {lines[0]!r}')


def main():
    ntbox, driver = sys.argv[1:]
    tally = Tally()
    tally.run('no option', not_told, ntbox, driver, None)
    tally.run('all', told, ntbox, driver, 'etw=all')
    tally.run('this provider, in capitals, as the second', told, ntbox, driver, f'etw=00000000-0000-0000-0000-000000000000,{PROVIDER.upper()}')
    tally.run('another provider', not_told, ntbox, driver, 'etw=00000000-0000-0000-0000-000000000000')
    tally.run('lines of the text', as_text, ntbox, driver)
    finish(tally)


main()
