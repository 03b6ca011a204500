/* SPDX-License-Identifier: MIT */
/* The debug directory: the PDB's name, GUID and age, and whether the link was reproducible. [PE Format] Debug
 * Type */
#include "pe/pei.h"

#define PEI_MAX_DEBUG_ENTRIES 64u
#define PEI_RSDS_HEADER 24u /* signature, GUID, age; then the name */

/* The entry's bytes; in a file they may lie outside all sections, at their file offset. */
static const uint8_t *PeiDebugData(const PE_IMAGE *Image, const PEF_DEBUG_ENTRY *Entry)
{
    if (Entry->AddressOfRawData != 0)
        return PeRvaToPointer(Image, Entry->AddressOfRawData, Entry->SizeOfData);
    if (Image->Writable == NULL && Entry->PointerToRawData != 0 &&
        PeiFits(Entry->PointerToRawData, Entry->SizeOfData, Image->Length))
        return Image->Bytes + Entry->PointerToRawData;
    return NULL;
}

static PE_STATUS PeiTakeCodeView(const PE_IMAGE *Image, const PEF_DEBUG_ENTRY *Entry, PE_DEBUG_INFO *Info,
                                 PE_ERROR *Error)
{
    const uint8_t *Data = PeiDebugData(Image, Entry);
    if (Data == NULL)
        return PeiFail(Error, PE_BAD_DEBUG, PeiOffset(Image, Entry->AddressOfRawData),
                       "the CodeView entry (0x%llx, 0x%llx bytes) does not lie inside one section",
                       PEI_U(Entry->AddressOfRawData), PEI_U(Entry->SizeOfData));
    if (Entry->SizeOfData <= PEI_RSDS_HEADER || PeiLoad32(Data) != PEF_RSDS)
        return PE_OK;
    for (uint32_t Index = PEI_RSDS_HEADER; Index < Entry->SizeOfData; Index++) {
        if (Data[Index] != 0)
            continue;
        __builtin_memcpy(Info->Guid, Data + 4, sizeof Info->Guid);
        Info->Age = PeiLoad32(Data + 20);
        Info->PdbName = (const char *)Data + PEI_RSDS_HEADER;
        return PE_OK;
    }
    return PeiFail(Error, PE_BAD_DEBUG, (uint64_t)(Data - Image->Bytes),
                   "the PDB name in the CodeView entry has no end");
}

PE_STATUS PeGetDebugInfo(const PE_IMAGE *Image, PE_DEBUG_INFO *Info, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_DEBUG];
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_NOT_FOUND;
    *Info = (PE_DEBUG_INFO){.EntryCount = Directory->Size / (uint32_t)sizeof(PEF_DEBUG_ENTRY)};
    if (Info->EntryCount > PEI_MAX_DEBUG_ENTRIES)
        return PeiFail(Error, PE_BAD_DEBUG, PeiOffset(Image, Directory->Rva),
                       "the debug directory has %u entries; %u are allowed", Info->EntryCount,
                       PEI_MAX_DEBUG_ENTRIES);
    for (uint32_t Index = 0; Index < Info->EntryCount; Index++) {
        PEF_DEBUG_ENTRY Entry;
        if (!PeiRead(Image, Directory->Rva + (uint64_t)Index * sizeof Entry, &Entry, sizeof Entry))
            return PeiFail(Error, PE_BAD_DEBUG, PeiOffset(Image, Directory->Rva),
                           "debug entry %u lies outside the sections", Index);
        Info->Reproducible |= Entry.Type == PEF_DEBUG_REPRO;
        if (Entry.Type != PEF_DEBUG_CODEVIEW || Info->PdbName != NULL)
            continue;
        PE_STATUS Status = PeiTakeCodeView(Image, &Entry, Info, Error);
        if (Status != PE_OK)
            return Status;
    }
    return PE_OK;
}
