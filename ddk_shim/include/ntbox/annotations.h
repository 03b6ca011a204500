/* SPDX-License-Identifier: MIT
 * SAL annotations and pragmas' guards of the driver kit that mingw-w64's driverspecs.h does not know. They
 * say something to Microsoft's analyser and nothing to a compiler. */
#pragma once
#include <driverspecs.h>

#ifndef _Dispatch_type_
#define _Dispatch_type_(x)
#endif
#ifndef _IRQL_saves_global_
#define _IRQL_saves_global_(kind, param)
#endif
#ifndef _IRQL_restores_global_
#define _IRQL_restores_global_(kind, param)
#endif
#ifndef _IRQL_uses_cancel_
#define _IRQL_uses_cancel_
#endif
#ifndef _IRQL_always_function_max_
#define _IRQL_always_function_max_(value)
#endif
#ifndef _IRQL_always_function_min_
#define _IRQL_always_function_min_(value)
#endif
#ifndef _Kernel_clear_do_init_
#define _Kernel_clear_do_init_(yes_or_no)
#endif
#ifndef _Kernel_float_saved_
#define _Kernel_float_saved_
#endif
#ifndef _Kernel_float_restored_
#define _Kernel_float_restored_
#endif
#ifndef _Kernel_float_used_
#define _Kernel_float_used_
#endif
#ifndef _Kernel_requires_resource_held_
#define _Kernel_requires_resource_held_(kind)
#endif
#ifndef _Kernel_acquires_resource_
#define _Kernel_acquires_resource_(kind)
#endif
#ifndef _Kernel_releases_resource_
#define _Kernel_releases_resource_(kind)
#endif
#ifndef _Kernel_IoGetDmaAdapter_
#define _Kernel_IoGetDmaAdapter_
#endif
#ifndef NT_ANALYSIS_ASSUME
#define NT_ANALYSIS_ASSUME(x) ((void)0)
#endif
#ifndef _Analysis_assume_
#define _Analysis_assume_(x) ((void)0)
#endif

/* '#pragma alloc_text' works with clang on the MSVC target only; drivers guard it with ALLOC_PRAGMA. */
#if defined(_MSC_VER) && !defined(ALLOC_PRAGMA)
#define ALLOC_PRAGMA 1
#endif
