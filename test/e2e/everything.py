# SPDX-License-Identifier: MIT
"""All sample and conformance drivers, as groups for one `ntbox run` (--then between them): each sample with what it
needs and its requests, each conformance driver by itself. Those that end the machine on purpose are not among them."""
import glob
import os

REQUESTS = ('ioctl', 'read', 'write')
NEEDS = {'ct_file': ['drivers_sample/{}/hello.sys'], 'ct_image': ['drivers_sample/{}/hello.sys']}  # conformance drivers that want a sample loaded before


def hexadecimal(text):
    return text.encode().hex()


# Per sample: what must be loaded before it, the requests, the outputs wanted (None: not compared), words of DbgPrint, and what
# the kernel loads and unloads with it, because it imports from there.
SAMPLES = {
    'hello': {'needs': [], 'requests': [], 'outputs': [], 'prints': ['hello']},
    'ioctl': {
        'needs': [],
        'requests': ['--ioctl', r'\Device\NtboxIoctl:0x222000:68656c6c6f:5',
                     '--ioctl', r'NtboxIoctl:0x222005:010203:2',
                     '--ioctl', r'\\.\NtboxIoctl:0x22200A:07:4',
                     '--ioctl', r'\??\NtboxIoctl:0x22200F:00ff5a:3',
                     '--write', r'NtboxIoctl:' + hexadecimal('kept'),
                     '--read', r'NtboxIoctl:2:1'],
        'outputs': ['6f6c6c6568', None, '0708090a', '5aa500', None, hexadecimal('ep')],
        'prints': [],
    },
    'filter': {'needs': ['ioctl'], 'requests': ['--ioctl', r'\Device\NtboxIoctl:0x222000:0102:2'], 'outputs': ['0201'],
               'prints': ['requests passed down']},
    'queue': {'needs': [], 'requests': ['--read', r'\Device\NtboxQueue:8', '--read', r'\Device\NtboxQueue:8'],
              'outputs': ['0100000000000000', '0200000000000000'], 'prints': ['served 2 requests']},
    'timer_dpc': {'needs': [], 'requests': ['--ioctl', r'\Device\NtboxTimer:0x222000:03000000:8'], 'outputs': [None],
                  'prints': []},
    'seh': {'needs': [], 'requests': [], 'outputs': [], 'prints': ['0 wrong']},
    'client': {'needs': [], 'requests': ['--ioctl', r'\Device\NtboxClient:0x222000:05000000:4',
                                         '--ioctl', r'\Device\NtboxClient:0x222000:feffffff:4'],
               'outputs': ['06000000', '04000000'], 'prints': ['exporter: DllInitialize', 'exporter: DllUnload, the sum was 4'],
               'brings': ['exporter']},
}
IN_ORDER = list(SAMPLES)


def ends_machine(driver):
    """Does it pass by a bug check? Then it has a machine of its own (test/conform/run_conform.py)."""
    return os.path.basename(driver).startswith('ct_bugcheck')


def sample_groups(build, flavour):
    folder = os.path.join(build, 'drivers_sample', flavour)
    for name in IN_ORDER:
        files = [os.path.join(folder, n + '.sys') for n in SAMPLES[name]['needs'] + [name]]
        yield files + SAMPLES[name]['requests']


def conformance_groups(build, flavour):
    for driver in sorted(glob.glob(os.path.join(build, 'test/conform', flavour, 'ct_*.sys'))):
        name = os.path.basename(driver)[:-len('.sys')]
        if not ends_machine(driver):
            yield [os.path.join(build, path.format(flavour)) for path in NEEDS.get(name, [])] + [driver]


def all_groups(build, flavour):
    return [*sample_groups(build, flavour), *conformance_groups(build, flavour)]


def words(groups):
    """The groups as arguments of ntbox run."""
    line = []
    for group in groups:
        line += ['--then', *group] if line else group
    return line
