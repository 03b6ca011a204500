#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the IRQL contract at the head of an exported function (KI_REQUIRE_IRQL...) is the one of its .exp line."""
import argparse
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exports  # noqa: E402

LEVELS = ['PASSIVE_LEVEL', 'APC_LEVEL', 'DISPATCH_LEVEL', 'HIGH_LEVEL']
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
REQUIRE = re.compile(r'\bKI_REQUIRE_IRQL(_IS|_FROM)?\(')
DECLARATION = re.compile(r'(?:static |const |struct )*[A-Za-z_]\w*[\s*]+\w+(?:\[[^\]]*\])*(?:\s*=.*|\s*,.*)?', re.S)
NO_CONTRACT = {'ANY', '<=DIRQL', '<=HIGH'}


def spoken(kind, levels):
    """The .exp word for a macro and the loosest of the levels that its argument names."""
    level = LEVELS[max(LEVELS.index(l) for l in levels)].removesuffix('_LEVEL')
    if kind == '_FROM':
        return '>=' + level
    if level == 'PASSIVE':
        return 'PASSIVE'
    return ('=' if kind == '_IS' else '<=') + level


def argument(text, at):
    """What stands between the parenthesis before `at` and its partner."""
    depth, start = 1, at
    while depth:
        depth += {'(': 1, ')': -1}.get(text[at], 0)
        at += 1
    return text[start:at - 1]


def contract(body):
    """(word, first): the contract that a function's body states, None without one; whether only declarations precede it."""
    m = REQUIRE.search(body)
    if not m:
        return None, True
    levels = re.findall(r'\b(?:' + '|'.join(LEVELS) + r')\b', argument(body, m.end()))
    before = [s.strip() for s in body[:m.start()].split(';') if s.strip()]
    first = all(DECLARATION.fullmatch(s) for s in before)
    return (spoken(m[1], levels) if levels else '?'), first


def body_at(text, brace):
    depth, at = 0, brace
    while True:
        depth += {'{': 1, '}': -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return text[brace + 1:at - 1]


def definitions(root, names):
    """{name: (file, body)} of the functions of these names that C files of the kernel define."""
    found = {}
    define = re.compile(r'^[A-Za-z_][\w\s*]*?\b(\w+)\s*\(([^;{}]*)\)\s*\{', re.M)
    for path in sorted(glob.glob(os.path.join(root, 'kernel/**/*.c'), recursive=True)):
        if path.endswith('_test.c'):
            continue
        with open(path, encoding='utf-8') as f:
            text = COMMENT.sub('', f.read())
        for m in define.finditer(text):
            if m[1] in names:
                found[m[1]] = (os.path.relpath(path, root), body_at(text, m.end() - 1))
    return found


def function_of(export):
    return export.flags.get('alias', export.name) if isinstance(export.flags, dict) else export.name


def judge(export, where, body):
    """Why an exported function's contract is wrong; None if it is right."""
    word, first = contract(body)
    if word is None:
        return None
    by_object = word == '?' and export.irql in NO_CONTRACT   # a level that an interrupt object says
    if word != export.irql and not by_object:
        return f'{where}: {export.name} requires {word}; {export.file} says {export.irql}'
    return None if first else f'{where}: {export.name} does something before it states its IRQL'


def main():
    p = argparse.ArgumentParser(description=__doc__.split('.')[0])
    p.add_argument('--silent', action='store_true', help='also list the functions that state no contract though the list limits them')
    p.add_argument('root')
    a = p.parse_args()
    table = exports.read(sorted(glob.glob(os.path.join(a.root, 'ddk_shim/exports/*.exp'))))
    functions = [e for e in table.built() if e.state == 'done']
    defined = definitions(a.root, {function_of(e) for e in functions})
    problems, silent = [], []
    for e in functions:
        where, body = defined.get(function_of(e), ('assembly or data', ''))
        why = judge(e, where, body)
        problems += [why] if why else []
        if contract(body)[0] is None and e.irql not in NO_CONTRACT:
            silent.append(f'{where}: {e.name} ({e.irql})')
    for line in problems + (silent if a.silent else []):
        print(line)
    print(f'{len(functions)} functions, {len(silent)} with a contract that is not checked at run time; {len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
