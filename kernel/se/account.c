/* SPDX-License-Identifier: MIT
 * The tokens of the accounts that there are without an account database. [Win32 Well-known SIDs, Privilege Constants], [WDK Access
 * Tokens] The System process's token has those of [Win32 LocalSystem
 * Account], in the state that the page gives, and six later ones of [Win32 Privilege Constants] (TRUSTED_CREDMAN_ACCESS and below, SYSTEM_PROFILE). */
#include "sep.h"

#define SEP_ON (SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT)
#define SEP_GROUP (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)
#define SEP_LEVEL (SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED)
#define SEP_PRIVILEGE(Name, Attributes) {{SE_##Name##_PRIVILEGE, 0}, Attributes}

static const LUID_AND_ATTRIBUTES SepSystemPrivileges[] = {
    SEP_PRIVILEGE(CREATE_TOKEN, 0),
    SEP_PRIVILEGE(ASSIGNPRIMARYTOKEN, 0),
    SEP_PRIVILEGE(LOCK_MEMORY, SEP_ON),
    SEP_PRIVILEGE(INCREASE_QUOTA, 0),
    SEP_PRIVILEGE(TCB, SEP_ON),
    SEP_PRIVILEGE(SECURITY, 0),
    SEP_PRIVILEGE(TAKE_OWNERSHIP, 0),
    SEP_PRIVILEGE(LOAD_DRIVER, 0),
    SEP_PRIVILEGE(SYSTEM_PROFILE, SEP_ON),
    SEP_PRIVILEGE(SYSTEMTIME, 0),
    SEP_PRIVILEGE(PROF_SINGLE_PROCESS, SEP_ON),
    SEP_PRIVILEGE(INC_BASE_PRIORITY, SEP_ON),
    SEP_PRIVILEGE(CREATE_PAGEFILE, SEP_ON),
    SEP_PRIVILEGE(CREATE_PERMANENT, SEP_ON),
    SEP_PRIVILEGE(BACKUP, 0),
    SEP_PRIVILEGE(RESTORE, 0),
    SEP_PRIVILEGE(SHUTDOWN, 0),
    SEP_PRIVILEGE(DEBUG, SEP_ON),
    SEP_PRIVILEGE(AUDIT, SEP_ON),
    SEP_PRIVILEGE(SYSTEM_ENVIRONMENT, 0),
    SEP_PRIVILEGE(CHANGE_NOTIFY, SEP_ON),
    SEP_PRIVILEGE(UNDOCK, 0),
    SEP_PRIVILEGE(MANAGE_VOLUME, 0),
    SEP_PRIVILEGE(IMPERSONATE, SEP_ON),
    SEP_PRIVILEGE(CREATE_GLOBAL, SEP_ON),
    SEP_PRIVILEGE(TRUSTED_CREDMAN_ACCESS, 0),
    SEP_PRIVILEGE(RELABEL, 0),
    SEP_PRIVILEGE(INC_WORKING_SET, SEP_ON),
    SEP_PRIVILEGE(TIME_ZONE, SEP_ON),
    SEP_PRIVILEGE(CREATE_SYMBOLIC_LINK, SEP_ON),
};

static const LUID_AND_ATTRIBUTES SepAdministratorPrivileges[] = {
    SEP_PRIVILEGE(INCREASE_QUOTA, 0),
    SEP_PRIVILEGE(SECURITY, 0),
    SEP_PRIVILEGE(TAKE_OWNERSHIP, 0),
    SEP_PRIVILEGE(LOAD_DRIVER, 0),
    SEP_PRIVILEGE(SYSTEM_PROFILE, 0),
    SEP_PRIVILEGE(SYSTEMTIME, 0),
    SEP_PRIVILEGE(PROF_SINGLE_PROCESS, 0),
    SEP_PRIVILEGE(INC_BASE_PRIORITY, 0),
    SEP_PRIVILEGE(CREATE_PAGEFILE, 0),
    SEP_PRIVILEGE(BACKUP, 0),
    SEP_PRIVILEGE(RESTORE, 0),
    SEP_PRIVILEGE(SHUTDOWN, 0),
    SEP_PRIVILEGE(DEBUG, 0),
    SEP_PRIVILEGE(SYSTEM_ENVIRONMENT, 0),
    SEP_PRIVILEGE(CHANGE_NOTIFY, SEP_ON),
    SEP_PRIVILEGE(REMOTE_SHUTDOWN, 0),
    SEP_PRIVILEGE(UNDOCK, 0),
    SEP_PRIVILEGE(MANAGE_VOLUME, 0),
    SEP_PRIVILEGE(IMPERSONATE, SEP_ON),
    SEP_PRIVILEGE(CREATE_GLOBAL, SEP_ON),
    SEP_PRIVILEGE(INC_WORKING_SET, 0),
    SEP_PRIVILEGE(TIME_ZONE, 0),
    SEP_PRIVILEGE(CREATE_SYMBOLIC_LINK, 0),
};

static const LUID_AND_ATTRIBUTES SepUserPrivileges[] = {
    SEP_PRIVILEGE(CHANGE_NOTIFY, SEP_ON), /* first: the only one of a restricted token */
    SEP_PRIVILEGE(SHUTDOWN, 0),           SEP_PRIVILEGE(UNDOCK, 0),
    SEP_PRIVILEGE(INC_WORKING_SET, 0),    SEP_PRIVILEGE(TIME_ZONE, 0),
};

/* Accounts of this machine: S-1-5-21-0-0-0-RID, Administrator and the first ordinary user. */
typedef struct _SEP_ACCOUNT_SID {
    UCHAR Revision, Count;
    SID_IDENTIFIER_AUTHORITY Authority;
    ULONG SubAuthority[5];
} SEP_ACCOUNT_SID;
static const SEP_ACCOUNT_SID SepAdministrator = {
    SID_REVISION, 5, {{0, 0, 0, 0, 0, 5}}, {SECURITY_NT_NON_UNIQUE, 0, 0, 0, DOMAIN_USER_RID_ADMIN}};
static const SEP_ACCOUNT_SID SepUser = {
    SID_REVISION, 5, {{0, 0, 0, 0, 0, 5}}, {SECURITY_NT_NON_UNIQUE, 0, 0, 0, 1001}};

#define SEP_MAX_SIDS 7

typedef struct _SEP_ACCOUNT {
    SID_AND_ATTRIBUTES Sids[SEP_MAX_SIDS]; /* ends with a NULL or the end */
    const LUID_AND_ATTRIBUTES *Privileges;
    ULONG PrivilegeCount, Owner, Group, Level;
    ULONG LogonSession; /* low part of its LUID */
} SEP_ACCOUNT;

/* What cannot stand in a static initialiser: SIDs behind functions. */
static VOID SepDescribeAccount(SE_ACCOUNT Account, SEP_ACCOUNT *A)
{
    const SID_AND_ATTRIBUTES World = {(PSID)&SeWorldSid, SEP_GROUP},
                             Authenticated = {(PSID)&SeAuthenticatedSid, SEP_GROUP},
                             Local = {(PSID)&SeLocalSid, SEP_GROUP},
                             Interactive = {(PSID)&SeInteractiveSid, SEP_GROUP},
                             Users = {SepUsersSid(), SEP_GROUP},
                             Admins = {SepAdminsSid(),
                                       SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED | SE_GROUP_OWNER};
    switch (Account) {
    case SeAccountSystem:
        *A = (SEP_ACCOUNT){.Sids = {{(PSID)&SeSystemSid, 0}, Admins, World, Authenticated},
                           SepSystemPrivileges,
                           RTL_NUMBER_OF(SepSystemPrivileges),
                           1,
                           0,
                           SECURITY_MANDATORY_SYSTEM_RID,
                           0x3e7}; /* SYSTEM_LUID */
        break;
    case SeAccountAdministrator:
        *A = (SEP_ACCOUNT){
            .Sids = {{(PSID)&SepAdministrator, 0}, Admins, World, Authenticated, Users, Interactive, Local},
            SepAdministratorPrivileges,
            RTL_NUMBER_OF(SepAdministratorPrivileges),
            1,
            4,
            SECURITY_MANDATORY_HIGH_RID,
            0};
        break;
    default:
        *A = (SEP_ACCOUNT){.Sids = {{(PSID)&SepUser, 0}, Users, World, Authenticated, Interactive, Local},
                           SepUserPrivileges,
                           RTL_NUMBER_OF(SepUserPrivileges),
                           0,
                           1,
                           Account == SeAccountRestricted ? SECURITY_MANDATORY_LOW_RID
                                                          : SECURITY_MANDATORY_MEDIUM_RID,
                           0};
    }
}

/* [WDK Access Tokens] the default DACL of a token: System and the owner may do everything. System's is read by administrators. */
static PACL SepDefaultDacl(SE_ACCOUNT Account, const SEP_ACCOUNT *A, PVOID Room, ULONG Length)
{
    PACL Dacl = Room;
    PSID Owner = A->Sids[A->Owner].Sid;
    (void)RtlCreateAcl(Dacl, Length, ACL_REVISION);
    (void)RtlAddAccessAllowedAce(Dacl, ACL_REVISION, GENERIC_ALL, (PSID)&SeSystemSid);
    (void)RtlAddAccessAllowedAce(
        Dacl, ACL_REVISION,
        Account == SeAccountSystem ? GENERIC_READ | GENERIC_EXECUTE | READ_CONTROL : GENERIC_ALL, Owner);
    return Dacl;
}

NTSTATUS SeCreateAccountToken(SE_ACCOUNT Account, PACCESS_TOKEN *Token)
{
    SEP_ACCOUNT A;
    SID_AND_ATTRIBUTES Sids[SEP_MAX_SIDS + 1],
        Restricted[] = {{(PSID)&SeRestrictedCodeSid, SEP_GROUP}, {SepUsersSid(), SEP_GROUP}};
    UCHAR Room[128] __attribute__((aligned(8))) = {0}; /* user mode reads what is behind the last ACE too */
    ULONG Count = 0;
    BOOLEAN IsRestricted = Account == SeAccountRestricted;
    NT_CHECK(Account < SeAccountCount);
    SepDescribeAccount(Account, &A);
    for (; Count < SEP_MAX_SIDS && A.Sids[Count].Sid != NULL; Count++)
        Sids[Count] = A.Sids[Count];
    Sids[Count++] = (SID_AND_ATTRIBUTES){SepLabelSid(A.Level), SEP_LEVEL};
    SE_TOKEN_SPEC Spec = {
        .Sids = Sids,
        .SidCount = Count,
        .Restricted = Restricted,
        .RestrictedCount = IsRestricted ? RTL_NUMBER_OF(Restricted) : 0,
        .Privileges = A.Privileges,
        .PrivilegeCount = IsRestricted ? 1 : A.PrivilegeCount,
        .Owner = A.Owner,
        .Group = A.Group,
        .DefaultDacl = SepDefaultDacl(Account, &A, Room, sizeof(Room)),
        .Source = {.SourceName = {'*', 'S', 'Y', 'S', 'T', 'E', 'M', '*'}},
        .AuthenticationId = A.LogonSession != 0 ? (LUID){A.LogonSession, 0} : SeNewLuid(),
        .Type = TokenPrimary,
        .MandatoryPolicy = TOKEN_MANDATORY_POLICY_NO_WRITE_UP | TOKEN_MANDATORY_POLICY_NEW_PROCESS_MIN,
    };
    return SeCreateToken(&Spec, Token);
}
