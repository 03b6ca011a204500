#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run every conformance driver of one flavour in one machine (and those that end the machine in one each), then hold
the export list against what was called.
usage: run_conform.py NTBOX KERNEL EXPORTS-JSON HELLO.sys CONFORM-FOLDER [OPTION OF NTBOX RUN ...]"""
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))
from everything import ends_machine  # noqa: E402
TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools')


def run(ntbox, options, drivers, output):
    """Write the report of a counted run to output; returns it."""
    command = [ntbox, 'run', '--timeout', '120', '--bind', 'count', '--json', *options, *drivers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    with open(output, 'w', encoding='utf-8') as f:
        f.write(done.stdout)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f'{" ".join(command)}: exit code {done.returncode}, no JSON: {done.stdout[-300:]} {done.stderr[-1000:]}')


def count_cases(report, whole):
    """Print the failed cases; returns (passed, failed). A case that stops the machine as it should is the gate's."""
    good = [c for c in report['cases'] if c['passed']]
    bad = [c for c in report['cases'] if not c['passed'] and (c['ended'] or whole)]
    for case in bad:
        print(f'FAIL {case["case"]}: {case.get("text") or "did not end"}')
    if whole and report['outcome'] != 'passed':
        print(f'FAIL the run: {report["sentence"]}')
    return len(good), len(bad) + (whole and report['outcome'] != 'passed' and not bad)


def main():
    ntbox, kernel, exports, hello, folder, *options = sys.argv[1:]
    drivers = sorted(glob.glob(os.path.join(folder, 'ct_*.sys')))
    stops = [driver for driver in drivers if ends_machine(driver)]  # their run ends in the bug check that they ask for
    with tempfile.TemporaryDirectory() as room:
        reports = [os.path.join(room, f'{n}.json') for n in range(1 + len(stops))]
        passed, failed = count_cases(run(ntbox, options, [hello, *(d for d in drivers if d not in stops)], reports[0]), True)
        for driver, output in zip(stops, reports[1:]):
            count_cases(run(ntbox, options, [driver], output), False)
        gate = subprocess.run([sys.executable, os.path.join(TOOLS, 'export_gate.py'), '--exports', exports,
                               '--image', kernel, *(a for d in drivers for a in ('--driver', d)), *reports])
    failed += gate.returncode != 0
    print(f'{passed + (gate.returncode == 0)} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
