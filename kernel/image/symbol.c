/* SPDX-License-Identifier: MIT
 * Addresses in words. The kernel's functions come from ntoskrnl.sym (tools/mksym.py: sorted RVAs and names); for drivers
 * only module+offset is known here, the host names their functions from the debug information. */
#include "imp.h"

#define IMP_SYMBOL_MAGIC 0x4d59534eu /* "NSYM" */

typedef struct _IMP_SYMBOL_FILE {
    ULONG Magic;
    ULONG Count;
    struct {
        ULONG Rva;
        ULONG Name; /* offset in the file */
    } Entries[];
} IMP_SYMBOL_FILE;

static const IMP_SYMBOL_FILE *ImpSymbols;
static ULONG64 ImpSymbolsLength;

VOID ImSetKernelSymbols(const void *File, ULONG64 Length)
{
    const IMP_SYMBOL_FILE *Symbols = File;

    if (Length < sizeof(*Symbols) || Symbols->Magic != IMP_SYMBOL_MAGIC ||
        Symbols->Count > (Length - sizeof(*Symbols)) / sizeof(Symbols->Entries[0]) ||
        ((PCSTR)File)[Length - 1] != 0) {
        KdLog("ntoskrnl.sym is damaged and not used");
        return;
    }
    ImpSymbolsLength = Length;
    ImpSymbols = Symbols;
}

/* The last entry at or below Rva. */
static PCSTR ImpNearestSymbol(ULONG Rva, PULONG SymbolRva)
{
    ULONG Low = 0, High = ImpSymbols->Count;

    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        if (ImpSymbols->Entries[Middle].Rva <= Rva)
            Low = Middle + 1;
        else
            High = Middle;
    }
    if (Low == 0 || ImpSymbols->Entries[Low - 1].Name >= ImpSymbolsLength)
        return NULL;
    *SymbolRva = ImpSymbols->Entries[Low - 1].Rva;
    return (PCSTR)ImpSymbols + ImpSymbols->Entries[Low - 1].Name;
}

static PCSTR ImpNearestExport(PIM_MODULE Module, ULONG Rva, PULONG SymbolRva)
{
    PE_EXPORT Export;

    if (!Module->HasExports || PeFindNearestExport(&Module->Exports, Rva, &Export, NULL) != PE_OK)
        return NULL;
    *SymbolRva = Export.Rva;
    return Export.Name;
}

static PCSTR ImpNameAddress(PIM_MODULE Module, ULONG Rva, PULONG SymbolRva)
{
    BOOLEAN Kernel = ImIsKernelAddress(Module->Base);

    if (Kernel && ImpSymbols != NULL && strcmp(Module->Name, "ntoskrnl.exe") == 0)
        return ImpNearestSymbol(Rva, SymbolRva);
    return Kernel ? ImpNearestExport(Module, Rva, SymbolRva) : NULL;
}

VOID ImSymbolize(const void *Address, KI_SYMBOL *Symbol)
{
    PIM_MODULE Module = ImFindModule(Address);
    ULONG SymbolRva = 0;

    Symbol->Module[0] = Symbol->Function[0] = 0;
    Symbol->Offset = (ULONG64)Address;
    if (Module == NULL) {
        _snprintf(Symbol->Text, sizeof(Symbol->Text), "%p (in no image)", Address);
        return;
    }
    Symbol->Offset = (ULONG64)Address - (ULONG64)Module->Base;
    strcpy(Symbol->Module, Module->Name);
    PCSTR Name = ImpNameAddress(Module, (ULONG)Symbol->Offset, &SymbolRva);
    if (Name == NULL) {
        _snprintf(Symbol->Text, sizeof(Symbol->Text), "%s+0x%llx", Module->Name, Symbol->Offset);
        return;
    }
    strncpy(Symbol->Function, Name, sizeof(Symbol->Function) - 1);
    Symbol->Function[sizeof(Symbol->Function) - 1] = 0;
    _snprintf(Symbol->Text, sizeof(Symbol->Text), "%s!%s+0x%llx (+0x%llx)", Module->Name, Symbol->Function,
              Symbol->Offset - SymbolRva, Symbol->Offset);
}
