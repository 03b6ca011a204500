/* SPDX-License-Identifier: MIT
 * Access checks worked out from the documentation, each with its source: ct_access.c asks SeAccessCheck, test/unit/se the same code on
 * the host. The tokens are what SeFilterToken makes of the System process's token. [MS] is MS-DTYP 2.5.3.2. */
#pragma once

typedef enum ACCESS_WHO {
    Nobody, /* ends a list */
    System,
    Admins,
    World,
    Authenticated,
    Users, /* System is not one of them */
    OwnerRights,
    LowLabel,
    MediumLabel,
    SystemLabel,
    WhoCount
} ACCESS_WHO;

typedef enum ACCESS_WHOSE {
    WholeToken, /* user System; groups Administrators (may own), Everyone, Authenticated Users; integrity System */
    DenyAdmins,      /* Administrators for deny only */
    OnlyWorld,       /* restricted to Everyone */
    OnlyAdmins,      /* restricted to Administrators */
    WritesOnlyWorld, /* restricted to Everyone, for writing */
    WhoseCount
} ACCESS_WHOSE;

typedef enum ACCESS_DACL { List, NullDacl, NoDacl } ACCESS_DACL;
typedef enum ACCESS_ACE_KIND { Allow, Deny, AllowInheritOnly, DenyInheritOnly, Label } ACCESS_ACE_KIND;

/* Read READ_CONTROL | 1, write READ_CONTROL | 2, execute READ_CONTROL | 4, all 0xF0007. */
#define CASE_READ 0x20001
#define CASE_WRITE 0x20002
#define CASE_EXECUTE 0x20004
#define CASE_ALL 0xF0007
#define CASE_MAXIMUM 0x02000000
#define CASE_SYSTEM_SECURITY 0x01000000
#define CASE_RC_WD 0x60000 /* READ_CONTROL | WRITE_DAC */

#define CASE_SUCCESS 0
#define CASE_DENIED 0xC0000022
#define CASE_NO_PRIVILEGE 0xC0000061

typedef struct ACCESS_CASE {
    const char *Name;
    ACCESS_WHOSE Whose;
    ACCESS_WHO Owner;
    ACCESS_DACL Kind;
    struct {
        ACCESS_ACE_KIND Kind;
        unsigned int Mask;
        ACCESS_WHO Who;
    } Ace[4]; /* a Label goes to the SACL */
    unsigned int Desired, Status, Granted;
} ACCESS_CASE;

/* clang-format off */
static const ACCESS_CASE AccessCases[] = {
    /* [Win32 DACLs and ACEs] no DACL or a NULL one: full access for everybody; an empty one: none for anybody. */
    {"null dacl", WholeToken, Users, NullDacl, {{0}}, CASE_WRITE | 0x100, CASE_SUCCESS, CASE_WRITE | 0x100},
    {"no dacl", WholeToken, Users, NoDacl, {{0}}, CASE_ALL, CASE_SUCCESS, CASE_ALL},
    {"null dacl, all there is", WholeToken, Users, NullDacl, {{0}}, CASE_MAXIMUM, CASE_SUCCESS, CASE_ALL},
    {"empty dacl", WholeToken, Users, List, {{0}}, 1, CASE_DENIED, 0},
    {"empty dacl, all there is", WholeToken, Users, List, {{0}}, CASE_MAXIMUM, CASE_DENIED, 0},
    /* [MS] the ACEs in their order. */
    {"user allowed", WholeToken, Users, List, {{Allow, 3, System}}, 3, CASE_SUCCESS, 3},
    {"group allowed", WholeToken, Users, List, {{Allow, 3, Admins}}, 2, CASE_SUCCESS, 2},
    {"somebody else allowed", WholeToken, Users, List, {{Allow, 7, Users}}, 1, CASE_DENIED, 0},
    {"part is not enough", WholeToken, Users, List, {{Allow, 3, World}}, 7, CASE_DENIED, 0},
    {"two make a whole", WholeToken, Users, List, {{Allow, 3, World}, {Allow, 4, Authenticated}}, 7, CASE_SUCCESS, 7},
    {"denied first", WholeToken, Users, List, {{Deny, 2, Admins}, {Allow, 7, World}}, 3, CASE_DENIED, 0},
    {"denied, not asked for", WholeToken, Users, List, {{Deny, 2, Admins}, {Allow, 7, World}}, 5, CASE_SUCCESS, 5},
    {"allowed first", WholeToken, Users, List, {{Allow, 7, World}, {Deny, 2, Admins}}, 3, CASE_SUCCESS, 3},
    {"somebody else denied", WholeToken, Users, List, {{Deny, 7, Users}, {Allow, 7, World}}, 7, CASE_SUCCESS, 7},
    {"inherit only allows nothing", WholeToken, Users, List, {{AllowInheritOnly, 7, World}}, 1, CASE_DENIED, 0},
    {"inherit only denies nothing", WholeToken, Users, List, {{DenyInheritOnly, 7, World}, {Allow, 1, World}}, 1, CASE_SUCCESS, 1},
    {"all there is, in order", WholeToken, Users, List, {{Allow, 1, World}, {Deny, 3, Admins}, {Allow, 6, System}}, CASE_MAXIMUM, CASE_SUCCESS, 5},
    {"all there is and more", WholeToken, Users, List, {{Allow, 1, World}}, CASE_MAXIMUM | 2, CASE_DENIED, 0},
    {"all there is and what is in it", WholeToken, Users, List, {{Allow, 3, World}}, CASE_MAXIMUM | 2, CASE_SUCCESS, 3},
    /* [WDK ACCESS_MASK] generic rights asked for are mapped. */
    {"generic read", WholeToken, Users, List, {{Allow, CASE_READ, World}}, 0x80000000, CASE_SUCCESS, CASE_READ},
    {"generic all", WholeToken, Users, List, {{Allow, CASE_READ, World}}, 0x10000000, CASE_DENIED, 0},
    /* [MS] an owner may read and write the DACL; OWNER RIGHTS takes that away. */
    {"owner", WholeToken, System, List, {{0}}, CASE_RC_WD, CASE_SUCCESS, CASE_RC_WD},
    {"group is owner", WholeToken, Admins, List, {{0}}, CASE_RC_WD, CASE_SUCCESS, CASE_RC_WD},
    {"owner, all there is", WholeToken, System, List, {{Allow, 1, World}}, CASE_MAXIMUM, CASE_SUCCESS, CASE_RC_WD | 1},
    {"owner denied", WholeToken, System, List, {{Deny, CASE_RC_WD, World}}, CASE_RC_WD, CASE_SUCCESS, CASE_RC_WD},
    {"owner for deny only", DenyAdmins, Admins, List, {{0}}, 0x40000, CASE_DENIED, 0},
    {"owner rights", WholeToken, System, List, {{Allow, 0x20000, OwnerRights}}, CASE_RC_WD, CASE_DENIED, 0},
    {"owner rights, all there is", WholeToken, System, List, {{Allow, 0x20001, OwnerRights}}, CASE_MAXIMUM, CASE_SUCCESS, 0x20001},
    {"owner rights of others", WholeToken, Users, List, {{Allow, 7, OwnerRights}}, 1, CASE_DENIED, 0},
    /* [Win32 SID Attributes in an Access Token] SE_GROUP_USE_FOR_DENY_ONLY. */
    {"deny only does not allow", DenyAdmins, Users, List, {{Allow, 7, Admins}}, 1, CASE_DENIED, 0},
    {"deny only denies", DenyAdmins, Users, List, {{Deny, 1, Admins}, {Allow, 7, World}}, 1, CASE_DENIED, 0},
    /* [Win32 Restricted Tokens] both lists must give access. */
    {"restricted, both", OnlyWorld, Users, List, {{Allow, 3, World}}, 3, CASE_SUCCESS, 3},
    {"restricted, only the token", OnlyWorld, Users, List, {{Allow, 3, System}}, 1, CASE_DENIED, 0},
    {"restricted, different parts", OnlyWorld, Users, List, {{Allow, 3, System}, {Allow, 6, World}}, CASE_MAXIMUM, CASE_SUCCESS, 6},
    {"restricted, the other group", OnlyAdmins, Users, List, {{Allow, 3, World}}, 1, CASE_DENIED, 0},
    {"restricted, denied to the list", OnlyAdmins, Users, List, {{Deny, 1, Admins}, {Allow, 7, World}}, 1, CASE_DENIED, 0},
    {"restricted, null dacl", OnlyAdmins, Users, NullDacl, {{0}}, 7, CASE_SUCCESS, 7},
    {"restricted owner", OnlyWorld, System, List, {{0}}, 0x40000, CASE_DENIED, 0},
    /* [Win32 CreateRestrictedToken] WRITE_RESTRICTED: the list counts for write access. */
    {"write-restricted reads", WritesOnlyWorld, Users, List, {{Allow, 7, System}}, 5, CASE_SUCCESS, 5},
    {"write-restricted writes", WritesOnlyWorld, Users, List, {{Allow, 7, System}}, 2, CASE_DENIED, 0},
    {"write-restricted writes, both", WritesOnlyWorld, Users, List, {{Allow, 7, System}, {Allow, 2, World}}, 2, CASE_SUCCESS, 2},
    /* [MS] ACCESS_SYSTEM_SECURITY needs the privilege, which the token has, but not enabled; no ACE gives it. */
    {"system security", WholeToken, Users, List, {{Allow, CASE_SYSTEM_SECURITY | 7, World}}, CASE_SYSTEM_SECURITY | 1, CASE_NO_PRIVILEGE, 0},
    {"all there is has no system security", WholeToken, Users, List, {{Allow, CASE_SYSTEM_SECURITY | 7, World}}, CASE_MAXIMUM, CASE_SUCCESS, 7},
    /* [MS] WRITE_OWNER by SeTakeOwnershipPrivilege: not enabled either. */
    {"take ownership", WholeToken, Users, List, {{Allow, 7, World}}, 0x80000, CASE_DENIED, 0},
    /* [MS 2.5.3.3] the token dominates every label. */
    {"low label", WholeToken, Users, List, {{Allow, 7, World}, {Label, 1, LowLabel}}, 7, CASE_SUCCESS, 7},
    {"equal label", WholeToken, Users, List, {{Allow, 7, World}, {Label, 7, SystemLabel}}, 7, CASE_SUCCESS, 7},
};
/* clang-format on */
