/* SPDX-License-Identifier: MIT
 * Security identifiers. [MS-DTYP 2.4.2] A SID has eight bytes and four for each sub-authority, at most 15. Any IRQL at which the
 * memory is resident, but what allocates (PASSIVE_LEVEL). */
#include "rtl_security.h"
#include "rtl_pool.h"

BOOLEAN RtlSidFits(const VOID *At, SIZE_T Room)
{
    const SID *Sid = At;
    return Room >= RtlLengthRequiredSid(0) && Sid->Revision == SID_REVISION &&
           Sid->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES &&
           Room >= RtlLengthRequiredSid(Sid->SubAuthorityCount);
}

/* [WDK RtlValidSid] */
BOOLEAN NTAPI RtlValidSid(PSID Sid)
{
    return Sid != NULL && RtlSidFits(Sid, RTL_MAX_SID_LENGTH);
}

/* [WDK RtlLengthRequiredSid] */
ULONG NTAPI RtlLengthRequiredSid(ULONG SubAuthorityCount)
{
    return 8 + 4 * SubAuthorityCount;
}

/* [WDK RtlLengthSid] */
ULONG NTAPI RtlLengthSid(PSID Sid)
{
    return RtlLengthRequiredSid(((SID *)Sid)->SubAuthorityCount);
}

/* [WDK RtlEqualSid] SIDs of different revisions or numbers of sub-authorities are not equal. */
BOOLEAN NTAPI RtlEqualSid(PSID Sid1, PSID Sid2)
{
    const SID *A = Sid1, *B = Sid2;
    return A->Revision == B->Revision && A->SubAuthorityCount == B->SubAuthorityCount &&
           memcmp(A, B, RtlLengthSid(Sid1)) == 0;
}

/* [WDK RtlInitializeSid] the sub-authorities are the caller's to set. */
NTSTATUS NTAPI RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority,
                                UCHAR SubAuthorityCount)
{
    SID *New = Sid;
    if (SubAuthorityCount > SID_MAX_SUB_AUTHORITIES)
        return STATUS_INVALID_PARAMETER;
    New->Revision = SID_REVISION;
    New->SubAuthorityCount = SubAuthorityCount;
    New->IdentifierAuthority = *IdentifierAuthority;
    return STATUS_SUCCESS;
}

/* [WDK RtlSubAuthoritySid] */
PULONG NTAPI RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority)
{
    return (PULONG)((PUCHAR)Sid + RtlLengthRequiredSid(SubAuthority));
}

/* [WDK RtlSubAuthorityCountSid] */
PUCHAR NTAPI RtlSubAuthorityCountSid(PSID Sid)
{
    return &((SID *)Sid)->SubAuthorityCount;
}

/* [WDK RtlCopySid] STATUS_BUFFER_TOO_SMALL. */
NTSTATUS NTAPI RtlCopySid(ULONG Length, PSID Destination, PSID Source)
{
    ULONG Needed = RtlLengthSid(Source);
    if (Needed > Length)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(Destination, Source, Needed);
    return STATUS_SUCCESS;
}

/* [WDK RtlCopyLuid] */
VOID NTAPI RtlCopyLuid(PLUID DestinationLuid, PLUID SourceLuid)
{
    *DestinationLuid = *SourceLuid;
}

/* --- as text --- */

/* "S-1-", an authority of at most 14 characters, 15 times a dash and ten digits. */
#define RTLP_SID_CHARACTERS (4 + 14 + 15 * 11)

static ULONG RtlpPutNumber(PWSTR Text, ULONG At, ULONG64 Value, ULONG Base)
{
    CHAR Digits[64];
    ULONG Count = RtlpDigits(Value, Base, TRUE, Digits);
    for (ULONG I = 0; I < Count; I++)
        Text[At++] = (UCHAR)Digits[I];
    return At;
}

/* [MS-DTYP 2.4.2.1] an authority of 2^32 or more is written in hexadecimal, with all of its twelve digits. */
static ULONG RtlpPutAuthority(PWSTR Text, ULONG At, const SID_IDENTIFIER_AUTHORITY *Authority)
{
    ULONG64 Value = 0;
    for (ULONG I = 0; I < 6; I++)
        Value = Value << 8 | Authority->Value[I];
    if (Value >> 32 == 0)
        return RtlpPutNumber(Text, At, Value, 10);
    Text[At++] = '0';
    Text[At++] = 'x';
    for (ULONG I = 0; I < 12; I++)
        At = RtlpPutNumber(Text, At, Value >> (44 - 4 * I) & 15, 16);
    return At;
}

/* [WDK RtlConvertSidToUnicodeString] "S-1-5-32-544". An allocated string is terminated and freed by RtlFreeUnicodeString;
 * STATUS_BUFFER_OVERFLOW when the caller's is too short for the string. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlConvertSidToUnicodeString(PUNICODE_STRING UnicodeString, PSID Sid,
                                                              BOOLEAN AllocateDestinationString)
{
    const SID *S = Sid;
    WCHAR Text[RTLP_SID_CHARACTERS + 1] = {'S', '-', '1', '-'};
    if (!RtlValidSid(Sid))
        return STATUS_INVALID_SID;
    ULONG At = RtlpPutAuthority(Text, 4, &S->IdentifierAuthority);
    for (ULONG I = 0; I < S->SubAuthorityCount; I++) {
        Text[At++] = '-';
        At = RtlpPutNumber(Text, At, S->SubAuthority[I], 10);
    }
    USHORT Length = (USHORT)(At * sizeof(WCHAR));
    if (AllocateDestinationString) {
        UnicodeString->Buffer = RtlpAllocateFor(RTLP_CALLER(), PagedPool, Length + sizeof(WCHAR));
        if (UnicodeString->Buffer == NULL)
            return STATUS_NO_MEMORY;
        UnicodeString->MaximumLength = Length + sizeof(WCHAR);
    } else if (UnicodeString->MaximumLength < Length) {
        return STATUS_BUFFER_OVERFLOW;
    }
    UnicodeString->Length = Length;
    memcpy(UnicodeString->Buffer, Text, Length);
    if (UnicodeString->MaximumLength >= Length + sizeof(WCHAR))
        UnicodeString->Buffer[At] = 0;
    return STATUS_SUCCESS;
}
