/* SPDX-License-Identifier: MIT */
/* The exception directory (.pdata): RUNTIME_FUNCTION entries in ascending order. What the unwind information
 * means is the unwinder's business. [x64 exception handling] struct RUNTIME_FUNCTION */
#include "pe/pei.h"

static PE_STATUS PeiOpenExceptions(const PE_IMAGE *Image, const uint8_t **Table, uint32_t *Count,
                                   PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_EXCEPTION];
    uint64_t Place = PeiOffset(Image, Directory->Rva);
    *Count = 0;
    *Table = NULL;
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_OK;
    if (Directory->Size % sizeof(PEF_RUNTIME_FUNCTION) != 0)
        return PeiFail(Error, PE_BAD_EXCEPTION, Place,
                       "the exception directory's size 0x%llx is not a multiple of 12",
                       PEI_U(Directory->Size));
    *Table = PeRvaToPointer(Image, Directory->Rva, Directory->Size);
    if (*Table == NULL)
        return PeiFail(Error, PE_BAD_EXCEPTION, Place,
                       "the exception directory (0x%llx, 0x%llx bytes) does not lie inside one section",
                       PEI_U(Directory->Rva), PEI_U(Directory->Size));
    *Count = Directory->Size / (uint32_t)sizeof(PEF_RUNTIME_FUNCTION);
    return PE_OK;
}

static void PeiReadFunction(const uint8_t *Table, uint32_t Index, PEF_RUNTIME_FUNCTION *Function)
{
    __builtin_memcpy(Function, Table + Index * sizeof *Function, sizeof *Function);
}

/* GNU ld writes entries of empty functions (Begin == End). An odd UnwindInfo is the RVA + 1 of another entry. */
static PE_STATUS PeiCheckFunction(const PE_IMAGE *Image, uint32_t Index, const PEF_RUNTIME_FUNCTION *Function,
                                  uint32_t PreviousEnd, PE_ERROR *Error)
{
    uint64_t Place =
        PeiOffset(Image, Image->Directories[PE_DIRECTORY_EXCEPTION].Rva + (uint64_t)Index * sizeof *Function);
    if (Function->Begin > Function->End || Function->End > Image->SizeOfImage)
        return PeiFail(Error, PE_BAD_EXCEPTION, Place,
                       "exception entry %u covers 0x%llx to 0x%llx, which is no range inside the image",
                       Index, PEI_U(Function->Begin), PEI_U(Function->End));
    if (Function->Begin < PreviousEnd)
        return PeiFail(
            Error, PE_BAD_EXCEPTION, Place,
            "exception entry %u starts at 0x%llx, before the end of the one in front of it (0x%llx)", Index,
            PEI_U(Function->Begin), PEI_U(PreviousEnd));
    if (!PeiFits(Function->UnwindInfo & ~1u, 4, Image->SizeOfImage))
        return PeiFail(
            Error, PE_BAD_EXCEPTION, Place,
            "the unwind information of exception entry %u lies at 0x%llx, behind the end of the image", Index,
            PEI_U(Function->UnwindInfo));
    return PE_OK;
}

PE_STATUS PeCheckExceptions(const PE_IMAGE *Image, uint32_t *Count, PE_ERROR *Error)
{
    const uint8_t *Table;
    uint32_t Entries, PreviousEnd = 0;
    PE_STATUS Status = PeiOpenExceptions(Image, &Table, &Entries, Error);
    for (uint32_t Index = 0; Status == PE_OK && Index < Entries; Index++) {
        PEF_RUNTIME_FUNCTION Function;
        PeiReadFunction(Table, Index, &Function);
        Status = PeiCheckFunction(Image, Index, &Function, PreviousEnd, Error);
        PreviousEnd = Function.End;
    }
    if (Count != NULL)
        *Count = Entries;
    return Status;
}

PE_STATUS PeFindRuntimeFunction(const PE_IMAGE *Image, uint32_t Rva, PE_RUNTIME_FUNCTION *Function,
                                PE_ERROR *Error)
{
    const uint8_t *Table;
    uint32_t Low = 0, High;
    PE_STATUS Status = PeiOpenExceptions(Image, &Table, &High, Error);
    if (Status != PE_OK)
        return Status;
    while (Low < High) {
        uint32_t Middle = Low + (High - Low) / 2;
        PEF_RUNTIME_FUNCTION Entry;
        PeiReadFunction(Table, Middle, &Entry);
        if (Rva < Entry.Begin) {
            High = Middle;
        } else if (Rva >= Entry.End) {
            Low = Middle + 1;
        } else {
            uint32_t EntryRva =
                Image->Directories[PE_DIRECTORY_EXCEPTION].Rva + Middle * (uint32_t)sizeof Entry;
            *Function = (PE_RUNTIME_FUNCTION){EntryRva, Entry.Begin, Entry.End, Entry.UnwindInfo};
            return PE_OK;
        }
    }
    return PE_NOT_FOUND;
}
