/* SPDX-License-Identifier: MIT
 * Who holds how many references under which tag, when the command line says `trace-references` (checked kernel). [WDK
 * ObReferenceObjectWithTag] a reference is dropped with the tag that it was taken with; without a tag both have 'Dflt'. Pairs of object
 * and tag stay in a fixed table: an object's address comes again. */
#include "obp_trace.h"

#if NTBOX_CHECKED
#include "crt.h"
#include "kd.h"

#define OBP_TRACE_SLOTS 16384u
#define OBP_TRACE_TAG 'rTbO'

typedef struct _OBP_TRACE {
    PVOID Object; /* NULL: free for ever after */
    ULONG Tag;
    LONG Count;        /* references less dereferences */
    const void *Owner; /* return address in who took the last one */
} OBP_TRACE;

/* Nothing is called with it, any IRQL: it has no rank. Taken with interrupts off. */
static volatile LONG ObpTraceLock;
static OBP_TRACE *ObpTraces; /* NULL: not traced */
static BOOLEAN ObpTraceIsFull;

BOOLEAN ObpTracing;

VOID ObTraceReferences(VOID)
{
    ObpTraces = ExAllocatePool2(POOL_FLAG_NON_PAGED, OBP_TRACE_SLOTS * sizeof(*ObpTraces), OBP_TRACE_TAG);
    ObpTracing = ObpTraces != NULL;
}

static BOOLEAN ObpLockTrace(VOID)
{
    BOOLEAN Interrupts = ArchDisableInterrupts();

    while (InterlockedExchange(&ObpTraceLock, 1) != 0)
        __builtin_ia32_pause();
    return Interrupts;
}

static VOID ObpUnlockTrace(BOOLEAN Interrupts)
{
    __atomic_store_n(&ObpTraceLock, 0, __ATOMIC_RELEASE);
    ArchRestoreInterrupts(Interrupts);
}

/* All entries of an object lie in one run that begins here and ends at the first free one. */
static ULONG ObpTraceStart(PVOID Object)
{
    return (ULONG)(((ULONG_PTR)Object >> 4) * 0x9E3779B97F4A7C15ull >> 50) % OBP_TRACE_SLOTS;
}

static OBP_TRACE *ObpNextTrace(PULONG Slot)
{
    OBP_TRACE *Trace = &ObpTraces[*Slot];

    *Slot = (*Slot + 1) % OBP_TRACE_SLOTS;
    return Trace->Object != NULL ? Trace : NULL;
}

/* Lock held. NULL: the table is full. */
static OBP_TRACE *ObpFindTrace(PVOID Object, ULONG Tag)
{
    ULONG Slot = ObpTraceStart(Object);

    for (ULONG Tries = 0; Tries < OBP_TRACE_SLOTS / 2; Tries++) {
        OBP_TRACE *Trace = &ObpTraces[Slot];
        if (Trace->Object == NULL)
            *Trace = (OBP_TRACE){Object, Tag, 0, NULL};
        if (Trace->Object == Object && Trace->Tag == Tag)
            return Trace;
        Slot = (Slot + 1) % OBP_TRACE_SLOTS;
    }
    return NULL;
}

VOID ObpCountReference(PVOID Object, ULONG Tag, LONG Change, const void *Caller)
{
    BOOLEAN Interrupts = ObpLockTrace();
    OBP_TRACE *Trace = ObpFindTrace(Object, Tag);

    if (Trace != NULL) {
        Trace->Count += Change;
        if (Change > 0)
            Trace->Owner = Caller;
    } else {
        ObpTraceIsFull = TRUE;
    }
    ObpUnlockTrace(Interrupts);
}

/* "tag 'Abcd' +1, tag 'Dflt' -1"; empty when all are in balance. Lock held, or all are frozen. */
static VOID ObpDescribeTags(PVOID Object, PCHAR Text, SIZE_T Room)
{
    ULONG Slot = ObpTraceStart(Object);
    SIZE_T Length = 0;
    OBP_TRACE *Trace;

    Text[0] = 0;
    for (ULONG Tries = 0; Tries < OBP_TRACE_SLOTS / 2 && (Trace = ObpNextTrace(&Slot)) != NULL; Tries++) {
        if (Trace->Object != Object || Trace->Count == 0 || Length + 24 > Room)
            continue;
        _snprintf(Text + Length, Room - Length, "%stag '%c%c%c%c' %+d", Length != 0 ? ", " : "",
                  (CHAR)Trace->Tag, (CHAR)(Trace->Tag >> 8), (CHAR)(Trace->Tag >> 16),
                  (CHAR)(Trace->Tag >> 24), (int)Trace->Count);
        Length = strlen(Text);
    }
}

/* Lock held. Code of a driver that took the last reference under a tag that is out of balance; NULL: none. */
static const void *ObpFindCulprit(PVOID Object)
{
    ULONG Slot = ObpTraceStart(Object);
    OBP_TRACE *Trace;

    for (ULONG Tries = 0; Tries < OBP_TRACE_SLOTS / 2 && (Trace = ObpNextTrace(&Slot)) != NULL; Tries++)
        if (Trace->Object == Object && Trace->Count > 0 && Trace->Owner != NULL &&
            !KiUpcalls->IsKernelAddress(Trace->Owner))
            return Trace->Owner;
    return NULL;
}

/* Lock held. */
static VOID ObpForgetTraces(PVOID Object)
{
    ULONG Slot = ObpTraceStart(Object);
    OBP_TRACE *Trace;

    for (ULONG Tries = 0; Tries < OBP_TRACE_SLOTS / 2 && (Trace = ObpNextTrace(&Slot)) != NULL; Tries++)
        if (Trace->Object == Object)
            Trace->Count = 0;
}

/* [WDK ObDereferenceObjectWithTag] the tags of an object that goes must be in balance: else somebody drops what he did not take. */
VOID ObpTraceDeletion(PVOID Object, PCUNICODE_STRING Type)
{
    CHAR Text[128];
    BOOLEAN Interrupts = ObpLockTrace();

    ObpDescribeTags(Object, Text, sizeof(Text));
    const void *Culprit = Text[0] != 0 && !ObpTraceIsFull ? ObpFindCulprit(Object) : NULL;
    ObpForgetTraces(Object);
    ObpUnlockTrace(Interrupts);
    PCSTR Driver = Culprit != NULL ? KdModuleNameOf(Culprit) : NULL;
    if (Driver == NULL)
        return;
    CHAR Sentence[200];
    _snprintf(Sentence, sizeof(Sentence), "references to an object were not dropped with their tags: %s",
              Text);
    Sentence[sizeof(Sentence) - 1] = 0;
    KdLog("%s: %s (%wZ %p)", Driver, Sentence, Type, Object);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "reference tags"),
             KD_TEXT(ReportKeyText, Sentence));
}

PCSTR ObpTraceSentence(PVOID Object)
{
    static CHAR Text[200], Tags[128]; /* the machine stops */

    if (!ObpTracing)
        return NULL;
    ObpDescribeTags(Object, Tags, sizeof(Tags));
    _snprintf(Text, sizeof(Text), "an object is dereferenced more often than referenced: %s", Tags);
    Text[sizeof(Text) - 1] = 0;
    return Text;
}

/* The next entry from *Slot on that the module's code holds under a tag of its own, which is forgotten. FALSE: no more. */
static BOOLEAN ObpTakeHeld(ULONG_PTR Base, SIZE_T Size, PULONG Slot, OBP_TRACE *Held)
{
    BOOLEAN Interrupts = ObpLockTrace(), Found = FALSE;

    for (; *Slot < OBP_TRACE_SLOTS && !Found; ++*Slot) {
        OBP_TRACE *Trace = &ObpTraces[*Slot];
        Found = Trace->Count > 0 && Trace->Tag != OBP_DEFAULT_TAG && (ULONG_PTR)Trace->Owner - Base < Size;
        if (Found) {
            *Held = *Trace;
            Trace->Owner = NULL;
        }
    }
    ObpUnlockTrace(Interrupts);
    return Found;
}

ULONG ObReportDriverReferences(PCSTR Driver, const void *Base, SIZE_T Size)
{
    OBP_TRACE Held;
    ULONG Count = 0;

    if (!ObpTracing)
        return 0;
    for (ULONG Slot = 0; ObpTakeHeld((ULONG_PTR)Base, Size, &Slot, &Held); Count++) {
        CHAR Tag[5] = {(CHAR)Held.Tag, (CHAR)(Held.Tag >> 8), (CHAR)(Held.Tag >> 16), (CHAR)(Held.Tag >> 24)};
        KdLog("%s: %d references with tag '%s' to object %p were not dropped", Driver, (int)Held.Count, Tag,
              Held.Object);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "object reference"),
                 KD_NUMBER(ReportKeyCount, (ULONG64)Held.Count), KD_TEXT(ReportKeyName, Tag));
    }
    return Count;
}
#endif
