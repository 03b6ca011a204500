#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The samples that own a device: each package is installed on a machine that has its device. And devices that come and go.
usage: run_sample_packages.py NTBOX BUILD-FOLDER"""
import math
import os
import re
import shutil
import sys
import tempfile

from runs import Tally, expect, expect_all_passed, expect_equal, finish, report

MACHINES = {'one processor': [], 'four processors': ['--smp', '4'], 'icount': ['--icount', '--seed', '1'],
            'the free kernel': ['--smp', '2', '--kernel', 'free']}
BYTES = bytes(i * 7 % 251 for i in range(4095))  # as many as the edu sample's buffer has
# The packages of the samples: machine and requests, what the driver says at the end.
PACKAGES = {'virtio_rng': (['--device', 'virtio-rng-pci', '--read', 'VirtioRng0:16', '--read', 'VirtioRng0:32'], r'virtio_rng: (\d+) interrupts'),
            'edu': (['--write', f'Edu0:{BYTES.hex()}', '--read', f'Edu0:{len(BYTES)}', '--write', 'Edu0:aa55:100', '--read', 'Edu0:4:99',
                     '--ioctl', 'Edu0:0x222000:0a000000:4', '--ioctl', 'Edu0:0x222000:0c000000:4'], r'edu: (\d+) interrupts')}
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


def check_dma(ntbox, inf, options, interrupts='messages', device='edu'):
    """Bytes come back from the device, at any offset, by DMA; factorials; one interrupt for each."""
    document = check_package(ntbox, inf, 'edu', ['--device', device, *options])
    outputs = [step['output'] for step in document['steps'] if step['operation'] in ('read', 'ioctl')]
    expect(outputs[0] == BYTES.hex(), f'the bytes changed: {outputs[0][:64]} ...')
    expect_equal('what came of other offsets', outputs[1], BYTES[99:100].hex() + 'aa55' + BYTES[102:103].hex())
    expect_equal('factorials', [int.from_bytes(bytes.fromhex(output), 'little') for output in outputs[2:]], [math.factorial(10), math.factorial(12)])
    said = [one['text'].strip() for one in document['prints'] if one['text'].startswith('edu: ')]
    expect_equal('what it says', said, [f'edu: interrupts are {interrupts}', 'edu: 6 interrupts'])


def check_line(ntbox, folder):
    """Without MSISupported in the INF the same driver has the interrupt line."""
    with tempfile.TemporaryDirectory() as room:
        shutil.copy(os.path.join(folder, 'edu.sys'), room)
        inf = os.path.join(room, 'edu.inf')
        lines = open(os.path.join(folder, 'edu.inf'), encoding='utf-8').read().split('\n')
        with open(inf, 'w', encoding='utf-8') as file:
            file.write('\n'.join(line for line in lines if 'MSISupported' not in line))
        for options in ([], ['--smp', '4']):
            check_dma(ntbox, inf, options, 'on a line')


def check_refusals(ntbox, inf):
    """Requests that the device cannot do never come to it."""
    _, document = report(ntbox, 'run', '--inf', inf, '--device', 'edu', '--write', 'Edu0:00:4095', '--read', 'Edu0:4096', '--read', 'Edu0:0:4095',
                         '--ioctl', 'Edu0:0x222000:05:4', '--ioctl', 'Edu0:0x222004:05000000:4')
    expect_equal('statuses', [step['status_name'] for step in document['steps']],
                 ['STATUS_INVALID_PARAMETER', 'STATUS_INVALID_PARAMETER', 'STATUS_SUCCESS', 'STATUS_BUFFER_TOO_SMALL', 'STATUS_INVALID_DEVICE_REQUEST'])
    expect('edu: 0 interrupts' in ' '.join(one['text'] for one in document['prints']), 'the device was used')


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
            tally.run(f'{flavour} edu, {machine}', check_dma, ntbox, os.path.join(samples, flavour, 'edu.inf'), options)
    tally.run('edu with an interrupt line', check_line, ntbox, os.path.join(samples, 'msvc'))
    # its memory lies above 16 MB: with 28 bits in the driver's mind the bytes are lost
    tally.run('edu that reaches 24 bits', check_dma, ntbox, os.path.join(samples, 'msvc/edu.inf'), ['--smp', '4', '--param', 'AddressBits=dword:24'],
              'messages', 'edu,dma_mask=0xffffff')
    tally.run('edu, what it refuses', check_refusals, ntbox, os.path.join(samples, 'msvc/edu.inf'))
    tally.run('the INF of a sample beside its source', check_random, ntbox, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../drivers_sample/virtio_rng/virtio_rng.inf'), [])
    tally.run('a package without its device', check_idle, ntbox, os.path.join(samples, 'msvc/virtio_rng.inf'))
    tally.run('a thousand cycles', check_cycles, ntbox, os.path.join(build, 'test/conform/msvc/ct_pnp_life.sys'))
    finish(tally)


if __name__ == '__main__':
    main()
