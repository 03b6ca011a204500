#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The samples that own a device: each package is installed on a machine that has its device. And devices that come and go.
usage: run_sample_packages.py NTBOX BUILD-FOLDER"""
import os
import re
import sys
import tempfile

from runs import Tally, expect, expect_all_passed, expect_equal, finish, report

MACHINES = {'one processor': [], 'four processors': ['--smp', '4'], 'icount': ['--icount', '--seed', '1'],
            'the free kernel': ['--smp', '2', '--kernel', 'free']}
# The packages of the samples: machine and requests, what the driver says at the end.
PACKAGES = {'virtio_rng': (['--device', 'virtio-rng-pci', '--read', 'VirtioRng0:16', '--read', 'VirtioRng0:32'], r'virtio_rng: (\d+) interrupts')}
DISK_FAREWELL = r'virtio_blk: disk 0 had (\d+) interrupts'
CYCLES = 1000  # of a device in ct_pnp_life


def check_package(ntbox, inf, name, options):
    """It is installed, started, used, interrupted, removed, unloaded."""
    words, farewell = PACKAGES[name]
    code, document = report(ntbox, 'run', '--inf', inf, *words, *options)
    expect_equal('exit code', (code, document['sentence']), (0, 'all steps succeeded'))
    mine = [one['kind'] for one in document['pnp'] if one.get('driver') == name + '.sys']
    expect_equal('what became of the device', mine, ['started', 'removed'])
    expect(name + '.sys' in [one['driver'] for one in document['unloads']], 'its driver was not unloaded')
    said = re.search(farewell, ' '.join(one.get('text', '') for one in document['prints']))
    expect(said and int(said[1]) > 0, 'it had no interrupt')
    for kind in ('leaks', 'violations'):
        expect_equal(kind, document[kind], [])
    return document


def check_random(ntbox, inf, options):
    steps = [step['output'] for step in check_package(ntbox, inf, 'virtio_rng', options)['steps'] if step['operation'] == 'read']
    expect_equal('bytes', [len(output) // 2 for output in steps], [16, 32])
    expect(len({output[i:i + 8] for output in steps for i in range(0, len(output), 8)}) > 10, f'these are not random: {steps}')


SECTOR = 512
LAST = (16 << 20) - SECTOR


def check_disk(ntbox, inf, options):
    """Two machines with one disk: what the first wrote is in the file, and the second reads it. Beyond the end there is nothing."""
    with tempfile.NamedTemporaryFile(prefix='ntbox-disk-') as disk:
        disk.truncate(LAST + SECTOR)
        machine = ['--drive', f'id=disk,format=raw,file={disk.name}', '--device', 'virtio-blk-pci,drive=disk', *options]
        PACKAGES['virtio_blk'] = ([f'--write=PhysicalDrive0:{"5a" * SECTOR}:{LAST}', f'--write=PhysicalDrive0:{"c3" * 1024}:1024'], DISK_FAREWELL)
        check_package(ntbox, inf, 'virtio_blk', machine)
        with open(disk.name, 'rb') as file:
            data = file.read()
        expect(data[LAST:] == b'\x5a' * SECTOR and data[1024:2048] == b'\xc3' * 1024, 'what was written is not in the file')
        expect(not any(data[:1024]) and not any(data[2048:LAST]), 'something else was written')
        PACKAGES['virtio_blk'] = ([f'--read=PhysicalDrive0:{SECTOR}:{LAST}', '--read=PhysicalDrive0:2048:512', '--ioctl=PhysicalDrive0:0x7405c::8'], DISK_FAREWELL)
        outputs = [step.get('output') for step in check_package(ntbox, inf, 'virtio_blk', machine)['steps'] if step['operation'] != 'unload']
        expect_equal('read by the second', outputs, ['5a' * SECTOR, '00' * 512 + 'c3' * 1024 + '00' * 512, (LAST + SECTOR).to_bytes(8, 'little').hex()])
        for request, status in (('--read=PhysicalDrive0:1024:' + str(LAST), 'STATUS_NONEXISTENT_SECTOR'), ('--read=PhysicalDrive0:100:0', 'STATUS_INVALID_PARAMETER')):
            _, document = report(ntbox, 'run', '--inf', inf, request, *machine)
            expect_equal(request, document['steps'][0]['status_name'], status)


def check_idle(ntbox, inf):
    code, document = report(ntbox, 'run', '--inf', inf, '--read', 'VirtioRng0:16')
    expect_equal('outcome', (code, document['outcome']), (2, 'cannot-load'))
    expect('no device of this machine has one of its IDs' in document['sentence'], document['sentence'])


def check_cycles(ntbox, driver):
    """A thousand starts and removals leave nothing in the kernel; nor in the driver, which expect_all_passed sees."""
    _, document = report(ntbox, 'run', driver, '--smp', '4', '--pool', '--timeout', '60')
    expect_all_passed(document)
    expect(document['pool'], 'no pool is reported')
    many = [f'{one["tag"]}: {one["count"]}' for one in document['pool'] if one['count'] > CYCLES // 2]
    expect(not many, f'blocks are left: {", ".join(many)}')


def main():
    ntbox, build = sys.argv[1:]
    samples = os.path.join(build, 'drivers_sample')
    tally = Tally()
    for machine, options in MACHINES.items():
        for flavour in ('mingw', 'msvc'):
            tally.run(f'{flavour} virtio_rng, {machine}', check_random, ntbox, os.path.join(samples, flavour, 'virtio_rng.inf'), options)
            tally.run(f'{flavour} virtio_blk, {machine}', check_disk, ntbox, os.path.join(samples, flavour, 'virtio_blk.inf'), options)
    tally.run('the INF of a sample beside its source', check_random, ntbox, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../drivers_sample/virtio_rng/virtio_rng.inf'), [])
    tally.run('a package without its device', check_idle, ntbox, os.path.join(samples, 'msvc/virtio_rng.inf'))
    tally.run('a thousand cycles', check_cycles, ntbox, os.path.join(build, 'test/conform/msvc/ct_pnp_life.sys'))
    finish(tally)


if __name__ == '__main__':
    main()
