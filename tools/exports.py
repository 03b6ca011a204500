#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read ddk_shim/exports/*.exp, the one list of what ntoskrnl.exe and hal.dll export, and write everything that is
made from it: .def files, the compiler's prototype check, the documentation and the machine-readable table.
The grammar is described in ddk_shim/README.md. Uses the standard library only."""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass, field

IRQL = {'ANY', 'PASSIVE', '<=APC', '=APC', '<=DISPATCH', '=DISPATCH', '>=DISPATCH', '<=DIRQL', '<=HIGH'}
FLAGS = {'raw', 'varargs', 'noreturn', 'alias', 'cite'}
LINE = re.compile(r'(planned\s+)?(done|noop|data)\s+(\S+)\s+(\S+)\s+(?:\[([^\]]*)\]\s*)?(.+);$')
NAME = re.compile(r'[A-Za-z_]\w*$')
FUNCTION = re.compile(r'([A-Za-z_]\w*)\s*\(')
VARIABLE = re.compile(r'([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?$')


class Bad(Exception):
    """A line that breaks the grammar or a rule; the message names file and line."""


@dataclass
class Export:
    name: str
    state: str          # done | noop | data | forward
    irql: str = ''
    case: str = ''      # conformance case, "driver.case"
    flags: dict = field(default_factory=dict)
    prototype: str = ''
    planned: bool = False
    file: str = ''
    line: int = 0

    @property
    def is_data(self):
        return self.state == 'data'


@dataclass
class Table:
    exports: list = field(default_factory=list)   # of ntoskrnl.exe
    forwards: list = field(default_factory=list)  # of hal.dll
    inlines: list = field(default_factory=list)   # (name, export behind it, file, line)

    def built(self):
        return [e for e in self.exports if not e.planned]


def logical_lines(path):
    """Yield (line number, text): comments and empty lines dropped, an indented line continues the one before."""
    number, text = 0, ''
    with open(path, encoding='utf-8') as f:
        for n, raw in enumerate(f, 1):
            line = raw.split('#', 1)[0].rstrip()
            if not line:
                continue
            if line[0] in ' \t' and text:
                text += ' ' + line.strip()
                continue
            if text:
                yield number, text
            number, text = n, line
    if text:
        yield number, text


def parse_flags(text):
    flags = {}
    for word in (text or '').split():
        key, _, value = word.partition('=')
        if key not in FLAGS:
            raise Bad(f'unknown flag "{key}" (known: {" ".join(sorted(FLAGS))})')
        flags[key] = value or True
    return flags


def parse_export(text):
    m = LINE.match(text)
    if not m:
        raise Bad('expected "[planned] done|noop|data IRQL driver.case [flags] PROTOTYPE;"')
    planned, state, irql, case, flags, prototype = m.groups()
    if irql not in IRQL:
        raise Bad(f'unknown IRQL contract "{irql}" (known: {" ".join(sorted(IRQL))})')
    if not re.match(r'[a-z0-9_]+\.[a-z0-9_]+$', case):
        raise Bad(f'"{case}" is not a test case ("driver.case")')
    prototype = ' '.join(prototype.split())
    found = (VARIABLE.search if state == 'data' else FUNCTION.search)(prototype)
    if not found:
        raise Bad('the prototype names nothing')
    flags = parse_flags(flags)
    if state == 'noop' and 'cite' not in flags:
        raise Bad('a noop export needs [cite=page]: only documented no-effect calls may be one')
    if ('...' in prototype) != ('varargs' in flags):
        raise Bad('[varargs] and "..." in the prototype belong together')
    return Export(found.group(1), state, irql, case, flags, prototype, bool(planned))


def parse_line(text, table, where):
    word, _, rest = text.partition(' ')
    if word == 'forward':
        if not NAME.match(rest.strip()):
            raise Bad('expected "forward Name"')
        table.forwards.append(Export(rest.strip(), 'forward', file=where[0], line=where[1]))
    elif word == 'inline':
        m = re.match(r'(\w+)\s*->\s*(\w+|-)$', rest.strip())
        if not m:
            raise Bad('expected "inline Name -> Export" (or -> - when no export stands behind it)')
        table.inlines.append((m.group(1), m.group(2), *where))
    else:
        e = parse_export(text)
        e.file, e.line = where
        table.exports.append(e)


def read(paths):
    table = Table()
    for path in paths:
        base = os.path.basename(path)
        for number, text in logical_lines(path):
            try:
                parse_line(text, table, (base, number))
            except Bad as problem:
                raise Bad(f'{path}:{number}: {problem}') from None
    check(table)
    table.exports.sort(key=lambda e: e.name)
    table.forwards.sort(key=lambda e: e.name)
    table.inlines.sort()
    return table


def check(table):
    seen = {}
    for e in table.exports:
        if e.name in seen:
            other = seen[e.name]
            raise Bad(f'{e.file}:{e.line}: {e.name} is listed already in {other.file}:{other.line}')
        seen[e.name] = e
    forwarded = set()
    for f in table.forwards:
        if f.name in forwarded:
            raise Bad(f'{f.file}:{f.line}: {f.name} is forwarded twice')
        forwarded.add(f.name)
        if f.name not in seen:
            raise Bad(f'{f.file}:{f.line}: hal.dll forwards {f.name}, which ntoskrnl.exe does not export')
    for name, target, file, line in table.inlines:
        if target != '-' and target not in seen:
            raise Bad(f'{file}:{line}: {name} stands for {target}, which is not exported')


def def_text(library, lines):
    return f'; Made by tools/exports.py from ddk_shim/exports/*.exp.\nLIBRARY {library}\nEXPORTS\n' + \
        ''.join(f'    {line}\n' for line in lines)


def kernel_def(table):
    """For the link of ntoskrnl.exe: only what is built; a data export is marked so that no thunk is made."""
    lines = []
    for e in table.built():
        alias = e.flags.get('alias')
        lines.append(e.name + (f' = {alias}' if alias else '') + (' DATA' if e.is_data else ''))
    return def_text('ntoskrnl.exe', lines)


def hal_def(table):
    built = {e.name for e in table.built()}
    return def_text('hal.dll', [f'{f.name} = ntoskrnl.{f.name}' for f in table.forwards if f.name in built])


def import_def(table):
    """For the drivers' import library of ntoskrnl.exe. As in the driver kit, names of hal.dll come from its own."""
    of_hal = {f.name for f in table.forwards}
    return def_text('ntoskrnl.exe', [e.name + (' DATA' if e.is_data else '')
                                     for e in table.exports if e.name not in of_hal])


def hal_import_def(table):
    return def_text('hal.dll', [f.name for f in table.forwards])


def prototype_check(table):
    """A C file whose compilation proves that each listed prototype is the one that the headers declare."""
    out = ['/* Made by tools/exports.py: the compiler compares the .exp lists with the headers. */',
           '#include "ntbox_ddk.h"', '#include "ntbox/crt.h"', '#include "ntbox/loaded_module.h"', '']
    for e in table.exports:
        name = e.flags.get('alias', e.name)  # the headers have an inline function of an aliased export's name
        prototype = re.sub(rf'\b{e.name}\b', name, e.prototype)
        out.append(f'#undef {name}')
        out.append(f'#line {e.line} "{e.file}"')
        out.append(f'extern __typeof__({name}) {name}; /* declared by the headers? */')
        out.append(f'#line {e.line} "{e.file}"')
        out.append(('extern ' if e.is_data else '') + prototype + ';')
    return '\n'.join(out) + '\n'


def rows(table):
    for e in table.exports:
        yield 'ntoskrnl.exe', e
    for f in table.forwards:
        yield 'hal.dll', f


def state_of(e):
    return 'planned' if e.planned else e.state


def tsv(table):
    """Columns for `ntbox exports`: dll, name, state, irql, case, flags, prototype."""
    out = ['dll\tname\tstate\tirql\tcase\tflags\tprototype']
    for dll, e in rows(table):
        flags = ' '.join(k if v is True else f'{k}={v}' for k, v in sorted(e.flags.items()))
        out.append('\t'.join([dll, e.name, state_of(e), e.irql, e.case, flags, e.prototype]))
    return '\n'.join(out) + '\n'


def to_json(table):
    return json.dumps({
        'exports': [asdict(e) | {'dll': 'ntoskrnl.exe'} for e in table.exports],
        'forwards': [f.name for f in table.forwards],
        'inlines': [{'name': n, 'export': t} for n, t, _, _ in table.inlines],
    }, indent=1) + '\n'


def markdown(table):
    built = table.built()
    count = {s: sum(e.state == s for e in built) for s in ('done', 'noop', 'data')}
    out = ['<!-- Made by tools/exports.py from ddk_shim/exports/*.exp; do not edit. -->', '# Exports', '',
           f'ntoskrnl.exe exports {len(built)} names: {count["done"]} functions with their documented behaviour, '
           f'{count["noop"]} documented to have no effect here, {count["data"]} variables. '
           f'hal.dll forwards {len(table.forwards)} of them.', '',
           'Each function is called by the named case of test/conform in `make test`; the gate '
           '(tools/export_gate.py) fails when it is not. There are no stubs: a name that is not here is not exported, '
           'and a driver that imports it is refused with the name.', '']
    for file in sorted({e.file for e in built}):
        out += [f'## {file.removesuffix(".exp")}', '', '| name | state | IRQL | test case | prototype |',
                '|---|---|---|---|---|']
        for e in built:
            if e.file == file:
                irql = e.irql.replace('<', '&lt;').replace('>', '&gt;')
                out.append(f'| `{e.name}` | {e.state} | {irql} | {e.case} | `{e.prototype}` |')
        out.append('')
    out += ['## hal.dll', '', 'Forwarders to ntoskrnl.exe: ' + ', '.join(f'`{f.name}`' for f in table.forwards) + '.', '',
            '## Macros and inline functions', '',
            'Names that driver source uses and that no image exports, with the export behind each '
            '(- when the header alone does the work).', '', '| name | export |', '|---|---|']
    out += [f'| `{n}` | {"-" if t == "-" else f"`{t}`"} |' for n, t, _, _ in table.inlines]
    return '\n'.join(out) + '\n'


def actual_exports(image, readobj):
    text = subprocess.run([readobj, '--coff-exports', image], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r'^\s*Name: (\S+)$', text, re.M))


def compare_image(table, image, readobj):
    """Fail when the image's export table and the list differ."""
    listed = {e.name for e in table.built()}
    actual = actual_exports(image, readobj)
    for name in sorted(listed - actual):
        print(f'{image}: {name} is listed but not exported')
    for name in sorted(actual - listed):
        print(f'{image}: {name} is exported but not listed')
    return 0 if listed == actual else 1


def compare_file(text, path):
    try:
        with open(path, encoding='utf-8') as f:
            same = f.read() == text
    except FileNotFoundError:
        same = False
    if not same:
        print(f'{path} is out of date: run scripts/exports')
    return 0 if same else 1


DECLARED = re.compile(r'\b(?:NTKERNELAPI|NTSYSAPI|NTHALAPI|NTSYSCALLAPI)\b[^;{]*?\b(\w+)\s*\(')


def compare_headers(table, folder):
    """Fail when a header of our own declares a function that nothing exports: a driver would compile and not load."""
    known = {e.name for e in table.built()} | {e.flags.get('alias') for e in table.built()} | {n for n, _, _, _ in table.inlines}
    failures = 0
    for path in sorted(glob.glob(f'{folder}/*.h')):
        with open(path, encoding='utf-8') as f:
            text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.DOTALL)
        for name in DECLARED.findall(text):
            if name not in known:
                print(f'{path} declares {name}, which is not exported')
                failures = 1
    return failures


OUTPUTS = {'kernel-def': kernel_def, 'hal-def': hal_def, 'import-def': import_def, 'hal-import-def': hal_import_def,
           'prototypes': prototype_check, 'tsv': tsv, 'json': to_json, 'doc': markdown}


def main():
    p = argparse.ArgumentParser(description=__doc__.split('.')[0])
    p.add_argument('command', choices=[*OUTPUTS, 'check-doc', 'check-headers', 'check-image'])
    p.add_argument('--out', help='write here instead of to standard output (check-doc: the file to compare)')
    p.add_argument('--headers', help='check-headers: the folder of our own headers')
    p.add_argument('--image', help='check-image: the linked ntoskrnl.exe')
    p.add_argument('--readobj', default='llvm-readobj-19')
    p.add_argument('exp', nargs='+')
    a = p.parse_args()
    try:
        table = read(sorted(a.exp))
    except (Bad, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    if a.command == 'check-image':
        return compare_image(table, a.image, a.readobj)
    if a.command == 'check-headers':
        return compare_headers(table, a.headers)
    if a.command == 'check-doc':
        return compare_file(markdown(table), a.out)
    text = OUTPUTS[a.command](table)
    if a.out:
        with open(a.out, 'w', encoding='utf-8') as f:
            f.write(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
