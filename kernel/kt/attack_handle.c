/* SPDX-License-Identifier: MIT
 * Attacks: handles of any object, events, and descriptors. */
#include "attack.h"
#include "ob.h"

static NTSTATUS CreateEvent(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = ATTACK_PICK(A, 2) == 0 ? AttackNumbered(A, L"\\BaseNamedObjects\\attacke", Text) : NULL;
    return NtCreateEvent(AttackMake(A, AttackEvent), AttackAccess(A) | SYNCHRONIZE, AttackAttributes(A, Name),
                         ATTACK_WORD(A, NotificationEvent, SynchronizationEvent), (BOOLEAN)ATTACK_PICK(A, 2));
}

static NTSTATUS SetEvent(ATTACKER *A)
{
    return NtSetEvent(AttackHandle(A, AttackEvent), ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 4) : NULL);
}

static NTSTATUS WaitForSingleObject(ATTACKER *A)
{
    HANDLE Object = ATTACK_PICK(A, 2) == 0 ? AttackHandle(A, AttackEvent) : AttackAnyHandle(A);
    return NtWaitForSingleObject(Object, (BOOLEAN)ATTACK_PICK(A, 2), AttackTimeout(A));
}

static NTSTATUS Close(ATTACKER *A)
{
    return NtClose(AttackTakeAnyHandle(A));
}

/* Between the two processes, too: what comes is taken for a file, whatever it is. */
static NTSTATUS DuplicateObject(ATTACKER *A)
{
    HANDLE Source = AttackWhose(A), Target = AttackWhose(A);
    PHANDLE Out =
        Target == ZwCurrentProcess() ? AttackMake(A, ATTACK_PICK(A, AttackTypes)) : AttackRoom(A, 8);
    return NtDuplicateObject(
        Source, AttackAnyHandle(A), Target, Out, AttackAccess(A), ATTACK_WORD(A, 0, OBJ_INHERIT),
        ATTACK_WORD(A, DUPLICATE_SAME_ACCESS, DUPLICATE_SAME_ACCESS, DUPLICATE_SAME_ACCESS,
                    DUPLICATE_SAME_ACCESS, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE,
                    DUPLICATE_SAME_ATTRIBUTES, 0));
}

static NTSTATUS QuerySecurityObject(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 512 : ATTACK_PICK(A, 64);
    return NtQuerySecurityObject(AttackAnyHandle(A),
                                 ATTACK_WORD(A, OWNER_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION,
                                             OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                                                 DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION),
                                 AttackRoom(A, Length), AttackLength(A, Length), AttackRoom(A, 4));
}

/* Not of keys, processes and folders: a damaged descriptor would lock everybody out of what all need. */
static NTSTATUS SetSecurityObject(ATTACKER *A)
{
    HANDLE Object = AttackHandle(A, ATTACK_PICK(A, 2) == 0 ? AttackEvent : AttackSection);
    return NtSetSecurityObject(
        Object,
        ATTACK_WORD(A, DACL_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION),
        AttackCopy(A, AttackDescriptor, RtlLengthSecurityDescriptor(AttackDescriptor)));
}

const ATTACK_SERVICE AttackHandleServices[] = {
    {"NtCreateEvent", CreateEvent, NULL},
    {"NtSetEvent", SetEvent, NULL},
    {"NtWaitForSingleObject", WaitForSingleObject, NULL},
    {"NtClose", Close, NULL},
    {"NtDuplicateObject", DuplicateObject, NULL},
    {"NtQuerySecurityObject", QuerySecurityObject, NULL},
    {"NtSetSecurityObject", SetSecurityObject, NULL},
};
const ULONG AttackHandleServiceCount = RTL_NUMBER_OF(AttackHandleServices);
