#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the generators and checkers in tools/: each rule accepts a good input and refuses a bad one."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../..'))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
sys.dont_write_bytecode = True
import abi            # noqa: E402
import check_layers   # noqa: E402
import contracts      # noqa: E402
import export_gate    # noqa: E402
import exports        # noqa: E402
import locks          # noqa: E402

SET = 'done <=DISPATCH event.set LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);\n'


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path


class Exports(Files):
    def table(self, text):
        return exports.read([self.write('x.exp', text)])

    def refused(self, text, part):
        with self.assertRaises(exports.Bad) as caught:
            self.table(text)
        self.assertIn(part, str(caught.exception))
        self.assertRegex(str(caught.exception), r'x\.exp:\d+:')

    def test_function(self):
        e = self.table('# comment\n' + SET).exports[0]
        self.assertEqual((e.name, e.state, e.irql, e.case, e.line), ('KeSetEvent', 'done', '<=DISPATCH', 'event.set', 2))

    def test_continuation_line(self):
        e = self.table('done ANY a.b VOID F(\n    VOID);\n').exports[0]
        self.assertEqual((e.name, e.prototype), ('F', 'VOID F( VOID)'))

    def test_data_is_marked_in_the_def_file(self):
        t = self.table('data ANY o.t POBJECT_TYPE PsThreadType;\n')
        self.assertIn('    PsThreadType DATA\n', exports.kernel_def(t))

    def test_alias_names_the_c_function(self):
        t = self.table('done ANY i.g [alias=KiGet] KIRQL KeGetCurrentIrql(VOID);\n')
        self.assertIn('    KeGetCurrentIrql = KiGet\n', exports.kernel_def(t))
        self.assertIn('KIRQL KiGet(VOID);', exports.prototype_check(t))

    def test_planned_can_be_linked_and_is_not_exported(self):
        t = self.table('planned ' + SET)
        self.assertIn('KeSetEvent', exports.import_def(t))
        self.assertNotIn('KeSetEvent', exports.kernel_def(t))
        self.assertNotIn('KeSetEvent', exports.markdown(t))

    def test_hal_forwards_and_its_names_leave_the_other_import_library(self):
        t = self.table(SET + 'forward KeSetEvent\n')
        self.assertIn('    KeSetEvent = ntoskrnl.KeSetEvent\n', exports.hal_def(t))
        self.assertIn('KeSetEvent', exports.hal_import_def(t))
        self.assertNotIn('KeSetEvent', exports.import_def(t))

    def test_refusals(self):
        self.refused('stub ANY a.b VOID F(VOID);\n', 'expected')
        self.refused('done SOMETIMES a.b VOID F(VOID);\n', 'IRQL')
        self.refused('done ANY a VOID F(VOID);\n', 'test case')
        self.refused('done ANY a.b [quick] VOID F(VOID);\n', 'flag')
        self.refused('noop ANY a.b VOID F(VOID);\n', 'cite')
        self.refused('done ANY a.b VOID F(int A, ...);\n', 'varargs')
        self.refused(SET + SET, 'listed already')
        self.refused('forward KeSetEvent\n', 'does not export')
        self.refused('inline A -> B\n', 'not exported')


class Contracts(Files):
    def judged(self, body, irql='<=DISPATCH'):
        self.write('kernel/ke/a.c', '/* KeSetEvent(1) { } */\nLONG NTAPI KeSetEvent(PRKEVENT Event,\n    BOOLEAN Wait)\n{' + body + '}\n')
        export = exports.read([self.write('x.exp', SET.replace('<=DISPATCH', irql))]).exports[0]
        where, text = contracts.definitions(self.folder.name, {'KeSetEvent'})['KeSetEvent']
        return contracts.judge(export, where, text)

    def test_agrees(self):
        self.assertIsNone(self.judged('KI_REQUIRE_IRQL(DISPATCH_LEVEL); return 0;'))
        self.assertIsNone(self.judged('KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);', '=DISPATCH'))
        self.assertIsNone(self.judged('KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);', '>=DISPATCH'))
        self.assertIsNone(self.judged('KI_REQUIRE_IRQL(PASSIVE_LEVEL);', 'PASSIVE'))
        self.assertIsNone(self.judged('KI_REQUIRE_IRQL(Interrupt->SynchronizeIrql);', '<=DIRQL'))
        self.assertIsNone(self.judged('return 0;'))

    def test_loosest_counts_and_declarations_may_come_first(self):
        self.assertIsNone(self.judged('PKTHREAD T = KiCurrentThread(); KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);'))

    def test_refusals(self):
        self.assertIn('requires <=APC', self.judged('KI_REQUIRE_IRQL(APC_LEVEL);'))
        self.assertIn('requires =DISPATCH', self.judged('KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);'))
        self.assertIn('before it states', self.judged('KiLock(); KI_REQUIRE_IRQL(DISPATCH_LEVEL);'))


class Locks(Files):
    RANKS = """typedef enum _ARCH_LOCK_RANK {
        LockRankDriver =
            0, /* drivers' */
        LockRankPool, /* the
                       * pool */
    } ARCH_LOCK_RANK;"""

    def rows(self, source, ranks=RANKS):
        self.write(locks.RANKS_IN, ranks)
        self.write('kernel/ex/a.c', source)
        return list(locks.rows(locks.read_ranks(self.folder.name), list(locks.read_locks(self.folder.name))))

    def test_lock_and_rank_without_one(self):
        driver, pool = self.rows('static ARCH_LOCK A = ARCH_LOCK_INIT("pool lock", LockRankPool, HIGH_LEVEL);')
        self.assertIn('| 0 Driver | drivers\' | - |', driver)
        self.assertIn('| pool lock | HIGH_LEVEL | kernel/ex/a.c |', pool)

    def test_class_designated_or_in_order(self):
        for fields in ('"bit", LockRankPool, DISPATCH_LEVEL, TRUE',
                       '.Name = "bit", .Irql = DISPATCH_LEVEL, .AddressOrder = TRUE, .Rank = LockRankPool'):
            row = self.rows(f'const ARCH_LOCK_CLASS C = {{{fields}}};')[1]
            self.assertIn('| bit, in address order | DISPATCH_LEVEL |', row)

    def test_refusals(self):
        with self.assertRaisesRegex(locks.Bad, 'which is none'):
            self.rows('ARCH_LOCK A = ARCH_LOCK_INIT("a", LockRankHal, HIGH_LEVEL);')
        with self.assertRaisesRegex(locks.Bad, 'the IRQL 2'):
            self.rows('ARCH_LOCK A = ARCH_LOCK_INIT("a", LockRankPool, 2);')
        with self.assertRaisesRegex(locks.Bad, 'needs a comment'):
            self.rows('', 'typedef enum _ARCH_LOCK_RANK { LockRankDriver = 0, } ARCH_LOCK_RANK;')


class Gate(unittest.TestCase):
    def judged(self, report, **changes):
        export = {'name': 'KeSetEvent', 'state': 'done', 'case': 'event.set', 'planned': False, 'flags': {},
                  'file': 'ke.exp', 'line': 1} | changes
        measured = export_gate.Measured()
        measured.add(report)
        return [why for _, why in export_gate.judge([export], measured, set())]

    def report(self, passed=True, count=1, **more):
        return {'cases': [{'case': 'event.set', 'ended': True, 'passed': passed, 'text': 'event.c:3'}],
                'calls': [{'case': 'event.set', 'symbol': 'KeSetEvent', 'count': count}]} | more

    def test_called_by_its_passing_case(self):
        self.assertEqual(self.judged(self.report()), [])

    def test_not_run(self):
        self.assertIn('did not run', self.judged({})[0])

    def test_not_called(self):
        self.assertIn('without calling', self.judged(self.report(count=0))[0])

    def test_called_by_another_case_only(self):
        self.assertIn('without calling', self.judged(self.report() | {
            'calls': [{'case': 'event.other', 'symbol': 'KeSetEvent', 'count': 5}]})[0])

    def test_failed(self):
        self.assertIn('event.c:3', self.judged(self.report(passed=False))[0])

    def test_planned(self):
        self.assertIn('planned', self.judged(self.report(), planned=True)[0])

    def test_data_needs_an_import(self):
        self.assertIn('imports', self.judged(self.report(), state='data')[0])

    def test_stop_only_with_the_mark_and_only_for_noreturn(self):
        stop = {'cases': [{'case': 'event.set', 'ended': False, 'passed': False}],
                'bug_check': {'code': '0xe2', 'parameters': ['0x4e54424f58', '0x0', '0x0', '0x0']}}
        self.assertEqual(self.judged(stop, flags={'noreturn': True}), [])
        self.assertNotEqual(self.judged(stop), [])
        stop['bug_check']['parameters'][0] = '0x1'
        self.assertNotEqual(self.judged(stop, flags={'noreturn': True}), [])


class LayerRules(Files):
    TOML = 'order = [["io"], ["ke"]]\ncommon = ["nt.h"]\n[serving]\nrtl = []\n[outside]\n"pe/" = ["io"]\n'

    def problems(self, files):
        for name, text in {'kernel/layers.toml': self.TOML, 'kernel/include/ke.h': '', 'kernel/include/io.h': '',
                           'kernel/include/rtl.h': '', 'kernel/include/nt.h': '', 'kernel/ke/ki.h': ''}.items():
            self.write(name, text)
        for name, text in files.items():
            self.write(name, text)
        layers = check_layers.Layers(os.path.join(self.folder.name, 'kernel/layers.toml'))
        return check_layers.kernel_includes(self.folder.name, layers)

    def test_downwards_serving_common_and_private(self):
        self.assertEqual(self.problems({
            'kernel/io/a.c': '#include "ke.h"\n#include "rtl.h"\n#include "nt.h"\n#include "pe/pe.h"\n',
            'kernel/ke/b.c': '#include "ki.h"\n#include "ke/ki.h"\n'}), [])

    def test_refusals(self):
        for file, include, part in [('kernel/ke/b.c', 'io.h', 'not below'), ('kernel/io/a.c', 'ke/ki.h', 'private'),
                                    ('kernel/ke/b.c', 'pe/pe.h', 'may not use pe/'), ('kernel/new/c.c', 'nt.h', 'does not know'),
                                    ('kernel/ke/b.c', 'nowhere.h', 'neither'), ('kernel/include/ke.h', 'io.h', 'not below')]:
            found = self.problems({file: f'#include "{include}"\n'})
            self.assertTrue(any(part in p for p in found), (include, found))
            os.remove(os.path.join(self.folder.name, file))


class Abi(Files):
    def test_asserts(self):
        path = self.write('a.tsv', 'struct\tfield\toffset\tsize\tsource\nIRP\t-\t-\t0xD0\tx\nIRP\tType\t0\t2\tx\n')
        lines = [l for row in abi.rows(path) for l in abi.asserts(*row)]
        self.assertEqual(len(lines), 3)
        self.assertIn('sizeof(IRP) == 0xd0', lines[0])

    def test_a_row_without_source_is_refused(self):
        path = self.write('a.tsv', 'struct\tfield\toffset\tsize\tsource\nIRP\t-\t-\t0xD0\t\n')
        with self.assertRaises(abi.Bad):
            list(abi.rows(path))


if __name__ == '__main__':
    unittest.main()
