#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A system volume that is damaged or lacks a file: one sentence and the right end, never silence.

usage: damage_test.py OSLOADER NTOSKRNL HAL AGENT MKHIVE DEMO-FOLDER
"""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
import mkcpio  # noqa: E402
import mkscenario  # noqa: E402

SYSTEM, SCENARIO = 'Windows/System32/config/SYSTEM', 'Windows/ntbox/scenario'
ROOT_KEY = 4096 + 32 + 4  # of the hive: the signature in the first cell


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def boot(archive):
    """Everything that one machine says; it has 60 seconds."""
    with tempfile.NamedTemporaryFile(suffix='.cpio') as file:
        file.write(archive)
        file.flush()
        command = ['qemu-system-x86_64', '-M', 'q35', '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
                   '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', OSLOADER, '-initrd', file.name,
                   '-append', 'exitport=0xf4']
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=False)
    return run.stdout.decode('latin-1').replace('\r', '')


def volume(**changes):
    """The demo's files, without a driver under test; a change to None leaves the file out."""
    files = {'Windows/System32/ntoskrnl.exe': KERNEL, 'Windows/System32/hal.dll': HAL,
             'Windows/System32/drivers/agent.sys': AGENT, SYSTEM: HIVE,
             SCENARIO: mkscenario.scenario([(1, 'load nosuchdriver')])}
    files.update(changes)
    return [(name, data) for name, data in files.items() if data is not None]


def broken(data, at, value):
    return data[:at] + value + data[at + len(value):]


class Damage(unittest.TestCase):
    def test_whole(self):
        said = boot(mkcpio.archive(volume()))
        self.assertIn('agent.sys: DriverEntry returned 00000000', said)
        self.assertIn('ntbox: done', said)
        self.assertNotIn('could not be loaded', said)
        self.assertNotIn('STOP', said)

    def test_archive_is_damaged_behind_the_kernel(self):
        archive = mkcpio.archive(volume())
        at = archive.rindex(b'070701')
        said = boot(broken(archive, at, b'oops'))
        self.assertIn(f'boot.cpio: offset 0x{at:x}: the magic of an entry is not 070701 (cpio newc); not mounted', said)
        self.assertIn('*** STOP 0x0000007B INACCESSIBLE_BOOT_DEVICE', said)

    def test_hive_is_damaged(self):
        said = boot(mkcpio.archive(volume(**{SYSTEM: broken(HIVE, ROOT_KEY, b'??')})))
        self.assertIn('\\SystemRoot\\System32\\config\\SYSTEM: offset 0x1020: '
                      'a reference to a key leads to a cell that is no key (nk)', said)
        self.assertIn('*** STOP 0x00000074 BAD_SYSTEM_CONFIG_INFO', said)

    def test_hive_is_missing(self):
        said = boot(mkcpio.archive(volume(**{SYSTEM: None})))
        self.assertIn('\\SystemRoot\\System32\\config\\SYSTEM cannot be opened', said)
        self.assertIn('*** STOP 0x00000074 BAD_SYSTEM_CONFIG_INFO', said)

    def test_scenario_is_damaged(self):
        scenario = broken(mkscenario.scenario([(1, 'load x')]), 16 + 4, b'\x63')
        said = boot(mkcpio.archive(volume(**{SCENARIO: scenario})))
        self.assertIn('agent: scenario: offset 0x10: a step has an unknown operation', said)
        self.assertIn('ntbox: done', said)

    def test_scenario_is_missing(self):
        said = boot(mkcpio.archive(volume(**{SCENARIO: None})))
        self.assertIn('agent: \\SystemRoot\\ntbox\\scenario cannot be read', said)
        self.assertIn('ntbox: done', said)


if __name__ == '__main__':
    if len(sys.argv) < 7:
        sys.exit(__doc__.strip())
    OSLOADER, MKHIVE, DEMO = sys.argv[1], sys.argv[5], sys.argv[6]
    KERNEL, HAL, AGENT = (read(path) for path in sys.argv[2:5])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([MKHIVE, os.path.join(folder, 'SYSTEM'), os.path.join(DEMO, 'system.txt')], check=True)
        HIVE = read(os.path.join(folder, 'SYSTEM'))
    unittest.main(argv=sys.argv[:1] + sys.argv[7:])
