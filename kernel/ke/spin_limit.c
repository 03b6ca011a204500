/* SPDX-License-Identifier: MIT
 * A wait for a spin lock that lasts longer than the limit (option spin-limit=SECONDS, 0: none) ends the machine with
 * the name of the lock and, in the checked kernel, of who holds it and where it was acquired. Both kernels have it: the
 * time is looked at by who waits, so a lock that is free costs nothing. */
#include "ki.h"
#include "arch_lock.h"
#include "crt.h"
#include "rtl.h"

static ULONG KiSpinLimitSeconds;

#if NTBOX_CHECKED

/* Who has it, in words. */
static VOID KiDescribeHolder(const void *Lock, PSTR Text, SIZE_T Room)
{
    PKPRCB Holder;
    KI_SYMBOL Symbol;
    const KI_HELD_LOCK *Held = KiFindLockHolder(Lock, &Holder);

    if (Held == NULL) {
        _snprintf(Text, Room, "no processor holds it: it was not initialized, or was overwritten or freed");
        return;
    }
    KiUpcalls->Symbolize(Held->Caller, &Symbol);
    _snprintf(Text, Room, "processor %u holds it (thread %p), acquired at %s", (unsigned)Holder->Number,
              Holder->CurrentThread, Symbol.Text);
}

#else

/* An ordinary lock's value is 1, a queued one's the last in the queue. */
static VOID KiDescribeHolder(const void *Lock, PSTR Text, SIZE_T Room)
{
    _snprintf(Text, Room, "its value is %p", *(PVOID *)Lock);
}

#endif

/* [WDK Bug Check 0x133] 1: too long at DISPATCH_LEVEL or above; here because of the lock that parameter 3 names. */
static VOID KiSpunTooLong(const ARCH_SPIN *Spin)
{
    CHAR Holder[300], Text[460];
    CONTEXT Context;

    if (KeGetPrcb()->BugCheckActive)
        return;
    KiDescribeHolder(Spin->Lock, Holder, sizeof(Holder) - 1);
    Holder[sizeof(Holder) - 1] = 0;
    _snprintf(Text, sizeof(Text) - 1, "processor %u has waited %u s for the %s %p: %s",
              (unsigned)KeGetPrcb()->Number, (unsigned)KiSpinLimitSeconds, Spin->Class->Name, Spin->Lock,
              Holder);
    Text[sizeof(Text) - 1] = 0;
    RtlCaptureContext(&Context);
    KiBugCheck(DPC_WATCHDOG_VIOLATION, 1, KiSpinLimitSeconds * (10000000ull / HAL_CLOCK_PERIOD),
               (ULONG64)Spin->Lock, KeGetPrcb()->Number, &Context, Text);
}

VOID KeSetSpinLimit(ULONG Seconds)
{
    KiSpinLimitSeconds = Seconds;
    ArchSpunTooLong = KiSpunTooLong;
    ArchSpinLimit = Seconds * HalTscFrequency();
}
