#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers that import from other drivers: who is loaded with whom, who is refused, when they go.
usage: run_images.py NTBOX BUILD-FOLDER"""
import os
import shutil
import subprocess
import sys
import tempfile

from runs import Tally, call, expect, expect_equal, finish, report

ADD = r'\Device\NtboxClient:0x222000:05000000:4'
# ntbox's own drivers go at the end of a run, too.
OWN = ('agent.sys', 'pci.sys')


class Images:
    def __init__(self, ntbox, build, room):
        self.ntbox, self.build, self.room = ntbox, build, room

    def sample(self, name, flavour='mingw'):
        return os.path.join(self.build, 'drivers_sample', flavour, name + '.sys')

    def driver(self, name):
        return os.path.join(self.build, 'test/image', name + '.sys')

    def alone(self, path):
        """The same driver where nothing lies beside it."""
        return shutil.copy(path, tempfile.mkdtemp(dir=self.room))

    def check_with(self):
        """An image that lies elsewhere: not found, then named; the other flavour serves as well."""
        client = self.alone(self.sample('client'))
        code, document = report(self.ntbox, 'run', client)
        expect_equal('exit code', code, 2)
        expect_equal('sentence', document['sentence'], 'client.sys cannot load: 1 import is missing: there is no exporter.sys')
        code, document = report(self.ntbox, 'run', client, '--with', self.sample('exporter', 'msvc'), '--ioctl', ADD)
        expect_equal('exit code', code, 0)
        expect_equal('output', document['steps'][1]['output'], '06000000')

    def check_with_is_refused(self):
        for arguments, words in ((['--with', '/no/such/file.sys'], 'cannot read /no/such/file.sys'),
                                 (['--with', self.sample('client')], 'has an image of that name already'),
                                 (['--with', os.path.join(self.build, 'kernel/hal.dll')], "is ntbox's own")):
            code, _, err = call(self.ntbox, 'run', self.sample('client'), *arguments)
            expect_equal(f'exit code of {arguments[1]}', code, 3)
            expect(words in err, f'{err.strip()!r} does not say {words!r}')

    def check_names(self):
        """Names that no code page has, in a locale that has none of them; and a file with nothing in it."""
        name = 'größe-日本'
        path = shutil.copy(self.sample('hello'), os.path.join(self.room, name + '.sys'))
        done = subprocess.run([self.ntbox, 'run', path], capture_output=True, timeout=60, check=False, env={**os.environ, 'LC_ALL': 'C'})
        expect_equal('exit code', done.returncode, 0)
        text = done.stdout.decode()
        expect(f'unloaded     {name}.sys' in text, f'{text!r} does not name {name}.sys')
        expect(r'Services\größe-??' in text, 'what the driver printed in code page 1252 is lost')
        empty = os.path.join(self.room, 'empty.sys')
        with open(empty, 'wb'):
            code, document = report(self.ntbox, 'run', empty)
        expect_equal('result', (code, document['sentence']), (2, 'empty.sys cannot load: the file is empty'))

    def check_parameters(self):
        """An export driver has a service key, and so parameters: told.sys gives its value to asks_told.sys, which starts only with 42."""
        for value, wanted in (([], 'failed'), (['--param', 'told/Answer=dword:41'], 'failed'),
                              (['--param', 'asks_told/Answer=dword:42'], 'failed'), (['--param', 'told/Answer=dword:42'], 'passed')):
            _, document = report(self.ntbox, 'run', self.driver('asks_told'), *value)
            expect_equal(f'outcome with {value}', document['outcome'], wanted)
        code, _, err = call(self.ntbox, 'run', self.sample('client'), '--param', 'importer/Start=dword:1')
        expect_equal('exit code', code, 3)
        expect('no driver of this run is called importer' in err, err)

    def check_verb(self):
        """`ntbox check` names what is needed and whether it can be loaded."""
        for path, code, words in ((self.sample('client'), 0, 'can be loaded, together with exporter.sys'),
                                  (self.alone(self.sample('client')), 2, '1 import is missing: exporter.sys is neither beside it nor named by --with'),
                                  (self.driver('cycle_a'), 2, 'in a cycle')):
            actual, document = report(self.ntbox, 'check', path)
            expect_equal(f'exit code for {path}', actual, code)
            sentence = document['images'][0]['sentence'].replace('1 of 6 imports is', '1 import is')
            expect(words in sentence, f'{sentence!r} does not say {words!r}')

    def check_verb_with(self):
        """`ntbox check --with` takes imports from a file that lies elsewhere, as the run does."""
        client, exporter = self.alone(self.sample('client')), self.sample('exporter', 'msvc')
        code, document = report(self.ntbox, 'check', client, '--with', exporter)
        expect_equal('verdict', (code, document['images'][0]['sentence']), (0, 'can be loaded, together with exporter.sys'))
        expect_equal('file', [dll['file'] for dll in document['images'][0]['imports'] if dll['dll'] == 'exporter.sys'], [exporter])
        for path, words in (('/no/such/exporter.sys', 'no such file'), (os.path.join(self.build, 'kernel/hal.dll'), "is ntbox's own")):
            code, _, err = call(self.ntbox, 'check', client, '--with', path)
            expect_equal(f'exit code of {path}', code, 3)
            expect(words in err, f'{err.strip()!r} does not say {words!r}')

    def check_counted(self):
        """Two clients, of which one comes through a forwarder and in capitals: exporter.sys goes with the last."""
        for order in (['client', 'uses_forward'], ['uses_forward', 'client']):
            paths = {'client': self.sample('client'), 'uses_forward': self.driver('uses_forward')}
            folder = tempfile.mkdtemp(dir=self.room)
            for path in (*paths.values(), self.driver('forwards'), self.sample('exporter')):
                shutil.copy(path, folder)
            # The forwarder finds exporter.sys beside forwards.sys, which no import names.
            code, document = report(self.ntbox, 'run', *(os.path.join(folder, name + '.sys') for name in order), '--rounds', '2')
            expect_equal('sentence', (code, document['sentence']), (0, 'all steps succeeded'))
            unloads = [unload['driver'] for unload in document['unloads'] if unload['driver'] not in OWN]
            wanted = [order[1] + '.sys', order[0] + '.sys', 'exporter.sys']
            expect_equal('unloads', [name for name in unloads if name != 'forwards.sys'], wanted * 2)
            prints = [line['text'] for line in document['prints'] if 'DllUnload' in line['text']]
            expect_equal('the last words of exporter.sys', [p.strip() for p in prints], ['exporter: DllUnload, the sum was 11'] * 2)

    def check_refused(self, driver, *words):
        code, document = report(self.ntbox, 'run', self.driver(driver))
        expect_equal('exit code', code, 2)
        expect_equal('outcome', document['outcome'], 'cannot-load')
        for word in words:
            expect(word in document['sentence'], f'{document["sentence"]!r} does not say {word!r}')
        expect_equal('leaks', document['leaks'], [])

    def check_pends(self):
        """STATUS_PENDING is no error, so the driver is loaded; but it is a broken rule."""
        code, document = report(self.ntbox, 'run', self.driver('needs_pending'))
        expect_equal('exit code', code, 1)
        expect_equal('sentence', document['sentence'], 'init_pends.sys broke a rule: DllInitialize returned STATUS_PENDING, but what it has not done '
                                                       'then nobody waits for')

    def check_fails_late(self):
        """DllInitialize loads somebody who imports from its image, and fails: the image stays as long as that one, and for nobody else."""
        others = [word for name in ('needs_late', 'bound_late', 'fails_late') for word in ('--with', self.driver(name))]
        code, document = report(self.ntbox, 'run', self.alone(self.driver('tries_late')), *others, '--rounds', '2', '--ioctl',
                                r'\Device\NtboxBoundLate:0x222000::1')
        expect_equal('sentence', (code, document['sentence']), (2, 'round 1: needs_late.sys cannot load: it imports from fails_late.sys, '
                                                                   'which failed: DllInitialize returned 0xC00000A3'))
        expect_equal('output', [step['output'] for step in document['steps'] if step['operation'] == 'ioctl'], ['2a'] * 2)
        unloads = [unload['driver'] for unload in document['unloads'] if unload['driver'] not in OWN]
        expect_equal('unloads', sorted(unloads), sorted(['tries_late.sys', 'bound_late.sys', 'fails_late.sys'] * 2))
        expect_equal('leaks', document['leaks'], [])

    def check_stays(self):
        """Without DllUnload it stays, and serves the next client."""
        code, document = report(self.ntbox, 'run', self.driver('needs_staying'), '--rounds', '3')
        expect_equal('sentence', (code, document['sentence']), (0, 'all steps succeeded'))
        loaded = [image['driver'] for image in document['images'] if image['driver'] == 'stays.sys']
        expect_equal('loads of stays.sys', loaded, ['stays.sys'])

    def check_service_too(self):
        """An image that is there as a DLL becomes a service, and the other way round."""
        for order in (['needs_staying', 'stays'], ['stays', 'needs_staying']):
            code, document = report(self.ntbox, 'run', *(self.driver(name) for name in order))
            expect_equal('sentence', (code, document['sentence']), (0, 'all steps succeeded'))
            loaded = [image['driver'] for image in document['images'] if image['driver'] == 'stays.sys']
            expect_equal('loads of stays.sys', loaded, ['stays.sys'])


def main():
    ntbox, build = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory() as room:
        images = Images(ntbox, build, room)
        tally.run('an image that is named by --with', images.check_with)
        tally.run('--with that is refused', images.check_with_is_refused)
        tally.run('names beyond ASCII, and an empty file', images.check_names)
        tally.run('parameters of an export driver', images.check_parameters)
        tally.run('ntbox check', images.check_verb)
        tally.run('ntbox check --with', images.check_verb_with)
        tally.run('two clients, one by a forwarder', images.check_counted)
        tally.run('a cycle', images.check_refused, 'cycle_a', 'cycle_a.sys cannot load',
                  'it imports from cycle_b.sys', 'imports form a cycle: cycle_a.sys -> cycle_b.sys -> cycle_a.sys')
        tally.run('DllInitialize fails', images.check_refused, 'needs_failing', 'needs_failing.sys cannot load',
                  'it imports from init_fails.sys, which failed: DllInitialize returned 0xC00000A3')
        tally.run('DllInitialize pends', images.check_pends)
        tally.run('DllInitialize fails when others are bound', images.check_fails_late)
        tally.run('no DllUnload', images.check_stays)
        tally.run('a DLL that is a service too', images.check_service_too)
    finish(tally)


main()
