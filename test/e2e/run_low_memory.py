#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Memory that is not there. Each sample and some conformance drivers are loaded, exercised and unloaded while one allocation after the other
fails, until a pass meets no failure; boots of which one allocation fails come up or say why not.
usage: run_low_memory.py [--all] NTBOX BUILD-FOLDER      (--all: every allocation of the boot)"""
import os
import random
import re
import sys

from everything import IN_ORDER, SAMPLES
from runs import Tally, call, expect, expect_equal, finish, report

BOOTS = 20
SEED = 1  # of the choice of those boots
# Conformance drivers that can be told from their statuses: others crash themselves when they get no memory, which is theirs.
CONFORMANCE = ['ct_seh', 'ct_string', 'ct_convert', 'ct_list']
OWN_FAULT = 4
CANNOT_LOAD = 2
OWN_DRIVER = re.compile(r'(npfs|pci|ramfs)\.sys')  # services that ntbox starts in each run
OWN_SERVICE = re.compile(r'service (npfs|pci|ramfs) was not started: ')
# [WDK Bug Check Code Reference] PHASE0_INITIALIZATION_FAILED, PHASE1_..., INSTALL_MORE_MEMORY, INACCESSIBLE_BOOT_DEVICE, IO1_INITIALIZATION_FAILED,
# CONFIG_INITIALIZATION_FAILED, OBJECT_INITIALIZATION_FAILED, PROCESS_INITIALIZATION_FAILED, HAL_INITIALIZATION_FAILED
STOPS = {0x31, 0x32, 0x7d, 0x7b, 0x69, 0x67, 0x5e, 0x60, 0x5c}


class LowMemory:
    def __init__(self, ntbox, build):
        self.ntbox, self.build = ntbox, build

    def passes(self, files, requests):
        code, document = report(self.ntbox, 'run', *files, *requests, '--fail-allocations', 'each', '--timeout', '60')
        expect_equal('sentence', (code, document['sentence']), (0, 'all steps succeeded'))
        for kind in ('leaks', 'violations'):
            expect_equal(kind, document[kind], [])
        passes = document['passes']
        expect(len(passes) > 20, f'only {len(passes)} passes')
        expect_equal('failures of the last pass', passes[-1]['failed'], 0)
        failed = [one['pass'] for one in passes[1:-1] if one['failed'] != 1]
        expect_equal('passes without their failure', failed, [])

    def sample(self, flavour, name):
        folder = os.path.join(self.build, 'drivers_sample', flavour)
        processors = ['--smp', '4' if flavour == 'msvc' else '1']
        self.passes([os.path.join(folder, n + '.sys') for n in [*SAMPLES[name]['needs'], name]], [*SAMPLES[name]['requests'], *processors])

    def conformance(self, name):
        self.passes([os.path.join(self.build, 'test/conform/mingw', name + '.sys')], [])

    def random(self):
        files = [os.path.join(self.build, 'drivers_sample/mingw/ioctl.sys'), *SAMPLES['ioctl']['requests']]
        documents = [report(self.ntbox, 'run', *files, '--fail-allocations', 'random:5:30', '--seed', '7')[1] for _ in range(2)]
        for document in documents:
            expect_equal('sentence', document['sentence'], 'all steps succeeded')
            expect_equal('passes', len(document['passes']), 31)
            expect(any(one['failed'] > 1 for one in document['passes']), 'no pass with more than one failure')
            lengths = [one['allocations'] for one in document['passes'][1:]]
            shifted = sum(after == before - 1 for before, after in zip(lengths, lengths[1:]))
            expect(shifted < len(lengths) / 2, f'each pass is the one before it, an allocation earlier: {lengths}')
        failures = [[{key: one.get(key) for key in ('pass', 'allocations', 'failed', 'module', 'offset')} for one in document['passes']]
                    for document in documents]
        expect_equal('what failed in the second run with the same seed', failures[1], failures[0])

    def only(self):
        """--fail-only: what the driver's own code asks for, and nothing else."""
        files = [os.path.join(self.build, 'drivers_sample/mingw/client.sys')]
        _, document = report(self.ntbox, 'run', *files, '--fail-allocations', 'each', '--fail-only', 'EXPORTER.sys')
        expect_equal('sentence', document['sentence'], 'all steps succeeded')
        expect_equal('passes', [one['failed'] for one in document['passes']], [0, 1, 0])
        expect_equal('who asked', document['passes'][1]['module'], 'exporter.sys')

    def refused(self):
        hello = os.path.join(self.build, 'drivers_sample/mingw/hello.sys')
        for arguments, words in ((['--fail-allocations', 'some'], '--fail-allocations'),
                                 (['--fail-allocations', 'random:200'], 'percentage'),
                                 (['--fail-allocations', '0'], 'nothing would fail'),
                                 (['--fail-allocations', 'each', '--fail-only', 'x.sys'], 'no image x.sys, but hello.sys, ntoskrnl.exe'),
                                 (['--fail-only', 'x.sys'], '--fail-only wants --fail-allocations'),
                                 (['--fail-allocations', 'each', '--kernel', 'free'], 'checked kernel')):
            code, _, err = call(self.ntbox, 'run', hello, *arguments)
            expect_equal(f'exit code of {arguments}', code, 3)
            expect(words in err, f'{err.strip()!r} does not say {words!r}')

    def boot(self, number):
        """Up without it, without one of ntbox's own drivers, or stopped for want of memory; it says what had failed."""
        hello = os.path.join(self.build, 'drivers_sample/mingw/hello.sys')
        code, document = report(self.ntbox, 'run', hello, '--fail-allocations', f'boot:{number}', '--timeout', '20')
        sentence = document['sentence']
        expect(f'allocation {number} of the boot' in sentence and 'failed on purpose' in sentence, sentence)
        if code == OWN_FAULT and OWN_DRIVER.match(sentence) or code == CANNOT_LOAD and OWN_SERVICE.match(sentence):
            return
        expect_equal('exit code', (code, sentence if code else ''), (0, ''))
        if document['outcome'] == 'passed':
            return
        expect_equal('outcome', document['outcome'], 'stopped')
        stop = int(re.search(r'bug check 0x([0-9A-F]+)', sentence)[1], 16)
        expect(stop in STOPS, sentence)

    def boot_length(self):
        """How many allocations a boot has."""
        hello = os.path.join(self.build, 'drivers_sample/mingw/hello.sys')
        code, document = report(self.ntbox, 'run', hello, '--fail-allocations', 'boot:4000000000')
        expect_equal('outcome', (code, document['outcome']), (3, 'untested'))
        return document['failed_on_purpose'][0]['allocations']

    def never_came(self):
        hello = os.path.join(self.build, 'drivers_sample/mingw/hello.sys')
        code, document = report(self.ntbox, 'run', hello, '--fail-allocations', '50000')
        expect_equal('outcome', (code, document['outcome']), (3, 'untested'))
        expect('allocation 50000 never came' in document['sentence'], document['sentence'])
        _, document = report(self.ntbox, 'run', hello, '--fail-allocations', 'each', '--fail-only', 'hello.sys')
        expect_equal('sentence', document['sentence'], 'all steps succeeded, but no allocation failed: hello.sys itself makes 0')


def main():
    everything = '--all' in sys.argv
    ntbox, build = [word for word in sys.argv[1:] if word != '--all']
    low, tally = LowMemory(ntbox, build), Tally()
    for flavour in ('mingw', 'msvc'):
        for name in IN_ORDER:
            tally.run(f'each allocation of {flavour} {name}', low.sample, flavour, name)
    for name in CONFORMANCE:
        tally.run(f'each allocation of {name}', low.conformance, name)
    tally.run('allocations at random', low.random)
    tally.run('allocations of one image', low.only)
    tally.run('refused', low.refused)
    tally.run('allocations that never come', low.never_came)
    count = low.boot_length()
    numbers = range(1, count + 1) if everything else sorted(random.Random(SEED).sample(range(1, count + 1), BOOTS))
    for number in numbers:
        tally.run(f'allocation {number} of {count} of the boot', low.boot, number)
    finish(tally)


main()
