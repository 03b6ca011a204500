/* SPDX-License-Identifier: MIT
 * Reinitialize routines are called when DriverEntry has returned: the cases that look at it run then. [WDK IoRegisterDriverReinitialization,
 * IoRegisterBootDriverReinitialization, DRIVER_REINITIALIZE] */
#include "ct.h"

static ULONG Calls, BootCalls, LastCount;
static BOOLEAN EntryReturns;

static VOID CheckCall(PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    CT_CHECK(EntryReturns && Driver == CtDriverObject && KeGetCurrentIrql() == PASSIVE_LEVEL);
    CT_EQUAL(Count, LastCount + 1);
    CT_EQUAL(Driver->DriverExtension->Count, Count);
    CT_CHECK(Context == &Calls);
    LastCount = Count;
}

/* Twice: it registers again in its first call. The boot drivers' routine came before. */
static VOID Late(VOID)
{
    CT_EQUAL(BootCalls, 1);
    CT_EQUAL(LastCount, Calls + BootCalls);
}

static const CT_CASE LateCase = {"reinit.late", Late};

static VOID NTAPI Reinitialize(PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    CtOpenReport();
    CtText[0] = 0;
    Calls++;
    CheckCall(Driver, Context, Count);
    if (Calls == 1)
        IoRegisterDriverReinitialization(Driver, Reinitialize, Context);
    if (CtText[0] == 0)
        CtRunCase(&LateCase);
    else
        DbgPrint("reinit: %s\n", CtText);
    if (CtReport != NULL)
        ZwClose(CtReport);
}

static VOID NTAPI BootReinitialize(PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    CheckCall(Driver, Context, Count);
    BootCalls++;
}

/* Nothing is called before DriverEntry returns. */
static VOID Registered(VOID)
{
    IoRegisterDriverReinitialization(CtDriverObject, Reinitialize, &Calls);
    IoRegisterBootDriverReinitialization(CtDriverObject, BootReinitialize, &Calls);
    CT_CHECK(CtDriverObject->Flags & DRVO_REINIT_REGISTERED);
    CT_CHECK(CtDriverObject->Flags & DRVO_BOOTREINIT_REGISTERED);
    CT_CHECK(Calls == 0 && BootCalls == 0);
    EntryReturns = TRUE;
}

static const CT_CASE Cases[] = {{"reinit.registered", Registered}};
CT_DRIVER(Cases)
