/* SPDX-License-Identifier: MIT
 * A process's own handle table: what its handles mean there and elsewhere, duplication, the end of the process. */
#include "ps.h"
#include "ex.h"
#include "kt.h"
#include "ob.h"

static NTSTATUS HandleEvent(ULONG Attributes, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Event;

    InitializeObjectAttributes(&Event, NULL, Attributes, NULL, NULL);
    return ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &Event, NotificationEvent, FALSE);
}

static PVOID HandleObject(HANDLE Handle)
{
    PVOID Object;

    if (!NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL)))
        return NULL;
    ObDereferenceObject(Object); /* compared only */
    return Object;
}

/* A handle made in one process means something else, or nothing, in another; a kernel handle is the same everywhere. */
KT_TEST(handles_belong_to_their_process)
{
    PEPROCESS Process;
    KAPC_STATE State;
    HANDLE Own = NULL, Kernel = NULL;
    PVOID InProcess, KernelInProcess, Here, KernelHere;

    KT_EXPECT(PsCreateEmptyProcess(&Process) == 0);
    KeStackAttachProcess(&Process->Pcb, &State);
    NTSTATUS Status = HandleEvent(0, &Own), KernelStatus = HandleEvent(OBJ_KERNEL_HANDLE, &Kernel);
    InProcess = HandleObject(Own);
    KernelInProcess = HandleObject(Kernel);
    ULONG Count = ObHandleCount(Process->Pcb.HandleTable);
    KeUnstackDetachProcess(&State);
    Here = HandleObject(Own);
    KernelHere = HandleObject(Kernel);
    NTSTATUS Closed = ZwClose(Kernel);
    ObDereferenceObject(Process);
    KT_EXPECT(Status == 0 && KernelStatus == 0 && Closed == 0 && Count == 1);
    KT_EXPECT(!ObIsKernelHandle(Own) && ObIsKernelHandle(Kernel));
    KT_EXPECT(InProcess != NULL && Here != InProcess);
    KT_EXPECT(KernelHere != NULL && KernelHere == KernelInProcess);
}

typedef struct _HANDLE_WALK {
    PVOID Object;
    ULONG Count; /* of handles to it, each above the last */
    HANDLE Last;
} HANDLE_WALK;

static VOID HandleMet(const OB_HANDLE_ENTRY *Entry, PVOID Context)
{
    HANDLE_WALK *Walk = Context;

    Walk->Count += Entry->Object == Walk->Object && (ULONG_PTR)Entry->Handle > (ULONG_PTR)Walk->Last;
    Walk->Last = Entry->Handle;
}

/* The source of the duplicate, which may be waited for and no more, is a handle of the process. */
static NTSTATUS HandleDuplicateForUser(PEPROCESS Process, HANDLE Source, ACCESS_MASK Access, PHANDLE New)
{
    OB_DUPLICATE Duplicate = {.SourceProcess = Process,
                              .Source = Process->Pcb.HandleTable,
                              .Handle = Source,
                              .TargetProcess = Process,
                              .Target = Process->Pcb.HandleTable,
                              .Access = Access};

    return ObDuplicateHandle(&Duplicate, UserMode, New);
}

/* An event without a descriptor grants user mode no more than the source does. */
KT_TEST(user_mode_duplicates_get_no_more_than_their_source)
{
    PEPROCESS Process;
    KAPC_STATE State;
    PVOID Event;
    HANDLE Kernel, Source = NULL, New = NULL;

    KT_EXPECT(PsCreateEmptyProcess(&Process) == 0);
    KT_EXPECT(HandleEvent(OBJ_KERNEL_HANDLE, &Kernel) == 0);
    KT_EXPECT(ObReferenceObjectByHandle(Kernel, 0, NULL, KernelMode, &Event, NULL) == 0);
    KeStackAttachProcess(&Process->Pcb, &State);
    NTSTATUS Status = ObOpenObjectByPointer(Event, 0, NULL, SYNCHRONIZE, NULL, KernelMode, &Source);
    NTSTATUS More = HandleDuplicateForUser(Process, Source, SYNCHRONIZE | EVENT_MODIFY_STATE, &New);
    NTSTATUS Same = HandleDuplicateForUser(Process, Source, SYNCHRONIZE, &New);
    KeUnstackDetachProcess(&State);
    ObDereferenceObject(Event);
    ZwClose(Kernel);
    ObDereferenceObject(Process);
    KT_EXPECT(Status == 0 && More == STATUS_ACCESS_DENIED && Same == 0);
}

/* The end of a process closes what it left open: as many as need more than the first blocks of its table. */
KT_TEST(process_end_closes_its_handles)
{
    PEPROCESS Process;
    PKEVENT Event;
    KAPC_STATE State;
    HANDLE Handle;
    ULONG Made = 0;

    KT_EXPECT(PsCreateEmptyProcess(&Process) == 0);
    KT_EXPECT(HandleEvent(OBJ_KERNEL_HANDLE, &Handle) == 0);
    KT_EXPECT(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, (PVOID *)&Event, NULL) == 0);
    ZwClose(Handle);
    KeStackAttachProcess(&Process->Pcb, &State);
    for (ULONG I = 0; I < 5000; I++)
        Made += ObOpenObjectByPointer(Event, 0, NULL, EVENT_ALL_ACCESS, NULL, KernelMode, &Handle) == 0;
    PVOID Last = HandleObject(Handle);
    KeUnstackDetachProcess(&State);
    ULONG Count = ObHandleCount(Process->Pcb.HandleTable);
    HANDLE_WALK Walk = {.Object = Event};
    ObEnumerateHandles(Process->Pcb.HandleTable, HandleMet, &Walk);
    ObDereferenceObject(Process);
    LONG_PTR Left = ObDereferenceObject(Event);
    KT_EXPECT(Made == 5000 && Count == 5000 && Walk.Count == 5000 && Last == Event);
    KT_EXPECT(Left == 0);
}

/* From one process into another, with less access; the source closed; a protected handle stays open. */
KT_TEST(handles_are_duplicated_between_processes)
{
    PEPROCESS Process;
    KAPC_STATE State;
    HANDLE ProcessHandle, Event, There, Back = NULL;
    OBJECT_HANDLE_INFORMATION Information = {};
    PVOID Object, Same;

    KT_EXPECT(PsCreateEmptyProcess(&Process) == 0);
    KT_EXPECT(ObOpenObjectByPointer(Process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS, NULL, KernelMode,
                                    &ProcessHandle) == 0);
    KT_EXPECT(HandleEvent(OBJ_KERNEL_HANDLE, &Event) == 0);
    Object = HandleObject(Event);
    KT_EXPECT(ZwDuplicateObject(ZwCurrentProcess(), Event, ProcessHandle, &There, EVENT_MODIFY_STATE, 0,
                                DUPLICATE_CLOSE_SOURCE) == 0);
    KT_EXPECT(HandleObject(Event) == NULL);
    KeStackAttachProcess(&Process->Pcb, &State);
    NTSTATUS Status = ObReferenceObjectByHandle(There, 0, NULL, KernelMode, &Same, &Information);
    KeUnstackDetachProcess(&State);
    KT_EXPECT(Status == 0 && Same == Object && Information.GrantedAccess == EVENT_MODIFY_STATE);
    ObDereferenceObject(Same);
    KT_EXPECT(ZwDuplicateObject(ProcessHandle, There, ZwCurrentProcess(), &Back, 0,
                                OBJ_KERNEL_HANDLE | OBJ_PROTECT_CLOSE, DUPLICATE_SAME_ACCESS) == 0);
    KT_EXPECT(ObIsKernelHandle(Back) && HandleObject(Back) == Object);
    KT_EXPECT(ZwClose(Back) == STATUS_HANDLE_NOT_CLOSABLE && HandleObject(Back) == Object);
    OBJECT_HANDLE_FLAG_INFORMATION None = {};
    KT_EXPECT(ObSetHandleAttributes(Back, &None, KernelMode) == 0 && ZwClose(Back) == 0);
    KT_EXPECT(ZwDuplicateObject(ProcessHandle, (HANDLE)0x7ff0, ZwCurrentProcess(), &There, 0, 0, 0) ==
              STATUS_INVALID_HANDLE);
    ZwClose(ProcessHandle);
    ObDereferenceObject(Process);
}
