#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""QEMU never outlives ntbox, whatever ends ntbox; and mistakes of usage end with 3 and one sentence.
usage: run_life.py NTBOX BAD-FOLDER"""
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

from runs import Tally, call, expect, expect_equal, finish


def children_of(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []


def wait_for_child(process, limit=20):
    """The pid of ntbox's QEMU, once it runs."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        children = children_of(process.pid)
        if children and 'qemu' in os.readlink(f'/proc/{children[0]}/exe'):
            return children[0]
        select.select([], [], [], 0.01)
    return None


def wait_for_end(descriptor, limit=10):
    return bool(select.select([descriptor], [], [], limit)[0])


class Life:
    def __init__(self, ntbox, folder):
        self.ntbox = ntbox
        self.driver = os.path.join(folder, 'never_returns.sys')

    def ends_with(self, number, wanted):
        """A signal to ntbox ends QEMU; wanted is ntbox's exit code."""
        process = subprocess.Popen([self.ntbox, 'run', self.driver, '--timeout', '100'], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            qemu = wait_for_child(process)
            expect(qemu is not None, 'QEMU did not start')
            descriptor = os.pidfd_open(qemu)
            process.send_signal(number)
            ended = wait_for_end(descriptor)
            os.close(descriptor)
            expect_equal('exit code', process.wait(10), wanted)
            expect(ended, 'QEMU is still there')
        finally:
            process.kill()
            process.wait()

    def usage(self, wanted, *arguments):
        code, out, err = call(self.ntbox, *arguments)
        expect_equal('exit code', code, 3)
        expect(err.count('\n') == 1 and err.startswith('ntbox: ') and wanted in err and not out,
               f'it says {err!r} and {out!r}')

    def full_output(self):
        for words in (['check', self.driver], ['exports'], ['run', '--timeout', '2', self.driver], ['help'],
                      ['help', 'run'], ['--version']):
            with open('/dev/full', 'w', encoding='ascii') as full:
                done = subprocess.run([self.ntbox, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                      timeout=60, stdin=subprocess.DEVNULL)
            expect_equal(f'exit code of {words[0]}', done.returncode, 3)
            expect(done.stderr.startswith('ntbox: cannot write to the standard output: ') and done.stderr.count('\n') == 1,
                   f'{words[0]} says {done.stderr!r}')

    def longest_command_line(self):
        """One that just fits starts the machine."""
        words = 'a' * (4095 - len('exitport=0xf4 nmi=where '))
        code, out, _ = call(self.ntbox, 'run', self.driver, '--timeout', '2', '--append', words)
        expect_equal('exit code', code, 1)
        expect('in step 1 (load never_returns)' in out, out[-200:])

    def kept_files(self):
        with tempfile.TemporaryDirectory() as folder:
            code, _, err = call(self.ntbox, 'run', self.driver, '--timeout', '2', '--keep', folder + '/kept',
                                '--log', folder + '/log')
            expect_equal('exit code', code, 1)
            with open(folder + '/kept/boot.cpio', 'rb') as file:
                expect_equal('the magic of boot.cpio', file.read(6), b'070701')
            with open(folder + '/log', encoding='utf-8', errors='replace') as file:
                expect('ntbox' in file.read(), 'the log is empty')
            expect_equal('stderr', err, '')


def main():
    life, tally = Life(*sys.argv[1:]), Tally()
    tally.run('SIGINT ends QEMU', life.ends_with, signal.SIGINT, 3)
    tally.run('SIGTERM ends QEMU', life.ends_with, signal.SIGTERM, 3)
    tally.run('SIGKILL ends QEMU', life.ends_with, signal.SIGKILL, -signal.SIGKILL)
    tally.run('--keep and --log', life.kept_files)
    tally.run('the standard output is full', life.full_output)
    tally.run('--log is full', life.usage, '--log: cannot write /dev/full: No space', 'run', life.driver, '--log', '/dev/full')
    tally.run('a long --append', life.usage, 'it can have 4095', 'run', life.driver, '--append', 'a' * 5000)
    tally.run('the longest --append', life.longest_command_line)
    tally.run('a long device name', life.usage, 'it can have 255', 'run', life.driver, '--read', 'a' * 500)
    tally.run('a file that is not there', life.usage, '/no/such.sys', 'run', '/no/such.sys')
    tally.run('a request that is none', life.usage, '--ioctl wants', 'run', life.driver, '--ioctl', 'x')
    tally.run('no kernel', life.usage, 'holds no ntbox kernel', 'run', life.driver, '--dir', '/no/such')
    finish(tally)


main()
