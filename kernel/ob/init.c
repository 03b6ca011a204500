/* SPDX-License-Identifier: MIT
 * Start-up of the object manager: the types, then the directories that Windows has from its start. */
#include "obp.h"
#include "ke.h"

static const PCWSTR ObpDirectories[] = {
    L"\\Device",        L"\\Driver",   L"\\FileSystem",       L"\\GLOBAL??",
    L"\\KernelObjects", L"\\Callback", L"\\BaseNamedObjects",
};

/* [WDK Introduction to MS-DOS Device Names] \DosDevices is a link to \??; here, with one session, \?? is the global directory. */
static const struct {
    PCWSTR Path, Target;
} ObpLinks[] = {
    {L"\\??", L"\\GLOBAL??"},
    {L"\\DosDevices", L"\\??"},
    {L"\\GLOBAL??\\Global", L"\\GLOBAL??"},
    {L"\\GLOBAL??\\GLOBALROOT", L""},
};

static VOID ObpMust(NTSTATUS Status, ULONG_PTR Where)
{
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0x100, Where, 0);
}

VOID ObInitSystem(VOID)
{
    ObpInitHandles();
    ObpInitTypeType();
    ObpInitDirectoryType();
    ObpMust(ObCreateKernelDirectory(L"\\ObjectTypes"), 1);
    ObpMust(ObpInsertTypeName(ObpTypeObjectType), 2);
    ObpMust(ObpInsertTypeName(ObDirectoryObjectType), 3);
    ObpInitLinkType();
    ObpInitEventType();
    ObpInitSemaphoreType();
    ObpInitMutantType();
    for (ULONG I = 0; I < RTL_NUMBER_OF(ObpDirectories); I++)
        ObpMust(ObCreateKernelDirectory(ObpDirectories[I]), 0x10 + I);
    for (ULONG I = 0; I < RTL_NUMBER_OF(ObpLinks); I++)
        ObpMust(ObCreateKernelLink(ObpLinks[I].Path, ObpLinks[I].Target), 0x20 + I);
}
