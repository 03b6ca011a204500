#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks one Promela model with spin, exhaustively, and then each of its negative controls.

The model says in its first comment what is to be done:
    run: safety [MACRO=VALUE ...]      assertions and invalid end states (dead locks, lost wake-ups)
    run: liveness [MACRO=VALUE ...]    the model's ltl formula under weak fairness: nobody waits for ever
    break: MACRO safety|liveness [MACRO=VALUE ...]   with MACRO defined, which leaves one step of the protocol out, spin must find an error
A search that is cut short (depth, memory, time) is a failure: it has proved nothing.
usage: check.py SPIN CC MODEL"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

MEMORY = 900  # MiB that one search may take
SECONDS = 120  # that one may take before it counts as hung: far above what they need
DEPTH = 400_000
FAIR = 3  # room for the fairness counters of a dozen processes


class Wrong(Exception):
    """The model or its search is not what it says."""


def instructions(model):
    """(runs, breaks) from the first comment: each a list of (mode, macros)."""
    text = model.read_text(encoding='utf-8')
    comment = text[:text.index('*/')]
    runs = [(mode, macros.split()) for mode, macros in re.findall(r'^ \* run: (safety|liveness)(.*)$', comment, re.MULTILINE)]
    breaks = [(mode, [name, *macros.split()])
              for name, mode, macros in re.findall(r'^ \* break: (\w+) (safety|liveness)(.*)$', comment, re.MULTILINE)]
    declared = {macros[0] for _, macros in breaks}
    used = set(re.findall(r'\bBREAK_\w+', text[text.index('*/'):]))
    if not runs or not breaks or declared != used:
        raise Wrong(f'needs a run, a break, and the breaks that it uses: declared {sorted(declared)}, used {sorted(used)}')
    return runs, breaks


def call(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise Wrong(f'{command[0]} failed: {(done.stdout + done.stderr).strip()[-600:]}')
    return done.stdout


def search(spin, compiler, model, mode, macros, first_error):
    """(errors, states, seconds) of one search that was complete, or ended with an error."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        defines = [f'-D{macro}' for macro in macros + (['LIVENESS'] if mode == 'liveness' else [])]
        call(folder, spin, '-a', *defines, str(model))
        options = [f'-DNFAIR={FAIR}'] if mode == 'liveness' else ['-DSAFETY']
        if re.search(r'\bprovided\b', model.read_text(encoding='utf-8')):
            options.append('-DNOREDUCE')
        call(folder, compiler, '-O0' if first_error else '-O1', '-w', f'-DMEMLIM={MEMORY}', *options, '-o', 'pan', 'pan.c')
        done = subprocess.run([f'{folder}/pan', f'-m{DEPTH}', '-n', *(['-a', '-f'] if mode == 'liveness' else [])],
                              cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        counted = re.search(r'errors: (\d+)', done.stdout)
        if counted is None:
            raise Wrong(f'pan printed no result: {(done.stdout + done.stderr)[-600:]}')
        errors = int(counted.group(1))
        if errors and not first_error:
            trail = subprocess.run([spin, '-k', f'{model.name}.trail', '-p', '-g', *defines, str(model)], cwd=folder,
                                   capture_output=True, text=True, timeout=SECONDS, check=False).stdout
            print('\n'.join(trail.splitlines()[-120:]))
        for bad in ('max search depth too small', 'Search not completed', 'out of memory', 'reached -DMEMLIM'):
            if bad in done.stdout and not errors:
                raise Wrong(f'the search is not complete: {bad}')
        states = float(re.search(r'([\d.e+]+) states, stored', done.stdout).group(1))
        why = re.search(r'^pan:1: (.*?)(?: \(at depth.*)?$', done.stdout, re.MULTILINE)
    return errors, int(states), time.monotonic() - begin, why.group(1) if why else ''


def main():
    spin, compiler, name = sys.argv[1:]
    model = pathlib.Path(name).resolve()
    runs, breaks = instructions(model)
    failed = 0
    for expected, (mode, macros) in [(False, run) for run in runs] + [(True, run) for run in breaks]:
        errors, states, seconds, why = search(spin, compiler, model, mode, macros, expected)
        good = (errors > 0) == expected
        failed += not good
        found = f'error: {why}' if errors else 'no error'
        print(f'{"ok" if good else "FAIL":4} {model.stem} {mode} {" ".join(macros)}: {found}, {states} states, {seconds:.1f} s', flush=True)
    return 1 if failed else 0


try:
    sys.exit(main())
except (Wrong, subprocess.TimeoutExpired) as error:
    sys.exit(f'{sys.argv[3]}: {error}')
