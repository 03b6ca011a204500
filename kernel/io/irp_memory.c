/* SPDX-License-Identifier: MIT
 * IRPs as the I/O manager allocates them. In the free kernel each processor keeps a few of every usual size, ready for the next one; the
 * checked kernel gives each back to the pool, which finds what drivers do to it later. A kept IRP is a pool block without an owner. */
#include "iop.h"
#include "ex.h"

#if NTBOX_CHECKED
#define IopTakeKept(Locations, Owner) ((PIRP)NULL)
#define IopKeep(Irp, Locations) FALSE
#else
#define IOP_KEPT_LOCATIONS 8u /* IRPs with more locations are not kept */
#define IOP_KEPT 4u

/* Each place is emptied or filled by one locked instruction, so it does not matter when the thread moves to another processor between
 * the choice of the place and its use. */
static DECLSPEC_ALIGN(64) PIRP volatile IopKept[KI_MAX_PROCESSORS][IOP_KEPT_LOCATIONS + 1][IOP_KEPT];

static inline PIRP volatile *IopPlaces(ULONG Locations)
{
    ULONG Processor;
    __asm__ volatile("movl %%gs:0x1a4, %0" : "=r"(Processor));
    return IopKept[Processor][Locations];
}

static inline PIRP IopTakeKept(ULONG Locations, PVOID Owner)
{
    if (Locations > IOP_KEPT_LOCATIONS)
        return NULL;
    PIRP volatile *Place = IopPlaces(Locations);
    for (ULONG I = 0; I < IOP_KEPT; I++) {
        PIRP Irp = Place[I];
        if (Irp == NULL ||
            !__atomic_compare_exchange_n(&Place[I], &Irp, NULL, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        ExSetPoolOwner(Irp, Owner);
        return Irp;
    }
    return NULL;
}

/* An IRP whose memory is a driver's has another size than its locations say. */
static inline BOOLEAN IopKeep(PIRP Irp, ULONG Locations)
{
    if (Locations > IOP_KEPT_LOCATIONS || !(Irp->AllocationFlags & IRP_ALLOCATED_FIXED_SIZE))
        return FALSE;
    PIRP volatile *Place = IopPlaces(Locations);
    ExSetPoolOwner(Irp, NULL);
    for (ULONG I = 0; I < IOP_KEPT; I++) {
        PIRP Empty = NULL;
        if (Place[I] == NULL &&
            __atomic_compare_exchange_n(&Place[I], &Empty, Irp, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            return TRUE;
    }
    return FALSE;
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

PIRP IopAllocateIrp(CCHAR StackSize, PVOID Owner)
{
    ULONG Locations = (ULONG)StackSize;
    if (StackSize < 0)
        return NULL;
    PIRP Irp = IopTakeKept(Locations, Owner);
    if (Irp == NULL)
        Irp = ExAllocatePoolForOwner(NonPagedPoolNx, IopIrpSize(Locations), IOP_TAG_IRP, Owner);
    if (Irp == NULL)
        return NULL;
    IopZeroIrp(Irp, Locations);
    IopFillIrp(Irp, (USHORT)IoSizeOfIrp(Locations), StackSize);
    Irp->AllocationFlags = IRP_ALLOCATED_FIXED_SIZE;
    IOP_IRP_STATE *State = (IOP_IRP_STATE *)((PUCHAR)Irp + Irp->Size);
    *State = (IOP_IRP_STATE){};
    if (NTBOX_CHECKED)
        RtlZeroMemory(State + 1, IopStateSize(Locations) - sizeof(*State));
    return Irp;
}

VOID IopReleaseIrp(PIRP Irp)
{
    if (!IopKeep(Irp, (UCHAR)Irp->StackCount))
        ExFreePoolWithTag(Irp, IOP_TAG_IRP);
}
