/* SPDX-License-Identifier: MIT
 * COM1, 115200 8N1, by polling: a burst of 16 whenever the FIFO is empty. An absent port reads 0xff and is left alone. */
#include "kdp.h"

#define COM1 0x3f8
#define KDP_FIFO 16

static BOOLEAN KdpSerialPresent;

VOID KdInitializeSerial(VOID)
{
    ArchOut8(COM1 + 7, 0x5a);
    KdpSerialPresent = ArchIn8(COM1 + 7) == 0x5a;
    if (!KdpSerialPresent)
        return;
    ArchOut8(COM1 + 1, 0x00);
    ArchOut8(COM1 + 3, 0x80);
    ArchOut8(COM1 + 0, 0x01);
    ArchOut8(COM1 + 1, 0x00);
    ArchOut8(COM1 + 3, 0x03);
    ArchOut8(COM1 + 2, 0xc7);
    ArchOut8(COM1 + 4, 0x03);
}

static VOID KdpWaitForFifo(VOID)
{
    for (ULONG i = 0; i < 100000 && (ArchIn8(COM1 + 5) & 0x20) == 0; i++)
        __builtin_ia32_pause();
}

VOID KdpSerialWrite(PCSTR Text, ULONG Length)
{
    if (!KdpSerialPresent)
        return;
    for (ULONG i = 0; i < Length; i++) {
        if (i % KDP_FIFO == 0)
            KdpWaitForFifo();
        ArchOut8(COM1, (UCHAR)Text[i]);
    }
}
