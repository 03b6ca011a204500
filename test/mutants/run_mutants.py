#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernels with one small mistake each (mutants.txt): the stress test, the in-kernel tests or the conformance drivers must find every one of them. The
source tree is not touched: the changed file is compiled from a copy and linked with the other objects of the build. The kernel
without a mistake is made in the same way and must pass. Ends with 'N passed, N failed'; a mutant that lives is a failure.
usage: run_mutants.py NTBOX BUILD [NAME ...]
       run_mutants.py --check          only whether the table fits the source"""
import os
import shlex
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))
from everything import all_groups, words  # noqa: E402

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
KERNEL = 'kernel/ntoskrnl-checked.exe'
CORE = ('kernel/ke/', 'kernel/mm/', 'kernel/ex/')
TABLE = os.path.join(SOURCE, 'test/mutants/mutants.txt')
LIMIT = 60  # seconds of a stress run: far above what one without a mistake takes, and above the 15 s after which the stress calls a hang
DRIVERS_LIMIT = 240  # seconds of all drivers, of which a machine alone needs a tenth
CASES = (('icount, 1 processor', ['--icount', '--smp', '1', '--seed', '8', '--append', 'stress-ms=40']),
         ('icount, 4 processors', ['--icount', '--smp', '4', '--seed', '8', '--append', 'stress-ms=60']),
         ('in-kernel tests', ['--smp', '4', '--append', 'kt']),
         ('4 processors', ['--smp', '4', '--seed', '1', '--append', 'stress=4']),
         ('4 processors again', ['--smp', '4', '--seed', '2', '--append', 'stress=8']))


class Broken(Exception):
    """The table or the build, not the kernel."""


class Mutant:
    """One entry of the table; the one without a file is the kernel as it is."""

    def __init__(self, name, path='', why='', may_live=False):
        self.name, self.path, self.why, self.may_live = name, path, why, may_live
        self.old, self.new = [], []

    def changed(self):
        """The text of its file with the new lines in place of the old ones."""
        with open(os.path.join(SOURCE, self.path), encoding='utf-8') as file:
            text = file.read()
        lines = text.split('\n')
        stripped, wanted = [line.strip() for line in lines], [line.strip() for line in self.old]
        found = [at for at in range(len(lines)) if stripped[at:at + len(wanted)] == wanted]
        if len(found) != 1:
            raise Broken(f'mutant {self.name}: its lines are {len(found)} times in {self.path}, not once: {wanted[0]}')
        return '\n'.join(lines[:found[0]] + self.new + lines[found[0] + len(wanted):])


def read_table(path):
    mutants = []
    with open(path, encoding='utf-8') as table:
        for number, line in enumerate(table.read().split('\n'), 1):
            kind, rest = line[:1], line[2:]
            if kind in ('=', '?') and rest:
                mutants.append(Mutant(*rest.split(None, 2), kind == '?'))
            elif kind == '-' and mutants:
                mutants[-1].old.append(rest)
            elif kind == '+' and mutants:
                mutants[-1].new.append(rest)
            elif kind not in ('', '#'):
                raise Broken(f'{path}:{number}: not a line of the table')
    return mutants


class Builder:
    """Makes folders that ntbox takes for a build, with another kernel in each."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        commands = subprocess.run(['ninja', '-C', self.build, '-t', 'commands', KERNEL], capture_output=True, text=True, check=True)
        self.commands = commands.stdout.split('\n')

    def call(self, words, what):
        done = subprocess.run(words, cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f'{what}: {done.stderr[-2000:] or done.stdout[-2000:]}')

    def command(self, ending):
        found = [shlex.split(line) for line in self.commands if line.endswith(ending) or f'/OUT:{ending} ' in line]
        if len(found) != 1:
            raise Broken(f'{ending}: {len(found)} commands of the build make it, not one')
        return found[0]

    def compile(self, mutant, folder):
        """(the object in the build, the one in its place)"""
        changed, made = os.path.join(folder, os.path.basename(mutant.path)), os.path.join(folder, 'changed.obj')
        with open(changed, 'w', encoding='utf-8') as file:
            file.write(mutant.changed())
        words = next((shlex.split(line) for line in self.commands
                      if line.endswith(f'-c ../{mutant.path}') and f'-o {KERNEL}.p/' in line), None)
        if words is None:
            raise Broken(f'{mutant.path}: no command of the build compiles it')
        built = words[words.index('-o') + 1]
        words[words.index('-o') + 1] = made
        words[words.index('-MF') + 1] = made + '.d'
        words[-1] = changed
        beside = os.path.dirname(os.path.join(SOURCE, mutant.path))
        self.call([*words[:-2], '-Wno-error', '-iquote', beside, *words[-2:]], mutant.name)
        return built, made

    def link(self, folder, replaced, made):
        kernel = os.path.join(folder, 'ntoskrnl.exe')
        words = self.command(KERNEL)
        for i, word in enumerate(words):
            if word == replaced:
                words[i] = made
            elif word.startswith('-Wl,/OUT:'):
                words[i] = f'-Wl,/OUT:{kernel}'
            elif word.startswith('-Wl,/IMPLIB:'):
                words[i] = f'-Wl,/IMPLIB:{folder}/ntoskrnl.lib'
            elif word.startswith('/map:'):
                words[i] = f'/map:{folder}/ntoskrnl.map'
        self.call(words, 'link')
        return kernel

    def folder_with(self, mutant, folder):
        replaced, made = self.compile(mutant, folder) if mutant.path else (None, None)
        kernel, place = self.link(folder, replaced, made), os.path.join(folder, 'build')
        os.makedirs(os.path.join(place, 'kernel'))
        for name in os.listdir(self.build):
            if name != 'kernel':
                os.symlink(os.path.join(self.build, name), os.path.join(place, name))
        for name in os.listdir(os.path.join(self.build, 'kernel')):
            source = kernel if name == os.path.basename(KERNEL) else os.path.join(self.build, 'kernel', name)
            os.symlink(source, os.path.join(place, 'kernel', name))
        return place


def killed_by(ntbox, build, place, mutant):
    """The case that found the mistake, and what it said; None: none did."""
    hello = os.path.join(build, 'drivers_sample/msvc/hello.sys')
    drivers = ['--smp', '4', '--seed', '1', *words(all_groups(build, 'mingw'))]
    cases = [*((name, [*options, hello], LIMIT) for name, options in CASES), ('all drivers', drivers, DRIVERS_LIMIT)]
    if not mutant.path.startswith(CORE):
        cases = [cases[-1], *cases[:-1]]  # whoever finds it most likely is first
    for case, options, limit in cases:
        command = [ntbox, 'run', '--dir', place, '--timeout', str(limit), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit + 60, check=False, errors='replace')
        if done.returncode != 0:
            return f'{case}: {(done.stdout.strip() or done.stderr.strip()).split(chr(10))[-1]}'
    return None


def try_mutant(ntbox, builder, mutant):
    """TRUE when it went as it must."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        verdict = killed_by(ntbox, builder.build, builder.folder_with(mutant, folder), mutant)
    good = mutant.may_live or (verdict is None) == (not mutant.path)
    print(f'{"ok" if good else "FAIL":4} {mutant.name} ({time.monotonic() - begin:.1f} s): '
          f'{verdict or "nothing found"}{"" if good or not mutant.path else ": " + mutant.why}', flush=True)
    return good


def fitting_table():
    """The mutants; Broken when one does not fit the source."""
    mutants = read_table(TABLE)
    wrong = []
    for mutant in mutants:
        try:
            mutant.changed()
        except (Broken, OSError) as broken:
            wrong.append(str(broken))
    if wrong:
        raise Broken('\n'.join(wrong))
    return mutants


def check():
    try:
        print(f'{len(fitting_table())} mutants fit the source')
    except Broken as broken:
        sys.exit(str(broken))


def main():
    if sys.argv[1:] == ['--check']:
        return check()
    ntbox, build, *names = sys.argv[1:]
    try:
        mutants = fitting_table()  # as a whole, before the first one is built
        unknown = set(names) - {mutant.name for mutant in mutants}
        if unknown:
            raise Broken(f'no such mutant: {", ".join(sorted(unknown))}')
        builder = Builder(build)
        chosen = [Mutant('(none)'), *(mutant for mutant in mutants if not names or mutant.name in names)]
        good = sum(try_mutant(os.path.abspath(ntbox), builder, mutant) for mutant in chosen)
    except Broken as broken:
        print(f'{broken}\n0 passed, 1 failed')
        sys.exit(2)
    print(f'{good} passed, {len(chosen) - good} failed')
    sys.exit(good != len(chosen))


main()
