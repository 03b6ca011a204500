/* SPDX-License-Identifier: MIT
 * Completion ports as a program uses them. */
#include "service_test.h"
#include "kt.h"

#define NOW ECHO(FILE_ANY_ACCESS)
#define KERNEL_VARIABLE ((PVOID)MM_IMAGE_BASE)

static NTSTATUS UserPort(ACCESS_MASK Access)
{
    ME->Timeout.QuadPart = 0;
    return NtCreateIoCompletion(&ME->Port, Access, NULL, 0);
}

static NTSTATUS UserRemove(VOID)
{
    return NtRemoveIoCompletion(ME->Port, &ME->Key, &ME->Context, &ME->Result, &ME->Timeout);
}

static NTSTATUS UserAssociate(VOID)
{
    ME->Association = (FILE_COMPLETION_INFORMATION){ME->Port, (PVOID)7};
    return NtSetInformationFile(ME->File, &ME->Iosb, &ME->Association, sizeof(ME->Association),
                                FileCompletionInformation);
}

static NTSTATUS UserAsk(ULONG Code, PVOID Context)
{
    return NtDeviceIoControlFile(ME->File, NULL, NULL, Context, &ME->Iosb, Code, ME->Input, 16, ME->Output,
                                 16);
}

/* What is put in comes out in that order, and what it is asked for in between. */
static VOID UserPosts(KT_CONTEXT *Kt)
{
    IO_COMPLETION_BASIC_INFORMATION *Basic = (PVOID)SECOND;
    KT_EXPECT(UserPort(IO_COMPLETION_ALL_ACCESS) == 0 && UserRemove() == STATUS_TIMEOUT);
    KT_EXPECT(NtSetIoCompletion(ME->Port, (PVOID)1, (PVOID)2, STATUS_PENDING, 3) == 0);
    KT_EXPECT(NtSetIoCompletion(ME->Port, (PVOID)4, NULL, 0, 5) == 0);
    KT_EXPECT(
        NtQueryIoCompletion(ME->Port, IoCompletionBasicInformation, Basic, sizeof(*Basic), &ME->Count) == 0);
    KT_EXPECT(Basic->Depth == 2 && ME->Count == sizeof(*Basic));
    KT_EXPECT(UserRemove() == 0 && ME->Key == (PVOID)1 && ME->Context == (PVOID)2);
    KT_EXPECT(ME->Result.Status == STATUS_PENDING && ME->Result.Information == 3);
    KT_EXPECT(UserRemove() == 0 && ME->Key == (PVOID)4 && ME->Context == NULL && ME->Result.Information == 5);
    KT_EXPECT(UserRemove() == STATUS_TIMEOUT && NtClose(ME->Port) == 0);
}

KT_TEST(io_completion_port_keeps_order)
{
    KtUserIn(Kt, 0, UserPosts);
}

/* Without the right, with another object's handle, to memory that is not the program's. */
static VOID UserPortErrors(KT_CONTEXT *Kt)
{
    const NTSTATUS No = STATUS_ACCESS_VIOLATION;
    KT_EXPECT(UserPort(IO_COMPLETION_QUERY_STATE) == 0 && UserRemove() == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtSetIoCompletion(ME->Port, NULL, NULL, 0, 0) == STATUS_ACCESS_DENIED);
    KT_EXPECT(UserAssociate() == STATUS_ACCESS_DENIED && NtClose(ME->Port) == 0);
    KT_EXPECT(UserPort(IO_COMPLETION_MODIFY_STATE) == 0);
    KT_EXPECT(NtQueryIoCompletion(ME->Port, IoCompletionBasicInformation, ME->Output, 4, NULL) ==
              STATUS_ACCESS_DENIED);
    KT_EXPECT(NtSetIoCompletion(ME->File, NULL, NULL, 0, 0) == STATUS_OBJECT_TYPE_MISMATCH);
    KT_EXPECT(NtCreateIoCompletion(KERNEL_VARIABLE, IO_COMPLETION_ALL_ACCESS, NULL, 0) == No);
    KT_EXPECT(NtSetIoCompletion(ME->Port, (PVOID)1, NULL, 0, 0) == 0);
    KT_EXPECT(NtRemoveIoCompletion(ME->Port, KERNEL_VARIABLE, &ME->Context, &ME->Result, &ME->Timeout) == No);
    KT_EXPECT(NtRemoveIoCompletion(ME->Port, &ME->Key, NULL, &ME->Result, &ME->Timeout) == No);
    KT_EXPECT(NtRemoveIoCompletion(ME->Port, &ME->Key, &ME->Context, &ME->Result, KERNEL_VARIABLE) == No);
    KT_EXPECT(NtRemoveIoCompletionEx(ME->Port, KERNEL_VARIABLE, 4, &ME->Count, &ME->Timeout, FALSE) == No);
    KT_EXPECT(NtRemoveIoCompletionEx(ME->Port, ME->Packets, MAXULONG, &ME->Count, &ME->Timeout, FALSE) == 0);
    KT_EXPECT(ME->Count == 1 && ME->Packets[0].KeyContext == (PVOID)1 && NtClose(ME->Port) == 0);
}

KT_TEST(io_completion_port_checks_its_caller)
{
    KtUserIn(Kt, 0, UserPortErrors);
}

/* Requests of a file: packets for those with a context; the port is closed with a packet in it, and gets one after that. */
static VOID UserRequestPackets(KT_CONTEXT *Kt)
{
    KT_EXPECT(UserPort(IO_COMPLETION_ALL_ACCESS) == 0 && UserAssociate() == 0);
    KT_EXPECT(UserAssociate() == STATUS_INVALID_PARAMETER);
    KT_EXPECT(UserAsk(NOW, NULL) == 0 && UserRemove() == STATUS_TIMEOUT);
    KT_EXPECT(UserAsk(PEND, (PVOID)9) == STATUS_PENDING && UserRemove() == STATUS_TIMEOUT);
    PIRP Irp = KtServicePended;
    Irp->IoStatus = (IO_STATUS_BLOCK){.Status = STATUS_SUCCESS, .Information = 3};
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    KT_EXPECT(UserRemove() == 0 && ME->Key == (PVOID)7 && ME->Context == (PVOID)9);
    KT_EXPECT(ME->Result.Status == 0 && ME->Result.Information == 3 && ME->Iosb.Information == 3);
    KT_EXPECT(UserAsk(NOW, (PVOID)1) == 0 && UserAsk(NOW, (PVOID)2) == 0);
    KT_EXPECT(NtRemoveIoCompletionEx(ME->Port, ME->Packets, 4, &ME->Count, NULL, FALSE) == 0 &&
              ME->Count == 2);
    KT_EXPECT(ME->Packets[1].ApcContext == (PVOID)2);
    KT_EXPECT(UserAsk(NOW, (PVOID)1) == 0 && NtClose(ME->Port) == 0 && UserAsk(NOW, (PVOID)1) == 0);
}

KT_TEST(io_completion_port_gets_requests)
{
    KtUserIn(Kt, 0, UserRequestPackets);
}

static VOID UserSynchronousPort(KT_CONTEXT *Kt)
{
    KT_EXPECT(UserPort(IO_COMPLETION_ALL_ACCESS) == 0);
    KT_EXPECT(UserAssociate() == STATUS_INVALID_PARAMETER && NtClose(ME->Port) == 0);
}

KT_TEST(io_completion_port_refuses_synchronous_files)
{
    KtUserIn(Kt, FILE_SYNCHRONOUS_IO_NONALERT, UserSynchronousPort);
}

static HANDLE WaitedPort;
static NTSTATUS volatile WaitResult;

static VOID NTAPI WaitForPort(PVOID Unused)
{
    PVOID Key, Context;
    IO_STATUS_BLOCK Iosb;
    WaitResult = ZwRemoveIoCompletion(WaitedPort, &Key, &Context, &Iosb, NULL);
}

/* The wait, begun or not yet, ends with the port's last handle. */
KT_TEST(io_completion_wait_is_abandoned)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    KT_EXPECT(ZwCreateIoCompletion(&WaitedPort, IO_COMPLETION_ALL_ACCESS, &Attributes, 0) == 0);
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    PVOID Port, Thread = KtStartThread(WaitForPort, NULL);
    KT_EXPECT(Thread != NULL && ObReferenceObjectByHandle(WaitedPort, 0, NULL, KernelMode, &Port, NULL) == 0);
    while (IsListEmpty(&((PKQUEUE)Port)->Header.WaitListHead))
        KeDelayExecutionThread(KernelMode, FALSE, &Moment); /* looked at again, whatever the time */
    ObfDereferenceObject(Port);
    KT_EXPECT(ZwClose(WaitedPort) == 0);
    KtJoinThread(Thread);
    KT_EXPECT(WaitResult == STATUS_ABANDONED_WAIT_0);
}
