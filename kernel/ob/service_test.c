/* SPDX-License-Identifier: MIT
 * Semaphores, mutants and events by handle as a program asks for them. */
#include "ob_service.h"
#include "kt.h"
#include "ob.h"

#define ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 3)

typedef struct _USER_PAGE {
    HANDLE First, Second;
    LONG Previous;
    OB_SEMAPHORE_STATE State;
    KE_MUTANT_STATE Mutant;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    WCHAR Text[40];
} USER_PAGE;

#define ME ((USER_PAGE *)KT_USER_BASE)
#define NOBODYS ((PVOID)(KT_USER_BASE + PAGE_SIZE)) /* not there */
#define KERNELS ((PVOID) & ExEventObjectType)       /* there, and not the program's */

static POBJECT_ATTRIBUTES Named(PCWSTR Text)
{
    ME->Name.Length = (USHORT)(wcslen(Text) * sizeof(WCHAR));
    RtlCopyMemory(ME->Text, Text, ME->Name.Length);
    ME->Name.Buffer = ME->Text;
    InitializeObjectAttributes(&ME->Attributes, &ME->Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return &ME->Attributes;
}

static NTSTATUS WaitNoTime(HANDLE Handle)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    return ZwWaitForSingleObject(Handle, FALSE, &Now);
}

static VOID UserSemaphores(KT_CONTEXT *Kt)
{
    KT_EXPECT(ObCreateSemaphore(&ME->First, ALL_ACCESS, NULL, 0, 0, UserMode) == STATUS_INVALID_PARAMETER);
    KT_EXPECT(ObCreateSemaphore(&ME->First, ALL_ACCESS, NULL, 3, 2, UserMode) == STATUS_INVALID_PARAMETER);
    KT_EXPECT(ObCreateSemaphore(&ME->First, ALL_ACCESS, NULL, -1, 2, UserMode) == STATUS_INVALID_PARAMETER);
    KT_EXPECT(ObCreateSemaphore(KERNELS, ALL_ACCESS, NULL, 1, 2, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObCreateSemaphore(&ME->First, ALL_ACCESS, Named(L"\\BaseNamedObjects\\KtSemaphore"), 1, 3,
                                UserMode) == STATUS_SUCCESS);
    KT_EXPECT(ObCreateSemaphore(&ME->Second, ALL_ACCESS, &ME->Attributes, 1, 3, UserMode) ==
              STATUS_OBJECT_NAME_COLLISION);
    KT_EXPECT(ObOpenSemaphore(&ME->Second, SYNCHRONIZE, &ME->Attributes, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(WaitNoTime(ME->Second) == STATUS_SUCCESS && WaitNoTime(ME->Second) == STATUS_TIMEOUT);
    KT_EXPECT(ObReleaseSemaphore(ME->Second, 1, NULL, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ObReleaseSemaphore(ME->First, 0, NULL, UserMode) == STATUS_INVALID_PARAMETER);
    KT_EXPECT(ObReleaseSemaphore(ME->First, 1, KERNELS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObReleaseSemaphore(ME->First, 2, &ME->Previous, UserMode) == STATUS_SUCCESS &&
              ME->Previous == 0);
    KT_EXPECT(ObReleaseSemaphore(ME->First, 2, &ME->Previous, UserMode) == STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    KT_EXPECT(ObReleaseSemaphore(ME->First, MAXLONG, NULL, UserMode) == STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    KT_EXPECT(ObQuerySemaphore(ME->Second, &ME->State, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ObQuerySemaphore(ME->First, NOBODYS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObQuerySemaphore(ME->First, &ME->State, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(ME->State.Count == 2 && ME->State.Limit == 3);
    KT_EXPECT(ObPulseEvent(ME->First, NULL, UserMode) == STATUS_OBJECT_TYPE_MISMATCH);
    KT_EXPECT(NtClose(ME->First) == 0 && NtClose(ME->Second) == 0);
    KT_EXPECT(ObOpenSemaphore(&ME->Second, SYNCHRONIZE, &ME->Attributes, UserMode) ==
              STATUS_OBJECT_NAME_NOT_FOUND);
}

KT_TEST(semaphores_by_handle_work_for_user_mode)
{
    KtAsUser(Kt, 1, UserSemaphores);
}

#define MUTANT_ALL (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 1)

static BOOLEAN MutantIs(HANDLE Handle, LONG Count, BOOLEAN Owned, BOOLEAN Abandoned)
{
    RtlFillMemory(&ME->Mutant, sizeof(ME->Mutant), 0xcc);
    return ObQueryMutant(Handle, &ME->Mutant, UserMode) == STATUS_SUCCESS &&
           ME->Mutant.CurrentCount == Count && ME->Mutant.OwnedByCaller == Owned &&
           ME->Mutant.AbandonedState == Abandoned && ((PUSHORT)&ME->Mutant)[3] == 0;
}

static VOID UserMutants(KT_CONTEXT *Kt)
{
    KT_EXPECT(ObCreateMutant(KERNELS, MUTANT_ALL, NULL, FALSE, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObCreateMutant(&ME->First, MUTANT_ALL, Named(L"\\BaseNamedObjects\\KtMutant"), TRUE,
                             UserMode) == STATUS_SUCCESS);
    KT_EXPECT(ObCreateMutant(&ME->Second, MUTANT_ALL, &ME->Attributes, TRUE, UserMode) ==
              STATUS_OBJECT_NAME_COLLISION);
    ME->Attributes.Attributes |= OBJ_OPENIF;
    KT_EXPECT(ObCreateMutant(&ME->Second, MUTANT_ALL, &ME->Attributes, TRUE, UserMode) ==
              STATUS_OBJECT_NAME_EXISTS);
    KT_EXPECT(MutantIs(ME->Second, 0, TRUE, FALSE) && NtClose(ME->Second) == 0);
    KT_EXPECT(ObOpenMutant(KERNELS, SYNCHRONIZE, &ME->Attributes, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObOpenMutant(&ME->Second, SYNCHRONIZE, &ME->Attributes, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(WaitNoTime(ME->Second) == STATUS_SUCCESS && MutantIs(ME->First, -1, TRUE, FALSE));
    KT_EXPECT(ObQueryMutant(ME->Second, &ME->Mutant, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ObQueryMutant(ME->First, NOBODYS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObReleaseMutant(ME->Second, KERNELS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObReleaseMutant(ME->Second, &ME->Previous, UserMode) == STATUS_SUCCESS && ME->Previous == -1);
    KT_EXPECT(ObReleaseMutant(ME->First, NULL, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(MutantIs(ME->First, 1, FALSE, FALSE));
    KT_EXPECT(ObReleaseMutant(ME->First, NULL, UserMode) == STATUS_MUTANT_NOT_OWNED);
    KT_EXPECT(ObResetEvent(ME->First, NULL, UserMode) == STATUS_OBJECT_TYPE_MISMATCH);
    KT_EXPECT(NtClose(ME->First) == 0 && NtClose(ME->Second) == 0);
    KT_EXPECT(ObOpenMutant(&ME->Second, SYNCHRONIZE, &ME->Attributes, UserMode) ==
              STATUS_OBJECT_NAME_NOT_FOUND);
}

KT_TEST(mutants_by_handle_work_for_user_mode)
{
    KtAsUser(Kt, 1, UserMutants);
}

static VOID NTAPI TakeAndEnd(PVOID Handle)
{
    (void)ZwWaitForSingleObject(Handle, FALSE, NULL);
}

/* A wait that would pass the limit ends with the status, and leaves the object. */
static VOID MeetLimit(KT_CONTEXT *Kt, HANDLE Handle)
{
    PKMUTANT Mutant;
    HANDLE Both[] = {Handle, Handle};
    KT_EXPECT(ObReferenceObjectByHandle(Handle, 0, ObMutantType, KernelMode, (PVOID *)&Mutant, NULL) ==
              STATUS_SUCCESS);
    LONG State = Mutant->Header.SignalState;
    Mutant->Header.SignalState = MINLONG;
    NTSTATUS One = WaitNoTime(Handle), Two = ZwWaitForMultipleObjects(2, Both, WaitAny, FALSE, NULL);
    Mutant->Header.SignalState = State;
    ObDereferenceObject(Mutant);
    KT_EXPECT(One == STATUS_MUTANT_LIMIT_EXCEEDED && Two == STATUS_MUTANT_LIMIT_EXCEEDED);
}

KT_TEST(mutants_by_handle_are_abandoned)
{
    HANDLE Handle;
    OBJECT_ATTRIBUTES Attributes;
    LONG64 Before = ObCountObjects(ObMutantType);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    KT_EXPECT(ObCreateMutant(&Handle, MUTANT_ALL, &Attributes, FALSE, KernelMode) == STATUS_SUCCESS);
    KtJoinThread(KtStartThread(TakeAndEnd, Handle));
    KT_EXPECT(ObReleaseMutant(Handle, NULL, KernelMode) == STATUS_MUTANT_NOT_OWNED);
    KT_EXPECT(WaitNoTime(Handle) == STATUS_ABANDONED && WaitNoTime(Handle) == STATUS_SUCCESS);
    MeetLimit(Kt, Handle);
    KT_EXPECT(Kt->Expression == NULL);
    KT_EXPECT(ZwClose(Handle) == STATUS_SUCCESS); /* owned */
    KT_EXPECT(ObCountObjects(ObMutantType) == Before);
    KT_EXPECT(IsListEmpty(&KiCurrentThread()->HandleMutants));
}

static VOID UserEvents(KT_CONTEXT *Kt)
{
    POBJECT_ATTRIBUTES Attributes = Named(L"\\BaseNamedObjects\\KtEvent");
    KT_EXPECT(ZwCreateEvent(&ME->First, EVENT_ALL_ACCESS, Attributes, NotificationEvent, TRUE) ==
              STATUS_SUCCESS);
    KT_EXPECT(ObOpenEvent(KERNELS, SYNCHRONIZE, Attributes, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(ObOpenEvent(&ME->Second, SYNCHRONIZE, Attributes, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(ObResetEvent(ME->Second, NULL, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ObPulseEvent(ME->Second, NULL, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(ObPulseEvent(ME->First, NOBODYS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(WaitNoTime(ME->Second) == STATUS_SUCCESS);
    KT_EXPECT(ObPulseEvent(ME->First, &ME->Previous, UserMode) == STATUS_SUCCESS && ME->Previous == 1);
    KT_EXPECT(WaitNoTime(ME->Second) == STATUS_TIMEOUT);
    KT_EXPECT(ObResetEvent(ME->First, &ME->Previous, UserMode) == STATUS_SUCCESS && ME->Previous == 0);
    KT_EXPECT(NtClose(ME->First) == 0 && NtClose(ME->Second) == 0);
}

KT_TEST(events_by_handle_are_opened_and_pulsed_by_user_mode)
{
    KtAsUser(Kt, 1, UserEvents);
}
