# SPDX-License-Identifier: MIT
"""Runs of `ntbox` for the end-to-end tests: one call each, with a hard time limit, and a tally that ends with
'N passed, N failed'."""
import json
import os
import re
import subprocess
import sys
import time

LIMIT = 120  # seconds that any one call may take: far above what a run's own time limit allows


LOGS = 'meson-logs'  # of the build folder, in which the tests run
last_report = []     # for who looks at a failure


class Wrong(Exception):
    """An expectation that was not met; the message says which."""


def call(ntbox, *arguments, limit=LIMIT):
    """(exit code, stdout, stderr) of one call, which may take that many seconds."""
    done = subprocess.run([ntbox, *arguments], capture_output=True, text=True, timeout=limit, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def report(ntbox, *arguments, limit=LIMIT):
    """(exit code, JSON document) of one call with --json."""
    code, out, err = call(ntbox, *arguments, '--json', limit=limit)
    try:
        last_report[:] = [json.loads(out)]
        return code, last_report[0]
    except ValueError:
        raise Wrong(f'no JSON (exit code {code}): {err.strip() or out[:200]}') from None


def expect(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def expect_equal(what, actual, wanted):
    expect(actual == wanted, f'{what} is {actual!r}, not {wanted!r}')


def expect_all_passed(document):
    """Every driver of the run in every round, and the run as a whole."""
    expect(document['exit_code'] == 0, document['sentence'])
    for driver in document['drivers']:
        expect_equal(f'{driver["driver"]}: rounds run', driver['rounds_run'], driver['rounds_planned'])


def keep_report(name):
    """The last run of a check that failed, as it told itself; returns the words for it."""
    if not last_report or not os.path.isdir(LOGS):
        return ''
    path = os.path.join(LOGS, 'failed-' + re.sub('[^A-Za-z0-9]+', '-', name) + '.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(last_report[0], file, indent=1)
    return f"; its last run: '{last_report[0].get('sentence')}' ({path})"


class Tally:
    """Runs named checks and counts them."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name, check, *arguments):
        begin = time.monotonic()
        last_report.clear()
        try:
            check(*arguments)
            verdict, why = 'ok', ''
            self.passed += 1
        except (Wrong, subprocess.TimeoutExpired, OSError, KeyError, IndexError) as error:
            kind = '' if isinstance(error, Wrong) else type(error).__name__ + ' '
            verdict, why = 'FAIL', f': {kind}{error}{keep_report(name)}'
            self.failed += 1
        print(f'{verdict:4} {name} ({time.monotonic() - begin:.2f} s){why}', flush=True)

    def end(self):
        print(f'{self.passed} passed, {self.failed} failed')
        return 1 if self.failed or not self.passed else 0


def finish(tally):
    sys.exit(tally.end())
