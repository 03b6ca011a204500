/* SPDX-License-Identifier: MIT
 * Attacks: events, semaphores, mutants and timers by handle, and the lists and flags of objects. */
#include "attack.h"
#include "ob.h"
#include "ob_service.h"
#include "ps_service.h"

static PCWSTR SignalName(ATTACKER *A, PCWSTR Prefix, PWSTR Text)
{
    return ATTACK_PICK(A, 2) == 0 ? AttackNumbered(A, Prefix, Text) : NULL;
}

static PVOID SignalMaybe(ATTACKER *A, ULONG Length)
{
    return ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, Length) : NULL;
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static NTSTATUS OpenEvent(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attacke", Text);
    return ObOpenEvent(AttackMake(A, AttackEvent), AttackAccess(A), AttackAttributes(A, Name), UserMode);
}

static NTSTATUS ResetEvent(ATTACKER *A)
{
    return ObResetEvent(AttackHandle(A, AttackEvent), SignalMaybe(A, 4), UserMode);
}

static NTSTATUS PulseEvent(ATTACKER *A)
{
    return ObPulseEvent(AttackHandle(A, AttackEvent), SignalMaybe(A, 4), UserMode);
}

/* --- semaphores ------------------------------------------------------------------------------------------------------- */

static NTSTATUS CreateSemaphore(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = SignalName(A, L"\\BaseNamedObjects\\attackq", Text);
    return ObCreateSemaphore(AttackMake(A, AttackSemaphore), AttackAccess(A) | SYNCHRONIZE,
                             AttackAttributes(A, Name), (LONG)ATTACK_WORD(A, 0, 1, 2),
                             (LONG)ATTACK_WORD(A, 2, 100, MAXLONG), UserMode);
}

static NTSTATUS OpenSemaphore(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attackq", Text);
    return ObOpenSemaphore(AttackMake(A, AttackSemaphore), AttackAccess(A), AttackAttributes(A, Name),
                           UserMode);
}

static NTSTATUS ReleaseSemaphore(ATTACKER *A)
{
    return ObReleaseSemaphore(AttackHandle(A, AttackSemaphore), (LONG)ATTACK_WORD(A, 1, 1, 7),
                              SignalMaybe(A, 4), UserMode);
}

static NTSTATUS QuerySemaphore(ATTACKER *A)
{
    return ObQuerySemaphore(AttackHandle(A, AttackSemaphore), AttackRoom(A, sizeof(OB_SEMAPHORE_STATE)),
                            UserMode);
}

/* --- mutants ---------------------------------------------------------------------------------------------------------- */

static NTSTATUS CreateMutant(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = SignalName(A, L"\\BaseNamedObjects\\attackm", Text);
    return ObCreateMutant(AttackMake(A, AttackMutant), AttackAccess(A) | SYNCHRONIZE,
                          AttackAttributes(A, Name), (BOOLEAN)ATTACK_PICK(A, 2), UserMode);
}

static NTSTATUS OpenMutant(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attackm", Text);
    return ObOpenMutant(AttackMake(A, AttackMutant), AttackAccess(A), AttackAttributes(A, Name), UserMode);
}

/* It is mostly somebody else's, or nobody's: half of the calls try to get it first. */
static NTSTATUS ReleaseMutant(ATTACKER *A)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    HANDLE Handle = AttackHandle(A, AttackMutant);
    if (ATTACK_PICK(A, 2) == 0)
        (void)ZwWaitForSingleObject(Handle, FALSE, &Now);
    return ObReleaseMutant(Handle, SignalMaybe(A, 4), UserMode);
}

static NTSTATUS QueryMutant(ATTACKER *A)
{
    return ObQueryMutant(AttackHandle(A, AttackMutant), AttackRoom(A, sizeof(KE_MUTANT_STATE)), UserMode);
}

/* --- timers ----------------------------------------------------------------------------------------------------------- */

static NTSTATUS CreateTimer(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = SignalName(A, L"\\BaseNamedObjects\\attackt", Text);
    return PsCreateTimer(AttackMake(A, AttackTimer), AttackAccess(A) | SYNCHRONIZE, AttackAttributes(A, Name),
                         ATTACK_WORD(A, NotificationTimer, SynchronizationTimer), UserMode);
}

static NTSTATUS OpenTimer(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attackt", Text);
    return PsOpenTimer(AttackMake(A, AttackTimer), AttackAccess(A), AttackAttributes(A, Name), UserMode);
}

/* The routine is for user mode, to which these threads never return. */
static NTSTATUS SetTimer(ATTACKER *A)
{
    PS_TIMER_SETTING Setting = {.DueTime.QuadPart = -(LONGLONG)ATTACK_PICK(A, 4) * STRESS_MILLISECOND,
                                .Period = ATTACK_WORD(A, 0, 0, 1, 5),
                                .TolerableDelay = ATTACK_WORD(A, 0, 1),
                                .Resume = ATTACK_PICK(A, 8) == 0,
                                .PreviousState = SignalMaybe(A, 1)};
    if (ATTACK_PICK(A, 2) == 0)
        Setting.Routine = (PTIMER_APC_ROUTINE)AttackHostileAddress(A);
    return PsSetTimer(AttackHandle(A, AttackTimer), &Setting, UserMode);
}

static NTSTATUS CancelTimer(ATTACKER *A)
{
    return PsCancelTimer(AttackHandle(A, AttackTimer), SignalMaybe(A, 1), UserMode);
}

/* --- objects ---------------------------------------------------------------------------------------------------------- */

/* No service opens a directory for user mode: each call has its own, which the others may close. */
static NTSTATUS QueryDirectoryObject(ATTACKER *A)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\BaseNamedObjects");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Folder;
    ULONG Length = ATTACK_PICK(A, PAGE_SIZE);
    InitializeObjectAttributes(&Attributes, &Path, 0, NULL, NULL);
    NTSTATUS Status = ZwOpenDirectoryObject(&Folder, DIRECTORY_QUERY, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObQueryDirectoryObject(AttackOdd(A) ? AttackAnyHandle(A) : Folder, AttackRoom(A, Length),
                                    AttackLength(A, Length), (BOOLEAN)ATTACK_PICK(A, 2),
                                    (BOOLEAN)ATTACK_PICK(A, 2), AttackPointer(A, ATTACK_PICK(A, 4)),
                                    SignalMaybe(A, 4), UserMode);
    (void)NtClose(Folder);
    return Status;
}

/* Not to be closed is no handle: what the processes have goes with them. */
static NTSTATUS SetInformationObject(ATTACKER *A)
{
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {(BOOLEAN)ATTACK_PICK(A, 2), FALSE};
    return ObSetInformationObject(AttackAnyHandle(A), ATTACK_WORD(A, ObjectHandleFlagInformation),
                                  AttackCopy(A, &Flags, sizeof(Flags)), AttackLength(A, sizeof(Flags)),
                                  UserMode);
}

const ATTACK_SERVICE AttackSignalServices[] = {
    {"NtOpenEvent", OpenEvent, NULL},
    {"NtResetEvent", ResetEvent, NULL},
    {"NtPulseEvent", PulseEvent, NULL},
    {"NtCreateSemaphore", CreateSemaphore, NULL},
    {"NtOpenSemaphore", OpenSemaphore, NULL},
    {"NtReleaseSemaphore", ReleaseSemaphore, NULL},
    {"NtQuerySemaphore", QuerySemaphore, NULL},
    {"NtCreateMutant", CreateMutant, NULL},
    {"NtOpenMutant", OpenMutant, NULL},
    {"NtReleaseMutant", ReleaseMutant, NULL},
    {"NtQueryMutant", QueryMutant, NULL},
    {"NtCreateTimer", CreateTimer, NULL},
    {"NtOpenTimer", OpenTimer, NULL},
    {"NtSetTimer", SetTimer, NULL},
    {"NtCancelTimer", CancelTimer, NULL},
    {"NtQueryDirectoryObject", QueryDirectoryObject, NULL},
    {"NtSetInformationObject", SetInformationObject, NULL},
};
const ULONG AttackSignalServiceCount = RTL_NUMBER_OF(AttackSignalServices);
