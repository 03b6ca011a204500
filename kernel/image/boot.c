/* SPDX-License-Identifier: MIT
 * The images that osloader has loaded: ntoskrnl.exe and hal.dll. */
#include "imp.h"

IM_OPTIONS ImpOptions;

static IM_MODULE ImpBootModules[LOADER_MAX_IMAGES];

/* [WDK AuxKlibQueryModuleInformation] such names are how the list shows them. */
static VOID ImpNameBootModule(PIM_MODULE Module, PCSTR Name)
{
    static const WCHAR Folder[] = L"\\SystemRoot\\System32\\";
    WCHAR Buffer[RTL_NUMBER_OF(Folder) + RTL_FIELD_SIZE(LOADER_IMAGE, Name)];
    ULONG Length = RTL_NUMBER_OF(Folder) - 1;

    memcpy(Buffer, Folder, sizeof(Folder));
    while (*Name != 0 && Length < RTL_NUMBER_OF(Buffer))
        Buffer[Length++] = (UCHAR)*Name++;
    UNICODE_STRING FullName = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)), Buffer};
    if (!NT_SUCCESS(ImpSetName(Module, &FullName)) || !NT_SUCCESS(ImpMakeSections(Module)))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)STATUS_INSUFFICIENT_RESOURCES,
                     (ULONG_PTR)Module->Base, 0, 0);
}

static VOID ImpAddBootModule(PIM_MODULE Module, const LOADER_IMAGE *Image)
{
    PE_ERROR Error;

    Module->Base = (PUCHAR)Image->Base;
    Module->Size = Image->Size;
    Module->IsBoot = TRUE;
    Module->LoadCount = 1;
    strncpy(Module->Name, Image->Name, sizeof(Module->Name) - 1);
    if (PeParseMapped(Module->Base, Module->Size, Image->Base, &Module->Image, &Error) != PE_OK ||
        !NT_SUCCESS(ImpCompleteModule(Module, &Error))) {
        KdLogError("%s: %s", Module->Name, Error.Text);
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, STATUS_INVALID_IMAGE_FORMAT, Image->Base, 0, 0);
    }
    ImpNameBootModule(Module, Image->Name);
    ImpInsertModule(Module);
    ImpReportImage(Module, STATUS_SUCCESS, NULL); /* so that the host can name addresses of a hung kernel */
}

VOID ImInitSystem(const LOADER_BLOCK *Block, const IM_OPTIONS *Options)
{
    ImpOptions = *Options;
    KePublishLoadedModules(&PsLoadedModuleList);
    for (ULONG i = 0; i < Block->ImageCount; i++)
        ImpAddBootModule(&ImpBootModules[i], &Block->Images[i]);
    if (Options->CountCalls) {
        ImpRoutineThunks = ImpCreateThunks(512);
        if (ImpRoutineThunks != NULL)
            ImpSealThunks(ImpRoutineThunks);
    }
}
