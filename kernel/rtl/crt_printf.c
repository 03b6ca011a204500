/* SPDX-License-Identifier: MIT
 * The printf family on top of the one engine: each function differs only in how it bounds and ends the
 * buffer. The rules are cited in crt.h. */
#include "crt.h"
#include "format.h"

typedef struct _RTLP_BUFFER {
    void *Data; /* char or wchar_t, never written at or above Limit characters */
    SIZE_T Limit, Used;
} RTLP_BUFFER;

static VOID RtlpStoreNarrow(PVOID Context, WCHAR Character)
{
    RTLP_BUFFER *Buffer = Context;
    if (Buffer->Used < Buffer->Limit)
        ((char *)Buffer->Data)[Buffer->Used++] = (char)Character;
}

static VOID RtlpStoreWide(PVOID Context, WCHAR Character)
{
    RTLP_BUFFER *Buffer = Context;
    if (Buffer->Used < Buffer->Limit)
        ((wchar_t *)Buffer->Data)[Buffer->Used++] = Character;
}

static VOID RtlpTerminate(void *Data, SIZE_T Index, BOOLEAN Wide)
{
    if (Wide)
        ((wchar_t *)Data)[Index] = 0;
    else
        ((char *)Data)[Index] = 0;
}

static int RtlpPrint(void *Data, SIZE_T Limit, const void *Format, BOOLEAN Wide, va_list Args)
{
    RTLP_BUFFER Buffer = {Data, Limit, 0};
    return RtlpFormat(Wide ? RtlpStoreWide : RtlpStoreNarrow, &Buffer, Format, Wide, Args);
}

static int RtlpPrintUnbounded(void *Data, const void *Format, BOOLEAN Wide, va_list Args)
{
    int Length = RtlpPrint(Data, (SIZE_T)-1, Format, Wide, Args);
    RtlpTerminate(Data, (SIZE_T)Length, Wide);
    return Length;
}

static int RtlpPrintCounted(void *Data, SIZE_T Count, const void *Format, BOOLEAN Wide, va_list Args)
{
    if (Format == NULL || (Data == NULL && Count != 0))
        return -1;
    int Length = RtlpPrint(Data, Count, Format, Wide, Args);
    if (Data == NULL || (SIZE_T)Length == Count)
        return Length;
    if ((SIZE_T)Length > Count)
        return -1;
    RtlpTerminate(Data, (SIZE_T)Length, Wide);
    return Length;
}

static int RtlpPrintSecure(void *Data, SIZE_T Size, SIZE_T Count, const void *Format, BOOLEAN Wide,
                           va_list Args)
{
    if (Data == NULL || Size == 0 || Format == NULL)
        return -1;
    BOOLEAN MayCut = Count == CRT_TRUNCATE || Count < Size;
    SIZE_T Limit = Count < Size ? Count : Size - 1;
    int Length = RtlpPrint(Data, Limit, Format, Wide, Args);

    if ((SIZE_T)Length <= Limit) {
        RtlpTerminate(Data, (SIZE_T)Length, Wide);
        return Length;
    }
    RtlpTerminate(Data, MayCut ? Limit : 0, Wide);
    return -1;
}

int __cdecl vsprintf(char *Buffer, const char *Format, va_list Args)
{
    return RtlpPrintUnbounded(Buffer, Format, FALSE, Args);
}

int __cdecl _vswprintf(wchar_t *Buffer, const wchar_t *Format, va_list Args)
{
    return RtlpPrintUnbounded(Buffer, Format, TRUE, Args);
}

int __cdecl _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Args)
{
    return RtlpPrintCounted(Buffer, Count, Format, FALSE, Args);
}

int __cdecl _vsnwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, va_list Args)
{
    return RtlpPrintCounted(Buffer, Count, Format, TRUE, Args);
}

int __cdecl _vsnprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, va_list Args)
{
    return RtlpPrintSecure(Buffer, Size, Count, Format, FALSE, Args);
}

int __cdecl _vsnwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, va_list Args)
{
    return RtlpPrintSecure(Buffer, Size, Count, Format, TRUE, Args);
}

/* Count == Size never cuts: what does not fit is an error. */
int __cdecl vsprintf_s(char *Buffer, size_t Size, const char *Format, va_list Args)
{
    return RtlpPrintSecure(Buffer, Size, Size, Format, FALSE, Args);
}

int __cdecl vswprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, va_list Args)
{
    return RtlpPrintSecure(Buffer, Size, Size, Format, TRUE, Args);
}

/* The variadic forms: each calls the va_list form of its name. */
#define RTLP_VARIADIC(Call)                                                                                  \
    va_list Args;                                                                                            \
    va_start(Args, Format);                                                                                  \
    int Length = Call;                                                                                       \
    va_end(Args);                                                                                            \
    return Length

int __cdecl sprintf(char *Buffer, const char *Format, ...)
{
    RTLP_VARIADIC(vsprintf(Buffer, Format, Args));
}

int __cdecl swprintf(wchar_t *Buffer, const wchar_t *Format, ...)
{
    RTLP_VARIADIC(_vswprintf(Buffer, Format, Args));
}

int __cdecl _swprintf(wchar_t *Buffer, const wchar_t *Format, ...)
{
    RTLP_VARIADIC(_vswprintf(Buffer, Format, Args));
}

int __cdecl _snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    RTLP_VARIADIC(_vsnprintf(Buffer, Count, Format, Args));
}

int __cdecl _snwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...)
{
    RTLP_VARIADIC(_vsnwprintf(Buffer, Count, Format, Args));
}

int __cdecl sprintf_s(char *Buffer, size_t Size, const char *Format, ...)
{
    RTLP_VARIADIC(vsprintf_s(Buffer, Size, Format, Args));
}

int __cdecl swprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, ...)
{
    RTLP_VARIADIC(vswprintf_s(Buffer, Size, Format, Args));
}

int __cdecl _snprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, ...)
{
    RTLP_VARIADIC(_vsnprintf_s(Buffer, Size, Count, Format, Args));
}

int __cdecl _snwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, ...)
{
    RTLP_VARIADIC(_vsnwprintf_s(Buffer, Size, Count, Format, Args));
}
