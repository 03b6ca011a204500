/* SPDX-License-Identifier: MIT
 * What can be changed in a token: default owner, primary group, default DACL, session. [WDK ZwSetInformationToken] */
#include "sep.h"

/* Index of a SID in the token; MAXULONG: none. */
static ULONG SepFindSid(const TOKEN *Token, PSID Sid)
{
    for (ULONG I = 0; I < Token->SidCount; I++)
        if (RtlEqualSid(Token->Sids[I].Sid, Sid))
            return I;
    return MAXULONG;
}

/* A SID in the caller's memory. */
static NTSTATUS SepReadSid(PVOID Buffer, const VOID *From, KPROCESSOR_MODE Mode)
{
    UCHAR Head[8];
    NTSTATUS Status = From != NULL ? MmReadCaller(Head, From, sizeof(Head), Mode) : STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        return Status;
    if (Head[0] != SID_REVISION || Head[1] > SID_MAX_SUB_AUTHORITIES)
        return STATUS_INVALID_SID;
    Status = MmReadCaller(Buffer, From, RtlLengthRequiredSid(Head[1]), Mode);
    RtlCopyMemory(Buffer, Head, sizeof(Head)); /* it may say something else by now */
    return Status;
}

/* An ACL in the caller's memory, in our pool; NULL for NULL. STATUS_INVALID_ACL. */
static NTSTATUS SepReadAcl(const ACL *From, KPROCESSOR_MODE Mode, PACL *Acl)
{
    ACL Head;
    *Acl = NULL;
    if (From == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmReadCaller(&Head, From, sizeof(Head), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Head.AclSize < sizeof(Head))
        return STATUS_INVALID_ACL;
    PACL Copy = ExAllocatePool2(POOL_FLAG_PAGED, Head.AclSize, SEP_TAG_TOKEN);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MmReadCaller(Copy, From, Head.AclSize, Mode);
    if (NT_SUCCESS(Status) && !RtlIsValidAcl(Copy, Head.AclSize))
        Status = STATUS_INVALID_ACL;
    if (NT_SUCCESS(Status))
        *Acl = Copy;
    else
        ExFreePoolWithTag(Copy, SEP_TAG_TOKEN);
    return Status;
}

/* [Win32 SetTokenInformation] an owner is the user or a group that may own, a primary group any group of the token. */
static NTSTATUS SepSetSid(PTOKEN Token, BOOLEAN Owner, PSID Sid)
{
    SepLockTokenExclusive(Token);
    ULONG Index = SepFindSid(Token, Sid);
    ULONG Attributes = Index != MAXULONG ? Token->Sids[Index].Attributes : 0;
    BOOLEAN Good = Index != MAXULONG && (!Owner || (!(Attributes & SE_GROUP_USE_FOR_DENY_ONLY) &&
                                                    (Index == 0 || (Attributes & SE_GROUP_OWNER))));
    if (Good) {
        *(Owner ? &Token->Owner : &Token->Group) = Index;
        Token->ModifiedId = SeNewLuid();
    }
    SepUnlockToken(Token);
    return Good ? STATUS_SUCCESS : Owner ? STATUS_INVALID_OWNER : STATUS_INVALID_PRIMARY_GROUP;
}

static NTSTATUS SepSetDefaultDacl(PTOKEN Token, PACL Dacl)
{
    SepLockTokenExclusive(Token);
    PACL Old = Token->DefaultDacl;
    Token->DefaultDacl = Dacl;
    Token->ModifiedId = SeNewLuid();
    SepUnlockToken(Token);
    if (Old != NULL)
        ExFreePoolWithTag(Old, SEP_TAG_TOKEN);
    return STATUS_SUCCESS;
}

/* [Win32 SetTokenInformation] the session is SeTcbPrivilege's. */
static NTSTATUS SepSetSession(PTOKEN Token, ULONG SessionId, KPROCESSOR_MODE Mode)
{
    if (!SeSinglePrivilegeCheck((LUID){SE_TCB_PRIVILEGE, 0}, Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    SepLockTokenExclusive(Token);
    Token->SessionId = SessionId;
    Token->ModifiedId = SeNewLuid();
    SepUnlockToken(Token);
    return STATUS_SUCCESS;
}

static NTSTATUS SepSetSidFrom(PTOKEN Token, BOOLEAN Owner, const VOID *From, KPROCESSOR_MODE Mode)
{
    UCHAR Room[RTL_MAX_SID_LENGTH] __attribute__((aligned(4)));
    NTSTATUS Status = SepReadSid(Room, From, Mode);
    return NT_SUCCESS(Status) ? SepSetSid(Token, Owner, Room) : Status;
}

/* Value: the class's structure, a pointer or a number. */
static NTSTATUS SepSetClass(PTOKEN Token, TOKEN_INFORMATION_CLASS Class, ULONG_PTR Value,
                            KPROCESSOR_MODE Mode)
{
    PACL Dacl;
    NTSTATUS Status;
    switch (Class) {
    case TokenOwner:
    case TokenPrimaryGroup:
        return SepSetSidFrom(Token, Class == TokenOwner, (PVOID)Value, Mode);
    case TokenDefaultDacl:
        Status = SepReadAcl((const ACL *)Value, Mode, &Dacl);
        return NT_SUCCESS(Status) ? SepSetDefaultDacl(Token, Dacl) : Status;
    default:
        return SepSetSession(Token, (ULONG)Value, Mode);
    }
}

static NTSTATUS SepSetByHandle(HANDLE Handle, TOKEN_INFORMATION_CLASS Class, PVOID Information, ULONG Length,
                               KPROCESSOR_MODE Mode)
{
    PTOKEN Token;
    ULONG_PTR Value = 0;
    if (Class != TokenOwner && Class != TokenPrimaryGroup && Class != TokenDefaultDacl &&
        Class != TokenSessionId)
        return STATUS_INVALID_INFO_CLASS;
    ULONG Size = Class == TokenSessionId ? sizeof(ULONG) : sizeof(PVOID);
    if (Length < Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmReadCaller(&Value, Information, Size, Mode);
    if (NT_SUCCESS(Status))
        Status = SepTokenByHandle(Handle,
                                  Class == TokenSessionId ? TOKEN_ADJUST_SESSIONID | TOKEN_ADJUST_DEFAULT
                                                          : TOKEN_ADJUST_DEFAULT,
                                  Mode, &Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SepSetClass(Token, Class, Value, Mode);
    ObDereferenceObject(Token);
    return Status;
}

NTSTATUS NTAPI ZwSetInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                     PVOID TokenInformation, ULONG TokenInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepSetByHandle(TokenHandle, TokenInformationClass, TokenInformation, TokenInformationLength,
                          KernelMode);
}

NTSTATUS NTAPI NtSetInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                     PVOID TokenInformation, ULONG TokenInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepSetByHandle(TokenHandle, TokenInformationClass, TokenInformation, TokenInformationLength,
                          ExGetPreviousMode());
}
