#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the folder layout is the architecture: kernel folders include each other only as kernel/layers.toml
allows, each kernel folder has a README.md, and every source file says its licence in its first lines."""
import argparse
import os
import re
import sys
import tomllib

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
SOURCE = ('.c', '.h', '.S', '.asm', '.py', '.toml', '.exp', '.ini', '.ld')
TOP = ['ddk_shim', 'docs', 'drivers', 'drivers_sample', 'host', 'iso', 'kernel', 'ldr', 'scripts', 'test', 'tools']
SPDX = 'SPDX-License-Identifier: MIT'


class Layers:
    def __init__(self, path):
        with open(path, 'rb') as f:
            data = tomllib.load(f)
        self.row = {folder: n for n, row in enumerate(data['order']) for folder in row}
        self.common = set(data['common'])
        self.serving = data['serving']
        self.outside = data['outside']
        self.test_header = data.get('test_header')
        self.exceptions = {(e['file'], e['header']): e['why'] for e in data.get('exception', [])}
        self.used = set()

    def folders(self):
        return self.row.keys() | self.serving.keys()

    def owner(self, header):
        """The folder that a tier-2 header belongs to: ke.h and ke_lock.h to ke; None when nobody's."""
        stem = header.removesuffix('.h')
        for name in (stem, stem.split('_')[0]):
            if name in self.folders():
                return name
        return None

    def allows(self, user, owner):
        if user == owner or owner in self.serving:
            return True
        if user in self.serving:
            return owner in self.serving[user]
        return self.row[owner] >= self.row[user]


def folder_of(path, layers):
    """The kernel folder that a file speaks for: kernel/ke/dpc.c and kernel/include/ke.h for ke."""
    parts = path.split('/')
    return layers.owner(parts[2]) if parts[1] == 'include' else parts[1]


def judge(path, header, folder, layers, root):
    """None, or why this include is wrong."""
    for prefix, users in layers.outside.items():
        if header.startswith(prefix):
            return None if '*' in users or folder in users else f'{folder} may not use {prefix}'
    if header in layers.common or header == 'ntbox_ddk.h' or header.startswith('ntbox_'):
        return None
    if header == layers.test_header and path.endswith('_test.c'):
        return None
    if os.path.exists(os.path.join(root, 'kernel/include', header)):
        owner = layers.owner(header)
        if owner is None:
            return f'{header} belongs to no folder: name it after one or list it under "common"'
        if layers.allows(folder, owner):
            return None
        return f'{folder} may not use {owner}, which is not below it'
    beside = os.path.normpath(os.path.join(os.path.dirname(path), header))
    from_kernel = os.path.normpath(os.path.join('kernel', header))
    for found in (beside, from_kernel):
        if os.path.exists(os.path.join(root, found)):
            owner = found.split('/')[1] if found.startswith('kernel/') else None
            return None if owner == folder else f'{header} is private to kernel/{owner}'
    if header.startswith(folder + '/'):
        return None  # generated into the build folder of the same name
    own = os.path.join(root, 'kernel', folder)
    if any(header in files for _, _, files in os.walk(own)):
        return None
    return f'{header} is neither a tier-2 header nor a private one of kernel/{folder}'


def kernel_includes(root, layers):
    problems = []
    for path in walk(root, ['kernel']):
        if not path.endswith(('.c', '.h', '.S')) or path.count('/') < 2:
            continue
        folder = folder_of(path, layers)
        if folder is None:
            continue
        if folder not in layers.folders():
            problems.append(f'{path}: kernel/layers.toml does not know the folder {folder}')
            continue
        with open(os.path.join(root, path), encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                m = INCLUDE.match(line)
                why = judge(path, m.group(1), folder, layers, root) if m else None
                if why and (path, m.group(1)) in layers.exceptions:
                    layers.used.add((path, m.group(1)))
                elif why:
                    problems.append(f'{path}:{number}: {why}')
    for file, header in sorted(layers.exceptions.keys() - layers.used):
        problems.append(f'kernel/layers.toml: the exception for {header} in {file} is not needed')
    return problems


def walk(root, tops):
    for top in tops:
        for where, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f != '__pycache__' and not f.startswith('.'))
            for name in sorted(files):
                yield os.path.relpath(os.path.join(where, name), root)


def readmes(root):
    kernel = os.path.join(root, 'kernel')
    for name in sorted(os.listdir(kernel)):
        folder = os.path.join(kernel, name)
        if not os.path.isdir(folder) or name == 'include' or not any(walk(root, [f'kernel/{name}'])):
            continue
        if not os.path.exists(os.path.join(folder, 'README.md')):
            yield f'kernel/{name}: no README.md (what it owns, what it may call, which locks)'


def licences(root):
    for path in walk(root, TOP):
        if path.endswith(SOURCE) or os.path.basename(path) == 'meson.build':
            with open(os.path.join(root, path), encoding='utf-8') as f:
                head = f.readline() + f.readline()
            if SPDX not in head:
                yield f'{path}: no "{SPDX}" in its first two lines'


def main():
    p = argparse.ArgumentParser(description=__doc__.split(':')[0])
    p.add_argument('root', nargs='?', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    root = os.path.normpath(p.parse_args().root)
    try:
        layers = Layers(os.path.join(root, 'kernel/layers.toml'))
    except (OSError, KeyError, tomllib.TOMLDecodeError) as problem:
        print(f'kernel/layers.toml: {problem}')
        return 1
    problems = kernel_includes(root, layers) + list(readmes(root)) + list(licences(root))
    for line in problems:
        print(line)
    print(f'{len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
