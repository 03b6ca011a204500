#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build Wine's kernel driver tests with mingw against the project's shim, run them with our client, hold what fails against
not_passed.tsv and print the table of docs/conformance.md.
usage: run_wine.py [--write] BUILD-FOLDER

--write puts the table into docs/conformance.md. The last line is 'N passed, N failed'; a check that not_passed.tsv explains counts
as neither. The free kernel runs them: the tests break rules on purpose that the checked kernel stops a driver for (D-006)."""
import collections
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DOCUMENT = os.path.join(ROOT, 'docs/conformance.md')
GCC = 'x86_64-w64-mingw32-gcc'
MEASURE = re.compile(r'wine\| ([\w.]+):(\d+): (Test failed|Test succeeded inside todo block|Driver tests skipped): (.*)')
TOTALS = re.compile(r'wine\| \w+:ntoskrnl: (\d+) tests executed \((\d+) marked as todo, .*?(\d+) failures?\), (\d+) skipped')
CLIENT = re.compile(r'wine\| client: (\d+) passed, (\d+) failed')
BEGIN, END = '<!-- table -->\n', '<!-- end of the table -->\n'


def build(tests, build_folder, room):
    """The drivers; returns their paths by name."""
    include = subprocess.run([GCC, '-print-file-name=../../../../x86_64-w64-mingw32/include'], capture_output=True, text=True,
                             check=True).stdout.strip()
    shim = os.path.join(build_folder, 'ddk_shim')
    flags = ['-std=gnu11', '-O2', '-g', '-ffreestanding', '-fno-builtin', '-mgeneral-regs-only', '-mno-stack-arg-probe', '-nostdlib',
             '-nostartfiles', '-w', '-Werror=implicit-function-declaration', '-Wl,--subsystem,native', '-Wl,--entry,DriverEntry',
             '-Wl,--dynamicbase', '-Wl,--nxcompat', '-I', os.path.join(HERE, 'include'), '-I', tests,
             '-I', os.path.join(ROOT, 'ddk_shim/include'), '-I', os.path.join(ROOT, 'ddk_shim/include/km'), '-I', shim,
             '-isystem', include, '-isystem', os.path.join(include, 'ddk')]
    made = {}
    for name, source in (('client', os.path.join(HERE, 'client.c')), *((n, os.path.join(tests, n + '.c'))
                                                                       for n in ('driver', 'driver2', 'driver3'))):
        made[name] = os.path.join(room, 'driver2.tmp.sys' if name == 'driver2' else name + '.sys')
        done = subprocess.run([GCC, *flags, '-o', made[name], source, '-L', shim, '-lhal', '-lntoskrnl', '-lhal'],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f'{name}.c does not build:\n{done.stderr[-3000:]}')
    return made


def run(build_folder, made, processors):
    """The log of one run."""
    command = [os.path.join(build_folder, 'ntbox'), 'run', '--kernel', 'free', '--timeout', '120', '--smp', str(processors)]
    for name in ('driver', 'driver2', 'driver3'):
        command += ['--with', made[name]]
    return subprocess.run([*command, made['client']], capture_output=True, text=True, timeout=200, check=False).stdout


def measure(log, processors):
    """(passed, todo, skipped, {(file, line): [texts]}) of a run."""
    failures = collections.defaultdict(list)
    for file, line, _, text in MEASURE.findall(log):
        failures[file, int(line)].append(text)
    totals, client = TOTALS.search(log), CLIENT.search(log)
    if totals is None or client is None:
        sys.exit(f'run_wine.py: with {processors} processors the tests did not reach their end:\n{log[-3000:]}')
    executed, todo, failed, skipped = (int(n) for n in totals.groups())
    return executed - todo - failed + int(client[1]), todo, skipped, failures


def read_reasons():
    """{(file, line): reason}"""
    reasons = {}
    with open(os.path.join(HERE, 'not_passed.tsv'), encoding='utf-8') as f:
        for row in f:
            if row.strip() and not row.startswith('#'):
                file, line, reason = row.rstrip('\n').split('\t')
                reasons[file, int(line)] = reason
    return reasons


def judge(processors, measured, reasons):
    """Print what is not as not_passed.tsv says; returns how many."""
    wrong = 0
    for place, texts in sorted(measured[3].items()):
        if place not in reasons:
            print(f'FAIL {place[0]}:{place[1]} ({processors} processors, {len(texts)} times): {texts[0]}')
            wrong += len(texts)
    for place, reason in sorted(reasons.items()):
        if place not in measured[3]:
            print(f'FAIL {place[0]}:{place[1]} is in not_passed.tsv ("{reason}"), but passes with {processors} processors')
            wrong += 1
    return wrong


def table(results, reasons):
    """The table of docs/conformance.md."""
    lines = ['| Processors | Passed | Not passed, with a reason below | Skipped by the test |', '| --- | --- | --- | --- |']
    for processors, (passed, _, skipped, failures) in results.items():
        lines.append(f'| {processors} | {passed} | {sum(len(t) for p, t in failures.items() if p in reasons)} | {skipped} |')
    lines += ['', '| Check | Why it does not pass |', '| --- | --- |']
    lines += [f'| {file}:{line} | {reason} |' for (file, line), reason in sorted(reasons.items())]
    return '\n'.join(lines) + '\n'


def write(text):
    with open(DOCUMENT, encoding='utf-8') as f:
        before, rest = f.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(DOCUMENT, 'w', encoding='utf-8') as f:
        f.write(before + BEGIN + text + END + after)


def main():
    build_folder = os.path.abspath(sys.argv[-1])
    tests = subprocess.run([sys.executable, os.path.join(HERE, 'fetch.py'), os.path.join(build_folder, 'wine')],
                           capture_output=True, text=True, check=False)
    if tests.returncode != 0:
        sys.exit(tests.stderr)
    room = os.path.join(build_folder, 'conform_wine')
    shutil.rmtree(room, ignore_errors=True)
    os.makedirs(room)
    made, reasons = build(tests.stdout.strip(), build_folder, room), read_reasons()
    results = {processors: measure(run(build_folder, made, processors), processors) for processors in (2, 4)}
    failed = sum(judge(processors, measured, reasons) for processors, measured in results.items())
    text = table(results, reasons)
    print(text)
    if '--write' in sys.argv:
        write(text)
    print(f'{sum(m[0] for m in results.values())} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
