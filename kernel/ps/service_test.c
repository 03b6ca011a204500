/* SPDX-License-Identifier: MIT
 * Timers by handle, directories and flags of handles as a program asks for them. */
#include "ps_service.h"
#include "kt.h"
#include "ke.h"
#include "ob.h"
#include "ob_service.h"
#include "ps.h"

typedef struct _USER_PAGE {
    HANDLE Timer, Other;
    BOOLEAN State;
    ULONG Context, Length;
    OBJECT_HANDLE_FLAG_INFORMATION Flags;
    OBJECT_DIRECTORY_INFORMATION Entry[2];
    UCHAR Room[256];
} USER_PAGE;

#define ME ((USER_PAGE *)KT_USER_BASE)
#define NOBODYS ((PVOID)(KT_USER_BASE + PAGE_SIZE)) /* not there */
#define KERNELS ((PVOID) & PsProcessType)           /* there, and not the program's */

static VOID NTAPI TimerRoutine(PVOID Context, ULONG Low, LONG High)
{
    NT_CHECK(FALSE); /* the thread never returns to user mode */
}

static VOID UserTimers(KT_CONTEXT *Kt)
{
    PS_TIMER_SETTING Soon = {.DueTime.QuadPart = -10000, .PreviousState = &ME->State};
    PS_TIMER_SETTING Bad = {.DueTime.QuadPart = -10000, .PreviousState = KERNELS};

    KT_EXPECT(PsCreateTimer(KERNELS, TIMER_ALL_ACCESS, NULL, NotificationTimer, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    KT_EXPECT(PsCreateTimer(NOBODYS, TIMER_ALL_ACCESS, NULL, NotificationTimer, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    KT_EXPECT(PsCreateTimer(&ME->Timer, TIMER_ALL_ACCESS, NULL, NotificationTimer, UserMode) == 0);
    KT_EXPECT(PsCreateTimer(&ME->Other, SYNCHRONIZE, NULL, NotificationTimer, UserMode) == 0);
    KT_EXPECT(PsSetTimer(ME->Other, &Soon, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(PsCancelTimer(ME->Other, NULL, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(PsSetTimer(ME->Timer, &Bad, UserMode) == STATUS_ACCESS_VIOLATION);
    ME->State = 7;
    KT_EXPECT(PsSetTimer(ME->Timer, &Soon, UserMode) == 0 && ME->State == FALSE);
    KT_EXPECT(NtWaitForSingleObject(ME->Timer, FALSE, NULL) == 0);
    KT_EXPECT(PsCancelTimer(ME->Timer, KERNELS, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(PsCancelTimer(ME->Timer, &ME->State, UserMode) == 0 && ME->State == TRUE);
    Soon.Routine = TimerRoutine;
    KT_EXPECT(PsSetTimer(ME->Timer, &Soon, UserMode) == 0);
    KT_EXPECT(NtWaitForSingleObject(ME->Timer, FALSE, NULL) == 0);
    KT_EXPECT(PsCancelTimer(ME->Timer, NULL, UserMode) == 0); /* with the APC that waits for user mode */
    KT_EXPECT(NtClose(ME->Timer) == 0 && NtClose(ME->Other) == 0);
}

KT_TEST(timers_by_handle_work_for_user_mode)
{
    KtAsUser(Kt, 1, UserTimers);
}

/* The texts' addresses are the program's. */
static VOID UserDirectory(KT_CONTEXT *Kt)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Root;

    InitializeObjectAttributes(&Attributes, &Path, 0, NULL, NULL);
    KT_EXPECT(ZwOpenDirectoryObject(&Root, DIRECTORY_QUERY, &Attributes) == 0);
    NTSTATUS Status = ObQueryDirectoryObject(Root, ME->Entry, sizeof(ME->Entry) + sizeof(ME->Room), TRUE,
                                             TRUE, &ME->Context, &ME->Length, UserMode);
    NTSTATUS Kernels = ObQueryDirectoryObject(Root, KERNELS, 200, TRUE, TRUE, &ME->Context, NULL, UserMode);
    NTSTATUS NoRoom = ObQueryDirectoryObject(Root, NOBODYS, 200, TRUE, TRUE, &ME->Context, NULL, UserMode);
    NTSTATUS NoContext = ObQueryDirectoryObject(Root, ME->Entry, 200, TRUE, TRUE, KERNELS, NULL, UserMode);
    ME->Flags = (OBJECT_HANDLE_FLAG_INFORMATION){TRUE, FALSE};
    NTSTATUS Set =
        ObSetInformationObject(Root, ObjectHandleFlagInformation, &ME->Flags, sizeof(ME->Flags), UserMode);
    NTSTATUS SetBad =
        ObSetInformationObject(Root, ObjectHandleFlagInformation, NOBODYS, sizeof(ME->Flags), UserMode);
    NtClose(Root);
    KT_EXPECT(Status == 0 && ME->Context == 1 && ME->Length > sizeof(ME->Entry));
    KT_EXPECT((PUCHAR)ME->Entry[0].Name.Buffer == (PUCHAR)&ME->Entry[2] && ME->Entry[0].Name.Length != 0);
    KT_EXPECT(Kernels == STATUS_ACCESS_VIOLATION && NoRoom == STATUS_ACCESS_VIOLATION &&
              NoContext == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(Set == 0 && SetBad == STATUS_ACCESS_VIOLATION);
}

KT_TEST(directories_are_told_to_user_mode)
{
    KtAsUser(Kt, 1, UserDirectory);
}
