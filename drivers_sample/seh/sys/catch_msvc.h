/* SPDX-License-Identifier: MIT
 * The seh sample's guarded calls in the compiler's own language: __try, __except and __finally. */
#pragma once
#include "ntbox/guarded_call.h"

#define CatchAll NtboxGuardedCall
#define WithFinally NtboxFinallyCall

/* A filter may look at the exception before it decides. [MS try-except] */
static LONG OnlyDivision(ULONG Code, LONG *Seen)
{
    ++*Seen;
    return Code == (ULONG)STATUS_INTEGER_DIVIDE_BY_ZERO ? EXCEPTION_EXECUTE_HANDLER
                                                        : EXCEPTION_CONTINUE_SEARCH;
}

static inline BOOLEAN MacrosCatch(VOID)
{
    LONG Seen = 0;
    volatile LONG Number = 100, Zero = 0, Result = 0;
    __try {
        Result = Number / Zero;
    } __except (OnlyDivision(GetExceptionCode(), &Seen)) {
        return Seen == 1 && Result == 0;
    }
    return FALSE;
}
