/* SPDX-License-Identifier: MIT
 * MDLs that a driver leaves with their pages locked when it is unloaded. The pages may be its image's, a stack's or a process's, all of which
 * are freed some day: they are unlocked, the MDLs themselves stay and are reported as what they are, leaked pool. */
#include "exp.h"
#include "kd.h"
#include "mm.h"

typedef struct _EXP_LOCKED_MDL {
    PIM_MODULE Module;
    PMDL Mdl; /* the first one found */
} EXP_LOCKED_MDL;

/* Pages of MmAllocatePagesForMdl count as locked too, but are nobody else's: they lie at no address. */
static BOOLEAN ExpHasLockedPages(const MDL *Mdl)
{
    return (Mdl->MdlFlags & MDL_PAGES_LOCKED) &&
           (Mdl->Process != NULL || (ULONG_PTR)Mdl->StartVa >= MM_KERNEL_HALF);
}

static VOID ExpFindLocked(const EX_POOL_BLOCK *Block, PVOID Context)
{
    EXP_LOCKED_MDL *Found = Context;
    const MDL *Mdl = Block->Base;
    if (Found->Mdl != NULL || !Block->Allocated || Block->Tag != EX_MDL_TAG || Block->Size < sizeof(MDL) ||
        (ULONG_PTR)Block->Owner - (ULONG_PTR)Found->Module->Base >= Found->Module->Size)
        return;
    if (Mdl->Size == (CSHORT)Block->Size && ExpHasLockedPages(Mdl))
        Found->Mdl = Block->Base;
}

static PMDL ExpFindLockedMdl(PIM_MODULE Module)
{
    EXP_LOCKED_MDL Found = {Module, NULL};
    for (ULONG I = 0; I < MmAllPoolRegions && Found.Mdl == NULL; I++)
        ExpVisitPool(&ExpPools[I], ExpFindLocked, &Found);
    return Found.Mdl;
}

VOID ExpUnlockLeakedMdls(PIM_MODULE Module)
{
    PMDL Mdl;
    while ((Mdl = ExpFindLockedMdl(Module)) != NULL) {
        KdLog("%s: MDL %p still has %u bytes locked; they are unlocked", Module->Name, Mdl,
              (unsigned)Mdl->ByteCount);
        MmUnlockPages(Mdl);
    }
}
