/* SPDX-License-Identifier: MIT
 * libFuzzer over LZNT1: any bytes are decompressed or refused within the room; any bytes are compressed to what gives them back. */
#include <stdlib.h>

#include "rtl.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static UCHAR WorkSpace[0x8000];

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return malloc(NumberOfBytes);
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    free(P);
}

static void Decompress(UCHAR *Data, ULONG Length, ULONG Room, ULONG Offset)
{
    UCHAR *To = malloc(Room + 1);
    ULONG Size = 0;
    if (RtlDecompressBuffer(2, To, Room, Data, Length, &Size) == STATUS_SUCCESS && Size > Room)
        abort();
    if (RtlDecompressFragment(2, To, Room, Data, Length, Offset, &Size, WorkSpace) == STATUS_SUCCESS &&
        Size > Room)
        abort();
    free(To);
}

static void RoundTrip(UCHAR *Data, ULONG Length, USHORT Format)
{
    ULONG Room = Length + Length / 8 + 16, Size, Back;
    UCHAR *Packed = malloc(Room), *To = malloc(Length);
    if (RtlCompressBuffer(Format, Data, Length, Packed, Room, 4096, &Size, WorkSpace) < 0)
        abort();
    if (RtlDecompressBuffer(2, To, Length, Packed, Size, &Back) != STATUS_SUCCESS || Back != Length)
        abort();
    if (memcmp(To, Data, Length) != 0)
        abort();
    free(Packed);
    free(To);
}

DECLSPEC_NORETURN VOID RtlRaiseStatus(NTSTATUS Status)
{
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    if (Length < 4)
        return 0;
    ULONG Room = Data[0] * 64u, Offset = (Data[1] | (ULONG)Data[2] << 8);
    UCHAR *Copy = malloc(Length - 3);
    memcpy(Copy, Data + 3, Length - 3);
    Decompress(Copy, (ULONG)Length - 3, Room, Offset);
    RoundTrip(Copy, (ULONG)Length - 3, Data[0] & 1 ? 0x102 : 2);
    free(Copy);
    return 0;
}
