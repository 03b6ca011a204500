#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Memory from 32 MiB to 64 GiB: the conformance driver of memory passes, with and without 1 GiB pages, and neither the kernel nor the loader
touches memory that it does not use (what the virtual machine holds of the host's memory says so). The in-kernel tests, which use up all
memory, have a test of their own with less.
usage: run_memory.py NTBOX DRIVER"""
import os
import re
import resource
import sys
import tempfile

from runs import Tally, expect, expect_all_passed, finish, report

SIZES = {'32M': 32 << 20, '256M': 256 << 20, '4G': 4 << 30, '64G': 64 << 30}
HOLES = 1 << 20  # what the firmware keeps of the first MiB and at the end of the memory below 4 GiB
PROCESSORS = ['max', 'qemu64']  # the second has no 1 GiB pages


def check(ntbox, driver, size, processor):
    with tempfile.NamedTemporaryFile('r', encoding='utf-8', errors='replace') as log:
        _, document = report(ntbox, 'run', driver, '--memory', size, '--cpu', processor, '--timeout', '60', '--append', 'bench', '--log', log.name)
        seen = re.search(r'memory manager: (\d+) pages', log.read())
    expect_all_passed(document)
    expect(seen is not None, 'the log does not say how many pages there are')
    missing = SIZES[size] - int(seen[1]) * 4096
    expect(0 <= missing < HOLES, f'the kernel sees {seen[1]} pages, {missing} bytes less than there are')


def resident(ntbox, driver, size):
    """KiB that the largest process of a run held, QEMU: measured in a child, since the figure never falls."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        report(ntbox, 'run', driver, '--memory', size)
        os.write(writing, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())


def check_untouched(ntbox, driver):
    """64 GiB hold no more than 256 MiB but for bits: five trees of a bit per page, their upper levels, tables of the direct map: 16 MiB."""
    small, large = resident(ntbox, driver, '256M'), resident(ntbox, driver, '64G')
    print(f'     QEMU holds {small} KiB with 256 MiB, {large} KiB with 64 GiB')
    expect(large - small < 48 * 1024, f'64 GiB hold {large - small} KiB more than 256 MiB')


def main():
    ntbox, driver = sys.argv[1:]
    tally = Tally()
    for size in SIZES:
        for processor in PROCESSORS:
            tally.run(f'{size}, {processor}', check, ntbox, driver, size, processor)
    tally.run('untouched memory stays untouched', check_untouched, ntbox, driver)
    finish(tally)


main()
