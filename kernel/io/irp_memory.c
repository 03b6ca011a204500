/* SPDX-License-Identifier: MIT
 * IRPs as the I/O manager allocates them. In the free kernel each processor keeps a few of every usual size, ready for the next one; the
 * checked kernel gives each back to the pool, which finds what drivers do to it later. A kept IRP is a pool block without an owner. */
#include "iop.h"
#include "ex.h"

#if NTBOX_CHECKED
#define IopTakeKept(Locations, Owner) ((PIRP)NULL)
#define IopKeep(Irp, Locations) (Irp)
#else
#define IOP_KEPT_SIZES 16u /* of one location and more; others are not kept */
#define IOP_KEPT 4u

/* Each place is emptied or filled by one locked instruction, so it does not matter when the thread moves to another processor between
 * the choice of the place and its use. */
static DECLSPEC_ALIGN(64) PIRP volatile IopKept[KI_MAX_PROCESSORS][IOP_KEPT_SIZES][IOP_KEPT];

static inline PIRP volatile *IopPlaces(ULONG Locations)
{
    ULONG Processor;
    __asm__ volatile("movl %%gs:0x1a4, %0" : "=r"(Processor));
    return IopKept[Processor][Locations];
}

static inline PIRP IopTakeKept(ULONG Locations, PVOID Owner)
{
    if (Locations >= IOP_KEPT_SIZES)
        return NULL;
    PIRP volatile *Place = IopPlaces(Locations);
    for (ULONG I = 0; I < IOP_KEPT; I++) {
        PIRP Irp = __atomic_exchange_n(&Place[I], NULL, __ATOMIC_ACQUIRE);
        if (Irp == NULL)
            continue;
        ExSetPoolOwner((IOP_IRP_STATE *)Irp - 1, Owner);
        return Irp;
    }
    return NULL;
}

/* NULL when it is kept; else an IRP of that size, this one or one that was kept longer, is one too many. */
static inline PIRP IopKeep(PIRP Irp, ULONG Locations)
{
    if (Locations >= IOP_KEPT_SIZES)
        return Irp;
    PIRP volatile *Place = IopPlaces(Locations);
    ExSetPoolOwner((IOP_IRP_STATE *)Irp - 1, NULL);
    for (ULONG I = 0; I < IOP_KEPT && Irp != NULL; I++)
        Irp = __atomic_exchange_n(&Place[I], Irp, __ATOMIC_ACQ_REL);
    return Irp;
}
#endif

/* The IRP is 13 times 16 bytes, a location four and a half times; the state follows. The compiler uses no XMM register
 * (-mgeneral-regs-only), drivers expect nothing of XMM0 after a call, and every interrupt saves it. */
static inline VOID IopZeroIrp(PIRP Irp, ULONG Locations)
{
    PUCHAR At = (PUCHAR)(Irp + 1);
    __asm__ volatile("xorps %%xmm0, %%xmm0\n\t"
                     "movups %%xmm0, -208(%0)\n\t"
                     "movups %%xmm0, -192(%0)\n\t"
                     "movups %%xmm0, -176(%0)\n\t"
                     "movups %%xmm0, -160(%0)\n\t"
                     "movups %%xmm0, -144(%0)\n\t"
                     "movups %%xmm0, -128(%0)\n\t"
                     "movups %%xmm0, -112(%0)\n\t"
                     "movups %%xmm0, -96(%0)\n\t"
                     "movups %%xmm0, -80(%0)\n\t"
                     "movups %%xmm0, -64(%0)\n\t"
                     "movups %%xmm0, -48(%0)\n\t"
                     "movups %%xmm0, -32(%0)\n\t"
                     "movups %%xmm0, -16(%0)\n\t"
                     "testl %1, %1\n\t"
                     "jz 2f\n"
                     "1:\n\t"
                     "movups %%xmm0, (%0)\n\t"
                     "movups %%xmm0, 16(%0)\n\t"
                     "movups %%xmm0, 32(%0)\n\t"
                     "movups %%xmm0, 48(%0)\n\t"
                     "movlps %%xmm0, 64(%0)\n\t"
                     "addq $72, %0\n\t"
                     "decl %1\n\t"
                     "jnz 1b\n"
                     "2:"
                     : "+r"(At), "+r"(Locations)
                     :
                     : "cc", "memory");
}
_Static_assert(sizeof(IRP) == 208 && sizeof(IO_STACK_LOCATION) == 72, "IopZeroIrp");

static DECLSPEC_NOINLINE PIRP IopAllocateNewIrp(ULONG Locations, PVOID Owner)
{
    IOP_IRP_STATE *State = ExAllocatePoolForOwner(
        NonPagedPoolNx, sizeof(*State) + IoSizeOfIrp(Locations) + IopCallRecordsSize(Locations), IOP_TAG_IRP,
        Owner);
    return State != NULL ? (PIRP)(State + 1) : NULL;
}

PIRP IopAllocateIrp(CCHAR StackSize, PVOID Owner)
{
    ULONG Locations = (ULONG)StackSize;
    if (StackSize < 0)
        return NULL;
    PIRP Irp = IopTakeKept(Locations, Owner);
    if (Irp == NULL)
        Irp = IopAllocateNewIrp(Locations, Owner);
    if (Irp == NULL)
        return NULL;
    IopZeroIrp(Irp, Locations);
    IopFillIrp(Irp, (USHORT)IoSizeOfIrp(Locations), StackSize);
    Irp->AllocationFlags = IRP_ALLOCATED_FIXED_SIZE;
    *((IOP_IRP_STATE *)Irp - 1) = (IOP_IRP_STATE){};
    if (NTBOX_CHECKED)
        RtlZeroMemory((PUCHAR)Irp + IoSizeOfIrp(Locations), IopCallRecordsSize(Locations));
    return Irp;
}

/* An IRP in memory that a driver allocated, and initialised with IoInitializeIrp, is a block of the pool itself. */
VOID IopReleaseIrp(PIRP Irp)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    if (State == NULL)
        ExFreePoolWithTag(Irp, IOP_TAG_IRP);
    else if ((Irp = IopKeep(Irp, (UCHAR)Irp->StackCount)) != NULL)
        ExFreePoolWithTag((IOP_IRP_STATE *)Irp - 1, IOP_TAG_IRP);
}
