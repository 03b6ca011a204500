/* SPDX-License-Identifier: MIT
 * GUIDs as text: 8, 4, 4, 4 and 12 upper-case digits in braces. */
#include "rtl_pool.h"

#define GUID_CHARACTERS 38

/* Where the 16 bytes of a GUID stand in its text; the first three fields are little endian in memory. */
static const UCHAR RtlpGuidByte[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static BOOLEAN RtlpIsGuidDash(ULONG Index)
{
    return Index == 9 || Index == 14 || Index == 19 || Index == 24;
}

/* [WDK RtlStringFromGUID] The buffer comes from paged pool, is terminated, and is freed by
 * RtlFreeUnicodeString. IRQL PASSIVE_LEVEL. STATUS_NO_MEMORY. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
    static const CHAR Hex[] = "0123456789ABCDEF";
    const UCHAR *Bytes = (const UCHAR *)Guid;
    PWSTR Text = RtlpAllocateFor(RTLP_CALLER(), PagedPool, (GUID_CHARACTERS + 1) * sizeof(WCHAR));

    if (Text == NULL)
        return STATUS_NO_MEMORY;
    Text[0] = '{';
    for (ULONG i = 1, Byte = 0; i < GUID_CHARACTERS - 1;) {
        if (RtlpIsGuidDash(i)) {
            Text[i++] = '-';
            continue;
        }
        UCHAR Value = Bytes[RtlpGuidByte[Byte++]];
        Text[i++] = (UCHAR)Hex[Value >> 4];
        Text[i++] = (UCHAR)Hex[Value & 15];
    }
    Text[GUID_CHARACTERS - 1] = '}';
    Text[GUID_CHARACTERS] = 0;
    GuidString->Buffer = Text;
    GuidString->Length = GUID_CHARACTERS * sizeof(WCHAR);
    GuidString->MaximumLength = (GUID_CHARACTERS + 1) * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

static BOOLEAN RtlpHexValue(WCHAR c, PUCHAR Value)
{
    WCHAR Lower = c | 0x20;
    if (c >= '0' && c <= '9')
        *Value = (UCHAR)(c - '0');
    else if (Lower >= 'a' && Lower <= 'f')
        *Value = (UCHAR)(Lower - 'a' + 10);
    else
        return FALSE;
    return TRUE;
}

/* [WDK RtlGUIDFromString] Exactly the form above, either case; else STATUS_INVALID_PARAMETER and *Guid
 * unchanged. */
NTSTATUS NTAPI RtlGUIDFromString(PUNICODE_STRING GuidString, GUID *Guid)
{
    PCWSTR s = GuidString->Buffer;
    UCHAR Bytes[16], High, Low;

    if (GuidString->Length != GUID_CHARACTERS * sizeof(WCHAR) || s[0] != '{' || s[GUID_CHARACTERS - 1] != '}')
        return STATUS_INVALID_PARAMETER;
    for (ULONG i = 1, Byte = 0; i < GUID_CHARACTERS - 1;) {
        if (RtlpIsGuidDash(i)) {
            if (s[i++] != '-')
                return STATUS_INVALID_PARAMETER;
            continue;
        }
        if (!RtlpHexValue(s[i], &High) || !RtlpHexValue(s[i + 1], &Low))
            return STATUS_INVALID_PARAMETER;
        Bytes[RtlpGuidByte[Byte++]] = (UCHAR)(High << 4 | Low);
        i += 2;
    }
    memcpy(Guid, Bytes, sizeof(Bytes));
    return STATUS_SUCCESS;
}
