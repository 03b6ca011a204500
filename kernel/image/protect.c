/* SPDX-License-Identifier: MIT
 * Page protection of an image, W^X: a section that asks for both was writable while it was bound and is executable and
 * read-only from here on. */
#include "imp.h"
#include "mm.h"

static MM_PROTECTION ImpProtectionOf(uint32_t Pe)
{
    if (Pe & PE_PROTECT_EXECUTE)
        return MmExecuteRead;
    if (Pe & PE_PROTECT_WRITE)
        return MmReadWrite;
    return (Pe & PE_PROTECT_READ) ? MmReadOnly : MmNoAccess;
}

VOID ImpProtectModule(PIM_MODULE Module)
{
    ULONG Start = 0;

    while (Start < Module->Size) {
        MM_PROTECTION Protection = ImpProtectionOf(PeGetPageProtection(&Module->Image, Start));
        ULONG End = Start + PAGE_SIZE;
        while (End < Module->Size && ImpProtectionOf(PeGetPageProtection(&Module->Image, End)) == Protection)
            End += PAGE_SIZE;
        MmProtectImage(Module->Base + Start, End - Start, Protection);
        Start = End;
    }
    if (NTBOX_CHECKED)
        MmRequireNoWritableCode();
}

static BOOLEAN ImpHoldsDirectory(PIM_MODULE Module, ULONG Directory, const PE_SECTION *Section)
{
    return Module->Image.Directories[Directory].Size != 0 &&
           Module->Image.Directories[Directory].Rva - Section->Rva < Section->MappedSize;
}

/* Whole pages of sections marked discardable, unless the exports or the unwind table lie there. */
VOID ImDiscardInit(PIM_MODULE Module)
{
    PE_SECTION Section;

    Module->InitIsGone = TRUE;
    for (uint32_t i = 0; PeGetSection(&Module->Image, i, &Section, NULL) == PE_OK; i++) {
        if (!Section.Discardable || Module->Image.SectionAlignment < PAGE_SIZE)
            continue;
        if (ImpHoldsDirectory(Module, PE_DIRECTORY_EXPORT, &Section) ||
            ImpHoldsDirectory(Module, PE_DIRECTORY_EXCEPTION, &Section))
            continue;
        MmDiscardImagePages(Module->Base + Section.Rva, ALIGN_UP_BY(Section.MappedSize, PAGE_SIZE));
    }
}
