/* SPDX-License-Identifier: MIT
 * The newc layout: 6 bytes magic, 13 fields of 8 hexadecimal digits, the name with its NUL, padding to 4, the
 * contents, padding to 4. The entry named "TRAILER!!!" ends the archive; what follows it is ignored. */
#include "cpio/cpio.h"

#define HEADER_SIZE 110u
#define FIELD_COUNT 13u

/* The fields that we read, in the order of the header. */
enum { FIELD_MODE = 1, FIELD_MTIME = 5, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };

static const char Trailer[] = "TRAILER!!!";

void CpioBegin(CPIO_WALK *Walk, const void *Archive, uint64_t Length)
{
    Walk->Archive = Archive;
    Walk->Length = Length;
    Walk->Next = 0;
    Walk->Error.Offset = 0;
    Walk->Error.Rule = 0;
}

static CPIO_STATUS Damaged(CPIO_WALK *Walk, uint64_t Offset, const char *Rule)
{
    Walk->Error.Offset = Offset;
    Walk->Error.Rule = Rule;
    return CpioDamaged;
}

static int HexDigit(uint8_t Character)
{
    if (Character >= '0' && Character <= '9')
        return Character - '0';
    if (Character >= 'a' && Character <= 'f')
        return Character - 'a' + 10;
    if (Character >= 'A' && Character <= 'F')
        return Character - 'A' + 10;
    return -1;
}

/* Reads the 13 fields; returns the offset of the first byte that is no digit, or 0. */
static uint64_t ReadFields(const uint8_t *Header, uint32_t Fields[FIELD_COUNT])
{
    for (uint32_t Field = 0; Field < FIELD_COUNT; Field++) {
        Fields[Field] = 0;
        for (uint32_t Digit = 0; Digit < 8; Digit++) {
            uint32_t At = 6 + Field * 8 + Digit;
            int Value = HexDigit(Header[At]);
            if (Value < 0)
                return At;
            Fields[Field] = Fields[Field] << 4 | (uint32_t)Value;
        }
    }
    return 0;
}

static bool BytesEqual(const uint8_t *A, const char *B, uint32_t Count)
{
    for (uint32_t i = 0; i < Count; i++) {
        if (A[i] != (uint8_t)B[i])
            return false;
    }
    return true;
}

static uint64_t Align4(uint64_t Value)
{
    return (Value + 3) & ~3ull;
}

static void SkipPrefix(CPIO_ENTRY *Entry)
{
    for (;;) {
        uint32_t Skip = 0;
        if (Entry->Name[0] == '/' || Entry->Name[0] == '\\')
            Skip = 1;
        else if (Entry->Name[0] == '.' && Entry->Name[1] == '/')
            Skip = 2;
        if (Skip == 0)
            return;
        Entry->Name += Skip;
        Entry->NameLength -= Skip;
    }
}

/* Offsets cannot wrap: each sum adds 32-bit sizes to an offset that is below Length, and Length is a memory
 * size. */
CPIO_STATUS CpioNext(CPIO_WALK *Walk, CPIO_ENTRY *Entry)
{
    if (Walk->Error.Rule)
        return CpioDamaged;
    uint64_t At = Walk->Next;
    if (At > Walk->Length || Walk->Length - At < HEADER_SIZE)
        return Damaged(Walk, At, "the archive ends without its TRAILER!!! entry");

    const uint8_t *Header = Walk->Archive + At;
    if (!BytesEqual(Header, "070701", 6))
        return Damaged(Walk, At, "the magic of an entry is not 070701 (cpio newc)");
    uint32_t Fields[FIELD_COUNT];
    uint64_t Bad = ReadFields(Header, Fields);
    if (Bad)
        return Damaged(Walk, At + Bad, "a header field has a byte that is no hexadecimal digit");

    uint32_t NameSize = Fields[FIELD_NAME_SIZE];
    uint64_t NameAt = At + HEADER_SIZE;
    if (NameSize < 2 || NameSize > Walk->Length - NameAt)
        return Damaged(Walk, At, "an entry's name is empty or does not fit into the archive");
    const uint8_t *Name = Walk->Archive + NameAt;
    for (uint32_t i = 0; i < NameSize; i++) {
        if ((Name[i] == 0) != (i == NameSize - 1))
            return Damaged(Walk, NameAt + i, "an entry's name does not end where its length says");
    }
    if (NameSize == sizeof(Trailer) && BytesEqual(Name, Trailer, sizeof(Trailer)))
        return CpioEnd;

    uint64_t DataAt = Align4(NameAt + NameSize);
    uint32_t Size = Fields[FIELD_SIZE];
    if (DataAt > Walk->Length || Size > Walk->Length - DataAt)
        return Damaged(Walk, At, "an entry's contents do not fit into the archive");

    Entry->Name = (const char *)Name;
    Entry->NameLength = NameSize - 1;
    Entry->Mode = Fields[FIELD_MODE];
    Entry->MTime = Fields[FIELD_MTIME];
    Entry->Size = Size;
    Entry->Data = Walk->Archive + DataAt;
    Entry->Offset = At;
    SkipPrefix(Entry);
    Walk->Next = Align4(DataAt + Size);
    return CpioFound;
}

static char Fold(char Character, bool AnyCase)
{
    if (Character == '\\')
        return '/';
    if (AnyCase && Character >= 'A' && Character <= 'Z')
        return (char)(Character + ('a' - 'A'));
    return Character;
}

static bool PathEquals(const char *Name, const char *Path, bool AnyCase)
{
    while (*Name && Fold(*Name, AnyCase) == Fold(*Path, AnyCase)) {
        Name++;
        Path++;
    }
    return *Name == 0 && *Path == 0;
}

CPIO_STATUS CpioFind(const void *Archive, uint64_t Length, const char *Path, bool AnyCase, CPIO_ENTRY *Entry,
                     CPIO_ERROR *Error)
{
    while (*Path == '/' || *Path == '\\')
        Path++;

    CPIO_WALK Walk;
    CPIO_ENTRY Candidate;
    CpioBegin(&Walk, Archive, Length);
    CPIO_STATUS Status;
    while ((Status = CpioNext(&Walk, &Candidate)) == CpioFound) {
        uint32_t Type = Candidate.Mode & CPIO_MODE_TYPE;
        if (Type != CPIO_MODE_FILE && Type != CPIO_MODE_DIRECTORY)
            continue;
        if (PathEquals(Candidate.Name, Path, AnyCase)) {
            *Entry = Candidate;
            return CpioFound;
        }
    }
    if (Status == CpioDamaged)
        *Error = Walk.Error;
    return Status;
}
