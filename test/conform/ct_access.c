/* SPDX-License-Identifier: MIT
 * Access checks by the table of access_cases.h, subject contexts, privileges, descriptors of objects. [WDK SeAccessCheck,
 * SeCaptureSubjectContext, SePrivilegeCheck, SeAssignSecurity, SeSetSecurityDescriptorInfo, SeCaptureSecurityDescriptor] */
#include "ct_security.h"
#include "access_cases.h"

static CT_SID Sids[WhoCount];
static GENERIC_MAPPING Mapping = {CASE_READ, CASE_WRITE, CASE_EXECUTE, CASE_ALL};

static VOID LabelSid(CT_SID *Sid, ULONG Level)
{
    SID_IDENTIFIER_AUTHORITY Authority = {SECURITY_MANDATORY_LABEL_AUTHORITY};
    RtlInitializeSid(Sid, &Authority, 1);
    *RtlSubAuthoritySid(Sid, 0) = Level;
}

static VOID MakeSids(VOID)
{
    SID_IDENTIFIER_AUTHORITY Creator = {SECURITY_CREATOR_SID_AUTHORITY};
    CtSystemSid(&Sids[System]);
    CtAdminsSid(&Sids[Admins]);
    CtWorldSid(&Sids[World]);
    CtNtSid(&Sids[Authenticated], SECURITY_AUTHENTICATED_USER_RID, 0);
    CtNtSid(&Sids[Users], SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_USERS);
    RtlInitializeSid(&Sids[OwnerRights], &Creator, 1);
    *RtlSubAuthoritySid(&Sids[OwnerRights], 0) = 4;
    LabelSid(&Sids[LowLabel], SECURITY_MANDATORY_LOW_RID);
    LabelSid(&Sids[MediumLabel], SECURITY_MANDATORY_MEDIUM_RID);
    LabelSid(&Sids[SystemLabel], SECURITY_MANDATORY_SYSTEM_RID);
}

/* The five tokens of the table; referenced. */
static PACCESS_TOKEN MakeToken(ACCESS_WHOSE Whose)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess()), New = NULL;
    TOKEN_GROUPS Disable = {1, {{&Sids[Admins], 0}}},
                 Restrict = {1, {{&Sids[Whose == OnlyAdmins ? Admins : World], 0}}};
    if (Whose == WholeToken)
        return Token;
    CT_SUCCESS(SeFilterToken(Token, Whose == WritesOnlyWorld ? WRITE_RESTRICTED : 0,
                             Whose == DenyAdmins ? &Disable : NULL, NULL,
                             Whose == DenyAdmins ? NULL : &Restrict, &New));
    PsDereferencePrimaryToken(Token);
    return New;
}

static VOID AddAce(PACL Acl, UCHAR Type, UCHAR Flags, ULONG Mask, PSID Sid)
{
    struct {
        ACCESS_ALLOWED_ACE Ace;
        UCHAR Room[sizeof(CT_SID)];
    } New;
    New.Ace.Header.AceType = Type;
    New.Ace.Header.AceFlags = Flags;
    New.Ace.Header.AceSize = (USHORT)(FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid));
    New.Ace.Mask = Mask;
    RtlCopySid(sizeof(CT_SID), &New.Ace.SidStart, Sid);
    CT_SUCCESS(RtlAddAce(Acl, ACL_REVISION, MAXULONG, &New, New.Ace.Header.AceSize));
}

typedef struct ACCESS_OBJECT {
    SECURITY_DESCRIPTOR Descriptor;
    union {
        ACL Acl;
        UCHAR Room[200];
    } Dacl, Sacl;
} ACCESS_OBJECT;

static VOID BuildObject(const ACCESS_CASE *Case, ACCESS_OBJECT *Object)
{
    RtlCreateSecurityDescriptor(&Object->Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateAcl(&Object->Dacl.Acl, sizeof(Object->Dacl), ACL_REVISION);
    RtlCreateAcl(&Object->Sacl.Acl, sizeof(Object->Sacl), ACL_REVISION);
    for (ULONG I = 0; I < 4 && Case->Ace[I].Who != Nobody; I++) {
        ACCESS_ACE_KIND Kind = Case->Ace[I].Kind;
        UCHAR Flags =
            Kind == AllowInheritOnly || Kind == DenyInheritOnly ? INHERIT_ONLY_ACE | OBJECT_INHERIT_ACE : 0;
        UCHAR Type =
            Kind == Deny || Kind == DenyInheritOnly ? ACCESS_DENIED_ACE_TYPE : ACCESS_ALLOWED_ACE_TYPE;
        AddAce(Kind == Label ? &Object->Sacl.Acl : &Object->Dacl.Acl,
               Kind == Label ? SYSTEM_MANDATORY_LABEL_ACE_TYPE : Type, Flags, Case->Ace[I].Mask,
               &Sids[Case->Ace[I].Who]);
    }
    RtlSetOwnerSecurityDescriptor(&Object->Descriptor, &Sids[Case->Owner], FALSE);
    RtlSetGroupSecurityDescriptor(&Object->Descriptor, &Sids[System], FALSE);
    RtlSetDaclSecurityDescriptor(&Object->Descriptor, Case->Kind != NoDacl,
                                 Case->Kind == List ? &Object->Dacl.Acl : NULL, FALSE);
    RtlSetSaclSecurityDescriptor(&Object->Descriptor, TRUE, &Object->Sacl.Acl, FALSE);
}

static VOID CheckCase(const ACCESS_CASE *Case, PACCESS_TOKEN Token)
{
    ACCESS_OBJECT Object;
    SECURITY_SUBJECT_CONTEXT Subject = {NULL, SecurityAnonymous, Token, NULL};
    ACCESS_MASK Granted = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    PPRIVILEGE_SET Privileges = NULL;
    BuildObject(Case, &Object);
    BOOLEAN Allowed = SeAccessCheck(&Object.Descriptor, &Subject, FALSE, Case->Desired, 0, &Privileges,
                                    &Mapping, UserMode, &Granted, &Status);
    if (Privileges != NULL)
        SeFreePrivileges(Privileges);
    if ((ULONG)Status != Case->Status || Allowed != (Case->Status == 0) ||
        (Allowed && Granted != Case->Granted))
        CtFail("access_cases.h", 0, Case->Name, Allowed ? Granted : (ULONG)Status,
               Allowed ? Case->Granted : Case->Status, TRUE);
}

static VOID AccessTable(VOID)
{
    ACCESS_OBJECT Object;
    SECURITY_SUBJECT_CONTEXT Subject;
    ACCESS_MASK Granted = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    MakeSids();
    for (ULONG Whose = 0; Whose < WhoseCount; Whose++) {
        PACCESS_TOKEN Token = MakeToken(Whose);
        CT_REQUIRE(Token != NULL);
        for (ULONG I = 0; I < RTL_NUMBER_OF(AccessCases); I++)
            if ((ULONG)AccessCases[I].Whose == Whose)
                CheckCase(&AccessCases[I], Token);
        ObDereferenceObject(Token);
    }
    /* kernel mode gets what it asks for; a client who is only identified nothing */
    BuildObject(&AccessCases[3], &Object);
    SeCaptureSubjectContext(&Subject);
    CT_CHECK(SeAccessCheck(&Object.Descriptor, &Subject, FALSE, GENERIC_WRITE, 1, NULL, &Mapping, KernelMode,
                           &Granted, &Status));
    CT_EQUAL(Granted, CASE_WRITE | 1);
    CT_CHECK(SeAccessCheck(&Object.Descriptor, &Subject, FALSE, 0, 5, NULL, &Mapping, UserMode, &Granted,
                           &Status));
    CT_EQUAL(Granted, 5);
    Subject.ClientToken = Subject.PrimaryToken;
    Subject.ImpersonationLevel = SecurityIdentification;
    CT_CHECK(!SeAccessCheck(&Object.Descriptor, &Subject, FALSE, 1, 0, NULL, &Mapping, UserMode, &Granted,
                            &Status));
    CT_STATUS(Status, STATUS_BAD_IMPERSONATION_LEVEL);
    Subject.ClientToken = NULL;
    SeReleaseSubjectContext(&Subject);
}

static VOID AccessSubject(VOID)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    PACCESS_TOKEN Primary = PsReferencePrimaryToken(PsGetCurrentProcess());
    SeCaptureSubjectContext(&Subject);
    CT_EQUAL(Subject.PrimaryToken, Primary);
    CT_EQUAL(Subject.ClientToken, NULL);
    SeLockSubjectContext(&Subject);
    CT_CHECK(SeTokenIsAdmin(Subject.PrimaryToken)); /* reading goes on */
    SeUnlockSubjectContext(&Subject);
    SeReleaseSubjectContext(&Subject);
    CT_SUCCESS(PsImpersonateClient(PsGetCurrentThread(), Primary, FALSE, FALSE, SecurityImpersonation));
    SeCaptureSubjectContext(&Subject);
    CT_EQUAL(Subject.ClientToken, Primary);
    CT_EQUAL(Subject.ImpersonationLevel, SecurityImpersonation);
    CT_EQUAL(SeQuerySubjectContextToken(&Subject), Primary);
    SeReleaseSubjectContext(&Subject);
    SeCaptureSubjectContextEx(NULL, PsGetCurrentProcess(), &Subject);
    CT_EQUAL(Subject.ClientToken, NULL);
    SeReleaseSubjectContext(&Subject);
    PsRevertToSelf();
    PsDereferencePrimaryToken(Primary);
}

/* The System process's token with one more privilege enabled; referenced. */
static PACCESS_TOKEN TokenWith(ULONG Privilege)
{
    HANDLE Process = NULL, Copy = NULL;
    PVOID Token = NULL;
    OBJECT_ATTRIBUTES Attributes;
    TOKEN_PRIVILEGES New = {1, {{{Privilege, 0}, SE_PRIVILEGE_ENABLED}}};
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwOpenProcessTokenEx(ZwCurrentProcess(), TOKEN_DUPLICATE, OBJ_KERNEL_HANDLE, &Process));
    CT_SUCCESS(ZwDuplicateToken(Process, TOKEN_ALL_ACCESS, &Attributes, FALSE, TokenPrimary, &Copy));
    CT_SUCCESS(ZwAdjustPrivilegesToken(Copy, FALSE, &New, 0, NULL, NULL));
    CT_SUCCESS(ObReferenceObjectByHandle(Copy, 0, *SeTokenObjectType, KernelMode, &Token, NULL));
    ZwClose(Copy);
    ZwClose(Process);
    return Token;
}

/* An access check says which privileges it used. */
static VOID CheckUsed(ULONG Privilege, ACCESS_MASK Desired)
{
    ACCESS_OBJECT Object;
    SECURITY_SUBJECT_CONTEXT Subject = {NULL, SecurityAnonymous, TokenWith(Privilege), NULL};
    ACCESS_MASK Granted = 0;
    NTSTATUS Status = STATUS_UNSUCCESSFUL;
    PPRIVILEGE_SET Used = NULL;
    CT_REQUIRE(Subject.PrimaryToken != NULL);
    BuildObject(&AccessCases[5], &Object); /* System may 3 */
    CT_CHECK(SeAccessCheck(&Object.Descriptor, &Subject, FALSE, Desired | 1, 0, &Used, &Mapping, UserMode,
                           &Granted, &Status));
    CT_SUCCESS(Status);
    CT_EQUAL(Granted, Desired | 1);
    ObDereferenceObject(Subject.PrimaryToken);
    CT_REQUIRE(Used != NULL);
    CT_EQUAL(Used->PrivilegeCount, 1);
    CT_EQUAL(Used->Privilege[0].Luid.LowPart, Privilege);
    SeFreePrivileges(Used);
}

static VOID AccessPrivileges(VOID)
{
    MakeSids();
    CheckUsed(SE_SECURITY_PRIVILEGE, ACCESS_SYSTEM_SECURITY);
    CheckUsed(SE_TAKE_OWNERSHIP_PRIVILEGE, WRITE_OWNER);
    SECURITY_SUBJECT_CONTEXT Subject;
    LUID Tcb = {SE_TCB_PRIVILEGE, 0}, Security = {SE_SECURITY_PRIVILEGE, 0};
    PRIVILEGE_SET Set = {1, PRIVILEGE_SET_ALL_NECESSARY, {{{SE_TCB_PRIVILEGE, 0}, 0}}};
    CT_CHECK(SeSinglePrivilegeCheck(Tcb, UserMode));
    CT_CHECK(!SeSinglePrivilegeCheck(Security, UserMode)); /* held, not enabled */
    CT_CHECK(SeSinglePrivilegeCheck(Security, KernelMode));
    SeCaptureSubjectContext(&Subject);
    CT_CHECK(SePrivilegeCheck(&Set, &Subject, UserMode));
    CT_CHECK(Set.Privilege[0].Attributes & SE_PRIVILEGE_USED_FOR_ACCESS);
    Set.Privilege[0].Luid.LowPart = SE_SECURITY_PRIVILEGE;
    CT_CHECK(!SePrivilegeCheck(&Set, &Subject, UserMode));
    CT_CHECK(SePrivilegeCheck(&Set, &Subject, KernelMode));
    SeReleaseSubjectContext(&Subject);
}

/* A kernel-mode caller's descriptor is taken as it is, unless a copy is asked for. */
static VOID AccessCapture(VOID)
{
    ACCESS_OBJECT Object;
    PSECURITY_DESCRIPTOR Copy = NULL;
    MakeSids();
    BuildObject(&AccessCases[5], &Object);
    CT_SUCCESS(SeCaptureSecurityDescriptor(&Object.Descriptor, KernelMode, PagedPool, FALSE, &Copy));
    CT_EQUAL(Copy, &Object.Descriptor);
    SeReleaseSecurityDescriptor(Copy, KernelMode, FALSE);
    CT_SUCCESS(SeCaptureSecurityDescriptor(&Object.Descriptor, KernelMode, NonPagedPoolNx, TRUE, &Copy));
    CT_REQUIRE(Copy != NULL && Copy != &Object.Descriptor);
    CT_CHECK(SeValidSecurityDescriptor(RtlLengthSecurityDescriptor(Copy), Copy));
    CT_CHECK(!SeValidSecurityDescriptor(RtlLengthSecurityDescriptor(Copy) - 4, Copy));
    CT_CHECK(((SECURITY_DESCRIPTOR_RELATIVE *)Copy)->Control & SE_SELF_RELATIVE);
    SeReleaseSecurityDescriptor(Copy, KernelMode, TRUE);
    CT_SUCCESS(SeCaptureSecurityDescriptor(NULL, KernelMode, PagedPool, TRUE, &Copy));
    CT_EQUAL(Copy, NULL);
    Object.Descriptor.Revision = 7;
    CT_STATUS(SeCaptureSecurityDescriptor(&Object.Descriptor, KernelMode, PagedPool, TRUE, &Copy),
              STATUS_UNKNOWN_REVISION);
}

/* What is not given comes from the token; generic rights are mapped. */
static VOID AccessAssign(VOID)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    ACCESS_OBJECT Object;
    PSECURITY_DESCRIPTOR New = NULL;
    PSID Owner = NULL;
    PACL Dacl = NULL;
    PACCESS_ALLOWED_ACE Ace = NULL;
    BOOLEAN Present = FALSE, Defaulted = FALSE;
    MakeSids();
    SeCaptureSubjectContext(&Subject);
    CT_SUCCESS(SeAssignSecurity(NULL, NULL, &New, FALSE, &Subject, &Mapping, PagedPool));
    CT_REQUIRE(New != NULL);
    RtlGetOwnerSecurityDescriptor(New, &Owner, &Defaulted);
    CT_CHECK(RtlEqualSid(Owner, &Sids[Admins])); /* the token's default owner */
    RtlGetDaclSecurityDescriptor(New, &Present, &Dacl, &Defaulted);
    CT_REQUIRE(Present && Dacl != NULL);
    CT_SUCCESS(RtlGetAce(Dacl, 0, (PVOID *)&Ace));
    CT_EQUAL(Ace->Mask & (GENERIC_ALL | GENERIC_READ), 0);
    CT_SUCCESS(SeDeassignSecurity(&New));
    CT_EQUAL(New, NULL);
    BuildObject(&AccessCases[5], &Object); /* owner Users */
    RtlSetSaclSecurityDescriptor(&Object.Descriptor, FALSE, NULL, FALSE);
    CT_STATUS(
        SeAssignSecurityEx(NULL, &Object.Descriptor, &New, NULL, FALSE, 0, &Subject, &Mapping, PagedPool),
        STATUS_INVALID_OWNER);
    CT_SUCCESS(SeAssignSecurityEx(NULL, &Object.Descriptor, &New, NULL, FALSE, SEF_AVOID_OWNER_CHECK,
                                  &Subject, &Mapping, NonPagedPoolNx));
    CT_REQUIRE(New != NULL);
    RtlGetOwnerSecurityDescriptor(New, &Owner, &Defaulted);
    CT_CHECK(RtlEqualSid(Owner, &Sids[Users]));
    SeDeassignSecurity(&New);
    SeReleaseSubjectContext(&Subject);
}

/* The flags of the only ACE that an object gets from a container with one of these flags; 0x100: it gets none of it. */
static ULONG InheritedFlags(ULONG Flags, BOOLEAN IsContainer)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    SECURITY_DESCRIPTOR Parent;
    UCHAR Room[64] __attribute__((aligned(8)));
    PSECURITY_DESCRIPTOR New = NULL;
    PACL Dacl = NULL;
    PACCESS_ALLOWED_ACE Ace = NULL;
    BOOLEAN Present = FALSE, Defaulted;
    ULONG Result = 0x100;
    CT_SUCCESS(RtlCreateSecurityDescriptor(&Parent, SECURITY_DESCRIPTOR_REVISION));
    CT_SUCCESS(RtlCreateAcl((PACL)Room, sizeof(Room), ACL_REVISION));
    CT_SUCCESS(RtlAddAccessAllowedAceEx((PACL)Room, ACL_REVISION, Flags, 0x1, &Sids[Users]));
    CT_SUCCESS(RtlSetDaclSecurityDescriptor(&Parent, TRUE, (PACL)Room, FALSE));
    SeCaptureSubjectContext(&Subject);
    if (CT_SUCCESS(SeAssignSecurity(&Parent, NULL, &New, IsContainer, &Subject, &Mapping, PagedPool))) {
        RtlGetDaclSecurityDescriptor(New, &Present, &Dacl, &Defaulted);
        if (Present && Dacl != NULL && Dacl->AceCount == 1 && NT_SUCCESS(RtlGetAce(Dacl, 0, (PVOID *)&Ace)) &&
            RtlEqualSid(&Ace->SidStart, &Sids[Users]))
            Result = Ace->Header.AceFlags;
        SeDeassignSecurity(&New);
    }
    SeReleaseSubjectContext(&Subject);
    return Result;
}

/* [Win32 ACE Inheritance Rules] */
static VOID AccessInherit(VOID)
{
    const ULONG OI = OBJECT_INHERIT_ACE, CI = CONTAINER_INHERIT_ACE, NP = NO_PROPAGATE_INHERIT_ACE,
                IO = INHERIT_ONLY_ACE;
    MakeSids();
    CT_EQUAL(InheritedFlags(0, TRUE), 0x100);
    CT_EQUAL(InheritedFlags(CI, TRUE), CI);
    CT_EQUAL(InheritedFlags(CI, FALSE), 0x100);
    CT_EQUAL(InheritedFlags(OI, TRUE), OI | IO);
    CT_EQUAL(InheritedFlags(OI, FALSE), 0);
    CT_EQUAL(InheritedFlags(OI | CI, TRUE), OI | CI);
    CT_EQUAL(InheritedFlags(OI | CI | IO, TRUE), OI | CI);
    CT_EQUAL(InheritedFlags(CI | NP, TRUE), 0);
    CT_EQUAL(InheritedFlags(OI | CI | NP, TRUE), 0);
    CT_EQUAL(InheritedFlags(OI | NP, TRUE), 0x100);
    CT_EQUAL(InheritedFlags(OI | NP, FALSE), 0);
}

static VOID AccessChange(VOID)
{
    ACCESS_OBJECT Object;
    SECURITY_SUBJECT_CONTEXT Subject;
    PSECURITY_DESCRIPTOR Current = NULL, Old;
    SECURITY_INFORMATION Dacl = DACL_SECURITY_INFORMATION, OwnerOnly = OWNER_SECURITY_INFORMATION;
    UCHAR Room[256] __attribute__((aligned(8)));
    ULONG Length = 0;
    PACL Found = NULL;
    PSID Owner = NULL;
    BOOLEAN Present = FALSE, Defaulted;
    MakeSids();
    SeCaptureSubjectContext(&Subject);
    CT_SUCCESS(SeAssignSecurity(NULL, NULL, &Current, FALSE, &Subject, &Mapping, PagedPool));
    SeReleaseSubjectContext(&Subject);
    CT_STATUS(SeQuerySecurityDescriptorInfo(&OwnerOnly, Room, &Length, &Current), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Length, sizeof(SECURITY_DESCRIPTOR_RELATIVE) + RtlLengthSid(&Sids[Admins]));
    CT_SUCCESS(SeQuerySecurityDescriptorInfo(&OwnerOnly, Room, &Length, &Current));
    RtlGetOwnerSecurityDescriptor(Room, &Owner, &Defaulted);
    CT_CHECK(RtlEqualSid(Owner, &Sids[Admins]));
    RtlGetDaclSecurityDescriptor(Room, &Present, &Found, &Defaulted);
    CT_CHECK(!Present);
    /* a new DACL; the owner stays */
    BuildObject(&AccessCases[5], &Object);
    Old = Current;
    CT_SUCCESS(SeSetSecurityDescriptorInfo(NULL, &Dacl, &Object.Descriptor, &Current, PagedPool, &Mapping));
    CT_REQUIRE(Current != Old);
    ExFreePool(Old);
    RtlGetDaclSecurityDescriptor(Current, &Present, &Found, &Defaulted);
    CT_CHECK(Present && Found->AceCount == 1);
    RtlGetOwnerSecurityDescriptor(Current, &Owner, &Defaulted);
    CT_CHECK(RtlEqualSid(Owner, &Sids[Admins]));
    Old = Current;
    CT_STATUS(
        SeSetSecurityDescriptorInfoEx(NULL, &OwnerOnly, &Object.Descriptor, &Current, 0, PagedPool, &Mapping),
        STATUS_INVALID_OWNER);
    CT_EQUAL(Current, Old);
    SeDeassignSecurity(&Current);
    CT_STATUS(SeSetSecurityDescriptorInfo(NULL, &Dacl, &Object.Descriptor, &Current, PagedPool, &Mapping),
              STATUS_NO_SECURITY_ON_OBJECT);
}

static const CT_CASE Cases[] = {
    {"access.table", AccessTable},           {"access.subject", AccessSubject},
    {"access.privileges", AccessPrivileges}, {"access.capture", AccessCapture},
    {"access.assign", AccessAssign},         {"access.inherit", AccessInherit},
    {"access.change", AccessChange},
};

CT_DRIVER(Cases)
