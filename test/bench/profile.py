#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the instructions of a benchmark operation go, by function of the free kernel: exact counts, per operation.

usage: profile.py BUILD [WORDS OF THE OPERATION'S NAME]

Two machines run test/bench/ops.c under a QEMU plugin that counts each instruction: one does the operation, one does none; the difference
is the operation. Without words, the operations are listed.
"""
import bisect
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

COUNT = 2016   # of test/bench/ops.c, with what warms up


def names(build):
    text = open(f'{build}/../test/bench/ops.c', encoding='utf-8').read()
    return re.findall(r'^    \{"([^"]+)", ', text, re.MULTILINE)


def symbols(path):
    """[(rva, name)] of ntoskrnl.sym (tools/mksym.py)."""
    data = open(path, 'rb').read()
    count = struct.unpack_from('<I', data, 4)[0]
    pairs = [struct.unpack_from('<II', data, 8 + 8 * i) for i in range(count)]
    return [(rva, data[at:data.index(b'\0', at)].decode()) for rva, at in pairs]


def run(build, folder, only):
    """({address: count}, base of the kernel) of a machine that does operation number `only`."""
    out, qemu = f'{folder}/counts', f'{folder}/qemu'
    with open(qemu, 'w', encoding='ascii') as script:
        script.write(f'#!/bin/sh\nexec qemu-system-x86_64 -plugin {folder}/count.so,out={out} "$@"\n')
    os.chmod(qemu, 0o755)
    done = subprocess.run([f'{build}/ntbox', 'run', f'{build}/test/bench/ops.sys', '--kernel', 'free', '--icount', '--json',
                           '--param', f'Only=dword:{only}'], stdout=subprocess.PIPE, env=dict(os.environ, NTBOX_QEMU=qemu),
                          timeout=120, check=False)
    report = json.loads(done.stdout)
    if report['exit_code'] != 0 or not os.path.exists(out):
        sys.exit(f'profile.py: {report["sentence"]}')
    counts = {int(address, 16): int(count) for address, count in (line.split() for line in open(out, encoding='ascii'))}
    base = next(int(image['base'], 16) for image in report['images'] if image['driver'] == 'ntoskrnl.exe')
    return counts, base


def by_function(counts, base, table):
    starts, end, sums = [rva for rva, _ in table], table[-1][0] + 4096, {}
    for address, count in counts.items():
        offset = address - base
        name = table[bisect.bisect(starts, offset) - 1][1] if starts[0] <= offset < end else '(outside the kernel)'
        sums[name] = sums.get(name, 0) + count
    return sums


def main():
    build, words = sys.argv[1], ' '.join(sys.argv[2:])
    known = names(build)
    found = [name for name in known if words and words in name]
    if len(found) != 1:
        sys.exit('\n'.join(['profile.py: name one of these operations:', *known]))
    table = symbols(f'{build}/kernel/ntoskrnl-free.sym')
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['cc', '-shared', '-fPIC', '-O2', '-o', f'{folder}/count.so', f'{build}/../test/bench/count_plugin.c'], check=True)
        with_it = by_function(*run(build, folder, known.index(found[0]) + 1), table)
        without = by_function(*run(build, folder, 0), table)
    each = {name: (count - without.get(name, 0)) / COUNT for name, count in with_it.items()}
    print(f'{found[0]}: instructions by function')
    for name, value in sorted(each.items(), key=lambda pair: -pair[1]):
        if value >= 0.95:
            print(f'{value:10.1f}  {name}')


main()
