/* SPDX-License-Identifier: MIT */
/* Base relocations. All blocks are checked before the first byte changes: fixups may lie neither in the
 * headers nor in the relocation directory itself, so the second pass reads what the first one has seen and
 * needs no checks. */
#include "pe/pei.h"

typedef struct _PEI_RELOCATIONS {
    const uint8_t *Bytes; /* of the directory; NULL: nothing to relocate */
    uint32_t Rva, Size;
    uint32_t Count; /* fixups that do something */
    bool Narrow;    /* some of them have less than 64 bits */
} PEI_RELOCATIONS;

/* Bytes that a fixup changes; 0: padding; 3: a type that x64 does not have. */
static uint32_t PeiFixupSize(uint32_t Type)
{
    switch (Type) {
    case PEF_REL_ABSOLUTE:
        return 0;
    case PEF_REL_HIGH:
    case PEF_REL_LOW:
        return 2;
    case PEF_REL_HIGHLOW:
        return 4;
    case PEF_REL_DIR64:
        return 8;
    default:
        return 3;
    }
}

static PE_STATUS PeiCheckFixup(const PE_IMAGE *Image, PEI_RELOCATIONS *Table, uint32_t Page, uint32_t Entry,
                               PE_ERROR *Error)
{
    uint32_t Type = Entry >> 12, Size = PeiFixupSize(Type);
    uint64_t Rva = (uint64_t)Page + (Entry & 0xFFF);
    if (Size == 0)
        return PE_OK;
    if (Size == 3)
        return PeiFail(Error, PE_BAD_RELOCATION, PeiOffset(Image, Rva),
                       "the relocation of 0x%llx has the type %u, which x64 images do not use", PEI_U(Rva),
                       Type);
    if (Rva < Image->SizeOfHeaders || !PeiFits(Rva, Size, Image->SizeOfImage))
        return PeiFail(Error, PE_BAD_RELOCATION, PeiOffset(Image, Rva),
                       "the relocation of 0x%llx lies outside the image's sections (0x%llx to 0x%llx)",
                       PEI_U(Rva), PEI_U(Image->SizeOfHeaders), PEI_U(Image->SizeOfImage));
    if (PeiOverlap(Rva, Size, Table->Rva, Table->Size))
        return PeiFail(Error, PE_BAD_RELOCATION, PeiOffset(Image, Rva),
                       "the relocation of 0x%llx would change the relocation directory", PEI_U(Rva));
    Table->Count++;
    Table->Narrow |= Size != 8;
    return PE_OK;
}

/* True if no fixup of the page can be out of place, so that only the types are left to check: nearly all pages. */
static bool PeiPageIsFree(const PE_IMAGE *Image, const PEI_RELOCATIONS *Table, uint64_t Page)
{
    const uint32_t Reach = PEI_PAGE_SIZE + 7; /* a fixup may start in the last byte */
    return Page >= Image->SizeOfHeaders && PeiFits(Page, Reach, Image->SizeOfImage) &&
           !PeiOverlap(Page, Reach, Table->Rva, Table->Size);
}

static PE_STATUS PeiCheckEntries(const PE_IMAGE *Image, PEI_RELOCATIONS *Table, uint32_t Page, uint32_t Next,
                                 uint32_t End, PE_ERROR *Error)
{
    bool Free = PeiPageIsFree(Image, Table, Page);
    for (; Next < End; Next += 2) {
        uint32_t Entry = PeiLoad16(Table->Bytes + Next);
        if (Free && Entry >> 12 == PEF_REL_DIR64) {
            Table->Count++;
            continue;
        }
        PE_STATUS Status = PeiCheckFixup(Image, Table, Page, Entry, Error);
        if (Status != PE_OK)
            return Status;
    }
    return PE_OK;
}

static PE_STATUS PeiCheckBlock(const PE_IMAGE *Image, PEI_RELOCATIONS *Table, uint32_t Offset,
                               uint32_t *BlockSize, PE_ERROR *Error)
{
    uint64_t Place = PeiOffset(Image, (uint64_t)Table->Rva + Offset);
    uint32_t Left = Table->Size - Offset;
    if (Left < sizeof(PEF_RELOCATION_BLOCK))
        return PeiFail(Error, PE_BAD_RELOCATION, Place,
                       "the relocation directory ends inside a block header (%u bytes are left)", Left);
    uint32_t Page = PeiLoad32(Table->Bytes + Offset), Size = PeiLoad32(Table->Bytes + Offset + 4);
    if (Page == 0 && Size == 0) { /* a zero block ends the table, as the zero padding of some linkers does */
        *BlockSize = Left;
        return PE_OK;
    }
    if (Size < sizeof(PEF_RELOCATION_BLOCK) || Size % 2 != 0 || Size > Left)
        return PeiFail(Error, PE_BAD_RELOCATION, Place,
                       "the relocation block of page 0x%llx has the size 0x%llx; 0x%llx bytes are left",
                       PEI_U(Page), PEI_U(Size), PEI_U(Left));
    *BlockSize = Size;
    return PeiCheckEntries(Image, Table, Page, Offset + sizeof(PEF_RELOCATION_BLOCK), Offset + Size, Error);
}

static PE_STATUS PeiCheckRelocations(const PE_IMAGE *Image, PEI_RELOCATIONS *Table, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_BASERELOC];
    *Table = (PEI_RELOCATIONS){.Rva = Directory->Rva, .Size = Directory->Size};
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_OK;
    Table->Bytes = PeRvaToPointer(Image, Directory->Rva, Directory->Size);
    if (Table->Bytes == NULL)
        return PeiFail(Error, PE_BAD_RELOCATION, PeiOffset(Image, Directory->Rva),
                       "the relocation directory (0x%llx, 0x%llx bytes) does not lie inside one section",
                       PEI_U(Directory->Rva), PEI_U(Directory->Size));
    for (uint32_t Offset = 0, Size = 0; Offset < Table->Size; Offset += Size) {
        PE_STATUS Status = PeiCheckBlock(Image, Table, Offset, &Size, Error);
        if (Status != PE_OK)
            return Status;
    }
    return PE_OK;
}

static void PeiAdd16(uint8_t *Field, uint64_t Delta)
{
    uint16_t Value = (uint16_t)(PeiLoad16(Field) + Delta);
    __builtin_memcpy(Field, &Value, sizeof Value);
}

static void PeiAdd32(uint8_t *Field, uint64_t Delta)
{
    uint32_t Value = PeiLoad32(Field) + (uint32_t)Delta;
    __builtin_memcpy(Field, &Value, sizeof Value);
}

static void PeiApplyNarrow(uint8_t *Bytes, uint64_t Rva, uint32_t Type, uint64_t Delta)
{
    switch (Type) {
    case PEF_REL_HIGH:
        PeiAdd16(Bytes + Rva, Delta >> 16);
        break;
    case PEF_REL_LOW:
        PeiAdd16(Bytes + Rva, Delta);
        break;
    case PEF_REL_HIGHLOW:
        PeiAdd32(Bytes + Rva, Delta);
        break;
    default: /* padding, whose Rva may be anything */
        break;
    }
}

/* The tight loop: nearly every entry is DIR64. */
static void PeiApplyBlock(uint8_t *Bytes, uint64_t Page, const uint8_t *Entry, const uint8_t *End,
                          uint64_t Delta)
{
    for (; Entry < End; Entry += 2) {
        uint32_t Fixup = PeiLoad16(Entry);
        uint64_t Rva = Page + (Fixup & 0xFFF);
        if (Fixup >> 12 == PEF_REL_DIR64)
            PeiStore64(Bytes + Rva, PeiLoad64(Bytes + Rva) + Delta);
        else
            PeiApplyNarrow(Bytes, Rva, Fixup >> 12, Delta);
    }
}

static void PeiApplyRelocations(PE_IMAGE *Image, const PEI_RELOCATIONS *Table, uint64_t Delta)
{
    const uint8_t *Block = Table->Bytes, *End = Table->Bytes + Table->Size;
    while (Block < End) {
        uint32_t Page = PeiLoad32(Block), Size = PeiLoad32(Block + 4);
        if (Size == 0)
            return;
        PeiApplyBlock(Image->Writable, Page, Block + sizeof(PEF_RELOCATION_BLOCK), Block + Size, Delta);
        Block += Size;
    }
}

static PE_STATUS PeiCheckNewBase(const PE_IMAGE *Image, const PEI_RELOCATIONS *Table, uint64_t NewBase,
                                 PE_ERROR *Error)
{
    if (NewBase % PEI_PAGE_SIZE != 0 || NewBase > UINT64_MAX - Image->SizeOfImage)
        return PeiFail(Error, PE_NOT_RELOCATABLE, 0,
                       "0x%llx is not a possible base for an image of 0x%llx bytes", PEI_U(NewBase),
                       PEI_U(Image->SizeOfImage));
    if (NewBase == Image->ImageBase)
        return PE_OK;
    if ((Image->Characteristics & PE_FILE_RELOCS_STRIPPED) != 0)
        return PeiFail(Error, PE_NOT_RELOCATABLE, Image->HeaderOffset + 22,
                       "its relocations were stripped: it can run only at 0x%llx, not at 0x%llx",
                       PEI_U(Image->ImageBase), PEI_U(NewBase));
    if (Table->Narrow && NewBase + Image->SizeOfImage > 0x100000000)
        return PeiFail(Error, PE_NOT_RELOCATABLE, PeiOffset(Image, Table->Rva),
                       "it has 16 or 32-bit relocations, which cannot hold addresses at 0x%llx",
                       PEI_U(NewBase));
    return PE_OK;
}

PE_STATUS PeRelocateImage(PE_IMAGE *Mapped, uint64_t NewBase, PE_ERROR *Error)
{
    if (Mapped->Writable == NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "only a mapped image can be relocated");
    PEI_RELOCATIONS Table;
    PE_STATUS Status = PeiCheckRelocations(Mapped, &Table, Error);
    if (Status == PE_OK)
        Status = PeiCheckNewBase(Mapped, &Table, NewBase, Error);
    if (Status != PE_OK)
        return Status;

    if (Table.Bytes != NULL && NewBase != Mapped->ImageBase)
        PeiApplyRelocations(Mapped, &Table, NewBase - Mapped->ImageBase);
    PeiStore64(Mapped->Writable + Mapped->HeaderOffset + 24 + PEF_IMAGE_BASE_OFFSET, NewBase);
    Mapped->ImageBase = NewBase;
    Mapped->LoadBase = NewBase;
    return PE_OK;
}

PE_STATUS PeCountRelocations(const PE_IMAGE *Image, uint32_t *Count, PE_ERROR *Error)
{
    PEI_RELOCATIONS Table;
    PE_STATUS Status = PeiCheckRelocations(Image, &Table, Error);
    *Count = Table.Count;
    return Status;
}
