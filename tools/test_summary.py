#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count the results of `meson test`: names what failed, ends with 'N passed, N failed', exits 1 when something failed.

usage: test_summary.py TESTLOG.json

Every other result than OK is a failure, a skipped test too: ntbox has no tests that may be skipped.
"""
import json
import sys


def main():
    with open(sys.argv[1], encoding='utf-8') as log:
        results = [(entry['name'], entry['result']) for entry in map(json.loads, log)]
    failed = [(name, result) for name, result in results if result != 'OK']
    for name, result in failed:
        print(f'{result}: {name}')
    print(f'{len(results) - len(failed)} passed, {len(failed)} failed')
    sys.exit(1 if failed or not results else 0)


main()
