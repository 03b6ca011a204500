/* SPDX-License-Identifier: MIT
 * Tokens and impersonation. [WDK SeQueryInformationToken, ZwQueryInformationToken, ZwDuplicateToken, SeFilterToken,
 * NtAdjustPrivilegesToken, PsImpersonateClient, SeCreateClientSecurity] The token is the System process's. */
#include "ct_security.h"

static HANDLE OpenToken(ACCESS_MASK Access)
{
    HANDLE Handle = NULL;
    CT_SUCCESS(ZwOpenProcessTokenEx(ZwCurrentProcess(), Access, OBJ_KERNEL_HANDLE, &Handle));
    return Handle;
}

static PACCESS_TOKEN TokenOf(HANDLE Handle)
{
    PVOID Token = NULL;
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *SeTokenObjectType, KernelMode, &Token, NULL));
    return Token;
}

static VOID TokenExports(VOID)
{
    CT_SID Sid;
    CT_CHECK(RtlEqualSid(SeExports->SeLocalSystemSid, CtSystemSid(&Sid)));
    CT_CHECK(RtlEqualSid(SeExports->SeAliasAdminsSid, CtAdminsSid(&Sid)));
    CT_CHECK(RtlEqualSid(SeExports->SeWorldSid, CtWorldSid(&Sid)));
    CT_EQUAL(SeExports->SeTcbPrivilege.LowPart, SE_TCB_PRIVILEGE);
    CT_EQUAL(SeExports->SeCreateSymbolicLinkPrivilege.LowPart, SE_CREATE_SYMBOLIC_LINK_PRIVILEGE);
    CT_EQUAL(*RtlSubAuthoritySid(SeExports->SeOwnerRightsSid, 0), 4);
}

static VOID TokenType_(VOID)
{
    HANDLE Handle = OpenToken(TOKEN_QUERY);
    PVOID Object = NULL;
    CT_REQUIRE(Handle != NULL);
    CT_STATUS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Object, NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
    Object = TokenOf(Handle);
    CT_REQUIRE(Object != NULL);
    ObDereferenceObject(Object);
    ZwClose(Handle);
}

static VOID TokenLuid(VOID)
{
    LUID First = {0, 0}, Second = {0, 0};
    CT_SUCCESS(ZwAllocateLocallyUniqueId(&First));
    CT_SUCCESS(NtAllocateLocallyUniqueId(&Second));
    CT_CHECK(!RtlEqualLuid(&First, &Second));
    CT_CHECK(First.HighPart != 0 || First.LowPart > 999); /* the first 1000 are the system's */
}

static VOID TokenFacts(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());
    LUID Session = {0, 0}, System = SYSTEM_LUID;
    ULONG SessionId = 99;
    CT_REQUIRE(Token != NULL);
    CT_EQUAL(SeTokenType(Token), TokenPrimary);
    CT_CHECK(SeTokenIsAdmin(Token));
    CT_CHECK(!SeTokenIsRestricted(Token));
    CT_CHECK(!SeTokenIsWriteRestricted(Token));
    CT_SUCCESS(SeQueryAuthenticationIdToken(Token, &Session));
    CT_CHECK(RtlEqualLuid(&Session, &System));
    CT_SUCCESS(SeQuerySessionIdToken(Token, &SessionId));
    CT_EQUAL(SessionId, 0);
    CT_EQUAL(SeTokenImpersonationLevel(Token), SecurityAnonymous);
    PsDereferencePrimaryToken(Token);
}

/* SeQueryInformationToken allocates the answer. */
static VOID TokenQuery(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());
    CT_SID System, Admins;
    PTOKEN_USER User = NULL;
    PTOKEN_GROUPS Groups = NULL;
    PTOKEN_STATISTICS Statistics = NULL;
    PTOKEN_OWNER Owner = NULL;
    PVOID Other = NULL;
    BOOLEAN Found = FALSE;
    CtSystemSid(&System);
    CtAdminsSid(&Admins);
    CT_SUCCESS(SeQueryInformationToken(Token, TokenUser, (PVOID *)&User));
    CT_REQUIRE(User != NULL);
    CT_CHECK(RtlEqualSid(User->User.Sid, &System));
    ExFreePool(User);
    CT_SUCCESS(SeQueryInformationToken(Token, TokenGroups, (PVOID *)&Groups));
    CT_REQUIRE(Groups != NULL);
    for (ULONG I = 0; I < Groups->GroupCount; I++)
        Found |=
            RtlEqualSid(Groups->Groups[I].Sid, &Admins) && (Groups->Groups[I].Attributes & SE_GROUP_ENABLED);
    CT_CHECK(Found);
    CT_SUCCESS(SeQueryInformationToken(Token, TokenStatistics, (PVOID *)&Statistics));
    CT_REQUIRE(Statistics != NULL);
    CT_EQUAL(Statistics->TokenType, TokenPrimary);
    CT_EQUAL(Statistics->GroupCount, Groups->GroupCount);
    ExFreePool(Groups);
    ExFreePool(Statistics);
    CT_SUCCESS(SeQueryInformationToken(Token, TokenOwner, (PVOID *)&Owner));
    CT_REQUIRE(Owner != NULL);
    CT_CHECK(RtlEqualSid(Owner->Owner, &Admins));
    ExFreePool(Owner);
    CT_STATUS(SeQueryInformationToken(Token, MaxTokenInfoClass + 100, &Other), STATUS_INVALID_INFO_CLASS);
    PsDereferencePrimaryToken(Token);
}

/* By handle: the size first; pointers lead into the caller's buffer. */
static VOID TokenHandle_(VOID)
{
    HANDLE Handles[4] = {NULL}, NoHandle = (HANDLE)(LONG_PTR)0xFFFF8;
    UCHAR Room[512] __attribute__((aligned(8)));
    PTOKEN_PRIVILEGES Privileges = (PTOKEN_PRIVILEGES)Room;
    PTOKEN_USER User = (PTOKEN_USER)Room;
    CT_SID System;
    ULONG Needed = 0;
    CtSystemSid(&System);
    CT_SUCCESS(ZwOpenProcessToken(ZwCurrentProcess(), TOKEN_QUERY, &Handles[0]));
    CT_SUCCESS(NtOpenProcessToken(ZwCurrentProcess(), TOKEN_QUERY, &Handles[1]));
    CT_SUCCESS(ZwOpenProcessTokenEx(ZwCurrentProcess(), TOKEN_QUERY, OBJ_KERNEL_HANDLE, &Handles[2]));
    CT_SUCCESS(NtOpenProcessTokenEx(ZwCurrentProcess(), TOKEN_QUERY, OBJ_KERNEL_HANDLE, &Handles[3]));
    CT_STATUS(ZwOpenProcessToken(NoHandle, TOKEN_QUERY, &NoHandle), STATUS_INVALID_HANDLE);
    CT_STATUS(ZwQueryInformationToken(Handles[2], TokenUser, Room, 8, &Needed), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Needed, sizeof(TOKEN_USER) + RtlLengthSid(&System));
    CT_SUCCESS(ZwQueryInformationToken(Handles[2], TokenUser, Room, Needed, &Needed));
    CT_EQUAL(User->User.Sid, (PUCHAR)Room + sizeof(TOKEN_USER));
    CT_CHECK(RtlEqualSid(User->User.Sid, &System));
    CT_SUCCESS(NtQueryInformationToken(Handles[3], TokenPrivileges, Room, sizeof(Room), &Needed));
    CT_CHECK(Privileges->PrivilegeCount > 10);
    CT_EQUAL(Needed, FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) +
                         Privileges->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES));
    CT_STATUS(ZwQueryInformationToken(Handles[2], 1000, Room, sizeof(Room), &Needed),
              STATUS_INVALID_INFO_CLASS);
    for (ULONG I = 0; I < 4; I++)
        ZwClose(Handles[I]);
}

/* A copy that can be changed without harm. */
static HANDLE CopyToken(TOKEN_TYPE Type, SECURITY_IMPERSONATION_LEVEL Level)
{
    HANDLE Source = OpenToken(TOKEN_DUPLICATE), Copy = NULL;
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), Level, SECURITY_STATIC_TRACKING, FALSE};
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Attributes.SecurityQualityOfService = &Quality;
    CT_SUCCESS(ZwDuplicateToken(Source, TOKEN_ALL_ACCESS, &Attributes, FALSE, Type, &Copy));
    ZwClose(Source);
    return Copy;
}

/* Access 0 asks for what the existing handle has. */
static VOID SameAccess(VOID)
{
    HANDLE Source = OpenToken(TOKEN_DUPLICATE | TOKEN_QUERY), Copy = NULL;
    OBJECT_ATTRIBUTES Attributes;
    OBJECT_HANDLE_INFORMATION Information = {0};
    PVOID Token;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwDuplicateToken(Source, 0, &Attributes, FALSE, TokenPrimary, &Copy));
    CT_SUCCESS(ObReferenceObjectByHandle(Copy, 0, *SeTokenObjectType, KernelMode, &Token, &Information));
    CT_EQUAL(Information.GrantedAccess, TOKEN_DUPLICATE | TOKEN_QUERY);
    ObDereferenceObject(Token);
    ZwClose(Copy);
    ZwClose(Source);
}

static VOID TokenDuplicate(VOID)
{
    HANDLE Copy = CopyToken(TokenImpersonation, SecurityIdentification), Second = NULL;
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), SecurityDelegation, SECURITY_STATIC_TRACKING,
                                           FALSE};
    OBJECT_ATTRIBUTES Attributes;
    PACCESS_TOKEN Token;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(Copy != NULL);
    Token = TokenOf(Copy);
    CT_EQUAL(SeTokenType(Token), TokenImpersonation);
    CT_EQUAL(SeTokenImpersonationLevel(Token), SecurityIdentification);
    CT_CHECK(SeTokenIsAdmin(Token));
    ObDereferenceObject(Token);
    /* a level can only go down; who is only identified does not become a process */
    CT_STATUS(NtDuplicateToken(Copy, 0, &Attributes, FALSE, TokenPrimary, &Second),
              STATUS_BAD_IMPERSONATION_LEVEL);
    Attributes.SecurityQualityOfService = &Quality;
    CT_STATUS(NtDuplicateToken(Copy, 0, &Attributes, FALSE, TokenImpersonation, &Second),
              STATUS_BAD_IMPERSONATION_LEVEL);
    CT_STATUS(ZwDuplicateToken(Copy, 0, &Attributes, FALSE, 9, &Second), STATUS_INVALID_PARAMETER);
    ZwClose(Copy);
    SameAccess();
}

static VOID TokenSet(VOID)
{
    HANDLE Copy = CopyToken(TokenPrimary, SecurityAnonymous);
    CT_SID System, Users;
    TOKEN_OWNER Owner = {CtSystemSid(&System)};
    TOKEN_PRIMARY_GROUP Group = {CtAdminsSid(&Users)};
    TOKEN_DEFAULT_DACL Dacl = {NULL};
    UCHAR Room[128] __attribute__((aligned(8)));
    ULONG Needed = 0;
    CT_REQUIRE(Copy != NULL);
    CT_SUCCESS(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner)));
    CT_SUCCESS(ZwQueryInformationToken(Copy, TokenOwner, Room, sizeof(Room), &Needed));
    CT_CHECK(RtlEqualSid(((PTOKEN_OWNER)Room)->Owner, &System));
    CT_SUCCESS(NtSetInformationToken(Copy, TokenPrimaryGroup, &Group, sizeof(Group)));
    CT_SUCCESS(ZwQueryInformationToken(Copy, TokenPrimaryGroup, Room, sizeof(Room), &Needed));
    CT_CHECK(RtlEqualSid(((PTOKEN_PRIMARY_GROUP)Room)->PrimaryGroup, &Users));
    CT_SUCCESS(ZwSetInformationToken(Copy, TokenDefaultDacl, &Dacl, sizeof(Dacl)));
    CT_SUCCESS(ZwQueryInformationToken(Copy, TokenDefaultDacl, Room, sizeof(Room), &Needed));
    CT_EQUAL(((PTOKEN_DEFAULT_DACL)Room)->DefaultDacl, NULL);
    Owner.Owner = CtNtSid(&Users, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_USERS);
    CT_STATUS(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner)), STATUS_INVALID_OWNER);
    CT_STATUS(ZwSetInformationToken(Copy, TokenOwner, &Owner, 4), STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetInformationToken(Copy, TokenStatistics, &Owner, sizeof(Owner)), STATUS_INVALID_INFO_CLASS);
    ZwClose(Copy);
}

static BOOLEAN IsEnabled(HANDLE Token, ULONG Privilege)
{
    UCHAR Room[512] __attribute__((aligned(8)));
    PTOKEN_PRIVILEGES Privileges = (PTOKEN_PRIVILEGES)Room;
    ULONG Needed;
    CT_SUCCESS(ZwQueryInformationToken(Token, TokenPrivileges, Room, sizeof(Room), &Needed));
    for (ULONG I = 0; I < Privileges->PrivilegeCount; I++)
        if (Privileges->Privileges[I].Luid.LowPart == Privilege)
            return (Privileges->Privileges[I].Attributes & SE_PRIVILEGE_ENABLED) != 0;
    return FALSE;
}

static VOID TokenAdjust(VOID)
{
    HANDLE Copy = CopyToken(TokenPrimary, SecurityAnonymous);
    TOKEN_PRIVILEGES New = {1, {{{SE_SECURITY_PRIVILEGE, 0}, SE_PRIVILEGE_ENABLED}}}, Old = {0};
    ULONG Length = 0;
    CT_REQUIRE(Copy != NULL);
    CT_CHECK(!IsEnabled(Copy, SE_SECURITY_PRIVILEGE));
    CT_STATUS(ZwAdjustPrivilegesToken(Copy, FALSE, &New, 4, &Old, &Length), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Length, sizeof(New));
    CT_CHECK(!IsEnabled(Copy, SE_SECURITY_PRIVILEGE));
    CT_SUCCESS(ZwAdjustPrivilegesToken(Copy, FALSE, &New, sizeof(Old), &Old, &Length));
    CT_EQUAL(Old.PrivilegeCount, 1);
    CT_EQUAL(Old.Privileges[0].Attributes & SE_PRIVILEGE_ENABLED, 0);
    CT_CHECK(IsEnabled(Copy, SE_SECURITY_PRIVILEGE));
    CT_SUCCESS(NtAdjustPrivilegesToken(Copy, FALSE, &Old, 0, NULL, NULL));
    CT_CHECK(!IsEnabled(Copy, SE_SECURITY_PRIVILEGE));
    New.Privileges[0].Luid.LowPart = 77;
    CT_STATUS(ZwAdjustPrivilegesToken(Copy, FALSE, &New, 0, NULL, NULL), STATUS_NOT_ALL_ASSIGNED);
    CT_CHECK(IsEnabled(Copy, SE_TCB_PRIVILEGE));
    CT_SUCCESS(ZwAdjustPrivilegesToken(Copy, TRUE, NULL, 0, NULL, NULL));
    CT_CHECK(!IsEnabled(Copy, SE_TCB_PRIVILEGE));
    ZwClose(Copy);
}

/* A filtered token has less. */
static VOID TokenFilter(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess()), Less = NULL, Wrong = NULL;
    CT_SID Admins, World;
    TOKEN_GROUPS Disable = {1, {{CtAdminsSid(&Admins), 0}}}, Restrict = {1, {{CtWorldSid(&World), 0}}};
    PTOKEN_PRIVILEGES Privileges = NULL;
    PTOKEN_GROUPS Groups = NULL;
    CT_SUCCESS(SeFilterToken(Token, DISABLE_MAX_PRIVILEGE, &Disable, NULL, &Restrict, &Less));
    CT_REQUIRE(Less != NULL);
    CT_CHECK(!SeTokenIsAdmin(Less));
    CT_CHECK(SeTokenIsRestricted(Less));
    CT_CHECK(!SeTokenIsWriteRestricted(Less));
    CT_SUCCESS(SeQueryInformationToken(Less, TokenPrivileges, (PVOID *)&Privileges));
    CT_EQUAL(Privileges->PrivilegeCount, 1);
    CT_EQUAL(Privileges->Privileges[0].Luid.LowPart, SE_CHANGE_NOTIFY_PRIVILEGE);
    ExFreePool(Privileges);
    CT_SUCCESS(SeQueryInformationToken(Less, TokenRestrictedSids, (PVOID *)&Groups));
    CT_EQUAL(Groups->GroupCount, 1);
    CT_CHECK(RtlEqualSid(Groups->Groups[0].Sid, &World));
    ExFreePool(Groups);
    Restrict.Groups[0].Attributes = SE_GROUP_ENABLED;
    CT_STATUS(SeFilterToken(Token, 0, NULL, NULL, &Restrict, &Wrong), STATUS_INVALID_PARAMETER);
    ObDereferenceObject(Less);
    PsDereferencePrimaryToken(Token);
}

/* --- impersonation --- */

static VOID TokenThread(VOID)
{
    HANDLE Handle = NULL, Copy = CopyToken(TokenImpersonation, SecurityImpersonation);
    PACCESS_TOKEN Token = TokenOf(Copy), Found;
    CT_REQUIRE(Token != NULL);
    CT_STATUS(ZwOpenThreadToken(ZwCurrentThread(), TOKEN_QUERY, TRUE, &Handle), STATUS_NO_TOKEN);
    CT_SUCCESS(PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation));
    CT_SUCCESS(ZwOpenThreadToken(ZwCurrentThread(), TOKEN_QUERY, TRUE, &Handle));
    Found = TokenOf(Handle);
    CT_EQUAL(Found, Token);
    ObDereferenceObject(Found);
    ZwClose(Handle);
    CT_SUCCESS(NtOpenThreadToken(ZwCurrentThread(), TOKEN_QUERY, FALSE, &Handle));
    ZwClose(Handle);
    CT_SUCCESS(NtOpenThreadTokenEx(ZwCurrentThread(), TOKEN_QUERY, FALSE, OBJ_KERNEL_HANDLE, &Handle));
    ZwClose(Handle);
    /* copied when it is opened */
    CT_SUCCESS(PsImpersonateClient(PsGetCurrentThread(), Token, TRUE, FALSE, SecurityIdentification));
    CT_SUCCESS(ZwOpenThreadTokenEx(ZwCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &Handle));
    Found = TokenOf(Handle);
    CT_CHECK(Found != Token);
    CT_EQUAL(SeTokenImpersonationLevel(Found), SecurityIdentification);
    ObDereferenceObject(Found);
    ZwClose(Handle);
    CT_SUCCESS(PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityAnonymous));
    CT_STATUS(ZwOpenThreadToken(ZwCurrentThread(), TOKEN_QUERY, TRUE, &Handle), STATUS_CANT_OPEN_ANONYMOUS);
    PsRevertToSelf();
    ObDereferenceObject(Token);
    ZwClose(Copy);
}

static VOID TokenImpersonate(VOID)
{
    PETHREAD Thread = PsGetCurrentThread();
    PACCESS_TOKEN Primary = PsReferencePrimaryToken(PsGetCurrentProcess()), Found;
    SE_IMPERSONATION_STATE State;
    BOOLEAN CopyOnOpen = 9, EffectiveOnly = 9;
    SECURITY_IMPERSONATION_LEVEL Level = SecurityAnonymous;
    CT_CHECK(!PsIsThreadImpersonating(Thread));
    CT_EQUAL(PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly, &Level), NULL);
    CT_CHECK(!PsDisableImpersonation(Thread, &State));
    CT_SUCCESS(PsImpersonateClient(Thread, Primary, TRUE, FALSE, SecurityDelegation));
    CT_CHECK(PsIsThreadImpersonating(Thread));
    Found = PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly, &Level);
    CT_EQUAL(Found, Primary);
    CT_CHECK(CopyOnOpen && !EffectiveOnly && Level == SecurityDelegation);
    PsDereferenceImpersonationToken(Found);
    CT_CHECK(PsDisableImpersonation(Thread, &State));
    CT_CHECK(!PsIsThreadImpersonating(Thread));
    CT_EQUAL(State.Token, Primary);
    PsRestoreImpersonation(Thread, &State);
    CT_CHECK(PsIsThreadImpersonating(Thread));
    CT_SUCCESS(PsImpersonateClient(Thread, NULL, FALSE, FALSE, SecurityAnonymous));
    CT_CHECK(!PsIsThreadImpersonating(Thread));
    PsRevertToSelf();
    PsDereferencePrimaryToken(Primary);
}

static VOID TokenAssign(VOID)
{
    HANDLE Good = CopyToken(TokenImpersonation, SecurityImpersonation),
           Primary = CopyToken(TokenPrimary, SecurityAnonymous);
    CT_SUCCESS(PsAssignImpersonationToken(PsGetCurrentThread(), Good));
    CT_CHECK(PsIsThreadImpersonating(PsGetCurrentThread()));
    CT_STATUS(PsAssignImpersonationToken(PsGetCurrentThread(), Primary), STATUS_BAD_TOKEN_TYPE);
    CT_SUCCESS(PsAssignImpersonationToken(PsGetCurrentThread(), NULL));
    CT_CHECK(!PsIsThreadImpersonating(PsGetCurrentThread()));
    ZwClose(Good);
    ZwClose(Primary);
}

static VOID CheckClient(SECURITY_CONTEXT_TRACKING_MODE Mode)
{
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), SecurityImpersonation, Mode, FALSE};
    SECURITY_CLIENT_CONTEXT Client;
    PACCESS_TOKEN Primary = PsReferencePrimaryToken(PsGetCurrentProcess());
    CT_REQUIRE(NT_SUCCESS(SeCreateClientSecurity(PsGetCurrentThread(), &Quality, FALSE, &Client)));
    CT_EQUAL(Client.ClientToken == Primary, Mode == SECURITY_DYNAMIC_TRACKING);
    CT_EQUAL(SeTokenType(Client.ClientToken),
             Mode == SECURITY_DYNAMIC_TRACKING ? TokenPrimary : TokenImpersonation);
    CT_SUCCESS(SeImpersonateClientEx(&Client, NULL));
    CT_CHECK(PsIsThreadImpersonating(PsGetCurrentThread()));
    SeStopImpersonatingClient();
    SeImpersonateClient(&Client, PsGetCurrentThread());
    CT_CHECK(PsIsThreadImpersonating(PsGetCurrentThread()));
    SeStopImpersonatingClient();
    SeDeleteClientSecurity(&Client);
    PsDereferencePrimaryToken(Primary);
}

static VOID TokenClient(VOID)
{
    SECURITY_QUALITY_OF_SERVICE Quality = {sizeof(Quality), SecurityImpersonation, SECURITY_STATIC_TRACKING,
                                           TRUE};
    SECURITY_CLIENT_CONTEXT Client;
    SECURITY_SUBJECT_CONTEXT Subject;
    PACCESS_TOKEN Primary = PsReferencePrimaryToken(PsGetCurrentProcess());
    CheckClient(SECURITY_STATIC_TRACKING);
    CheckClient(SECURITY_DYNAMIC_TRACKING);
    SeCaptureSubjectContext(&Subject);
    CT_SUCCESS(SeCreateClientSecurityFromSubjectContext(&Subject, &Quality, FALSE, &Client));
    CT_EQUAL(SeTokenImpersonationLevel(Client.ClientToken), SecurityImpersonation);
    SeDeleteClientSecurity(&Client);
    SeReleaseSubjectContext(&Subject);
    /* who impersonates at a low level cannot be impersonated at a higher one */
    CT_SUCCESS(PsImpersonateClient(PsGetCurrentThread(), Primary, FALSE, FALSE, SecurityIdentification));
    CT_STATUS(SeCreateClientSecurity(PsGetCurrentThread(), &Quality, FALSE, &Client),
              STATUS_BAD_IMPERSONATION_LEVEL);
    PsRevertToSelf();
    PsDereferencePrimaryToken(Primary);
}

/* --- who may open a token --- */

typedef struct _TOKEN_SECURITY {
    SECURITY_DESCRIPTOR Descriptor;
    CT_SID World;
    ULONG64 Dacl[8];
} TOKEN_SECURITY;

/* Grants everybody Mask, and nothing else to anybody. */
static PSECURITY_DESCRIPTOR EverybodyMay(TOKEN_SECURITY *Security, ACCESS_MASK Mask)
{
    PACL Dacl = (PACL)Security->Dacl;
    CT_SUCCESS(RtlCreateSecurityDescriptor(&Security->Descriptor, SECURITY_DESCRIPTOR_REVISION));
    CT_SUCCESS(RtlCreateAcl(Dacl, sizeof(Security->Dacl), ACL_REVISION));
    CT_SUCCESS(RtlAddAccessAllowedAce(Dacl, ACL_REVISION, Mask, CtWorldSid(&Security->World)));
    CT_SUCCESS(RtlSetDaclSecurityDescriptor(&Security->Descriptor, TRUE, Dacl, FALSE));
    return &Security->Descriptor;
}

/* A copy whose descriptor lets everybody query. */
static HANDLE CopyForQueries(TOKEN_SECURITY *Security)
{
    HANDLE Source = OpenToken(TOKEN_DUPLICATE), Copy = NULL;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL,
                               EverybodyMay(Security, TOKEN_QUERY));
    CT_SUCCESS(ZwDuplicateToken(Source, TOKEN_ALL_ACCESS, &Attributes, FALSE, TokenPrimary, &Copy));
    ZwClose(Source);
    return Copy;
}

/* What an open that is checked says; Granted: of the handle, 0 without one. */
static NTSTATUS OpenChecked(PACCESS_TOKEN Token, ACCESS_MASK Access, PACCESS_MASK Granted)
{
    OBJECT_HANDLE_INFORMATION Information = {0};
    HANDLE Handle;
    PVOID Object;
    NTSTATUS Status = ObOpenObjectByPointer(Token, OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK, NULL, Access,
                                            *SeTokenObjectType, KernelMode, &Handle);
    *Granted = 0;
    if (!NT_SUCCESS(Status))
        return Status;
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *SeTokenObjectType, KernelMode, &Object, &Information));
    *Granted = Information.GrantedAccess;
    ObDereferenceObject(Object);
    ZwClose(Handle);
    return Status;
}

static ACCESS_MASK FirstMask(HANDLE Token)
{
    ULONG64 Room[32];
    ULONG Needed;
    BOOLEAN Present = FALSE, Defaulted;
    PACL Dacl = NULL;
    PVOID Ace = NULL;
    if (!CT_SUCCESS(ZwQuerySecurityObject(Token, DACL_SECURITY_INFORMATION, Room, sizeof(Room), &Needed)))
        return 0;
    CT_SUCCESS(RtlGetDaclSecurityDescriptor(Room, &Present, &Dacl, &Defaulted));
    if (!Present || Dacl == NULL || !NT_SUCCESS(RtlGetAce(Dacl, 0, &Ace)))
        return 0;
    return ((ACCESS_ALLOWED_ACE *)Ace)->Mask;
}

static VOID TokenSecurity(VOID)
{
    TOKEN_SECURITY Security;
    HANDLE Copy = CopyForQueries(&Security);
    PACCESS_TOKEN Token;
    ACCESS_MASK Granted;
    CT_REQUIRE(Copy != NULL);
    Token = TokenOf(Copy);
    CT_EQUAL(FirstMask(Copy), TOKEN_QUERY);
    CT_SUCCESS(OpenChecked(Token, TOKEN_QUERY, &Granted));
    CT_STATUS(OpenChecked(Token, TOKEN_DUPLICATE, &Granted), STATUS_ACCESS_DENIED);
    CT_SUCCESS(OpenChecked(Token, MAXIMUM_ALLOWED, &Granted));
    CT_EQUAL(Granted & (TOKEN_QUERY | TOKEN_DUPLICATE), TOKEN_QUERY);
    CT_SUCCESS(
        ZwSetSecurityObject(Copy, DACL_SECURITY_INFORMATION, EverybodyMay(&Security, TOKEN_DUPLICATE)));
    CT_EQUAL(FirstMask(Copy), TOKEN_DUPLICATE);
    CT_SUCCESS(OpenChecked(Token, TOKEN_DUPLICATE, &Granted));
    CT_STATUS(OpenChecked(Token, TOKEN_QUERY, &Granted), STATUS_ACCESS_DENIED);
    ObDereferenceObject(Token);
    ZwClose(Copy);
}

/* The process's own token lets the process query it. */
static VOID TokenOwn(VOID)
{
    HANDLE Handle = NULL;
    CT_REQUIRE(NT_SUCCESS(ZwOpenProcessTokenEx(ZwCurrentProcess(), TOKEN_QUERY,
                                               OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK, &Handle)));
    ZwClose(Handle);
}

static const CT_CASE Cases[] = {
    {"token.exports", TokenExports},     {"token.type", TokenType_},
    {"token.luid", TokenLuid},           {"token.facts", TokenFacts},
    {"token.query", TokenQuery},         {"token.handle", TokenHandle_},
    {"token.duplicate", TokenDuplicate}, {"token.set", TokenSet},
    {"token.adjust", TokenAdjust},       {"token.filter", TokenFilter},
    {"token.thread", TokenThread},       {"token.impersonate", TokenImpersonate},
    {"token.assign", TokenAssign},       {"token.client", TokenClient},
    {"token.security", TokenSecurity},   {"token.own", TokenOwn},
};

CT_DRIVER(Cases)
