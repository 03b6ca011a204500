/* SPDX-License-Identifier: MIT */
/* ldr/pe: the PE32+ (AMD64) library of osloader, kernel and host. Bytes in, status out: no allocation, no
 * globals, no libc. Every offset, size, count and alignment is checked before use, so any bytes whatever may
 * be given.
 *
 * Order of a load: PeParseFile -> PeMapImage -> PeRelocateImage -> PeBindImports -> PeSetSecurityCookie ->
 * the host protects the pages with PeGetPageProtection. All functions run at any IRQL at which the bytes may
 * be touched, take no lock, and are thread-safe as long as nobody writes the same image.
 *
 * Errors: each function that can fail returns a PE_STATUS and, if Error is not NULL, fills it with one
 * sentence. PE_END and PE_NOT_FOUND are answers, not faults, and leave Error untouched. Out parameters are
 * undefined on failure. Names of formats follow [PE Format]
 * (learn.microsoft.com/windows/win32/debug/pe-format). */
#ifndef PE_PE_H
#define PE_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pe/pe_host.h"

typedef enum _PE_STATUS {
    PE_OK = 0,
    PE_END,               /* an iteration has no more */
    PE_NOT_FOUND,         /* no such name, ordinal, directory, resource */
    PE_TRUNCATED,         /* the file ends too early */
    PE_NOT_PE,            /* neither MZ nor PE */
    PE_NOT_WINDOWS_IMAGE, /* DOS, NE (16-bit Windows), LE/LX, or a COFF object */
    PE_WRONG_MACHINE,     /* x86, ARM64, ARM64EC, ... */
    PE_BAD_HEADER,
    PE_BAD_SECTION,
    PE_BAD_DIRECTORY,
    PE_WRITABLE_EXECUTABLE, /* refused because of PE_PARSE_STRICT_WX */
    PE_BAD_RELOCATION,
    PE_NOT_RELOCATABLE, /* RELOCS_STRIPPED and another base is wanted, or a fixup cannot hold the new base */
    PE_BAD_IMPORT,
    PE_IMPORT_MISSING, /* the resolver knew not all of them */
    PE_BAD_EXPORT,
    PE_FORWARDER_LOOP,
    PE_FORWARDER_MISSING, /* a forwarder names a module or a symbol that is not there */
    PE_BAD_LOAD_CONFIG,
    PE_BAD_EXCEPTION,
    PE_BAD_RESOURCE,
    PE_BAD_DEBUG,
    PE_BUFFER_TOO_SMALL, /* the caller's, not the image's fault */
    PE_WRONG_KIND        /* a mapped image was given where a file is needed, or the other way round */
} PE_STATUS;

/* The caller supplies it, uninitialised. Offset is a file offset for files and an RVA for mapped images. */
#define PE_ERROR_TEXT 232
typedef struct _PE_ERROR {
    PE_STATUS Status;
    uint64_t Offset;
    char Text[PE_ERROR_TEXT]; /* one sentence, no file name in front, no full stop, no newline; ASCII */
} PE_ERROR;

/* "PE_BAD_SECTION" and so on; never NULL. */
const char *PeStatusName(PE_STATUS Status);

/* ---- headers
 * ---------------------------------------------------------------------------------------------------- */

enum {
    PE_DIRECTORY_EXPORT = 0,
    PE_DIRECTORY_IMPORT = 1,
    PE_DIRECTORY_RESOURCE = 2,
    PE_DIRECTORY_EXCEPTION = 3,
    PE_DIRECTORY_SECURITY = 4, /* Rva is a file offset here */
    PE_DIRECTORY_BASERELOC = 5,
    PE_DIRECTORY_DEBUG = 6,
    PE_DIRECTORY_ARCHITECTURE = 7,
    PE_DIRECTORY_GLOBALPTR = 8,
    PE_DIRECTORY_TLS = 9,
    PE_DIRECTORY_LOAD_CONFIG = 10,
    PE_DIRECTORY_BOUND_IMPORT = 11,
    PE_DIRECTORY_IAT = 12,
    PE_DIRECTORY_DELAY_IMPORT = 13,
    PE_DIRECTORY_COM_DESCRIPTOR = 14,
    PE_DIRECTORY_COUNT = 16
};

typedef struct _PE_DIRECTORY {
    uint32_t Rva;
    uint32_t Size;
} PE_DIRECTORY;

/* PE_IMAGE.Warnings: accepted, but worth a line in a report. */
#define PE_WARN_WRITABLE_EXECUTABLE 0x00000001u /* a section is both; see PE_SECTION.Protection for which */
#define PE_WARN_LOW_ALIGNMENT 0x00000002u       /* SectionAlignment below 4 KiB: pages share protections */
#define PE_WARN_ENTRY_NOT_EXECUTABLE 0x00000004u
#define PE_WARN_CERTIFICATE 0x00000008u       /* the certificate table does not lie inside the file */
#define PE_WARN_DIRECTORY_IGNORED 0x00000010u /* a directory that no loader uses lies outside the image */
/* One sentence for exactly one of the bits; NULL for anything else. */
const char *PeWarningText(uint32_t Warning);

/* Read-only for callers. A file's Bytes are its contents, a mapped image's are laid out by RVA. Copyable; it
 * owns nothing, the bytes must outlive it. */
typedef struct _PE_IMAGE {
    const uint8_t *Bytes;
    uint8_t *Writable;     /* mapped images: the same address as Bytes; files: NULL */
    uint64_t Length;       /* bytes at Bytes: the file's length, or SizeOfImage */
    uint64_t LoadBase;     /* address at which the image runs: addresses handed out are LoadBase + RVA */
    uint64_t ImageBase;    /* as in the header: the preferred one; after PeRelocateImage the new one */
    uint32_t Warnings;     /* PE_WARN_* */
    uint32_t HeaderOffset; /* of "PE\0\0" */
    uint32_t SectionTableOffset;
    uint32_t TimeDateStamp;
    uint32_t AddressOfEntryPoint; /* RVA; 0: none */
    uint32_t SectionAlignment;
    uint32_t FileAlignment;
    uint32_t SizeOfImage;
    uint32_t SizeOfHeaders;
    uint32_t CheckSum;
    uint32_t NumberOfSymbols;
    uint32_t PointerToSymbolTable;
    uint32_t DirectoryCount; /* how many the header has; those behind it are zero */
    uint16_t NumberOfSections;
    uint16_t Characteristics;
    uint16_t DllCharacteristics;
    uint16_t Subsystem;
    uint16_t MajorOperatingSystemVersion, MinorOperatingSystemVersion;
    uint16_t MajorSubsystemVersion, MinorSubsystemVersion;
    uint8_t MajorLinkerVersion, MinorLinkerVersion;
    PE_DIRECTORY Directories[PE_DIRECTORY_COUNT];
} PE_IMAGE;

#define PE_FILE_RELOCS_STRIPPED 0x0001u /* Characteristics */
#define PE_FILE_EXECUTABLE_IMAGE 0x0002u
#define PE_FILE_DLL 0x2000u
#define PE_DLL_DYNAMIC_BASE 0x0040u /* DllCharacteristics */
#define PE_DLL_FORCE_INTEGRITY 0x0080u
#define PE_DLL_NX_COMPAT 0x0100u
#define PE_DLL_WDM_DRIVER 0x2000u
#define PE_DLL_GUARD_CF 0x4000u
#define PE_SUBSYSTEM_NATIVE 1u
#define PE_SUBSYSTEM_WINDOWS_GUI 2u
#define PE_SUBSYSTEM_WINDOWS_CUI 3u

#define PE_PARSE_STRICT_WX 0x1u /* refuse a section that is writable and executable */

/* Parses a whole file. Bytes after the last section (certificates and the like) are ignored. */
PE_STATUS PeParseFile(const void *Bytes, uint64_t Length, uint32_t Flags, PE_IMAGE *Image, PE_ERROR *Error);

/* Parses an image that lies mapped at Bytes, Length bytes readable and writable (at least SizeOfImage), and
 * runs at LoadBase (osloader writes through another mapping than the kernel runs in; else LoadBase is Bytes).
 * Its header's ImageBase must be the base for which it was relocated. */
PE_STATUS PeParseMapped(void *Bytes, uint64_t Length, uint64_t LoadBase, PE_IMAGE *Image, PE_ERROR *Error);

/* Size readable bytes at an RVA, or NULL if they do not lie inside one section's data or the headers. */
const void *PeRvaToPointer(const PE_IMAGE *Image, uint32_t Rva, uint64_t Size);

typedef enum _PE_FLAVOUR {
    PE_FLAVOUR_UNKNOWN = 0,
    PE_FLAVOUR_MSVC,     /* Microsoft's link.exe */
    PE_FLAVOUR_LLD_LINK, /* lld-link: a 14.x linker version without a Rich header */
    PE_FLAVOUR_MINGW     /* GNU ld */
} PE_FLAVOUR;
PE_FLAVOUR PeGuessFlavour(const PE_IMAGE *Image);
const char *PeFlavourName(PE_FLAVOUR Flavour); /* "msvc", "lld-link", "mingw", "unknown" */

/* ---- sections
 * --------------------------------------------------------------------------------------------------- */

#define PE_PROTECT_READ 0x1u
#define PE_PROTECT_WRITE 0x2u
#define PE_PROTECT_EXECUTE 0x4u

#define PE_SECTION_NAME 64
typedef struct _PE_SECTION {
    char Name[PE_SECTION_NAME]; /* terminated; COFF long names ("/4") are looked up in files, cut at 63 */
    uint32_t Rva;
    uint32_t VirtualSize;     /* as in the header; 0 stands for RawSize */
    uint32_t MappedSize;      /* rounded up to SectionAlignment: the room it takes in the image */
    uint32_t RawOffset;       /* file offset; rounded down to 512 where Windows does so */
    uint32_t RawSize;         /* bytes that are copied from the file: never more than MappedSize */
    uint32_t HeaderRawOffset; /* PointerToRawData and SizeOfRawData as they stand */
    uint32_t HeaderRawSize;
    uint32_t Characteristics;
    uint32_t Protection; /* PE_PROTECT_* */
    bool Discardable;
    bool NotPaged;
} PE_SECTION;

/* PE_END behind the last one. */
PE_STATUS PeGetSection(const PE_IMAGE *Image, uint32_t Index, PE_SECTION *Section, PE_ERROR *Error);
/* The section in whose room an RVA lies; PE_NOT_FOUND for the headers and for gaps. */
PE_STATUS PeFindSection(const PE_IMAGE *Image, uint32_t Rva, PE_SECTION *Section, uint32_t *Index);
/* What the 4 KiB page at PageRva (page aligned, below SizeOfImage) needs: the union of the sections in it,
 * READ for the headers, 0 for gaps. WRITE|EXECUTE together happen only with a PE_WARN_*: the host maps such a
 * page writable while binding, then executable and not writable. */
uint32_t PeGetPageProtection(const PE_IMAGE *Image, uint32_t PageRva);

/* ---- map and relocate
 * ------------------------------------------------------------------------------------------- */

/* Copies headers and sections of a file to Destination (Size >= SizeOfImage, any contents) and zeroes the
 * rest. Mapped is then a mapped image with LoadBase == ImageBase. */
PE_STATUS PeMapImage(const PE_IMAGE *File, void *Destination, uint64_t Size, PE_IMAGE *Mapped,
                     PE_ERROR *Error);

/* Relocates a mapped image to NewBase (a multiple of 64 KiB is usual, of 4 KiB required): all blocks are
 * checked, then applied; LoadBase, ImageBase and the header's ImageBase follow. An empty directory without
 * RELOCS_STRIPPED means that there is nothing to relocate. A refused image is unchanged. */
PE_STATUS PeRelocateImage(PE_IMAGE *Mapped, uint64_t NewBase, PE_ERROR *Error);

/* Checks all relocations and counts those that are not padding (ABSOLUTE). Files and mapped images. */
PE_STATUS PeCountRelocations(const PE_IMAGE *Image, uint32_t *Count, PE_ERROR *Error);

/* ---- imports
 * ---------------------------------------------------------------------------------------------------- */

/* Both are cursors: zero them before the first call. Strings point into the image. */
typedef struct _PE_IMPORT_DLL {
    const char *Name;
    uint32_t Index; /* 0, 1, ... in the order of the descriptors */
    bool Delay;
    uint32_t DescriptorRva;
    uint32_t NameTableRva; /* the import lookup table, or the IAT where a linker wrote none */
    uint32_t IatRva;
    uint32_t NextDescriptor; /* private */
    uint32_t NextEntry;      /* private */
    uint32_t Total;          /* private: entries of all DLLs so far */
} PE_IMPORT_DLL;

typedef struct _PE_IMPORT {
    const PE_IMPORT_DLL *Dll;
    const char *Name; /* NULL: by ordinal */
    uint32_t Index;   /* within the DLL */
    uint32_t IatRva;  /* of the 8-byte slot */
    uint16_t Hint;
    uint16_t Ordinal; /* if Name is NULL */
} PE_IMPORT;

/* Iterate: PE_OK with the next one, PE_END, or an error. A delay-load table is iterated with PeNextDelayDll
 * and the same PeNextImport. Not after PeBindImports on a mapped image without lookup tables (they were the
 * IAT). */
PE_STATUS PeNextImportDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_ERROR *Error);
PE_STATUS PeNextDelayDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_ERROR *Error);
PE_STATUS PeNextImport(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_IMPORT *Import, PE_ERROR *Error);

/* Binds all imports of a mapped image: calls Resolve for each and writes its IAT slot. With missing ones the
 * others are bound all the same, *MissingCount tells how many, and the status is PE_IMPORT_MISSING with the
 * first one in Error. Delay imports and bound-import stamps are ignored. The IAT must be writable. */
PE_STATUS PeBindImports(PE_IMAGE *Mapped, PE_RESOLVE_IMPORT *Resolve, void *Context, uint32_t *MissingCount,
                        PE_ERROR *Error);

/* ---- exports
 * ---------------------------------------------------------------------------------------------------- */

/* An opened export table: all names were checked once, so that a look-up is a plain binary search. Image must
 * stay where it is and mapped (exports must not lie in a discarded section). */
typedef struct _PE_EXPORTS {
    const PE_IMAGE *Image;
    const char *DllName;
    const uint8_t *Functions; /* private: unaligned little-endian arrays */
    const uint8_t *Names;
    const uint8_t *Ordinals;
    uint32_t OrdinalBase;
    uint32_t FunctionCount;
    uint32_t NameCount;
    uint32_t TimeDateStamp;
    bool Sorted; /* false: names are searched one by one, as the table is not in order */
} PE_EXPORTS;

typedef struct _PE_EXPORT {
    const char *Name;      /* NULL: by ordinal only */
    const char *Forwarder; /* NULL, or "MODULE.Name" or "MODULE.#12"; then Rva is the string's */
    uint32_t Rva;
    uint32_t Ordinal; /* with OrdinalBase */
    uint32_t Hint;    /* index in the name table; PE_NO_HINT if Name is NULL */
} PE_EXPORT;

#define PE_NO_HINT 0xFFFFFFFFu

/* PE_NOT_FOUND if the image exports nothing. */
PE_STATUS PeOpenExports(const PE_IMAGE *Image, PE_EXPORTS *Exports, PE_ERROR *Error);
/* Tries Hint first (PE_NO_HINT: none), then searches. Case counts. */
PE_STATUS PeFindExportByName(const PE_EXPORTS *Exports, const char *Name, uint32_t Hint, PE_EXPORT *Export,
                             PE_ERROR *Error);
PE_STATUS PeFindExportByOrdinal(const PE_EXPORTS *Exports, uint32_t Ordinal, PE_EXPORT *Export,
                                PE_ERROR *Error);

/* Iterates: every name in the order of the table, then the entries that have only an ordinal. Zero the cursor
 * first. */
typedef struct _PE_EXPORT_CURSOR {
    uint32_t NextName;
    uint32_t NextFunction;
    uint32_t WindowEnd;
    uint8_t Named[256];
} PE_EXPORT_CURSOR;
PE_STATUS PeNextExport(const PE_EXPORTS *Exports, PE_EXPORT_CURSOR *Cursor, PE_EXPORT *Export,
                       PE_ERROR *Error);

/* The export at the greatest address that is not above Rva (forwarders do not count): for back-traces. */
PE_STATUS PeFindNearestExport(const PE_EXPORTS *Exports, uint32_t Rva, PE_EXPORT *Export, PE_ERROR *Error);

/* Follows forwarders, at most PE_FORWARDER_LIMIT of them, through FindModule to an address (LoadBase + RVA of
 * the last module). By name, or by ordinal if Name is NULL. Owner (may be NULL) gets the module in which the
 * search ended. PE_NOT_FOUND: the first module has no such export. */
#define PE_FORWARDER_LIMIT 8
PE_STATUS PeResolveExport(const PE_EXPORTS *Exports, const char *Name, uint32_t HintOrOrdinal,
                          PE_FIND_MODULE *FindModule, void *Context, uint64_t *Address,
                          const PE_EXPORTS **Owner, PE_ERROR *Error);

/* ---- load config
 * ------------------------------------------------------------------------------------------------ */

/* RVAs are 0 where the structure is too short for the field or holds 0. */
typedef struct _PE_LOAD_CONFIG {
    uint32_t Rva;
    uint32_t Size; /* that is honoured */
    uint32_t SecurityCookieRva;
    uint32_t GuardCheckPointerRva; /* of the 8-byte pointer _guard_check_icall reads */
    uint32_t GuardDispatchPointerRva;
    uint32_t GuardFunctionTableRva;
    uint64_t GuardFunctionCount;
    uint32_t GuardFlags;
} PE_LOAD_CONFIG;

PE_STATUS PeGetLoadConfig(const PE_IMAGE *Image, PE_LOAD_CONFIG *Config,
                          PE_ERROR *Error); /* PE_NOT_FOUND: none */

#define PE_DEFAULT_SECURITY_COOKIE 0x00002B992DDFA232ull
/* Gives a mapped image a cookie made from Entropy: top 16 bits zero, never 0, never the default. A cookie
 * that is not the default any more is left alone, as is an image without one. The complement is the image's
 * own entry's work. */
PE_STATUS PeSetSecurityCookie(PE_IMAGE *Mapped, uint64_t Entropy, PE_ERROR *Error);

/* ---- exception directory
 * ---------------------------------------------------------------------------------------- */

typedef struct _PE_RUNTIME_FUNCTION {
    uint32_t EntryRva; /* of the entry itself */
    uint32_t Begin, End, UnwindInfo;
} PE_RUNTIME_FUNCTION;

/* Sorted, not overlapping, Begin <= End, all inside the image. Count may be NULL. */
PE_STATUS PeCheckExceptions(const PE_IMAGE *Image, uint32_t *Count, PE_ERROR *Error);
/* Binary search; PE_NOT_FOUND: a leaf function. */
PE_STATUS PeFindRuntimeFunction(const PE_IMAGE *Image, uint32_t Rva, PE_RUNTIME_FUNCTION *Function,
                                PE_ERROR *Error);

/* ---- resources
 * -------------------------------------------------------------------------------------------------- */

typedef struct _PE_VERSION {
    uint16_t FileVersion[4]; /* 10, 0, 19041, 1 */
    uint16_t ProductVersion[4];
    bool HasFixed;        /* false: only strings are there */
    const uint8_t *Block; /* private */
    uint32_t BlockSize;
} PE_VERSION;

PE_STATUS PeGetVersion(const PE_IMAGE *Image, PE_VERSION *Version, PE_ERROR *Error); /* PE_NOT_FOUND: none */
/* A value of the first StringTable: "CompanyName", "FileDescription", "OriginalFilename" ..., as UTF-8,
 * terminated, cut to Size if need be. */
PE_STATUS PeGetVersionString(const PE_VERSION *Version, const char *Key, char *Text, size_t Size,
                             PE_ERROR *Error);

/* ---- checksum, certificate, debug: files; debug also mapped
 * ------------------------------------------------------ */

PE_STATUS PeComputeCheckSum(const PE_IMAGE *File, uint32_t *CheckSum, PE_ERROR *Error);

typedef struct _PE_CERTIFICATE {
    uint32_t Offset; /* in the file */
    uint32_t Size;
    uint16_t Revision, Type; /* 0x0200 and 2 (PKCS#7) are usual; 0 if not in the file */
    bool InFile;
} PE_CERTIFICATE;
PE_STATUS PeGetCertificate(const PE_IMAGE *File, PE_CERTIFICATE *Certificate,
                           PE_ERROR *Error); /* PE_NOT_FOUND */

typedef struct _PE_DEBUG_INFO {
    const char *PdbName; /* NULL: no CodeView RSDS entry; else age and GUID are set */
    uint32_t Age;
    uint8_t Guid[16];  /* as it lies in the file */
    bool Reproducible; /* an /Brepro entry: TimeDateStamp is a hash */
    uint32_t EntryCount;
} PE_DEBUG_INFO;
PE_STATUS PeGetDebugInfo(const PE_IMAGE *Image, PE_DEBUG_INFO *Info,
                         PE_ERROR *Error); /* PE_NOT_FOUND: no directory */

#endif
