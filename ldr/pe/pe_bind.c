/* SPDX-License-Identifier: MIT */
/* Binding: fills the IATs of a mapped image with what the host's resolver says. */
#include "pe/pei.h"

typedef struct _PEI_BINDING {
    PE_IMAGE *Image;
    PE_RESOLVE_IMPORT *Resolve;
    void *Context;
    uint32_t Missing;
    PE_ERROR *Error;
} PEI_BINDING;

/* A slot may lie neither in the headers nor in its DLL's name, which the resolver is going to read again. */
static PE_STATUS PeiCheckSlot(const PE_IMAGE *Image, const PE_IMPORT *Import, uint64_t NameRva,
                              uint64_t NameSize, PE_ERROR *Error)
{
    if (Import->IatRva >= Image->SizeOfHeaders && !PeiOverlap(Import->IatRva, 8, NameRva, NameSize))
        return PE_OK;
    return PeiFail(Error, PE_BAD_IMPORT, Import->IatRva,
                   "the IAT of %s at 0x%llx lies in the headers or over the DLL's name", Import->Dll->Name,
                   PEI_U(Import->Dll->IatRva));
}

static void PeiCountMissing(PEI_BINDING *Binding, const PE_IMPORT *Import)
{
    if (Binding->Missing++ != 0)
        return;
    if (Import->Name != NULL)
        PeiFail(Binding->Error, PE_IMPORT_MISSING, Import->IatRva, "import %s!%s is not exported",
                Import->Dll->Name, Import->Name);
    else
        PeiFail(Binding->Error, PE_IMPORT_MISSING, Import->IatRva, "import %s!#%u is not exported",
                Import->Dll->Name, Import->Ordinal);
}

static PE_STATUS PeiBindDll(PEI_BINDING *Binding, PE_IMPORT_DLL *Dll)
{
    PE_IMAGE *Image = Binding->Image;
    PE_IMPORT Import;
    PE_STATUS Status;
    uint64_t NameRva = (uint64_t)((const uint8_t *)Dll->Name - Image->Bytes);
    uint64_t NameSize = PeiLength(Dll->Name) + 1;
    while ((Status = PeNextImport(Image, Dll, &Import, Binding->Error)) == PE_OK) {
        uint64_t Address;
        Status = PeiCheckSlot(Image, &Import, NameRva, NameSize, Binding->Error);
        if (Status != PE_OK)
            return Status;
        if (Binding->Resolve(Binding->Context, &Import, &Address))
            PeiStore64(Image->Writable + Import.IatRva, Address);
        else
            PeiCountMissing(Binding, &Import);
    }
    return Status == PE_END ? PE_OK : Status;
}

PE_STATUS PeBindImports(PE_IMAGE *Mapped, PE_RESOLVE_IMPORT *Resolve, void *Context, uint32_t *MissingCount,
                        PE_ERROR *Error)
{
    PEI_BINDING Binding = {Mapped, Resolve, Context, 0, Error};
    PE_IMPORT_DLL Dll = {0};
    PE_STATUS Status;
    if (Mapped->Writable == NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "only a mapped image can be bound");
    while ((Status = PeNextImportDll(Mapped, &Dll, Error)) == PE_OK) {
        Status = PeiBindDll(&Binding, &Dll);
        if (Status != PE_OK)
            return Status;
    }
    if (MissingCount != NULL)
        *MissingCount = Binding.Missing;
    if (Status != PE_END)
        return Status;
    return Binding.Missing != 0 ? PE_IMPORT_MISSING : PE_OK;
}
