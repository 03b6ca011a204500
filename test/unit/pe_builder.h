/* SPDX-License-Identifier: MIT */
/* One small, complete and correct driver image for the tests of ldr/pe, with everything at a known place, so
 * that a test spoils exactly one field and names what it expects. Sections:
 *
 *   0 .text   0x1000  file 0x0400  code, two functions
 *   1 .rdata  0x2000  file 0x0600  exports, IAT, load configuration, debug directory, .pdata
 *   2 .data   0x3000  file 0x0E00  security cookie and pointers; 0x200 bytes in the file, 0x1800 in memory
 *   3 INIT    0x5000  file 0x1000  import and delay import descriptors and names; discardable
 *   4 .rsrc   0x6000  file 0x1400  version information
 *   5 .reloc  0x7000  file 0x1800 */
#ifndef TEST_PE_BUILDER_H
#define TEST_PE_BUILDER_H

#include <stdint.h>

enum {
    B_HEADER = 0x80, /* file offsets of headers */
    B_COFF = B_HEADER + 4,
    B_OPTIONAL = B_COFF + 20,
    B_DIRECTORIES = B_OPTIONAL + 112,
    B_SECTIONS = B_DIRECTORIES + 128,
    B_SIZE_OF_HEADERS = 0x400,

    B_TEXT = 0x1000, /* RVAs from here on */
    B_ENTRY = B_TEXT,
    B_SECOND = B_TEXT + 0x40,
    B_RDATA = 0x2000,
    B_EXPORTS = B_RDATA, /* the directory and its arrays and strings: 0x200 bytes */
    B_FUNCTIONS = B_RDATA + 0x40,
    B_NAMES = B_RDATA + 0x60,
    B_ORDINALS = B_RDATA + 0x80,
    B_IAT = B_RDATA + 0x200, /* ntoskrnl.exe: 3 slots and the end; HAL.dll: 1 and the end */
    B_IAT_HAL = B_IAT + 0x20,
    B_LOAD_CONFIG = B_RDATA + 0x300,
    B_LOAD_CONFIG_SIZE = 0x140,
    B_DEBUG = B_RDATA + 0x460,
    B_RSDS = B_RDATA + 0x4A0,
    B_PDATA = B_RDATA + 0x500,
    B_UNWIND = B_RDATA + 0x540,
    B_GUARD = B_RDATA + 0x560,
    B_DATA = 0x3000,
    B_COOKIE = B_DATA,
    B_POINTER = B_DATA + 8, /* points to B_ENTRY, has a relocation */
    B_DELAY_IAT = B_DATA + 0x20,
    B_INIT = 0x5000,
    B_IMPORTS = B_INIT,
    B_IMPORT_NAMES = B_INIT + 0x80,
    B_IMPORT_NAMES_HAL = B_INIT + 0xA0,
    B_NTOSKRNL = B_INIT + 0xC0,
    B_HAL = B_INIT + 0xD0,
    B_HINT_NAME = B_INIT + 0x100, /* DbgPrint */
    B_DELAY = B_INIT + 0x200,
    B_DELAY_NAMES = B_INIT + 0x260,
    B_DELAY_DLL = B_INIT + 0x280,
    B_RSRC = 0x6000,
    B_VERSION = B_RSRC + 0x80,
    B_RELOC = 0x7000,
    B_RELOC_SIZE = 0x24,
    B_SIZE_OF_IMAGE = 0x8000,
    B_FILE_SIZE = 0x1A00,

    B_SECTION_COUNT = 6,
    B_FIXUPS = 6
};

#define B_IMAGE_BASE 0x140000000ull

/* Room behind the image for certificates, symbols and so on. */
typedef struct _PE_BUILD {
    uint32_t Length;
    uint8_t Bytes[0x4000];
} PE_BUILD;

void BuildImage(PE_BUILD *Build);

/* The file offset of an RVA of the image as it was built. */
uint32_t BuildOffset(uint32_t Rva);

/* Little-endian values at file offsets. */
void Put16(PE_BUILD *Build, uint32_t Offset, uint16_t Value);
void Put32(PE_BUILD *Build, uint32_t Offset, uint32_t Value);
void Put64(PE_BUILD *Build, uint32_t Offset, uint64_t Value);
uint32_t Get32(const PE_BUILD *Build, uint32_t Offset);

/* The same at RVAs. */
void PutRva16(PE_BUILD *Build, uint32_t Rva, uint16_t Value);
void PutRva32(PE_BUILD *Build, uint32_t Rva, uint32_t Value);
void PutRva64(PE_BUILD *Build, uint32_t Rva, uint64_t Value);
void PutString(PE_BUILD *Build, uint32_t Rva, const char *Text);

void PutDirectory(PE_BUILD *Build, uint32_t Index, uint32_t Rva, uint32_t Size);
/* File offset of a field of a section header. */
uint32_t SectionField(uint32_t Index, uint32_t Field);

/* VS_VERSION_INFO with the strings CompanyName and OriginalFilename; returns its size. */
uint32_t PutVersion(PE_BUILD *Build, uint32_t Rva);

#endif
