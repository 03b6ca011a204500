#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a scenario file (drivers/agent/scenario_format.h) from a text.

usage: mkscenario.py [--echo] OUT IN

One step a line; a line that begins with '#' and an empty line are skipped:
  load SERVICE
  ioctl DEVICE CODE [in=DATA] [out=LENGTH]
  read DEVICE out=LENGTH [at=OFFSET]
  write DEVICE in=DATA [at=OFFSET]
  mark NUMBER
  unload SERVICE
DATA is "text" or pairs of hexadecimal digits. Numbers are decimal or 0x. With --echo the agent prints each step in words.
"""
import re
import struct
import sys

MAGIC, VERSION, FLAG_ECHO = 0x5343424E, 1, 1
NUMBER, TEXT, BYTES = 1, 2, 3
DEVICE, SIZE, DATA, OFFSET, CODE, COUNT, NAME = 6, 5, 10, 17, 18, 24, 28
# name: operation, kinds of the positional words, options allowed, options needed
OPERATIONS = {
    'load': (1, [NAME], set(), set()),
    'unload': (2, [NAME], set(), set()),
    'ioctl': (3, [DEVICE, CODE], {'in', 'out'}, set()),
    'read': (4, [DEVICE], {'out', 'at'}, {'out'}),
    'write': (5, [DEVICE], {'in', 'at'}, {'in'}),
    'mark': (6, [COUNT], set(), set()),
}
WORD = re.compile(r'\s*(\w+="[^"]*"|\S+)')


def pad(data):
    return data + b'\0' * (-len(data) % 8)


def field(kind, key, data):
    return pad(struct.pack('<BBHI', kind, key, 0, len(data)) + data)


def number(key, text):
    return field(NUMBER, key, struct.pack('<Q', int(text, 0)))


def positional(key, text):
    if key in (NAME, DEVICE):
        return field(TEXT, key, text.encode())
    return number(key, text)


def option(name, text):
    if name == 'in':
        data = text[1:-1].encode() if text.startswith('"') else bytes.fromhex(text)
        return field(BYTES, DATA, data)
    return number(SIZE if name == 'out' else OFFSET, text)


def step(line, flags):
    words = WORD.findall(line)
    if words[0] not in OPERATIONS:
        raise ValueError(f'{words[0]!r} is no operation: {", ".join(OPERATIONS)}')
    operation, keys, allowed, needed = OPERATIONS[words[0]]
    if len(words) <= len(keys):
        raise ValueError(f'{words[0]} wants {len(keys)} words before its options')
    body = b''.join(positional(key, word) for key, word in zip(keys, words[1:]))
    options = {}
    for word in words[1 + len(keys):]:
        name, equals, text = word.partition('=')
        if not equals or name not in allowed or name in options:
            raise ValueError(f'{word!r} is no option of {words[0]}, or given twice')
        options[name] = option(name, text)
    if needed - options.keys():
        raise ValueError(f'{words[0]} needs {", ".join(sorted(needed - options.keys()))}=')
    body += b''.join(options.values())
    return struct.pack('<IHH', 8 + len(body), operation, flags) + body


def scenario(lines, flags=0):
    """lines: (number, text) pairs; returns the file's bytes."""
    steps = []
    for at, line in lines:
        try:
            if line.strip() and not line.startswith('#'):
                steps.append(step(line, flags))
        except ValueError as error:
            raise ValueError(f'line {at}: {error}') from error
    body = b''.join(steps)
    return struct.pack('<IHHII', MAGIC, VERSION, 0, len(steps), 16 + len(body)) + body


def main(arguments):
    flags = FLAG_ECHO if arguments[:1] == ['--echo'] else 0
    arguments = arguments[1:] if flags else arguments
    if len(arguments) != 2:
        sys.exit(__doc__.strip())
    with open(arguments[1], encoding='utf-8') as file:
        data = scenario(enumerate(file.read().split('\n'), 1), flags)
    with open(arguments[0], 'wb') as file:
        file.write(data)


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(f'mkscenario: {error}')
