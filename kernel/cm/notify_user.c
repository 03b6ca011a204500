/* SPDX-License-Identifier: MIT
 * The end of a ZwNotifyChangeKey of user mode that is not waited for: in the thread that asked, in whose process the status block lies. [WDK
 * ZwNotifyChangeKey, PIO_APC_ROUTINE] */
#include "cm/notify.h"
#include "ke.h"
#include "mm_caller.h"
#include "ps.h"

static VOID CmpFreeForUser(CMP_REQUEST *Request)
{
    if (Request->Event != NULL)
        ObDereferenceObjectDeferDelete(Request->Event);
    ObDereferenceObjectDeferDelete(Request->User.Thread);
    ExFreePoolWithTag(Request, CMP_TAG_NOTIFY);
}

static VOID CmpSignal(CMP_REQUEST *Request)
{
    if (Request->Event != NULL)
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI CmpFreeAtApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                               PVOID *Argument1, PVOID *Argument2)
{
    CmpFreeForUser(CONTAINING_RECORD(Apc, CMP_REQUEST, User.Apc));
}

static VOID NTAPI CmpFreeAtRundown(PKAPC Apc)
{
    CmpFreeForUser(CONTAINING_RECORD(Apc, CMP_REQUEST, User.Apc));
}

/* [WDK PIO_APC_ROUTINE] the routine gets ApcContext, the status block and 0. */
static VOID CmpCallUser(CMP_REQUEST *Request)
{
    KeInitializeApc(&Request->User.Apc, KiCurrentThread(), CurrentApcEnvironment, CmpFreeAtApc,
                    CmpFreeAtRundown, (PKNORMAL_ROUTINE)(PVOID)Request->User.Routine, UserMode,
                    Request->User.Context);
    if (!KeInsertQueueApc(&Request->User.Apc, Request->Iosb, NULL, IO_NO_INCREMENT))
        CmpFreeForUser(Request);
}

/* The thread may have left the process meanwhile, where its addresses mean something else (D-183). */
static VOID NTAPI CmpEndByApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                              PVOID *Argument1, PVOID *Argument2)
{
    CMP_REQUEST *Request = CONTAINING_RECORD(Apc, CMP_REQUEST, User.Apc);
    IO_STATUS_BLOCK Iosb = {.Status = Request->Status};
    BOOLEAN Inside = PsGetCurrentProcess() == Request->User.Process;
    if (Inside)
        (void)MmWriteCaller(Request->Iosb, &Iosb, sizeof(Iosb), UserMode);
    CmpSignal(Request);
    if (Inside && Request->User.Routine != NULL)
        CmpCallUser(Request);
    else
        CmpFreeForUser(Request);
}

/* A thread that ends takes no APC: its event is set all the same, another may wait for it. */
VOID CmpEndForUser(CMP_REQUEST *Request)
{
    KeInitializeApc(&Request->User.Apc, &Request->User.Thread->Tcb, InsertApcEnvironment, CmpEndByApc, NULL,
                    NULL, KernelMode, NULL);
    if (KeInsertQueueApc(&Request->User.Apc, NULL, NULL, IO_NO_INCREMENT))
        return;
    CmpSignal(Request);
    CmpFreeForUser(Request);
}
