/* SPDX-License-Identifier: MIT
 * _purecall [MS C++ run-time: the handler of calls of pure virtual functions]: what a driver in C++ gets when it calls one, for
 * instance in a destructor. There is nothing to go on with. */
#include "ex.h"
#include "ke_bugcheck.h"
#include "ntbox/crt.h"

/* Any IRQL. */
DECLSPEC_NOINLINE int __cdecl _purecall(void)
{
    const void *Caller = __builtin_return_address(0);

    KeBugCheckBlaming(Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_PURE_CALL, (ULONG_PTR)Caller, 0, 0,
                      "called a pure virtual function");
}
