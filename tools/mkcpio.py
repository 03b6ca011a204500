#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make boot.cpio: a "newc" archive with the same bytes for the same contents.

usage: mkcpio.py [--depfile FILE] OUT NAME=PATH...

Each file PATH is stored as NAME (with '/' separators); the folders above it are stored once, before it. Owner, time and
inode numbers are fixed, so the output depends on names and contents only.
--depfile writes the paths as a make rule, for the build system.
"""
import sys


def header(inode, mode, size, name_size):
    fields = (inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0)
    return b'070701' + b''.join(b'%08X' % field for field in fields)


def pad(data):
    return data + b'\0' * (-len(data) % 4)


def entry(inode, mode, name, data):
    encoded = name.encode('ascii') + b'\0'
    return pad(header(inode, mode, len(data), len(encoded)) + encoded) + pad(data)


def archive(files):
    """files: list of (name, contents); returns the archive's bytes."""
    out, folders, inode = [], set(), 0
    for name, data in files:
        parts = name.strip('/').split('/')
        for depth in range(1, len(parts)):
            folder = '/'.join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                inode += 1
                out.append(entry(inode, 0o040755, folder, b''))
        inode += 1
        out.append(entry(inode, 0o100644, '/'.join(parts), data))
    out.append(entry(0, 0, 'TRAILER!!!', b''))
    return b''.join(out)


def main(arguments):
    depfile = None
    if arguments[:1] == ['--depfile']:
        depfile, arguments = arguments[1], arguments[2:]
    if not arguments or '=' in arguments[0]:
        sys.exit(__doc__.strip())
    files, paths = [], []
    for argument in arguments[1:]:
        name, equals, path = argument.partition('=')
        if not equals or not name:
            sys.exit(f'mkcpio: {argument!r} is not NAME=PATH')
        paths.append(path)
        with open(path, 'rb') as file:
            files.append((name, file.read()))
    with open(arguments[0], 'wb') as file:
        file.write(archive(files))
    if depfile:
        with open(depfile, 'w') as file:
            file.write(arguments[0] + ': ' + ' '.join(path.replace(' ', '\\ ') for path in paths) + '\n')


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except (OSError, UnicodeEncodeError) as error:
        sys.exit(f'mkcpio: {error}')
