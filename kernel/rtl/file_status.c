/* SPDX-License-Identifier: MIT
 * Small checks for file systems [WDK FsRtlIsNtstatusExpected, FsRtlNormalizeNtstatus, FsRtlValidateReparsePointBuffer]. */
#include "rtlp.h"

#define STATUS_MISALIGNED ((NTSTATUS)0x80000002)
#define TAG_MICROSOFT 0x80000000u
#define REPARSE_HEADER 8u
#define REPARSE_GUID_HEADER 24u
#define REPARSE_MOST (16u * 1024)

/* [WDK FsRtlIsNtstatusExpected] FALSE for what only a defect raises. */
BOOLEAN NTAPI FsRtlIsNtstatusExpected(NTSTATUS Ntstatus)
{
    return Ntstatus != STATUS_MISALIGNED && Ntstatus != STATUS_ACCESS_VIOLATION &&
           Ntstatus != STATUS_ILLEGAL_INSTRUCTION && Ntstatus != STATUS_INSTRUCTION_MISALIGNMENT;
}

NTSTATUS NTAPI FsRtlNormalizeNtstatus(NTSTATUS Exception, NTSTATUS GenericException)
{
    return FsRtlIsNtstatusExpected(Exception) ? Exception : GenericException;
}

/* [WDK FsRtlValidateReparsePointBuffer, MS-FSCC 2.1.2] The buffer is the header, the data that it tells of, and nothing else; tags of
 * others than Microsoft have a GUID. The tags 0 and 1 are reserved. */
NTSTATUS NTAPI FsRtlValidateReparsePointBuffer(ULONG BufferLength, PREPARSE_DATA_BUFFER ReparseBuffer)
{
    const UCHAR *Bytes = (const UCHAR *)ReparseBuffer;
    ULONG Tag;
    USHORT Length;

    if (BufferLength < REPARSE_HEADER || BufferLength > REPARSE_MOST)
        return STATUS_IO_REPARSE_DATA_INVALID;
    memcpy(&Tag, Bytes, sizeof(Tag));
    memcpy(&Length, Bytes + sizeof(Tag), sizeof(Length));
    ULONG Header = Tag & TAG_MICROSOFT ? REPARSE_HEADER : REPARSE_GUID_HEADER;
    if (BufferLength != Header + Length)
        return STATUS_IO_REPARSE_DATA_INVALID;
    return Tag <= 1 ? STATUS_IO_REPARSE_TAG_INVALID : STATUS_SUCCESS;
}
