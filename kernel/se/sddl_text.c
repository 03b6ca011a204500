/* SPDX-License-Identifier: MIT
 * From a descriptor to SDDL. Written twice: once to count, once into the buffer. */
#include "sddl.h"

#define SEP_TAG_TEXT 0x206C7452u /* 'Rtl ', for RtlFreeUnicodeString */

typedef struct _SEP_TEXT {
    PWSTR Buffer; /* NULL: only counted */
    ULONG Count;
    BOOLEAN Failed; /* there is no word for something */
} SEP_TEXT;

static VOID SepPut(SEP_TEXT *T, WCHAR Character)
{
    if (T->Buffer != NULL)
        T->Buffer[T->Count] = Character;
    T->Count++;
}

static VOID SepPutText(SEP_TEXT *T, const CHAR *Text)
{
    while (*Text != 0)
        SepPut(T, (UCHAR)*Text++);
}

static VOID SepPutHex(SEP_TEXT *T, ULONG Value, ULONG Digits)
{
    while (Digits-- != 0)
        SepPut(T, (UCHAR) "0123456789abcdef"[Value >> (4 * Digits) & 15]);
}

static VOID SepPutSid(SEP_TEXT *T, PSID Sid)
{
    WCHAR Room[4 + 14 + 15 * 11 + 1];
    UNICODE_STRING Text = {0, sizeof(Room), Room};
    const CHAR *Word = SepWordOfSid(Sid);
    if (Word != NULL) {
        SepPutText(T, Word);
        return;
    }
    (void)RtlConvertSidToUnicodeString(&Text, Sid, FALSE);
    for (ULONG I = 0; I < Text.Length / sizeof(WCHAR); I++)
        SepPut(T, Room[I]);
}

/* The words of all bits of Mask; what they do not cover is returned, and then nothing is written. */
static ULONG SepPutBits(SEP_TEXT *T, ULONG Mask, const SEP_WORD *List)
{
    ULONG Left = Mask;
    for (const SEP_WORD *Word = List; Word->Text[0] != 0; Word++)
        if ((Word->Value & (Word->Value - 1)) == 0)
            Left &= ~Word->Value;
    for (const SEP_WORD *Word = List; Left == 0 && Word->Text[0] != 0; Word++)
        if ((Word->Value & (Word->Value - 1)) == 0 && (Mask & Word->Value))
            SepPutText(T, Word->Text);
    return Left;
}

static VOID SepPutRights(SEP_TEXT *T, UCHAR Type, ULONG Mask)
{
    BOOLEAN Label = Type == SYSTEM_MANDATORY_LABEL_ACE_TYPE;
    for (const SEP_WORD *Word = SepWholeRights; !Label && Word->Text[0] != 0; Word++)
        if (Word->Value == Mask) {
            SepPutText(T, Word->Text);
            return;
        }
    if (SepPutBits(T, Mask, Label ? SepLabelRights : SepRights) == 0)
        return;
    ULONG Digits = 8;
    while (Digits > 1 && Mask >> (4 * (Digits - 1)) == 0)
        Digits--;
    SepPutText(T, "0x");
    SepPutHex(T, Mask, Digits);
}

static VOID SepPutGuid(SEP_TEXT *T, const GUID *Guid)
{
    SepPutHex(T, Guid->Data1, 8);
    SepPut(T, '-');
    SepPutHex(T, Guid->Data2, 4);
    SepPut(T, '-');
    SepPutHex(T, Guid->Data3, 4);
    for (ULONG I = 0; I < 8; I++) {
        if (I == 0 || I == 2)
            SepPut(T, '-');
        SepPutHex(T, Guid->Data4[I], 2);
    }
}

/* The two GUIDs of an object ACE; two semicolons for all. */
static VOID SepPutGuids(SEP_TEXT *T, const ACE_HEADER *Ace)
{
    ULONG Which = RtlIsObjectAce(Ace->AceType) ? ((const ACCESS_ALLOWED_ACE *)Ace)->SidStart : 0;
    const GUID *Guid = (const GUID *)((const ACCESS_ALLOWED_ACE *)Ace + 1);
    for (ULONG I = 0; I < 2; I++) {
        if (Which & (1u << I))
            SepPutGuid(T, Guid++);
        SepPut(T, ';');
    }
}

static VOID SepPutAce(SEP_TEXT *T, const ACE_HEADER *Ace)
{
    const SEP_WORD *Type = SepAceTypes;
    while (Type->Text[0] != 0 && Type->Value != Ace->AceType)
        Type++;
    if (Type->Text[0] == 0) {
        T->Failed = TRUE;
        return;
    }
    SepPut(T, '(');
    SepPutText(T, Type->Text);
    SepPut(T, ';');
    if (SepPutBits(T, Ace->AceFlags, SepAceFlags) != 0)
        T->Failed = TRUE;
    SepPut(T, ';');
    SepPutRights(T, Ace->AceType, RtlAceMask(Ace));
    SepPut(T, ';');
    SepPutGuids(T, Ace);
    SepPutSid(T, RtlAceSid(Ace));
    SepPut(T, ')');
}

static VOID SepPutAcl(SEP_TEXT *T, const CHAR *Name, const ACL *Acl, BOOLEAN Protected, BOOLEAN Request,
                      BOOLEAN Inherited)
{
    SepPutText(T, Name);
    if (Protected)
        SepPut(T, 'P');
    if (Request)
        SepPutText(T, "AR");
    if (Inherited)
        SepPutText(T, "AI");
    if (Acl == NULL) {
        SepPutText(T, "NO_ACCESS_CONTROL");
        return;
    }
    RTL_FOR_EACH_ACE(Ace, Acl)
    SepPutAce(T, Ace);
}

static VOID SepPutDescriptor(SEP_TEXT *T, const RTL_SECURITY_PARTS *Parts, SECURITY_INFORMATION Information)
{
    SECURITY_DESCRIPTOR_CONTROL Control = Parts->Control;
    if ((Information & OWNER_SECURITY_INFORMATION) && Parts->Owner != NULL) {
        SepPutText(T, "O:");
        SepPutSid(T, Parts->Owner);
    }
    if ((Information & GROUP_SECURITY_INFORMATION) && Parts->Group != NULL) {
        SepPutText(T, "G:");
        SepPutSid(T, Parts->Group);
    }
    if ((Information & DACL_SECURITY_INFORMATION) && (Control & SE_DACL_PRESENT))
        SepPutAcl(T, "D:", Parts->Dacl, (Control & SE_DACL_PROTECTED) != 0,
                  (Control & SE_DACL_AUTO_INHERIT_REQ) != 0, (Control & SE_DACL_AUTO_INHERITED) != 0);
    if ((Information & SACL_SECURITY_INFORMATION) && (Control & SE_SACL_PRESENT))
        SepPutAcl(T, "S:", Parts->Sacl, (Control & SE_SACL_PROTECTED) != 0,
                  (Control & SE_SACL_AUTO_INHERIT_REQ) != 0, (Control & SE_SACL_AUTO_INHERITED) != 0);
}

NTSTATUS SeDescriptorToSddl(PSECURITY_DESCRIPTOR Descriptor, SECURITY_INFORMATION Information,
                            PUNICODE_STRING Text)
{
    RTL_SECURITY_PARTS Parts;
    SEP_TEXT T = {NULL, 0, FALSE};
    RtlGetSecurityParts(Descriptor, &Parts);
    SepPutDescriptor(&T, &Parts, Information);
    if (T.Failed)
        return STATUS_INVALID_ACL;
    SIZE_T Length = (SIZE_T)T.Count * sizeof(WCHAR);
    if (Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    T.Buffer = ExAllocatePoolWithTag(PagedPool, Length + sizeof(WCHAR), SEP_TAG_TEXT);
    if (T.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    T.Count = 0;
    SepPutDescriptor(&T, &Parts, Information);
    T.Buffer[T.Count] = 0;
    *Text = (UNICODE_STRING){(USHORT)Length, (USHORT)(Length + sizeof(WCHAR)), T.Buffer};
    return STATUS_SUCCESS;
}
