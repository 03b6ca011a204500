/* SPDX-License-Identifier: MIT
 * The tables through which a lower layer calls a higher one, all set here. */
#include "initp.h"
#include "kd.h"
#include "rtl.h"

/* One step towards the caller, by unwind data. The stack must be one that is mapped: a broken one ends the walk. */
static BOOLEAN InitUnwindOne(PCONTEXT Context)
{
    return RtlUnwindOneFrame(Context);
}

static VOID InitBugCheckReport(VOID)
{
    ImEndCase();
}

static BOOLEAN InitLookupImage(ULONG64 Address, RTL_IMAGE_FUNCTIONS *Functions)
{
    PIM_MODULE Module = ImFindModule((PVOID)Address);

    if (Module == NULL)
        return FALSE;
    Functions->ImageBase = (ULONG64)Module->Base;
    Functions->ImageSize = Module->Size;
    Functions->Table = Module->FunctionTable;
    Functions->Count = Module->FunctionCount;
    return TRUE;
}

static const KI_UPCALLS InitKeUpcalls = {ImIsKernelAddress, ImSymbolize, InitUnwindOne, InitBugCheckReport};

VOID InitSetUpcalls(VOID)
{
    KiUpcalls = &InitKeUpcalls;
    KdModuleNameOf = ImModuleNameOf;
    RtlLookupImage = InitLookupImage;
}
