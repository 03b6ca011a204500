/* SPDX-License-Identifier: MIT
 * The words of SDDL. [Win32 SID Strings, ACE Strings], [MS-DTYP 2.5.1.1, 2.4.2.4] */
#include "sddl.h"

const SEP_WORD SepAceTypes[] = {
    {"A", ACCESS_ALLOWED_ACE_TYPE},          {"D", ACCESS_DENIED_ACE_TYPE},
    {"AU", SYSTEM_AUDIT_ACE_TYPE},           {"AL", SYSTEM_ALARM_ACE_TYPE},
    {"OA", ACCESS_ALLOWED_OBJECT_ACE_TYPE},  {"OD", ACCESS_DENIED_OBJECT_ACE_TYPE},
    {"OU", SYSTEM_AUDIT_OBJECT_ACE_TYPE},    {"OL", SYSTEM_ALARM_OBJECT_ACE_TYPE},
    {"ML", SYSTEM_MANDATORY_LABEL_ACE_TYPE}, {"", 0},
};

const SEP_WORD SepAceFlags[] = {
    {"OI", OBJECT_INHERIT_ACE},
    {"CI", CONTAINER_INHERIT_ACE},
    {"NP", NO_PROPAGATE_INHERIT_ACE},
    {"IO", INHERIT_ONLY_ACE},
    {"ID", INHERITED_ACE},
    {"SA", SUCCESSFUL_ACCESS_ACE_FLAG},
    {"FA", FAILED_ACCESS_ACE_FLAG},
    {"", 0},
};

/* The nine of the directory service are the object-specific bits 0 to 8. The order is that of the text that is written. */
const SEP_WORD SepRights[] = {
    {"GA", GENERIC_ALL},
    {"GR", GENERIC_READ},
    {"GW", GENERIC_WRITE},
    {"GX", GENERIC_EXECUTE},
    {"CC", 0x001},
    {"DC", 0x002},
    {"LC", 0x004},
    {"SW", 0x008},
    {"RP", 0x010},
    {"WP", 0x020},
    {"DT", 0x040},
    {"LO", 0x080},
    {"CR", 0x100},
    {"SD", DELETE},
    {"RC", READ_CONTROL},
    {"WD", WRITE_DAC},
    {"WO", WRITE_OWNER},
    {"FA", FILE_ALL_ACCESS},
    {"FR", FILE_GENERIC_READ},
    {"FW", FILE_GENERIC_WRITE},
    {"FX", FILE_GENERIC_EXECUTE},
    {"KA", KEY_ALL_ACCESS},
    {"KR", KEY_READ},
    {"KW", KEY_WRITE},
    {"KX", KEY_READ},
    {"", 0},
};

const SEP_WORD SepWholeRights[] = {
    {"FA", FILE_ALL_ACCESS},    {"FR", FILE_GENERIC_READ},
    {"FW", FILE_GENERIC_WRITE}, {"FX", FILE_GENERIC_EXECUTE},
    {"KA", KEY_ALL_ACCESS},     {"KR", KEY_READ},
    {"KW", KEY_WRITE},          {"", 0},
};

const SEP_WORD SepLabelRights[] = {
    {"NW", SYSTEM_MANDATORY_LABEL_NO_WRITE_UP},
    {"NR", SYSTEM_MANDATORY_LABEL_NO_READ_UP},
    {"NX", SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP},
    {"", 0},
};

#define SEP_BUILTIN 32

typedef struct _SEP_SID_WORD {
    CHAR Text[3];
    UCHAR Authority, Count;
    USHORT First, Second; /* sub-authorities; those behind the second are 0 */
} SEP_SID_WORD;

/* Those of a domain (DA, DU, LA ...) have no value here: there is no domain and no account database. */
static const SEP_SID_WORD SepSidWords[] = {
    {"WD", 1, 1, 0, 0},
    {"CO", 3, 1, 0, 0},
    {"CG", 3, 1, 1, 0},
    {"OW", 3, 1, 4, 0},
    {"NU", 5, 1, 2, 0},
    {"IU", 5, 1, 4, 0},
    {"SU", 5, 1, 6, 0},
    {"AN", 5, 1, 7, 0},
    {"ED", 5, 1, 9, 0},
    {"PS", 5, 1, 10, 0},
    {"AU", 5, 1, 11, 0},
    {"RC", 5, 1, 12, 0},
    {"SY", 5, 1, 18, 0},
    {"LS", 5, 1, 19, 0},
    {"NS", 5, 1, 20, 0},
    {"WR", 5, 1, 33, 0},
    {"UD", 5, 6, 84, 0},
    {"BA", 5, 2, SEP_BUILTIN, 544},
    {"BU", 5, 2, SEP_BUILTIN, 545},
    {"BG", 5, 2, SEP_BUILTIN, 546},
    {"PU", 5, 2, SEP_BUILTIN, 547},
    {"AO", 5, 2, SEP_BUILTIN, 548},
    {"SO", 5, 2, SEP_BUILTIN, 549},
    {"PO", 5, 2, SEP_BUILTIN, 550},
    {"BO", 5, 2, SEP_BUILTIN, 551},
    {"RE", 5, 2, SEP_BUILTIN, 552},
    {"RU", 5, 2, SEP_BUILTIN, 554},
    {"RD", 5, 2, SEP_BUILTIN, 555},
    {"NO", 5, 2, SEP_BUILTIN, 556},
    {"MU", 5, 2, SEP_BUILTIN, 558},
    {"LU", 5, 2, SEP_BUILTIN, 559},
    {"IS", 5, 2, SEP_BUILTIN, 568},
    {"CY", 5, 2, SEP_BUILTIN, 569},
    {"ER", 5, 2, SEP_BUILTIN, 573},
    {"CD", 5, 2, SEP_BUILTIN, 574},
    {"RA", 5, 2, SEP_BUILTIN, 575},
    {"ES", 5, 2, SEP_BUILTIN, 576},
    {"MS", 5, 2, SEP_BUILTIN, 577},
    {"HA", 5, 2, SEP_BUILTIN, 578},
    {"AA", 5, 2, SEP_BUILTIN, 579},
    {"RM", 5, 2, SEP_BUILTIN, 580},
    {"AC", 15, 2, 2, 1},
    {"LW", 16, 1, 0x1000, 0},
    {"ME", 16, 1, 0x2000, 0},
    {"MP", 16, 1, 0x2100, 0},
    {"HI", 16, 1, 0x3000, 0},
    {"SI", 16, 1, 0x4000, 0},
    {"AS", 18, 1, 1, 0},
    {"SS", 18, 1, 2, 0},
};

static VOID SepMakeSid(const SEP_SID_WORD *Word, PSID Sid)
{
    SID_IDENTIFIER_AUTHORITY Authority = {{0, 0, 0, 0, 0, Word->Authority}};
    (void)RtlInitializeSid(Sid, &Authority, Word->Count);
    for (ULONG I = 0; I < Word->Count; I++)
        *RtlSubAuthoritySid(Sid, I) = I == 0 ? Word->First : I == 1 ? Word->Second : 0;
}

BOOLEAN SepSidOfWord(WCHAR First, WCHAR Second, PSID Sid)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(SepSidWords); I++)
        if (SepSidWords[I].Text[0] == First && SepSidWords[I].Text[1] == Second) {
            SepMakeSid(&SepSidWords[I], Sid);
            return TRUE;
        }
    return FALSE;
}

const CHAR *SepWordOfSid(PSID Sid)
{
    UCHAR Room[RTL_MAX_SID_LENGTH] __attribute__((aligned(4)));
    for (ULONG I = 0; I < RTL_NUMBER_OF(SepSidWords); I++) {
        SepMakeSid(&SepSidWords[I], Room);
        if (RtlEqualSid(Room, Sid))
            return SepSidWords[I].Text;
    }
    return NULL;
}
