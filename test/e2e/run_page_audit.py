#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page tables as the processor sees them: a machine is stopped while drivers are loaded, its memory is read by QEMU and the tables
are walked here, without any of the kernel's own code.
usage: run_page_audit.py NTBOX BUILD-FOLDER TOOLS-FOLDER"""
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

from runs import Tally, Wrong, call, expect, expect_equal, finish

MEMORY = 128 << 20
CR0_WP, CR4_SMEP, CR4_SMAP, CR4_UMIP, EFER_NXE = 1 << 16, 1 << 20, 1 << 21, 1 << 11, 1 << 11
DRIVERS = ['drivers_sample/mingw/hello.sys', 'drivers_sample/msvc/ioctl.sys', 'drivers_sample/msvc/seh.sys',
           'test/bad/never_returns.sys']


class Machine:
    """The machine that `ntbox run --keep` describes, with a monitor of our own; its last driver never returns."""

    def __init__(self, folder, cpu):
        with open(os.path.join(folder, 'qemu-command'), encoding='utf-8') as file:
            command = file.read()
        self.monitor_path, self.log = os.path.join(folder, 'monitor'), os.path.join(folder, 'log')
        self.folder = folder
        report = os.path.join(folder, 'report')
        with open(report, 'wb') as file:
            file.truncate(int(re.search(r'mem-path=\S*,size=(\d+)', command).group(1)))
        command = re.sub(r'id=com1,path=\S+', f'id=com1,path={self.log}', command)
        command = re.sub(r'mem-path=[^,]+', f'mem-path={report}', command)
        command = re.sub(r'id=monitor,fd=\d+', f'id=monitor,path={self.monitor_path},server=on,wait=off', command)
        command = re.sub(r'-initrd \S+', f'-initrd {os.path.join(folder, "boot.cpio")}', command)
        command = re.sub(r'-cpu \S+', f'-cpu {cpu}', command)
        words, append = command.strip().split(' -append ')
        self.process = subprocess.Popen([*words.split(), '-append', append], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def wait_for(self, text, limit=60):
        """Until the log has that text."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if os.path.exists(self.log):
                with open(self.log, encoding='utf-8', errors='replace') as file:
                    if text in file.read():
                        return
            if self.process.poll() is not None:
                raise Wrong('QEMU has ended')
            select.select([], [], [], 0.05)
        raise Wrong(f'the log did not say {text!r} in {limit} s')

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(self.monitor_path)
        self.lines = self.socket.makefile('r', encoding='utf-8')
        self.lines.readline()
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        while True:
            answer = json.loads(self.lines.readline())
            if 'error' in answer:
                raise Wrong(f'{command}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def registers(self):
        text = self.ask('human-monitor-command', **{'command-line': 'info registers'})
        return {name: int(value, 16) for name, value in re.findall(r'\b(CR0|CR3|CR4|EFER)=([0-9a-f]+)', text)}

    def memory(self):
        path = os.path.join(self.folder, 'memory')
        self.ask('pmemsave', val=0, size=MEMORY, filename=path)
        with open(path, 'rb') as file:
            return file.read()


class Audit:
    def __init__(self, ntbox, build):
        self.ntbox, self.build = ntbox, build

    def stopped(self, folder, cpu):
        """(registers, tables) of a machine in which the drivers are loaded."""
        drivers = [os.path.join(self.build, name) for name in DRIVERS]
        call(self.ntbox, 'run', *drivers, '--keep', folder, '--timeout', '2', '--seed', '7')
        with Machine(folder, cpu) as machine:
            machine.wait_for('never_returns: looping')
            machine.connect()
            machine.ask('stop')
            registers = machine.registers()
            return registers, page_audit.Tables(machine.memory(), registers['CR3'])

    def whole(self, cpu, features):
        with tempfile.TemporaryDirectory() as folder:
            registers, tables = self.stopped(folder, cpu)
        leaves = list(tables.leaves())
        wrong = page_audit.writable_and_executable(leaves)
        expect(not wrong, f'{len(wrong)} mappings are writable and executable, the first at {wrong[0].address:#x}' if wrong else '')
        expect(tables.recursive_entry_is_data(), 'the tables themselves can be executed')
        expect(registers['CR0'] & CR0_WP, 'CR0.WP is off: the kernel may write to read-only pages')
        expect(registers['EFER'] & EFER_NXE, 'EFER.NXE is off')
        for name, bit in features.items():
            expect(registers['CR4'] & bit, f'CR4.{name} is off')
        code = [leaf for leaf in leaves if leaf.executable]
        expect(code, 'nothing can be executed: this check is blind')
        expect(all(leaf.address >= 0xfffff80000000000 for leaf in code), 'something outside the image space can be executed')
        expect(not [leaf for leaf in leaves if leaf.user and leaf.address >> 47], 'user mode could read the kernel half')
        direct = [leaf for leaf in leaves if leaf.size > 4096]
        expect(sum(leaf.size for leaf in direct) >= MEMORY, 'the direct map is not made of large pages')

    def finds_a_wrong_page(self):
        """The walk sees a page that is both, or it proves nothing."""
        memory = bytearray(5 * 4096)
        for level in range(3):
            memory[level * 4096:level * 4096 + 8] = ((level + 1) << 12 | 3).to_bytes(8, 'little')
        memory[3 * 4096 + 8:3 * 4096 + 16] = (4 << 12 | 3).to_bytes(8, 'little')
        wrong = page_audit.writable_and_executable(page_audit.Tables(memory, 0).leaves())
        expect_equal('wrong pages', [leaf.address for leaf in wrong], [0x1000])


def main():
    ntbox, build, tools = sys.argv[1:]
    sys.path.insert(0, tools)
    globals()['page_audit'] = __import__('page_audit')
    tally, audit = Tally(), Audit(ntbox, build)
    tally.run('the walk finds a wrong page', audit.finds_a_wrong_page)
    tally.run('-cpu max: no page is writable and executable', audit.whole, 'max',
              {'SMEP': CR4_SMEP, 'SMAP': CR4_SMAP, 'UMIP': CR4_UMIP})
    tally.run('-cpu qemu64: no page is writable and executable', audit.whole, 'qemu64', {})
    finish(tally)


if __name__ == '__main__':
    main()
