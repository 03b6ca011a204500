#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers of emulated devices (test/device), each with the devices that it wants.
usage: run_devices.py NTBOX DEVICE-FOLDER"""
import os
import sys

from runs import Tally, expect, expect_all_passed, finish, report

DEVICES = {'edu_line': ['--device', 'edu,addr=5', '--device', 'edu,addr=9']}
MACHINES = {'one processor': [], 'four processors': ['--smp', '4'], 'icount': ['--icount', '--seed', '1'],
            'the free kernel': ['--smp', '2', '--kernel', 'free']}


def check(ntbox, driver, options):
    _, document = report(ntbox, 'run', driver, *options)
    failed = [f'{case["case"]}: {case.get("text", "")}' for case in document['cases'] if not case['passed']]
    expect(not failed, '; '.join(failed))
    expect(document['cases'], 'no case ran')
    expect_all_passed(document)


def main():
    ntbox, folder = sys.argv[1:]
    tally = Tally()
    for name, devices in DEVICES.items():
        for machine, options in MACHINES.items():
            tally.run(f'{name}, {machine}', check, ntbox, os.path.join(folder, name + '.sys'), devices + options)
    finish(tally)


if __name__ == '__main__':
    main()
