/* SPDX-License-Identifier: MIT
 * Bounded copies of the C library [MS memcpy_s, memmove_s, strncpy_s, strncat_s]. They return their error. */
#include "crt.h"

/* An error empties the destination when it is known where it ends. */
static errno_t RtlpCopyBounded(void *To, size_t Size, const void *From, size_t Count)
{
    if (Count == 0)
        return 0;
    if (To == NULL)
        return CRT_EINVAL;
    if (From == NULL || Size < Count) {
        memset(To, 0, Size);
        return From == NULL ? CRT_EINVAL : CRT_ERANGE;
    }
    memmove(To, From, Count);
    return 0;
}

errno_t __cdecl memcpy_s(void *To, size_t Size, const void *From, size_t Count)
{
    return RtlpCopyBounded(To, Size, From, Count);
}

/* [MS memmove_s] leaves the destination alone on an error. */
errno_t __cdecl memmove_s(void *To, size_t Size, const void *From, size_t Count)
{
    if (Count == 0)
        return 0;
    if (To == NULL || From == NULL)
        return CRT_EINVAL;
    if (Size < Count)
        return CRT_ERANGE;
    memmove(To, From, Count);
    return 0;
}

/* Count characters at most; _TRUNCATE cuts to what fits, which is STRUNCATE (80). */
#define RTLP_BOUNDED(Type, Length)                                                                           \
    if (Count == 0 && To == NULL && Size == 0)                                                               \
        return 0;                                                                                            \
    if (To == NULL || Size == 0)                                                                             \
        return CRT_EINVAL;                                                                                   \
    if (From == NULL && Count != 0) {                                                                        \
        To[0] = 0;                                                                                           \
        return CRT_EINVAL;                                                                                   \
    }                                                                                                        \
    size_t Wanted = Count == 0 ? 0 : Length(From, Count == CRT_TRUNCATE ? Size : Count);                     \
    if (Wanted >= Size && Count != CRT_TRUNCATE) {                                                           \
        To[0] = 0;                                                                                           \
        return CRT_ERANGE;                                                                                   \
    }                                                                                                        \
    size_t Copied = Wanted >= Size ? Size - 1 : Wanted;                                                      \
    if (Copied != 0)                                                                                         \
        memmove(To, From, Copied * sizeof(Type));                                                            \
    To[Copied] = 0;                                                                                          \
    return Wanted >= Size ? CRT_STRUNCATE : 0

errno_t __cdecl strncpy_s(char *To, size_t Size, const char *From, size_t Count)
{
    RTLP_BOUNDED(char, strnlen);
}

errno_t __cdecl wcsncpy_s(wchar_t *To, size_t Size, const wchar_t *From, size_t Count)
{
    RTLP_BOUNDED(wchar_t, wcsnlen);
}

errno_t __cdecl strncat_s(char *To, size_t Size, const char *From, size_t Count)
{
    size_t Used = To == NULL ? 0 : strnlen(To, Size);

    if (To == NULL || Used == Size)
        return CRT_EINVAL;
    errno_t Error = strncpy_s(To + Used, Size - Used, From, Count);
    if (Error != 0 && Error != CRT_STRUNCATE)
        To[0] = 0;
    return Error;
}

errno_t __cdecl wcsncat_s(wchar_t *To, size_t Size, const wchar_t *From, size_t Count)
{
    size_t Used = To == NULL ? 0 : wcsnlen(To, Size);

    if (To == NULL || Used == Size)
        return CRT_EINVAL;
    errno_t Error = wcsncpy_s(To + Used, Size - Used, From, Count);
    if (Error != 0 && Error != CRT_STRUNCATE)
        To[0] = 0;
    return Error;
}
