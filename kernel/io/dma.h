/* SPDX-License-Identifier: MIT
 * Tier 3, io: DMA adapters and their transfers (dma_*.c).
 *
 * A transfer is one request for map registers, from the asking to the freeing; a driver knows it as MapRegisterBase or as a scatter/gather list.
 * It waits in its adapter's queue until it gets the registers, and the channel if it asked for that. There is no IOMMU: a logical address is a
 * physical one. A map register is a page of memory that the device reaches; only adapters of devices that do not reach all memory, or
 * cannot gather, have such pages, and only what they cannot reach is copied. Lock: IopDmaLock (a), rank LockRankIoDma; what a
 * transfer has mapped is its driver's alone. */
#pragma once
#include "iop.h"

#define IOP_TAG_DMA 'mDoI'

extern ARCH_LOCK IopDmaLock;

typedef struct _IOP_DMA_ADAPTER {
    DMA_ADAPTER Object;               /* what the driver has */
    LIST_ENTRY Entry;                 /* (a) in the list of all, until it is put */
    ULONG References;                 /* (a) the driver's, and one for each who hands out its registers */
    PVOID Owner;                      /* code that asked for it */
    ULONG64 Highest;                  /* address that the device reaches */
    BOOLEAN Gathers;                  /* the device takes scatter/gather lists */
    BOOLEAN Bounces;                  /* it has Pages */
    BOOLEAN Held;                     /* (a) its channel */
    ULONG Registers;                  /* that a transfer may have */
    struct _IOP_DMA_TRANSFER *Holder; /* (a) of the channel; NULL: its registers are freed already */
    PUCHAR Pages;                     /* Registers of them, consecutive, or NULL */
    ULONG64 PagesPhysical;
    LIST_ENTRY Waiting;       /* (a) transfers, in the order of asking */
    LIST_ENTRY Granted;       /* (a) transfers */
    LIST_ENTRY Buffers;       /* (a) common buffers */
    ULONG ListsGot, ListsPut; /* (a) */
    RTL_BITMAP InUse;         /* (a) of Pages; its bits lie behind the adapter */
} IOP_DMA_ADAPTER;

/* Bytes of one MDL that are mapped, consecutive for the device. */
typedef struct _IOP_DMA_FRAGMENT {
    ULONG64 Memory; /* physical address */
    PMDL Mdl;
    ULONG Offset; /* in the MDL */
    ULONG Length;
    ULONG Bounce; /* offset in the transfer's pages, or IOP_DMA_DIRECT */
} IOP_DMA_FRAGMENT;
#define IOP_DMA_DIRECT MAXULONG
/* A page that is mapped piece by piece may have, for a device that cannot gather, what lies direct between two pieces that reach over its ends. */
#define IOP_DMA_FRAGMENTS(Registers) (3 * (Registers))

typedef struct _IOP_DMA_TRANSFER {
    LIST_ENTRY Entry; /* (a) in Waiting or Granted */
    IOP_DMA_ADAPTER *Adapter;
    PDEVICE_OBJECT Device;
    PIRP Irp;
    PDRIVER_CONTROL Control; /* of who asks for the channel; NULL: he has waited for none */
    PDRIVER_LIST_CONTROL ListControl;
    PVOID RoutineContext;
    PVOID Context;   /* the driver's, to cancel the request; NULL: none */
    ULONG Registers; /* how many */
    ULONG First;     /* of the adapter's pages */
    /* only of a list */
    PSCATTER_GATHER_LIST List; /* NULL: a request for the channel */
    PMDL Mdl, Target;
    ULONG64 Offset;
    ULONG Length;
    BOOLEAN Write;
    /* what is mapped */
    ULONG Used;   /* registers */
    ULONG Cursor; /* offset in the pages: what is bounced next goes there */
    ULONG Count;  /* of fragments, at most IOP_DMA_FRAGMENTS(Registers) */
    IOP_DMA_FRAGMENT Fragments[];
} IOP_DMA_TRANSFER;

/* [WDK Bug Check 0xE6] First parameters. */
#define IOP_DMA_MISCELLANEOUS                                                                                \
    0x0u /* p2 1: flushed too much (p3 bytes left, p4 asked); 2: too few registers (p3 needed, p4 there) */
#define IOP_DMA_FREED_BUFFER 0x3u /* these three: p2 how many too many */
#define IOP_DMA_FREED_CHANNEL 0x4u
#define IOP_DMA_FREED_REGISTERS 0x5u
#define IOP_DMA_FREED_LIST 0x6u   /* p2 lists got, p3 put */
#define IOP_DMA_LEFT_BUFFERS 0x7u /* these four: p2 adapter, p3 how many */
#define IOP_DMA_LEFT_CHANNEL 0x8u
#define IOP_DMA_LEFT_REGISTERS 0x9u
#define IOP_DMA_LEFT_LISTS 0xAu
#define IOP_DMA_NOT_LOCKED 0xEu    /* p2 MDL */
#define IOP_DMA_STILL_MAPPED 0x10u /* p2 registers */
#define IOP_DMA_RELEASED 0x18u     /* p2 adapter */
#define IOP_DMA_NULL 0x19u
#define IOP_DMA_NOT_IN_MDL 0x1Bu      /* p2 address, p3 MDL */
#define IOP_DMA_LONGER 0x1Fu          /* p2 3, p3 MDL, p4 length */
#define IOP_DMA_FLUSHED_NOTHING 0x20u /* p2 registers, p3 address, p4 MDL */
#define IOP_DMA_EMPTY 0x21u

/* Any IRQL. The driver that called is blamed. */
static inline DECLSPEC_NORETURN VOID IopBlameDma(ULONG Rule, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4,
                                                 PCSTR Text)
{
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DMA_VIOLATION, Rule, P2, P3, P4, Text);
}

/* dma_adapter.c. The adapter itself; one that is none, or was put, is a bug check. IRQL <= DISPATCH_LEVEL; Locked: IopDmaLock held. */
IOP_DMA_ADAPTER *IopDmaAdapter(PDMA_ADAPTER Object);
IOP_DMA_ADAPTER *IopDmaAdapterLocked(PDMA_ADAPTER Object);
VOID IopDereferenceAdapter(IOP_DMA_ADAPTER *Adapter); /* frees it with the last one */
/* One that code of the module got and has not put: it is put now, whatever it still has. NULL: none. IRQL <= DISPATCH_LEVEL. */
IOP_DMA_ADAPTER *IopTakeAdapterOf(PIM_MODULE Module);

VOID NTAPI IopPutDmaAdapter(PDMA_ADAPTER Object);

/* dma_operations.c. What a driver gets for a version of its description; NULL: there is no such version. Any IRQL. */
const DMA_OPERATIONS *IopDmaOperationsOf(ULONG Version);

/* dma_queue.c. A transfer of so many registers (nonpaged), not asked for yet, or NULL. IRQL <= DISPATCH_LEVEL. */
IOP_DMA_TRANSFER *IopMakeTransfer(IOP_DMA_ADAPTER *Adapter, PDEVICE_OBJECT Device, ULONG Registers,
                                  SIZE_T Extra);
/* Asks: what it asks for is there now, and its routine called, or it waits. Immediately: it must be there, else the transfer is freed and the
 * status STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL. */
NTSTATUS IopStartTransfer(IOP_DMA_TRANSFER *Transfer, BOOLEAN Immediately);
/* A granted transfer that is in no list any more: its registers are free, and given to who waits. IRQL <= DISPATCH_LEVEL. */
VOID IopEndTransfer(IOP_DMA_TRANSFER *Transfer);
/* The granted transfer that the driver knows as Base, which is for the channel; NULL: there is none. IRQL <= DISPATCH_LEVEL. */
IOP_DMA_TRANSFER *IopGrantedTransfer(IOP_DMA_ADAPTER *Adapter, PVOID Base);

NTSTATUS NTAPI IopAllocateAdapterChannel(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, ULONG Registers,
                                         PDRIVER_CONTROL Routine, PVOID Context);
NTSTATUS NTAPI IopAllocateAdapterChannelEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                           ULONG Registers, ULONG Flags, PDRIVER_CONTROL Routine,
                                           PVOID Context, PVOID *MapRegisterBase);
BOOLEAN NTAPI IopCancelAdapterChannel(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext);
VOID NTAPI IopFreeAdapterChannel(PDMA_ADAPTER Object);
VOID NTAPI IopFreeAdapterObject(PDMA_ADAPTER Object, IO_ALLOCATION_ACTION Action);
VOID NTAPI IopFreeMapRegisters(PDMA_ADAPTER Object, PVOID MapRegisterBase, ULONG Registers);
NTSTATUS NTAPI IopInitializeDmaTransferContext(PDMA_ADAPTER Object, PVOID TransferContext);
BOOLEAN IopIsDmaTransferContext(const VOID *TransferContext);

/* dma_chain.c: a place in a chain of MDLs, and what lies there. */
typedef struct _IOP_DMA_PLACE {
    PMDL Mdl; /* NULL: the chain ended */
    ULONG Offset;
} IOP_DMA_PLACE;

/* Offset bytes behind the first MDL's start. */
IOP_DMA_PLACE IopDmaPlace(PMDL Mdl, ULONG64 Offset);
/* Bytes there that lie in one page, at most Length; 0: the chain ended. */
ULONG IopDmaPiece(const IOP_DMA_PLACE *Place, ULONG Length, ULONG64 *Memory);
VOID IopDmaAdvance(IOP_DMA_PLACE *Place, ULONG Length);
/* As much of Length bytes there as lies in so many pages. */
ULONG IopDmaFit(IOP_DMA_PLACE Place, ULONG Length, ULONG Pages);
/* Pages that Length bytes there touch, each MDL for itself. FALSE: the chain is shorter. */
BOOLEAN IopDmaSpan(IOP_DMA_PLACE Place, ULONG Length, ULONG *Pages);
/* Offset of an address in its MDL. MAXULONG: it lies elsewhere. */
ULONG IopDmaOffset(PMDL Mdl, PVOID Va);

/* dma_map.c. Maps what is consecutive for the device, at most Length bytes there and all in one MDL; returns how much, and where. IRQL <= DISPATCH_LEVEL. */
ULONG IopMapBlock(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length, BOOLEAN Write,
                  ULONG64 *Logical);
/* What a transfer had mapped at some time, to go back there. */
typedef struct _IOP_DMA_MARK {
    ULONG Count, Used, Cursor, LastLength;
} IOP_DMA_MARK;
IOP_DMA_MARK IopMarkMapped(const IOP_DMA_TRANSFER *Transfer);
VOID IopUnmapTo(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_MARK *Mark);
/* All of it at once, for a device that takes no lists: *Logical is where. */
VOID IopMapWhole(IOP_DMA_TRANSFER *Transfer, IOP_DMA_PLACE Place, ULONG Length, BOOLEAN Write,
                 ULONG64 *Logical);
/* Back to memory what a device that wrote has left in the pages. */
VOID IopCopyBack(IOP_DMA_TRANSFER *Transfer);
/* Length bytes of one MDL are not mapped any more, and what a device that wrote has left for them is in memory. */
VOID IopFlush(IOP_DMA_TRANSFER *Transfer, const IOP_DMA_PLACE *Place, ULONG Length, BOOLEAN Write);

/* dma_transfer.c */
PHYSICAL_ADDRESS NTAPI IopMapTransfer(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, PVOID CurrentVa,
                                      PULONG Length, BOOLEAN WriteToDevice);
BOOLEAN NTAPI IopFlushAdapterBuffers(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, PVOID CurrentVa,
                                     ULONG Length, BOOLEAN WriteToDevice);
NTSTATUS NTAPI IopMapTransferEx(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, ULONGLONG Offset,
                                ULONG DeviceOffset, PULONG Length, BOOLEAN WriteToDevice,
                                PSCATTER_GATHER_LIST Buffer, ULONG BufferLength,
                                PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext);
NTSTATUS NTAPI IopFlushAdapterBuffersEx(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase,
                                        ULONGLONG Offset, ULONG Length, BOOLEAN WriteToDevice);

/* dma_list.c */
static inline ULONG IopListBytes(ULONG Elements)
{
    return (ULONG)FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) +
           Elements * (ULONG)sizeof(SCATTER_GATHER_ELEMENT);
}
/* Maps Length bytes there, which the chain has and there are registers for, and tells where in the list, which has room for so many elements. Returns
 * how much it had room for. IRQL <= DISPATCH_LEVEL. */
ULONG IopFillList(IOP_DMA_TRANSFER *Transfer, PSCATTER_GATHER_LIST List, ULONG Elements, IOP_DMA_PLACE Place,
                  ULONG Length, BOOLEAN Write);
/* The granted transfer whose list it is, or NULL. IopDmaLock held. */
IOP_DMA_TRANSFER *IopGrantedListLocked(IOP_DMA_ADAPTER *Adapter, const SCATTER_GATHER_LIST *List);
VOID IopDeliverList(IOP_DMA_TRANSFER *Transfer); /* makes it and calls the routine. DISPATCH_LEVEL */
NTSTATUS NTAPI IopGetScatterGatherList(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PMDL Mdl, PVOID CurrentVa,
                                       ULONG Length, PDRIVER_LIST_CONTROL Routine, PVOID Context,
                                       BOOLEAN WriteToDevice);
NTSTATUS NTAPI IopGetScatterGatherListEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                         PMDL Mdl, ULONGLONG Offset, ULONG Length, ULONG Flags,
                                         PDRIVER_LIST_CONTROL Routine, PVOID Context, BOOLEAN WriteToDevice,
                                         PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext,
                                         PSCATTER_GATHER_LIST *List);
NTSTATUS NTAPI IopBuildScatterGatherList(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PMDL Mdl,
                                         PVOID CurrentVa, ULONG Length, PDRIVER_LIST_CONTROL Routine,
                                         PVOID Context, BOOLEAN WriteToDevice, PVOID Buffer,
                                         ULONG BufferLength);
NTSTATUS NTAPI IopBuildScatterGatherListEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                           PMDL Mdl, ULONGLONG Offset, ULONG Length, ULONG Flags,
                                           PDRIVER_LIST_CONTROL Routine, PVOID Context, BOOLEAN WriteToDevice,
                                           PVOID Buffer, ULONG BufferLength,
                                           PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext,
                                           PVOID List);
VOID NTAPI IopPutScatterGatherList(PDMA_ADAPTER Object, PSCATTER_GATHER_LIST List, BOOLEAN WriteToDevice);

/* dma_size.c: how much a transfer takes. The offset of an address in its MDL, or a bug check. */
ULONG IopRequireOffset(PMDL Mdl, PVOID Va);
NTSTATUS NTAPI IopCalculateScatterGatherList(PDMA_ADAPTER Object, PMDL Mdl, PVOID CurrentVa, ULONG Length,
                                             PULONG Bytes, PULONG Registers);
NTSTATUS NTAPI IopGetDmaTransferInfo(PDMA_ADAPTER Object, PMDL Mdl, ULONGLONG Offset, ULONG Length,
                                     BOOLEAN WriteOnly, PDMA_TRANSFER_INFO Info);
NTSTATUS NTAPI IopBuildMdlFromScatterGatherList(PDMA_ADAPTER Object, PSCATTER_GATHER_LIST List,
                                                PMDL OriginalMdl, PMDL *TargetMdl);

/* dma_buffer.c: common buffers. */
typedef struct _IOP_DMA_BUFFER {
    LIST_ENTRY Entry; /* (a) */
    PVOID Virtual;
    ULONG64 Physical;
    ULONG Length;
} IOP_DMA_BUFFER;
VOID IopReleaseBuffer(IOP_DMA_BUFFER *Buffer); /* in no list; its memory too */
PVOID NTAPI IopAllocateCommonBuffer(PDMA_ADAPTER Object, ULONG Length, PPHYSICAL_ADDRESS LogicalAddress,
                                    BOOLEAN CacheEnabled);
PVOID NTAPI IopAllocateCommonBufferEx(PDMA_ADAPTER Object, PPHYSICAL_ADDRESS MaximumAddress, ULONG Length,
                                      PPHYSICAL_ADDRESS LogicalAddress, BOOLEAN CacheEnabled,
                                      ULONG PreferredNode);
VOID NTAPI IopFreeCommonBuffer(PDMA_ADAPTER Object, ULONG Length, PHYSICAL_ADDRESS LogicalAddress,
                               PVOID VirtualAddress, BOOLEAN CacheEnabled);
