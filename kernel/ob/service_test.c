/* SPDX-License-Identifier: MIT
 * Semaphores and events by handle as a program asks for them. */
#include "ob_service.h"
#include "kt.h"
#include "ob.h"

#define ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 3)

typedef struct _USER_PAGE {
    HANDLE First, Second;
    LONG Previous;
    OB_SEMAPHORE_STATE State;
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
