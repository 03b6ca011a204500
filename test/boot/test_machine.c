/* SPDX-License-Identifier: MIT
 * Control registers, the memory map and the address space as the contract in loader_block.h says. */
#include "testkrnl.h"

#define EFER 0xc0000080u
#define CONTROL(Name)                                                                                        \
    ({                                                                                                       \
        uint64_t Value;                                                                                      \
        __asm__ volatile("mov %%" #Name ", %0" : "=r"(Value));                                               \
        Value;                                                                                               \
    })

void CheckProcessorState(const LOADER_BLOCK *Block)
{
    uint32_t Low, High;
    uint64_t Flags;
    uint64_t Cr0 = CONTROL(cr0), Cr4 = CONTROL(cr4), Cr3 = CONTROL(cr3), Cr8 = CONTROL(cr8);
    CheckValue((Cr0 & ~0x10ull) == 0x80010023, "CR0 is PG|WP|NE|MP|PE", Cr0);
    CheckValue(Cr4 == 0x620, "CR4 is PAE|OSFXSR|OSXMMEXCPT", Cr4);
    CheckValue(Cr3 == Block->PageTableRoot, "CR3 is the root", Cr3);
    CheckValue(Cr8 == 0, "CR8 is 0", Cr8);
    __asm__ volatile("rdmsr" : "=a"(Low), "=d"(High) : "c"(EFER));
    CheckValue(Low == 0xd01, "EFER is NXE|LMA|LME|SCE", Low);
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(Flags));
    CheckValue(!(Flags & 0x600), "interrupts and direction flag are off", Flags);
    __asm__ volatile("rdtsc" : "=a"(Low), "=d"(High));
    uint64_t Now = (uint64_t)High << 32 | Low;
    CheckValue(Block->TscAtEntry > 0 && Block->TscAtEntry < Now, "time stamp at entry", Block->TscAtEntry);
    Tell("tsc", Block->TscAtEntry);
    Tell("tsc spent", Now - Block->TscAtEntry);
}

static const LOADER_MEMORY_RANGE *RangeOf(const LOADER_BLOCK *Block, uint64_t Physical)
{
    const LOADER_MEMORY_RANGE *Ranges = (const LOADER_MEMORY_RANGE *)(uintptr_t)Block->MemoryMap;
    for (uint32_t i = 0; i < Block->MemoryMapCount; i++) {
        if (Physical >= Ranges[i].Base && Physical - Ranges[i].Base < Ranges[i].Length)
            return &Ranges[i];
    }
    return NULL;
}

/* All of [Physical, Physical + Length) has this type. */
static void CheckType(const LOADER_BLOCK *Block, uint64_t Physical, uint64_t Length, uint32_t Type,
                      const char *What)
{
    const LOADER_MEMORY_RANGE *Range = RangeOf(Block, Physical);
    CheckValue(Range && Range->Type == Type && Physical + Length <= Range->Base + Range->Length, What,
               Physical);
}

static void CheckOrder(const LOADER_BLOCK *Block)
{
    const LOADER_MEMORY_RANGE *Ranges = (const LOADER_MEMORY_RANGE *)(uintptr_t)Block->MemoryMap;
    uint64_t End = 0, Free = 0, Top = 0;
    for (uint32_t i = 0; i < Block->MemoryMapCount; i++) {
        const LOADER_MEMORY_RANGE *Range = &Ranges[i];
        CheckValue(Range->Base >= End, "memory map is sorted without overlaps", Range->Base);
        CheckValue(Range->Base % 4096 == 0 && Range->Length % 4096 == 0 && Range->Length > 0,
                   "range is whole pages", Range->Base);
        CheckValue(Range->Type >= LoaderMemoryFree && Range->Type <= LoaderMemoryArchive, "range type",
                   Range->Type);
        End = Range->Base + Range->Length;
        if (Range->Type == LoaderMemoryFree)
            Free += Range->Length;
        if (Range->Type == LoaderMemoryFree)
            Top = End;
    }
    CheckValue(Top <= Block->DirectMapLength, "direct map covers memory", Top);
    Tell("free", Free);
    Tell("top", Top);
}

void CheckMemoryMap(const LOADER_BLOCK *Block)
{
    uint64_t Zero = Block->DirectMapBase;
    CheckOrder(Block);
    CheckType(Block, (uintptr_t)Block - Zero, sizeof(*Block), LoaderMemoryLoader,
              "block lies in loader memory");
    CheckType(Block, Block->MemoryMap - Zero, Block->MemoryMapCount * sizeof(LOADER_MEMORY_RANGE),
              LoaderMemoryLoader, "memory map lies in loader memory");
    CheckType(Block, Block->CommandLine - Zero, 1, LoaderMemoryLoader, "command line lies in loader memory");
    CheckType(Block, Block->StackTop - Block->StackLength - Zero, Block->StackLength, LoaderMemoryLoader,
              "stack lies in loader memory");
    CheckType(Block, Block->Archive - Zero, Block->ArchiveLength, LoaderMemoryArchive, "archive range");
    for (uint32_t i = 0; i < Block->ImageCount; i++)
        CheckType(Block, Block->Images[i].Physical, Block->Images[i].Size, LoaderMemoryImage, "image range");
    const LOADER_MEMORY_RANGE *First = RangeOf(Block, 0);
    Check(First == NULL || First->Type != LoaderMemoryFree, "page 0 is not free");
}

uint64_t WalkTables(uint64_t Root, uint64_t Virtual, uint64_t *PageSize)
{
    uint64_t Table = Root, Write = PTE_WRITE, NoExecute = 0;
    for (int Level = 4; Level >= 1; Level--) {
        uint64_t Entry = ((uint64_t *)Direct(Table))[Virtual >> (3 + 9 * Level) & 511];
        if (!(Entry & PTE_PRESENT))
            return 0;
        Write &= Entry;
        NoExecute |= Entry & PTE_NO_EXECUTE;
        *PageSize = 1ull << (3 + 9 * Level);
        if (Level == 1 || (Entry & PTE_LARGE))
            return (Entry & ~(PTE_WRITE | PTE_NO_EXECUTE)) | Write | NoExecute;
        Table = Entry & PTE_ADDRESS;
    }
    return 0;
}

/* Every leaf of the kernel half: never writable and executable. Table pages must be marked as such. */
static void CheckHalf(const LOADER_BLOCK *Block, uint64_t Table, int Level, uint64_t Combined)
{
    CheckType(Block, Table, 4096, LoaderMemoryPageTables, "page table lies in page table memory");
    for (int i = Level == 4 ? 256 : 0; i < 512; i++) {
        uint64_t Entry = ((uint64_t *)Direct(Table))[i];
        if (!(Entry & PTE_PRESENT) || (Level == 4 && (uint32_t)i == Block->RecursiveSlot))
            continue;
        uint64_t NoExecute = (Combined | Entry) & PTE_NO_EXECUTE;
        if (Level == 1 || (Entry & PTE_LARGE))
            CheckValue(NoExecute || !(Entry & PTE_WRITE), "no page is writable and executable", Entry);
        else
            CheckHalf(Block, Entry & PTE_ADDRESS, Level - 1, NoExecute);
    }
}

void CheckAddressSpace(const LOADER_BLOCK *Block)
{
    CheckHalf(Block, Block->PageTableRoot, 4, 0);
    for (uint64_t At = 0; At < Block->DirectMapLength; At += 0x20000000) {
        uint64_t PageSize;
        uint64_t Leaf = WalkTables(Block->PageTableRoot, Block->DirectMapBase + At, &PageSize);
        bool Good = Leaf && PageSize >= 0x200000 && (Leaf & PTE_WRITE) && (Leaf & PTE_NO_EXECUTE);
        CheckValue(Good && ((Leaf & PTE_ADDRESS) | (At & (PageSize - 1))) == At, "direct map", At);
    }
    uint64_t PageSize;
    uint64_t Behind = Block->DirectMapBase + Block->DirectMapLength;
    Check(WalkTables(Block->PageTableRoot, Behind, &PageSize) == 0, "direct map ends where the block says");
    CheckValue(Block->DirectMapLength >= 0x100000000, "direct map covers 4 GiB", Block->DirectMapLength);

    uint64_t Slot = Block->RecursiveSlot;
    uint64_t Self = 0xffffull << 48 | Slot << 39 | Slot << 30 | Slot << 21 | Slot << 12;
    const uint64_t *Root = (const uint64_t *)(uintptr_t)Self;
    CheckValue((Root[Slot] & PTE_ADDRESS) == Block->PageTableRoot, "recursive slot", Root[Slot]);
}
