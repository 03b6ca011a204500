/* SPDX-License-Identifier: MIT
 * Integers as text and back. */
#include "rtlp.h"

static BOOLEAN RtlpIsBase(ULONG Base)
{
    return Base == 2 || Base == 8 || Base == 10 || Base == 16;
}

/* [WDK RtlInt64ToUnicodeString] Base 0 means 10; no prefix, digits in upper case, terminated if there is
 * room; STATUS_BUFFER_OVERFLOW when the digits do not fit. */
NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    CHAR Digits[64];

    if (Base == 0)
        Base = 10;
    if (!RtlpIsBase(Base))
        return STATUS_INVALID_PARAMETER;
    ULONG Count = RtlpDigits(Value, Base, TRUE, Digits);
    if (Count * sizeof(WCHAR) > String->MaximumLength)
        return STATUS_BUFFER_OVERFLOW;
    for (ULONG i = 0; i < Count; i++)
        String->Buffer[i] = (UCHAR)Digits[i];
    String->Length = (USHORT)(Count * sizeof(WCHAR));
    if ((Count + 1) * sizeof(WCHAR) <= String->MaximumLength)
        String->Buffer[Count] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlInt64ToUnicodeString(Value, Base, String);
}

static ULONG RtlpDigitValue(WCHAR c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    WCHAR Lower = c | 0x20;
    return Lower >= 'a' && Lower <= 'f' ? Lower - 'a' + 10u : 16;
}

static ULONG RtlpBaseOfPrefix(WCHAR c)
{
    return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
}

/* [WDK RtlUnicodeStringToInteger] White space, a sign, with base 0 a prefix 0x, 0o or 0b, then digits up to
 * the first character that is none. No digit gives 0 and success; an empty string STATUS_INVALID_PARAMETER.
 * Wraps modulo 2^32. */
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    ULONG i = 0, Count = String->Length / sizeof(WCHAR), Result = 0;
    PCWSTR s = String->Buffer;

    if ((Base != 0 && !RtlpIsBase(Base)) || Count == 0)
        return STATUS_INVALID_PARAMETER;
    while (i < Count && s[i] <= ' ')
        i++;
    BOOLEAN Negative = i < Count && s[i] == '-';
    if (i < Count && (s[i] == '-' || s[i] == '+'))
        i++;
    if (Base == 0) {
        Base = Count - i >= 2 && s[i] == '0' ? RtlpBaseOfPrefix(s[i + 1]) : 0;
        if (Base != 0)
            i += 2;
        else
            Base = 10;
    }
    for (; i < Count && RtlpDigitValue(s[i]) < Base; i++)
        Result = Result * Base + RtlpDigitValue(s[i]);
    *Value = Negative ? 0 - Result : Result;
    return STATUS_SUCCESS;
}

/* [WDK RtlCharToInteger] Base 0: by the prefix 0x, 0o or 0b, decimal without. Reading ends where no digit is. */
NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
    ULONG Result = 0, Digit;
    BOOLEAN Negative;

    while (*String != 0 && (UCHAR)*String <= ' ')
        String++;
    Negative = *String == '-';
    String += *String == '-' || *String == '+';
    if (Base == 0) {
        CHAR Kind = *String == '0' ? String[1] : 0;
        Base = Kind == 'x' ? 16 : Kind == 'o' ? 8 : Kind == 'b' ? 2 : 10;
        String += Base == 10 ? 0 : 2;
    } else if (!RtlpIsBase(Base)) {
        return STATUS_INVALID_PARAMETER;
    }
    for (; (Digit = RtlpDigitValue((UCHAR)*String)) < Base; String++)
        Result = Result * Base + Digit;
    *Value = Negative ? 0 - Result : Result;
    return STATUS_SUCCESS;
}
