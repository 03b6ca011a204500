/* SPDX-License-Identifier: MIT
 * Binding imports: directly, through counting stubs, or (missing ones, with `allow-missing`) to a trap. Every missing name is
 * reported before the image is refused. Cost is nil when nothing but binding is asked for. */
#include "imp.h"

typedef struct _IMP_BINDING {
    IMP_LOAD *Load;
    PIM_MODULE Module;
    NTSTATUS Status;     /* of loading what a forwarder leads to */
    PIM_MODULE Provider; /* of the descriptor being bound */
    ULONG ProviderIndex; /* Dll->Index + 1 that Provider belongs to */
    PCSTR FirstUnknown;
} IMP_BINDING;

static const PE_EXPORTS *ImpExportsOf(PIM_MODULE Module)
{
    return Module != NULL && Module->HasExports ? &Module->Exports : NULL;
}

static const PE_EXPORTS *ImpFindForwarderModule(void *Context, const char *Name, size_t Length)
{
    return ImpExportsOf(ImpFindModuleByName(Name, Length));
}

/* [PE format, export address table] a forwarder names the image without extension. It is loaded like any other that is imported
 * from. */
static const PE_EXPORTS *ImpNeedForwarderModule(void *Context, const char *Name, size_t Length)
{
    static const PCSTR Extensions[] = {"", ".sys", ".dll"};
    IMP_BINDING *Binding = Context;
    PIM_MODULE Provider = ImpFindModuleByName(Name, Length);
    CHAR File[RTL_FIELD_SIZE(IM_MODULE, Name) + 4];

    if (Provider != NULL && Provider->IsBoot)
        return ImpExportsOf(Provider);
    Provider = NULL;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Extensions) && Provider == NULL && NT_SUCCESS(Binding->Status); i++) {
        _snprintf(File, sizeof(File), "%.*s%s", (int)min(Length, RTL_FIELD_SIZE(IM_MODULE, Name) - 1), Name,
                  Extensions[i]);
        Binding->Status = ImpNeedModule(Binding->Load, File, strlen(File), &Provider);
    }
    return ImpExportsOf(Provider);
}

static PIM_MODULE ImpProviderOf(IMP_BINDING *Binding, const PE_IMPORT_DLL *Dll)
{
    if (Binding->ProviderIndex != Dll->Index + 1) {
        Binding->ProviderIndex = Dll->Index + 1;
        Binding->Provider = ImpFindModuleByName(Dll->Name, strlen(Dll->Name));
        if (Binding->Provider == NULL && Binding->FirstUnknown == NULL)
            Binding->FirstUnknown = Dll->Name;
    }
    return Binding->Provider;
}

static VOID ImpReportMissing(IMP_BINDING *Binding, const PE_IMPORT *Import)
{
    CHAR Ordinal[16];
    PCSTR Name = Import->Name;

    if (Name == NULL) {
        _snprintf(Ordinal, sizeof(Ordinal), "#%u", (unsigned)Import->Ordinal);
        Name = Ordinal;
    }
    KdLogError("%s: import %s!%s is not exported", Binding->Module->Name, Import->Dll->Name, Name);
    KdReport(ReportMissing, KD_TEXT(ReportKeyDriver, Binding->Module->Name),
             KD_TEXT(ReportKeyDll, Import->Dll->Name), KD_TEXT(ReportKeySymbol, Name));
}

/* A variable is reached through its address, so only functions may get a stub: those lie in executable sections. */
static BOOLEAN ImpIsFunction(const PE_EXPORTS *Owner, ULONG64 Address)
{
    PE_SECTION Section;
    uint32_t Index;

    return PeFindSection(Owner->Image, (uint32_t)(Address - Owner->Image->LoadBase), &Section, &Index) ==
               PE_OK &&
           (Section.Protection & PE_PROTECT_EXECUTE) != 0;
}

/* The export's own name string: it lives as long as the exporting image, which for the kernel is for ever. */
static PCSTR ImpLastingName(const PE_EXPORTS *Exports, PCSTR Name)
{
    PE_EXPORT Export;

    return PeFindExportByName(Exports, Name, PE_NO_HINT, &Export, NULL) == PE_OK ? Export.Name : NULL;
}

static ULONG64 ImpCounted(IM_THUNKS *Thunks, const PE_EXPORTS *Exports, const PE_EXPORTS *Owner, PCSTR Name,
                          ULONG64 Address)
{
    if (Thunks == NULL || Name == NULL || !ImpIsFunction(Owner, Address))
        return Address;
    PVOID Stub = ImpAddCountingThunk(Thunks, ImpLastingName(Exports, Name), (PVOID)Address);
    return Stub != NULL ? (ULONG64)Stub : Address;
}

/* [PE format, import lookup table] an ordinal binds to the exporting image's own number. Those of ntoskrnl.exe and hal.dll are another
 * in each version of Windows, so nothing may be bound by them (D-010). */
static BOOLEAN ImpMayBind(const PE_IMPORT *Import, PIM_MODULE Provider)
{
    return Import->Name != NULL || !ImIsKernelAddress(Provider->Base);
}

static bool ImpResolve(void *Context, const PE_IMPORT *Import, uint64_t *Address)
{
    IMP_BINDING *Binding = Context;
    PIM_MODULE Provider = ImpProviderOf(Binding, Import->Dll);
    const PE_EXPORTS *Owner;

    if (Provider != NULL && Provider->HasExports && ImpMayBind(Import, Provider) &&
        PeResolveExport(&Provider->Exports, Import->Name,
                        Import->Name != NULL ? Import->Hint : Import->Ordinal, ImpNeedForwarderModule,
                        Binding, Address, &Owner, NULL) == PE_OK) {
        if (ImpOptions.CountCalls)
            *Address = ImpCounted(Binding->Module->Thunks, &Provider->Exports, Owner, Import->Name, *Address);
        return true;
    }
    if (!NT_SUCCESS(Binding->Status))
        return false; /* its own sentence says why */
    ImpReportMissing(Binding, Import);
    if (!ImpOptions.AllowMissing || Import->Name == NULL)
        return false;
    *Address = (uint64_t)ImpAddMissingThunk(Binding->Module->Thunks, Import->Name, Import->Dll->Name);
    return *Address != 0;
}

static ULONG ImpCountImports(PIM_MODULE Module)
{
    PE_IMPORT_DLL Dll = {0};
    PE_IMPORT Import;
    ULONG Count = 0;

    while (PeNextImportDll(&Module->Image, &Dll, NULL) == PE_OK)
        while (PeNextImport(&Module->Image, &Dll, &Import, NULL) == PE_OK)
            Count++;
    return Count;
}

static NTSTATUS ImpMakeThunks(IMP_LOAD *Load)
{
    PIM_MODULE Module = Load->Module;

    if (!ImpOptions.CountCalls && !ImpOptions.AllowMissing)
        return STATUS_SUCCESS;
    Module->Thunks = ImpCreateThunks(ImpCountImports(Module));
    if (Module->Thunks != NULL)
        return STATUS_SUCCESS;
    return ImpFail(Load, STATUS_INSUFFICIENT_RESOURCES, "there is no memory for its import stubs");
}

NTSTATUS ImpBindModule(IMP_LOAD *Load)
{
    PIM_MODULE Module = Load->Module;
    IMP_BINDING Binding = {.Load = Load, .Module = Module};
    uint32_t Missing = 0;
    PE_ERROR Error;
    NTSTATUS Made = ImpMakeThunks(Load);

    if (!NT_SUCCESS(Made))
        return Made;
    PE_STATUS Status = PeBindImports(&Module->Image, ImpResolve, &Binding, &Missing, &Error);
    if (Module->Thunks != NULL)
        ImpSealThunks(Module->Thunks);
    if (!NT_SUCCESS(Binding.Status) || Status == PE_OK)
        return Binding.Status;
    if (Status != PE_IMPORT_MISSING)
        return ImpFail(Load, STATUS_INVALID_IMAGE_FORMAT, "%s", Error.Text);
    if (Binding.FirstUnknown == NULL)
        return ImpFail(Load, STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, "%u import%s missing", (unsigned)Missing,
                       Missing == 1 ? " is" : "s are");
    return ImpFail(Load, STATUS_DLL_NOT_FOUND, "%u import%s missing: there is no %s", (unsigned)Missing,
                   Missing == 1 ? " is" : "s are", Binding.FirstUnknown);
}

static PVOID ImpFindRoutineIn(PCSTR Dll, PCSTR Name)
{
    PIM_MODULE Module = ImpFindModuleByName(Dll, strlen(Dll));
    const PE_EXPORTS *Owner;
    uint64_t Address;

    if (Module == NULL || PeResolveExport(&Module->Exports, Name, PE_NO_HINT, ImpFindForwarderModule, NULL,
                                          &Address, &Owner, NULL) != PE_OK)
        return NULL;
    return (PVOID)ImpCounted(ImpRoutineThunks, &Module->Exports, Owner, Name, Address);
}

PVOID ImpFindRoutine(PCSTR Name)
{
    PVOID Routine = ImpFindRoutineIn("ntoskrnl.exe", Name);

    return Routine != NULL ? Routine : ImpFindRoutineIn("hal.dll", Name);
}

/* [WDK MmGetSystemRoutineAddress] IRQL PASSIVE_LEVEL. NULL when neither ntoskrnl.exe nor hal.dll exports it. */
PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    CHAR Name[128];
    ULONG Length = SystemRoutineName->Length / sizeof(WCHAR);

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Length == 0 || Length >= sizeof(Name))
        return NULL;
    for (ULONG i = 0; i < Length; i++) {
        if (SystemRoutineName->Buffer[i] >= 0x80)
            return NULL;
        Name[i] = (CHAR)SystemRoutineName->Buffer[i];
    }
    Name[Length] = 0;
    return ImpFindRoutine(Name);
}
