#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The SYSTEM hive that `--save-hive` brings out of the machine: libhivex reads it, with what drivers have written and without volatile keys.
usage: run_hive.py NTBOX DRIVER.sys (ct_registry_save) SHUTDOWN.sys (shutdown_order)"""
import os
import struct
import subprocess
import sys
import tempfile

from runs import Tally, call, expect, expect_equal, finish, report

SERVICE = r'\ControlSet001\Services\ct_registry_save'
STAYS = r'\ControlSet001\Services\shutdown_order\Parameters'


def hivex(hive, commands):
    """What hivexsh prints of the commands; an error of one is told on standard error."""
    done = subprocess.run(['hivexsh', hive], input=commands, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


class Hive:
    def __init__(self, ntbox, driver, folder):
        self.path = os.path.join(folder, 'hive')
        self.code, self.document = report(ntbox, 'run', driver, '--save-hive', self.path)
        self.ntbox, self.driver, self.folder = ntbox, driver, folder

    def header(self):
        """Written to its end: two equal numbers, the length of the bins."""
        expect_equal('exit code', self.code, 0)
        data = open(self.path, 'rb').read()
        expect_equal('magic', data[:4], b'regf')
        first, second = struct.unpack_from('<II', data, 4)
        expect_equal('sequence numbers', second, first)
        expect_equal('length', len(data), 4096 + struct.unpack_from('<I', data, 40)[0])

    def keys(self):
        _, out, err = hivex(self.path, 'ls\n')
        expect_equal('errors', err, '')
        names = out.lower().split()
        expect('controlset001' in names, 'a control set')
        expect('currentcontrolset' not in names, 'no volatile link')

    def written_by_the_driver(self):
        """The service's key is the host's, its key Parameters was made by the driver."""
        _, out, err = hivex(self.path, f'cd {SERVICE}\nls\nlsval Start\n')
        expect_equal('errors', err, '')
        expect('parameters' in out.lower().split(), 'Parameters')
        expect_equal('Start', out.split()[-1], '3')

    def cannot_be_written(self):
        """Said before the machine starts, as an error of usage; nothing is replaced."""
        for path in (os.path.join(self.folder, 'none', 'hive'), self.folder, '/dev/full', ''):
            done = subprocess.run([self.ntbox, 'run', self.driver, '--save-hive', path], capture_output=True, text=True, timeout=60)
            expect_equal(f'exit code for {path!r}', done.returncode, 3)
            expect('--save-hive' in done.stderr, f'a sentence for {path!r}')
        expect(not os.path.isfile('/dev/full'), 'the device is a device still')


def shutdown_order(ntbox, driver, folder):
    """What a driver writes at shutdown is in the hive, which is written before the last chance."""
    path = os.path.join(folder, 'shutdown')
    code, out, _ = call(ntbox, 'run', driver, '--save-hive', path)
    expect_equal('exit code', code, 0)
    expect('shutdown order: SHL\n' in out, 'shutdown, hives, last chance')
    _, out, err = hivex(path, f'cd {STAYS}\nlsval AtShutdown\n')
    expect_equal('errors', err, '')
    expect_equal('the value', int(out.split()[-1], 0), 0x5a5a)


def main():
    ntbox, driver, stays = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        tally.run('shutdown_order', shutdown_order, ntbox, stays, folder)
        hive = Hive(ntbox, driver, folder)
        for check in (hive.header, hive.keys, hive.written_by_the_driver, hive.cannot_be_written):
            tally.run(check.__name__, check)
    finish(tally)


if __name__ == '__main__':
    main()
