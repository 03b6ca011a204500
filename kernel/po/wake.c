/* SPDX-License-Identifier: MIT
 * Who has woken the system: drivers mark the request with which they wait for a wake signal. [WDK PoSetSystemWake, PoGetSystemWake] */
#include "pop.h"

static POP_REQUEST *PopFindWakeLocked(const IRP *Irp)
{
    for (POP_REQUEST *Request = PopNextRequest(NULL); Request != NULL; Request = PopNextRequest(Request))
        if (Request->Queue == PopWakeQueue && Request->Irp == Irp)
            return Request;
    return NULL;
}

/* IRQL <= DISPATCH_LEVEL. Of a wait/wake request that PoRequestPowerIrp sent and that is not done; others stay as they are. */
VOID NTAPI PoSetSystemWake(PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    POP_REQUEST *Request = PopFindWakeLocked(Irp);
    if (Request != NULL)
        Request->Woke = TRUE;
    ArchReleaseLock(&PopLock, OldIrql);
}

/* IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI PoGetSystemWake(PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    const POP_REQUEST *Request = PopFindWakeLocked(Irp);
    BOOLEAN Woke = Request != NULL && Request->Woke;
    ArchReleaseLock(&PopLock, OldIrql);
    return Woke;
}
