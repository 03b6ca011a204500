/* SPDX-License-Identifier: MIT
 * The tables through which a lower layer calls a higher one, all set here. */
#include "initp.h"
#include "ex.h"
#include "io.h"
#include "kd.h"
#include "mm.h"
#include "mm_section.h"
#include "pnp.h"
#include "po.h"
#include "rtl.h"
#include "se.h"
#include "vm.h"

static BOOLEAN InitUnwindOne(PCONTEXT Context)
{
    return RtlUnwindOneFrame(Context, NULL);
}

/* What was counted in the case that the bug check ends, and the requests that were in flight. */
static VOID InitBugCheckReport(VOID)
{
    ImEndCase();
    IoReportPendingIrps();
    PoReportHeldFrozen();
}

static VOID InitReportThread(PETHREAD Thread)
{
    KeReportThreadFrozen(&Thread->Tcb);
}

static VOID InitHangReport(VOID)
{
    PsWalkThreadsFrozen(InitReportThread);
}

static BOOLEAN InitFindImage(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    PIM_MODULE Module = ImFindModule((PVOID)Address);

    if (Module == NULL)
        return FALSE;
    *Image =
        (RTL_IMAGE_VIEW){(ULONG64)Module->Base, Module->Size, Module->FunctionTable, Module->FunctionCount};
    return TRUE;
}

static BOOLEAN InitFindStack(ULONG64 StackPointer, RTL_STACK_LIMITS *Limits)
{
    return KeFindStack(StackPointer, &Limits->Low, &Limits->High);
}

/* First and last byte: what image lays out is readable in pages, and no range asked for is longer than two of them. */
static BOOLEAN InitIsReadable(ULONG64 Address, ULONG Length)
{
    return MmIsAddressValid((PVOID)Address) && MmIsAddressValid((PVOID)(Address + Length - 1));
}

static VOID InitUnhandledException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord)
{
    EXCEPTION_POINTERS Pointers = {ExceptionRecord, ContextRecord};

    KeBugCheckFromException(KMODE_EXCEPTION_NOT_HANDLED, &Pointers);
}

VOID InitSetUpcalls(VOID)
{
    static const KI_UPCALLS Ke = {ImIsKernelAddress,     ImIsLibraryAddress, ImSymbolize,
                                  InitUnwindOne,         InitBugCheckReport, ExFixSListFault,
                                  ExDescribePoolAddress, ExPrepareProcessor, InitHangReport};
    static const RTL_UPCALLS Rtl = {InitFindImage, InitFindStack, InitIsReadable, InitUnhandledException,
                                    KeForgetGates};
    static const OB_UPCALLS Ob = {ImForcesIntegrity};
    static const IM_UPCALLS Im = {IoReportModuleLeaks};
    static const PS_UPCALLS Ps = {IoCancelThreadIo};
    static const MM_UPCALLS Mm = {IoTransferPages};
    static const SE_UPCALLS Se = {PsReferenceTokens};
    static const IO_UPCALLS Io = {PnpFreeNode,     PnpFilesClosed,      PnpInterfaceChanged,
                                  PoDeviceDeleted, PoReportDriverLeaks, PnpReportDriverLeaks};
    static const VM_UPCALLS Vm = {IoQueryFileSize, IoSetFileSize};

    KiUpcalls = &Ke;
    ObUpcalls = &Ob;
    ImUpcalls = &Im;
    PsUpcalls = &Ps;
    MmUpcalls = &Mm;
    SeUpcalls = &Se;
    VmUpcalls = &Vm;
    IoUpcalls = &Io;
    KdModuleNameOf = ImModuleNameOf;
    RtlSetUpcalls(&Rtl);
}
