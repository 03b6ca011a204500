/* SPDX-License-Identifier: MIT
 * The printf engine with Microsoft's rules [MS format specification syntax: printf and wprintf functions]:
 * long is 32 bits, I32/I64/I size prefixes, %S and %C for the opposite width, %Z and %wZ for counted strings,
 * %p as 16 digits. A conversion without meaning prints its letter. There is no floating point [WDK DbgPrint]
 * and no %n. */
#include "format.h"

#define FLAG_LEFT 0x01
#define FLAG_PLUS 0x02
#define FLAG_SPACE 0x04
#define FLAG_PREFIX 0x08
#define FLAG_ZERO 0x10

/* A wider field or precision makes no sense in a kernel log and would only burn time. */
#define WIDTH_LIMIT 0xFFFF

typedef enum { SizeDefault, SizeChar, SizeShort, SizeLong, SizeQuad, SizeWide } RTLP_SIZE;

typedef struct _RTLP_FORMATTER {
    PRTL_FORMAT_SINK Sink;
    PVOID Context;
    const void *Next; /* next character of the format */
    BOOLEAN Wide;     /* format and output are UTF-16 */
    LONG Count;       /* characters given to the sink */
    va_list Args;
} RTLP_FORMATTER;

typedef struct _RTLP_FIELD {
    ULONG Flags;
    LONG Width;
    LONG Precision; /* -1: not given */
    RTLP_SIZE Size;
    WCHAR Conversion;
} RTLP_FIELD;

/* A string argument of either width. */
typedef struct _RTLP_TEXT {
    const void *Data;
    ULONG Length;
    BOOLEAN Wide;
} RTLP_TEXT;

static WCHAR RtlpPeek(const RTLP_FORMATTER *F)
{
    return F->Wide ? *(const WCHAR *)F->Next : *(const UCHAR *)F->Next;
}

static VOID RtlpSkip(RTLP_FORMATTER *F)
{
    F->Next = (const CHAR *)F->Next + (F->Wide ? sizeof(WCHAR) : sizeof(CHAR));
}

static VOID RtlpEmit(RTLP_FORMATTER *F, WCHAR Character)
{
    F->Count++;
    F->Sink(F->Context, Character);
}

static VOID RtlpPad(RTLP_FORMATTER *F, WCHAR Character, LONG Count)
{
    while (Count-- > 0)
        RtlpEmit(F, Character);
}

/* One character of an argument: converted when its width is not the output's. */
static VOID RtlpEmitText(RTLP_FORMATTER *F, const RTLP_TEXT *Text, ULONG Index)
{
    WCHAR c = Text->Wide ? ((const WCHAR *)Text->Data)[Index] : ((const UCHAR *)Text->Data)[Index];
    UCHAR Ansi;

    if (F->Wide && !Text->Wide) {
        c = RtlpFromAnsi((UCHAR)c);
    } else if (!F->Wide && Text->Wide) {
        RtlpToAnsi(c, &Ansi);
        c = Ansi;
    }
    RtlpEmit(F, c);
}

static VOID RtlpFormatText(RTLP_FORMATTER *F, const RTLP_FIELD *Field, const RTLP_TEXT *Text)
{
    LONG Padding = Field->Width - (LONG)Text->Length;

    if (!(Field->Flags & FLAG_LEFT))
        RtlpPad(F, Field->Flags & FLAG_ZERO ? '0' : ' ', Padding);
    for (ULONG i = 0; i < Text->Length; i++)
        RtlpEmitText(F, Text, i);
    if (Field->Flags & FLAG_LEFT)
        RtlpPad(F, ' ', Padding);
}

/* [MS type field characters] s and c have the width of the output, S and C the other one; h means narrow, l
 * and w wide; Z is narrow unless l or w is given. */
static BOOLEAN RtlpArgumentIsWide(const RTLP_FORMATTER *F, const RTLP_FIELD *Field)
{
    if (Field->Size == SizeShort || Field->Size == SizeChar)
        return FALSE;
    if (Field->Size == SizeLong || Field->Size == SizeWide)
        return TRUE;
    if (Field->Conversion == 'Z')
        return FALSE;
    return (Field->Conversion == 's' || Field->Conversion == 'c') ? F->Wide : !F->Wide;
}

static ULONG RtlpBoundedLength(const RTLP_TEXT *Text, LONG Precision)
{
    ULONG Limit = Precision < 0 ? 0x7FFFFFFF : (ULONG)Precision, n = 0;
    while (n < Limit &&
           (Text->Wide ? ((const WCHAR *)Text->Data)[n] != 0 : ((const CHAR *)Text->Data)[n] != 0))
        n++;
    return n;
}

static VOID RtlpFormatString(RTLP_FORMATTER *F, const RTLP_FIELD *Field)
{
    RTLP_TEXT Text = {va_arg(F->Args, const void *), 0, RtlpArgumentIsWide(F, Field)};

    if (Text.Data == NULL)
        Text = (RTLP_TEXT){"(null)", 0, FALSE};
    Text.Length = RtlpBoundedLength(&Text, Field->Precision);
    RtlpFormatText(F, Field, &Text);
}

/* ANSI_STRING and UNICODE_STRING have one layout; Length counts bytes. */
static VOID RtlpFormatCounted(RTLP_FORMATTER *F, const RTLP_FIELD *Field)
{
    const UNICODE_STRING *String = va_arg(F->Args, const UNICODE_STRING *);
    RTLP_TEXT Text = {"(null)", 6, FALSE};

    if (String != NULL && String->Buffer != NULL) {
        Text.Wide = RtlpArgumentIsWide(F, Field);
        Text.Data = String->Buffer;
        Text.Length = Text.Wide ? String->Length / sizeof(WCHAR) : String->Length;
    }
    if (Field->Precision >= 0 && (ULONG)Field->Precision < Text.Length)
        Text.Length = (ULONG)Field->Precision;
    RtlpFormatText(F, Field, &Text);
}

static VOID RtlpFormatCharacter(RTLP_FORMATTER *F, const RTLP_FIELD *Field)
{
    int Argument = va_arg(F->Args, int);
    BOOLEAN Wide = RtlpArgumentIsWide(F, Field);
    WCHAR WideCharacter = (WCHAR)Argument;
    UCHAR Narrow = (UCHAR)Argument;
    RTLP_TEXT Text = {Wide ? (const void *)&WideCharacter : (const void *)&Narrow, 1, Wide};

    RtlpFormatText(F, Field, &Text);
}

static ULONG64 RtlpReadUnsigned(RTLP_FORMATTER *F, RTLP_SIZE Size)
{
    if (Size == SizeQuad)
        return va_arg(F->Args, ULONG64);
    unsigned int Value = va_arg(F->Args, unsigned int);
    if (Size == SizeShort)
        return (USHORT)Value;
    return Size == SizeChar ? (UCHAR)Value : Value;
}

static LONG64 RtlpReadSigned(RTLP_FORMATTER *F, RTLP_SIZE Size)
{
    if (Size == SizeQuad)
        return va_arg(F->Args, LONG64);
    int Value = va_arg(F->Args, int);
    if (Size == SizeShort)
        return (SHORT)Value;
    return Size == SizeChar ? (signed char)Value : Value;
}

/* Prefix (sign or 0x), zeros to the precision or, with the flag 0 and no precision, to the width, then the
 * digits. */
static VOID RtlpFormatDigits(RTLP_FORMATTER *F, const RTLP_FIELD *Field, PCSTR Prefix, PCSTR Digits,
                             LONG Count)
{
    LONG PrefixLength = (LONG)strlen(Prefix);
    LONG Zeros = Field->Precision > Count ? Field->Precision - Count : 0;

    if (Field->Precision < 0 && (Field->Flags & (FLAG_ZERO | FLAG_LEFT)) == FLAG_ZERO)
        Zeros = Field->Width - PrefixLength - Count;
    if (Zeros < 0)
        Zeros = 0;

    LONG Padding = Field->Width - PrefixLength - Zeros - Count;
    if (!(Field->Flags & FLAG_LEFT))
        RtlpPad(F, ' ', Padding);
    for (; *Prefix != 0; Prefix++)
        RtlpEmit(F, (UCHAR)*Prefix);
    RtlpPad(F, '0', Zeros);
    for (LONG i = 0; i < Count; i++)
        RtlpEmit(F, (UCHAR)Digits[i]);
    if (Field->Flags & FLAG_LEFT)
        RtlpPad(F, ' ', Padding);
}

static VOID RtlpFormatUnsigned(RTLP_FORMATTER *F, RTLP_FIELD *Field, ULONG Base)
{
    CHAR Digits[64];
    PCSTR Prefix = "";
    ULONG64 Value = RtlpReadUnsigned(F, Field->Size);
    LONG Count = (LONG)RtlpDigits(Value, Base, Field->Conversion == 'X' || Field->Conversion == 'p', Digits);

    if (Value == 0 && Field->Precision == 0)
        Count = 0;
    if (Field->Flags & FLAG_PREFIX) {
        if (Base == 16 && Value != 0)
            Prefix = Field->Conversion == 'x' ? "0x" : "0X";
        if (Base == 8 && Value != 0 && Field->Precision <= Count)
            Field->Precision = Count + 1;
    }
    RtlpFormatDigits(F, Field, Prefix, Digits, Count);
}

static VOID RtlpFormatSigned(RTLP_FORMATTER *F, const RTLP_FIELD *Field)
{
    CHAR Digits[64];
    LONG64 Value = RtlpReadSigned(F, Field->Size);
    ULONG64 Magnitude = Value < 0 ? 0 - (ULONG64)Value : (ULONG64)Value;
    LONG Count = (LONG)RtlpDigits(Magnitude, 10, FALSE, Digits);
    PCSTR Prefix = Value < 0 ? "-" : Field->Flags & FLAG_PLUS ? "+" : Field->Flags & FLAG_SPACE ? " " : "";

    if (Value == 0 && Field->Precision == 0)
        Count = 0;
    RtlpFormatDigits(F, Field, Prefix, Digits, Count);
}

static ULONG RtlpParseFlags(RTLP_FORMATTER *F)
{
    for (ULONG Flags = 0;; RtlpSkip(F)) {
        switch (RtlpPeek(F)) {
        case '-':
            Flags |= FLAG_LEFT;
            break;
        case '+':
            Flags |= FLAG_PLUS;
            break;
        case ' ':
            Flags |= FLAG_SPACE;
            break;
        case '#':
            Flags |= FLAG_PREFIX;
            break;
        case '0':
            Flags |= FLAG_ZERO;
            break;
        default:
            return Flags;
        }
    }
}

/* A decimal number or '*'. */
static LONG RtlpParseNumber(RTLP_FORMATTER *F)
{
    LONG Value = 0;

    if (RtlpPeek(F) == '*') {
        RtlpSkip(F);
        Value = va_arg(F->Args, int);
        return Value > WIDTH_LIMIT ? WIDTH_LIMIT : Value < -WIDTH_LIMIT ? -WIDTH_LIMIT : Value;
    }
    for (; RtlpPeek(F) >= '0' && RtlpPeek(F) <= '9'; RtlpSkip(F)) {
        Value = Value * 10 + (RtlpPeek(F) - '0');
        if (Value > WIDTH_LIMIT)
            Value = WIDTH_LIMIT;
    }
    return Value;
}

static BOOLEAN RtlpAccept(RTLP_FORMATTER *F, WCHAR Character)
{
    if (RtlpPeek(F) != Character)
        return FALSE;
    RtlpSkip(F);
    return TRUE;
}

/* After 'I': I32, I64, or alone, which means the size of a pointer. */
static RTLP_SIZE RtlpParseIntegerSize(RTLP_FORMATTER *F)
{
    const void *Start = F->Next;

    if (RtlpAccept(F, '6') && RtlpAccept(F, '4'))
        return SizeQuad;
    F->Next = Start;
    if (RtlpAccept(F, '3') && RtlpAccept(F, '2'))
        return SizeDefault;
    F->Next = Start;
    return SizeQuad;
}

static RTLP_SIZE RtlpParseSize(RTLP_FORMATTER *F)
{
    if (RtlpAccept(F, 'h'))
        return RtlpAccept(F, 'h') ? SizeChar : SizeShort;
    if (RtlpAccept(F, 'l'))
        return RtlpAccept(F, 'l') ? SizeQuad : SizeLong;
    if (RtlpAccept(F, 'w'))
        return SizeWide;
    if (RtlpAccept(F, 'I'))
        return RtlpParseIntegerSize(F);
    if (RtlpAccept(F, 'z') || RtlpAccept(F, 't') || RtlpAccept(F, 'j'))
        return SizeQuad;
    return SizeDefault;
}

static VOID RtlpParseField(RTLP_FORMATTER *F, RTLP_FIELD *Field)
{
    Field->Flags = RtlpParseFlags(F);
    Field->Width = RtlpParseNumber(F);
    if (Field->Width < 0) {
        Field->Flags |= FLAG_LEFT;
        Field->Width = -Field->Width;
    }
    Field->Precision = -1;
    if (RtlpAccept(F, '.')) {
        Field->Precision = RtlpParseNumber(F);
        if (Field->Precision < 0)
            Field->Precision = -1;
    }
    Field->Size = RtlpParseSize(F);
    Field->Conversion = RtlpPeek(F);
    if (Field->Conversion != 0)
        RtlpSkip(F);
}

static VOID RtlpFormatField(RTLP_FORMATTER *F, RTLP_FIELD *Field)
{
    switch (Field->Conversion) {
    case 'd':
    case 'i':
        RtlpFormatSigned(F, Field);
        break;
    case 'u':
        RtlpFormatUnsigned(F, Field, 10);
        break;
    case 'x':
    case 'X':
        RtlpFormatUnsigned(F, Field, 16);
        break;
    case 'o':
        RtlpFormatUnsigned(F, Field, 8);
        break;
    case 'p':
        Field->Size = SizeQuad;
        Field->Precision = 16;
        RtlpFormatUnsigned(F, Field, 16);
        break;
    case 's':
    case 'S':
        RtlpFormatString(F, Field);
        break;
    case 'c':
    case 'C':
        RtlpFormatCharacter(F, Field);
        break;
    case 'Z':
        RtlpFormatCounted(F, Field);
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
    case 'n':
        (void)va_arg(F->Args, ULONG64);
        RtlpEmit(F, Field->Conversion);
        break;
    case 0:
        break;
    default: /* '%' and whatever has no meaning */
        RtlpEmit(F, Field->Conversion);
        break;
    }
}

LONG RtlpFormat(PRTL_FORMAT_SINK Sink, PVOID Context, const void *Format, BOOLEAN Wide, va_list Args)
{
    RTLP_FORMATTER F = {.Sink = Sink, .Context = Context, .Next = Format, .Wide = Wide};
    va_copy(F.Args, Args);

    for (WCHAR c = RtlpPeek(&F); c != 0; c = RtlpPeek(&F)) {
        RtlpSkip(&F);
        if (c == '%') {
            RTLP_FIELD Field;
            RtlpParseField(&F, &Field);
            RtlpFormatField(&F, &Field);
        } else {
            RtlpEmit(&F, c);
        }
    }
    va_end(F.Args);
    return F.Count;
}

LONG RtlFormatToSink(PRTL_FORMAT_SINK Sink, PVOID Context, PCSTR Format, va_list Args)
{
    return RtlpFormat(Sink, Context, Format, FALSE, Args);
}

ULONG RtlpDigits(ULONG64 Value, ULONG Base, BOOLEAN UpperCase, CHAR Digits[64])
{
    PCSTR Alphabet = UpperCase ? "0123456789ABCDEF" : "0123456789abcdef";
    CHAR Reversed[64];
    ULONG Count = 0;

    do {
        Reversed[Count++] = Alphabet[Value % Base];
        Value /= Base;
    } while (Value != 0);
    for (ULONG i = 0; i < Count; i++)
        Digits[i] = Reversed[Count - 1 - i];
    return Count;
}
