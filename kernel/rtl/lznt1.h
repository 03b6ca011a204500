/* SPDX-License-Identifier: MIT
 * Tier 3: LZNT1 chunks [MS-XCA 2.5]. A chunk is a header and the data of 4096 bytes or, the last, of fewer. */
#pragma once
#include "rtlp.h"

#define RTLP_CHUNK 4096u
#define RTLP_CHUNK_HEADER sizeof(USHORT)

/* A chunk of a compressed buffer: where its data lies, without the header. */
typedef struct _RTLP_LZNT1_CHUNK {
    const UCHAR *Data;
    ULONG Length;
    BOOLEAN Compressed;
} RTLP_LZNT1_CHUNK;

/* *Next, below End, goes to the next chunk. STATUS_NO_MORE_ENTRIES: the end, or the header 0 that may mark it;
 * STATUS_BAD_COMPRESSION_BUFFER: the chunk is cut. */
NTSTATUS RtlpLznt1Describe(const UCHAR **Next, const UCHAR *End, RTLP_LZNT1_CHUNK *Chunk);

/* Data that does not fit into Room is left out; but a match that does not fit is STATUS_BAD_COMPRESSION_BUFFER, as one that
 * reaches before the chunk or is cut. *Length is what was written. To is the chunk's own: matches lie in it. */
NTSTATUS RtlpLznt1Decompress(const RTLP_LZNT1_CHUNK *Chunk, UCHAR *To, ULONG Room, ULONG *Length);

/* Where the compressor remembers positions of a chunk by the hash of three bytes. */
typedef struct _RTLP_LZNT1_WORKSPACE {
    USHORT First[RTLP_CHUNK], Before[RTLP_CHUNK]; /* position + 1, 0: none */
} RTLP_LZNT1_WORKSPACE;

/* Compresses From (1..4096 bytes) as one chunk with its header. Tries candidates for each match. 0: it does not fit into Room. */
ULONG RtlpLznt1Compress(const UCHAR *From, ULONG Length, UCHAR *To, ULONG Room, ULONG Candidates,
                        RTLP_LZNT1_WORKSPACE *WorkSpace);
