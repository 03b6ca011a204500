/* SPDX-License-Identifier: MIT
 * Tier 3, ob: references by tag, in the checked kernel when it is told to. Any IRQL. */
#pragma once
#include "obp.h"
#include "ke.h"

#define OBP_DEFAULT_TAG 0x746c6644u /* 'Dflt' in memory: [WDK ObReferenceObjectWithTag] of who gives none */

#if NTBOX_CHECKED
extern BOOLEAN ObpTracing;
VOID ObpCountReference(PVOID Object, ULONG Tag, LONG Change, const void *Caller);
VOID ObpTraceDeletion(PVOID Object, PCUNICODE_STRING Type);
PCSTR ObpTraceSentence(PVOID Object); /* for a bug check; NULL: not traced */
#define ObpTraceReference(Object, Tag, Change, Caller)                                                       \
    do {                                                                                                     \
        if (__builtin_expect(ObpTracing, FALSE))                                                             \
            ObpCountReference((Object), (Tag), (Change), (Caller));                                          \
    } while (0)
#else
#define ObpTracing FALSE
#define ObpTraceReference(Object, Tag, Change, Caller) ((void)(Tag))
#define ObpTraceDeletion(Object, Type) ((void)0)
#define ObpTraceSentence(Object) NULL
#endif
