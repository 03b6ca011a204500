#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetch the kernel driver tests of Debian's Wine source package into FOLDER; prints where they lie.
usage: fetch.py FOLDER

The source comes from the archive that this machine gets its packages from. Nothing is installed, no list of the system is changed."""
import glob
import os
import subprocess
import sys

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
MEMBERS = ['*/dlls/ntoskrnl.exe/tests/driver*', '*/dlls/ntoskrnl.exe/tests/utils.h']


def archive_lines():
    """deb-src lines for the archives of this release that apt knows."""
    with open('/etc/os-release', encoding='utf-8') as f:
        codename = next(line.split('=')[1].strip().strip('"') for line in f if line.startswith('VERSION_CODENAME='))
    targets = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)',
                              'Created-By: Packages'], capture_output=True, text=True, check=True).stdout
    signed = f'[signed-by={KEYRING}] ' if os.path.exists(KEYRING) else ''
    for line in sorted(set(targets.splitlines())):
        uri, release, component = line.split()
        if release == codename and component == 'main':
            yield f'deb-src {signed}{uri} {release} main'



def download(folder):
    """apt-get source, with lists and cache of its own; returns the tar file of Wine's own source."""
    for part in ('lists/partial', 'cache/archives/partial', 'source'):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    with open(os.path.join(folder, 'wine.list'), 'w', encoding='utf-8') as f:
        f.write('\n'.join(archive_lines()) + '\n')
    options = [f'Dir::Etc::SourceList={folder}/wine.list', 'Dir::Etc::SourceParts=/dev/null', f'Dir::State::Lists={folder}/lists',
               f'Dir::Cache={folder}/cache', 'Debug::NoLocking=1', 'APT::Sandbox::User=']
    apt = ['apt-get', '-q', *(word for option in options for word in ('-o', option))]
    for command in (['update'], ['source', '--download-only', '--tar-only', 'wine']):
        done = subprocess.run(apt + command, cwd=os.path.join(folder, 'source'), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f'fetch.py: apt-get {" ".join(command)} failed:\n{done.stderr[-1500:]}')
    return glob.glob(os.path.join(folder, 'source', 'wine_*.orig.tar.*'))[0]


def main():
    folder = os.path.abspath(sys.argv[1])
    found = glob.glob(os.path.join(folder, 'wine-*/dlls/ntoskrnl.exe/tests'))
    if not found:
        tar = download(folder)
        subprocess.run(['tar', '-C', folder, '-xf', tar, '--wildcards', *MEMBERS], check=True)
        found = glob.glob(os.path.join(folder, 'wine-*/dlls/ntoskrnl.exe/tests'))
    print(found[0])


if __name__ == '__main__':
    main()
