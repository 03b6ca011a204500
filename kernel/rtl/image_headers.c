/* SPDX-License-Identifier: MIT
 * Headers, directories and exports of an image in memory (ntimage.h, [PE Format]): RtlImageNtHeaderEx,
 * RtlImageDirectoryEntryToData, RtlFindExportedRoutineByName. Every offset is checked against the image's size. */
#include "image_view.h"

BOOLEAN RtlpReadImage(const RTLP_IMAGE *Image, ULONG64 Rva, PVOID To, ULONG Length)
{
    if (Rva > Image->Size || Length > Image->Size - Rva)
        return FALSE;
    memcpy(To, Image->Base + Rva, Length);
    return TRUE;
}

/* [ntdll documentation] Size 0 with RTLP_NO_RANGE_CHECK: the headers are trusted to be mapped. */
NTSTATUS NTAPI RtlImageNtHeaderEx(ULONG Flags, PVOID Base, ULONG64 Size,
                                  struct _IMAGE_NT_HEADERS64 **OutHeaders)
{
    BOOLEAN Trusted = (Flags & RTLP_NO_RANGE_CHECK) != 0;
    RTLP_IMAGE View = {Base, Trusted ? MAXULONG : Size};
    USHORT Dos;
    ULONG Offset, Signature;

    if (OutHeaders == NULL)
        return STATUS_INVALID_PARAMETER;
    *OutHeaders = NULL;
    if (Base == NULL || Base == (PVOID)-1 || (Flags & ~RTLP_NO_RANGE_CHECK) != 0)
        return STATUS_INVALID_PARAMETER;
    if (!RtlpReadImage(&View, 0, &Dos, sizeof(Dos)) || Dos != 0x5A4D ||
        !RtlpReadImage(&View, 0x3C, &Offset, sizeof(Offset)) || Offset >= 0x10000000 ||
        !RtlpReadImage(&View, Offset, &Signature, sizeof(Signature)) || Signature != 0x4550)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (View.Size - Offset < RTLP_NT_HEADERS64)
        return STATUS_INVALID_IMAGE_FORMAT;
    *OutHeaders = (struct _IMAGE_NT_HEADERS64 *)(View.Base + Offset);
    return STATUS_SUCCESS;
}

struct _IMAGE_NT_HEADERS64 *NTAPI RtlImageNtHeader(PVOID Base)
{
    struct _IMAGE_NT_HEADERS64 *Headers;

    RtlImageNtHeaderEx(RTLP_NO_RANGE_CHECK, Base, 0, &Headers);
    return Headers;
}

NTSTATUS RtlpOpenImage(PVOID Base, RTLP_IMAGE *Image, ULONG *Headers)
{
    PUCHAR At = (PUCHAR)RtlImageNtHeader(Base);
    ULONG Size;

    if (At == NULL)
        return STATUS_INVALID_IMAGE_FORMAT;
    memcpy(&Size, At + RTLP_SIZE_OF_IMAGE, sizeof(Size));
    *Image = (RTLP_IMAGE){Base, Size};
    *Headers = (ULONG)(At - (PUCHAR)Base);
    return STATUS_SUCCESS;
}

BOOLEAN RtlpFindDirectory(const RTLP_IMAGE *Image, ULONG Headers, ULONG Index,
                          RTLP_DIRECTORY_ENTRY *Directory)
{
    USHORT Magic;
    ULONG Count, At = Headers + RTLP_OPTIONAL_HEADER;

    if (!RtlpReadImage(Image, At, &Magic, sizeof(Magic)) || (Magic != 0x20B && Magic != 0x10B))
        return FALSE;
    At += Magic == 0x20B ? 108 : 92; /* NumberOfRvaAndSizes, the directories behind it */
    if (!RtlpReadImage(Image, At, &Count, sizeof(Count)) || Index >= Count || Index >= 16)
        return FALSE;
    if (!RtlpReadImage(Image, At + 4 + 8ull * Index, Directory, sizeof(*Directory)) || Directory->Rva == 0)
        return FALSE;
    return Directory->Rva <= Image->Size && Directory->Size <= Image->Size - Directory->Rva;
}

/* NULL: there is none. An image that is mapped as a file has its sections elsewhere: they are not looked for, NULL (D-186). */
PVOID NTAPI RtlImageDirectoryEntryToData(PVOID Base, BOOLEAN MappedAsImage, USHORT DirectoryEntry,
                                         PULONG Size)
{
    RTLP_IMAGE Image;
    RTLP_DIRECTORY_ENTRY Directory;
    ULONG Headers;

    if (!MappedAsImage || RtlpOpenImage(Base, &Image, &Headers) != STATUS_SUCCESS ||
        !RtlpFindDirectory(&Image, Headers, DirectoryEntry, &Directory))
        return NULL;
    *Size = Directory.Size;
    return (PUCHAR)Base + Directory.Rva;
}

typedef struct _RTLP_EXPORTS {
    ULONG Reserved[5], FunctionCount, NameCount, Functions, Names, Ordinals;
} RTLP_EXPORTS;

/* < 0, 0, > 0 as strcmp; a name that leaves the image is greater than all. */
static LONG RtlpCompareName(const RTLP_IMAGE *Image, PCSTR Name, ULONG Rva)
{
    for (;; Name++, Rva++) {
        UCHAR Other;
        if (!RtlpReadImage(Image, Rva, &Other, 1))
            return -1;
        if ((UCHAR)*Name != Other || Other == 0)
            return (LONG)(UCHAR)*Name - (LONG)Other;
    }
}

static BOOLEAN RtlpFindName(const RTLP_IMAGE *Image, const RTLP_EXPORTS *Exports, PCSTR Name, USHORT *Ordinal)
{
    ULONG Low = 0, High = Exports->NameCount;

    while (Low < High) {
        ULONG Middle = Low + (High - Low) / 2, Rva;
        if (!RtlpReadImage(Image, Exports->Names + 4ull * Middle, &Rva, sizeof(Rva)))
            return FALSE;
        LONG Order = RtlpCompareName(Image, Name, Rva);
        if (Order == 0)
            return RtlpReadImage(Image, Exports->Ordinals + 2ull * Middle, Ordinal, sizeof(*Ordinal));
        if (Order < 0)
            High = Middle;
        else
            Low = Middle + 1;
    }
    return FALSE;
}

/* NULL: the image does not export the name, or forwards it. */
PVOID NTAPI RtlFindExportedRoutineByName(PVOID Base, PCSTR RoutineName)
{
    RTLP_IMAGE Image;
    RTLP_DIRECTORY_ENTRY Directory;
    RTLP_EXPORTS Exports;
    ULONG Headers, Rva;
    USHORT Ordinal;

    if (RtlpOpenImage(Base, &Image, &Headers) != STATUS_SUCCESS ||
        !RtlpFindDirectory(&Image, Headers, 0, &Directory) ||
        !RtlpReadImage(&Image, Directory.Rva, &Exports, sizeof(Exports)) ||
        !RtlpFindName(&Image, &Exports, RoutineName, &Ordinal) || Ordinal >= Exports.FunctionCount ||
        !RtlpReadImage(&Image, Exports.Functions + 4ull * Ordinal, &Rva, sizeof(Rva)))
        return NULL;
    if (Rva == 0 || Rva >= Image.Size || Rva - Directory.Rva < Directory.Size)
        return NULL;
    return (PUCHAR)Base + Rva;
}
