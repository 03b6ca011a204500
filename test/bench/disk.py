# SPDX-License-Identifier: MIT
"""Random reads of 4 KiB from a virtio disk: ntbox with drivers_sample/virtio_blk beside Linux with Debian's cloud kernel, in the same QEMU.

rows(build) gives rows of bench.py. One machine of each by turns, ROUNDS times; the same blocks in the same order (test/bench/disk_reads.h), the same
depth of queue, one processor. Instructions are counted by test/bench/count_plugin.c: the difference of two machines that read a
different number of blocks, so that neither the start nor the end of a machine counts; what runs meanwhile (the clock) does.
What a read is: in ntbox ZwReadFile and a wait for its event, in Linux io_submit and io_getevents with O_DIRECT, which adds the passage from
user mode and back. Linux is started as Debian ships it, with its protection against the processor's speculation.
Run by itself: disk.py BUILD.
"""
import glob
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

ROUNDS, READS, DEPTHS, BLOCK, BLOCKS = 5, 20000, (1, 32), 4096, 16384
AT_LEAST = 'x, at least'   # the unit of a row whose target is the least that is good
COUNTED = (2000, 12000)
META_PACKAGE = 'linux-image-cloud-amd64'
MODULES = ('virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk')


class Missing(Exception):
    """Linux cannot be had; the sentence says why."""


def ask(*words, cwd=None):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300, check=False, cwd=cwd)
    if done.returncode != 0:
        raise Missing(f'{" ".join(words[:2])} failed')
    return done.stdout


def linux_folder(build):
    """The cloud kernel's package, unpacked below the build folder; fetched once."""
    folder = os.path.join(build, 'linux')
    if not glob.glob(f'{folder}/boot/vmlinuz-*'):
        found = re.search(r'Depends: (linux-image-\S+)', ask('apt-cache', 'depends', META_PACKAGE))
        if not found:
            raise Missing(f'{META_PACKAGE} is not known to apt')
        with tempfile.TemporaryDirectory() as room:
            ask('apt-get', 'download', found[1], cwd=room)
            ask('dpkg', '-x', glob.glob(f'{room}/*.deb')[0], folder)
    return folder


def newc(name, mode, data):
    """One member of a cpio archive of the kind "newc". [cpio(5)]"""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + name.encode() + b'\0'
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def initramfs(build, linux):
    """/init and the modules of virtio_blk, in the order in which they are loaded."""
    archive = newc('init', 0o100755, contents(f'{build}/test/bench/disk_linux'))
    for number, module in enumerate(MODULES):
        found = glob.glob(f'{linux}/lib/modules/*/kernel/drivers/*/{module}.ko')
        if not found:
            raise Missing(f'the package has no {module}.ko')
        archive += newc(f'{number:02}.ko', 0o100644, contents(found[0]))
    return archive + newc('TRAILER!!!', 0, b'')


class Machines:
    """Both machines, with one disk. A plugin is what goes before QEMU's other options."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.disk = ['--drive', f'id=disk,format=raw,file={folder}/disk', '--device', 'virtio-blk-pci,drive=disk']
        with open(f'{folder}/disk', 'wb') as disk:
            for number in range(BLOCKS):
                disk.write(number.to_bytes(BLOCK, 'little'))
        self.linux = linux_folder(build)
        with open(f'{folder}/initramfs', 'wb') as archive:
            archive.write(initramfs(build, self.linux))

    def ntbox(self, depth, reads, plugin=()):
        with open(f'{self.folder}/qemu', 'w', encoding='ascii') as script:
            script.write(f'#!/bin/sh\nexec qemu-system-x86_64 {shlex.join(plugin)} "$@"\n')
        os.chmod(f'{self.folder}/qemu', 0o755)
        return self.output([f'{self.build}/ntbox', 'run', '--kernel', 'free', '--timeout', '100', '--inf', f'{self.build}/drivers_sample/mingw/virtio_blk.inf',
                            *self.disk, '--keep', self.folder, '--param', f'disk/Depth=dword:{depth}', '--param', f'disk/Reads=dword:{reads}',
                            f'{self.build}/test/bench/disk.sys'], dict(os.environ, NTBOX_QEMU=f'{self.folder}/qemu'))

    def linux_guest(self, depth, reads, plugin=()):
        """With the board, processor, memory and disk that ntbox gave QEMU."""
        words = shlex.split(open(f'{self.folder}/qemu-command', encoding='utf-8').read())
        pairs = list(zip(words, words[1:]))
        same = [word for pair in pairs if pair[0] in ('-M', '-cpu', '-accel', '-smp', '-m', '-drive') for word in pair]
        device = [word for pair in pairs if pair[0] == '-device' and pair[1].startswith('virtio-blk') for word in pair]
        return self.output(['qemu-system-x86_64', *plugin, *same, *device, '-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio',
                            '-kernel', glob.glob(f'{self.linux}/boot/vmlinuz-*')[0], '-initrd', f'{self.folder}/initramfs', '-append',
                            f'console=ttyS0 quiet depth={depth} reads={reads}'], os.environ)

    def output(self, command, environment):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=120, check=False)
        return done.stdout.decode('utf-8', 'replace')


def reads_per_second(text):
    found = re.search(r'disk: (\d+) reads took (\d+) us', text)
    if not found:
        sys.exit(f'disk.py: no reads were done: {text[-500:]}')
    return int(found[1]) / int(found[2]) * 1e6


def speeds(machines, depth):
    """Medians: (ntbox, Linux)."""
    pairs = [[reads_per_second(run(depth, READS)) for run in (machines.ntbox, machines.linux_guest)] for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*pairs)]


def counts(machines, run, depth, reads):
    """{address: how often its instruction ran} in one machine."""
    out = f'{machines.folder}/counts'
    reads_per_second(run(depth, reads, ['-plugin', f'{machines.folder}/count.so,out={out}']))
    with open(out, encoding='ascii') as file:
        return {int(address, 16): int(count) for address, count in (line.split() for line in file)}


def instructions(machines, run, depth):
    few, many = (sum(counts(machines, run, depth, reads).values()) for reads in COUNTED)
    return (many - few) / (COUNTED[1] - COUNTED[0])


def build_plugin(machines):
    subprocess.run(['cc', '-shared', '-fPIC', '-O2', '-o', f'{machines.folder}/count.so', f'{os.path.dirname(os.path.abspath(__file__))}/count_plugin.c'], check=True)


def rows(build):
    """(name, value, unit, target, the same in Linux). Nothing when Linux cannot be had, which is said."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            machines = Machines(build, folder)
        except Missing as why:
            print(f'bench: the disk is not measured beside Linux: {why}')
            return
        build_plugin(machines)
        for depth in DEPTHS:
            ours, theirs = speeds(machines, depth)
            yield f'disk, 4 KiB reads, depth {depth}', ours, 'reads/s', None, theirs
            yield f'the same, ntbox to Linux, depth {depth}', ours / theirs, AT_LEAST, 0.9, None
            yield (f'disk, 4 KiB read, depth {depth}', instructions(machines, machines.ntbox, depth), 'instructions', None,
                   instructions(machines, machines.linux_guest, depth))


if __name__ == '__main__':
    for row in rows(sys.argv[1]):
        print(row, flush=True)
