/* SPDX-License-Identifier: MIT
 * What a process is asked by pointer, at any IRQL. [WDK PsGetProcessId, PsGetProcessCreateTimeQuadPart, PsGetProcessExitTime,
 * SeLocateProcessImageName; the others are known by their names and by the headers of drivers that use them] No process runs a program
 * yet: none has a PEB, an image of its own, a debugger, a job or a session but the first. */
#include "psp.h"

HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return ((PETHREAD)KiCurrentThread())->Cid.UniqueProcess;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
    return Process->UniqueProcessId;
}

HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process)
{
    return Process->ParentId;
}

LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process)
{
    return Process->CreateTime.QuadPart;
}

/* [WDK PsGetProcessExitTime] of the current process; 0 while it runs. */
LARGE_INTEGER NTAPI PsGetProcessExitTime(VOID)
{
    return ((PEPROCESS)KiCurrentThread()->ApcState.Process)->ExitTime;
}

NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process)
{
    return Process->ExitStatus;
}

BOOLEAN NTAPI PsGetProcessExitProcessCalled(PEPROCESS Process)
{
    return Process->Ending;
}

/* At most 15 characters. */
PUCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process)
{
    return (PUCHAR)Process->ImageFileName;
}

/* No process runs a program yet: none has any of these (D-189). */
PVOID NTAPI PsGetProcessSectionBaseAddress(PEPROCESS Process)
{
    return NULL;
}

PVOID NTAPI PsGetProcessPeb(PEPROCESS Process)
{
    return NULL;
}

PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process)
{
    return NULL;
}

PVOID NTAPI PsGetCurrentProcessWow64Process(VOID)
{
    return NULL;
}

PVOID NTAPI PsGetProcessJob(PEPROCESS Process)
{
    return NULL;
}

PVOID NTAPI PsGetProcessDebugPort(PEPROCESS Process)
{
    return NULL;
}

BOOLEAN NTAPI PsIsProcessBeingDebugged(PEPROCESS Process)
{
    return FALSE;
}

ULONG NTAPI PsGetProcessSessionId(PEPROCESS Process)
{
    return 0;
}

ULONG NTAPI PsGetCurrentProcessSessionId(VOID)
{
    return 0;
}

UCHAR NTAPI PsGetProcessPriorityClass(PEPROCESS Process)
{
    return Process->PriorityClass;
}

PS_PROTECTION_LEVEL NTAPI PsGetProcessProtection(PEPROCESS Process)
{
    return Process->Protection;
}

/* The three lowest bits are the type of protection. */
BOOLEAN NTAPI PsIsProtectedProcess(PEPROCESS Process)
{
    return (Process->Protection & 7) != 0;
}

BOOLEAN NTAPI PsIsSystemProcess(PEPROCESS Process)
{
    return Process == PsInitialSystemProcess;
}

/* [WDK SeLocateProcessImageName] one block of pool, the text behind the string; the caller frees it. No image: an empty name. */
NTSTATUS NTAPI SeLocateProcessImageName(PEPROCESS Process, PUNICODE_STRING *ImageFileName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PUNICODE_STRING Name =
        ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Name) + sizeof(UNICODE_NULL), PSP_TAG_NAME);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Name->Buffer = (PWCH)(Name + 1);
    *ImageFileName = Name;
    return STATUS_SUCCESS;
}
