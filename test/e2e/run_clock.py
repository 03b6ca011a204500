#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever the time stamp counter is calibrated by (HPET, PM timer), its frequency is the same within 1 %. Under -icount, as a
busy host takes no part then.
usage: run_clock.py NTBOX HELLO.sys"""
import os
import re
import shutil
import sys
import tempfile

from runs import Tally, call, expect, expect_equal, finish

LINE = re.compile(r'clock: time stamp counter (\d+) Hz, local APIC timer (\d+) Hz, by the (.+)')
MACHINES = {'HPET': '', 'PM timer': '-machine hpet=off'}


class Clock:
    def __init__(self, ntbox, driver):
        self.ntbox, self.driver, self.measured = ntbox, driver, {}

    def measure(self, reference, options):
        """The kernel says what it calibrated by, and passes."""
        qemu = shutil.which(os.environ.get('NTBOX_QEMU', 'qemu-system-x86_64'))
        with tempfile.TemporaryDirectory() as folder:
            wrapper, log = os.path.join(folder, 'qemu'), os.path.join(folder, 'log')
            with open(wrapper, 'w', encoding='ascii') as file:
                file.write(f'#!/bin/sh\nexec {qemu} "$@" {options}\n')
            os.chmod(wrapper, 0o755)
            before = os.environ.get('NTBOX_QEMU')
            os.environ['NTBOX_QEMU'] = wrapper
            try:
                code, out, _ = call(self.ntbox, 'run', self.driver, '--icount', '--log', log)
            finally:
                if before is None:
                    del os.environ['NTBOX_QEMU']
                else:
                    os.environ['NTBOX_QEMU'] = before
            with open(log, encoding='latin-1') as file:
                found = LINE.search(file.read())
        expect_equal('exit code', code, 0)
        expect(found, f'the log has no line of the clock: {out[-200:]}')
        expect_equal('the reference', found[3].strip(), reference)
        self.measured[reference] = (int(found[1]), int(found[2]))

    def compare(self):
        names = list(self.measured)
        expect_equal('measurements', len(names), len(MACHINES))
        for i, counter in enumerate(('time stamp counter', 'APIC timer')):
            values = [self.measured[name][i] for name in names]
            expect(max(values) <= 1.01 * min(values), f'{counter}: {dict(zip(names, values))}')


def main():
    clock, tally = Clock(*sys.argv[1:3]), Tally()
    for reference, options in MACHINES.items():
        tally.run(f'by the {reference}', clock.measure, reference, options)
    tally.run('all agree', clock.compare)
    finish(tally)


if __name__ == '__main__':
    main()
