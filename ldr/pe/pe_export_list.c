/* SPDX-License-Identifier: MIT */
/* Iteration over an export table: names first, then the functions that no name points to. Which ones these
 * are is found in windows of 2048 functions, one pass over the ordinals each, so that the cursor stays small.
 */
#include "pe/pei.h"

#define PEI_WINDOW 2048u
_Static_assert(sizeof(((PE_EXPORT_CURSOR *)0)->Named) * 8 == PEI_WINDOW,
               "one bit for each function of the window");

static void PeiFillWindow(const PE_EXPORTS *Exports, PE_EXPORT_CURSOR *Cursor)
{
    uint32_t Start = Cursor->WindowEnd;
    __builtin_memset(Cursor->Named, 0, sizeof Cursor->Named);
    for (uint32_t Index = 0; Index < Exports->NameCount; Index++) {
        uint32_t Function = PeiLoad16(Exports->Ordinals + 2 * (size_t)Index);
        if (Function >= Start && Function - Start < PEI_WINDOW)
            Cursor->Named[(Function - Start) / 8] |= (uint8_t)(1u << (Function % 8));
    }
    Cursor->WindowEnd = Start + PEI_WINDOW;
}

static PE_STATUS PeiNextNamed(const PE_EXPORTS *Exports, PE_EXPORT_CURSOR *Cursor, PE_EXPORT *Export,
                              PE_ERROR *Error)
{
    PE_STATUS Status = PE_NOT_FOUND;
    while (Status == PE_NOT_FOUND && Cursor->NextName < Exports->NameCount)
        Status = PeiTakeNamed(Exports, Cursor->NextName++, Export, Error);
    return Status;
}

static PE_STATUS PeiNextNameless(const PE_EXPORTS *Exports, PE_EXPORT_CURSOR *Cursor, PE_EXPORT *Export,
                                 PE_ERROR *Error)
{
    while (Cursor->NextFunction < Exports->FunctionCount) {
        if (Cursor->NextFunction == Cursor->WindowEnd)
            PeiFillWindow(Exports, Cursor);
        uint32_t Function = Cursor->NextFunction++;
        if ((Cursor->Named[Function % PEI_WINDOW / 8] >> (Function % 8) & 1) != 0)
            continue;
        Export->Name = NULL;
        Export->Hint = PE_NO_HINT;
        PE_STATUS Status = PeiTakeFunction(Exports, Function, Export, Error);
        if (Status != PE_NOT_FOUND)
            return Status;
    }
    return PE_END;
}

PE_STATUS PeNextExport(const PE_EXPORTS *Exports, PE_EXPORT_CURSOR *Cursor, PE_EXPORT *Export,
                       PE_ERROR *Error)
{
    PE_STATUS Status = PeiNextNamed(Exports, Cursor, Export, Error);
    return Status == PE_NOT_FOUND ? PeiNextNameless(Exports, Cursor, Export, Error) : Status;
}
