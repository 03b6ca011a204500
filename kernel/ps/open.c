/* SPDX-License-Identifier: MIT
 * Handles to processes and threads by their numbers. [WDK ZwOpenProcess, ZwOpenThread] */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"
#include "se.h"

/* [WDK ZwOpenProcess] a number is needed, a name is refused: processes and threads have none. */
static NTSTATUS PspCaptureOpen(const OBJECT_ATTRIBUTES *From, const CLIENT_ID *FromId, KPROCESSOR_MODE Mode,
                               PULONG Attributes, PCLIENT_ID Id)
{
    OBJECT_ATTRIBUTES Copy;
    NTSTATUS Status = ObCaptureAttributes(&Copy, From, Mode);

    if (!NT_SUCCESS(Status))
        return Status;
    if (FromId == NULL || Copy.ObjectName != NULL)
        return STATUS_INVALID_PARAMETER_MIX;
    *Attributes = Copy.Attributes;
    return MmReadCaller(Id, FromId, sizeof(*Id), Mode);
}

/* [Win32 Process Security and Access Rights, Thread Security and Access Rights] who may ask or set all may ask or set the little. */
static ACCESS_MASK PspImpliedAccess(POBJECT_TYPE Type, ACCESS_MASK Access)
{
    if (Type == PsProcessType)
        return Access & PROCESS_QUERY_INFORMATION ? PROCESS_QUERY_LIMITED_INFORMATION : 0;
    return (Access & THREAD_QUERY_INFORMATION ? THREAD_QUERY_LIMITED_INFORMATION : 0) |
           (Access & THREAD_SET_INFORMATION ? THREAD_SET_LIMITED_INFORMATION : 0);
}

/* [Win32 Process Security and Access Rights] who has SeDebugPrivilege may open every process. */
static NTSTATUS PspGiveOpened(PVOID Object, POBJECT_TYPE Type, ACCESS_MASK Access, ULONG Attributes,
                              PHANDLE To, KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    Access |= PspImpliedAccess(Type, Access);
    KPROCESSOR_MODE Checked =
        SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_DEBUG_PRIVILEGE), Mode) ? KernelMode : Mode;
    NTSTATUS Status = ObOpenObjectByPointer(Object, Attributes, NULL, Access, Type, Checked, &Handle);
    ObDereferenceObject(Object);
    return NT_SUCCESS(Status) ? ObGiveHandle(To, Handle, Mode) : Status;
}

/* With a thread's number: the process must be that thread's. */
static NTSTATUS PspFindProcess(PCLIENT_ID Id, PEPROCESS *Process)
{
    PETHREAD Thread;

    if (Id->UniqueThread == NULL)
        return NT_SUCCESS(PsLookupProcessByProcessId(Id->UniqueProcess, Process)) ? STATUS_SUCCESS
                                                                                  : STATUS_INVALID_CID;
    NTSTATUS Status = PsLookupProcessThreadByCid(Id, Process, &Thread);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Thread);
    return Status;
}

/* A process's number of 0: whichever. */
static NTSTATUS PspFindThread(PCLIENT_ID Id, PETHREAD *Thread)
{
    if (Id->UniqueProcess != NULL)
        return PsLookupProcessThreadByCid(Id, NULL, Thread);
    return NT_SUCCESS(PsLookupThreadByThreadId(Id->UniqueThread, Thread)) ? STATUS_SUCCESS
                                                                          : STATUS_INVALID_CID;
}

static NTSTATUS PspOpen(POBJECT_TYPE Type, PHANDLE To, ACCESS_MASK Access,
                        POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId, KPROCESSOR_MODE Mode)
{
    CLIENT_ID Id;
    ULONG Attributes;
    PVOID Object;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);

    if (NT_SUCCESS(Status))
        Status = PspCaptureOpen(ObjectAttributes, ClientId, Mode, &Attributes, &Id);
    if (NT_SUCCESS(Status))
        Status = Type == PsProcessType ? PspFindProcess(&Id, (PEPROCESS *)&Object)
                                       : PspFindThread(&Id, (PETHREAD *)&Object);
    return NT_SUCCESS(Status) ? PspGiveOpened(Object, Type, Access, Attributes, To, Mode) : Status;
}

NTSTATUS NTAPI ZwOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpen(PsProcessType, ProcessHandle, DesiredAccess, ObjectAttributes, ClientId, KernelMode);
}

NTSTATUS NTAPI NtOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpen(PsProcessType, ProcessHandle, DesiredAccess, ObjectAttributes, ClientId,
                   ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpen(PsThreadType, ThreadHandle, DesiredAccess, ObjectAttributes, ClientId, KernelMode);
}

NTSTATUS NTAPI NtOpenThread(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpen(PsThreadType, ThreadHandle, DesiredAccess, ObjectAttributes, ClientId,
                   ExGetPreviousMode());
}
