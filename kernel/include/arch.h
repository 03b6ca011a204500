/* SPDX-License-Identifier: MIT
 * Tier 2, arch: what the processor offers to the other subsystems: IRQL (CR8 is the only truth), spin locks
 * with ranks, control registers, interrupt flag, MSRs, ports. amd64 only; portable code sees no instruction.
 */
#pragma once
#include "nt.h"

/* --- registers ------------------------------------------------------------------------------------------ */

static inline ULONG64 ArchReadCr0(void)
{
    ULONG64 Value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(Value));
    return Value;
}

static inline ULONG64 ArchReadCr2(void)
{
    ULONG64 Value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(Value));
    return Value;
}

static inline ULONG64 ArchReadCr3(void)
{
    ULONG64 Value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(Value));
    return Value;
}

static inline VOID ArchWriteCr3(ULONG64 Value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(Value) : "memory");
}

static inline ULONG64 ArchReadCr4(void)
{
    ULONG64 Value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(Value));
    return Value;
}

static inline VOID ArchWriteCr4(ULONG64 Value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(Value) : "memory");
}

static inline VOID ArchInvalidatePage(ULONG_PTR Address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(Address) : "memory");
}

static inline ULONG64 ArchReadMsr(ULONG Register)
{
    ULONG Low, High;
    __asm__ volatile("rdmsr" : "=a"(Low), "=d"(High) : "c"(Register));
    return ((ULONG64)High << 32) | Low;
}

static inline VOID ArchWriteMsr(ULONG Register, ULONG64 Value)
{
    __asm__ volatile("wrmsr" : : "c"(Register), "a"((ULONG)Value), "d"((ULONG)(Value >> 32)) : "memory");
}

static inline ULONG64 ArchReadTsc(void)
{
    ULONG Low, High;
    __asm__ volatile("rdtsc" : "=a"(Low), "=d"(High));
    return ((ULONG64)High << 32) | Low;
}

typedef struct _ARCH_CPUID {
    ULONG Eax, Ebx, Ecx, Edx;
} ARCH_CPUID;

static inline ARCH_CPUID ArchCpuid(ULONG Leaf, ULONG SubLeaf)
{
    ARCH_CPUID R;
    __asm__ volatile("cpuid" : "=a"(R.Eax), "=b"(R.Ebx), "=c"(R.Ecx), "=d"(R.Edx) : "a"(Leaf), "c"(SubLeaf));
    return R;
}

static inline VOID ArchOut8(USHORT Port, UCHAR Value)
{
    __asm__ volatile("outb %0, %1" : : "a"(Value), "Nd"(Port));
}

static inline UCHAR ArchIn8(USHORT Port)
{
    UCHAR Value;
    __asm__ volatile("inb %1, %0" : "=a"(Value) : "Nd"(Port));
    return Value;
}

static inline VOID ArchOut16(USHORT Port, USHORT Value)
{
    __asm__ volatile("outw %0, %1" : : "a"(Value), "Nd"(Port));
}

static inline USHORT ArchIn16(USHORT Port)
{
    USHORT Value;
    __asm__ volatile("inw %1, %0" : "=a"(Value) : "Nd"(Port));
    return Value;
}

static inline VOID ArchOut32(USHORT Port, ULONG Value)
{
    __asm__ volatile("outl %0, %1" : : "a"(Value), "Nd"(Port));
}

static inline ULONG ArchIn32(USHORT Port)
{
    ULONG Value;
    __asm__ volatile("inl %1, %0" : "=a"(Value) : "Nd"(Port));
    return Value;
}

/* --- interrupt flag ----------------------------------------------------------------------------------------
 */

static inline ULONG64 ArchReadFlags(void)
{
    ULONG64 Flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(Flags) : : "memory");
    return Flags;
}

static inline BOOLEAN ArchInterruptsEnabled(void)
{
    return (ArchReadFlags() & 0x200) != 0;
}

/* Returns whether interrupts were on; give it to ArchRestoreInterrupts. */
__attribute__((warn_unused_result)) static inline BOOLEAN ArchDisableInterrupts(void)
{
    BOOLEAN Enabled = ArchInterruptsEnabled();
    __asm__ volatile("cli" : : : "memory");
    return Enabled;
}

static inline VOID ArchRestoreInterrupts(BOOLEAN Enabled)
{
    if (Enabled)
        __asm__ volatile("sti" : : : "memory");
}

/* --- IRQL: CR8 is the only truth. Drivers write it inline too, so nothing is cached.
 * --------------------------- */

static inline KIRQL ArchGetIrql(void)
{
    ULONG64 Value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(Value));
    return (KIRQL)Value;
}

static inline VOID ArchSetIrql(KIRQL Irql)
{
    ULONG64 Value = Irql;
    __asm__ volatile("mov %0, %%cr8" : : "r"(Value) : "memory");
}

/* Raise; lowering with it is a bug of the caller. Returns the old IRQL. */
__attribute__((warn_unused_result)) static inline KIRQL ArchRaiseIrql(KIRQL New)
{
    KIRQL Old = ArchGetIrql();
    ArchSetIrql(New);
    return Old;
}

/* --- spin locks of the kernel: ranked. Driver spin locks (KSPIN_LOCK) go through ke.
 * ------------------------- */

/* Order of acquisition: a processor may take a lock only if its rank is higher than that of every lock it
 * holds. A driver may call us with its own spin locks held, so these rank lowest. docs/locks.md is made of this list. */
typedef enum _ARCH_LOCK_RANK {
    LockRankDriver =
        0,       /* every KSPIN_LOCK that a driver owns (any number may be held, in the driver's order) */
    LockRankPnp, /* pnp: jobs of the PnP thread */
    LockRankPo,  /* po: power requests on their way, and what drivers registered */
    LockRankIoCancel,      /* io: the cancel spin lock (drivers hold it across calls) */
    LockRankIoVpb,         /* io: volume parameter blocks (file systems hold it across calls) */
    LockRankIoDatabase,    /* io: device and driver lists */
    LockRankIoCalls,       /* io: which dispatch routines have an IRP */
    LockRankIoDma,         /* io: DMA adapters, who waits for their map registers */
    LockRankPs,            /* ps: list of threads */
    LockRankObject,        /* ob: name space and handle tables when a spin lock is needed */
    LockRankExQueue,       /* ex: work queues */
    LockRankExPushLock,    /* ex: who waits for push locks */
    LockRankExTrace,       /* ex: call chains of pool blocks */
    LockRankExPoolTrim,    /* ex: who empties the processors' pool magazines */
    LockRankExPool,        /* ex: pool */
    LockRankMmLockedMdl,   /* mm: MDLs that have pages of processes locked */
    LockRankMmSystemSpace, /* mm: kernel virtual address space and its page tables */
    LockRankMmPhysical,    /* mm: free physical pages */
    LockRankImageList,     /* image: list of loaded modules (read at any IRQL) */
    LockRankKeObject,      /* ke: the lock bit of a dispatcher object; several in rising address order */
    LockRankKeTimer,       /* ke: timer queue */
    LockRankKeThread,      /* ke: APCs, priority and affinity of a thread */
    LockRankKeReady,       /* ke: ready queues of one processor */
    LockRankKeDpc,         /* ke: DPC queue of one processor */
    LockRankKeInterrupt,   /* ke: chains of interrupt objects */
    LockRankKeIpi,         /* ke: KeIpiGenericCall, one at a time */
    LockRankHal,           /* hal: interrupt controllers */
    LockRankPrint,         /* kd: the unfinished line of DbgPrint */
    LockRankLog,           /* kd: serial port and screen */
} ARCH_LOCK_RANK;

/* What the checked kernel knows of a lock, also of one that is only a bit in an object (arch_lock.h). */
typedef struct _ARCH_LOCK_CLASS {
    PCSTR Name;
    UCHAR Rank;           /* ARCH_LOCK_RANK */
    KIRQL Irql;           /* IRQL at which it is held: DISPATCH_LEVEL or HIGH_LEVEL */
    BOOLEAN AddressOrder; /* several of this class may be held, taken in rising order of their addresses */
} ARCH_LOCK_CLASS;

typedef struct _ARCH_LOCK {
    volatile ULONG_PTR Value; /* 0 = free; else owner's PRCB number + 1 */
    ARCH_LOCK_CLASS Class;
} ARCH_LOCK;

#define ARCH_LOCK_INIT(LockName, LockRank, LockIrql)                                                         \
    {                                                                                                        \
        .Class = {.Name = (LockName), .Rank = (LockRank), .Irql = (LockIrql) }                               \
    }

/* The processor number plus one, from the KPCR: gs:[0x1a4]. */
static inline ULONG_PTR ArchLockOwner(void)
{
    ULONG Number;
    __asm__ volatile("movl %%gs:0x1a4, %0" : "=r"(Number));
    return (ULONG_PTR)Number + 1;
}

static inline BOOLEAN ArchTryLock(ARCH_LOCK *Lock)
{
    ULONG_PTR Free = 0;

    return __atomic_compare_exchange_n(&Lock->Value, &Free, ArchLockOwner(), FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

VOID ArchWaitForLock(ARCH_LOCK *Lock); /* of the functions below: it was found taken */

/* By this processor. */
static inline BOOLEAN ArchLockIsHeld(const ARCH_LOCK *Lock)
{
    return Lock->Value == ArchLockOwner();
}

#if NTBOX_CHECKED

/* IRQL <= the lock's. Raises to it, spins, returns the old IRQL. A rank that is not higher than all held ones is a bug check
 * that names both locks. */
__attribute__((warn_unused_result)) KIRQL ArchAcquireLock(ARCH_LOCK *Lock);
VOID ArchReleaseLock(ARCH_LOCK *Lock, KIRQL OldIrql);

/* The same without changing the IRQL: the caller is at the lock's or above already. */
VOID ArchAcquireLockAtIrql(ARCH_LOCK *Lock);
VOID ArchReleaseLockFromIrql(ARCH_LOCK *Lock);
__attribute__((warn_unused_result)) BOOLEAN
ArchTryAcquireLockAtIrql(ARCH_LOCK *Lock); /* no rank is checked: it cannot wait */

#else /* the same without ranks: a free lock costs no call */

static inline VOID ArchAcquireLockAtIrql(ARCH_LOCK *Lock)
{
    if (__builtin_expect(!ArchTryLock(Lock), 0))
        ArchWaitForLock(Lock);
}

__attribute__((warn_unused_result)) static inline BOOLEAN ArchTryAcquireLockAtIrql(ARCH_LOCK *Lock)
{
    return ArchTryLock(Lock);
}

static inline VOID ArchReleaseLockFromIrql(ARCH_LOCK *Lock)
{
    __atomic_store_n(&Lock->Value, 0, __ATOMIC_RELEASE);
}

__attribute__((warn_unused_result)) static inline KIRQL ArchAcquireLock(ARCH_LOCK *Lock)
{
    KIRQL OldIrql = ArchRaiseIrql(Lock->Class.Irql);

    ArchAcquireLockAtIrql(Lock);
    return OldIrql;
}

static inline VOID ArchReleaseLock(ARCH_LOCK *Lock, KIRQL OldIrql)
{
    ArchReleaseLockFromIrql(Lock);
    ArchSetIrql(OldIrql);
}

#endif
