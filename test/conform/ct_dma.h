/* SPDX-License-Identifier: MIT
 * DMA without a device: adapters of devices that there are not, buffers whose pages are never consecutive, and a processor that does at logical
 * addresses what the device would. The buffers lie above 4 GB where the machine has memory there (ntbox run --memory 6G). */
#pragma once
#include "ct_threads.h"

#define TAG 'amTC'
#define GB4 0x100000000ull
#define MB16 0x1000000ull

/* A bus master with so many address lines. */
static inline PDMA_ADAPTER GetAdapter(ULONG Version, ULONG Width, BOOLEAN Gathers, ULONG MaximumLength,
                                      PULONG Registers)
{
    DEVICE_DESCRIPTION Device = {.Version = Version,
                                 .Master = TRUE,
                                 .ScatterGather = Gathers,
                                 .Dma32BitAddresses = Width >= 32,
                                 .Dma64BitAddresses = Width >= 64,
                                 .InterfaceType = Width < 32 ? Isa : PCIBus,
                                 .MaximumLength = MaximumLength};
    if (Version == DEVICE_DESCRIPTION_VERSION3)
        Device.DmaAddressWidth = Width;
    return IoGetDmaAdapter(NULL, &Device, Registers);
}

static inline BOOLEAN IsReached(ULONG Width, PHYSICAL_ADDRESS Logical, ULONG Length)
{
    ULONG64 Highest = MAXULONG64 >> (64 - Width);
    return (ULONG64)Logical.QuadPart + Length - 1 <= Highest;
}

/* --- the device --- */

static inline BOOLEAN DeviceReads(PHYSICAL_ADDRESS Logical, ULONG Length, UCHAR *To)
{
    PVOID View = MmMapIoSpace(Logical, Length, MmCached);
    if (View == NULL)
        return FALSE;
    RtlCopyMemory(To, View, Length);
    MmUnmapIoSpace(View, Length);
    return TRUE;
}

static inline BOOLEAN DeviceWrites(PHYSICAL_ADDRESS Logical, ULONG Length, const UCHAR *From)
{
    PVOID View = MmMapIoSpace(Logical, Length, MmCached);
    if (View == NULL)
        return FALSE;
    RtlCopyMemory(View, From, Length);
    MmUnmapIoSpace(View, Length);
    return TRUE;
}

/* The device's own memory: what it got, or gives. */
static UCHAR DeviceMemory[16 * PAGE_SIZE];

static inline BOOLEAN DeviceMoves(PHYSICAL_ADDRESS Logical, ULONG Length, ULONG At, BOOLEAN WriteToDevice)
{
    return At + Length <= sizeof(DeviceMemory) &&
           (WriteToDevice ? DeviceReads(Logical, Length, DeviceMemory + At)
                          : DeviceWrites(Logical, Length, DeviceMemory + At));
}

static inline VOID Fill(UCHAR *Bytes, ULONG Length, ULONG Seed)
{
    for (ULONG i = 0; i < Length; i++)
        Bytes[i] = (UCHAR)(i * 7 + (i >> 8) * 13 + Seed);
}

static inline BOOLEAN IsSame(const UCHAR *Left, const UCHAR *Right, ULONG Length)
{
    return RtlCompareMemory(Left, Right, Length) == Length;
}

/* --- buffers --- */

typedef struct BUFFER {
    PMDL Pages;   /* all, in falling order: no two are consecutive */
    PMDL Mdl;     /* of the bytes */
    UCHAR *View;  /* of all pages */
    UCHAR *Bytes; /* in it */
    ULONG Length;
} BUFFER;

static inline VOID Scatter(PPFN_NUMBER Frames, ULONG Count)
{
    for (ULONG i = 1; i < Count; i++)
        for (ULONG j = i; j > 0 && Frames[j] > Frames[j - 1]; j--) {
            PFN_NUMBER Frame = Frames[j];
            Frames[j] = Frames[j - 1];
            Frames[j - 1] = Frame;
        }
}

static inline PMDL AllocatePages(ULONG64 Lowest, ULONG Bytes)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = (LONG64)Lowest}, High = {.QuadPart = -1}, Skip = {.QuadPart = 0};
    return MmAllocatePagesForMdlEx(Low, High, Skip, Bytes, MmCached, MM_ALLOCATE_FULLY_REQUIRED);
}

static inline VOID FreeBuffer(BUFFER *Buffer)
{
    if (Buffer->Mdl != NULL)
        IoFreeMdl(Buffer->Mdl);
    if (Buffer->View != NULL)
        MmUnmapLockedPages(Buffer->View, Buffer->Pages);
    if (Buffer->Pages != NULL) {
        MmFreePagesFromMdl(Buffer->Pages);
        ExFreePool(Buffer->Pages);
    }
}

/* Length bytes that begin Offset bytes behind a page's beginning, far up. */
static inline BOOLEAN MakeBuffer(BUFFER *Buffer, ULONG Offset, ULONG Length)
{
    ULONG Bytes = (ULONG)ROUND_TO_PAGES(Offset + Length);
    RtlZeroMemory(Buffer, sizeof(*Buffer));
    Buffer->Length = Length;
    Buffer->Pages = AllocatePages(GB4, Bytes);
    if (Buffer->Pages == NULL)
        Buffer->Pages = AllocatePages(MB16, Bytes);
    if (Buffer->Pages == NULL)
        return CT_CHECK(!"pages above 16 MB");
    Scatter(MmGetMdlPfnArray(Buffer->Pages), Bytes / PAGE_SIZE);
    Buffer->View = MmMapLockedPagesSpecifyCache(Buffer->Pages, KernelMode, MmCached, NULL, FALSE,
                                                NormalPagePriority | MdlMappingNoExecute);
    PUCHAR Start = (PUCHAR)MmGetMdlVirtualAddress(Buffer->Pages) + Offset;
    Buffer->Mdl = IoAllocateMdl(Start, Length, FALSE, FALSE, NULL);
    if (Buffer->View == NULL || Buffer->Mdl == NULL) {
        FreeBuffer(Buffer);
        return CT_CHECK(!"an MDL and a view of the pages");
    }
    IoBuildPartialMdl(Buffer->Pages, Buffer->Mdl, Start, Length);
    Buffer->Bytes = Buffer->View + Offset;
    RtlFillMemory(Buffer->View, Bytes, 0xee);
    return TRUE;
}

/* What surrounds the bytes is as it was. */
static inline BOOLEAN IsSurroundingWhole(const BUFFER *Buffer)
{
    ULONG Before = (ULONG)(Buffer->Bytes - Buffer->View);
    ULONG All = MmGetMdlByteCount(Buffer->Pages);
    for (ULONG i = 0; i < All; i++)
        if ((i < Before || i >= Before + Buffer->Length) && Buffer->View[i] != 0xee)
            return FALSE;
    return TRUE;
}

static inline PDEVICE_OBJECT MakeDevice(VOID)
{
    PDEVICE_OBJECT Device = NULL;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    return Device;
}
