/* SPDX-License-Identifier: MIT */
/* Version information: blocks within blocks, each with its length, a key in UTF-16 and a value, all aligned
 * to 4. [VS_VERSIONINFO] holds a fixed part and StringFileInfo > StringTable > String. Each level only ever
 * moves forward and stays inside the one above. */
#include "pe/pei.h"

typedef struct _PEI_BLOCK {
    const uint8_t *Key; /* UTF-16, terminated inside the block */
    const uint8_t *Value;
    uint32_t ValueSize; /* bytes that are there, at most what the block says */
    const uint8_t *Children;
    uint32_t ChildrenSize;
} PEI_BLOCK;

/* Takes the block at *Bytes, *Size bytes long in all, and moves both behind it. PE_END: no further block. */
static PE_STATUS PeiTakeBlock(const uint8_t **Bytes, uint32_t *Size, PEI_BLOCK *Block)
{
    const uint8_t *Start = *Bytes;
    if (*Size < 6 || PeiLoad16(Start) == 0)
        return PE_END;
    uint32_t Length = PeiLoad16(Start), ValueLength = PeiLoad16(Start + 2), Type = PeiLoad16(Start + 4);
    if (Length < 8 || Length > *Size)
        return PE_BAD_RESOURCE;
    uint32_t Offset = 6;
    while (PeiLoad16(Start + Offset) != 0) {
        Offset += 2;
        if (Offset + 2 > Length)
            return PE_BAD_RESOURCE;
    }
    uint32_t ValueStart = (Offset + 2 + 3) & ~3u;
    if (ValueStart > Length)
        ValueStart = Length;
    uint32_t ValueSize = Type == 1 ? ValueLength * 2 : ValueLength; /* text is counted in characters */
    if (ValueSize > Length - ValueStart)
        ValueSize = Length - ValueStart;
    uint32_t ChildStart = (ValueStart + ValueSize + 3) & ~3u;
    if (ChildStart > Length)
        ChildStart = Length;
    *Block = (PEI_BLOCK){Start + 6, Start + ValueStart, ValueSize, Start + ChildStart, Length - ChildStart};
    uint32_t Step = (Length + 3) & ~3u;
    if (Step > *Size)
        Step = *Size;
    *Bytes += Step;
    *Size -= Step;
    return PE_OK;
}

/* Key is terminated inside its block; Name is ASCII. */
static bool PeiKeyIs(const uint8_t *Key, const char *Name)
{
    for (;; Key += 2, Name++) {
        if (PeiLoad16(Key) != (uint8_t)*Name)
            return false;
        if (*Name == '\0')
            return true;
    }
}

/* The next block among Bytes whose key is Name, or the first one if Name is NULL. */
static PE_STATUS PeiFindBlock(const uint8_t *Bytes, uint32_t Size, const char *Name, PEI_BLOCK *Block)
{
    PE_STATUS Status;
    while ((Status = PeiTakeBlock(&Bytes, &Size, Block)) == PE_OK) {
        if (Name == NULL || PeiKeyIs(Block->Key, Name))
            return PE_OK;
    }
    return Status == PE_END ? PE_NOT_FOUND : Status;
}

static void PeiTakeNumbers(uint16_t *Numbers, uint32_t High, uint32_t Low)
{
    Numbers[0] = (uint16_t)(High >> 16);
    Numbers[1] = (uint16_t)High;
    Numbers[2] = (uint16_t)(Low >> 16);
    Numbers[3] = (uint16_t)Low;
}

PE_STATUS PeGetVersion(const PE_IMAGE *Image, PE_VERSION *Version, PE_ERROR *Error)
{
    const uint8_t *Data;
    uint32_t Size;
    PEI_BLOCK Root;
    PE_STATUS Status = PeiFindVersionResource(Image, &Data, &Size, Error);
    if (Status != PE_OK)
        return Status;
    *Version = (PE_VERSION){.Block = Data, .BlockSize = Size};
    if (PeiFindBlock(Data, Size, NULL, &Root) != PE_OK || !PeiKeyIs(Root.Key, "VS_VERSION_INFO"))
        return PeiFail(Error, PE_BAD_RESOURCE, (uint64_t)(Data - Image->Bytes),
                       "the version resource does not start with a VS_VERSION_INFO block");
    PEF_FIXED_FILE_INFO Fixed;
    if (Root.ValueSize < sizeof Fixed)
        return PE_OK;
    __builtin_memcpy(&Fixed, Root.Value, sizeof Fixed);
    if (Fixed.Signature != PEF_FIXED_SIGNATURE)
        return PE_OK;
    Version->HasFixed = true;
    PeiTakeNumbers(Version->FileVersion, Fixed.FileVersionMS, Fixed.FileVersionLS);
    PeiTakeNumbers(Version->ProductVersion, Fixed.ProductVersionMS, Fixed.ProductVersionLS);
    return PE_OK;
}

/* One code point of UTF-16 at *Index; what is not paired becomes U+FFFD. */
static uint32_t PeiTakeCodePoint(const uint8_t *Text, uint32_t Units, uint32_t *Index)
{
    uint32_t Unit = PeiLoad16(Text + 2 * (*Index)++);
    if (Unit < 0xD800 || Unit > 0xDFFF)
        return Unit;
    if (Unit > 0xDBFF || *Index >= Units)
        return 0xFFFD;
    uint32_t Second = PeiLoad16(Text + 2 * *Index);
    if (Second < 0xDC00 || Second > 0xDFFF)
        return 0xFFFD;
    ++*Index;
    return 0x10000 + ((Unit - 0xD800) << 10) + (Second - 0xDC00);
}

static uint32_t PeiEncodeUtf8(uint32_t Code, char *Out)
{
    if (Code < 0x80) {
        Out[0] = (char)Code;
        return 1;
    }
    uint32_t Length = Code < 0x800 ? 2 : Code < 0x10000 ? 3 : 4;
    for (uint32_t Index = Length - 1; Index != 0; Index--, Code >>= 6)
        Out[Index] = (char)(0x80 | (Code & 0x3F));
    Out[0] = (char)((0xF00u >> Length & 0xF0) | Code);
    return Length;
}

/* Up to the first NUL; a character that does not fit whole is left out with all that follow it. */
static void PeiCopyText(const PEI_BLOCK *Block, char *Text, size_t Size)
{
    uint32_t Units = Block->ValueSize / 2, Index = 0;
    size_t Used = 0;
    while (Index < Units) {
        char Bytes[4];
        uint32_t Code = PeiTakeCodePoint(Block->Value, Units, &Index);
        uint32_t Length = PeiEncodeUtf8(Code, Bytes);
        if (Code == 0 || Used + Length >= Size)
            break;
        __builtin_memcpy(Text + Used, Bytes, Length);
        Used += Length;
    }
    Text[Used] = '\0';
}

PE_STATUS PeGetVersionString(const PE_VERSION *Version, const char *Key, char *Text, size_t Size,
                             PE_ERROR *Error)
{
    PEI_BLOCK Block;
    if (Size == 0)
        return PeiFail(Error, PE_BUFFER_TOO_SMALL, 0, "there is no room for the terminator");
    PE_STATUS Status = PeiFindBlock(Version->Block, Version->BlockSize, NULL, &Block);
    if (Status == PE_OK)
        Status = PeiFindBlock(Block.Children, Block.ChildrenSize, "StringFileInfo", &Block);
    if (Status == PE_OK)
        Status = PeiFindBlock(Block.Children, Block.ChildrenSize, NULL, &Block);
    if (Status == PE_OK)
        Status = PeiFindBlock(Block.Children, Block.ChildrenSize, Key, &Block);
    if (Status == PE_BAD_RESOURCE)
        return PeiFail(Error, Status, 0, "a block of the version resource has a length that does not fit");
    if (Status == PE_OK)
        PeiCopyText(&Block, Text, Size);
    return Status;
}
