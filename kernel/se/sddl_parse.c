/* SPDX-License-Identifier: MIT
 * From SDDL to a descriptor. [MS-DTYP 2.5.1.1], [WDK SDDL for Device Objects], [Win32 Security Descriptor String Format] */
#include "sddl.h"

typedef union _SEP_SID_ROOM {
    SID Sid;
    UCHAR Room[RTL_MAX_SID_LENGTH];
} SEP_SID_ROOM;

/* What is left of the text, and what it has said. */
typedef struct _SEP_SDDL {
    PCWSTR At, End;
    RTL_SECURITY_PARTS Parts;
    SEP_SID_ROOM Owner, Group;
    BOOLEAN HasOwner, HasGroup;
    NTSTATUS Status; /* why a part was refused */
} SEP_SDDL;

/* The largest ACE of the language: header, mask, flags, two GUIDs, SID. */
#define SEP_MAX_ACE (12 + 2 * 16 + RTL_MAX_SID_LENGTH)

/* --- characters and numbers --- */

static WCHAR SepPeek(const SEP_SDDL *S)
{
    return S->At < S->End ? *S->At : 0;
}

static WCHAR SepPeekSecond(const SEP_SDDL *S)
{
    return S->End - S->At >= 2 ? S->At[1] : 0;
}

static BOOLEAN SepTake(SEP_SDDL *S, WCHAR Character)
{
    if (S->At >= S->End || *S->At != Character)
        return FALSE;
    S->At++;
    return TRUE;
}

static VOID SepSkipBlanks(SEP_SDDL *S)
{
    while (S->At < S->End && (*S->At == ' ' || *S->At == '\t' || *S->At == '\r' || *S->At == '\n'))
        S->At++;
}

static BOOLEAN SepRefuse(SEP_SDDL *S, NTSTATUS Status)
{
    S->Status = Status;
    return FALSE;
}

static ULONG SepDigit(WCHAR c)
{
    WCHAR Lower = c | 0x20;
    if (c >= '0' && c <= '9')
        return c - '0';
    return Lower >= 'a' && Lower <= 'f' ? (ULONG)(Lower - 'a' + 10) : MAXULONG;
}

/* At least one digit, at most Limit: "0x1F", "031" (octal) or "42". */
static BOOLEAN SepTakeNumber(SEP_SDDL *S, ULONG64 Limit, BOOLEAN Octal, ULONG64 *Number)
{
    ULONG Base = 10;
    if (SepPeek(S) == '0' && (SepPeekSecond(S) | 0x20) == 'x') {
        Base = 16;
        S->At += 2;
    } else if (Octal && SepPeek(S) == '0') {
        Base = 8;
    }
    PCWSTR First = S->At;
    for (*Number = 0; S->At < S->End && SepDigit(*S->At) < Base; S->At++) {
        if (*Number > (Limit - SepDigit(*S->At)) / Base)
            return FALSE;
        *Number = *Number * Base + SepDigit(*S->At);
    }
    return S->At != First;
}

/* --- SIDs --- */

static VOID SepStoreAuthority(SID_IDENTIFIER_AUTHORITY *Authority, ULONG64 Value)
{
    for (ULONG I = 0; I < 6; I++)
        Authority->Value[I] = (UCHAR)(Value >> (40 - 8 * I));
}

/* [MS-DTYP 2.4.2.1] "S-1-5-32-544", behind the S. */
static BOOLEAN SepTakeSidNumbers(SEP_SDDL *S, PSID Sid)
{
    SID_IDENTIFIER_AUTHORITY Authority;
    ULONG64 Number;
    if (!SepTake(S, '-') || !SepTakeNumber(S, 1, FALSE, &Number) || Number != SID_REVISION ||
        !SepTake(S, '-') || !SepTakeNumber(S, ((ULONG64)1 << 48) - 1, FALSE, &Number))
        return SepRefuse(S, STATUS_INVALID_SID);
    SepStoreAuthority(&Authority, Number);
    (void)RtlInitializeSid(Sid, &Authority, 0);
    while (SepTake(S, '-')) {
        PUCHAR Count = RtlSubAuthorityCountSid(Sid);
        if (*Count == SID_MAX_SUB_AUTHORITIES || !SepTakeNumber(S, MAXULONG, FALSE, &Number))
            return SepRefuse(S, STATUS_INVALID_SID);
        *RtlSubAuthoritySid(Sid, (*Count)++) = (ULONG)Number;
    }
    return *RtlSubAuthorityCountSid(Sid) != 0 ? TRUE : SepRefuse(S, STATUS_INVALID_SID);
}

static BOOLEAN SepTakeSid(SEP_SDDL *S, PSID Sid)
{
    if (SepPeek(S) == 'S' && SepPeekSecond(S) == '-') {
        S->At++;
        return SepTakeSidNumbers(S, Sid);
    }
    if (S->End - S->At < 2 || !SepSidOfWord(S->At[0], S->At[1], Sid))
        return SepRefuse(S, STATUS_INVALID_SID);
    S->At += 2;
    return TRUE;
}

static BOOLEAN SepTakeSidPart(SEP_SDDL *S, SEP_SID_ROOM *Room, BOOLEAN *Has)
{
    if (*Has)
        return FALSE;
    *Has = TRUE;
    return SepTakeSid(S, &Room->Sid);
}

/* --- ACEs --- */

/* A word of the list: the longest that fits. FALSE: none. */
static BOOLEAN SepTakeWord(SEP_SDDL *S, const SEP_WORD *List, ULONG *Value)
{
    const SEP_WORD *Best = NULL;
    for (; List->Text[0] != 0; List++) {
        BOOLEAN Two = List->Text[1] != 0;
        if (SepPeek(S) == List->Text[0] && (!Two || SepPeekSecond(S) == List->Text[1]) &&
            (Best == NULL || Two))
            Best = List;
    }
    if (Best == NULL)
        return FALSE;
    S->At += Best->Text[1] != 0 ? 2 : 1;
    *Value = Best->Value;
    return TRUE;
}

/* Words, or none, up to a semicolon, which is taken. */
static BOOLEAN SepTakeWords(SEP_SDDL *S, const SEP_WORD *List, ULONG *Mask)
{
    ULONG Value;
    *Mask = 0;
    while (!SepTake(S, ';')) {
        if (!SepTakeWord(S, List, &Value))
            return FALSE;
        *Mask |= Value;
    }
    return TRUE;
}

static BOOLEAN SepTakeRights(SEP_SDDL *S, UCHAR Type, ULONG *Mask)
{
    ULONG64 Number;
    if (SepPeek(S) < '0' || SepPeek(S) > '9')
        return SepTakeWords(S, Type == SYSTEM_MANDATORY_LABEL_ACE_TYPE ? SepLabelRights : SepRights, Mask);
    if (!SepTakeNumber(S, MAXULONG, TRUE, &Number))
        return FALSE;
    *Mask = (ULONG)Number;
    return SepTake(S, ';');
}

/* "f30e3bbe-9ff0-11d1-b603-0000f80367c1" or nothing, and the semicolon. *Has: there was one. */
static BOOLEAN SepTakeGuid(SEP_SDDL *S, GUID *Guid, BOOLEAN *Has)
{
    WCHAR Text[38] = {'{'};
    UNICODE_STRING Braced = {sizeof(Text), sizeof(Text), Text};
    *Has = FALSE;
    if (SepTake(S, ';'))
        return TRUE;
    if (S->End - S->At < 37 || S->At[36] != ';')
        return FALSE;
    memcpy(Text + 1, S->At, 36 * sizeof(WCHAR));
    Text[37] = '}';
    S->At += 37;
    *Has = TRUE;
    return NT_SUCCESS(RtlGUIDFromString(&Braced, Guid));
}

/* What an object ACE has between its mask and its SID. */
typedef struct _SEP_OBJECT_HEAD {
    ACCESS_ALLOWED_ACE Ace; /* SidStart: which of the GUIDs follow */
    GUID Guid[2];
} SEP_OBJECT_HEAD;

static BOOLEAN SepTakeGuids(SEP_SDDL *S, SEP_OBJECT_HEAD *Head, ULONG *Length)
{
    BOOLEAN First, Second;
    if (!SepTakeGuid(S, &Head->Guid[0], &First) || !SepTakeGuid(S, &Head->Guid[First ? 1 : 0], &Second))
        return FALSE;
    BOOLEAN Object = RtlIsObjectAce(Head->Ace.Header.AceType);
    Head->Ace.SidStart = (First ? 1u : 0) | (Second ? 2u : 0);
    *Length = Object ? (ULONG)sizeof(Head->Ace) + (ULONG)sizeof(GUID) * ((First ? 1u : 0) + (Second ? 1u : 0))
                     : (ULONG)(sizeof(ACE_HEADER) + sizeof(ACCESS_MASK));
    return Object || (!First && !Second);
}

/* "type;flags;rights;guid;guid;sid)" */
static BOOLEAN SepTakeAce(SEP_SDDL *S, PACL Acl)
{
    struct {
        SEP_OBJECT_HEAD Head;
        SEP_SID_ROOM Room;
    } New;
    SEP_SID_ROOM Sid;
    ULONG Type, Flags, Length;
    memset(&New, 0, sizeof(New));
    if (!SepTakeWord(S, SepAceTypes, &Type) || !SepTake(S, ';') || !SepTakeWords(S, SepAceFlags, &Flags))
        return FALSE;
    New.Head.Ace.Header.AceType = (UCHAR)Type;
    New.Head.Ace.Header.AceFlags = (UCHAR)Flags;
    if (!SepTakeRights(S, (UCHAR)Type, &New.Head.Ace.Mask) || !SepTakeGuids(S, &New.Head, &Length) ||
        !SepTakeSid(S, &Sid.Sid) || !SepTake(S, ')'))
        return FALSE;
    memcpy((PUCHAR)&New + Length, &Sid, RtlLengthSid(&Sid));
    Length += RtlLengthSid(&Sid);
    New.Head.Ace.Header.AceSize = (USHORT)Length;
    NTSTATUS Status =
        RtlAddAce(Acl, RtlIsObjectAce((UCHAR)Type) ? ACL_REVISION_DS : ACL_REVISION, MAXULONG, &New, Length);
    return NT_SUCCESS(Status) ? TRUE : SepRefuse(S, STATUS_INVALID_ACL);
}

/* --- ACLs --- */

typedef struct _SEP_ACL_WORDS {
    SECURITY_DESCRIPTOR_CONTROL Present, Protected, Request, Inherited;
} SEP_ACL_WORDS;

static const SEP_ACL_WORDS SepDaclWords = {SE_DACL_PRESENT, SE_DACL_PROTECTED, SE_DACL_AUTO_INHERIT_REQ,
                                           SE_DACL_AUTO_INHERITED};
static const SEP_ACL_WORDS SepSaclWords = {SE_SACL_PRESENT, SE_SACL_PROTECTED, SE_SACL_AUTO_INHERIT_REQ,
                                           SE_SACL_AUTO_INHERITED};

static BOOLEAN SepTakeAclFlag(SEP_SDDL *S, const SEP_ACL_WORDS *Words)
{
    if (SepTake(S, 'P')) {
        S->Parts.Control |= Words->Protected;
        return TRUE;
    }
    if (SepPeek(S) != 'A' || (SepPeekSecond(S) != 'R' && SepPeekSecond(S) != 'I'))
        return FALSE;
    S->Parts.Control |= SepPeekSecond(S) == 'R' ? Words->Request : Words->Inherited;
    S->At += 2;
    return TRUE;
}

/* [Win32 Security Descriptor String Format] a DACL of this word is NULL: all access for everybody. */
static BOOLEAN SepTakeNullAcl(SEP_SDDL *S)
{
    static const CHAR Word[] = "NO_ACCESS_CONTROL";
    for (ULONG I = 0; I < sizeof(Word) - 1; I++)
        if ((ULONG_PTR)(S->End - S->At) <= I || S->At[I] != Word[I])
            return FALSE;
    S->At += sizeof(Word) - 1;
    return TRUE;
}

/* Room for as many ACEs as there can be. */
static PACL SepAllocateAcl(const SEP_SDDL *S)
{
    ULONG Length = sizeof(ACL);
    for (PCWSTR At = S->At; At < S->End && Length < MAXUSHORT - SEP_MAX_ACE; At++)
        Length += *At == '(' ? SEP_MAX_ACE : 0;
    PACL Acl = ExAllocatePoolWithTag(PagedPool, Length, SE_TAG_DESCRIPTOR);
    if (Acl != NULL)
        (void)RtlCreateAcl(Acl, Length, ACL_REVISION);
    return Acl;
}

static BOOLEAN SepTakeAcl(SEP_SDDL *S, PACL *Acl, const SEP_ACL_WORDS *Words)
{
    if (S->Parts.Control & Words->Present)
        return FALSE;
    S->Parts.Control |= Words->Present;
    while (SepTakeAclFlag(S, Words)) {
    }
    if (SepTakeNullAcl(S))
        return TRUE;
    *Acl = SepAllocateAcl(S);
    if (*Acl == NULL)
        return SepRefuse(S, STATUS_INSUFFICIENT_RESOURCES);
    for (SepSkipBlanks(S); SepTake(S, '('); SepSkipBlanks(S))
        if (!SepTakeAce(S, *Acl))
            return FALSE;
    (*Acl)->AclSize = (USHORT)((PUCHAR)RtlAclEnd(*Acl) - (PUCHAR)*Acl);
    return TRUE;
}

/* --- the whole --- */

static BOOLEAN SepTakePart(SEP_SDDL *S)
{
    WCHAR Part = *S->At++;
    if (!SepTake(S, ':'))
        return FALSE;
    switch (Part) {
    case 'O':
        return SepTakeSidPart(S, &S->Owner, &S->HasOwner);
    case 'G':
        return SepTakeSidPart(S, &S->Group, &S->HasGroup);
    case 'D':
        return SepTakeAcl(S, &S->Parts.Dacl, &SepDaclWords);
    case 'S':
        return SepTakeAcl(S, &S->Parts.Sacl, &SepSaclWords);
    }
    return FALSE;
}

static NTSTATUS SepMakeDescriptor(SEP_SDDL *S, PSECURITY_DESCRIPTOR *Descriptor)
{
    S->Parts.Owner = S->HasOwner ? &S->Owner : NULL;
    S->Parts.Group = S->HasGroup ? &S->Group : NULL;
    *Descriptor = ExAllocatePoolWithTag(PagedPool, RtlRelativeSecurityLength(&S->Parts), SE_TAG_DESCRIPTOR);
    if (*Descriptor == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlWriteRelativeSecurity(&S->Parts, *Descriptor);
    return STATUS_SUCCESS;
}

NTSTATUS SeSddlToDescriptor(PCUNICODE_STRING Text, PSECURITY_DESCRIPTOR *Descriptor)
{
    SEP_SDDL S = {.At = Text->Buffer, .Status = STATUS_INVALID_PARAMETER};
    S.End = S.At + Text->Length / sizeof(WCHAR);
    BOOLEAN Good = TRUE;
    for (SepSkipBlanks(&S); Good && S.At < S.End; SepSkipBlanks(&S))
        Good = SepTakePart(&S);
    NTSTATUS Status = Good ? SepMakeDescriptor(&S, Descriptor) : S.Status;
    if (S.Parts.Dacl != NULL)
        ExFreePoolWithTag(S.Parts.Dacl, SE_TAG_DESCRIPTOR);
    if (S.Parts.Sacl != NULL)
        ExFreePoolWithTag(S.Parts.Sacl, SE_TAG_DESCRIPTOR);
    return Status;
}

VOID SeFreeDescriptor(PSECURITY_DESCRIPTOR Descriptor)
{
    ExFreePoolWithTag(Descriptor, SE_TAG_DESCRIPTOR);
}
