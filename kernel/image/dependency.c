/* SPDX-License-Identifier: MIT
 * Images that others import from: loaded first, told by DllInitialize, counted, told by DllUnload, unloaded with the last that
 * needs them. [WDK "Creating Export Drivers"] All under one lock, which is held over DllInitialize and DllUnload too: nobody may
 * bind to an image that is not initialised. The same thread may load more from in there. */
#include "imp.h"
#include "ex.h"

#define IMP_USE_TAG 'sUmI'
#define IMP_LOAD_TAG 'dOmI'
#define IMP_MAX_CHAIN 8u /* images of which each imports from the next; a level takes about 2 KiB of stack */
#define IMP_DRIVERS L"\\SystemRoot\\System32\\drivers\\"
#define IMP_SERVICES L"\\REGISTRY\\MACHINE\\SYSTEM\\CURRENTCONTROLSET\\SERVICES\\"

const IM_UPCALLS *ImUpcalls;
IMP_LOAD *ImpChain;
static KMUTEX ImpLoadLock;

VOID ImInitPhase1(VOID)
{
    KeInitializeMutex(&ImpLoadLock, 0);
    ImpInitResource();
    ImpInitNotifies();
}

VOID ImpAcquireLoadLock(VOID)
{
    KeWaitForSingleObject(&ImpLoadLock, Executive, KernelMode, FALSE, NULL);
}

VOID ImpReleaseLoadLock(VOID)
{
    KeReleaseMutex(&ImpLoadLock, FALSE);
}

/* --- names ---- */

/* A counted name: Prefix, then ASCII. The caller frees Buffer. */
static NTSTATUS ImpMakeName(PUNICODE_STRING Path, PCWSTR Prefix, PCSTR Name, SIZE_T Length)
{
    SIZE_T Start = wcslen(Prefix);

    Path->Length = Path->MaximumLength = (USHORT)((Start + Length) * sizeof(WCHAR));
    Path->Buffer = ExAllocatePoolWithTag(PagedPool, Path->Length, IMP_LOAD_TAG);
    if (Path->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(Path->Buffer, Prefix, Start * sizeof(WCHAR));
    for (SIZE_T i = 0; i < Length; i++)
        Path->Buffer[Start + i] = (UCHAR)Name[i];
    return STATUS_SUCCESS;
}

/* What can be the name of a file in the drivers' folder; the import table is the driver's and may hold anything. */
static BOOLEAN ImpIsFileName(PCSTR Name, SIZE_T Length)
{
    if (Length == 0 || Length >= RTL_FIELD_SIZE(IM_MODULE, Name))
        return FALSE;
    for (SIZE_T i = 0; i < Length; i++)
        if ((UCHAR)Name[i] <= ' ' || (UCHAR)Name[i] >= 0x7f || strchr("\\/:*?\"<>|", Name[i]) != NULL)
            return FALSE;
    return TRUE;
}

/* --- the chain ---- */

IMP_LOAD *ImpBeginLoad(BOOLEAN IsDll)
{
    IMP_LOAD *Load = ExAllocatePoolWithTag(PagedPool, sizeof(*Load), IMP_LOAD_TAG);

    if (Load == NULL)
        return NULL;
    memset(Load, 0, sizeof(*Load));
    Load->IsDll = IsDll;
    return Load;
}

VOID ImpEndLoad(IMP_LOAD *Load)
{
    if (Load->FileObject != NULL)
        ObfDereferenceObject(Load->FileObject);
    if (Load->File != NULL)
        ZwClose(Load->File);
    ExFreePoolWithTag(Load, IMP_LOAD_TAG);
}

NTSTATUS ImpFail(IMP_LOAD *Load, NTSTATUS Status, PCSTR Format, ...)
{
    va_list Arguments;

    va_start(Arguments, Format);
    _vsnprintf(Load->Error.Text, sizeof(Load->Error.Text), Format, Arguments);
    va_end(Arguments);
    Load->Error.Text[sizeof(Load->Error.Text) - 1] = 0;
    return Status;
}

static VOID ImpAppendName(CHAR *Text, SIZE_T Room, PCSTR Name)
{
    SIZE_T Length = strlen(Text);

    if (Length + strlen(Name) + 5 <= Room) {
        strcat(Text, Name);
        strcat(Text, " -> ");
    }
}

/* "a.sys -> b.sys -> a.sys", from the outer one that is asked for again. */
static VOID ImpNameChain(PIM_MODULE First, CHAR *Text, SIZE_T Room)
{
    IMP_LOAD *Link[IMP_MAX_CHAIN];
    ULONG Count = 0;

    for (IMP_LOAD *Load = ImpChain; Load != NULL && Count < IMP_MAX_CHAIN; Load = Load->Outer) {
        Link[Count++] = Load;
        if (Load->Module == First)
            break;
    }
    Text[0] = 0;
    while (Count > 0)
        ImpAppendName(Text, Room, Link[--Count]->Module->Name);
    strncat(Text, First->Name, Room - strlen(Text) - 1);
}

NTSTATUS ImpCheckChain(IMP_LOAD *Load, PCSTR Name, SIZE_T Length)
{
    ULONG Depth = 0;
    CHAR Chain[PE_ERROR_TEXT - 32];

    for (IMP_LOAD *Outer = ImpChain; Outer != NULL; Outer = Outer->Outer) {
        if (++Depth >= IMP_MAX_CHAIN)
            return ImpFail(Load, STATUS_TOO_MANY_LINKS,
                           "more than %u images import from one another in a row", IMP_MAX_CHAIN);
        if (!ImpNameMatches(Outer->Module, Name, Length))
            continue;
        ImpNameChain(Outer->Module, Chain, sizeof(Chain));
        return ImpFail(Load, STATUS_INVALID_IMAGE_FORMAT, "imports form a cycle: %s", Chain);
    }
    return STATUS_SUCCESS;
}

/* --- references ---- */

static NTSTATUS ImpUse(IMP_LOAD *Load, PIM_MODULE Provider)
{
    PIM_MODULE Module = Load->Module;

    if (Provider->IsBoot || Provider == Module)
        return STATUS_SUCCESS;
    for (IM_USE *Use = Module->LoadedImports; Use != NULL; Use = Use->Next)
        if (Use->Provider == Provider)
            return STATUS_SUCCESS;
    IM_USE *Use = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Use), IMP_USE_TAG);
    if (Use == NULL)
        return ImpFail(Load, STATUS_INSUFFICIENT_RESOURCES, "there is no memory to note what it imports");
    *Use = (IM_USE){Module->LoadedImports, Provider};
    Module->LoadedImports = Use;
    Provider->LoadCount++;
    return STATUS_SUCCESS;
}

VOID ImpReleaseUses(PIM_MODULE Module)
{
    while (Module->LoadedImports != NULL) {
        IM_USE *Use = Module->LoadedImports;
        PIM_MODULE Provider = Use->Provider;
        Module->LoadedImports = Use->Next;
        ExFreePoolWithTag(Use, IMP_USE_TAG);
        ImpDereferenceModule(Provider);
    }
}

/* --- DllInitialize and DllUnload ---- */

static PVOID ImpExportOf(PIM_MODULE Module, PCSTR Name)
{
    PE_EXPORT Export;

    if (!Module->HasExports ||
        PeFindExportByName(&Module->Exports, Name, PE_NO_HINT, &Export, NULL) != PE_OK ||
        Export.Forwarder != NULL)
        return NULL;
    return Module->Base + Export.Rva;
}

typedef NTSTATUS(NTAPI *IMP_DLL_INITIALIZE)(PUNICODE_STRING RegistryPath);
typedef NTSTATUS(NTAPI *IMP_DLL_UNLOAD)(VOID);

static NTSTATUS ImpCallDllInitialize(PIM_MODULE Module, IMP_DLL_INITIALIZE Routine)
{
    UNICODE_STRING Path;
    KE_GATE Gate;
    PCSTR Dot = strrchr(Module->Name, '.');
    NTSTATUS Status = ImpMakeName(&Path, IMP_SERVICES, Module->Name,
                                  Dot != NULL ? (SIZE_T)(Dot - Module->Name) : strlen(Module->Name));

    if (!NT_SUCCESS(Status))
        return Status;
    KeEnterGate(&Gate, GateDllInitialize, Routine);
    Status = Routine(&Path);
    KeLeaveGate(&Gate);
    ExFreePoolWithTag(Path.Buffer, IMP_LOAD_TAG);
    KdLog("%s: DllInitialize returned %08lx", Module->Name, (ULONG)Status);
    if (Status == STATUS_PENDING)
        ImReportPending(Module, "DllInitialize");
    return Status;
}

static VOID ImpDropDll(PIM_MODULE Module)
{
    if (ImUpcalls->ReportLeaks(Module))
        KdLog("%s: stays in memory, because something still points into it", Module->Name);
    else
        ImpDestroyModule(Module);
}

/* [WDK "Creating Export Drivers"] DllInitialize is called immediately after the DLL is loaded. An image without it needs none. While it runs it may
 * load others that import from this image: they keep it when it fails. */
static NTSTATUS ImpInitializeDll(IMP_LOAD *Load)
{
    PIM_MODULE Module = Load->Module;
    IMP_DLL_INITIALIZE Routine = ImpExportOf(Module, "DllInitialize");
    NTSTATUS Status = Routine != NULL ? ImpCallDllInitialize(Module, Routine) : STATUS_SUCCESS;

    if (NT_SUCCESS(Status))
        return STATUS_SUCCESS;
    ImpFail(Load, Status, "DllInitialize returned 0x%08X", (unsigned)Status);
    Module->Failed = TRUE;
    if (Module->LoadCount != 0)
        KdLog("%s: stays in memory as long as what it has loaded imports from it", Module->Name);
    else
        ImpDropDll(Module);
    return Status;
}

/* [WDK "Creating Export Drivers"] DllUnload is called before the DLL goes. One without cannot be told and stays (FALSE); so does one
 * whose DllUnload fails, or has loaded somebody who imports from it. */
static BOOLEAN ImpCallDllUnload(PIM_MODULE Module)
{
    IMP_DLL_UNLOAD Routine = ImpExportOf(Module, "DllUnload");
    KE_GATE Gate;

    if (Routine == NULL) {
        KdLog("%s: has no DllUnload and stays in memory", Module->Name);
        return FALSE;
    }
    KeEnterGate(&Gate, GateDllUnload, Routine);
    NTSTATUS Status = Routine();
    KeLeaveGate(&Gate);
    KdLog("%s: DllUnload returned %08lx", Module->Name, (ULONG)Status);
    return NT_SUCCESS(Status) && Module->LoadCount == 0;
}

/* One that was never initialised is not told either. */
static VOID ImpUnloadDll(PIM_MODULE Module)
{
    if (!Module->Failed && !ImpCallDllUnload(Module))
        return;
    KdReport(ReportUnload, KD_TEXT(ReportKeyDriver, Module->Name),
             KD_NUMBER(ReportKeyStatus, STATUS_SUCCESS));
    ImpDropDll(Module);
}

VOID ImpDereferenceModule(PIM_MODULE Module)
{
    NT_CHECK(Module->LoadCount != 0);
    if (--Module->LoadCount != 0)
        return;
    if (Module->IsDll)
        ImpUnloadDll(Module);
    else
        ImpDestroyModule(Module);
}

/* --- loading them ---- */

/* *Provider stays NULL when there is no such file. */
static NTSTATUS ImpLoadDllAt(IMP_LOAD *Load, IMP_LOAD *Dll, PUNICODE_STRING Path, PIM_MODULE *Provider)
{
    NTSTATUS Status = ImpLoadNamed(Dll, Path);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Dll->File == NULL)
        return STATUS_SUCCESS;
    if (NT_SUCCESS(Status))
        Status = ImpInitializeDll(Dll);
    if (!NT_SUCCESS(Status))
        return ImpFail(Load, Status, "it imports from %s, which failed: %s", Dll->Name, Dll->Error.Text);
    *Provider = Dll->Module;
    return STATUS_SUCCESS;
}

static NTSTATUS ImpLoadDll(IMP_LOAD *Load, PCSTR Name, SIZE_T Length, PIM_MODULE *Provider)
{
    UNICODE_STRING Path;
    IMP_LOAD *Dll = ImpBeginLoad(TRUE);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (Dll != NULL)
        Status = ImpMakeName(&Path, IMP_DRIVERS, Name, Length);
    if (NT_SUCCESS(Status)) {
        memcpy(Dll->Name, Name, Length);
        Status = ImpLoadDllAt(Load, Dll, &Path, Provider);
        ExFreePoolWithTag(Path.Buffer, IMP_LOAD_TAG);
    } else {
        ImpFail(Load, Status, "there is no memory to load %.*s", (int)Length, Name);
    }
    if (Dll != NULL)
        ImpEndLoad(Dll);
    return Status;
}

static NTSTATUS ImpUseNew(IMP_LOAD *Load, PIM_MODULE Provider)
{
    NTSTATUS Status = ImpUse(Load, Provider);

    if (!NT_SUCCESS(Status)) {
        Provider
            ->LoadCount++; /* nobody's: it goes again, unless its DllInitialize has loaded who imports from it */
        ImpDereferenceModule(Provider);
    }
    return Status;
}

NTSTATUS ImpNeedModule(IMP_LOAD *Load, PCSTR Name, SIZE_T Length, PIM_MODULE *Provider)
{
    *Provider = ImpFindModuleByName(Name, Length);
    if (*Provider != NULL && (*Provider)->Failed)
        return ImpFail(Load, STATUS_DLL_INIT_FAILED, "it imports from %s, whose DllInitialize has failed",
                       (*Provider)->Name);
    if (*Provider != NULL)
        return ImpUse(Load, *Provider);
    if (!ImpIsFileName(Name, Length))
        return STATUS_SUCCESS;
    NTSTATUS Status = ImpCheckChain(Load, Name, Length);
    if (NT_SUCCESS(Status))
        Status = ImpLoadDll(Load, Name, Length, Provider);
    return NT_SUCCESS(Status) && *Provider != NULL ? ImpUseNew(Load, *Provider) : Status;
}

NTSTATUS ImpLoadDependencies(IMP_LOAD *Load)
{
    PE_IMPORT_DLL Dll = {0};
    PIM_MODULE Provider;
    PE_STATUS Next;

    while ((Next = PeNextImportDll(&Load->Module->Image, &Dll, &Load->Error)) == PE_OK) {
        NTSTATUS Status = ImpNeedModule(Load, Dll.Name, strlen(Dll.Name), &Provider);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    return Next == PE_END ? STATUS_SUCCESS : STATUS_INVALID_IMAGE_FORMAT;
}
