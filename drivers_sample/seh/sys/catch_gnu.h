/* SPDX-License-Identifier: MIT
 * The seh sample's guarded calls in mingw gcc, which has no __try in C: the scope tables are written in
 * assembler (ntbox/guarded_call.h), and once by the macros __try1 and __except1 of <excpt.h>. */
#pragma once
#include "ntbox/guarded_call.h"

#define CatchAll NtboxGuardedCall
#define WithFinally NtboxFinallyCall

static volatile LONG MacroFilterCalls;

/* The filter of the macros' scope: called with the exception and the guarded function's frame. */
LONG NTAPI MacroFilter(PEXCEPTION_POINTERS Pointers, PVOID Frame)
{
    UNREFERENCED_PARAMETER(Frame);
    MacroFilterCalls++;
    return Pointers->ExceptionRecord->ExceptionCode == STATUS_INTEGER_DIVIDE_BY_ZERO
               ? EXCEPTION_EXECUTE_HANDLER
               : EXCEPTION_CONTINUE_SEARCH;
}

/* The macros' labels have fixed names: they can stand once in a source file. gcc does not see the way from
 * the fault to __except1, so whatever lives across it is volatile, and the function is not inlined. */
static __attribute__((noinline)) BOOLEAN MacrosCatch(VOID)
{
    volatile LONG Number = 100, Zero = 0, Result = 0;
    __try1(MacroFilter);
    Result = Number / Zero;
    __except1;
    return MacroFilterCalls == 1 && Result == 0;
}
