#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers of emulated devices (test/device), each with the devices that it wants: on the command line, or installed by an INF file.
usage: run_devices.py NTBOX DEVICE-FOLDER SAMPLES-FOLDER"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from runs import Tally, call, expect, expect_all_passed, expect_equal, finish, report

# two ports of PCI Express, a PCI bus behind the second
PORTS = ['pcie-root-port,id=rp1,chassis=1,slot=1', 'pcie-root-port,id=rp2,chassis=2,slot=2', 'pcie-pci-bridge,id=pb,bus=rp2']
# what is run: file, devices, cases that run whatever the machine is
DEVICES = {
    'a line that is shared': ('edu_line.sys', ['edu,addr=5', 'edu,addr=9'], 4),
    'two identical devices': ('edu_pnp.inf', ['edu,addr=5', 'edu,addr=9'], 6),
    'two identical devices behind bridges': ('edu_pnp.inf', [*PORTS, 'edu,bus=pb,addr=1', 'edu,bus=pb,addr=5'], 6),
    'a message': ('edu_message.inf', ['edu'], 5),
    'four messages': ('e1000e_messages.inf', ['e1000e,romfile='], 9),
    'four messages behind a port': ('e1000e_messages.inf', [*PORTS, 'e1000e,romfile=,bus=rp1'], 9),
}
# on the board without PCI Express
OLD_BOARD = {
    'two identical devices': ('edu_pnp.inf', ['edu,addr=5', 'edu,addr=9'], 6),
    'two identical devices behind a bridge': ('edu_pnp.inf', ['pci-bridge,id=pb,chassis_nr=1', 'edu,bus=pb,addr=5', 'edu,bus=pb,addr=9'], 6),
    'a message': ('edu_message.inf', ['edu'], 5),
}
FIRMWARE = {'bios': ['--boot', 'bios'], 'uefi': ['--boot', 'uefi']}
MACHINES = {'one processor': [], 'four processors': ['--smp', '4'], 'icount': ['--icount', '--seed', '1'],
            'the free kernel': ['--smp', '2', '--kernel', 'free']}
LONG = 6000  # bytes of a value


def check(ntbox, path, devices, cases, options):
    what = ['--inf', path] if path.endswith('.inf') else [path]
    _, document = report(ntbox, 'run', *what, *(word for device in devices for word in ('--device', device)), *options)
    failed = [f'{case["case"]}: {case.get("text", "")}' for case in document['cases'] if not case['passed']]
    expect(not failed, '; '.join(failed))
    expect_equal('cases', len(document['cases']), cases)
    expect_all_passed(document)


def instance_path(hive):
    """The key of the only edu device."""
    commands = 'cd \\ControlSet001\\Enum\\PCI\nls\n'
    names = subprocess.run(['hivexsh', hive], input=commands, capture_output=True, text=True, timeout=30, check=True).stdout.split('\n')
    device = next(name for name in names if name.startswith('VEN_1234&DEV_11E8'))
    commands = f'cd \\ControlSet001\\Enum\\PCI\\{device}\nls\n'
    instance = subprocess.run(['hivexsh', hive], input=commands, capture_output=True, text=True, timeout=30, check=True).stdout.split('\n')[0]
    return f'\\ControlSet001\\Enum\\PCI\\{device}\\{instance}'


CLASS = '{0d6a2d4b-5b8f-4a51-9d2f-6f9d0a6e1c11}'
INTERFACES = f"""
[Install.NT.Interfaces]
AddInterface = {CLASS},, One
AddInterface = {CLASS}, second, Two

[One]
AddReg = One_Values

[One_Values]
HKR,, FriendlyName,, "the first"

[Two]
AddReg = Two_Values

[Two_Values]
HKR, Below, Depth, 0x00010001, 7
"""


def interfaces(hive):
    """What the INF gives to the device's interfaces: one without, one with a reference string."""
    name = instance_path(hive).removeprefix('\\ControlSet001\\Enum\\').replace('\\', '#')
    root = f'\\ControlSet001\\Control\\DeviceClasses\\{CLASS}\\##?#{name}#{CLASS}'
    commands = (f'cd {root}\\#\\Device Parameters\nlsval FriendlyName\n'
                f'cd {root}\\#second\\Device Parameters\\Below\nlsval Depth\n')
    done = subprocess.run(['hivexsh', hive], input=commands, capture_output=True, text=True, timeout=30, check=False)
    expect_equal('errors', done.stderr, '')
    expect_equal('values of the interfaces', done.stdout, 'the first\n7\n')


def installed(ntbox, folder, room):
    """What the INF adds to the device's hardware key, keys below keys and values of any length; and to its interfaces."""
    for name in ('edu_pnp.sys', 'edu_message.inf'):
        shutil.copy(os.path.join(folder, name), room)
    inf, hive = os.path.join(room, 'edu_message.inf'), os.path.join(room, 'hive')
    text = open(inf, encoding='utf-8').read()
    more = f'HKR, One\\Two\\Three, Deep, 0x00010001, 5\nHKR, One, Long, 0x00000001, {",".join(["5a"] * LONG)}\n'
    with open(inf, 'w', encoding='utf-8') as file:
        file.write(text.replace('[Hardware]\n', '[Hardware]\n' + more).replace('[Strings]', INTERFACES + '[Strings]'))
    code, document = report(ntbox, 'run', '--inf', inf, '--device', 'edu', '--save-hive', hive)
    expect_equal('exit code', code, 0)
    commands = f'cd {instance_path(hive)}\\Device Parameters\\One\nlsval Long\ncd Two\\Three\nlsval Deep\n'
    done = subprocess.run(['hivexsh', hive], input=commands, capture_output=True, text=True, timeout=30, check=False)
    expect_equal('errors', done.stderr, '')
    expect_equal('the length of the long value', done.stdout.count('Z'), LONG)
    expect_equal('the deep value', done.stdout.replace('Z', '').strip(), '5')
    interfaces(hive)


def testdev(ntbox, inf):
    """The sample for QEMU's pci-testdev: the device has seen each write, in memory and in ports."""
    code, document = report(ntbox, 'run', '--inf', inf, '--device', 'pci-testdev', '--read', 'PciTestdev0:1024')
    expect_equal('exit code', code, 0)
    lines = bytes.fromhex(document['steps'][0]['output']).decode().split('\n')
    for name in ('mmio', 'portio'):
        expect(f'{name}-no-eventfd: 100 writes of 1 bytes, 100 counted' in lines, f'{name} in {lines}')


def read_text(step):
    return bytes.fromhex(step['output']).decode() if step.get('output') else ''


def hot_plug(ntbox, inf, options):
    """The button of the slot, orderly removal, power off; another device in the slot, which is found and started."""
    code, document = report(ntbox, 'run', '--inf', inf, '--device', PORTS[0], '--device', 'pci-testdev,bus=rp1,id=first', '--read', 'PciTestdev0:64',
                            '--unplug', 'first', '--plug', 'pci-testdev,bus=rp1,id=second', '--read', 'PciTestdev0:64',
                            '--unplug', 'second', *options)
    expect_equal('exit code', code, 0)
    expect_equal('operations', [step['operation'] for step in document['steps']], ['read', 'mark', 'mark', 'read', 'mark'])
    for number in (0, 3):
        expect('100 counted' in read_text(document['steps'][number]), f'step {number + 1}')


def refused_plugs(ntbox, inf):
    """What QEMU does not do is the step's failure, and told in a sentence."""
    for words, sentence in ((('--unplug', 'nobody'), 'nobody'), (('--plug', 'pci-testdev,bus=nowhere'), 'nowhere')):
        code, out, err = call(ntbox, 'run', '--inf', inf, '--device', 'pci-testdev', *words, '--json')
        expect_equal('exit code', code, 1)
        expect_equal('status', json.loads(out)['steps'][0]['status_name'], 'STATUS_UNSUCCESSFUL')
        expect('QEMU refused' in err and sentence in err, err)
    for words in (('--unplug', 'a b'), ('--plug', ',bus=x'), ('--surprise', '0:32.0'), ('--plug', 'edu', '--icount')):
        expect_equal(f'exit code of {words}', call(ntbox, 'run', '--inf', inf, *words)[0], 3)


def surprise(ntbox, inf, devices, place, cases, options):
    """The bus driver takes the device away: its configuration space is all ones, then its driver hears of it."""
    code, document = report(ntbox, 'run', '--inf', inf, *(word for device in devices for word in ('--device', device)), '--surprise', place, *options)
    failed = [f'{case["case"]}: {case.get("text", "")}' for case in document['cases'] if not case['passed']]
    expect(not failed, '; '.join(failed))
    expect_equal('exit code', code, 0)
    expect_equal('surprise cases', [case['case'] for case in document['cases']].count('surprise.config'), 1)
    expect_equal('cases', len(document['cases']), cases + 1)
    code, document = report(ntbox, 'run', '--inf', inf, *(word for device in devices for word in ('--device', device)), '--surprise', '0:29.0')
    expect_equal('exit code without a device', code, 1)
    expect_equal('status without a device', document['steps'][0]['status_name'], 'STATUS_NO_SUCH_DEVICE')


def sleeps(ntbox, inf, options):
    """The sample for QEMU's virtio-rng is read again after the system was asleep."""
    code, document = report(ntbox, 'run', '--inf', inf, '--device', 'virtio-rng-pci', '--read', 'VirtioRng0:16', '--power-cycle=3', *options)
    expect_equal('exit code', code, 0)
    expect_equal('steps', [step['operation'] for step in document['steps']], ['read'] + ['power-cycle', 'read'] * 3)
    outputs = [step['output'] for step in document['steps'] if step['operation'] == 'read']
    expect_equal('bytes', {len(output) for output in outputs}, {32})
    expect_equal('different answers', len(set(outputs)), 4)


def sleeps_and_moves(ntbox, inf, options):
    """--sleep between a device's coming and going: the slot works afterwards, and so does what comes into it."""
    code, document = report(ntbox, 'run', '--inf', inf, '--device', PORTS[0], '--device', 'virtio-rng-pci,id=one,bus=rp1,disable-legacy=off', '--read', 'VirtioRng0:16',
                            '--sleep', '--read', 'VirtioRng0:16', '--unplug', 'one', '--sleep', '--plug', 'virtio-rng-pci,bus=rp1,disable-legacy=off,id=two',
                            '--read', 'VirtioRng0:16', '--sleep', '--read', 'VirtioRng0:16', '--surprise', '1:0.0', '--sleep', *options)
    expect_equal('outcome', (code, document['sentence']), (0, 'all steps succeeded'))
    expect_equal('steps', [step['operation'] for step in document['steps']],
                 ['read', 'power-cycle', 'read', 'mark', 'power-cycle', 'mark', 'read', 'power-cycle', 'read', 'ioctl', 'power-cycle'])


TRAFFIC = ['virtio-blk-pci,drive=disk', 'virtio-rng-pci', 'edu']
BRIDGES = ['pcie-root-port,id=rp1,chassis=1,slot=1', 'pcie-root-port,id=rp2,chassis=2,slot=2', 'pcie-root-port,id=rp3,chassis=3,slot=3', 'pcie-pci-bridge,id=pb,bus=rp3']
# in S3 a bridge resets what lies behind it: a driver that does not set its device up again never has an answer from it
BEHIND = [*BRIDGES, 'virtio-blk-pci,drive=disk,bus=rp1,disable-legacy=off', 'virtio-rng-pci,bus=rp2,disable-legacy=off', 'edu,bus=pb,addr=1']


def sleeps_with_traffic(ntbox, folder, samples, devices, options):
    """Three samples have requests all the time while the system sleeps and wakes up: each ends, with the right data, and interrupts go on."""
    with tempfile.NamedTemporaryFile(prefix='ntbox-disk-') as disk:
        disk.truncate(1 << 20)
        words = [word for name in ('virtio_blk', 'virtio_rng', 'edu') for word in ('--inf', os.path.join(samples, name + '.inf'))]
        words += [word for device in devices for word in ('--device', device)]
        code, document = report(ntbox, 'run', *words, '--drive', f'id=disk,format=raw,file={disk.name},throttling.iops-total=2000',
                                os.path.join(folder, 'sleep_traffic.sys'), *options)
    expect_equal('outcome', (code, document['sentence']), (0, 'all steps succeeded'))
    expect_all_passed(document)
    said = ' '.join(one['text'] for one in document['prints'])
    for name in ('virtio_rng: ', 'edu: ', 'disk 0 had '):
        count = re.search(name + r'(\d+) interrupts', said)
        expect(count and int(count[1]) > 20, f'interrupts of {name}in {said}')


def main():
    ntbox, folder, samples = sys.argv[1:]
    tally = Tally()
    for name, (file, devices, cases) in DEVICES.items():
        for machine, options in {**MACHINES, **(FIRMWARE if PORTS[0] in devices else {})}.items():
            tally.run(f'{name}, {machine}', check, ntbox, os.path.join(folder, file), devices, cases, options)
    for name, (file, devices, cases) in OLD_BOARD.items():
        for machine, options in {**{name: MACHINES[name] for name in ('one processor', 'four processors')}, 'bios': FIRMWARE['bios']}.items():
            tally.run(f'{name}, board pc, {machine}', check, ntbox, os.path.join(folder, file), devices, cases, [*options, '--machine', 'pc'])
    for flavour in ('mingw', 'msvc'):
        tally.run(f'pci_testdev, {flavour}', testdev, ntbox, os.path.join(samples, flavour, 'pci_testdev.inf'))
    testdev_inf = os.path.join(samples, 'msvc', 'pci_testdev.inf')
    for machine in ('one processor', 'four processors', 'the free kernel'):
        options = MACHINES[machine]
        tally.run(f'hot plug, {machine}', hot_plug, ntbox, testdev_inf, options)
        tally.run(f'surprise removal of one of two, {machine}', surprise, ntbox, os.path.join(folder, 'edu_pnp.inf'), ['edu,addr=5', 'edu,addr=9'],
                  '0:5.0', 6, options)
        tally.run(f'surprise removal behind a port, {machine}', surprise, ntbox, os.path.join(folder, 'e1000e_messages.inf'),
                  [PORTS[0], 'e1000e,romfile=,bus=rp1'], '1:0.0', 9, options)
    tally.run('plugs that are refused', refused_plugs, ntbox, testdev_inf)
    for machine in ('one processor', 'four processors'):
        tally.run(f'virtio_rng sleeps, {machine}', sleeps, ntbox, os.path.join(samples, 'msvc', 'virtio_rng.inf'), MACHINES[machine])
        tally.run(f'sleep, unplug, plug, sleep, surprise, {machine}', sleeps_and_moves, ntbox, os.path.join(samples, 'msvc', 'virtio_rng.inf'), MACHINES[machine])
    for machine in ('one processor', 'four processors', 'the free kernel'):
        for place, devices in (('on the root bus', TRAFFIC), ('behind bridges', BEHIND)):
            flavour = 'mingw' if machine == 'the free kernel' else 'msvc'
            tally.run(f'sleep with traffic {place}, {machine}', sleeps_with_traffic, ntbox, folder, os.path.join(samples, flavour), devices, MACHINES[machine])
    with tempfile.TemporaryDirectory() as room:
        tally.run('what an INF adds to the hardware key', installed, ntbox, folder, room)
    finish(tally)


if __name__ == '__main__':
    main()
