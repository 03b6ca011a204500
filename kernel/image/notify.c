/* SPDX-License-Identifier: MIT
 * Who wants to be told of loaded images. [WDK PsSetLoadImageNotifyRoutine, PsSetLoadImageNotifyRoutineEx,
 * PsRemoveLoadImageNotifyRoutine, PLOAD_IMAGE_NOTIFY_ROUTINE] */
#include "imp.h"
#include "ex.h"
#include "ntbox/image.h"

static EX_NOTIFY_TABLE ImpNotifies;

VOID ImpInitNotifies(VOID)
{
    ExInitializeNotifies(&ImpNotifies, "load-image notify routine", GateImageNotify);
}

/* IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    return PsSetLoadImageNotifyRoutineEx(NotifyRoutine, 0);
}

/* IRQL PASSIVE_LEVEL. Images of another architecture do not exist here. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine, ULONG_PTR Flags)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if ((Flags & ~(ULONG_PTR)PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE) != 0 || NotifyRoutine == NULL)
        return STATUS_INVALID_PARAMETER;
    return ExAddNotify(&ImpNotifies, (PVOID)NotifyRoutine, 0, FALSE) ? STATUS_SUCCESS
                                                                     : STATUS_INSUFFICIENT_RESOURCES;
}

/* IRQL <= APC_LEVEL. STATUS_PROCEDURE_NOT_FOUND: it was not set. */
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExRemoveNotify(&ImpNotifies, (PVOID)NotifyRoutine, EX_ANY_NOTIFY) ? STATUS_SUCCESS
                                                                             : STATUS_PROCEDURE_NOT_FOUND;
}

typedef struct _IMP_LOADED {
    PUNICODE_STRING FullName;
    HANDLE ProcessId;
    PVOID Base, File;
    SIZE_T Size;
} IMP_LOADED;

/* IMAGE_INFO is part of an IMAGE_INFO_EX; each routine has its own. */
static VOID ImpTellLoaded(PVOID Routine, ULONG Kind, PVOID Context)
{
    const IMP_LOADED *Loaded = Context;
    IMAGE_INFO_EX Info = {.Size = sizeof(Info), .FileObject = Loaded->File};

    Info.ImageInfo.ImageAddressingMode = IMAGE_ADDRESSING_MODE_32BIT;
    Info.ImageInfo.SystemModeImage = Loaded->ProcessId == NULL;
    Info.ImageInfo.ExtendedInfoPresent = 1;
    Info.ImageInfo.ImageBase = Loaded->Base;
    Info.ImageInfo.ImageSize = Loaded->Size;
    ((PLOAD_IMAGE_NOTIFY_ROUTINE)Routine)(Loaded->FullName, Loaded->ProcessId, &Info.ImageInfo);
}

/* [WDK PLOAD_IMAGE_NOTIFY_ROUTINE] PASSIVE_LEVEL, in a critical region. */
VOID ImNotifyLoad(PUNICODE_STRING FullName, HANDLE ProcessId, PVOID Base, SIZE_T Size, PVOID File)
{
    IMP_LOADED Loaded = {FullName, ProcessId, Base, File, Size};

    ExCallNotifies(&ImpNotifies, ImpTellLoaded, &Loaded);
}

ULONG ImReportDriverNotifies(PIM_MODULE Module)
{
    return ExReportDriverNotifies(&ImpNotifies, Module);
}

BOOLEAN ImForcesIntegrity(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);

    return Module != NULL &&
           (Module->IsBoot || (Module->Image.DllCharacteristics & PE_DLL_FORCE_INTEGRITY) != 0);
}
