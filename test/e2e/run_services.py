#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Start types, groups, tags and dependencies decide the order in which drivers are started; what cannot be started says why.
usage: run_services.py NTBOX SAMPLES-FOLDER BAD-FOLDER"""
import os
import shutil
import sys
import tempfile

from runs import Tally, call, expect, expect_all_passed, expect_equal, finish, report


OWN = ('agent', 'npfs', 'pci', 'ramfs')  # drivers of ntbox itself, in every run


class Services:
    def __init__(self, ntbox, samples, bad, folder):
        self.ntbox = ntbox
        self.bad = bad
        self.package = os.path.join(samples, 'msvc/virtio_rng.inf')
        self.files = []
        for name in 'abcde':
            self.files.append(os.path.join(folder, name + '.sys'))
            shutil.copy(os.path.join(samples, 'mingw/hello.sys'), self.files[-1])

    def run(self, *words, drivers=None):
        settings = [part for word in words for part in
                    ((word,) if word.startswith('--') else ('--service', word))]
        code, document = report(self.ntbox, 'run', *(drivers or self.files), *settings)
        document['services'] = [one for one in document['services'] if one['name'] not in OWN]
        document['entries'] = [one for one in document['entries'] if one['driver'].removesuffix('.sys') not in OWN]
        return code, document

    def expect_started(self, document, wanted):
        expect_equal('order', ' '.join(one['name'] for one in document['services']), wanted)

    def start_types(self):
        code, document = self.run('a/start=auto', 'b/start=demand', 'c/start=system', 'd/start=boot', 'e/start=boot')
        expect_equal('exit code', code, 0)
        self.expect_started(document, 'd e c a')
        loads = [step['operation'] for step in document['steps']]
        expect_equal('steps', loads, ['load'] + ['unload'] * 5)
        entries = [entry['driver'] for entry in document['entries']]
        expect_equal('entries', entries, ['d.sys', 'e.sys', 'c.sys', 'a.sys', 'b.sys'])
        expect_all_passed(document)

    def devices(self):
        """Devices are started behind the drivers of boot start, and before the others."""
        code, document = self.run('a/start=auto', 'b/start=boot', 'c/start=system', f'--inf={self.package}', '--device=virtio-rng-pci')
        expect_equal('exit code', code, 0)
        entries = [entry['driver'] for entry in document['entries']]
        expect_equal('entries', entries, ['b.sys', 'virtio_rng.sys', 'c.sys', 'a.sys', 'd.sys', 'e.sys'])
        expect_all_passed(document)

    def groups_and_tags(self):
        code, document = self.run('start=boot', 'a/group=Late', 'b/group=bus', 'b/tag=1', 'c/group=Bus', 'c/tag=7',
                                  'd/group=Unlisted', '--group-order=Bus:7,1/Late')
        expect_equal('exit code', code, 0)
        self.expect_started(document, 'c b a d e')

    def usual_groups(self):
        code, document = self.run('start=boot', 'a/group=NDIS', 'b/group=Boot Bus Extender', 'c/group=Filter',
                                  'd/group=System Bus Extender')
        expect_equal('exit code', code, 0)
        self.expect_started(document, 'b d c a e')

    def dependencies(self):
        """d and e are on demand; d is needed by a, which makes the kernel start it."""
        code, document = self.run('a/start=auto', 'a/depend=c/D', 'b/start=boot', 'b/depend=+Net', 'c/start=auto',
                                  'c/group=Net')
        expect_equal('exit code', code, 0)
        self.expect_started(document, 'c b d a')

    def rounds(self):
        """What the first round has unloaded is loaded on demand in the second."""
        code, document = self.run('a/start=boot', '--rounds=2', drivers=self.files[:1])
        expect_equal('exit code', code, 0)
        expect_equal('steps', [step['operation'] for step in document['steps']], ['unload', 'load', 'unload'])
        expect_all_passed(document)

    def refused(self):
        """A circle, what is missing or disabled, and who depends on those: each says so, and nobody else is hindered."""
        code, document = self.run('start=auto', 'a/depend=b', 'b/depend=a', 'c/depend=nosuch', 'd/depend=+Nobody')
        expect_equal('exit code', code, 2)
        said = {one['name']: one.get('text') for one in document['services']}
        expect_equal('a', said['a'], 'it depends on b, which in a circle depends on it')
        expect_equal('b', said['b'], 'it depends on a, which in a circle depends on it')
        expect_equal('c', said['c'], 'it depends on nosuch, and there is no such service')
        expect_equal('d', said['d'], 'it depends on the group Nobody, of which no driver starts by itself')
        expect_equal('e', said['e'], None)
        outcomes = {driver['driver']: driver['exit_code'] for driver in document['drivers']}
        expect_equal('exit codes', [outcomes[name + '.sys'] for name in 'abcd'], [2] * 4)

    def disabled(self):
        code, document = self.run('a/start=disabled', drivers=self.files[:1])
        expect_equal('exit code', code, 2)
        expect('STATUS_PLUGPLAY_NO_DEVICE' in document['sentence'], document['sentence'])
        code, document = self.run('a/start=disabled', 'b/start=boot', 'b/depend=a', drivers=self.files[:2])
        expect_equal('why', document['services'][0]['text'], 'it depends on a, which is disabled')

    def failing(self, error, *more):
        failing = os.path.join(self.bad, 'entry_fails.sys')
        return self.run('entry_fails/start=boot', f'entry_fails/error={error}', 'a/start=system', 'a/depend=entry_fails',
                        'b/start=auto', 'b/depend=a', *more, drivers=[failing, *self.files[:2]])

    def failing_dependants(self):
        """A DriverEntry that fails takes down who depends on it, and who depends on that."""
        code, document = self.failing('ignore')
        expect_equal('exit code', code, 1)
        self.expect_started(document, 'entry_fails a b')
        expect_equal('a', document['services'][1]['text'], 'it depends on entry_fails, which was not started')
        expect_equal('b', document['services'][2]['text'], 'it depends on a, which was not started')
        expect_equal('steps after the failure', document['steps'][-1]['ended'], True)

    def critical(self):
        code, document = self.failing('critical')
        expect_equal('exit code', code, 1)
        expect('service entry_fails, whose ErrorControl is critical, stopped the boot' in document['sentence'],
               document['sentence'])
        expect_equal('code', document['bug_check']['code'], '0x5a')

    def hanging(self):
        never = os.path.join(self.bad, 'never_returns.sys')
        code, document = self.run('start=boot', '--timeout=4', drivers=[never])
        expect_equal('exit code', code, 1)
        expect('while service never_returns was started' in document['sentence'], document['sentence'])

    def image_path(self):
        """Relative to the system root, as sc.exe and INF files write it; the name of the file is not that of the service."""
        for path in ('system32\\DRIVERS\\e.sys', '\\SystemRoot\\System32\\drivers\\e.sys'):
            code, document = self.run('b/start=system', f'b/binPath={path}', 'b/type=filesys', '--with=' + self.files[4],
                                      drivers=self.files[1:2])
            expect_equal('exit code', code, 0)
            expect('e.sys' in [image['driver'] for image in document['images']], 'the image of e was not loaded')
        code, document = self.run('a/start=boot', 'a/binPath=system32\\drivers\\nosuch.sys', drivers=self.files[:1])
        expect_equal('exit code', code, 2)

    def mistakes(self):
        for words, wanted in ((['--service', 'start=often'], 'start is one of boot, system, auto, demand, disabled'),
                              (['--service', 'nosuch/start=boot'], 'no driver of this run is called nosuch'),
                              (['--service', 'depend=a//b'], 'names nothing between its slashes'),
                              (['--service', 'colour=red'], "'colour' is none of type, start"),
                              (['--group-order', 'A:x'], '--group-order: a tag'),
                              (['--service', 'start=boot', '--fail-allocations', 'each'], 'started on demand')):
            code, _, err = call(self.ntbox, 'run', self.files[0], *words)
            expect_equal('exit code', code, 3)
            expect(wanted in err and err.count('\n') == 1, err)


def main():
    ntbox, samples, bad = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        services = Services(ntbox, samples, bad, folder)
        for name in ('start_types', 'devices', 'groups_and_tags', 'usual_groups', 'dependencies', 'rounds', 'refused', 'disabled',
                     'failing_dependants', 'critical', 'hanging', 'image_path', 'mistakes'):
            tally.run(name.replace('_', ' '), getattr(services, name))
    finish(tally)


if __name__ == '__main__':
    main()
