/* SPDX-License-Identifier: MIT */
/* The resource tree, as far as the version resource: type 16, its first name, its first language. Three
 * levels are walked, whatever the tree says, so loops do not matter. [PE Format] The .rsrc Section */
#include "pe/pei.h"

#define PEI_TYPE_VERSION 16u
#define PEI_SUBDIRECTORY 0x80000000u

typedef struct _PEI_RESOURCES {
    const PE_IMAGE *Image;
    uint32_t Rva, Size;
    PE_ERROR *Error;
} PEI_RESOURCES;

static PE_STATUS PeiReadResource(const PEI_RESOURCES *Tree, uint64_t Offset, void *Out, uint32_t Size)
{
    if (PeiFits(Offset, Size, Tree->Size) && PeiRead(Tree->Image, Tree->Rva + Offset, Out, Size))
        return PE_OK;
    return PeiFail(Tree->Error, PE_BAD_RESOURCE, PeiOffset(Tree->Image, Tree->Rva),
                   "the resource tree reads 0x%llx bytes at its offset 0x%llx, behind its end (0x%llx)",
                   PEI_U(Size), PEI_U(Offset), PEI_U(Tree->Size));
}

/* The offset field of the entry with the number Id, or of the first entry if Id is 0. */
static PE_STATUS PeiFindEntry(const PEI_RESOURCES *Tree, uint32_t Offset, uint32_t Id, uint32_t *Found)
{
    PEF_RESOURCE_DIRECTORY Directory;
    PE_STATUS Status = PeiReadResource(Tree, Offset, &Directory, sizeof Directory);
    if (Status != PE_OK)
        return Status;
    uint32_t Count = (uint32_t)Directory.NumberOfNamedEntries + Directory.NumberOfIdEntries;
    uint64_t Next = (uint64_t)Offset + sizeof Directory;
    for (uint32_t Index = 0; Index < Count; Index++, Next += sizeof(PEF_RESOURCE_ENTRY)) {
        PEF_RESOURCE_ENTRY Entry;
        Status = PeiReadResource(Tree, Next, &Entry, sizeof Entry);
        if (Status != PE_OK)
            return Status;
        if (Id == 0 || Entry.Name == Id) {
            *Found = Entry.Offset;
            return PE_OK;
        }
    }
    return PE_NOT_FOUND;
}

static PE_STATUS PeiEnter(const PEI_RESOURCES *Tree, uint32_t Id, uint32_t *Offset)
{
    if ((*Offset & PEI_SUBDIRECTORY) == 0)
        return PeiFail(Tree->Error, PE_BAD_RESOURCE, PeiOffset(Tree->Image, Tree->Rva),
                       "the resource tree has data where the directory of the version resource is due");
    return PeiFindEntry(Tree, *Offset & ~PEI_SUBDIRECTORY, Id, Offset);
}

PE_STATUS PeiFindVersionResource(const PE_IMAGE *Image, const uint8_t **Data, uint32_t *Size, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_RESOURCE];
    PEI_RESOURCES Tree = {Image, Directory->Rva, Directory->Size, Error};
    PEF_RESOURCE_DATA Entry;
    uint32_t Offset = PEI_SUBDIRECTORY;
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_NOT_FOUND;
    PE_STATUS Status = PeiEnter(&Tree, PEI_TYPE_VERSION, &Offset);
    if (Status == PE_OK)
        Status = PeiEnter(&Tree, 0, &Offset);
    if (Status == PE_OK)
        Status = PeiEnter(&Tree, 0, &Offset);
    if (Status == PE_OK)
        Status = PeiReadResource(&Tree, Offset, &Entry, sizeof Entry);
    if (Status != PE_OK)
        return Status;
    *Size = Entry.Size;
    *Data = Entry.Size != 0 ? PeRvaToPointer(Image, Entry.Rva, Entry.Size) : NULL;
    if (*Data == NULL)
        return PeiFail(Error, PE_BAD_RESOURCE, PeiOffset(Image, Entry.Rva),
                       "the version resource (0x%llx, 0x%llx bytes) does not lie inside one section",
                       PEI_U(Entry.Rva), PEI_U(Entry.Size));
    return PE_OK;
}
