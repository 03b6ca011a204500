/* SPDX-License-Identifier: MIT
 * MDLs as memory: allocating and freeing them, partial ones, and MDLs with pages of their own. Describing,
 * locking and mapping are mm's (mm/mdl.c, mm/mdl_map.c). */
#include <bugcodes.h>
#include "exp.h"
#include "ke_checks.h"
#include "ke_bugcheck.h"
#include "mm.h"
#include "mm_mdl.h"

#define EXP_MDL_MOST_BYTES (0x100000000ull - PAGE_SIZE) /* [WDK IoAllocateMdl] Windows 7 and later */

/* The size field has 16 bits; the count of pages follows from offset and length. */
static VOID ExpInitializeMdl(PMDL Mdl, ULONG_PTR Address, SIZE_T Length, SIZE_T Size)
{
    *Mdl = (MDL){.Size = (CSHORT)(Size < 0xfff8 ? Size : 0xfff8),
                 .StartVa = PAGE_ALIGN(Address),
                 .ByteOffset = BYTE_OFFSET(Address),
                 .ByteCount = (ULONG)Length};
}

/* IRQL <= DISPATCH_LEVEL. [WDK IoAllocateMdl] linked to the IRP: as its MDL, or at the end of the chain if
 * SecondaryBuffer. NULL when memory is short. */
DECLSPEC_NOINLINE PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
                                           BOOLEAN ChargeQuota, PIRP Irp)
{
    if (Length > EXP_MDL_MOST_BYTES)
        return NULL;
    SIZE_T Size = MmSizeOfMdl(VirtualAddress, Length);
    PMDL Mdl = ExAllocatePoolForOwner(NonPagedPoolNx, Size, EX_MDL_TAG, __builtin_return_address(0));
    if (Mdl == NULL)
        return NULL;
    ExpInitializeMdl(Mdl, (ULONG_PTR)VirtualAddress, Length, Size);
    if (Irp != NULL) {
        PMDL *Link = &Irp->MdlAddress;
        while (SecondaryBuffer && *Link != NULL)
            Link = &(*Link)->Next;
        *Link = Mdl;
    }
    return Mdl;
}

/* [WDK IoFreeMdl, MmUnlockPages] what is locked is unlocked before: the free kernel does it (D-141). [WDK Bug Check 0xC4] 0xB8: the pages
 * are still mapped */
static VOID ExpRequireUnused(PMDL Mdl)
{
    const CSHORT Mapped = MDL_MAPPED_TO_SYSTEM_VA, Others = MDL_PARTIAL | MDL_PARENT_MAPPED_SYSTEM_VA;
    if (NTBOX_CHECKED && (Mdl->MdlFlags & MDL_PAGES_LOCKED))
        KeBugCheckBlaming(
            NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_LOCKED_MDL, (ULONG_PTR)Mdl,
            (USHORT)Mdl->MdlFlags, 0,
            "IoFreeMdl was given an MDL whose pages are still locked: nobody can unlock them any more");
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
        MmUnlockPages(Mdl);
    if ((Mdl->MdlFlags & (Mapped | Others)) == Mapped)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xb8, (ULONG_PTR)Mdl,
                          (USHORT)Mdl->MdlFlags, 0,
                          "IoFreeMdl was given an MDL whose pages are still mapped");
}

#if NTBOX_CHECKED
/* [WDK MmAllocatePagesForMdlEx] MmFreePagesFromMdl comes before ExFreePool: else the pages are lost. A block that is no MDL may have its
 * tag. */
VOID ExpCheckFreedMdl(PVOID Block)
{
    EX_POOL_BLOCK Known;
    const MDL *Mdl = Block;

    if (KeChecksOff || !ExQueryPoolBlock(Block, &Known) || Known.Base != Block || !Known.Allocated ||
        Known.Tag != EX_MDL_TAG || Known.Size < sizeof(MDL) || Mdl->Size != (CSHORT)Known.Size)
        return;
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
        KeBugCheckBlaming(
            NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_LOCKED_MDL, (ULONG_PTR)Mdl,
            (USHORT)Mdl->MdlFlags, 0,
            "the pool of an MDL was freed whose pages are neither unlocked nor freed: nobody can do that any "
            "more");
}
#endif

/* IRQL <= DISPATCH_LEVEL. [WDK IoFreeMdl] a mapping of a partial MDL goes too. */
VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    ExpRequireUnused(Mdl);
    if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    ExFreePoolWithTag(Mdl, EX_MDL_TAG);
}

/* Pages of the target's array; more than its size field can say counts as enough. */
static BOOLEAN ExpMdlHasRoom(const MDL *Mdl, SIZE_T Needed)
{
    return (USHORT)Mdl->Size >= 0xfff8 || Needed <= (USHORT)Mdl->Size;
}

/* IRQL <= DISPATCH_LEVEL. [WDK IoBuildPartialMdl] Length 0 means up to the end of the source. An existing
 * mapping of the source serves the target too. [WDK Bug Check 0x40] the target is too small */
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    const CSHORT Inherited =
        MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA | MDL_IO_SPACE | MDL_WRITE_OPERATION;
    MM_SPAN Source = {(ULONG_PTR)SourceMdl->StartVa, SourceMdl->ByteOffset, SourceMdl->ByteCount};
    SIZE_T Skip = (ULONG_PTR)VirtualAddress - (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl), Page;
    uint32_t Bytes = Length;
    BOOLEAN IsPart = MmSpanPart(&Source, (ULONG_PTR)VirtualAddress, &Bytes, &Page);
    Length = Bytes;
    if (!IsPart)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_PARTIAL_MDL, (ULONG_PTR)TargetMdl,
                          (ULONG_PTR)VirtualAddress, Length,
                          "IoBuildPartialMdl was given a range that does not lie in the source MDL's buffer");
    if (!ExpMdlHasRoom(TargetMdl, MmSizeOfMdl(VirtualAddress, Length)))
        KeBugCheckEx(TARGET_MDL_TOO_SMALL, 0, 0, 0, 0);

    ExpInitializeMdl(TargetMdl, (ULONG_PTR)VirtualAddress, Length, (USHORT)TargetMdl->Size);
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->MdlFlags = MDL_PARTIAL | (SourceMdl->MdlFlags & Inherited);
    if (TargetMdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        TargetMdl->MdlFlags |= MDL_PARENT_MAPPED_SYSTEM_VA;
    /* [WDK MmMapLockedPagesWithReservedMapping] at a reserved address MappedSystemVa has no byte offset */
    if (TargetMdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        TargetMdl->MappedSystemVa =
            (PUCHAR)PAGE_ALIGN(SourceMdl->MappedSystemVa) + SourceMdl->ByteOffset + Skip;
    PPFN_NUMBER From = MmGetMdlPfnArray(SourceMdl) + Page, To = MmGetMdlPfnArray(TargetMdl);
    for (SIZE_T I = 0; I < MmSpanPages((ULONG_PTR)VirtualAddress, Length); I++)
        To[I] = From[I];
}
