/* SPDX-License-Identifier: MIT */
/* Forwarders: an export that is a string, "MODULE.Name" or "MODULE.#12", instead of code. [PE Format] Export
 * Address Table. A chain is followed for PE_FORWARDER_LIMIT steps; longer ones are loops. */
#include "pe/pei.h"

typedef struct _PEI_TARGET {
    const char *Module;
    size_t ModuleLength;
    const char *Name; /* NULL: by ordinal */
    uint32_t Ordinal;
} PEI_TARGET;

static bool PeiParseOrdinal(const char *Digits, uint32_t *Ordinal)
{
    uint32_t Value = 0;
    if (*Digits == '\0')
        return false;
    for (; *Digits != '\0'; Digits++) {
        if (*Digits < '0' || *Digits > '9' || Value > 0xFFFF)
            return false;
        Value = Value * 10 + (uint32_t)(*Digits - '0');
    }
    *Ordinal = Value;
    return Value <= 0xFFFF;
}

/* The module ends at the last dot: module names may have dots, the names of forwarded functions have none. */
static bool PeiParseForwarder(const char *Forwarder, PEI_TARGET *Target)
{
    size_t Dot = 0;
    for (size_t Index = 0; Forwarder[Index] != '\0'; Index++) {
        if (Forwarder[Index] == '.')
            Dot = Index;
    }
    if (Dot == 0 || Forwarder[Dot + 1] == '\0')
        return false;
    *Target = (PEI_TARGET){.Module = Forwarder, .ModuleLength = Dot, .Name = Forwarder + Dot + 1};
    if (Target->Name[0] != '#')
        return true;
    bool Good = PeiParseOrdinal(Target->Name + 1, &Target->Ordinal);
    Target->Name = NULL;
    return Good;
}

static PE_STATUS PeiFindTarget(const PE_EXPORTS *Exports, const char *Name, uint32_t HintOrOrdinal,
                               PE_EXPORT *Export, PE_ERROR *Error)
{
    if (Name != NULL)
        return PeFindExportByName(Exports, Name, HintOrOrdinal, Export, Error);
    return PeFindExportByOrdinal(Exports, HintOrOrdinal, Export, Error);
}

/* One step: the module that the forwarder names, and the export in it. Exports and Export are replaced. */
static PE_STATUS PeiFollow(const PE_EXPORTS **Exports, PE_EXPORT *Export, PE_FIND_MODULE *FindModule,
                           void *Context, PE_ERROR *Error)
{
    const char *Forwarder = Export->Forwarder;
    uint64_t Place = PeiOffset((*Exports)->Image, Export->Rva);
    PEI_TARGET Target;
    if (!PeiParseForwarder(Forwarder, &Target))
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the forwarder \"%s\" is not of the form MODULE.Name or MODULE.#1", Forwarder);
    *Exports = FindModule(Context, Target.Module, Target.ModuleLength);
    if (*Exports == NULL)
        return PeiFail(Error, PE_FORWARDER_MISSING, Place, "the module of the forwarder \"%s\" is not loaded",
                       Forwarder);
    uint32_t Number = Target.Name != NULL ? PE_NO_HINT : Target.Ordinal;
    PE_STATUS Status = PeiFindTarget(*Exports, Target.Name, Number, Export, Error);
    if (Status == PE_NOT_FOUND)
        return PeiFail(Error, PE_FORWARDER_MISSING, Place,
                       "the target of the forwarder \"%s\" is not exported", Forwarder);
    return Status;
}

PE_STATUS PeResolveExport(const PE_EXPORTS *Exports, const char *Name, uint32_t HintOrOrdinal,
                          PE_FIND_MODULE *FindModule, void *Context, uint64_t *Address,
                          const PE_EXPORTS **Owner, PE_ERROR *Error)
{
    PE_EXPORT Export;
    PE_STATUS Status = PeiFindTarget(Exports, Name, HintOrOrdinal, &Export, Error);
    for (unsigned Steps = 0; Status == PE_OK && Export.Forwarder != NULL; Steps++) {
        if (Steps == PE_FORWARDER_LIMIT)
            return PeiFail(Error, PE_FORWARDER_LOOP, PeiOffset(Exports->Image, Export.Rva),
                           "the forwarder \"%s\" is the end of more than %u in a row: a loop",
                           Export.Forwarder, PE_FORWARDER_LIMIT);
        Status = PeiFollow(&Exports, &Export, FindModule, Context, Error);
    }
    if (Status != PE_OK)
        return Status;
    *Address = Exports->Image->LoadBase + Export.Rva;
    if (Owner != NULL)
        *Owner = Exports;
    return PE_OK;
}
