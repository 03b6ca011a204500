/* SPDX-License-Identifier: MIT */
/* Private to ldr/pe. On-disk structures of [PE Format], under names that cannot meet those of the DDK
 * headers. They are only ever copied out of the image byte by byte, never pointed at, so alignment does not
 * matter. */
#ifndef PE_PE_FORMAT_H
#define PE_PE_FORMAT_H

#include <stdint.h>

#define PEF_SIZE_IS(Type, Size) _Static_assert(sizeof(Type) == (Size), #Type " has the on-disk size")

#define PEF_DOS_MAGIC 0x5A4Du    /* "MZ" */
#define PEF_NE_MAGIC 0x454Eu     /* "NE" */
#define PEF_LE_MAGIC 0x454Cu     /* "LE" */
#define PEF_LX_MAGIC 0x584Cu     /* "LX" */
#define PEF_PE_MAGIC 0x00004550u /* "PE\0\0" */
#define PEF_DOS_HEADER_SIZE 0x40u
#define PEF_DOS_NEW_HEADER 0x3Cu /* offset of e_lfanew */

typedef struct _PEF_COFF_HEADER {
    uint16_t Machine;
    uint16_t NumberOfSections;
    uint32_t TimeDateStamp;
    uint32_t PointerToSymbolTable;
    uint32_t NumberOfSymbols;
    uint16_t SizeOfOptionalHeader;
    uint16_t Characteristics;
} PEF_COFF_HEADER;
PEF_SIZE_IS(PEF_COFF_HEADER, 20);

#define PEF_MACHINE_AMD64 0x8664u
#define PEF_MAGIC_PE32 0x010Bu
#define PEF_MAGIC_PE32_PLUS 0x020Bu
#define PEF_MAGIC_ROM 0x0107u

typedef struct _PEF_OPTIONAL_HEADER {
    uint16_t Magic;
    uint8_t MajorLinkerVersion, MinorLinkerVersion;
    uint32_t SizeOfCode, SizeOfInitializedData, SizeOfUninitializedData;
    uint32_t AddressOfEntryPoint, BaseOfCode;
    uint64_t ImageBase;
    uint32_t SectionAlignment, FileAlignment;
    uint16_t MajorOperatingSystemVersion, MinorOperatingSystemVersion;
    uint16_t MajorImageVersion, MinorImageVersion;
    uint16_t MajorSubsystemVersion, MinorSubsystemVersion;
    uint32_t Win32VersionValue;
    uint32_t SizeOfImage, SizeOfHeaders, CheckSum;
    uint16_t Subsystem, DllCharacteristics;
    uint64_t SizeOfStackReserve, SizeOfStackCommit, SizeOfHeapReserve, SizeOfHeapCommit;
    uint32_t LoaderFlags, NumberOfRvaAndSizes;
} PEF_OPTIONAL_HEADER;
PEF_SIZE_IS(PEF_OPTIONAL_HEADER, 112);

#define PEF_IMAGE_BASE_OFFSET 24u /* within the optional header */
#define PEF_CHECKSUM_OFFSET 64u

typedef struct _PEF_SECTION_HEADER {
    char Name[8];
    uint32_t VirtualSize, VirtualAddress;
    uint32_t SizeOfRawData, PointerToRawData;
    uint32_t PointerToRelocations, PointerToLinenumbers;
    uint16_t NumberOfRelocations, NumberOfLinenumbers;
    uint32_t Characteristics;
} PEF_SECTION_HEADER;
PEF_SIZE_IS(PEF_SECTION_HEADER, 40);

#define PEF_SCN_DISCARDABLE 0x02000000u
#define PEF_SCN_NOT_PAGED 0x08000000u
#define PEF_SCN_EXECUTE 0x20000000u
#define PEF_SCN_READ 0x40000000u
#define PEF_SCN_WRITE 0x80000000u
#define PEF_SYMBOL_SIZE 18u /* a COFF symbol; the string table follows the symbols */

typedef struct _PEF_RELOCATION_BLOCK {
    uint32_t VirtualAddress, SizeOfBlock;
} PEF_RELOCATION_BLOCK;
PEF_SIZE_IS(PEF_RELOCATION_BLOCK, 8);

enum { PEF_REL_ABSOLUTE = 0, PEF_REL_HIGH = 1, PEF_REL_LOW = 2, PEF_REL_HIGHLOW = 3, PEF_REL_DIR64 = 10 };

typedef struct _PEF_IMPORT_DESCRIPTOR {
    uint32_t OriginalFirstThunk, TimeDateStamp, ForwarderChain, Name, FirstThunk;
} PEF_IMPORT_DESCRIPTOR;
PEF_SIZE_IS(PEF_IMPORT_DESCRIPTOR, 20);

typedef struct _PEF_DELAY_DESCRIPTOR {
    uint32_t Attributes, Name, ModuleHandle, ImportAddressTable, ImportNameTable, BoundTable, UnloadTable;
    uint32_t TimeDateStamp;
} PEF_DELAY_DESCRIPTOR;
PEF_SIZE_IS(PEF_DELAY_DESCRIPTOR, 32);

typedef struct _PEF_EXPORT_DIRECTORY {
    uint32_t Characteristics, TimeDateStamp;
    uint16_t MajorVersion, MinorVersion;
    uint32_t Name, Base, NumberOfFunctions, NumberOfNames;
    uint32_t AddressOfFunctions, AddressOfNames, AddressOfNameOrdinals;
} PEF_EXPORT_DIRECTORY;
PEF_SIZE_IS(PEF_EXPORT_DIRECTORY, 40);

typedef struct _PEF_RUNTIME_FUNCTION {
    uint32_t Begin, End, UnwindInfo;
} PEF_RUNTIME_FUNCTION;
PEF_SIZE_IS(PEF_RUNTIME_FUNCTION, 12);

typedef struct _PEF_RESOURCE_DIRECTORY {
    uint32_t Characteristics, TimeDateStamp;
    uint16_t MajorVersion, MinorVersion, NumberOfNamedEntries, NumberOfIdEntries;
} PEF_RESOURCE_DIRECTORY;
PEF_SIZE_IS(PEF_RESOURCE_DIRECTORY, 16);

typedef struct _PEF_RESOURCE_ENTRY {
    uint32_t Name, Offset; /* the top bit of Offset: a directory; of Name: a string */
} PEF_RESOURCE_ENTRY;
PEF_SIZE_IS(PEF_RESOURCE_ENTRY, 8);

typedef struct _PEF_RESOURCE_DATA {
    uint32_t Rva, Size, CodePage, Reserved;
} PEF_RESOURCE_DATA;
PEF_SIZE_IS(PEF_RESOURCE_DATA, 16);

typedef struct _PEF_FIXED_FILE_INFO {
    uint32_t Signature, StructVersion;
    uint32_t FileVersionMS, FileVersionLS, ProductVersionMS, ProductVersionLS;
    uint32_t FileFlagsMask, FileFlags, FileOS, FileType, FileSubtype, FileDateMS, FileDateLS;
} PEF_FIXED_FILE_INFO;
PEF_SIZE_IS(PEF_FIXED_FILE_INFO, 52);
#define PEF_FIXED_SIGNATURE 0xFEEF04BDu

typedef struct _PEF_DEBUG_ENTRY {
    uint32_t Characteristics, TimeDateStamp;
    uint16_t MajorVersion, MinorVersion;
    uint32_t Type, SizeOfData, AddressOfRawData, PointerToRawData;
} PEF_DEBUG_ENTRY;
PEF_SIZE_IS(PEF_DEBUG_ENTRY, 28);
#define PEF_DEBUG_CODEVIEW 2u
#define PEF_DEBUG_REPRO 16u
#define PEF_RSDS 0x53445352u

typedef struct _PEF_CERTIFICATE {
    uint32_t Length;
    uint16_t Revision, Type;
} PEF_CERTIFICATE;
PEF_SIZE_IS(PEF_CERTIFICATE, 8);

/* Offsets in the load configuration of PE32+, which has grown with every toolset. */
#define PEF_LOAD_CONFIG_COOKIE 0x58u
#define PEF_LOAD_CONFIG_CF_CHECK 0x70u
#define PEF_LOAD_CONFIG_CF_DISPATCH 0x78u
#define PEF_LOAD_CONFIG_CF_TABLE 0x80u
#define PEF_LOAD_CONFIG_CF_COUNT 0x88u
#define PEF_LOAD_CONFIG_CF_FLAGS 0x90u
#define PEF_LOAD_CONFIG_CHPE 0xC8u

#endif
