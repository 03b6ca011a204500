/* SPDX-License-Identifier: MIT
 * Attacks: tokens. */
#include "attack.h"
#include "se.h"

static NTSTATUS OpenProcessToken(ATTACKER *A)
{
    HANDLE Process = AttackWhose(A);
    return NtOpenProcessToken(Process, TOKEN_ALL_ACCESS, AttackMake(A, AttackToken));
}

static NTSTATUS OpenProcessTokenEx(ATTACKER *A)
{
    HANDLE Process = AttackWhose(A);
    return NtOpenProcessTokenEx(Process, AttackAccess(A), AttackOdd(A) ? (ULONG)AttackAnything(A) : 0,
                                AttackMake(A, AttackToken));
}

/* A thread that impersonates; others have no token. */
static HANDLE TokenThread(ATTACKER *A)
{
    return ATTACK_PICK(A, 2) == 0 ? ZwCurrentThread() : AttackHandle(A, AttackThread);
}

static NTSTATUS OpenThreadToken(ATTACKER *A)
{
    HANDLE Thread = TokenThread(A);
    return NtOpenThreadToken(Thread, TOKEN_ALL_ACCESS, (BOOLEAN)ATTACK_PICK(A, 2),
                             AttackMake(A, AttackToken));
}

static NTSTATUS OpenThreadTokenEx(ATTACKER *A)
{
    HANDLE Thread = TokenThread(A);
    return NtOpenThreadTokenEx(Thread, AttackAccess(A), (BOOLEAN)ATTACK_PICK(A, 2),
                               AttackOdd(A) ? (ULONG)AttackAnything(A) : 0, AttackMake(A, AttackToken));
}

static POBJECT_ATTRIBUTES TokenAttributes(ATTACKER *A)
{
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), SecurityImpersonation, SECURITY_STATIC_TRACKING,
                                           FALSE};
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, 0, NULL, NULL);
    Quality.ImpersonationLevel = ATTACK_WORD(A, SecurityImpersonation, SecurityImpersonation,
                                             SecurityIdentification, SecurityDelegation);
    Attributes.SecurityQualityOfService = AttackCopy(A, &Quality, sizeof(Quality));
    if (ATTACK_PICK(A, 2) == 0)
        Attributes.SecurityDescriptor =
            AttackCopy(A, AttackDescriptor, RtlLengthSecurityDescriptor(AttackDescriptor));
    return AttackCopy(A, &Attributes, sizeof(Attributes));
}

static NTSTATUS DuplicateToken(ATTACKER *A)
{
    HANDLE Token = AttackHandle(A, AttackToken);
    ULONG Type = ATTACK_WORD(A, TokenPrimary, TokenImpersonation, TokenImpersonation);
    return NtDuplicateToken(Token, AttackAccess(A), TokenAttributes(A), (BOOLEAN)ATTACK_PICK(A, 2), Type,
                            AttackMake(A, AttackToken));
}

static NTSTATUS AdjustPrivilegesToken(ATTACKER *A)
{
    TOKEN_PRIVILEGES New = {
        .PrivilegeCount = AttackLength(A, 1),
        .Privileges[0] = {{SE_CHANGE_NOTIFY_PRIVILEGE, 0}, ATTACK_WORD(A, 0, SE_PRIVILEGE_ENABLED)}};
    PVOID State = AttackCopy(A, &New, sizeof(New)), Old = ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 64) : NULL;
    return NtAdjustPrivilegesToken(AttackHandle(A, AttackToken), ATTACK_PICK(A, 8) == 0, State,
                                   AttackLength(A, 64), Old, Old != NULL ? AttackRoom(A, 4) : NULL);
}

static NTSTATUS QueryInformationToken(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 1024 : ATTACK_PICK(A, 128);
    ULONG Class = AttackOdd(A) ? (ULONG)AttackAnything(A) : TokenUser + ATTACK_PICK(A, 32);
    return NtQueryInformationToken(AttackHandle(A, AttackToken), Class, AttackRoom(A, Length),
                                   AttackLength(A, Length), AttackRoom(A, 4));
}

static NTSTATUS SetInformationToken(ATTACKER *A)
{
    static const SID Users = {SID_REVISION, 1, {SECURITY_WORLD_SID_AUTHORITY}, {SECURITY_WORLD_RID}};
    ACL Empty = {ACL_REVISION, 0, sizeof(ACL), 0, 0};
    ULONG Class =
        ATTACK_WORD(A, TokenOwner, TokenPrimaryGroup, TokenDefaultDacl, TokenDefaultDacl, TokenSessionId);
    PVOID Value = Class == TokenDefaultDacl ? AttackCopy(A, &Empty, sizeof(Empty))
                                            : AttackCopy(A, &Users, sizeof(Users));
    return NtSetInformationToken(AttackHandle(A, AttackToken), Class, AttackCopy(A, &Value, sizeof(Value)),
                                 AttackLength(A, sizeof(Value)));
}

static NTSTATUS AllocateLocallyUniqueId(ATTACKER *A)
{
    return NtAllocateLocallyUniqueId(AttackRoom(A, sizeof(LUID)));
}

const ATTACK_SERVICE AttackTokenServices[] = {
    {"NtOpenProcessToken", OpenProcessToken, NULL},
    {"NtOpenProcessTokenEx", OpenProcessTokenEx, NULL},
    {"NtOpenThreadToken", OpenThreadToken, NULL},
    {"NtOpenThreadTokenEx", OpenThreadTokenEx, NULL},
    {"NtDuplicateToken", DuplicateToken, NULL},
    {"NtAdjustPrivilegesToken", AdjustPrivilegesToken, NULL},
    {"NtQueryInformationToken", QueryInformationToken, NULL},
    {"NtSetInformationToken", SetInformationToken, NULL},
    {"NtAllocateLocallyUniqueId", AllocateLocallyUniqueId, NULL},
};
const ULONG AttackTokenServiceCount = RTL_NUMBER_OF(AttackTokenServices);
