#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every sample driver, in both flavours, by PVH, BIOS ISO and UEFI ISO, with 1 and 4 processors, on both kernels.
usage: run_samples.py NTBOX DRIVERS-FOLDER (with mingw/ and msvc/ in it)

By PVH each sample has a machine of its own. By the ISOs, whose start takes seconds, all of them share one."""
import os
import sys

from everything import IN_ORDER, REQUESTS, SAMPLES
from runs import Tally, expect, expect_equal, finish, report


OWN = ('agent.sys', 'pci.sys')  # drivers of ntbox itself


def check_timer(outputs):
    count = int.from_bytes(bytes.fromhex(outputs[0]), 'little')
    expect(count >= 3, f'timer_dpc counted {count} ticks, not at least 3')


def check_report(names, document, smp):
    """The report of a run of these samples: everything loaded, answered, unloaded, nothing left behind."""
    expect_equal('outcome', (document['outcome'], document['sentence']), ('passed', 'all steps succeeded'))
    expect_equal('processors present', document['machine']['processors_present'], smp)
    entries = {entry['driver']: entry['status_name'] for entry in document['entries']}
    for name in names:
        expect_equal(f'DriverEntry of {name}', entries.get(name + '.sys'), 'STATUS_SUCCESS')
    for kind in ('leaks', 'violations', 'missing'):
        expect_equal(kind, document[kind], [])
    unloads = [unload['driver'] for unload in document['unloads'] if unload['driver'] not in OWN]
    wanted = [part + '.sys' for name in reversed(names) for part in [name, *SAMPLES[name].get('brings', [])]]
    expect_equal('unloads', unloads, wanted)


def check_answers(tested, document):
    steps = [step for step in document['steps'] if step['operation'] in REQUESTS]
    prints = '\n'.join(line.get('text', '') for line in document['prints'])
    for name in tested:
        sample = SAMPLES[name]
        mine, steps = steps[:len(sample['outputs'])], steps[len(sample['outputs']):]
        outputs = [step.get('output', '') for step in mine]
        for step, output, wanted in zip(mine, outputs, sample['outputs']):
            expect(wanted is None or output == wanted, f'{name}: step {step["step"]} gave {output}, not {wanted}')
        if name == 'timer_dpc':
            check_timer(outputs)
        for words in sample['prints']:
            expect(words in prints, f'{name} did not print "{words}"')
    expect_equal('requests left over', steps, [])


class Samples:
    def __init__(self, ntbox, folder):
        self.ntbox, self.folder = ntbox, folder

    def run(self, flavour, tested, smp, *options):
        """One machine: `tested` and what they need are loaded, the requests of `tested` are sent."""
        names = [name for name in IN_ORDER if name in tested or any(name in SAMPLES[t]['needs'] for t in tested)]
        files = [os.path.join(self.folder, flavour, name + '.sys') for name in names]
        requests = [word for name in tested for word in SAMPLES[name]['requests']]
        code, document = report(self.ntbox, 'run', *files, *requests, '--smp', str(smp), *options)
        check_report(names, document, smp)
        check_answers(tested, document)
        expect_equal('exit code', code, 0)


def main():
    samples, tally = Samples(*sys.argv[1:]), Tally()
    for flavour in ('mingw', 'msvc'):
        for smp in (1, 4):
            for name in IN_ORDER:
                tally.run(f'{flavour} {name}, pvh, {smp} processors', samples.run, flavour, [name], smp)
            for boot in ('bios', 'uefi'):
                tally.run(f'{flavour} all samples, {boot}, {smp} processors', samples.run, flavour, IN_ORDER, smp,
                          '--boot', boot, '--timeout', '60')
        tally.run(f'{flavour} all samples, free kernel', samples.run, flavour, IN_ORDER, 1, '--kernel', 'free')
        tally.run(f'{flavour} all samples, cpu qemu64', samples.run, flavour, IN_ORDER, 1, '--cpu', 'qemu64')
    finish(tally)


main()
