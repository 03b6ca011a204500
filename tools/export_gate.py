#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The export gate: hold the export list (exports.json) against what conformance runs measured (`ntbox run --json`
with the kernel option bind=count). It fails unless the case that each function's .exp line names exists, passed and
called the function at least once; unless a conformance driver imports each exported variable and the case that reads
it passed; and unless ntoskrnl.exe's export table is the list."""
import argparse
import json
import re
import subprocess
import sys

# A case for a function that stops the machine passes when the run ended in one of these bug checks: code, first parameter.
EXPECTED_STOPS = {
    (0xE2, 0x4E54424F58),   # MANUALLY_INITIATED_CRASH, "NTBOX": KeBugCheckEx
    (0xE2, 0),              # the same without parameters: KeBugCheck
    (0xC4, 0x4E540090),     # DRIVER_VERIFIER_DETECTED_VIOLATION, a pure virtual function: _purecall
}


class Measured:
    """What the reports say, joined: cases, calls per (case, symbol), and cases that a marked bug check ended."""

    def __init__(self):
        self.passed, self.failed, self.stopped = set(), {}, set()
        self.calls = {}

    def add(self, report):
        stop = report.get('bug_check') or {}
        marked = (number(stop.get('code', 0)), number((stop.get('parameters') or [1])[0])) in EXPECTED_STOPS
        for case in report.get('cases', []):
            name = case['case']
            if case.get('passed'):
                self.passed.add(name)
            elif not case.get('ended') and marked:
                self.stopped.add(name)
            else:
                self.failed[name] = case.get('text') or 'did not end'
        for call in report.get('calls', []):
            key = (call['case'], call['symbol'])
            self.calls[key] = self.calls.get(key, 0) + call['count']


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def judge_function(export, measured):
    name, case = export['name'], export['case']
    if case in measured.stopped and 'noreturn' in export['flags']:
        return None
    if case in measured.failed:
        return f'case {case} failed: {measured.failed[case]}'
    if case not in measured.passed:
        return f'case {case} did not run'
    if measured.calls.get((case, name), 0) == 0:
        return f'case {case} passed without calling it'
    return None


def judge_data(export, measured, imported):
    case = export['case']
    if case in measured.failed:
        return f'case {case} failed: {measured.failed[case]}'
    if case not in measured.passed:
        return f'case {case} did not run'
    if export['name'] not in imported:
        return 'no conformance driver imports it'
    return None


def judge(exports, measured, imported):
    for export in exports:
        if export['planned']:
            yield export, 'is planned: drivers can link it, the kernel does not export it'
            continue
        why = judge_data(export, measured, imported) if export['state'] == 'data' else judge_function(export, measured)
        if why:
            yield export, why


def imports_of(drivers, readobj):
    names = set()
    for driver in drivers:
        text = subprocess.run([readobj, '--coff-imports', driver], check=True, capture_output=True, text=True).stdout
        names |= set(re.findall(r'^\s*Symbol: (\S+)', text, re.M))
    return names


def image_differences(exports, image, readobj):
    text = subprocess.run([readobj, '--coff-exports', image], check=True, capture_output=True, text=True).stdout
    actual = set(re.findall(r'^\s*Name: (\S+)$', text, re.M))
    listed = {e['name'] for e in exports if not e['planned']}
    yield from (f'{n} is listed but ntoskrnl.exe does not export it' for n in sorted(listed - actual))
    yield from (f'{n} is exported by ntoskrnl.exe but not listed' for n in sorted(actual - listed))


def main():
    p = argparse.ArgumentParser(description='Hold the export list against conformance runs.')
    p.add_argument('--exports', required=True, help='exports.json')
    p.add_argument('--image', help='the linked ntoskrnl.exe, whose export table must equal the list')
    p.add_argument('--driver', action='append', default=[], help='a conformance driver (for the exported variables)')
    p.add_argument('--readobj', default='llvm-readobj-19')
    p.add_argument('report', nargs='*', help='output of `ntbox run --json`')
    a = p.parse_args()
    with open(a.exports, encoding='utf-8') as f:
        exports = json.load(f)['exports']
    measured = Measured()
    for path in a.report:
        with open(path, encoding='utf-8') as f:
            measured.add(json.load(f))

    problems = [f'{e["file"]}:{e["line"]}: {e["name"]}: {why}'
                for e, why in judge(exports, measured, imports_of(a.driver, a.readobj))]
    if a.image:
        problems += image_differences(exports, a.image, a.readobj)
    for line in problems:
        print(line)
    good = len(exports) - len({p.split(': ')[1] for p in problems if '.exp:' in p})
    print(f'{good} of {len(exports)} exports are held by a passing case; {len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
