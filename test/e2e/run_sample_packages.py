#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The samples that own a device: each package is installed on a machine that has its device. And devices that come and go.
usage: run_sample_packages.py NTBOX BUILD-FOLDER"""
import datetime
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

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


SET_TIMEOUTS, SET_MASK, WAIT_ON_MASK, PURGE, STATUS, SET_MODEM = 0x1b001c, 0x1b0044, 0x1b0048, 0x1b004c, 0x1b006c, 0x1b0098
SET_RATE, GET_RATE, SET_LINE, GET_LINE = 0x1b0004, 0x1b0050, 0x1b000c, 0x1b0054
STREAM = bytes(i * 11 % 251 for i in range(3000))
LOOP = f'--ioctl=Serial0:{SET_MODEM}:1b000000:0'
NEVER = 0xffffffff


def timeouts(interval, multiplier=0, constant=0, write_constant=0):
    """The control code that sets them."""
    return f'--ioctl=Serial0:{SET_TIMEOUTS}:{struct.pack("<5I", interval, multiplier, constant, 0, write_constant).hex()}:0'


def run_serial(ntbox, inf, backend, words, options):
    """What the steps of the serial sample gave: status and bytes."""
    PACKAGES['serial'] = (['--chardev', backend + ',id=c', '--device', 'pci-serial,chardev=c', *words], r'serial: port 0 had (\d+) interrupts')
    steps = [step for step in check_package(ntbox, inf, 'serial', options)['steps'] if step['operation'] != 'unload']
    return [(step['status_name'].removeprefix('STATUS_'), step.get('output', '')) for step in steps]


def check_loop(ntbox, inf, options):
    """Through the UART and back, more than its FIFOs have, and bytes that nobody asked for yet."""
    outcome = run_serial(ntbox, inf, 'null', [LOOP, f'--ioctl=Serial0:{SET_MASK}:01000000:0', f'--write=Serial0:{STREAM.hex()}', f'--ioctl=Serial0:{WAIT_ON_MASK}::4',
                                              f'--ioctl=Serial0:{STATUS}::20', '--read=Serial0:1000', '--read=Serial0:2000'], options)
    expect_equal('outcome', outcome, [('SUCCESS', ''), ('SUCCESS', ''), ('SUCCESS', ''), ('SUCCESS', '01000000'),
                                      ('SUCCESS', struct.pack('<4IBB2x', 0, 0, len(STREAM), 0, 0, 0).hex()), ('SUCCESS', STREAM[:1000].hex()), ('SUCCESS', STREAM[1000:].hex())])


def check_time(ntbox, inf, options):
    """Reads end with what they have after the time that was set, or at once. The ring has room for 4096 bytes, and says that there were more. Purging forgets them."""
    outcome = run_serial(ntbox, inf, 'null', [LOOP, timeouts(0, 1, 100), '--write=Serial0:616263', '--read=Serial0:16', '--read=Serial0:16', timeouts(50),
                                              '--write=Serial0:6465', '--read=Serial0:16', timeouts(NEVER), '--read=Serial0:16', timeouts(NEVER, NEVER, 1000),
                                              '--write=Serial0:66', '--read=Serial0:16', timeouts(NEVER, NEVER, 50), '--read=Serial0:16', timeouts(NEVER),
                                              f'--write=Serial0:{(STREAM * 2)[:4099].hex()}', f'--ioctl=Serial0:{STATUS}::20', f'--ioctl=Serial0:{PURGE}:08000000:0',
                                              f'--ioctl=Serial0:{STATUS}::20', '--read=Serial0:1'], options)
    full, empty = struct.pack('<4IBB2x', 8, 0, 4096, 0, 0, 0).hex(), '00' * 20
    expect_equal('outcome', [one for one in outcome if one != ('SUCCESS', '')],
                 [('TIMEOUT', '616263'), ('TIMEOUT', ''), ('TIMEOUT', '6465'), ('SUCCESS', '66'), ('TIMEOUT', ''), ('SUCCESS', full), ('SUCCESS', empty)])


def echo(folder, count):
    """The other end of the wire: gives back each byte's complement."""
    with open(os.path.join(folder, 'wire.out'), 'rb', buffering=0) as come, open(os.path.join(folder, 'wire.in'), 'wb', buffering=0) as go:
        while count > 0:
            data = come.read(count)
            go.write(bytes(255 - byte for byte in data))
            count -= len(data)


def check_wire(ntbox, inf, options):
    """Bytes go out and come in."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ('wire.in', 'wire.out'):
            os.mkfifo(os.path.join(folder, name))
        thread = threading.Thread(target=echo, args=(folder, len(STREAM)), daemon=True)
        thread.start()
        wire = f'pipe,path={os.path.join(folder, "wire")}'
        outcome = run_serial(ntbox, inf, wire, [timeouts(0, 0, 10000, 10000), f'--write=Serial0:{STREAM.hex()}', f'--read=Serial0:{len(STREAM)}'], options)
        expect_equal('outcome', outcome, [('SUCCESS', ''), ('SUCCESS', ''), ('SUCCESS', bytes(255 - byte for byte in STREAM).hex())])


def check_settings(ntbox, inf, options):
    """The settings that a UART can have, and no others; after a sleep they and the loop are there, and interrupts come. (QEMU 7.2's UART keeps its settings in a reset of its bus.)"""
    words = [timeouts(NEVER), '--write=Serial0:5a', '--read=Serial0:1', f'--ioctl=Serial0:{GET_RATE}::4', f'--ioctl=Serial0:{GET_LINE}::3', LOOP,
             f'--ioctl=Serial0:{SET_RATE}:00c20100:0', f'--ioctl=Serial0:{SET_LINE}:020207:0', '--power-cycle']
    outcome = run_serial(ntbox, inf, 'null', words, options)
    expect_equal('before', outcome[2:5], [('SUCCESS', ''), ('SUCCESS', '80250000'), ('SUCCESS', '000008')])
    expect_equal('after', outcome[-6:-3], [('SUCCESS', '5a'), ('SUCCESS', '00c20100'), ('SUCCESS', '020207')])
    wrong = [f'{SET_RATE}:00000000', f'{SET_RATE}:01c20100', f'{SET_LINE}:000004', f'{SET_LINE}:000508', f'{SET_LINE}:010008', f'{PURGE}:10000000', f'{WAIT_ON_MASK}:00000000',
             f'{SET_TIMEOUTS}:{"ff" * 20}']
    _, document = report(ntbox, 'run', '--inf', inf, '--chardev', 'null,id=c', '--device', 'pci-serial,chardev=c', *[f'--ioctl=Serial0:{one}:4' for one in wrong], *options)
    expect_equal('refused', [step['status_name'] for step in document['steps']], ['STATUS_INVALID_PARAMETER'] * len(wrong))


def time_of(step):
    return datetime.datetime(*struct.unpack('<6H', bytes.fromhex(step['output'])[:12]))


def check_clock(ntbox, inf, options):
    """The time of day; as many periodic interrupts as were asked for, and an alarm in time. Other rates and no alarm at all are refused."""
    words = ['--read=Rtc0:16', '--ioctl=Rtc0:0x222000:0600000000010000:0', '--ioctl=Rtc0:0x222004:02000000:0', '--read=Rtc0:16']
    PACKAGES['rtc'] = (words, r'rtc: (257) interrupts')
    steps = check_package(ntbox, inf, 'rtc', options)['steps']
    before, after = time_of(steps[0]), time_of(steps[3])
    expect((after - before).total_seconds() in (2, 3), f'the alarm came from {before} to {after}')
    if '--icount' not in options:
        expect(abs((after - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)).total_seconds()) < 60, f'it is not {after}')
    wrong = ['0x222000:0200000001000000', '0x222000:1000000001000000', '0x222000:0600000000000000', '0x222000:06000000', '0x222004:00000000', '0x222004:80510100']
    _, document = report(ntbox, 'run', '--inf', inf, *[f'--ioctl=Rtc0:{one}:0' for one in wrong], '--read=Rtc0:15', *options)
    expect_equal('refused', [step['status_name'] for step in document['steps']], ['STATUS_INVALID_PARAMETER'] * len(wrong) + ['STATUS_BUFFER_TOO_SMALL'])


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


FIRST, SECOND = (64, 128), (320, 64)   # start and length of the partitions, in sectors; the second lies in an extended one


def mbr_sector(*entries):
    """A table of (type, start, length)."""
    raw = b''.join(bytes(4) + struct.pack('<BxxxII', *entry) for entry in entries)
    return bytes(446) + raw + bytes(64 - len(raw)) + b'\x55\xaa'


def mbr_disk(link=0):
    """One primary and one logical partition; `link`: where the second extended record is, relative to the first. All else is noise."""
    data = bytearray(i * 31 % 253 for i in range(512 * SECTOR))
    data[:SECTOR] = mbr_sector((7, *FIRST), (5, 256, 256))
    data[256 * SECTOR:257 * SECTOR] = mbr_sector((7, SECOND[0] - 256, SECOND[1]), *([(5, link - 256, 16)] if link else []))
    return data


def gpt_header(at, sectors, entries):
    raw = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, at, 0, 34, sectors - 34, bytes(range(16)), 2, 4, 128, zlib.crc32(entries))
    return raw[:16] + struct.pack('<I', zlib.crc32(raw)) + raw[20:] + bytes(SECTOR - len(raw))


def gpt_disk():
    data = bytearray(i * 31 % 253 for i in range(512 * SECTOR))
    entries = b''.join(bytes([17]) * 16 + bytes([number]) * 16 + struct.pack('<QQQ72s', start, start + length - 1, 0, 'data'.encode('utf-16-le'))
                       for number, (start, length) in enumerate((FIRST, SECOND), 1))
    entries += bytes(512 - len(entries))
    data[:SECTOR] = mbr_sector((0xEE, 1, 511))
    data[SECTOR:3 * SECTOR] = gpt_header(1, 512, entries) + entries
    data[511 * SECTOR:] = gpt_header(511, 512, entries)
    return data


def with_disk(ntbox, folder, data, requests, options):
    """(exit code, report, what the disk holds afterwards) of a machine with this disk."""
    with tempfile.NamedTemporaryFile(prefix='ntbox-disk-') as disk:
        disk.write(data)
        disk.flush()
        code, document = report(ntbox, 'run', '--inf', os.path.join(folder, 'virtio_blk.inf'), os.path.join(folder, 'partmgr.sys'), '--drive',
                                f'id=disk,format=raw,file={disk.name}', '--device', 'virtio-blk-pci,drive=disk', *requests, *options)
        with open(disk.name, 'rb') as file:
            return code, document, file.read()


def check_partitions(ntbox, folder, data, options):
    """What is written through a partition is there in the next machine, and nothing else has changed."""
    last = (FIRST[1] - 1) * SECTOR
    code, document, after = with_disk(ntbox, folder, data, [f'--write=Harddisk0Partition1:{"5a" * SECTOR}:{last}', f'--write=Harddisk0Partition2:{"c3" * SECTOR}:0'], options)
    expect_equal('exit code', (code, document['sentence'], document['leaks'], document['violations']), (0, 'all steps succeeded', [], []))
    for start, byte in ((FIRST[0] * SECTOR + last, 0x5a), (SECOND[0] * SECTOR, 0xc3)):
        data[start:start + SECTOR] = bytes([byte]) * SECTOR
    expect(after == data, 'not all and only that was written')
    _, document, after = with_disk(ntbox, folder, data, [
        f'--read=Harddisk0Partition1:{SECTOR}:{last}', f'--read=Harddisk0Partition2:{SECTOR}:0', '--ioctl=Harddisk0Partition2:0x7405c::8',
        f'--read=Harddisk0Partition1:{2 * SECTOR}:{last}', f'--write=Harddisk0Partition1:{"00" * 2 * SECTOR}:{last}', f'--write=Harddisk0Partition1:{"00" * SECTOR}:{last + SECTOR}',
        '--write=Harddisk0Partition1:00:0', '--ioctl=Harddisk0Partition1:0x70050::48'], options)
    steps = [(step['status_name'], step.get('output')) for step in document['steps'] if step['operation'] in ('read', 'write', 'ioctl')]
    expect_equal('read by the second', steps[:3], [('STATUS_SUCCESS', '5a' * SECTOR), ('STATUS_SUCCESS', 'c3' * SECTOR),
                                                   ('STATUS_SUCCESS', (SECOND[1] * SECTOR).to_bytes(8, 'little').hex())])
    expect_equal('refused', [status for status, _ in steps[3:]], ['STATUS_NONEXISTENT_SECTOR'] * 3 + ['STATUS_INVALID_PARAMETER', 'STATUS_BUFFER_TOO_SMALL'])
    expect(after == data, 'a refused request has written')


FACTS = ['--ioctl=Harddisk0Partition2:0x70000::24', '--ioctl=Harddisk0Partition2:0x700a0::40', '--ioctl=Harddisk0Partition2:0x74004::32',
         '--ioctl=Harddisk0Partition2:0x70048::144', '--ioctl=Harddisk0Partition2:0x70048::143']


def check_facts(ntbox, folder):
    """Geometry is the disk's; where and what a partition is, is its own. A GUID partition has no place in the older form."""
    start, length = SECOND[0] * SECTOR, SECOND[1] * SECTOR
    for style, data, old in ((0, mbr_disk(), 'STATUS_SUCCESS'), (1, gpt_disk(), 'STATUS_INVALID_DEVICE_REQUEST')):
        _, document, _ = with_disk(ntbox, folder, data, FACTS, ['--smp', '2'])
        steps = [step for step in document['steps'] if step['operation'] == 'ioctl']
        expect_equal('statuses', [step['status_name'] for step in steps], ['STATUS_SUCCESS'] * 2 + [old, 'STATUS_SUCCESS', 'STATUS_BUFFER_TOO_SMALL'])
        cylinders, media, tracks, sectors, size = struct.unpack('<QIIII', bytes.fromhex(steps[0]['output']))
        expect_equal('geometry', (media, size, cylinders * tracks * sectors <= 512), (12, SECTOR, True))
        expect_equal('size of the disk', struct.unpack_from('<Q', bytes.fromhex(steps[1]['output']), 24)[0], 512 * SECTOR)
        if style == 0:
            expect_equal('older form', struct.unpack_from('<QQIIB', bytes.fromhex(steps[2]['output'])), (start, length, 64, 2, 7))
        newer = bytes.fromhex(steps[3]['output'])
        expect_equal('newer form', struct.unpack_from('<IIQQI', newer), (style, 0, start, length, 2))
        expect_equal('what it is', newer[32:33], b'\x07' if style == 0 else bytes([17]))


def check_damaged(ntbox, folder):
    """One sentence, no partition, not a byte written."""
    gpt = gpt_disk()
    gpt[SECTOR + 56] ^= 1
    gpt[511 * SECTOR + 56] ^= 1
    outside = mbr_disk()
    outside[:SECTOR] = mbr_sector((7, 500, 13))
    for name, data in (('a loop', mbr_disk(256)), ('a wrong sum', gpt), ('beyond the end', outside)):
        _, document, after = with_disk(ntbox, folder, data, ['--read=Harddisk0Partition1:512:0'], ['--smp', '2'])
        said = [one['text'].strip() for one in document['prints'] if 'partmgr' in one['text']]
        expect_equal(name, said, ['partmgr: disk 0 has no partitions: its table cannot be used (c0000032)'])
        expect_equal(name + ': the read', [step['status_name'] for step in document['steps'] if step['operation'] == 'read'], ['STATUS_OBJECT_NAME_NOT_FOUND'])
        expect(after == data, f'{name}: the disk has changed')


def check_dma(ntbox, inf, options, interrupts='messages', device='edu'):
    """Bytes come back from the device, at any offset, by DMA; factorials; one interrupt for each."""
    document = check_package(ntbox, inf, 'edu', ['--device', device, *options])
    outputs = [step['output'] for step in document['steps'] if step['operation'] in ('read', 'ioctl')]
    expect(outputs[0] == BYTES.hex(), f'the bytes changed: {outputs[0][:64]} ...')
    expect_equal('what came of other offsets', outputs[1], BYTES[99:100].hex() + 'aa55' + BYTES[102:103].hex())
    expect_equal('factorials', [int.from_bytes(bytes.fromhex(output), 'little') for output in outputs[2:]], [math.factorial(10), math.factorial(12)])
    said = [one['text'].strip() for one in document['prints'] if one['text'].startswith('edu: ')]
    expect_equal('what it says', said, [f'edu: interrupts are {interrupts}', 'edu: 6 interrupts'])


SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../drivers_sample')


def run_scenario(ntbox, name, *words):
    """A sample as its README has it: the INF beside the source, and the scenario beside the INF."""
    _, document = report(ntbox, 'run', '--inf', os.path.join(SOURCES, name, name + '.inf'), *words)
    expect_all_passed(document)
    expect_equal('what became of the device', [node['kind'] for node in document['pnp'] if node.get('driver') == name + '.sys'], ['started', 'removed'])
    return document


def check_sources(ntbox):
    """The drivers of samples are built elsewhere: check finds them as run does."""
    for name in ('virtio_rng', 'edu', 'serial', 'rtc', 'virtio_blk', 'pci_testdev'):
        code, document = report(ntbox, 'check', os.path.join(SOURCES, name, name + '.inf'))
        expect_equal(name, (code, [os.path.basename(image['file']) for image in document['images']]), (0, [name + '.sys']))


def check_scenarios(ntbox):
    document = run_scenario(ntbox, 'virtio_rng', '--device', 'virtio-rng-pci')
    expect_equal('lengths', [len(step['output']) // 2 for step in document['steps']], [16, 32])
    expect('virtio_rng: 2 interrupts' in [one['text'].strip() for one in document['prints']], 'the interrupts')
    document = run_scenario(ntbox, 'edu', '--device', 'edu')
    expect_equal('outputs', [step.get('output') for step in document['steps']],
                 [None, '00112233445566778899aabbccddeeff', None, '33aa5566', '005f3700'])
    expect('edu: 5 interrupts' in [one['text'].strip() for one in document['prints']], 'the interrupts')
    document = run_scenario(ntbox, 'edu', '--device', 'edu', '--ioctl', 'Edu0:0x222000:03000000:4')
    expect_equal('who asks gets what was asked for', [step['output'] for step in document['steps']], ['06000000'])


def check_scenario_files(ntbox, inf):
    with tempfile.TemporaryDirectory() as room:
        path = os.path.join(room, 'a.scn')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('write Edu0:01020304\n')
        _, document = report(ntbox, 'run', '--inf', inf, '--device', 'edu', '--read', 'Edu0:1', '-s', path, '--read', 'Edu0:2:1')
        expect_equal('steps', [(step['operation'], step.get('output')) for step in document['steps']], [('read', '00'), ('write', None), ('read', '0203')])
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n  raed Edu0\n')
        done = subprocess.run([ntbox, 'run', '--inf', inf, '--device', 'edu', '--scenario', path], capture_output=True, text=True, timeout=60, check=False)
        expect_equal('exit code', done.returncode, 3)
        expect('a.scn:2:3: a line begins with one of' in done.stderr, done.stderr)


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


def check_named_twice(ntbox, build):
    """A driver that the PnP manager has loaded is not loaded again, and not unloaded from under its device."""
    code, document = report(ntbox, 'run', '--inf', os.path.join(build, 'virtio_rng.inf'), os.path.join(build, 'virtio_rng.sys'), '--device', 'virtio-rng-pci', '--read', 'VirtioRng0:4')
    expect_equal('exit code', code, 2)
    expect('it was loaded before this step' in document['sentence'], document['sentence'])
    expect_equal('the unload', [step['status_name'] for step in document['steps'] if step['operation'] == 'unload'], ['STATUS_INVALID_DEVICE_REQUEST'])
    expect_equal('leaks', document['leaks'], [])


def check_disabled(ntbox, folder):
    """The device is there and its service is disabled: that is what is said."""
    with tempfile.TemporaryDirectory() as room:
        shutil.copy(os.path.join(folder, 'virtio_rng.sys'), room)
        inf = os.path.join(room, 'virtio_rng.inf')
        text = open(os.path.join(folder, 'virtio_rng.inf'), encoding='utf-8').read()
        with open(inf, 'w', encoding='utf-8') as file:
            file.write(re.sub(r'(?m)^StartType.*', 'StartType = 4', text))
        code, document = report(ntbox, 'run', '--inf', inf, '--device', 'virtio-rng-pci')
    expect_equal('exit code', code, 2)
    expect('has no driver: CM_PROB_DISABLED_SERVICE' in document['sentence'], document['sentence'])


def check_many(ntbox, inf, options):
    """Eight of a kind, each with a name of its own."""
    words = [word for _ in range(8) for word in ('--device', 'edu')] + [word for i in range(8) for word in ('--write', f'Edu{i}:{i:02x}ff', '--read', f'Edu{i}:2')]
    code, document = report(ntbox, 'run', '--inf', inf, *words, '--power-cycle', *options)
    expect_equal('outcome', (code, document['sentence']), (0, 'all steps succeeded'))
    expect_equal('bytes', [step['output'] for step in document['steps'] if step['operation'] == 'read'], [f'{i:02x}ff' for i in range(8)] * 2)


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
            for check in (check_loop, check_wire):
                tally.run(f'{flavour} serial, {machine}, {check.__name__[6:]}', check, ntbox, os.path.join(samples, flavour, 'serial.inf'), options)
            tally.run(f'{flavour} rtc, {machine}', check_clock, ntbox, os.path.join(samples, flavour, 'rtc.inf'), options)
            tally.run(f'{flavour} edu, {machine}', check_dma, ntbox, os.path.join(samples, flavour, 'edu.inf'), options)
    for options in ([], ['--smp', '4']):
        tally.run(f'serial, time-outs {" ".join(options)}', check_time, ntbox, os.path.join(samples, 'msvc/serial.inf'), options)
        tally.run(f'serial, settings {" ".join(options)}', check_settings, ntbox, os.path.join(samples, 'msvc/serial.inf'), options)
    tally.run('check of samples', check_sources, ntbox)
    tally.run('scenarios of samples', check_scenarios, ntbox)
    tally.run('scenario files', check_scenario_files, ntbox, os.path.join(samples, 'msvc/edu.inf'))
    for flavour, options in (('mingw', []), ('msvc', ['--smp', '4'])):
        for make in (mbr_disk, gpt_disk):
            tally.run(f'{flavour} partmgr, {make.__name__}', check_partitions, ntbox, os.path.join(samples, flavour), make(), options)
    tally.run('partmgr, what partitions are', check_facts, ntbox, os.path.join(samples, 'msvc'))
    tally.run('partmgr, damaged tables', check_damaged, ntbox, os.path.join(samples, 'msvc'))
    tally.run('edu with an interrupt line', check_line, ntbox, os.path.join(samples, 'msvc'))
    # its memory lies above 16 MB: with 28 bits in the driver's mind the bytes are lost
    tally.run('edu that reaches 24 bits', check_dma, ntbox, os.path.join(samples, 'msvc/edu.inf'), ['--smp', '4', '--param', 'AddressBits=dword:24'],
              'messages', 'edu,dma_mask=0xffffff')
    tally.run('edu, what it refuses', check_refusals, ntbox, os.path.join(samples, 'msvc/edu.inf'))
    tally.run('the INF of a sample beside its source', check_random, ntbox, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../drivers_sample/virtio_rng/virtio_rng.inf'), [])
    tally.run('a package without its device', check_idle, ntbox, os.path.join(samples, 'msvc/virtio_rng.inf'))
    tally.run('a package whose driver is named too', check_named_twice, ntbox, os.path.join(samples, 'msvc'))
    tally.run('a package whose service is disabled', check_disabled, ntbox, os.path.join(samples, 'msvc'))
    for options in ([], ['--smp', '4']):
        tally.run(f'eight edu devices {" ".join(options)}', check_many, ntbox, os.path.join(samples, 'msvc/edu.inf'), options)
    tally.run('a thousand cycles', check_cycles, ntbox, os.path.join(build, 'test/conform/msvc/ct_pnp_life.sys'))
    finish(tally)


if __name__ == '__main__':
    main()
