/* SPDX-License-Identifier: MIT
 * The images that osloader has loaded: ntoskrnl.exe and hal.dll. */
#include "imp.h"

IM_OPTIONS ImpOptions;

static IM_MODULE ImpBootModules[LOADER_MAX_IMAGES];

static VOID ImpAddBootModule(PIM_MODULE Module, const LOADER_IMAGE *Image)
{
    PE_ERROR Error;

    Module->Base = (PUCHAR)Image->Base;
    Module->Size = Image->Size;
    Module->EntryPoint = (PVOID)Image->Entry;
    strncpy(Module->Name, Image->Name, sizeof(Module->Name) - 1);
    if (PeParseMapped(Module->Base, Module->Size, Image->Base, &Module->Image, &Error) != PE_OK ||
        !NT_SUCCESS(ImpCompleteModule(Module, &Error))) {
        KdLogError("%s: %s", Module->Name, Error.Text);
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, STATUS_INVALID_IMAGE_FORMAT, Image->Base, 0, 0);
    }
    ImpInsertModule(Module);
    ImpReportImage(Module, STATUS_SUCCESS, NULL); /* so that the host can name addresses of a hung kernel */
}

VOID ImInitSystem(const LOADER_BLOCK *Block, const IM_OPTIONS *Options)
{
    ImpOptions = *Options;
    for (ULONG i = 0; i < Block->ImageCount; i++)
        ImpAddBootModule(&ImpBootModules[i], &Block->Images[i]);
    if (Options->CountCalls) {
        ImpRoutineThunks = ImpCreateThunks(512);
        if (ImpRoutineThunks != NULL)
            ImpSealThunks(ImpRoutineThunks);
    }
}
