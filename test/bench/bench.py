#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print the benchmark table (name, value, unit, target) and write BUILD/bench.json.

usage: bench.py BUILD

Wall times are medians, given as ratios to the floor measured in the same run: the same QEMU with a PVH kernel that only
exits (test/bench/floor.asm). Floor and candidate alternate, so that a noisy machine slows both. Instructions are counted by
QEMU (-icount shift=0,sleep=off): exact. Nothing fails on a number.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import disk

ROUNDS = 9
QEMU = ['qemu-system-x86_64', '-M', 'q35', '-cpu', 'max', '-accel', 'tcg', '-m', '128M', '-display', 'none', '-nodefaults',
        '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']


def run_to_exit(command):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
    return time.monotonic() - start


def time_of_line(command, pattern):
    """Seconds from the start to the first line of COM1 that matches."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = None
    for line in process.stdout:
        if found is None and re.search(pattern, line.decode('ascii', 'replace')):
            found = time.monotonic() - start
    process.wait(timeout=60)
    if found is None:
        sys.exit(f'bench.py: no line like {pattern!r} came')
    return found


def kept_archive(ntbox, sample, folder):
    """boot.cpio of a run of the sample, as ntbox packs it."""
    subprocess.run([ntbox, 'run', sample, '--kernel', 'free', '--keep', folder], stdout=subprocess.DEVNULL, check=True, timeout=60)
    return os.path.join(folder, 'boot.cpio')


def wall_times(build, folder):
    ntbox, sample = f'{build}/ntbox', f'{build}/drivers_sample/mingw/ioctl.sys'
    archive = kept_archive(ntbox, sample, folder)
    floor = QEMU + ['-kernel', f'{build}/test/bench/floor']
    kernel = QEMU + ['-serial', 'stdio', '-kernel', f'{build}/ldr/osloader/osloader', '-initrd', archive,
                     '-append', 'exitport=0xf4']
    samples = {'floor': [], 'first': [], 'entry': [], 'run': []}
    for _ in range(ROUNDS):
        samples['floor'].append(run_to_exit(floor))
        samples['first'].append(time_of_line(kernel, r'^ntbox \d'))
        samples['entry'].append(time_of_line(kernel, r'^ioctl: device'))
        samples['run'].append(run_to_exit([ntbox, 'run', sample, '--kernel', 'free']))
    return {name: statistics.median(values) for name, values in samples.items()}


def load_instructions(build, sample):
    """(file bytes, instructions) of ldr/pe for one driver, from the kernel's log under icount."""
    log = subprocess.run([f'{build}/ntbox', 'run', sample, '--kernel', 'free', '--icount', '--append', 'bench', '--log', '/dev/stdout'],
                         stdout=subprocess.PIPE, timeout=120, check=False).stdout.decode('utf-8', 'replace')
    name = re.escape(os.path.basename(sample).lower())
    found = re.search(rf'bench: {name}: (\d+) bytes mapped, relocated and bound in (\d+) ticks', log)
    if not found:
        sys.exit(f'bench.py: the kernel did not measure {sample}')
    return int(found[1]), int(found[2])


def memory_start(build, size):
    """(pages, instructions) of the memory manager's start, from the kernel's log under icount."""
    log = subprocess.run([f'{build}/ntbox', 'run', f'{build}/drivers_sample/mingw/hello.sys', '--kernel', 'free', '--icount', '--memory',
                          size, '--append', 'bench', '--log', '/dev/stdout'],
                         stdout=subprocess.PIPE, timeout=120, check=False).stdout.decode('utf-8', 'replace')
    found = re.search(r'bench: memory manager: (\d+) pages, started in (\d+) ticks', log)
    if not found:
        sys.exit(f'bench.py: the kernel did not measure its start with {size}')
    return int(found[1]), int(found[2])


def memory_rows(build):
    small, large = memory_start(build, '256M'), memory_start(build, '8G')
    yield 'start of the memory manager, 256 MiB', small[1], 'instructions', 15e6
    yield 'start of the memory manager, each further page', (large[1] - small[1]) / (large[0] - small[0]), 'instructions', 10


# Operations of test/bench/ops.c: target, and the like of it in Linux 6.1 in the same QEMU (None: there is none).
OPERATIONS = {
    'spin lock pair': (20, 36),
    'fast mutex pair': (30, 31),
    'set + satisfied wait, one thread': (90, 129),
    'event ping-pong, round trip': (1200, 5114),
    'DPC queued to running': (200, 313),
    'work item, round trip': (1800, 5626),
    'timer set + cancel': (200, None),
    'KeQueryPerformanceCounter': (30, 51),
    'raise + lower IRQL': (12, None),
    'SList push + pop': (24, 28),
    'pool 64 B allocate + free': (90, 276),
    'pool 4 KiB allocate + free': (220, 780),
    'soft fault, demand zero': (1200, None),
    'lookaside allocate + free': (40, None),
    'IoAllocateIrp + IoFreeIrp': (100, 332),
    'IoAllocateIrp + IoFreeIrp, 4 locations': (130, None),
    'IoBuildDeviceIoControlRequest 64 B to its end': (450, None),
    'the same through a filter': (510, None),
    'ZwDeviceIoControlFile 64 B': (800, 1319),
    'ZwDeviceIoControlFile 4096 B': (1850, 2832),
    'ZwReadFile 64 B': (700, 1153),
    'open + close of a device by name': (3000, 7001),
    'name of one component': (None, None),
    'name of ten components': (None, None),
    'ZwQueryValueKey of a number': (900, None),
    'ZwSetValueKey of a number': (None, None),
    'open + close of a key by path': (None, None),
    'MDL build, map, unmap of a page': (900, None),
    'MDL lock, map, unmap, unlock of a page': (None, None),
}


# What the checks cost: the checked kernel beside the free one, as it is and with its checks switched off.
CHECKED = {'checked': [], 'checked, checks=off': ['--append', 'checks=off']}


def measure(build, kernel, options):
    """{operation: instructions} with one processor."""
    done = subprocess.run([f'{build}/ntbox', 'run', f'{build}/test/bench/ops.sys', '--kernel', kernel, '--icount', '--json',
                           '--timeout', '100', *options], stdout=subprocess.PIPE, timeout=120, check=False)
    report = json.loads(done.stdout)
    if report['exit_code'] != 0:
        sys.exit(f'bench.py: ops.sys: {report["sentence"]}')
    measured = dict(re.findall(r'^op: (.*): ([\d.]+)$', '\n'.join(p.get('text', '') for p in report['prints']), re.MULTILINE))
    for name in OPERATIONS:
        if name not in measured:
            sys.exit(f'bench.py: ops.sys did not measure "{name}"')
    return {name: float(measured[name]) for name in OPERATIONS}


def operations(build):
    """Instructions of single operations: of the free kernel beside its targets, then of the checked kernel."""
    for name, value in measure(build, 'free', []).items():
        target, peer = OPERATIONS[name]
        yield name, value, 'instructions', target, peer
    for label, options in CHECKED.items():
        for name, value in measure(build, 'checked', options).items():
            yield f'{name} ({label})', value, 'instructions', None, None


INTERRUPTS = {'interrupt to service routine': 250, 'service routine to DPC': 200}


def run_free(build, options):
    """The report of a run of the free kernel, in which an instruction is a nanosecond."""
    done = subprocess.run([f'{build}/ntbox', 'run', '--kernel', 'free', '--icount', '--json', *options], stdout=subprocess.PIPE,
                          timeout=120, check=False)
    document = json.loads(done.stdout)
    if document['exit_code'] != 0:
        sys.exit(f'bench.py: {" ".join(options)}: {document["sentence"]}')
    return document


def interrupts(build, folder):
    """Of a line and of a message, by the edu device."""
    shutil.copy(f'{build}/test/bench/interrupt.sys', f'{folder}/edu_pnp.sys')
    for inf, kind in (('edu_pnp.inf', 'line'), ('edu_message.inf', 'message')):
        shutil.copy(f'{build}/test/device/{inf}', folder)
        document = run_free(build, ['--inf', f'{folder}/{inf}', '--device', 'edu'])
        prints = '\n'.join(p.get('text', '') for p in document['prints'])
        for name, target in INTERRUPTS.items():
            yield f'{kind}: {name}', float(re.search(rf'^op: {kind} {name}: (\d+)$', prints, re.MULTILINE)[1]), 'instructions', target


DEVICES = 10


def enumeration(build):
    """From the start of the device tree's root until the last of ten devices has started; its driver is loaded on the way."""
    document = run_free(build, ['--inf', f'{build}/drivers_sample/msvc/virtio_rng.inf', *['--device', 'virtio-rng-pci'] * DEVICES])
    started = [one for one in document['pnp'] if one['kind'] == 'started']
    mine = [one for one in started if one.get('driver') == 'virtio_rng.sys']
    if len(mine) != DEVICES:
        sys.exit(f'bench.py: {len(mine)} of {DEVICES} devices have started')
    return (mine[-1]['time_100ns'] - started[0]['time_100ns']) * 100


def devices(build, folder):
    yield from interrupts(build, folder)
    yield 'ten PCI devices found and started', enumeration(build) / 1e6, 'M instr.', 30


def table(build, folder):
    times = wall_times(build, folder)
    size, instructions = load_instructions(build, f'{build}/test/conform/mingw/ct_crt.sys')
    floor = times['floor']
    yield 'boot floor (QEMU, kernel that only exits)', floor * 1000, 'ms', None
    yield 'first kernel line', times['first'] / floor, 'x floor', 2.0
    yield 'DriverEntry of a sample', times['entry'] / floor, 'x floor', 4.0
    yield 'whole ntbox run of a sample', times['run'] / floor, 'x floor', 8.0
    yield f'ldr/pe: map, relocate, bind ({size} bytes)', instructions, 'instructions', 300000
    yield from memory_rows(build)


def is_missed(row):
    if row['target'] is None:
        return False
    return row['value'] < row['target'] if row['unit'] == disk.AT_LEAST else row['value'] > row['target']


def main():
    build = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        rows = [dict(zip(('name', 'value', 'unit', 'target', 'peer'), (*row, None)))
                for row in (*table(build, folder), *operations(build), *devices(build, folder), *disk.rows(build))]
    print(f'{"name":<52} {"value":>12} {"unit":<13} {"target":>8} {"Linux":>8}')
    for row in rows:
        target = '' if row['target'] is None else f'{row["target"]:g}'
        peer = '' if row['peer'] is None else f'{row["peer"]:g}'
        missed = 'missed' if is_missed(row) else ''
        print(f'{row["name"]:<52} {row["value"]:>12.2f} {row["unit"]:<13} {target:>8} {peer:>8} {missed}'.rstrip())
    with open(f'{build}/bench.json', 'w', encoding='utf-8') as out:
        json.dump(rows, out, indent=1)


main()
