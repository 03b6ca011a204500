/* SPDX-License-Identifier: MIT
 * The reads that disk.c (ntbox) and disk_linux.c (Linux) do: the same blocks in the same order. Each block of the disk begins with its
 * number (disk.py makes it so), which the reader compares. */
#pragma once

#define DISK_BLOCK 4096u
#define DISK_BLOCKS 16384u
#define DISK_MOST_DEPTH 64u
#define DISK_SEED 0x9E3779B97F4A7C15ull

/* xorshift64 [Marsaglia, "Xorshift RNGs"]. The number of the next block. */
static inline unsigned DiskNextBlock(unsigned long long *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return (unsigned)(*State >> 32) % DISK_BLOCKS;
}
