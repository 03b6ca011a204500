#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The in-kernel tests (KT_TEST, beside the code) on several machines: each test of the sources must have run and passed.
usage: run_kernel_tests.py NTBOX KERNEL-FOLDER DRIVER"""
import pathlib
import re
import sys

from runs import Tally, expect, expect_equal, finish, report

MACHINES = {
    'one processor': [],
    'four processors': ['--smp', '4'],
    'qemu64': ['--cpu', 'qemu64'],
    '32 MiB': ['--memory', '32M'],
    '6 GiB': ['--memory', '6G', '--timeout', '100'],
    'icount': ['--icount', '--seed', '1'],
}


def tests_of(folder):
    """Names of all KT_TESTs in the sources that the build knows as tests."""
    return {f'kt.{name}' for path in pathlib.Path(folder).glob('*/*_test.c')
            for name in re.findall(r'^KT_TEST\((\w+)\)', path.read_text(encoding='utf-8'), re.MULTILINE)}


def check(ntbox, wanted, driver, options):
    code, document = report(ntbox, 'run', driver, '--append', 'kt', *options)
    cases = {case['case']: case for case in document['cases'] if case['case'].startswith('kt.')}
    failed = [f'{name}: {case.get("text", "")}' for name, case in cases.items() if not case['passed']]
    expect(not failed, '; '.join(failed))
    expect_equal('tests that did not run', sorted(wanted - cases.keys()), [])
    expect_equal('exit code', code, 0)


def main():
    ntbox, folder, driver = sys.argv[1:]
    wanted = tests_of(folder)
    tally = Tally()
    for name, options in MACHINES.items():
        tally.run(f'{len(wanted)} in-kernel tests, {name}', check, ntbox, wanted, driver, options)
    finish(tally)


main()
