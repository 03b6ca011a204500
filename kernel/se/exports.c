/* SPDX-License-Identifier: MIT
 * The well-known SIDs and SeExports, which gives them and the numbers of the privileges to drivers. [WDK SE_EXPORTS], [MS-DTYP
 * 2.4.2.4] */
#include "sep.h"

typedef struct _SEP_SID2 {
    UCHAR Revision, Count;
    SID_IDENTIFIER_AUTHORITY Authority;
    ULONG First, Second;
} SEP_SID2;

#define SEP_NT_SID(First)                                                                                    \
    {                                                                                                        \
        SID_REVISION, 1, {{0, 0, 0, 0, 0, 5}},                                                               \
        {                                                                                                    \
            First                                                                                            \
        }                                                                                                    \
    }
#define SEP_SID(Authority, First)                                                                            \
    {                                                                                                        \
        SID_REVISION, 1, {{0, 0, 0, 0, 0, Authority}},                                                       \
        {                                                                                                    \
            First                                                                                            \
        }                                                                                                    \
    }
#define SEP_BUILTIN_SID(Second) {SID_REVISION, 2, {{0, 0, 0, 0, 0, 5}}, SECURITY_BUILTIN_DOMAIN_RID, Second}

const SID SeSystemSid = SEP_NT_SID(SECURITY_LOCAL_SYSTEM_RID);
const SID SeAuthenticatedSid = SEP_NT_SID(SECURITY_AUTHENTICATED_USER_RID);
const SID SeRestrictedCodeSid = SEP_NT_SID(SECURITY_RESTRICTED_CODE_RID);
const SID SeInteractiveSid = SEP_NT_SID(SECURITY_INTERACTIVE_RID);
const SID SeWorldSid = SEP_SID(1, 0);
const SID SeLocalSid = SEP_SID(2, 0);
static const SID SepNullSid = SEP_SID(0, 0), SepCreatorOwnerSid = SEP_SID(3, 0),
                 SepCreatorGroupSid = SEP_SID(3, 1), SepOwnerRightsSid = SEP_SID(3, 4),
                 SepDialupSid = SEP_NT_SID(SECURITY_DIALUP_RID),
                 SepNetworkSid = SEP_NT_SID(SECURITY_NETWORK_RID),
                 SepBatchSid = SEP_NT_SID(SECURITY_BATCH_RID),
                 SepAnonymousSid = SEP_NT_SID(SECURITY_ANONYMOUS_LOGON_RID),
                 SepLocalServiceSid = SEP_NT_SID(SECURITY_LOCAL_SERVICE_RID),
                 SepNetworkServiceSid = SEP_NT_SID(SECURITY_NETWORK_SERVICE_RID),
                 SepIUserSid = SEP_NT_SID(SECURITY_IUSER_RID),
                 SepNtAuthoritySid = {SID_REVISION, 0, {{0, 0, 0, 0, 0, 5}}, {0}};
static const SEP_SID2 SepAdmins = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_ADMINS),
                      SepUsers = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_USERS),
                      SepGuests = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_GUESTS),
                      SepPowerUsers = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_POWER_USERS),
                      SepAccountOps = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_ACCOUNT_OPS),
                      SepSystemOps = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_SYSTEM_OPS),
                      SepPrintOps = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_PRINT_OPS),
                      SepBackupOps = SEP_BUILTIN_SID(DOMAIN_ALIAS_RID_BACKUP_OPS);
static const SID SepLabels[] = {
    SEP_SID(16, SECURITY_MANDATORY_UNTRUSTED_RID), SEP_SID(16, SECURITY_MANDATORY_LOW_RID),
    SEP_SID(16, SECURITY_MANDATORY_MEDIUM_RID), SEP_SID(16, SECURITY_MANDATORY_HIGH_RID),
    SEP_SID(16, SECURITY_MANDATORY_SYSTEM_RID)};

PSID SepAdminsSid(VOID)
{
    return (PSID)&SepAdmins;
}

PSID SepUsersSid(VOID)
{
    return (PSID)&SepUsers;
}

PSID SepLabelSid(ULONG Level)
{
    return (PSID)&SepLabels[Level >> 12];
}

#define SEP_PRIVILEGE(Name) {SE_##Name##_PRIVILEGE, 0}

static SE_EXPORTS SepExports = {
    .SeCreateTokenPrivilege = SEP_PRIVILEGE(CREATE_TOKEN),
    .SeAssignPrimaryTokenPrivilege = SEP_PRIVILEGE(ASSIGNPRIMARYTOKEN),
    .SeLockMemoryPrivilege = SEP_PRIVILEGE(LOCK_MEMORY),
    .SeIncreaseQuotaPrivilege = SEP_PRIVILEGE(INCREASE_QUOTA),
    .SeUnsolicitedInputPrivilege = SEP_PRIVILEGE(UNSOLICITED_INPUT),
    .SeTcbPrivilege = SEP_PRIVILEGE(TCB),
    .SeSecurityPrivilege = SEP_PRIVILEGE(SECURITY),
    .SeTakeOwnershipPrivilege = SEP_PRIVILEGE(TAKE_OWNERSHIP),
    .SeLoadDriverPrivilege = SEP_PRIVILEGE(LOAD_DRIVER),
    .SeCreatePagefilePrivilege = SEP_PRIVILEGE(CREATE_PAGEFILE),
    .SeIncreaseBasePriorityPrivilege = SEP_PRIVILEGE(INC_BASE_PRIORITY),
    .SeSystemProfilePrivilege = SEP_PRIVILEGE(SYSTEM_PROFILE),
    .SeSystemtimePrivilege = SEP_PRIVILEGE(SYSTEMTIME),
    .SeProfileSingleProcessPrivilege = SEP_PRIVILEGE(PROF_SINGLE_PROCESS),
    .SeCreatePermanentPrivilege = SEP_PRIVILEGE(CREATE_PERMANENT),
    .SeBackupPrivilege = SEP_PRIVILEGE(BACKUP),
    .SeRestorePrivilege = SEP_PRIVILEGE(RESTORE),
    .SeShutdownPrivilege = SEP_PRIVILEGE(SHUTDOWN),
    .SeDebugPrivilege = SEP_PRIVILEGE(DEBUG),
    .SeAuditPrivilege = SEP_PRIVILEGE(AUDIT),
    .SeSystemEnvironmentPrivilege = SEP_PRIVILEGE(SYSTEM_ENVIRONMENT),
    .SeChangeNotifyPrivilege = SEP_PRIVILEGE(CHANGE_NOTIFY),
    .SeRemoteShutdownPrivilege = SEP_PRIVILEGE(REMOTE_SHUTDOWN),
    .SeNullSid = (PSID)&SepNullSid,
    .SeWorldSid = (PSID)&SeWorldSid,
    .SeLocalSid = (PSID)&SeLocalSid,
    .SeCreatorOwnerSid = (PSID)&SepCreatorOwnerSid,
    .SeCreatorGroupSid = (PSID)&SepCreatorGroupSid,
    .SeNtAuthoritySid = (PSID)&SepNtAuthoritySid,
    .SeDialupSid = (PSID)&SepDialupSid,
    .SeNetworkSid = (PSID)&SepNetworkSid,
    .SeBatchSid = (PSID)&SepBatchSid,
    .SeInteractiveSid = (PSID)&SeInteractiveSid,
    .SeLocalSystemSid = (PSID)&SeSystemSid,
    .SeAliasAdminsSid = (PSID)&SepAdmins,
    .SeAliasUsersSid = (PSID)&SepUsers,
    .SeAliasGuestsSid = (PSID)&SepGuests,
    .SeAliasPowerUsersSid = (PSID)&SepPowerUsers,
    .SeAliasAccountOpsSid = (PSID)&SepAccountOps,
    .SeAliasSystemOpsSid = (PSID)&SepSystemOps,
    .SeAliasPrintOpsSid = (PSID)&SepPrintOps,
    .SeAliasBackupOpsSid = (PSID)&SepBackupOps,
    .SeAuthenticatedUsersSid = (PSID)&SeAuthenticatedSid,
    .SeRestrictedSid = (PSID)&SeRestrictedCodeSid,
    .SeAnonymousLogonSid = (PSID)&SepAnonymousSid,
    .SeUndockPrivilege = SEP_PRIVILEGE(UNDOCK),
    .SeSyncAgentPrivilege = SEP_PRIVILEGE(SYNC_AGENT),
    .SeEnableDelegationPrivilege = SEP_PRIVILEGE(ENABLE_DELEGATION),
    .SeLocalServiceSid = (PSID)&SepLocalServiceSid,
    .SeNetworkServiceSid = (PSID)&SepNetworkServiceSid,
    .SeManageVolumePrivilege = SEP_PRIVILEGE(MANAGE_VOLUME),
    .SeImpersonatePrivilege = SEP_PRIVILEGE(IMPERSONATE),
    .SeCreateGlobalPrivilege = SEP_PRIVILEGE(CREATE_GLOBAL),
    .SeTrustedCredManAccessPrivilege = SEP_PRIVILEGE(TRUSTED_CREDMAN_ACCESS),
    .SeRelabelPrivilege = SEP_PRIVILEGE(RELABEL),
    .SeIncreaseWorkingSetPrivilege = SEP_PRIVILEGE(INC_WORKING_SET),
    .SeTimeZonePrivilege = SEP_PRIVILEGE(TIME_ZONE),
    .SeCreateSymbolicLinkPrivilege = SEP_PRIVILEGE(CREATE_SYMBOLIC_LINK),
    .SeIUserSid = (PSID)&SepIUserSid,
    .SeUntrustedMandatorySid = (PSID)&SepLabels[0],
    .SeLowMandatorySid = (PSID)&SepLabels[1],
    .SeMediumMandatorySid = (PSID)&SepLabels[2],
    .SeHighMandatorySid = (PSID)&SepLabels[3],
    .SeSystemMandatorySid = (PSID)&SepLabels[4],
    .SeOwnerRightsSid = (PSID)&SepOwnerRightsSid,
};

PSE_EXPORTS SeExports = &SepExports;
