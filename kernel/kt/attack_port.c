/* SPDX-License-Identifier: MIT
 * Attacks: completion ports. */
#include "attack.h"
#include "io.h"

static NTSTATUS CreateIoCompletion(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = ATTACK_PICK(A, 2) == 0 ? AttackNumbered(A, L"\\BaseNamedObjects\\attackp", Text) : NULL;
    return NtCreateIoCompletion(AttackMake(A, AttackPort), AttackAccess(A), AttackAttributes(A, Name),
                                ATTACK_PICK(A, 4));
}

static NTSTATUS OpenIoCompletion(ATTACKER *A)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"\\BaseNamedObjects\\attackp", Text);
    return NtOpenIoCompletion(AttackMake(A, AttackPort), AttackAccess(A), AttackAttributes(A, Name));
}

static NTSTATUS SetIoCompletion(ATTACKER *A)
{
    return NtSetIoCompletion(AttackHandle(A, AttackPort), (PVOID)AttackAnything(A), (PVOID)AttackAnything(A),
                             STATUS_SUCCESS, AttackAnything(A));
}

static NTSTATUS RemoveIoCompletion(ATTACKER *A)
{
    PVOID Key = AttackRoom(A, 8), Context = AttackRoom(A, 8);
    return NtRemoveIoCompletion(AttackHandle(A, AttackPort), Key, Context, AttackIosb(A), AttackTimeout(A));
}

static NTSTATUS RemoveIoCompletionEx(ATTACKER *A)
{
    ULONG Count = 1 + ATTACK_PICK(A, 16);
    PVOID Information = AttackRoom(A, Count * (ULONG)sizeof(FILE_IO_COMPLETION_INFORMATION));
    return NtRemoveIoCompletionEx(AttackHandle(A, AttackPort), Information, AttackLength(A, Count),
                                  AttackRoom(A, 4), AttackTimeout(A), (BOOLEAN)ATTACK_PICK(A, 2));
}

static NTSTATUS QueryIoCompletion(ATTACKER *A)
{
    return NtQueryIoCompletion(AttackHandle(A, AttackPort), AttackOdd(A) ? 1 : IoCompletionBasicInformation,
                               AttackRoom(A, 4), AttackLength(A, 4), AttackRoom(A, 4));
}

const ATTACK_SERVICE AttackPortServices[] = {
    {"NtCreateIoCompletion", CreateIoCompletion, NULL},
    {"NtOpenIoCompletion", OpenIoCompletion, NULL},
    {"NtSetIoCompletion", SetIoCompletion, NULL},
    {"NtRemoveIoCompletion", RemoveIoCompletion, NULL},
    {"NtRemoveIoCompletionEx", RemoveIoCompletionEx, NULL},
    {"NtQueryIoCompletion", QueryIoCompletion, NULL},
};
const ULONG AttackPortServiceCount = RTL_NUMBER_OF(AttackPortServices);
