/* SPDX-License-Identifier: MIT
 * What a token tells. [WDK ZwQueryInformationToken, SeQueryInformationToken, TOKEN_INFORMATION_CLASS] An answer with pointers is one block:
 * they point to what follows in it. It is written twice, once to count, once into a buffer of the kernel's. */
#include "sep.h"

typedef struct _SEP_OUT {
    PUCHAR Buffer;  /* NULL: only counted */
    ULONG_PTR Base; /* where the caller sees Buffer */
    ULONG Used;
} SEP_OUT;

/* Offset of Length more bytes. */
static ULONG SepReserve(SEP_OUT *Out, ULONG Length)
{
    ULONG At = (Out->Used + 7) & ~7u;
    Out->Used = At + Length;
    return At;
}

static VOID SepPut(SEP_OUT *Out, const VOID *Data, ULONG Length)
{
    ULONG At = SepReserve(Out, Length);
    if (Out->Buffer != NULL)
        RtlCopyMemory(Out->Buffer + At, Data, Length);
}

static VOID SepPutUlong(SEP_OUT *Out, ULONG Value)
{
    SepPut(Out, &Value, sizeof(Value));
}

/* A copy of the data behind what there is; *Pointer, in the buffer, is the address of it for the caller. */
static VOID SepPutBehind(SEP_OUT *Out, ULONG PointerAt, const VOID *Data, ULONG Length)
{
    ULONG At = SepReserve(Out, Length);
    if (Out->Buffer == NULL)
        return;
    RtlCopyMemory(Out->Buffer + At, Data, Length);
    *(PVOID *)(Out->Buffer + PointerAt) = (PVOID)(Out->Base + At);
}

/* Count entries at EntriesAt, which is reserved already, their SIDs behind. */
static VOID SepPutSids(SEP_OUT *Out, ULONG EntriesAt, const SID_AND_ATTRIBUTES *Sids, ULONG Count)
{
    for (ULONG I = 0; I < Count; I++) {
        ULONG At = EntriesAt + I * (ULONG)sizeof(*Sids);
        if (Out->Buffer != NULL)
            ((PSID_AND_ATTRIBUTES)(Out->Buffer + At))->Attributes = Sids[I].Attributes;
        SepPutBehind(Out, At + FIELD_OFFSET(SID_AND_ATTRIBUTES, Sid), Sids[I].Sid, RtlLengthSid(Sids[I].Sid));
    }
}

static VOID SepPutGroups(SEP_OUT *Out, const SID_AND_ATTRIBUTES *Sids, ULONG Count)
{
    ULONG At = SepReserve(Out, FIELD_OFFSET(TOKEN_GROUPS, Groups) + Count * (ULONG)sizeof(*Sids));
    if (Out->Buffer != NULL)
        ((PTOKEN_GROUPS)(Out->Buffer + At))->GroupCount = Count;
    SepPutSids(Out, At + FIELD_OFFSET(TOKEN_GROUPS, Groups), Sids, Count);
}

static VOID SepPutPrivileges(SEP_OUT *Out, const TOKEN *Token)
{
    ULONG Bytes = Token->PrivilegeCount * (ULONG)sizeof(LUID_AND_ATTRIBUTES);
    ULONG At = SepReserve(Out, FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) + Bytes);
    if (Out->Buffer == NULL)
        return;
    PTOKEN_PRIVILEGES To = (PTOKEN_PRIVILEGES)(Out->Buffer + At);
    To->PrivilegeCount = Token->PrivilegeCount;
    RtlCopyMemory(To->Privileges, Token->Privileges, Bytes);
}

/* TOKEN_OWNER and its kin: a pointer to a SID or ACL. */
static VOID SepPutPointer(SEP_OUT *Out, const VOID *Data, ULONG Length)
{
    ULONG At = SepReserve(Out, sizeof(PVOID));
    if (Data != NULL)
        SepPutBehind(Out, At, Data, Length);
}

static VOID SepPutOneSid(SEP_OUT *Out, const SID_AND_ATTRIBUTES *Sid)
{
    SepPutSids(Out, SepReserve(Out, sizeof(*Sid)), Sid, 1);
}

static VOID SepPutStatistics(SEP_OUT *Out, const TOKEN *Token)
{
    TOKEN_STATISTICS S = {
        .TokenId = Token->TokenId,
        .AuthenticationId = Token->AuthenticationId,
        .ExpirationTime = {.QuadPart = MAXLONGLONG}, /* [WDK TOKEN_STATISTICS] not supported */
        .TokenType = Token->Type,
        .ImpersonationLevel = Token->Level,
        .DynamicCharged = Token->DefaultDacl != NULL ? Token->DefaultDacl->AclSize : 0,
        .GroupCount = Token->SidCount - 1,
        .PrivilegeCount = Token->PrivilegeCount,
        .ModifiedId = Token->ModifiedId};
    SepPut(Out, &S, sizeof(S));
}

static ULONG SepBytesOfSids(const SID_AND_ATTRIBUTES *Sids, ULONG Count)
{
    ULONG Bytes = Count * (ULONG)sizeof(*Sids);
    for (ULONG I = 0; I < Count; I++)
        Bytes += RtlLengthSid(Sids[I].Sid);
    return Bytes;
}

static VOID SepPutGroupsAndPrivileges(SEP_OUT *Out, const TOKEN *Token)
{
    ULONG Head = SepReserve(Out, sizeof(TOKEN_GROUPS_AND_PRIVILEGES));
    ULONG Sids = SepReserve(Out, Token->SidCount * (ULONG)sizeof(SID_AND_ATTRIBUTES));
    ULONG Restricted = SepReserve(Out, Token->RestrictedCount * (ULONG)sizeof(SID_AND_ATTRIBUTES));
    SepPutSids(Out, Sids, Token->Sids, Token->SidCount);
    SepPutSids(Out, Restricted, Token->Restricted, Token->RestrictedCount);
    ULONG Bytes = Token->PrivilegeCount * (ULONG)sizeof(LUID_AND_ATTRIBUTES);
    ULONG Privileges = SepReserve(Out, Bytes);
    if (Out->Buffer == NULL)
        return;
    RtlCopyMemory(Out->Buffer + Privileges, Token->Privileges, Bytes);
    *(PTOKEN_GROUPS_AND_PRIVILEGES)(Out->Buffer + Head) = (TOKEN_GROUPS_AND_PRIVILEGES){
        .SidCount = Token->SidCount,
        .SidLength = SepBytesOfSids(Token->Sids, Token->SidCount),
        .Sids = (PVOID)(Out->Base + Sids),
        .RestrictedSidCount = Token->RestrictedCount,
        .RestrictedSidLength = SepBytesOfSids(Token->Restricted, Token->RestrictedCount),
        .RestrictedSids = Token->RestrictedCount != 0 ? (PVOID)(Out->Base + Restricted) : NULL,
        .PrivilegeCount = Token->PrivilegeCount,
        .PrivilegeLength = Bytes,
        .Privileges = (PVOID)(Out->Base + Privileges),
        .AuthenticationId = Token->AuthenticationId};
}

/* The entry with these attributes, or NULL. */
static const SID_AND_ATTRIBUTES *SepGroupWith(const TOKEN *Token, ULONG Attributes)
{
    for (ULONG I = 1; I < Token->SidCount; I++)
        if ((Token->Sids[I].Attributes & Attributes) == Attributes)
            return &Token->Sids[I];
    return NULL;
}

static NTSTATUS SepPutGroupWith(SEP_OUT *Out, const TOKEN *Token, ULONG Attributes, BOOLEAN AsList)
{
    const SID_AND_ATTRIBUTES *Group = SepGroupWith(Token, Attributes);
    if (Group == NULL)
        return STATUS_NOT_FOUND;
    if (AsList)
        SepPutGroups(Out, Group, 1);
    else
        SepPutOneSid(Out, Group);
    return STATUS_SUCCESS;
}

static BOOLEAN SepIsElevated(const TOKEN *Token)
{
    SE_IDENTITY Identity;
    SepIdentityOfToken(Token, &Identity);
    return SeIdentityHasSid(&Identity, SepAdminsSid(), FALSE) &&
           Token->IntegrityLevel >= SECURITY_MANDATORY_HIGH_RID;
}

/* Classes that are one number. FALSE: it is none of them. */
static BOOLEAN SepNumberOfToken(const TOKEN *Token, TOKEN_INFORMATION_CLASS Class, PULONG Number)
{
    switch (Class) {
    case TokenType:
        *Number = Token->Type;
        return TRUE;
    case TokenImpersonationLevel: /* [Win32 TOKEN_INFORMATION_CLASS] of impersonation tokens only */
        *Number = Token->Level;
        return Token->Type == TokenImpersonation;
    case TokenSessionId:
        *Number = Token->SessionId;
        return TRUE;
    case TokenSandBoxInert:
        *Number = (Token->Flags & TOKEN_SANDBOX_INERT) != 0;
        return TRUE;
    case TokenElevationType: /* TokenElevationTypeDefault: no token is one of a linked pair */
        *Number = 1;
        return TRUE;
    case TokenElevation:
        *Number = SepIsElevated(Token);
        return TRUE;
    case TokenHasRestrictions:
        *Number = (Token->Flags & (TOKEN_IS_RESTRICTED | TOKEN_IS_FILTERED)) != 0;
        return TRUE;
    case TokenVirtualizationAllowed: /* there is no virtualization, nor UI */
    case TokenVirtualizationEnabled:
    case TokenUIAccess:
        *Number = 0;
        return TRUE;
    case TokenMandatoryPolicy:
        *Number = Token->MandatoryPolicy;
        return TRUE;
    default:
        return FALSE;
    }
}

/* Token locked. STATUS_INVALID_INFO_CLASS, STATUS_NOT_FOUND. */
static NTSTATUS SepPutClass(SEP_OUT *Out, const TOKEN *Token, TOKEN_INFORMATION_CLASS Class)
{
    ULONG Number;
    switch (Class) {
    case TokenUser:
        SepPutOneSid(Out, &Token->Sids[0]);
        return STATUS_SUCCESS;
    case TokenGroups:
        SepPutGroups(Out, Token->Sids + 1, Token->SidCount - 1);
        return STATUS_SUCCESS;
    case TokenRestrictedSids:
        SepPutGroups(Out, Token->Restricted, Token->RestrictedCount);
        return STATUS_SUCCESS;
    case TokenPrivileges:
        SepPutPrivileges(Out, Token);
        return STATUS_SUCCESS;
    case TokenGroupsAndPrivileges:
        SepPutGroupsAndPrivileges(Out, Token);
        return STATUS_SUCCESS;
    case TokenOwner:
        SepPutPointer(Out, Token->Sids[Token->Owner].Sid, RtlLengthSid(Token->Sids[Token->Owner].Sid));
        return STATUS_SUCCESS;
    case TokenPrimaryGroup:
        SepPutPointer(Out, Token->Sids[Token->Group].Sid, RtlLengthSid(Token->Sids[Token->Group].Sid));
        return STATUS_SUCCESS;
    case TokenDefaultDacl:
        SepPutPointer(Out, Token->DefaultDacl, Token->DefaultDacl != NULL ? Token->DefaultDacl->AclSize : 0);
        return STATUS_SUCCESS;
    case TokenSource:
        SepPut(Out, &Token->Source, sizeof(Token->Source));
        return STATUS_SUCCESS;
    case TokenOrigin:
        SepPut(Out, &Token->Origin, sizeof(Token->Origin));
        return STATUS_SUCCESS;
    case TokenStatistics:
        SepPutStatistics(Out, Token);
        return STATUS_SUCCESS;
    case TokenIntegrityLevel:
        return SepPutGroupWith(Out, Token, SE_GROUP_INTEGRITY, FALSE);
    case TokenLogonSid:
        return SepPutGroupWith(Out, Token, SE_GROUP_LOGON_ID, TRUE);
    default:
        if (!SepNumberOfToken(Token, Class, &Number))
            return STATUS_INVALID_INFO_CLASS;
        SepPutUlong(Out, Number);
        return STATUS_SUCCESS;
    }
}

/* The answer in a pool block, with addresses as if it lay at Base (0: where it lies). */
static NTSTATUS SepAnswer(PTOKEN Token, TOKEN_INFORMATION_CLASS Class, ULONG_PTR Base, ULONG Room,
                          PVOID *Answer, PULONG Needed)
{
    SEP_OUT Out = {NULL, 0, 0};
    SepLockTokenShared(Token);
    NTSTATUS Status = SepPutClass(&Out, Token, Class);
    *Needed = Out.Used;
    if (NT_SUCCESS(Status) && Room < Out.Used)
        Status = STATUS_BUFFER_TOO_SMALL;
    if (NT_SUCCESS(Status)) {
        Out.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Out.Used, SEP_TAG_QUERY);
        Out.Base = Base != 0 ? Base : (ULONG_PTR)Out.Buffer;
        Out.Used = 0;
        Status = Out.Buffer != NULL ? SepPutClass(&Out, Token, Class) : STATUS_INSUFFICIENT_RESOURCES;
    }
    SepUnlockToken(Token);
    *Answer = Out.Buffer;
    return Status;
}

/* [WDK SeQueryInformationToken] the caller frees the block with ExFreePool; a session and an integrity level are returned as numbers in
 * *TokenInformation. */
NTSTATUS NTAPI SeQueryInformationToken(PACCESS_TOKEN AccessToken, TOKEN_INFORMATION_CLASS Class,
                                       PVOID *TokenInformation)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PTOKEN Token = AccessToken;
    ULONG Needed;
    if (Class == TokenSessionId)
        return SeQuerySessionIdToken(Token, (PULONG)TokenInformation);
    if (Class == TokenIntegrityLevel) {
        *(PULONG)TokenInformation = Token->IntegrityLevel;
        return STATUS_SUCCESS;
    }
    return SepAnswer(Token, Class, 0, MAXULONG, TokenInformation, &Needed);
}

typedef struct _SEP_QUERY {
    HANDLE Handle;
    TOKEN_INFORMATION_CLASS Class;
    PVOID Information;
    ULONG Length;
    PULONG ResultLength;
    KPROCESSOR_MODE Mode;
} SEP_QUERY;

static NTSTATUS SepQueryByHandle(const SEP_QUERY *Q)
{
    PTOKEN Token;
    PVOID Answer;
    ULONG Needed;
    NTSTATUS Status = MmProbeCaller(Q->ResultLength, sizeof(*Q->ResultLength), Q->Mode);
    if (NT_SUCCESS(Status))
        Status = SepTokenByHandle(Q->Handle, Q->Class == TokenSource ? TOKEN_QUERY_SOURCE : TOKEN_QUERY,
                                  Q->Mode, &Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SepAnswer(Token, Q->Class, (ULONG_PTR)Q->Information, Q->Length, &Answer, &Needed);
    ObDereferenceObject(Token);
    if (NT_SUCCESS(Status)) {
        Status = MmWriteCaller(Q->Information, Answer, Needed, Q->Mode);
        ExFreePoolWithTag(Answer, SEP_TAG_QUERY);
    }
    if (NT_SUCCESS(Status) || Status == STATUS_BUFFER_TOO_SMALL) {
        NTSTATUS Written = MmWriteCaller(Q->ResultLength, &Needed, sizeof(Needed), Q->Mode);
        return NT_SUCCESS(Written) ? Status : Written;
    }
    return Status;
}

/* [WDK ZwQueryInformationToken] STATUS_BUFFER_TOO_SMALL with what is needed; STATUS_INVALID_INFO_CLASS. */
NTSTATUS NTAPI ZwQueryInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                       PVOID TokenInformation, ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SEP_QUERY Query = {TokenHandle, TokenInformationClass, TokenInformation,
                       Length,      ResultLength,          KernelMode};
    return SepQueryByHandle(&Query);
}

NTSTATUS NTAPI NtQueryInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                       PVOID TokenInformation, ULONG Length, PULONG ResultLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SEP_QUERY Query = {TokenHandle, TokenInformationClass, TokenInformation,
                       Length,      ResultLength,          ExGetPreviousMode()};
    return SepQueryByHandle(&Query);
}
