/* SPDX-License-Identifier: MIT
 * Compressed buffers [WDK RtlCompressBuffer, RtlDecompressBuffer, RtlDecompressFragment, RtlGetCompressionWorkSpaceSize]. The format
 * is LZNT1 (D-190). */
#include "lznt1.h"

#define FORMAT_NONE 0
#define FORMAT_DEFAULT 1
#define FORMAT_LZNT1 2
#define ENGINE_STANDARD 0
#define ENGINE_MAXIMUM 0x100

/* Decompression does not look at the engine. */
static NTSTATUS RtlpCheckFormat(USHORT FormatAndEngine)
{
    UCHAR Format = (UCHAR)FormatAndEngine;

    if (Format == FORMAT_NONE || Format == FORMAT_DEFAULT)
        return STATUS_INVALID_PARAMETER;
    return Format == FORMAT_LZNT1 ? STATUS_SUCCESS : STATUS_UNSUPPORTED_COMPRESSION;
}

static NTSTATUS RtlpCheckEngine(USHORT FormatAndEngine)
{
    NTSTATUS Status = RtlpCheckFormat(FormatAndEngine);
    USHORT Engine = FormatAndEngine & 0xFF00;

    if (Status == STATUS_SUCCESS && Engine != ENGINE_STANDARD && Engine != ENGINE_MAXIMUM)
        Status = STATUS_NOT_SUPPORTED;
    return Status;
}

NTSTATUS NTAPI RtlGetCompressionWorkSpaceSize(USHORT CompressionFormatAndEngine,
                                              PULONG CompressBufferWorkSpaceSize,
                                              PULONG CompressFragmentWorkSpaceSize)
{
    NTSTATUS Status = RtlpCheckEngine(CompressionFormatAndEngine);

    if (Status != STATUS_SUCCESS)
        return Status;
    *CompressBufferWorkSpaceSize = sizeof(RTLP_LZNT1_WORKSPACE);
    *CompressFragmentWorkSpaceSize = RTLP_CHUNK;
    return STATUS_SUCCESS;
}

static BOOLEAN RtlpIsZero(const UCHAR *Data, ULONG Length)
{
    for (ULONG i = 0; i < Length; i++) {
        if (Data[i] != 0)
            return FALSE;
    }
    return TRUE;
}

/* [WDK RtlCompressBuffer] The chunk size of LZNT1 is 4096, whatever UncompressedChunkSize says. STATUS_BUFFER_ALL_ZEROS, a success,
 * when the data is nothing else. */
NTSTATUS NTAPI RtlCompressBuffer(USHORT CompressionFormatAndEngine, PUCHAR UncompressedBuffer,
                                 ULONG UncompressedBufferSize, PUCHAR CompressedBuffer,
                                 ULONG CompressedBufferSize, ULONG UncompressedChunkSize,
                                 PULONG FinalCompressedSize, PVOID WorkSpace)
{
    NTSTATUS Status = RtlpCheckEngine(CompressionFormatAndEngine);
    ULONG Candidates = (CompressionFormatAndEngine & 0xFF00) == ENGINE_MAXIMUM ? RTLP_CHUNK : 8, Used = 0;

    UNREFERENCED_PARAMETER(UncompressedChunkSize);
    if (Status != STATUS_SUCCESS)
        return Status;
    for (ULONG At = 0, Length; At < UncompressedBufferSize; At += Length) {
        Length = UncompressedBufferSize - At < RTLP_CHUNK ? UncompressedBufferSize - At : RTLP_CHUNK;
        ULONG Size = RtlpLznt1Compress(UncompressedBuffer + At, Length, CompressedBuffer + Used,
                                       CompressedBufferSize - Used, Candidates, WorkSpace);
        if (Size == 0)
            return STATUS_BUFFER_TOO_SMALL;
        Used += Size;
    }
    *FinalCompressedSize = Used;
    return RtlpIsZero(UncompressedBuffer, UncompressedBufferSize) ? STATUS_BUFFER_ALL_ZEROS : STATUS_SUCCESS;
}

/* One chunk. A fragment may end within a match, where a buffer may not: it has a WorkSpace for the whole chunk, others have NULL. */
static NTSTATUS RtlpDecompressChunk(const RTLP_LZNT1_CHUNK *Chunk, UCHAR *To, ULONG Room, ULONG *Length,
                                    UCHAR *WorkSpace)
{
    if (WorkSpace == NULL || Room >= RTLP_CHUNK)
        return RtlpLznt1Decompress(Chunk, To, Room, Length);
    NTSTATUS Status = RtlpLznt1Decompress(Chunk, WorkSpace, RTLP_CHUNK, Length);
    if (*Length > Room)
        *Length = Room;
    memcpy(To, WorkSpace, *Length);
    return Status;
}

/* Chunks from *Next on into To. Only the last may be short: zeros stand for what others lack. *Size: what was written. */
static NTSTATUS RtlpDecompress(const UCHAR **Next, const UCHAR *End, UCHAR *To, ULONG Room, ULONG *Size,
                               UCHAR *WorkSpace)
{
    RTLP_LZNT1_CHUNK Chunk;
    NTSTATUS Status;
    ULONG At = 0, Length = RTLP_CHUNK;

    while ((Status = RtlpLznt1Describe(Next, End, &Chunk)) == STATUS_SUCCESS) {
        ULONG Gap = RTLP_CHUNK - Length;
        if (Room - At <= Gap) {
            memset(To + At, 0, Room - At);
            At = Room;
            break;
        }
        memset(To + At, 0, Gap);
        At += Gap;
        Status = RtlpDecompressChunk(&Chunk, To + At, Room - At, &Length, WorkSpace);
        if (Status != STATUS_SUCCESS)
            return Status;
        At += Length;
    }
    *Size = At;
    return Status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : Status;
}

/* [WDK RtlDecompressBuffer] A buffer without a whole chunk is STATUS_BAD_COMPRESSION_BUFFER. */
NTSTATUS NTAPI RtlDecompressBuffer(USHORT CompressionFormat, PUCHAR UncompressedBuffer,
                                   ULONG UncompressedBufferSize, PUCHAR CompressedBuffer,
                                   ULONG CompressedBufferSize, PULONG FinalUncompressedSize)
{
    NTSTATUS Status = RtlpCheckFormat(CompressionFormat);
    const UCHAR *Next = CompressedBuffer;

    if (Status != STATUS_SUCCESS)
        return Status;
    if (CompressedBufferSize < RTLP_CHUNK_HEADER)
        return STATUS_BAD_COMPRESSION_BUFFER;
    return RtlpDecompress(&Next, Next + CompressedBufferSize, UncompressedBuffer, UncompressedBufferSize,
                          FinalUncompressedSize, NULL);
}

/* [WDK RtlDecompressBufferEx] LZNT1 needs no work space. */
NTSTATUS NTAPI RtlDecompressBufferEx(USHORT CompressionFormat, PUCHAR UncompressedBuffer,
                                     ULONG UncompressedBufferSize, PUCHAR CompressedBuffer,
                                     ULONG CompressedBufferSize, PULONG FinalUncompressedSize,
                                     PVOID WorkSpace)
{
    UNREFERENCED_PARAMETER(WorkSpace);
    return RtlDecompressBuffer(CompressionFormat, UncompressedBuffer, UncompressedBufferSize,
                               CompressedBuffer, CompressedBufferSize, FinalUncompressedSize);
}

/* The chunk in which a fragment begins, from Offset on, by way of WorkSpace. A short chunk that ends before Offset counts as full. */
static NTSTATUS RtlpBeginFragment(const RTLP_LZNT1_CHUNK *Chunk, ULONG Offset, UCHAR *To, ULONG Room,
                                  BOOLEAN Last, ULONG *Size, UCHAR *WorkSpace)
{
    ULONG Length;
    NTSTATUS Status = RtlpLznt1Decompress(Chunk, WorkSpace, RTLP_CHUNK, &Length);

    if (Status != STATUS_SUCCESS)
        return Status;
    if (!Chunk->Compressed && Length != RTLP_CHUNK)
        return STATUS_BAD_COMPRESSION_BUFFER;
    memset(WorkSpace + Length, 0, RTLP_CHUNK - Length);
    if (!Last || Length < Offset)
        Length = RTLP_CHUNK;
    *Size = Length - Offset < Room ? Length - Offset : Room;
    memcpy(To, WorkSpace + Offset, *Size);
    return STATUS_SUCCESS;
}

/* [WDK RtlDecompressFragment] WorkSpace has 4096 bytes. A fragment behind the data has no bytes. */
NTSTATUS NTAPI RtlDecompressFragment(USHORT CompressionFormat, PUCHAR UncompressedFragment,
                                     ULONG UncompressedFragmentSize, PUCHAR CompressedBuffer,
                                     ULONG CompressedBufferSize, ULONG FragmentOffset,
                                     PULONG FinalUncompressedSize, PVOID WorkSpace)
{
    NTSTATUS Status = RtlpCheckFormat(CompressionFormat);
    const UCHAR *Next = CompressedBuffer, *End = Next + CompressedBufferSize;
    RTLP_LZNT1_CHUNK Chunk;
    ULONG Head = 0, Rest = 0;

    if (Status != STATUS_SUCCESS)
        return Status;
    if (CompressedBufferSize < RTLP_CHUNK_HEADER)
        return STATUS_BAD_COMPRESSION_BUFFER;
    for (;; FragmentOffset -= RTLP_CHUNK) {
        Status = RtlpLznt1Describe(&Next, End, &Chunk);
        if (Status != STATUS_SUCCESS || FragmentOffset < RTLP_CHUNK)
            break;
    }
    if (Status == STATUS_SUCCESS) {
        const UCHAR *After = Next;
        RTLP_LZNT1_CHUNK Following;
        BOOLEAN Last = RtlpLznt1Describe(&After, End, &Following) != STATUS_SUCCESS;
        Status = RtlpBeginFragment(&Chunk, FragmentOffset, UncompressedFragment, UncompressedFragmentSize,
                                   Last, &Head, WorkSpace);
    }
    if (Status == STATUS_SUCCESS && Head < UncompressedFragmentSize)
        Status = RtlpDecompress(&Next, End, UncompressedFragment + Head, UncompressedFragmentSize - Head,
                                &Rest, WorkSpace);
    if (Status != STATUS_SUCCESS && Status != STATUS_NO_MORE_ENTRIES)
        return Status;
    *FinalUncompressedSize = Head + Rest;
    return STATUS_SUCCESS;
}
