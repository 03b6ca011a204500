/* SPDX-License-Identifier: MIT
 * Fills the page below 1 MiB that processors start in: the code of trampoline.S and the registers to load there, which are
 * those of the calling processor, so that all run with the same features. */
#include "arch_start.h"
#include "rtl.h"

extern const UCHAR ArchTrampoline[], ArchTrampolineLong[], ArchTrampolineEnd[];
VOID ArchProcessorEntry(VOID);

#define TRAMPOLINE_DATA 0x800 /* as in trampoline.S */
#define TRAMPOLINE_CODE_SELECTOR 0x10
#define EFER_LMA (1u << 10) /* the processor sets it itself */

#pragma pack(push, 1)
typedef struct _ARCH_TRAMPOLINE_DATA {
    ULONG64 Gdt[4]; /* 0x00: the selectors of the kernel: 0x10 code, 0x18 data */
    USHORT GdtLimit;
    ULONG GdtBase;
    USHORT Reserved;
    ULONG Cr0, Cr3, Cr4, Efer; /* 0x28 */
    ULONG LongOffset;          /* 0x38: far pointer to the 64-bit part */
    USHORT LongSelector;
    USHORT Reserved2;
    ULONG64 Entry; /* 0x40 */
} ARCH_TRAMPOLINE_DATA;
#pragma pack(pop)
ASSERT_OFFSET(ARCH_TRAMPOLINE_DATA, GdtLimit, 0x20);
ASSERT_OFFSET(ARCH_TRAMPOLINE_DATA, Cr0, 0x28);
ASSERT_OFFSET(ARCH_TRAMPOLINE_DATA, LongOffset, 0x38);
ASSERT_OFFSET(ARCH_TRAMPOLINE_DATA, Entry, 0x40);
ASSERT_SIZE(ARCH_START_SLOT, 24);

/* What trampoline.S reads once it is in the kernel's address space. */
ULONG64 ArchStartRoot;
const ARCH_START_SLOT *ArchStartSlots;
ULONG ArchStartCount;
VOID (*ArchStartEntry)(PVOID);

VOID ArchFillTrampoline(PUCHAR Page, ULONG Physical, ULONG Root)
{
    ARCH_TRAMPOLINE_DATA *Data = (ARCH_TRAMPOLINE_DATA *)(Page + TRAMPOLINE_DATA);
    ULONG64 Cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(Cr0));
    NT_CHECK(ArchTrampolineEnd - ArchTrampoline <= TRAMPOLINE_DATA);
    memset(Page, 0, PAGE_SIZE);
    memcpy(Page, ArchTrampoline, (SIZE_T)(ArchTrampolineEnd - ArchTrampoline));
    Data->Gdt[2] = 0x00209b0000000000ull;
    Data->Gdt[3] = 0x00cf93000000ffffull;
    Data->GdtLimit = sizeof(Data->Gdt) - 1;
    Data->GdtBase = Physical + TRAMPOLINE_DATA;
    Data->Cr0 = (ULONG)Cr0;
    Data->Cr3 = Root;
    Data->Cr4 = (ULONG)ArchReadCr4();
    Data->Efer = (ULONG)ArchReadMsr(0xc0000080) & ~EFER_LMA;
    Data->LongOffset = Physical + (ULONG)(ArchTrampolineLong - ArchTrampoline);
    Data->LongSelector = TRAMPOLINE_CODE_SELECTOR;
    Data->Entry = (ULONG64)ArchProcessorEntry;
}

VOID ArchSetStartSlots(const ARCH_START_SLOT *Slots, ULONG Count, VOID (*Entry)(PVOID))
{
    ArchStartRoot = ArchReadCr3();
    ArchStartSlots = Slots;
    ArchStartCount = Count;
    ArchStartEntry = Entry;
}
