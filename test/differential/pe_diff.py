# SPDX-License-Identifier: MIT
"""pe_diff.py PE_DUMP [FILE...]: what ldr/pe reads (pe_dump's JSON) against what python3-pefile reads, for every PE of
Debian's libwine and the given files. Any difference, an unreadable image or a missing libwine is a failure."""
import glob
import json
import multiprocessing
import subprocess
import sys
import zlib

import pefile

WINE64 = '/usr/lib/*/wine/x86_64-windows/*'
WINE32 = '/usr/lib/*/wine/i386-windows/*'
BATCH = 40
SLOW_CHECKSUM_LIMIT = 100_000  # pefile needs a second for a megabyte
SLOW_EXCEPTION_LIMIT = 12 * 400
LARGEST_MAPPED = 0x40000  # as in pe_dump.c
NEW_BASE = 0xFFFFF80012340000
RELOCS_STRIPPED = 1
DIRECTORIES = [pefile.DIRECTORY_ENTRY['IMAGE_DIRECTORY_ENTRY_' + name] for name in
               ('IMPORT', 'EXPORT', 'RESOURCE', 'BASERELOC', 'DEBUG', 'LOAD_CONFIG', 'DELAY_IMPORT')]
EXCEPTION = pefile.DIRECTORY_ENTRY['IMAGE_DIRECTORY_ENTRY_EXCEPTION']


def text(value):
    """pefile's bytes as pe_dump writes them: each byte a Latin-1 character."""
    return None if value is None else value.split(b'\0')[0].decode('latin-1')


def section_name(pe, section):
    name = section.Name.rstrip(b'\0')
    if not name.startswith(b'/') or not pe.FILE_HEADER.PointerToSymbolTable:
        return text(name)
    start = pe.FILE_HEADER.PointerToSymbolTable + 18 * pe.FILE_HEADER.NumberOfSymbols + int(name[1:])
    data = bytes(pe.__data__[start:start + 63])
    return text(data)


def headers(pe):
    file, optional = pe.FILE_HEADER, pe.OPTIONAL_HEADER
    alignment = optional.SectionAlignment
    return {
        'base': optional.ImageBase, 'entry': optional.AddressOfEntryPoint,
        'size': (optional.SizeOfImage + alignment - 1) // alignment * alignment,
        'headers': optional.SizeOfHeaders, 'stamp': file.TimeDateStamp, 'subsystem': optional.Subsystem,
        'characteristics': file.Characteristics, 'dll_characteristics': optional.DllCharacteristics,
        'checksum': optional.CheckSum, 'section_alignment': alignment, 'file_alignment': optional.FileAlignment,
        'directories': [[entry.VirtualAddress, entry.Size] for entry in optional.DATA_DIRECTORY],
        'sections': [[section_name(pe, s), s.VirtualAddress, s.Misc_VirtualSize or s.SizeOfRawData,
                      s.PointerToRawData, s.SizeOfRawData, s.Characteristics] for s in pe.sections],
    }


def imports(pe, attribute):
    base = pe.OPTIONAL_HEADER.ImageBase
    return [[text(dll.dll), [[text(i.name), i.hint if i.name else i.ordinal, i.address - base] for i in dll.imports]]
            for dll in getattr(pe, attribute, [])]


def exports(pe):
    directory = getattr(pe, 'DIRECTORY_ENTRY_EXPORT', None)
    if directory is None:
        return {}
    symbols = [[text(s.name), s.ordinal, s.address, text(s.forwarder)] for s in directory.symbols if s.address]
    return {'dll_name': text(pe.get_string_at_rva(directory.struct.Name)), 'lookup_faults': 0,
            'exports': sorted(symbols, key=export_key)}


def export_key(export):
    return (export[0] or '', export[1])


def version(pe):
    if not getattr(pe, 'VS_FIXEDFILEINFO', None):
        return {}
    fixed = pe.VS_FIXEDFILEINFO[0]
    words = [(value >> shift) & 0xFFFF for value in (fixed.FileVersionMS, fixed.FileVersionLS, fixed.ProductVersionMS,
                                                     fixed.ProductVersionLS) for shift in (16, 0)]
    tables = [table for info in pe.FileInfo[0] if info.Key == b'StringFileInfo' for table in info.StringTable]
    strings = {'': None}
    for key in ('CompanyName', 'FileDescription', 'OriginalFilename', 'FileVersion'):
        if tables and key.encode() in tables[0].entries:
            strings[key] = tables[0].entries[key.encode()].decode('latin-1')
    return {'version': words, 'strings': strings}


def debug(pe):
    entries = getattr(pe, 'DIRECTORY_ENTRY_DEBUG', None)
    if entries is None:
        return {}
    result = {'pdb': None, 'reproducible': int(any(entry.struct.Type == 16 for entry in entries))}
    for entry in entries:
        if entry.struct.Type == 2 and entry.entry is not None and entry.entry.CvSignature == b'RSDS':
            data = pe.get_data(entry.struct.AddressOfRawData, 24)
            result.update(pdb=text(entry.entry.PdbFileName), age=entry.entry.Age, guid=data[4:20].hex())
            break
    return result


def relocations(pe):
    return sum(1 for block in getattr(pe, 'DIRECTORY_ENTRY_BASERELOC', []) for entry in block.entries if entry.type)


def load_config(pe):
    directory = getattr(pe, 'DIRECTORY_ENTRY_LOAD_CONFIG', None)
    if directory is None:
        return {}
    base, config = pe.OPTIONAL_HEADER.ImageBase, directory.struct
    rva = {name: getattr(config, field, 0) for name, field in
           (('cookie', 'SecurityCookie'), ('guard_check', 'GuardCFCheckFunctionPointer'))}
    result = {name: address - base if address else 0 for name, address in rva.items()}
    return {**result, 'guard_flags': getattr(config, 'GuardFlags', 0)}


def mapped(pe):
    """Last, because it changes what pefile holds: the CRC of each section after relocation."""
    if headers(pe)['size'] > LARGEST_MAPPED or pe.FILE_HEADER.Characteristics & RELOCS_STRIPPED:
        return {}
    alignment = pe.OPTIONAL_HEADER.SectionAlignment
    pe.relocate_image(NEW_BASE)
    checks = []
    for section in pe.sections:
        room = ((section.Misc_VirtualSize or section.SizeOfRawData) + alignment - 1) // alignment * alignment
        start = section.PointerToRawData
        data = bytes(pe.__data__[start:start + section.SizeOfRawData])[:room] if start else b''
        checks.append(zlib.crc32(data.ljust(room, b'\0')))
    return {'mapped': checks}


def expected(path):
    """What pefile says, in pe_dump's form."""
    pe = pefile.PE(path, fast_load=True)
    if pe.FILE_HEADER.Machine != 0x8664:
        return {'status': 'PE_WRONG_MACHINE',
                'error': f'an image for 32-bit x86 (machine 0x{pe.FILE_HEADER.Machine:x}); x64 (AMD64, 0x8664) is needed'}
    exceptions = pe.OPTIONAL_HEADER.DATA_DIRECTORY[EXCEPTION]
    small = exceptions.Size <= SLOW_EXCEPTION_LIMIT
    pe.parse_data_directories(DIRECTORIES + [EXCEPTION] * small)
    result = headers(pe) | exports(pe) | version(pe) | debug(pe) | load_config(pe)
    result.update(imports=imports(pe, 'DIRECTORY_ENTRY_IMPORT'),
                  delay_imports=imports(pe, 'DIRECTORY_ENTRY_DELAY_IMPORT'), relocations=relocations(pe),
                  functions=len(getattr(pe, 'DIRECTORY_ENTRY_EXCEPTION', [])) if small else exceptions.Size // 12,
                  status='PE_OK', error=None)
    if len(pe.__data__) <= SLOW_CHECKSUM_LIMIT:
        result['computed_checksum'] = pe.generate_checksum()
    result |= mapped(pe)
    pe.close()
    return result


def shorten(value):
    shown = json.dumps(value)
    return shown if len(shown) <= 300 else shown[:300] + ' ...'


def differences(ours):
    """One line for each field in which pefile differs."""
    path = ours['file']
    theirs = expected(path)
    if 'exports' in ours:
        ours['exports'].sort(key=export_key)
    return [f'{path}: {field}: ldr/pe {shorten(ours.get(field))}, pefile {shorten(value)}'
            for field, value in theirs.items() if ours.get(field) != value] + \
           [f'{path}: {field}: only ldr/pe has {shorten(ours[field])}'
            for field in ('exports', 'version', 'pdb', 'cookie', 'mapped') if field in ours and field not in theirs]


def compare(job):
    dump, paths = job
    run = subprocess.run([dump, *paths], capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        return [f'{dump}: exit code {run.returncode}: {run.stderr.strip()[-2000:]}']
    lines = run.stdout.splitlines()
    if len(lines) != len(paths):
        return [f'{dump}: {len(lines)} lines for {len(paths)} files']
    return [line for text_line in lines for line in differences(json.loads(text_line))]


def main():
    dump, given = sys.argv[1], sys.argv[2:]
    wine = sorted(glob.glob(WINE64))
    if len(wine) < 500:
        print(f'{WINE64} has only {len(wine)} files: install the Debian package libwine (scripts/setup does)')
        return 1
    paths = given + wine + sorted(glob.glob(WINE32))
    jobs = [(dump, paths[start:start + BATCH]) for start in range(0, len(paths), BATCH)]
    with multiprocessing.Pool(2) as pool:
        found = [line for lines in pool.imap_unordered(compare, jobs) for line in lines]
    print('\n'.join(found[:100]))
    bad = len({line.split(': ')[0] for line in found})
    print(f'{len(paths) - bad} passed, {bad} failed')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
