/* SPDX-License-Identifier: MIT
 * LZNT1 [MS-XCA 2.5]. A chunk's header: bits 0-11 length of the data - 1, bits 12-14 the signature 3, bit 15 compressed. Compressed
 * data are groups of a flag byte and eight elements: a literal byte (flag 0) or a word (flag 1) that holds the
 * displacement - 1 in its high bits and the length - 3 in the low ones. How many bits the displacement has depends on
 * how much of the chunk is there already. */
#include "lznt1.h"

#define COMPRESSED_CHUNK 0xB000u
#define PLAIN_CHUNK 0x3000u
#define SHORTEST_MATCH 3u

/* Bits of a word that hold the length, when Position bytes are there. */
static ULONG RtlpLengthBits(ULONG Position)
{
    ULONG Displacement = 4;

    while (Position > 1u << Displacement)
        Displacement++;
    return 16 - Displacement;
}

NTSTATUS RtlpLznt1Describe(const UCHAR **Next, const UCHAR *End, RTLP_LZNT1_CHUNK *Chunk)
{
    SIZE_T Left = (SIZE_T)(End - *Next);

    if (Left < RTLP_CHUNK_HEADER)
        return STATUS_NO_MORE_ENTRIES;
    ULONG Header = (*Next)[0] | (ULONG)(*Next)[1] << 8;
    if (Header == 0)
        return STATUS_NO_MORE_ENTRIES;
    Chunk->Data = *Next + RTLP_CHUNK_HEADER;
    Chunk->Length = (Header & 0xFFF) + 1;
    Chunk->Compressed = Header >> 15 != 0;
    if (Left - RTLP_CHUNK_HEADER < Chunk->Length)
        return STATUS_BAD_COMPRESSION_BUFFER;
    *Next = Chunk->Data + Chunk->Length;
    return STATUS_SUCCESS;
}

/* Copies a match, which may overlap what it makes. */
static NTSTATUS RtlpCopyMatch(ULONG Word, UCHAR *To, ULONG Room, ULONG *At)
{
    ULONG Bits = RtlpLengthBits(*At);
    ULONG Length = (Word & ((1u << Bits) - 1)) + SHORTEST_MATCH, Displacement = (Word >> Bits) + 1;

    if (Displacement > *At || Length > Room - *At)
        return STATUS_BAD_COMPRESSION_BUFFER;
    for (; Length > 0; Length--, (*At)++)
        To[*At] = To[*At - Displacement];
    return STATUS_SUCCESS;
}

/* One element of a group. *Data is below End. */
static NTSTATUS RtlpDecodeElement(const UCHAR **Data, const UCHAR *End, BOOLEAN Match, UCHAR *To, ULONG Room,
                                  ULONG *At)
{
    if (!Match) {
        To[(*At)++] = *(*Data)++;
        return STATUS_SUCCESS;
    }
    if (End - *Data < 2)
        return STATUS_BAD_COMPRESSION_BUFFER;
    ULONG Word = (*Data)[0] | (ULONG)(*Data)[1] << 8;
    *Data += 2;
    return RtlpCopyMatch(Word, To, Room, At);
}

NTSTATUS RtlpLznt1Decompress(const RTLP_LZNT1_CHUNK *Chunk, UCHAR *To, ULONG Room, ULONG *Length)
{
    const UCHAR *Data = Chunk->Data, *End = Data + Chunk->Length;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG At = 0;

    if (Room > RTLP_CHUNK)
        Room = RTLP_CHUNK;
    if (!Chunk->Compressed) {
        *Length = Chunk->Length < Room ? Chunk->Length : Room;
        memcpy(To, Data, *Length);
        return STATUS_SUCCESS;
    }
    while (Data < End && At < Room && Status == STATUS_SUCCESS) {
        ULONG Flags = *Data++;
        for (ULONG i = 0; i < 8 && Data < End && At < Room && Status == STATUS_SUCCESS; i++, Flags >>= 1)
            Status = RtlpDecodeElement(&Data, End, Flags & 1, To, Room, &At);
    }
    *Length = At;
    return Status;
}

static ULONG RtlpHashThree(const UCHAR *From)
{
    ULONG Value = From[0] | (ULONG)From[1] << 8 | (ULONG)From[2] << 16;
    return Value * 0x9E3779B1u >> 20;
}

static VOID RtlpRemember(const UCHAR *From, ULONG Length, ULONG At, RTLP_LZNT1_WORKSPACE *WorkSpace)
{
    if (Length - At < SHORTEST_MATCH)
        return;
    ULONG Hash = RtlpHashThree(From + At);
    WorkSpace->Before[At] = WorkSpace->First[Hash];
    WorkSpace->First[Hash] = (USHORT)(At + 1);
}

/* The longest match at At among the candidates that were met last; 0: none. */
static ULONG RtlpFindMatch(const UCHAR *From, ULONG Length, ULONG At, ULONG Candidates,
                           const RTLP_LZNT1_WORKSPACE *WorkSpace, ULONG *Displacement)
{
    ULONG Best = SHORTEST_MATCH - 1, Limit = Length - At,
          Most = (1u << RtlpLengthBits(At)) - 1 + SHORTEST_MATCH;

    if (Limit < SHORTEST_MATCH)
        return 0;
    if (Limit > Most)
        Limit = Most;
    for (ULONG i = WorkSpace->First[RtlpHashThree(From + At)]; i != 0 && Candidates != 0; Candidates--) {
        ULONG Same = 0;
        while (Same < Limit && From[i - 1 + Same] == From[At + Same])
            Same++;
        if (Same > Best) {
            Best = Same;
            *Displacement = At - (i - 1);
        }
        i = WorkSpace->Before[i - 1];
    }
    return Best < SHORTEST_MATCH ? 0 : Best;
}

/* The groups of a compressed chunk; their length, 0 when they do not fit into Room. */
static ULONG RtlpEncode(const UCHAR *From, ULONG Length, UCHAR *To, ULONG Room, ULONG Candidates,
                        RTLP_LZNT1_WORKSPACE *WorkSpace)
{
    ULONG At = 0, Used = 0, Flags = 0, Displacement = 0;

    for (ULONG Element = 0; At < Length; Element++) {
        ULONG Match = RtlpFindMatch(From, Length, At, Candidates, WorkSpace, &Displacement), Taken = Match;
        if (Room - Used < (Element % 8 == 0) + (Match != 0 ? 2u : 1u))
            return 0;
        if (Element % 8 == 0) {
            Flags = Used++;
            To[Flags] = 0;
        }
        if (Match != 0) {
            ULONG Word = (Displacement - 1) << RtlpLengthBits(At) | (Match - SHORTEST_MATCH);
            To[Flags] = (UCHAR)(To[Flags] | 1u << Element % 8);
            To[Used++] = (UCHAR)Word;
            To[Used++] = (UCHAR)(Word >> 8);
        } else {
            To[Used++] = From[At];
            Taken = 1;
        }
        for (; Taken > 0; Taken--, At++)
            RtlpRemember(From, Length, At, WorkSpace);
    }
    return Used;
}

static VOID RtlpPutHeader(UCHAR *To, ULONG Kind, ULONG Length)
{
    ULONG Header = Kind | (Length - 1);

    To[0] = (UCHAR)Header;
    To[1] = (UCHAR)(Header >> 8);
}

/* A full chunk that does not become smaller is stored as it is. A shorter one is not, where possible: RtlDecompressFragment of
 * Windows refuses it. */
ULONG RtlpLznt1Compress(const UCHAR *From, ULONG Length, UCHAR *To, ULONG Room, ULONG Candidates,
                        RTLP_LZNT1_WORKSPACE *WorkSpace)
{
    ULONG Most = Length == RTLP_CHUNK ? RTLP_CHUNK - 1 : RTLP_CHUNK;

    if (Room <= RTLP_CHUNK_HEADER)
        return 0;
    Room -= RTLP_CHUNK_HEADER;
    memset(WorkSpace->First, 0, sizeof(WorkSpace->First));
    ULONG Used =
        RtlpEncode(From, Length, To + RTLP_CHUNK_HEADER, Room < Most ? Room : Most, Candidates, WorkSpace);
    if (Used != 0) {
        RtlpPutHeader(To, COMPRESSED_CHUNK, Used);
        return Used + RTLP_CHUNK_HEADER;
    }
    if (Room < Length)
        return 0;
    memcpy(To + RTLP_CHUNK_HEADER, From, Length);
    RtlpPutHeader(To, PLAIN_CHUNK, Length);
    return Length + RTLP_CHUNK_HEADER;
}
