#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""osloader in QEMU: every way to start it, several machines, and every way in which a start can fail.

usage: osloader_test.py OSLOADER TESTKRNL.EXE TESTHAL.DLL [unittest arguments]

The test kernel (test/boot) checks the hand-over itself and leaves QEMU with status 0x21 if all is well. Failures must
give exactly the sentence that the user is to read; osloader then leaves with status 9 (value 4 at the exit port).
"""
import json
import os
import re
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
import mkcpio  # noqa: E402

PASSED, REFUSED = 0x21, 9
KERNEL, HAL = 'Windows/System32/ntoskrnl.exe', 'Windows/System32/hal.dll'
OVMF = '/usr/share/OVMF/OVMF_CODE.fd'
MIB = 1 << 20
NEEDS = 'ntbox needs a 64-bit processor with long mode, NX, CMPXCHG16B, FXSAVE, SSE2 and an APIC'
PATTERN = bytes((i * 7 + (i >> 8)) & 255 for i in range(100000))


def read(path):
    with open(path, 'rb') as file:
        return file.read()


class Machine:
    """One QEMU, started with `with`; nothing of it survives the block."""

    def __init__(self, folder, *options):
        self.qmp_path = os.path.join(folder, 'qmp')
        if os.path.exists(self.qmp_path):
            os.unlink(self.qmp_path)
        self.command = ['qemu-system-x86_64', '-M', 'q35', '-display', 'none', '-no-reboot', '-net', 'none',
                        '-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
                        '-qmp', f'unix:{self.qmp_path},server=on,wait=off', *options]
        self.output = ''

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def read_until(self, wanted, seconds):
        """Collects serial output until `wanted` is in it (True) or QEMU ends or time is up (False)."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while wanted is None or wanted not in self.output:
                if not selector.select(max(0, deadline - time.monotonic())):
                    return False
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    return False
                self.output += data.decode('latin-1').replace('\r', '')
        return True

    def finish(self, seconds=60):
        """Waits for QEMU's end; returns its status, or None if it does not end."""
        self.read_until(None, seconds)
        try:
            return self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return None

    def qmp(self, *commands):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(20)
            channel.connect(self.qmp_path)
            with channel.makefile('rw') as stream:
                stream.readline()
                for name, arguments in (('qmp_capabilities', {}),) + commands:
                    stream.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
                    stream.flush()
                    reply = json.loads(stream.readline())
                    while 'event' in reply:
                        reply = json.loads(stream.readline())
                    if 'error' in reply:
                        raise AssertionError(reply['error'])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def archive(self, files=None, cut=None):
        """The path of a new boot.cpio; by default the good one, `cut` bytes of it if given."""
        files = [(KERNEL, TESTKRNL), (HAL, TESTHAL), ('pattern.bin', PATTERN)] if files is None else files
        with open(self.path('boot.cpio'), 'wb') as file:
            file.write(mkcpio.archive(files)[:cut])
        return self.path('boot.cpio')

    def pvh(self, *options, line='exitport=0xf4', archive=None):
        module = ['-initrd', archive] if archive else []
        return Machine(self.folder.name, '-kernel', OSLOADER, *(['-append', line] if line else []), *module, *options)

    def iso(self, *options, line='exitport=0xf4', archive=None):
        image = self.path('test.iso')
        subprocess.run([os.path.join(ROOT, 'scripts/mkiso'), image, OSLOADER, archive or self.archive(), line],
                       check=True)
        return Machine(self.folder.name, '-cdrom', image, *options)

    def assert_passes(self, machine):
        """Runs the test kernel; returns what it tells, as a dictionary."""
        with machine:
            status = machine.finish()
        self.assertNotIn('FAIL', machine.output)
        self.assertEqual(status, PASSED, machine.output)
        self.assertIn('test kernel: passed\n', machine.output)
        return dict(re.findall(r'^([a-z ]+)=(.*)$', machine.output, re.M))

    def assert_refuses(self, machine, sentence):
        with machine:
            status = machine.finish()
        self.assertEqual(machine.output, sentence + '\n')
        self.assertEqual(status, REFUSED)


class Pvh(Case):
    def check_memory(self, size, top, cpu):
        """QEMU need not have that much memory: what nobody touches is never allocated."""
        memory = ['-object', f'memory-backend-ram,id=memory,reserve=off,size={size}M', '-machine', 'memory-backend=memory']
        told = self.assert_passes(self.pvh('-cpu', cpu, '-m', f'{size}M', *memory, archive=self.archive()))
        self.assertEqual(int(told['protocol'], 16), 1)
        free = int(told['free'], 16)
        self.assertLess(free, size * MIB)
        self.assertGreater(free, (size - 2) * MIB)
        self.assertLessEqual(int(told['top'], 16), top)
        self.assertGreater(int(told['top'], 16), top - MIB)
        self.assertEqual(int(told['direct map'], 16), max(4 << 30, top))

    def test_32_mib(self):
        self.check_memory(32, 32 * MIB, 'max')

    def test_32_mib_without_gigabyte_pages(self):
        self.check_memory(32, 32 * MIB, 'qemu64')

    def test_128_mib(self):
        self.check_memory(128, 128 * MIB, 'max')

    def test_6_gib_in_two_parts(self):
        self.check_memory(6144, 8 << 30, 'max')

    def test_6_gib_without_gigabyte_pages(self):
        self.check_memory(6144, 8 << 30, 'qemu64')

    def test_64_gib(self):
        self.check_memory(65536, 66 << 30, 'qemu64')

    def test_says_one_line(self):
        machine = self.pvh('-cpu', 'max', archive=self.archive())
        told = self.assert_passes(machine)
        first, rest = machine.output.split('\n', 1)
        self.assertRegex(first, r'^ntbox osloader [0-9.]+: kernel at 0xfffff800[0-9a-f]{8}$')
        self.assertNotIn('osloader', rest)
        self.assertTrue(first.endswith(told['kernel']))

    def test_command_line_and_seed(self):
        line = 'exitport=0xf4 seed=0x123 debug words=3'
        told = [self.assert_passes(self.pvh(line=text, archive=self.archive()))
                for text in (line, line, line.replace('0x123', '124'))]
        self.assertEqual(told[0]['command line'], line)
        self.assertEqual(int(told[0]['seed'], 16), 0x123)
        self.assertEqual(int(told[2]['seed'], 16), 124)
        for one in told:
            del one['tsc'], one['tsc spent']
        self.assertEqual(told[0], told[1])
        self.assertNotEqual(told[0]['cookie'], told[2]['cookie'])

    def test_instruction_counts_are_repeatable(self):
        """With a seed osloader uses no entropy: under icount two starts agree in every instruction."""
        icount = ['-icount', 'shift=0,sleep=off', '-seed', '1', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']
        told = [self.assert_passes(self.pvh('-cpu', 'max', *icount, line='seed=1', archive=self.archive()))
                for _ in range(2)]
        self.assertEqual(told[0], told[1])
        self.assertLess(int(told[0]['tsc spent'], 16), 200000)

    def test_layout_differs_without_seed(self):
        for cpu in ('max', 'qemu64'):  # with and without RDRAND
            told = [self.assert_passes(self.pvh('-cpu', cpu, archive=self.archive())) for _ in range(2)]
            self.assertEqual(len({one['seed'] for one in told}), 2, cpu)
            self.assertEqual(len({(one['kernel'], one['direct map base'], one['recursive slot']) for one in told}), 2, cpu)

    def test_without_command_line(self):
        told = self.assert_passes(self.pvh(line='', archive=self.archive()))
        self.assertEqual(told['command line'], '')

    def test_without_screen(self):
        told = self.assert_passes(self.pvh('-nodefaults', archive=self.archive()))
        self.assertEqual(int(told['screen'], 16), 0)

    def test_without_serial_port(self):
        machine = self.pvh(archive=self.archive())
        machine.command[machine.command.index('stdio')] = 'none'
        with machine:
            self.assertEqual(machine.finish(), PASSED)

    def test_large_module_and_two_processors(self):
        files = [('Windows/large.bin', os.urandom(20 * MIB)), (KERNEL, TESTKRNL), (HAL, TESTHAL),
                 ('pattern.bin', PATTERN)]
        self.assert_passes(self.pvh('-smp', '2', archive=self.archive(files)))

    def test_names_in_any_case(self):
        files = [(KERNEL, TESTKRNL), ('WINDOWS/system32/HAL.DLL', TESTHAL), ('pattern.bin', PATTERN)]
        self.assert_passes(self.pvh(archive=self.archive(files)))


class Grub(Case):
    def test_bios(self):
        told = self.assert_passes(self.iso('-cpu', 'max', '-m', '128M', line='exitport=0xf4 seed=9'))
        self.assertEqual(int(told['protocol'], 16), 2)
        self.assertEqual(int(told['screen'], 16), 1)
        self.assertEqual(told['command line'], 'exitport=0xf4 seed=9')

    def test_bios_6_gib(self):
        told = self.assert_passes(self.iso('-cpu', 'qemu64', '-m', '6G'))
        self.assertGreater(int(told['free'], 16), 6 * 1024 * MIB - 3 * MIB)

    def test_uefi(self):
        told = self.assert_passes(self.iso('-bios', OVMF, '-cpu', 'max', '-m', '256M', line='seed=9'))
        self.assertEqual(int(told['protocol'], 16), 3)
        self.assertEqual(int(told['screen'], 16), 2)
        self.assertEqual(told['command line'], 'seed=9')
        self.assertGreater(int(told['free'], 16), 240 * MIB)

    def test_uefi_6_gib(self):
        told = self.assert_passes(self.iso('-bios', OVMF, '-cpu', 'qemu64', '-m', '6G'))
        self.assertEqual(int(told['direct map'], 16), 8 << 30)


class BadArchive(Case):
    def refuses(self, sentence, files=None, cut=None):
        self.assert_refuses(self.pvh(archive=self.archive(files, cut)), sentence)

    def test_no_module(self):
        self.assert_refuses(self.pvh(), 'osloader: boot.cpio is missing: pass it as the only module '
                                        '(GRUB: module2, QEMU: -initrd)')

    def test_truncated(self):
        # "Windows" and "Windows/System32" take 120 and 128 bytes
        self.refuses('osloader: boot.cpio is damaged at offset 248: '
                     "an entry's contents do not fit into the archive", cut=1000)

    def test_not_an_archive(self):
        with open(self.path('boot.cpio'), 'wb') as file:
            file.write(b'This is no archive.' * 100)
        self.assert_refuses(self.pvh(archive=self.path('boot.cpio')),
                            'osloader: boot.cpio is damaged at offset 0: '
                            'the magic of an entry is not 070701 (cpio newc)')

    def test_no_kernel(self):
        self.refuses(f'osloader: boot.cpio has no file {KERNEL}', [(HAL, TESTHAL)])

    def test_no_hal(self):
        self.refuses(f'osloader: boot.cpio has no file {HAL}', [(KERNEL, TESTKRNL)])

    def test_kernel_is_elf(self):
        self.refuses(f'osloader: boot.cpio: {KERNEL}: not a Windows image: it starts with 0x457f instead of "MZ"',
                     [(KERNEL, read(OSLOADER)), (HAL, TESTHAL)])

    def test_kernel_is_cut(self):
        self.refuses(f'osloader: boot.cpio: {KERNEL}: section 0 (.text) ends at 0x{self.text_end():x}, '
                     'behind the end of the file (0xbb8)', [(KERNEL, TESTKRNL[:3000]), (HAL, TESTHAL)])

    def section_table(self):
        header = struct.unpack_from('<I', TESTKRNL, 0x3c)[0]
        return header + 24 + struct.unpack_from('<H', TESTKRNL, header + 20)[0]

    def text_end(self):
        size, offset = struct.unpack_from('<II', TESTKRNL, self.section_table() + 16)
        return size + offset

    def test_kernel_section_is_writable_and_executable(self):
        bad = bytearray(TESTKRNL)
        bad[self.section_table() + 39] |= 0x80
        machine = self.pvh(archive=self.archive([(KERNEL, bytes(bad)), (HAL, TESTHAL)]))
        with machine:
            status = machine.finish()
        self.assertTrue(machine.output.startswith(
            f'osloader: boot.cpio: {KERNEL}: section 0 (.text) is writable and executable'), machine.output)
        self.assertEqual(status, REFUSED)

    def test_missing_import(self):
        bad = TESTKRNL.replace(b'HalForwarded\0', b'HalForwardee\0')
        self.refuses(f'osloader: boot.cpio: {KERNEL}: import hal.dll!HalForwardee is not exported (1 missing)',
                     [(KERNEL, bad), (HAL, TESTHAL)])

    def test_archive_that_fills_the_memory(self):
        files = [(KERNEL, TESTKRNL), (HAL, TESTHAL), ('pattern.bin', PATTERN), ('large', bytes(28 * MIB))]
        told = self.assert_passes(self.pvh('-m', '32M', archive=self.archive(files)))
        self.assertLess(int(told['free'], 16), 4 * MIB)

    def hal_of_size(self, size):
        """A hal.dll whose last section is so large that the image takes `size` bytes."""
        hal = bytearray(TESTHAL)
        header = struct.unpack_from('<I', hal, 0x3c)[0]
        count, optional = struct.unpack_from('<H12xH', hal, header + 6)
        last = header + 24 + optional + 40 * (count - 1)
        struct.pack_into('<I', hal, last + 8, size - struct.unpack_from('<I', hal, last + 12)[0])
        struct.pack_into('<I', hal, header + 24 + 56, size)
        return bytes(hal)

    def test_image_larger_than_memory(self):
        machine = self.pvh('-m', '32M', archive=self.archive([(KERNEL, TESTKRNL), (HAL, self.hal_of_size(40 * MIB))]))
        self.assert_refuses(machine, 'osloader: there is no free memory of 40960 KiB below 4 GiB for hal.dll')

    def test_image_larger_than_its_space(self):
        self.refuses(f'osloader: boot.cpio: {HAL}: the image takes 71680 KiB, more than all images may',
                     [(KERNEL, TESTKRNL), (HAL, self.hal_of_size(70 * MIB))])


class BadProcessor(Case):
    def halts(self, machine, sentence):
        """The sentence is the last thing said, and the machine stands still."""
        with machine:
            self.assertTrue(machine.read_until(sentence, 30), machine.output)
            self.assertTrue(machine.output.endswith(sentence + '\n') or machine.read_until(sentence + '\n', 5))

    def lacks(self, cpu, what):
        self.assert_refuses(self.pvh('-cpu', cpu, archive=self.archive()),
                            f'ntbox: this processor lacks {what}; {NEEDS}')

    def test_no_execute(self):
        self.lacks('qemu64,-nx', 'NX (no-execute pages)')

    def test_several(self):
        self.lacks('qemu64,-nx,-cx16,-apic', 'NX (no-execute pages), CMPXCHG16B, an APIC')

    def test_fxsave_and_sse(self):
        self.lacks('qemu64,-fxsr,-sse2', 'FXSAVE, SSE2')

    def test_long_mode(self):
        self.halts(self.pvh('-cpu', 'qemu64,-lm', archive=self.archive()),
                   f'ntbox: this processor lacks long mode (64-bit); {NEEDS}')

    def test_32_bit_processor_under_grub(self):
        self.halts(self.iso('-cpu', 'pentium3'), f'ntbox: this processor lacks long mode (64-bit); {NEEDS}')


class Screens(Case):
    """A failure must be readable without a serial port."""

    def text_of(self, machine):
        dump = self.path('dump')
        machine.qmp(('pmemsave', {'val': 0xb8000, 'size': 4000, 'filename': dump}))
        cells = read(dump)
        return ''.join(map(chr, cells[0::2])), set(cells[1:2 * 10:2])

    def test_text(self):
        for cpu in ('max', 'qemu64,-nx', 'qemu64,-lm'):
            with self.iso('-cpu', cpu, line='nothing=1', archive=self.archive([])) as machine:
                self.assertTrue(machine.read_until('\n', 30))
                line = machine.output.split('\n')[0]
                self.assertTrue(line.startswith('ntbox: ' if '-' in cpu else 'osloader: '))
                text, attributes = self.text_of(machine)
                self.assertTrue(text.startswith(line), text[:160])
                self.assertEqual(attributes, {0x0c})

    def test_frame_buffer(self):
        picture = self.path('screen.ppm')
        with self.iso('-bios', OVMF, '-m', '256M', line='nothing=1', archive=self.archive([])) as machine:
            self.assertTrue(machine.read_until(f'osloader: boot.cpio has no file {KERNEL}\n', 60), machine.output)
            machine.qmp(('screendump', {'filename': picture}))
        header = re.match(rb'(P6\s+(\d+)\s+(\d+)\s+255\s)', read(picture))
        width = int(header.group(2))
        pixels = read(picture)[header.end():]
        row = pixels[:width * 3 * 16]
        lit = {i // 3 % width // 8 for i in range(0, len(row), 3) if row[i:i + 3] == b'\xff\x55\x55'}
        text = f'osloader: boot.cpio has no file {KERNEL}'
        self.assertEqual(lit, {i for i, letter in enumerate(text) if letter != ' '})
        self.assertEqual(set(pixels[len(row):]), {0})


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__.strip())
    OSLOADER, TESTKRNL, TESTHAL = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
