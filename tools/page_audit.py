#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Walk the x86-64 page tables in an image of a machine's physical memory and print what is mapped writable and executable at once:
an outside check of what the kernel's MmAuditPageTables says. Exit code 1 when there is such a page.
usage: page_audit.py MEMORY CR3 (hexadecimal); MEMORY is what QEMU's `pmemsave 0 SIZE FILE` wrote"""
import struct
import sys
from dataclasses import dataclass

PRESENT, WRITE, USER, LARGE, NX = 1, 2, 4, 0x80, 1 << 63
FRAME = 0x000ffffffffff000
ENTRIES = struct.Struct('<512Q')
LEVELS = (39, 30, 21, 12)


class Bad(Exception):
    """The tables are not what they should be; the message says where."""


@dataclass(frozen=True)
class Leaf:
    address: int
    size: int
    physical: int
    writable: bool
    executable: bool
    user: bool


def canonical(address):
    return address | 0xffff << 48 if address >> 47 & 1 else address


class Tables:
    """The tables that start at cr3 in `memory`, a bytes-like image of physical memory from 0."""

    def __init__(self, memory, cr3):
        self.memory, self.root = memory, cr3 & FRAME

    def table(self, frame, where):
        if frame + 4096 > len(self.memory):
            raise Bad(f'the table for {where:#x} lies at {frame:#x}, outside the image of {len(self.memory):#x} bytes')
        return ENTRIES.unpack_from(self.memory, frame)

    def recursive_slot(self):
        for slot, entry in enumerate(self.table(self.root, 0)):
            if entry & PRESENT and entry & FRAME == self.root:
                return slot
        return None

    def leaves(self):
        """Each mapping with the rights of all levels together; the tables seen through themselves are left out."""
        yield from self._walk(self.root, 0, 0, (True, True, True), self.recursive_slot())

    def _walk(self, frame, base, level, above, skip):
        shift = LEVELS[level]
        for index, entry in enumerate(self.table(frame, base)):
            if not entry & PRESENT or (level == 0 and index == skip):
                continue
            address = base + (index << shift)
            rights = (above[0] and bool(entry & WRITE), above[1] and not entry & NX, above[2] and bool(entry & USER))
            if level < 3 and not (level and entry & LARGE):
                yield from self._walk(entry & FRAME, address, level + 1, rights, skip)
            else:
                physical = entry & FRAME & ~((1 << shift) - 1)
                yield Leaf(canonical(address), 1 << shift, physical, *rights)

    def recursive_entry_is_data(self):
        slot = self.recursive_slot()
        return slot is not None and bool(self.table(self.root, 0)[slot] & NX)


def writable_and_executable(leaves):
    return [leaf for leaf in leaves if leaf.writable and leaf.executable]


def main(arguments):
    if len(arguments) != 2:
        raise Bad(__doc__.splitlines()[-1])
    with open(arguments[0], 'rb') as file:
        tables = Tables(file.read(), int(arguments[1], 16))
    wrong = writable_and_executable(tables.leaves())
    for leaf in wrong:
        print(f'{leaf.address:016x} {leaf.size:#x} bytes: writable and executable')
    if not tables.recursive_entry_is_data():
        print('the recursive entry is missing or executable')
    return 1 if wrong or not tables.recursive_entry_is_data() else 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except (Bad, OSError, ValueError) as error:
        sys.exit(f'page_audit: {error}')
