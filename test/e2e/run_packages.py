#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Driver packages: what `ntbox check` says of them, what `ntbox run --inf` puts into the guest's volume and registry (read back by libhivex from
the hive that the run has left), and how wrong ones end.
usage: run_packages.py NTBOX CORPUS-FOLDER (test/corpus/inf) SAMPLES-FOLDER"""
import os
import shutil
import subprocess
import sys
import tempfile

from runs import Tally, call, expect, expect_equal, finish, report

DATABASE = r'\DriverDatabase'
PACKAGE = DATABASE + r'\DriverPackages\virtio_rng.inf'
CONFIGURATION = PACKAGE + r'\Configurations\VirtioRng_Inst.NT'


def values(hive, key):
    """The values of a key as hivexsh prints them: name -> text."""
    done = subprocess.run(['hivexsh', hive], input=f'cd {key}\nlsval\n', capture_output=True, text=True, timeout=30, check=False)
    expect_equal(f'errors of {key}', done.stderr, '')
    pairs = [line.split('=', 1) for line in done.stdout.splitlines() if '=' in line]
    return {name.strip('"').lower(): value.strip('"').replace('\\\\', '\\') for name, value in pairs}


def expect_values(hive, key, wanted):
    have = values(hive, key)
    for name, value in wanted.items():
        expect_equal(f'{key}: {name}', have.get(name.lower()), value)


def archive_names(path):
    """The files of a newc archive."""
    data = open(path, 'rb').read()
    names, at = set(), 0
    while data[at:at + 6] == b'070701':
        size, length = int(data[at + 54:at + 62], 16), int(data[at + 94:at + 102], 16)
        names.add(data[at + 110:at + 109 + length].decode())
        at = (at + 110 + length + 3) // 4 * 4
        at = (at + size + 3) // 4 * 4
    return names


class Packages:
    def __init__(self, ntbox, corpus, samples, folder):
        self.ntbox, self.corpus, self.folder = ntbox, corpus, folder
        self.hello = os.path.join(samples, 'mingw/hello.sys')
        for name in ('virtio_rng.inf', 'everything.inf', 'included.inf'):
            shutil.copy(os.path.join(corpus, name), folder)
        for name in ('virtio_rng.sys', 'AMD64/EVERY.SYS', 'more/every2.sys', 'more/data.bin'):
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            shutil.copy(self.hello, self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def wrong(self, code, sentence, *words):
        """The run does not begin; its one sentence names what is wrong."""
        have, _, err = call(self.ntbox, 'run', *words)
        expect_equal('exit code', have, code)
        expect(sentence in err, f'{sentence!r} in {err!r}')
        expect_equal('lines', err.count('\n'), 1)

    def database(self):
        """Each key that the PnP manager reads, in its place."""
        hive = self.path('hive')
        code, document = report(self.ntbox, 'run', '--inf', self.path('virtio_rng.inf'), '--save-hive', hive)
        expect_equal('exit code', code, 2)
        expect_equal('sentence', document['sentence'], r'virtio_rng.inf: no device of this machine has one of its IDs '
                                                       r'(PCI\VEN_1AF4&DEV_1005 and 1 more); --device adds one to the machine')
        expect_equal('package', document['packages'][0]['package'], 'virtio_rng.inf')
        expect_values(hive, DATABASE + r'\DeviceIds\PCI\VEN_1AF4&DEV_1005', {'virtio_rng.inf': 'dword:00000000'})
        expect_values(hive, DATABASE + r'\DeviceIds\PCI\VEN_1AF4&DEV_1044', {'virtio_rng.inf': 'dword:00000001'})
        expect_values(hive, PACKAGE, {'InfName': 'virtio_rng.inf', 'Provider': 'ntbox tests', 'Class': 'System', 'DriverDate': '10-1-2026',
                                      'DriverVersion': '1.0.0.0', 'ClassGuid': '{4d36e97d-e325-11ce-bfc1-08002be10318}'})
        expect_values(hive, PACKAGE + r'\Descriptors\PCI\VEN_1AF4&DEV_1005',
                      {'Configuration': 'VirtioRng_Inst.NT', 'Description': 'VirtIO RNG device', 'Manufacturer': 'ntbox tests'})
        expect_values(hive, CONFIGURATION, {'Service': 'virtio_rng', 'InfSection': 'VirtioRng_Inst', 'InfSectionExt': '.NT'})
        expect_values(hive, CONFIGURATION + r'\Device\Interrupt Management\MessageSignaledInterruptProperties',
                      {'MSISupported': 'dword:00000001'})
        expect_values(hive, CONFIGURATION + r'\Driver', {'Pool': 'dword:00000040'})
        expect_values(hive, r'\ControlSet001\Control\Class\{4d36e97d-e325-11ce-bfc1-08002be10318}', {'Class': 'System'})
        expect_values(hive, r'\ControlSet001\Services\virtio_rng',
                      {'Type': 'dword:00000001', 'Start': 'dword:00000003', 'ErrorControl': 'dword:00000001', 'Group': 'Extended Base',
                       'DisplayName': 'VirtIO RNG device'})

    def files(self):
        """Two packages; files below other folders, and for the driver store; a name's case does not matter on the host."""
        keep = self.path('kept')
        code, document = report(self.ntbox, 'run', '--inf', self.path('everything.inf'), '--inf', self.path('virtio_rng.inf'), '--keep', keep,
                                '--service', 'every/start=demand')
        expect_equal('exit code', code, 2)
        expect('everything.inf: no device of this machine has one of its IDs' in document['sentence'], document['sentence'])
        names = archive_names(os.path.join(keep, 'boot.cpio'))
        for name in ('drivers/virtio_rng.sys', 'drivers/every.sys', 'drivers/every2.sys',
                     'DriverStore/FileRepository/everything.inf/data/renamed file.bin'):
            expect(f'Windows/System32/{name}' in names, f'{name} in the archive')

    def services(self):
        """What the command line says of a package's service counts more than the INF; its driver runs without being named."""
        hive = self.path('services-hive')
        code, document = report(self.ntbox, 'run', '--inf', self.path('virtio_rng.inf'), '--service', 'virtio_rng/start=auto',
                                '--param', 'virtio_rng/Depth=dword:7', '--save-hive', hive)
        expect_equal('exit code', code, 0)
        expect('virtio_rng.sys' in [entry['driver'] for entry in document['entries']], 'its DriverEntry ran')
        expect_values(hive, r'\ControlSet001\Services\virtio_rng', {'Start': 'dword:00000002'})
        expect_values(hive, r'\ControlSet001\Services\virtio_rng\Parameters', {'Depth': 'dword:00000007'})

    def started_as_the_inf_says(self):
        """every is of boot start, and depends on a group that nobody is in: the run says so."""
        code, document = report(self.ntbox, 'run', '--inf', self.path('everything.inf'))
        expect_equal('exit code', code, 2)
        expect('the group Port' in document['sentence'], document['sentence'])

    def with_a_driver_named(self):
        """The same file may stand on the command line; another of its name may not."""
        code, document = report(self.ntbox, 'run', '--inf', self.path('virtio_rng.inf'), self.path('virtio_rng.sys'))
        expect_equal('exit code', code, 0)
        expect_equal('steps', [step['operation'] for step in document['steps']], ['load', 'unload'])
        other = self.path('other')
        os.makedirs(other)
        shutil.copy(self.hello, os.path.join(other, 'virtio_rng.sys'))
        self.wrong(3, 'would be', '--inf', self.path('virtio_rng.inf'), os.path.join(other, 'virtio_rng.sys'))

    def bad_packages(self):
        """Exit code 2 and one sentence with file and line, before a machine starts."""
        self.wrong(2, 'virtio_rng.inf:44: [VirtioRng_Files]: there is no file', '--inf', os.path.join(self.corpus, 'virtio_rng.inf'))
        self.wrong(2, 'dword.inf:14: [R]: ', '--inf', os.path.join(self.corpus, 'bad/dword.inf'))
        self.wrong(3, 'cannot read', '--inf', self.path('nothing.inf'))
        self.wrong(3, 'cannot read', '--inf', self.folder + '/more/../../' + os.path.basename(self.folder) + '/folder.inf')
        self.wrong(3, 'named twice', '--inf', self.path('virtio_rng.inf'), '--inf', self.path('virtio_rng.inf'))
        self.wrong(3, 'ends in .inf', '--inf', self.path('virtio_rng.sys'))
        self.wrong(3, 'at least one FILE.sys', '--device', 'virtio-rng-pci')

    def own_files(self):
        """A package cannot put its file in the place of the kernel."""
        text = open(self.path('virtio_rng.inf'), encoding='utf-8').read()
        with open(self.path('kernel.inf'), 'w', encoding='utf-8') as file:
            file.write(text.replace('DefaultDestDir = 12', 'DefaultDestDir = 11').replace('virtio_rng.sys', 'NTOSKRNL.exe'))
        self.wrong(2, "ntbox's own", '--inf', self.path('kernel.inf'))

    def devices(self):
        """A device that QEMU does not know is QEMU's error, told as one sentence; help is none."""
        code, document = report(self.ntbox, 'run', '--inf', self.path('virtio_rng.inf'), '--device', 'no-such-device')
        expect_equal('exit code', code, 3)
        expect("'no-such-device' is not a valid device model name" in document['sentence'], document['sentence'])
        for device in ('help', 'virtio-rng-pci,help', '', ',addr=5'):
            self.wrong(3, '--device', '--inf', self.path('virtio_rng.inf'), '--device', device)
        code, document = report(self.ntbox, 'run', '--inf', self.path('virtio_rng.inf'), '--device', '-S')
        expect_equal('exit code', code, 3)
        expect("'-S'" in document['sentence'], document['sentence'])

    def check(self):
        code, document = report(self.ntbox, 'check', self.path('virtio_rng.inf'), self.path('everything.inf'))
        expect_equal('exit code', code, 0)
        expect_equal('installable', [one['installable'] for one in document['packages']], [True, True])
        expect_equal('ids', document['packages'][0]['models'][0]['ids'], [r'PCI\VEN_1AF4&DEV_1005', r'PCI\VEN_1AF4&DEV_1044'])
        expect_equal('images', sorted(os.path.basename(one['file']) for one in document['images']), ['EVERY.SYS', 'every2.sys', 'virtio_rng.sys'])
        expect(any('machine.inf' in note for note in document['packages'][1]['notes']), 'a note about what is included')
        code, document = report(self.ntbox, 'check', os.path.join(self.corpus, 'bad/dword.inf'))
        expect_equal('exit code of a bad one', code, 2)
        expect(document['packages'][0]['sentence'].startswith('dword.inf:14: '), 'its line')
        code, document = report(self.ntbox, 'check', self.path('nothing.inf'))
        expect_equal('exit code of none', code, 3)

    def missing_imports(self):
        """The package's driver is checked as any other is."""
        shutil.copy(self.path('virtio_rng.inf'), self.path('more/virtio_rng.inf'))
        with open(self.path('more/virtio_rng.sys'), 'wb') as file:
            file.write(b'no image')
        code, document = report(self.ntbox, 'check', self.path('more/virtio_rng.inf'))
        expect_equal('exit code', code, 2)
        expect_equal('loadable', document['images'][0]['loadable'], False)


def main():
    ntbox, corpus, samples = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        packages = Packages(ntbox, corpus, samples, folder)
        for check in (packages.database, packages.files, packages.services, packages.started_as_the_inf_says, packages.with_a_driver_named,
                      packages.bad_packages, packages.own_files, packages.devices, packages.check, packages.missing_imports):
            tally.run(check.__name__, check)
    finish(tally)


if __name__ == '__main__':
    main()
