#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/ntbox.1 against the command: the same options in both. usage: manual_test.py NTBOX docs/ntbox.1"""
import re
import subprocess
import sys


def options_of_help(ntbox, verb):
    text = subprocess.run([ntbox, 'help', verb], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r'^\s+(?:-\w, )?--([a-z-]+)', text, re.M)) - {'help'}


def options_of_manual(text, verb):
    section = re.search(rf'^\.SS ntbox {verb}$(.*?)^\.S[SH] ', text, re.M | re.S)[1]
    return {name.replace('\\-', '-') for name in re.findall(r'\\-\\-((?:[a-z]|\\-)+)', section)}


def main():
    ntbox, manual = sys.argv[1:]
    with open(manual, encoding='utf-8') as file:
        text = file.read()
    failed = 0
    for verb in ('check', 'run', 'exports'):
        have, told = options_of_help(ntbox, verb), options_of_manual(text, verb)
        for name in sorted(have ^ told):
            where = 'is not in docs/ntbox.1' if name in have else 'is in docs/ntbox.1 only'
            print(f'ntbox {verb} --{name} {where}')
            failed += 1
    version = subprocess.run([ntbox, '--version'], capture_output=True, text=True, check=True).stdout.strip()
    if f'"{version}"' not in text:
        print(f'docs/ntbox.1 is not of {version}')
        failed += 1
    return 1 if failed else 0


sys.exit(main())
