#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every bad driver against test/bad/expected.tsv: exit code, outcome, and what the report must say.
usage: run_bad.py NTBOX BAD-FOLDER EXPECTED.tsv"""
import csv
import os
import sys

from runs import Tally, call, expect, expect_equal, finish, report


def rows(path):
    with open(path, encoding='utf-8', newline='') as file:
        lines = [line for line in file if line.strip() and not line.startswith('#')]
    return list(csv.DictReader(lines, delimiter='\t', quoting=csv.QUOTE_NONE))


class Bad:
    def __init__(self, ntbox, folder):
        self.ntbox, self.folder = ntbox, folder

    def words(self, row):
        """A driver that owns a device comes with the package that the arguments name; any other stands on the command line."""
        words = row['arguments'].split()
        if '--inf' in words:
            at = words.index('--inf') + 1
            return ['run', *words[:at], os.path.join(self.folder, words[at]), *words[at + 1:]]
        return ['run', os.path.join(self.folder, row['driver'] + '.sys'), *words]

    def check(self, row):
        code, out, err = call(self.ntbox, *self.words(row))
        last = out.rstrip().splitlines()[-1] if out.strip() else err.strip()
        expect(code == int(row['exit']), f'exit code {code}, not {row["exit"]}: {last}')
        expect(f'({row["outcome"]}, ' in last, f'the outcome is not {row["outcome"]}: {last}')
        expect(row['must_say'] in out, f'the report does not say "{row["must_say"]}": {last}')

    def check_stop(self, row):
        """The code and the parameters of the bug check, and the function of the driver that is blamed."""
        _, document = report(self.ntbox, *self.words(row))
        stop = document['bug_check']
        is_now = [stop['code'], *stop['parameters']]
        for wanted, actual in zip(row['stop'].split(), is_now, strict=True):
            expect(wanted == '*' or int(wanted, 16) == int(actual, 16), f'the bug check is {" ".join(is_now)}, not {row["stop"]}')
        expect_equal('the module to blame', stop['module'], row['driver'] + '.sys')
        symbol = stop.get('symbol', '')
        expect(not row['blamed'] or symbol.split(' ')[0] == row['blamed'], f'{symbol} is blamed, not {row["blamed"]}')

    def check_verb(self, row):
        """`ntbox check` foresees what the kernel will refuse to load, and only that."""
        code, document = report(self.ntbox, 'check', os.path.join(self.folder, row['driver'] + '.sys'))
        image = document['images'][0]
        refused = row['outcome'] == 'cannot-load'
        expect_equal('exit code', code, 2 if refused else 0)
        expect_equal('loadable', image['loadable'], not refused)
        expect(image['sentence'] and '\n' not in image['sentence'], f'no sentence: {image["sentence"]!r}')
        if row['driver'] == 'writes_wx':
            expect(any('writable and executable' in text for text in image['warnings']), 'no warning of its section')

    def check_verb_on_no_image(self):
        for path, wanted in ((__file__, 2), (os.devnull, 3), ('/no/such/file.sys', 3)):
            code, document = report(self.ntbox, 'check', path)
            expect_equal(f'exit code for {path}', code, wanted)
            expect_equal(f'valid for {path}', document['images'][0]['valid'], False)

    def check_hang_tells_where(self):
        """The last known state: the step, and each processor's place."""
        code, document = report(self.ntbox, 'run', os.path.join(self.folder, 'never_returns.sys'), '--timeout', '3',
                                '--smp', '2')
        expect_equal('exit code', code, 1)
        steps = document['steps']
        expect_equal('the last step', (steps[-1]['operation'], steps[-1]['ended']), ('load', False))
        places = [state.get('place', '') for state in document['processors_at_time_limit']]
        expect(any(place.startswith('never_returns.sys') for place in places),
               f'no processor is in never_returns.sys: {places}')

    def check_crash_tells_where(self):
        """The faulting instruction, with function and line, and the driver on the stack."""
        _, document = report(self.ntbox, 'run', os.path.join(self.folder, 'entry_crashes.sys'))
        stop = document['bug_check']
        frames = [(frame.get('module'), frame.get('symbol', '')) for frame in stop['frames']]
        expect_equal('the IRQL of DriverEntry', stop['irql'], 0)
        expect(any(module == 'entry_crashes.sys' and 'entry_crashes.c:' in symbol for module, symbol in frames),
               f'no frame names a line of entry_crashes.c: {frames}')
        expect(any(module == 'ntoskrnl.exe' and symbol for module, symbol in frames),
               f'no frame names a function of the kernel: {frames}')

    def check_all_processors_are_shown(self):
        """Idle ones, and ones that spin in the driver with interrupts off: each has a stack in the report."""
        for driver, module in (('entry_crashes', 'ntoskrnl.exe'), ('crashes_in_broadcast', 'crashes_in_broadcast.sys')):
            _, document = report(self.ntbox, 'run', os.path.join(self.folder, driver + '.sys'), '--smp', '4')
            stop = document['bug_check']
            tops = {frame['processor']: frame.get('module') for frame in stop['other_processors'] if frame['depth'] == 0}
            expect_equal(f'{driver}: processors and where they stood', tops,
                         {number: module for number in range(4) if number != stop['processor']})
            expect(len(stop['frames']) > 1, f'{driver}: the one that faulted has no stack')

    def check_next_driver_is_not_blamed(self):
        """Memory that a driver wrote to after it freed it is looked at when the driver goes, before somebody else gets it."""
        files = [os.path.join(self.folder, name + '.sys') for name in ('leaves_written', 'frees_twice')]
        _, document = report(self.ntbox, 'run', '--each', *files)
        stop = document['bug_check']
        expect('were written to after they were freed' in stop['text'], f'it says {stop["text"]!r}')
        expect_equal('the module to blame', stop['module'], 'leaves_written.sys')
        said = [block['text'] for block in document['pool_blocks']]
        for verb in ('allocated by leaves_written.sys!DriverEntry (leaves_written.c:', 'freed by leaves_written.sys!DriverEntry (leaves_written.c:'):
            expect(any(text.startswith(verb) for text in said), f'nothing begins with "{verb}": {said}')

    def check_pool_is_accounted(self):
        """--pool: what a driver still holds at the end, by tag; a leak has its call chain."""
        _, document = report(self.ntbox, 'run', os.path.join(self.folder, 'leaks.sys'), '--pool')
        held = {(row['driver'], row['tag'], row['kind']): (row['count'], row['size']) for row in document['pool']}
        expect_equal('paged pool of leaks.sys', held.get(('leaks.sys', 'Leak', 'paged')), (1, 5000))
        expect(any(driver == 'ntoskrnl.exe' for driver, _, _ in held), 'the kernel holds nothing')
        chains = [leak.get('text', '') for leak in document['leaks'] if leak.get('tag') == 'Leak']
        expect(len(chains) == 2 and all('ntoskrnl.exe!IopCallEntry' in chain for chain in chains), f'the call chains are {chains}')

    def check_missing_are_all_named(self):
        _, document = report(self.ntbox, 'run', os.path.join(self.folder, 'missing_import.sys'))
        names = {(entry['dll'].lower(), entry['symbol']) for entry in document['missing']}
        expect_equal('the missing imports', names, {('ntoskrnl.exe', 'ThisFunctionDoesNotExist'),
                                                    ('hal.dll', 'HalThisFunctionDoesNotExist')})


def main():
    ntbox, folder, expected = sys.argv[1:]
    bad, tally = Bad(ntbox, folder), Tally()
    seen = set()
    for row in rows(expected):
        tally.run(f'{row["driver"]} {row["arguments"]}'.rstrip(), bad.check, row)
        if row['stop']:
            tally.run(f'bug check of {row["driver"]} {row["arguments"]}'.rstrip(), bad.check_stop, row)
        if row['driver'] not in seen and not row['arguments'].startswith('--strict'):
            seen.add(row['driver'])
            tally.run(f'check {row["driver"]}', bad.check_verb, row)
    tally.run('check of what is no image', bad.check_verb_on_no_image)
    tally.run('a hang tells where it stands', bad.check_hang_tells_where)
    tally.run('a crash tells where it is', bad.check_crash_tells_where)
    tally.run('a crash shows all processors', bad.check_all_processors_are_shown)
    tally.run('the next driver is not blamed', bad.check_next_driver_is_not_blamed)
    tally.run('pool is accounted for', bad.check_pool_is_accounted)
    tally.run('all missing imports are named', bad.check_missing_are_all_named)
    finish(tally)


main()
