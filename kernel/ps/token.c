/* SPDX-License-Identifier: MIT
 * The tokens of processes and threads, by pointer and by handle. [WDK PsReferencePrimaryToken, ZwOpenProcessTokenEx,
 * ZwOpenThreadTokenEx] */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"
#include "se.h"

/* [WDK PsReferencePrimaryToken] (the headers' HANDLE is a PACCESS_TOKEN) */
HANDLE NTAPI PsReferencePrimaryToken(PEPROCESS Process)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ObReferenceObject(Process->Token);
    return Process->Token;
}

/* [WDK PsDereferencePrimaryToken] */
VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ObDereferenceObject(PrimaryToken);
}

/* A handle to a token, whose reference is consumed. */
static NTSTATUS PspGiveToken(PACCESS_TOKEN Token, ACCESS_MASK Access, ULONG Attributes, PHANDLE To,
                             KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    if (Mode != KernelMode)
        Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    NTSTATUS Status =
        ObOpenObjectByPointer(Token, Attributes, NULL, Access, SeTokenObjectType, Mode, &Handle);
    ObDereferenceObject(Token);
    return NT_SUCCESS(Status) ? ObGiveHandle(To, Handle, Mode) : Status;
}

static NTSTATUS PspOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK Access, ULONG Attributes, PHANDLE To,
                                    KPROCESSOR_MODE Mode)
{
    PEPROCESS Process;
    NTSTATUS Status = MmProbeCaller(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(ProcessHandle, PROCESS_QUERY_INFORMATION, PsProcessType, Mode,
                                           (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    PACCESS_TOKEN Token = PsReferencePrimaryToken(Process);
    ObDereferenceObject(Process);
    return PspGiveToken(Token, Access, Attributes, To, Mode);
}

/* The client of a thread, referenced; a copy of it when the server asked for that. STATUS_NO_TOKEN, STATUS_CANT_OPEN_ANONYMOUS. */
static NTSTATUS PspClientToOpen(PETHREAD Thread, PACCESS_TOKEN *Token)
{
    BOOLEAN CopyOnOpen, EffectiveOnly;
    SECURITY_IMPERSONATION_LEVEL Level;
    PACCESS_TOKEN Client = PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly, &Level);
    if (Client == NULL)
        return STATUS_NO_TOKEN;
    NTSTATUS Status = STATUS_SUCCESS;
    *Token = Client;
    if (Level == SecurityAnonymous)
        Status = STATUS_CANT_OPEN_ANONYMOUS;
    else if (!CopyOnOpen)
        return STATUS_SUCCESS;
    else
        Status = SeDuplicateToken(Client, EffectiveOnly, TokenImpersonation, Level, Token);
    ObDereferenceObject(Client);
    return Status;
}

/* [WDK ZwOpenThreadTokenEx] OpenAsSelf: the access of the calling process counts, not that of the client whom its thread stands for. */
static NTSTATUS PspOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK Access, BOOLEAN OpenAsSelf,
                                   ULONG Attributes, PHANDLE To, KPROCESSOR_MODE Mode)
{
    PETHREAD Thread;
    PACCESS_TOKEN Token;
    SE_IMPERSONATION_STATE State;
    NTSTATUS Status = MmProbeCaller(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(ThreadHandle, THREAD_QUERY_INFORMATION, PsThreadType, Mode,
                                           (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspClientToOpen(Thread, &Token);
    ObDereferenceObject(Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Stood = OpenAsSelf && PsDisableImpersonation(PsGetCurrentThread(), &State);
    Status = PspGiveToken(Token, Access, Attributes, To, Mode);
    if (Stood)
        PsRestoreImpersonation(PsGetCurrentThread(), &State);
    return Status;
}

NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                    PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenProcessToken(ProcessHandle, DesiredAccess, HandleAttributes, TokenHandle, KernelMode);
}

NTSTATUS NTAPI NtOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                    PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenProcessToken(ProcessHandle, DesiredAccess, HandleAttributes, TokenHandle,
                               ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenProcessToken(ProcessHandle, DesiredAccess, 0, TokenHandle, KernelMode);
}

NTSTATUS NTAPI NtOpenProcessToken(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenProcessToken(ProcessHandle, DesiredAccess, 0, TokenHandle, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                   ULONG HandleAttributes, PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenThreadToken(ThreadHandle, DesiredAccess, OpenAsSelf, HandleAttributes, TokenHandle,
                              KernelMode);
}

NTSTATUS NTAPI NtOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                   ULONG HandleAttributes, PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenThreadToken(ThreadHandle, DesiredAccess, OpenAsSelf, HandleAttributes, TokenHandle,
                              ExGetPreviousMode());
}

NTSTATUS NTAPI ZwOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                 PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenThreadToken(ThreadHandle, DesiredAccess, OpenAsSelf, 0, TokenHandle, KernelMode);
}

NTSTATUS NTAPI NtOpenThreadToken(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                 PHANDLE TokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspOpenThreadToken(ThreadHandle, DesiredAccess, OpenAsSelf, 0, TokenHandle, ExGetPreviousMode());
}
