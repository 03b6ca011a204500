/* SPDX-License-Identifier: MIT
 * The SID of a service: S-1-5-80 and the SHA-1 of its name in upper case. [WDK RtlCreateServiceSid], [RFC 3174] */
#include "rtl_security.h"
#include "rtlp.h"

typedef struct _RTLP_SHA1 {
    ULONG Hash[5];
    UCHAR Block[64];
    ULONG64 Length; /* bytes so far */
} RTLP_SHA1;

static ULONG RtlpRotate(ULONG Value, ULONG By)
{
    return Value << By | Value >> (32 - By);
}

static VOID RtlpSha1Block(RTLP_SHA1 *S)
{
    static const ULONG Constant[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    ULONG W[80], A = S->Hash[0], B = S->Hash[1], C = S->Hash[2], D = S->Hash[3], E = S->Hash[4];
    for (ULONG I = 0; I < 16; I++)
        W[I] = (ULONG)S->Block[4 * I] << 24 | (ULONG)S->Block[4 * I + 1] << 16 |
               (ULONG)S->Block[4 * I + 2] << 8 | S->Block[4 * I + 3];
    for (ULONG I = 16; I < 80; I++)
        W[I] = RtlpRotate(W[I - 3] ^ W[I - 8] ^ W[I - 14] ^ W[I - 16], 1);
    for (ULONG I = 0; I < 80; I++) {
        ULONG F = I < 20 ? (B & C) | (~B & D) : I >= 40 && I < 60 ? (B & C) | (B & D) | (C & D) : B ^ C ^ D;
        ULONG Next = RtlpRotate(A, 5) + F + E + Constant[I / 20] + W[I];
        E = D, D = C, C = RtlpRotate(B, 30), B = A, A = Next;
    }
    S->Hash[0] += A, S->Hash[1] += B, S->Hash[2] += C, S->Hash[3] += D, S->Hash[4] += E;
}

static VOID RtlpSha1Byte(RTLP_SHA1 *S, UCHAR Byte)
{
    S->Block[S->Length++ % 64] = Byte;
    if (S->Length % 64 == 0)
        RtlpSha1Block(S);
}

static VOID RtlpSha1End(RTLP_SHA1 *S)
{
    ULONG64 Bits = S->Length * 8;
    RtlpSha1Byte(S, 0x80);
    while (S->Length % 64 != 56)
        RtlpSha1Byte(S, 0);
    for (LONG I = 7; I >= 0; I--)
        RtlpSha1Byte(S, (UCHAR)(Bits >> (8 * I)));
}

static VOID RtlpHashName(PCUNICODE_STRING Name, RTLP_SHA1 *S)
{
    *S = (RTLP_SHA1){.Hash = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}};
    for (ULONG I = 0; I < Name->Length / sizeof(WCHAR); I++) {
        WCHAR Character = RtlpUpcase(Name->Buffer[I]);
        RtlpSha1Byte(S, (UCHAR)Character);
        RtlpSha1Byte(S, (UCHAR)(Character >> 8));
    }
    RtlpSha1End(S);
}

static ULONG RtlpSwapBytes(ULONG Value)
{
    return Value >> 24 | (Value >> 8 & 0xFF00) | (Value & 0xFF00) << 8 | Value << 24;
}

/* [WDK RtlCreateServiceSid] the hash's bytes are the five last sub-authorities, in memory order. STATUS_BUFFER_TOO_SMALL with the
 * length that is needed; STATUS_INVALID_PARAMETER for an empty name. PASSIVE_LEVEL. */
NTSTATUS NTAPI RtlCreateServiceSid(PUNICODE_STRING ServiceName, PSID ServiceSid, PULONG ServiceSidLength)
{
    SID_IDENTIFIER_AUTHORITY NtAuthority = {{0, 0, 0, 0, 0, 5}};
    ULONG Needed = RtlLengthRequiredSid(6), Room = *ServiceSidLength;
    RTLP_SHA1 Hash;
    *ServiceSidLength = Needed;
    if (ServiceName->Buffer == NULL || ServiceName->Length == 0)
        return STATUS_INVALID_PARAMETER;
    if (Room < Needed)
        return STATUS_BUFFER_TOO_SMALL;
    RtlpHashName(ServiceName, &Hash);
    (void)RtlInitializeSid(ServiceSid, &NtAuthority, 6);
    *RtlSubAuthoritySid(ServiceSid, 0) = 80; /* SECURITY_SERVICE_ID_BASE_RID */
    for (ULONG I = 0; I < 5; I++)
        *RtlSubAuthoritySid(ServiceSid, I + 1) = RtlpSwapBytes(Hash.Hash[I]);
    return STATUS_SUCCESS;
}
