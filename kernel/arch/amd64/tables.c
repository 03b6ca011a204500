/* SPDX-License-Identifier: MIT
 * GDT, TSS and IDT. Selectors are those of NT, because drivers and debuggers know them. */
#include "arch_trap.h"
#include "rtl.h"

extern UCHAR ArchTrapStubs[ARCH_VECTOR_COUNT][16];

#pragma pack(push, 1)
typedef struct _ARCH_TABLE_REGISTER {
    USHORT Limit;
    PVOID Base;
} ARCH_TABLE_REGISTER;

typedef struct _ARCH_TSS {
    ULONG Reserved0;
    ULONG64 Rsp[3];
    ULONG64 Reserved1;
    ULONG64 Ist[7];
    ULONG64 Reserved2;
    USHORT Reserved3;
    USHORT IoMapBase;
} ARCH_TSS;
#pragma pack(pop)
ASSERT_SIZE(ARCH_TSS, 104);

typedef struct _ARCH_GATE {
    USHORT OffsetLow, Selector;
    UCHAR Ist, Type;
    USHORT OffsetMiddle;
    ULONG OffsetHigh, Reserved;
} ARCH_GATE;
ASSERT_SIZE(ARCH_GATE, 16);

static ARCH_GATE ArchIdt[ARCH_VECTOR_COUNT];

static VOID ArchFillGdt(ARCH_PROCESSOR_TABLES *Tables)
{
    ULONG64 Tss = (ULONG64)Tables->Tss;

    memset(Tables->Gdt, 0, sizeof(Tables->Gdt));
    Tables->Gdt[2] = 0x00209b0000000000ull; /* 0x10 kernel code, 64-bit */
    Tables->Gdt[3] = 0x00cf93000000ffffull; /* 0x18 kernel data */
    Tables->Gdt[4] = 0x00cffb000000ffffull; /* 0x20 user code, 32-bit */
    Tables->Gdt[5] = 0x00cff3000000ffffull; /* 0x28 user data */
    Tables->Gdt[6] = 0x0020fb0000000000ull; /* 0x30 user code, 64-bit */
    Tables->Gdt[8] =
        (sizeof(ARCH_TSS) - 1) | ((Tss & 0xffffff) << 16) | (0x89ull << 40) | ((Tss >> 24 & 0xff) << 56);
    Tables->Gdt[9] = Tss >> 32;
    Tables->Gdt[10] = 0x0040f30000003c00ull; /* 0x50 32-bit TEB */
}

static VOID ArchFillTss(ARCH_PROCESSOR_TABLES *Tables, PVOID StackTop)
{
    ARCH_TSS *Tss = (ARCH_TSS *)Tables->Tss;

    memset(Tss, 0, sizeof(*Tss));
    Tss->Rsp[0] = (ULONG64)StackTop;
    for (ULONG i = 0; i < 3; i++)
        Tss->Ist[i] = (ULONG64)Tables->IstStacks[i] + ARCH_IST_STACK_SIZE;
    Tss->IoMapBase = sizeof(*Tss);
}

static UCHAR ArchIstOfVector(ULONG Vector)
{
    switch (Vector) {
    case 2:
        return ARCH_IST_NMI;
    case 8:
        return ARCH_IST_DOUBLE_FAULT;
    case 18:
        return ARCH_IST_MACHINE_CHECK;
    default:
        return 0;
    }
}

/* int 3, int 29h, int 2Ch and int 2Dh may come from user mode later: DPL 3. */
static UCHAR ArchGateType(ULONG Vector)
{
    return (Vector == 3 || Vector == 4 || Vector == 0x29 || Vector == 0x2c || Vector == 0x2d) ? 0xee : 0x8e;
}

VOID ArchInitializeTraps(VOID)
{
    for (ULONG i = 0; i < ARCH_VECTOR_COUNT; i++) {
        ULONG64 Stub = (ULONG64)ArchTrapStubs[i];
        ArchIdt[i] = (ARCH_GATE){.OffsetLow = (USHORT)Stub,
                                 .Selector = KGDT64_R0_CODE,
                                 .Ist = ArchIstOfVector(i),
                                 .Type = ArchGateType(i),
                                 .OffsetMiddle = (USHORT)(Stub >> 16),
                                 .OffsetHigh = (ULONG)(Stub >> 32)};
    }
}

static VOID ArchLoadSegments(VOID)
{
    __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%ss" : : "r"(KGDT64_R0_DATA) : "memory");
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(KGDT64_R0_CODE)
                     : "rax", "memory");
    __asm__ volatile("movl %0, %%fs; movl %0, %%gs" : : "r"(0) : "memory");
    __asm__ volatile("ltr %w0" : : "r"(KGDT64_SYS_TSS));
}

VOID ArchInitializeProcessor(ARCH_PROCESSOR_TABLES *Tables, PVOID Pcr, PVOID StackTop)
{
    ARCH_TABLE_REGISTER Gdtr = {sizeof(Tables->Gdt) - 1, Tables->Gdt};
    ARCH_TABLE_REGISTER Idtr = {sizeof(ArchIdt) - 1, ArchIdt};

    ArchFillGdt(Tables);
    ArchFillTss(Tables, StackTop);
    __asm__ volatile("lgdt %0" : : "m"(Gdtr));
    ArchLoadSegments();
    __asm__ volatile("lidt %0" : : "m"(Idtr));
    ArchWriteMsr(0xc0000101, (ULONG64)Pcr); /* IA32_GS_BASE */
    ArchWriteMsr(0xc0000102, 0);            /* IA32_KERNEL_GS_BASE: no user thread yet */
}
