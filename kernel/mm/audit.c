/* SPDX-License-Identifier: MIT
 * Proof that no page is writable and executable: walks every table of the current address space. Rights of a
 * page are those of all levels together. */
#include "mi.h"
#include "kd.h"

#define MI_ENTRIES 512
#define MI_FIRST_KERNEL_ENTRY 256

typedef struct _MI_AUDIT {
    MM_AUDIT_REPORT *Report;
    PVOID Context;
    SIZE_T Found;
} MI_AUDIT;

typedef struct _MI_RIGHTS {
    BOOLEAN Write, Execute;
} MI_RIGHTS;

static MI_RIGHTS MiCombine(MI_RIGHTS Above, MI_PTE Entry)
{
    return (MI_RIGHTS){Above.Write && (Entry & MI_PTE_WRITE), Above.Execute && !(Entry & MI_PTE_NX)};
}

static ULONG64 MiSignExtend(ULONG64 Address)
{
    return (ULONG64)((LONG64)(Address << 16) >> 16);
}

/* Shift is that of one entry of this table: 39, 30, 21, 12. */
static VOID MiAuditTable(MI_AUDIT *Audit, const MI_PTE *Table, ULONG64 Base, ULONG Shift, MI_RIGHTS Above)
{
    for (ULONG I = Shift == 39 ? MI_FIRST_KERNEL_ENTRY : 0; I < MI_ENTRIES; I++) {
        MI_PTE Entry = MiReadPte(&Table[I]);
        MI_RIGHTS Rights = MiCombine(Above, Entry);
        ULONG64 Address = MiSignExtend(Base + ((ULONG64)I << Shift));
        if (!(Entry & MI_PTE_PRESENT) || !Rights.Write || !Rights.Execute)
            continue;
        if (Shift == 39 && I == MiSlotOf(MM_PAGE_TABLES_BASE))
            continue; /* the tables again; as data they must not be executable, which MmAuditPageTables checks
                       */
        if (Shift > 12 && !(Shift < 39 && (Entry & MI_PTE_LARGE))) {
            MiAuditTable(Audit, MmDirectMap(Entry & MI_PTE_FRAME), Address, Shift - 9, Rights);
            continue;
        }
        Audit->Found++;
        if (Audit->Report != NULL)
            Audit->Report((PVOID)Address, 1ull << Shift, Audit->Context);
    }
}

SIZE_T MmAuditPageTables(MM_AUDIT_REPORT *Report, PVOID Context)
{
    MI_AUDIT Audit = {Report, Context, 0};
    const MI_PTE *Root = MmDirectMap(ArchReadCr3() & MI_PTE_FRAME);
    MI_PTE Self = MiReadPte(&Root[MiSlotOf(MM_PAGE_TABLES_BASE)]);
    MiAuditTable(&Audit, Root, 0, 39, (MI_RIGHTS){TRUE, TRUE});
    if ((Self & MI_PTE_PRESENT) && (Self & MI_PTE_WRITE) && !(Self & MI_PTE_NX)) {
        Audit.Found++;
        if (Report != NULL)
            Report((PVOID)MM_PAGE_TABLES_BASE, MM_REGION_SIZE, Context);
    }
    return Audit.Found;
}

static VOID MiNameWritableCode(PVOID Address, SIZE_T Size, PVOID Context)
{
    KdLogError("page tables: %p, %llu bytes, is writable and executable", Address, (ULONG64)Size);
}

VOID MmRequireNoWritableCode(VOID)
{
    SIZE_T Found = MmAuditPageTables(MiNameWritableCode, NULL);
    if (Found != 0)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x4e540001, Found, 0, 0);
}
