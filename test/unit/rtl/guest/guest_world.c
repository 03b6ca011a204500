/* SPDX-License-Identifier: MIT
 * The upcalls of kernel/rtl for a single image on a single stack, and the C side of a trap. */
#include "guest.h"

extern IMAGE_DOS_HEADER __ImageBase;
static RTL_IMAGE_VIEW GuestImage;
static RTL_STACK_LIMITS GuestStack;

static BOOLEAN GuestFindImage(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    *Image = GuestImage;
    return Address - GuestImage.Base < GuestImage.Size;
}

static BOOLEAN GuestFindStack(ULONG64 StackPointer, RTL_STACK_LIMITS *Limits)
{
    *Limits = GuestStack;
    return StackPointer >= GuestStack.Low && StackPointer <= GuestStack.High;
}

static BOOLEAN GuestIsReadable(ULONG64 Address, ULONG Length)
{
    return Address - GuestImage.Base < GuestImage.Size &&
           GuestImage.Size - (Address - GuestImage.Base) >= Length;
}

static VOID GuestUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    UNREFERENCED_PARAMETER(Record);
    UNREFERENCED_PARAMETER(Context);
    for (;;)
        __asm__ volatile("int3"); /* the host ends the test */
}

static VOID GuestLeaveFrames(ULONG64 StackPointer)
{
    UNREFERENCED_PARAMETER(StackPointer);
}

VOID GuestInitialize(ULONG64 StackHigh)
{
    ULONG64 Base = (ULONG64)&__ImageBase;
    PIMAGE_NT_HEADERS64 Headers = (PIMAGE_NT_HEADERS64)(Base + (ULONG)__ImageBase.e_lfanew);
    IMAGE_DATA_DIRECTORY Table = Headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXCEPTION];

    GuestImage = (RTL_IMAGE_VIEW){Base, Headers->OptionalHeader.SizeOfImage,
                                  (const RUNTIME_FUNCTION *)(Base + Table.VirtualAddress),
                                  Table.Size / (ULONG)sizeof(RUNTIME_FUNCTION)};
    GuestStack = (RTL_STACK_LIMITS){StackHigh - 0x60000, StackHigh};
    RtlSetUpcalls(&(RTL_UPCALLS){.FindImage = GuestFindImage,
                                 .FindStack = GuestFindStack,
                                 .IsReadable = GuestIsReadable,
                                 .UnhandledException = GuestUnhandled,
                                 .LeaveFrames = GuestLeaveFrames});
}

/* Called by GuestTrapEntry with what the host made of a signal. */
VOID GuestTrap(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    if (RtlDispatchException(Record, Context))
        RtlRestoreContext(Context, Record);
    GuestUnhandled(Record, Context);
}
