#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same files, options and seed give the same trace hash under icount, with one and with four processors; another seed
gives another one. The hash of the scheduler's events, which is part of it, is compared by itself, too. usage: run_determinism.py NTBOX BUILD"""
import os
import sys

from runs import Tally, expect, expect_equal, finish, report

RUNS = {
    'stress': ['drivers_sample/msvc/hello.sys', '--append', 'stress-ms=10'],
    'a sample': ['drivers_sample/msvc/timer_dpc.sys', '--ioctl', r'\Device\NtboxTimer:0x222000:03000000:8'],
    'a conformance driver': ['test/conform/mingw/ct_timer.sys'],
}


def hashes_of(ntbox, run, *options):
    """Of all records, of the scheduler's events, and how many of these there were."""
    _, document = report(ntbox, 'run', '--icount', '--trace-hash', '--timeout', '100', *run, *options)
    expect(document['exit_code'] == 0, document['sentence'])
    return document['trace_hash'], document['scheduler_hash'], document['scheduler_events']


def check(ntbox, run, smp):
    first, again, other = [hashes_of(ntbox, run, '--smp', smp, '--seed', seed) for seed in ('7', '7', '8')]
    expect(first[2] > 50, f'the scheduler had {first[2]} events only')
    expect_equal('the second run\'s hash, scheduler\'s hash and number of events', again, first)
    expect(other[0] != first[0], 'another seed gives the same hash')
    expect(other[1] != first[1], 'another seed gives the same hash of the scheduler\'s events')


def main():
    ntbox, build = sys.argv[1:]
    tally = Tally()
    for name, (driver, *words) in RUNS.items():
        for smp in ('1', '4'):
            tally.run(f'{name}, {smp} processors', check, ntbox, [os.path.join(build, driver), *words], smp)
    finish(tally)


main()
