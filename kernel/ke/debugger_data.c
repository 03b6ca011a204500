/* SPDX-License-Identifier: MIT
 * What a kernel debugger or a dump reader looks for: KPCR.KdVersionBlock leads to DBGKD_GET_VERSION64, that to the list of
 * debugger data, that to KDDEBUGGER_DATA64, which says where KiProcessorBlock is and where in a PRCB the registers of a frozen
 * processor lie. Layouts as in the public header wdbgexts.h; a field that is 0 is not published. The offsets were compared with
 * QEMU's reader of Windows dumps (contrib/elf2dmp/kdbg.h). */
#include "ki.h"

#define KDBG_TAG 0x4742444bu /* "KDBG" */
#define KD_PROTOCOL_VERSION 6
#define KD_FLAGS_MP_PTR64 (0x1 | 0x4) /* multiprocessor kernel, 64-bit pointers */

typedef struct _KI_DEBUGGER_VERSION { /* DBGKD_GET_VERSION64 */
    USHORT MajorVersion, MinorVersion;
    UCHAR ProtocolVersion, KdSecondaryVersion;
    USHORT Flags, MachineType;
    UCHAR MaxPacketType, MaxStateChange, MaxManipulate, Simulation;
    USHORT Unused;
    ULONG64 KernBase, PsLoadedModuleList, DebuggerDataList;
} KI_DEBUGGER_VERSION;
ASSERT_SIZE(KI_DEBUGGER_VERSION, 0x28);

typedef struct _KI_DEBUGGER_DATA { /* KDDEBUGGER_DATA64 */
    LIST_ENTRY List;               /* header */
    ULONG OwnerTag, Size;
    ULONG64 KernBase; /* 0x018 */
    ULONG64 Reserved20[5];
    ULONG64 PsLoadedModuleList; /* 0x048 */
    ULONG64 Reserved50[0x39];
    ULONG64 KiProcessorBlock; /* 0x218 */
    ULONG64 Reserved220[0xf];
    USHORT OffsetKThreadNextProcessor, OffsetKThreadTeb; /* 0x298 */
    USHORT OffsetKThreadKernelStack, OffsetKThreadInitialStack;
    USHORT OffsetKThreadApcProcess, OffsetKThreadState, OffsetKThreadBStore, OffsetKThreadBStoreLimit;
    USHORT SizeEProcess, OffsetEprocessPeb, OffsetEprocessParentCid, OffsetEprocessDirectoryTableBase;
    USHORT SizePrcb; /* 0x2b0 */
    USHORT OffsetPrcbDpcRoutine, OffsetPrcbCurrentThread, OffsetPrcbMhz, OffsetPrcbCpuType,
        OffsetPrcbVendorString;
    USHORT OffsetPrcbProcStateContext, OffsetPrcbNumber, SizeEThread; /* 0x2bc */
    USHORT Reserved2c2[3];
    ULONG64 KdPrintCircularBufferPtr, KdPrintBufferSize, KeLoaderBlock;             /* 0x2c8 */
    USHORT SizePcr, OffsetPcrSelfPcr, OffsetPcrCurrentPrcb, OffsetPcrContainedPrcb; /* 0x2e0 */
    USHORT Reserved2e8[5];
    USHORT OffsetPrcbProcStateSpecialReg; /* 0x2f2 */
    USHORT GdtR0Code, GdtR0Data, GdtR0Pcr, GdtR3Code, GdtR3Data, GdtR3Teb, GdtLdt, GdtTss;
    USHORT Gdt64R3CmCode, Gdt64R3CmTeb;
    ULONG64 Reserved308[6];
    USHORT OffsetPrcbContext; /* 0x338 */
    USHORT Reserved33a[3];
} KI_DEBUGGER_DATA;
ASSERT_OFFSET(KI_DEBUGGER_DATA, PsLoadedModuleList, 0x48);
ASSERT_OFFSET(KI_DEBUGGER_DATA, KiProcessorBlock, 0x218);
ASSERT_OFFSET(KI_DEBUGGER_DATA, OffsetKThreadKernelStack, 0x29c);
ASSERT_OFFSET(KI_DEBUGGER_DATA, SizePrcb, 0x2b0);
ASSERT_OFFSET(KI_DEBUGGER_DATA, OffsetPrcbProcStateContext, 0x2bc);
ASSERT_OFFSET(KI_DEBUGGER_DATA, SizePcr, 0x2e0);
ASSERT_OFFSET(KI_DEBUGGER_DATA, OffsetPrcbProcStateSpecialReg, 0x2f2);
ASSERT_OFFSET(KI_DEBUGGER_DATA, OffsetPrcbContext, 0x338);

static LIST_ENTRY KiDebuggerDataList;
static KI_DEBUGGER_VERSION KdVersionBlock;
static KI_DEBUGGER_DATA KdDebuggerDataBlock = {
    .OwnerTag = KDBG_TAG,
    .Size = sizeof(KdDebuggerDataBlock),
    .OffsetKThreadKernelStack = FIELD_OFFSET(KTHREAD, KernelStack),
    .OffsetKThreadInitialStack = FIELD_OFFSET(KTHREAD, StackBase),
    .OffsetKThreadState = FIELD_OFFSET(KTHREAD, State),
    .SizePrcb = sizeof(KPRCB),
    .OffsetPrcbCurrentThread = FIELD_OFFSET(KPRCB, CurrentThread),
    .OffsetPrcbProcStateContext = FIELD_OFFSET(KPRCB, ProcessorState.ContextFrame),
    .OffsetPrcbNumber = FIELD_OFFSET(KPRCB, Number),
    .SizePcr = sizeof(KPCR),
    .OffsetPcrSelfPcr = FIELD_OFFSET(KPCR, Self),
    .OffsetPcrCurrentPrcb = FIELD_OFFSET(KPCR, CurrentPrcb),
    .OffsetPcrContainedPrcb = FIELD_OFFSET(KI_PROCESSOR, Prcb),
    .OffsetPrcbProcStateSpecialReg = FIELD_OFFSET(KPRCB, ProcessorState.SpecialRegisters),
    .GdtR0Code = KGDT64_R0_CODE,
    .GdtR0Data = KGDT64_R0_DATA,
    .GdtTss = KGDT64_SYS_TSS,
};

PVOID KiPublishDebuggerData(VOID)
{
    ULONG64 Base = (ULONG64)KiImageBase;

    KdDebuggerDataBlock.KernBase = Base;
    KdDebuggerDataBlock.KiProcessorBlock = (ULONG64)KiProcessorBlock;
    InitializeListHead(&KiDebuggerDataList);
    InsertTailList(&KiDebuggerDataList, &KdDebuggerDataBlock.List);
    KdVersionBlock = (KI_DEBUGGER_VERSION){.MajorVersion = 15, /* a free kernel's; 0xc says checked */
                                           .MinorVersion = 19045,
                                           .ProtocolVersion = KD_PROTOCOL_VERSION,
                                           .KdSecondaryVersion = 2, /* CONTEXT of AMD64 */
                                           .Flags = KD_FLAGS_MP_PTR64,
                                           .MachineType = IMAGE_FILE_MACHINE_AMD64,
                                           .KernBase = Base,
                                           .DebuggerDataList = (ULONG64)&KiDebuggerDataList};
    return &KdVersionBlock;
}

VOID KePublishLoadedModules(PLIST_ENTRY List)
{
    KdDebuggerDataBlock.PsLoadedModuleList = (ULONG64)List;
    KdVersionBlock.PsLoadedModuleList = (ULONG64)List;
}

VOID KeQueryDebuggerData(PULONG64 Data, PULONG64 LoadedModules)
{
    *Data = (ULONG64)&KdDebuggerDataBlock;
    *LoadedModules = KdDebuggerDataBlock.PsLoadedModuleList;
}
