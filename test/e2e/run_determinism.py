#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same files, options and seed give the same trace hash under icount, with one and with four processors; another seed
gives another one. usage: run_determinism.py NTBOX BUILD"""
import os
import sys

from runs import Tally, expect, expect_equal, finish, report

RUNS = {
    'a sample': ['drivers_sample/msvc/timer_dpc.sys', '--ioctl', r'\Device\NtboxTimer:0x222000:03000000:8'],
    'a conformance driver': ['test/conform/mingw/ct_timer.sys'],
}


def trace_hash(ntbox, run, *options):
    _, document = report(ntbox, 'run', '--icount', '--trace-hash', '--timeout', '100', *run, *options)
    expect(document['exit_code'] == 0, document['sentence'])
    return document['trace_hash']


def check(ntbox, run, smp):
    hashes = [trace_hash(ntbox, run, '--smp', smp, '--seed', seed) for seed in ('7', '7', '8')]
    expect_equal('the hash of the second run', hashes[1], hashes[0])
    expect(hashes[2] != hashes[0], 'another seed gives the same hash')


def main():
    ntbox, build = sys.argv[1:]
    tally = Tally()
    for name, (driver, *words) in RUNS.items():
        for smp in ('1', '4'):
            tally.run(f'{name}, {smp} processors', check, ntbox, [os.path.join(build, driver), *words], smp)
    finish(tally)


main()
