#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare kernel/rtl with Wine's ntdll.dll: run rtl_diff for the host and, under wine64, as a Windows program; every line that differs must be
one of KNOWN, where documentation says that ours is right or says nothing.
usage: rtl_diff.py RTL_DIFF RTL_DIFF.exe"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

WINE = ['/usr/lib/wine/wine64', 'wine64', 'wine']
BUILTIN = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows'
LATER_SCRIPTS = [(0x10D0, 0x10FF), (0x13A0, 0x13FF), (0x1C80, 0x1CBF), (0xAB70, 0xABBF)]


def is_later_script(number, _wine, _ours):
    """Georgian and Cherokee got case after the up-case table of the exFAT specification, which has the final sigma."""
    return any(low <= number <= high for low, high in LATER_SCRIPTS)


def is_final_sigma(number, _wine, ours):
    """The up-case table of the exFAT specification maps U+03C2 to U+03A3."""
    return number == 0x3C2 and ours == '03a3'


def is_cut_match(_number, wine, ours):
    """Windows refuses a match that does not fit into the room; Wine cuts it."""
    return ours.endswith(': c0000242 0 0') and re.search(r' (\d+): 0 \1 ', wine) is not None


def is_behind_room(_number, wine, ours):
    """Nothing behind the end of the room is looked at; Wine refuses a match there that has no displacement."""
    return wine.endswith(': c0000242 0 0') and re.search(r' (\d+): 0 \1 ', ours) is not None


def is_empty_number(_number, _wine, ours):
    """[WDK RtlUnicodeStringToInteger] An empty string is STATUS_INVALID_PARAMETER."""
    return ours.startswith('[ ') and ours.endswith(' c000000d dead')


def is_exact_room(_number, wine, ours):
    """[WDK RtlIntegerToUnicodeString] The terminator is written if there is room for it; Wine wants the room."""
    return wine.strip() == '80000005' and ours.startswith('0 ')


def is_port_read(_number, wine, ours):
    """[WDK RtlIpv4StringToAddress] knows no port: it ends at the colon. Wine reads on and refuses a bad port."""
    return ':' in ours and '] c000000d ' in wine and '] 0 ' in ours and wine.split()[-1] == ours.split()[-1]


def is_octal_scope(_number, _wine, ours):
    """A scope with a zero in front: Wine reads it as octal, Windows as decimal only ("%0x10" is refused)."""
    return re.match(r'\[\[?[^]%]*%0\d', ours) is not None


def is_empty_name(_number, _wine, ours):
    """An empty name is no name of the form 8.3."""
    return ours == '[] 0 0'


KNOWN = {
    'upcase': [is_later_script, is_final_sigma], 'downcase': [is_later_script], 'string': [is_later_script],
    'lznt1': [is_cut_match, is_behind_room], 'number': [is_empty_number, is_exact_room], 'ipv4': [is_port_read], 'ipv6': [is_octal_scope],
    '8.3': [is_empty_name],
}


def parse(text):
    lines = {}
    for line in text.replace('\r', '').splitlines():
        key, _, value = line.partition(':')
        section, number = key.rsplit(' ', 1)
        lines[section, int(number)] = value.strip()
    return lines


def run_wine(program):
    """A prefix that holds no more than the DLLs that the program needs, so that it need not be made by wineboot."""
    wine = next((w for w in WINE if shutil.which(w)), None)
    if wine is None or not os.path.isdir(BUILTIN):
        print('no wine64: scripts/setup installs it')
        sys.exit(77)
    with tempfile.TemporaryDirectory() as prefix:
        system = os.path.join(prefix, 'drive_c/windows/system32')
        os.makedirs(system)
        for name in ('ntdll', 'kernel32', 'kernelbase', 'msvcrt', 'ucrtbase'):
            os.symlink(os.path.join(BUILTIN, name + '.dll'), os.path.join(system, name + '.dll'))
        with open(os.path.join(prefix, '.update-timestamp'), 'w', encoding='ascii') as f:
            f.write('disable\n')
        environment = dict(os.environ, WINEPREFIX=prefix, WINEDEBUG='-all')
        done = subprocess.run([wine, program], env=environment, capture_output=True, text=True, timeout=120)
        subprocess.run([os.path.join(os.path.dirname(wine), 'wineserver'), '-k'], env=environment, check=False,
                       capture_output=True)
    if done.returncode != 0:
        sys.exit(f'wine: exit code {done.returncode}: {done.stderr[-500:]}')
    return done.stdout


def main():
    host, windows = sys.argv[1:]
    ours = parse(subprocess.run([host], capture_output=True, text=True, check=True, timeout=120).stdout)
    wine = parse(run_wine(windows))
    counts, bad = {}, 0
    if ours.keys() != wine.keys():
        sys.exit('the two programs did not make the same calls')
    for (section, number), value in ours.items():
        if value == wine[section, number]:
            continue
        rule = next((r for r in KNOWN.get(section, []) if r(number, wine[section, number], value)), None)
        if rule is not None:
            counts[rule] = counts.get(rule, 0) + 1
            continue
        bad += 1
        if bad <= 20:
            print(f'FAIL {section} {number}:\n  wine {wine[section, number]}\n  ours {value}')
    for rule, count in counts.items():
        print(f'{count} known differences: {rule.__doc__}')
    print(f'{len(ours) - bad} passed, {bad} failed')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
