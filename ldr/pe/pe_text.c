/* SPDX-License-Identifier: MIT */
/* The sentences of errors: a formatter that knows four conversions and lets nothing through that a terminal
 * or a log could choke on, as names come from untrusted images. */
#include <stdarg.h>

#include "pe/pei.h"

typedef struct _PEI_TEXT {
    char *Next;
    char *End; /* the place of the NUL */
} PEI_TEXT;

static void PeiPutChar(PEI_TEXT *Text, char Char)
{
    if (Text->Next < Text->End)
        *Text->Next++ = (Char >= 0x20 && Char < 0x7F) ? Char : '?';
}

static void PeiPutString(PEI_TEXT *Text, const char *String)
{
    while (*String != '\0')
        PeiPutChar(Text, *String++);
}

static void PeiPutNumber(PEI_TEXT *Text, unsigned long long Value, unsigned Base)
{
    char Digits[20];
    unsigned Count = 0;
    do {
        Digits[Count++] = "0123456789abcdef"[Value % Base];
        Value /= Base;
    } while (Value != 0);
    while (Count != 0)
        PeiPutChar(Text, Digits[--Count]);
}

/* Puts one conversion whose letters start at Format (behind the %); returns what follows it. */
static const char *PeiPutConversion(PEI_TEXT *Text, const char *Format, va_list *Arguments)
{
    if (*Format == 's') {
        PeiPutString(Text, va_arg(*Arguments, const char *));
        return Format + 1;
    }
    if (*Format == 'u') {
        PeiPutNumber(Text, va_arg(*Arguments, unsigned), 10);
        return Format + 1;
    }
    /* %llu or %llx: nothing else is used, and PeiFail's format attribute keeps the argument's type right. */
    PeiPutNumber(Text, va_arg(*Arguments, unsigned long long), Format[2] == 'x' ? 16 : 10);
    return Format + 3;
}

PE_STATUS PeiFail(PE_ERROR *Error, PE_STATUS Status, uint64_t Offset, const char *Format, ...)
{
    if (Error == NULL)
        return Status;

    va_list Arguments;
    va_start(Arguments, Format);
    PEI_TEXT Text = {Error->Text, Error->Text + PE_ERROR_TEXT - 1};
    while (*Format != '\0') {
        if (*Format == '%')
            Format = PeiPutConversion(&Text, Format + 1, &Arguments);
        else
            PeiPutChar(&Text, *Format++);
    }
    *Text.Next = '\0';
    va_end(Arguments);

    Error->Status = Status;
    Error->Offset = Offset;
    return Status;
}
