/* SPDX-License-Identifier: MIT
 * What a child process has of its parent's handles. */
#include "ps.h"
#include "ex.h"
#include "kt.h"
#include "ob.h"

#define INHERIT_MANY 5000u /* more than the first blocks of a table */

static NTSTATUS InheritEvent(ULONG Attributes, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Event;

    InitializeObjectAttributes(&Event, NULL, Attributes, NULL, NULL);
    return ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &Event, NotificationEvent, FALSE);
}

/* An event without handles, referenced. */
static PVOID InheritObject(VOID)
{
    HANDLE Handle;
    PVOID Object = NULL;

    if (!NT_SUCCESS(InheritEvent(OBJ_KERNEL_HANDLE, &Handle)))
        return NULL;
    (void)ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL);
    ZwClose(Handle);
    return Object;
}

/* The handles that there are of it. */
static LONG64 InheritCount(PVOID Object)
{
    PUBLIC_OBJECT_BASIC_INFORMATION Basic = {};
    HANDLE Handle;

    if (!NT_SUCCESS(ObOpenObjectByPointer(Object, OBJ_KERNEL_HANDLE, NULL, EVENT_ALL_ACCESS, NULL, KernelMode,
                                          &Handle)))
        return -1;
    (void)ZwQueryObject(Handle, ObjectBasicInformation, &Basic, sizeof(Basic), NULL);
    ZwClose(Handle);
    return (LONG64)Basic.HandleCount - 1; /* but for this one */
}

/* The current process's handle: its object, NULL when it is none; compared only. */
static PVOID InheritLook(HANDLE Handle, POBJECT_HANDLE_INFORMATION Information)
{
    PVOID Object;

    if (!NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, Information)))
        return NULL;
    ObDereferenceObject(Object);
    return Object;
}

typedef struct _INHERIT_PAIR {
    PVOID Object; /* referenced by the test */
    HANDLE Given, Kept, Hole, Protected, Kernel;
    PEPROCESS Parent, Child;
} INHERIT_PAIR;

/* In the parent: one handle to inherit with less access, one not, a closed one, a protected one; and a kernel handle that says OBJ_INHERIT. */
static BOOLEAN InheritFillParent(INHERIT_PAIR *Pair)
{
    OBJECT_HANDLE_FLAG_INFORMATION Both = {.Inherit = TRUE, .ProtectFromClose = TRUE};
    KAPC_STATE State;

    KeStackAttachProcess(&Pair->Parent->Pcb, &State);
    BOOLEAN Made = InheritEvent(0, &Pair->Kept) == 0 && InheritEvent(OBJ_INHERIT, &Pair->Hole) == 0 &&
                   ObOpenObjectByPointer(Pair->Object, OBJ_INHERIT, NULL, EVENT_MODIFY_STATE, NULL,
                                         KernelMode, &Pair->Given) == 0 &&
                   ObOpenObjectByPointer(Pair->Object, 0, NULL, EVENT_ALL_ACCESS, NULL, KernelMode,
                                         &Pair->Protected) == 0 &&
                   ObSetHandleAttributes(Pair->Protected, &Both, KernelMode) == 0 &&
                   InheritEvent(OBJ_KERNEL_HANDLE | OBJ_INHERIT, &Pair->Kernel) == 0 &&
                   ZwClose(Pair->Hole) == 0;
    KeUnstackDetachProcess(&State);
    return Made;
}

static BOOLEAN InheritMakePair(INHERIT_PAIR *Pair)
{
    Pair->Object = InheritObject();
    return Pair->Object != NULL && PsCreateEmptyProcess(&Pair->Parent) == 0 && InheritFillParent(Pair) &&
           PsCreateChildProcess(Pair->Parent, TRUE, &Pair->Child) == 0;
}

/* The same values, access and attributes, of the inheritable ones only; what is free in the parent is free in the child, and new handles of
 * the child take it. */
KT_TEST(inheritable_handles_are_in_the_child)
{
    INHERIT_PAIR Pair = {};
    OBJECT_HANDLE_INFORMATION Given = {}, Protected = {};
    KAPC_STATE State;
    HANDLE New[4] = {};

    KT_EXPECT(InheritMakePair(&Pair));
    LONG64 Handles = InheritCount(Pair.Object);
    ULONG Count = ObHandleCount(Pair.Child->Pcb.HandleTable);
    KeStackAttachProcess(&Pair.Child->Pcb, &State);
    PVOID GivenObject = InheritLook(Pair.Given, &Given);
    PVOID ProtectedObject = InheritLook(Pair.Protected, &Protected);
    PVOID Kept = InheritLook(Pair.Kept, NULL), Hole = InheritLook(Pair.Hole, NULL);
    NTSTATUS Closed = ZwClose(Pair.Protected);
    BOOLEAN Collides = FALSE;
    for (ULONG I = 0; I < RTL_NUMBER_OF(New); I++) {
        (void)InheritEvent(0, &New[I]);
        Collides |= New[I] == NULL || New[I] == Pair.Given || New[I] == Pair.Protected;
    }
    BOOLEAN Low = New[0] < Pair.Protected;
    PVOID Still = InheritLook(Pair.Given, NULL);
    KeUnstackDetachProcess(&State);
    HANDLE ParentId = Pair.Child->ParentId;
    ZwClose(Pair.Kernel);
    ObDereferenceObject(Pair.Child);
    LONG64 WithoutChild = InheritCount(Pair.Object);
    KT_EXPECT(ParentId == Pair.Parent->UniqueProcessId);
    ObDereferenceObject(Pair.Parent);
    LONG64 WithoutParent = InheritCount(Pair.Object);
    LONG_PTR Left = ObDereferenceObject(Pair.Object);
    KT_EXPECT(Count == 2 && Kept == NULL && Hole == NULL);
    KT_EXPECT(GivenObject == Pair.Object && ProtectedObject == Pair.Object && Still == Pair.Object);
    KT_EXPECT(Given.GrantedAccess == EVENT_MODIFY_STATE && Given.HandleAttributes == OBJ_INHERIT);
    KT_EXPECT(Protected.HandleAttributes == (OBJ_INHERIT | OBJ_PROTECT_CLOSE));
    KT_EXPECT(Closed == STATUS_HANDLE_NOT_CLOSABLE && !Collides && Low);
    KT_EXPECT(Handles == 4 && WithoutChild == 2 && WithoutParent == 0 && Left == 0);
}

/* The parent goes first; the handles of a grandchild are those of the child. Without the flag there are none, and none of the System process. */
KT_TEST(inherited_handles_outlive_the_parent)
{
    INHERIT_PAIR Pair = {};
    PEPROCESS Grandchild = NULL, Empty = NULL, OfSystem = NULL;

    KT_EXPECT(InheritMakePair(&Pair));
    NTSTATUS Status = PsCreateChildProcess(Pair.Parent, FALSE, &Empty);
    NTSTATUS SystemStatus = PsCreateChildProcess(PsInitialSystemProcess, TRUE, &OfSystem);
    ZwClose(Pair.Kernel);
    KT_EXPECT(Status == 0 && ObHandleCount(Empty->Pcb.HandleTable) == 0);
    KT_EXPECT(SystemStatus == 0 && ObHandleCount(OfSystem->Pcb.HandleTable) == 0);
    ObDereferenceObject(Empty);
    ObDereferenceObject(OfSystem);
    ObDereferenceObject(Pair.Parent);
    LONG64 OfChild = InheritCount(Pair.Object);
    KT_EXPECT(PsCreateChildProcess(Pair.Child, TRUE, &Grandchild) == 0);
    ObDereferenceObject(Pair.Child);
    LONG64 OfGrandchild = InheritCount(Pair.Object);
    ObDereferenceObject(Grandchild);
    KT_EXPECT(OfChild == 2 && OfGrandchild == 2);
    KT_EXPECT(ObDereferenceObject(Pair.Object) == 0);
}

/* A parent that has ended has nothing to give. */
KT_TEST(ended_parent_gives_no_handles)
{
    PEPROCESS Parent, Child = NULL;
    HANDLE Handle;

    KT_EXPECT(PsCreateEmptyProcess(&Parent) == 0);
    KT_EXPECT(ObOpenObjectByPointer(Parent, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS, NULL, KernelMode,
                                    &Handle) == 0);
    KT_EXPECT(ZwTerminateProcess(Handle, STATUS_SUCCESS) == 0 && ZwClose(Handle) == 0);
    NTSTATUS Status = PsCreateChildProcess(Parent, TRUE, &Child);
    ObDereferenceObject(Parent);
    KT_EXPECT(Status == STATUS_PROCESS_IS_TERMINATING && Child == NULL);
}

/* More than the first blocks of a table: each is there, and the child's own come beside them. */
KT_TEST(many_handles_are_inherited)
{
    PEPROCESS Parent, Child;
    KAPC_STATE State;
    HANDLE Handle = NULL, Own = NULL;
    ULONG Made = 0;
    PVOID Object = InheritObject();

    KT_EXPECT(Object != NULL && PsCreateEmptyProcess(&Parent) == 0);
    KeStackAttachProcess(&Parent->Pcb, &State);
    for (ULONG I = 0; I < INHERIT_MANY; I++)
        Made += ObOpenObjectByPointer(Object, OBJ_INHERIT, NULL, EVENT_ALL_ACCESS, NULL, KernelMode,
                                      &Handle) == 0;
    KeUnstackDetachProcess(&State);
    KT_EXPECT(PsCreateChildProcess(Parent, TRUE, &Child) == 0);
    KeStackAttachProcess(&Child->Pcb, &State);
    PVOID Last = InheritLook(Handle, NULL);
    for (ULONG I = 0; I < 1000; I++) /* the table grows once more */
        Made += InheritEvent(0, &Own) == 0;
    KeUnstackDetachProcess(&State);
    ULONG Count = ObHandleCount(Child->Pcb.HandleTable);
    LONG64 Handles = InheritCount(Object);
    ObDereferenceObject(Child);
    ObDereferenceObject(Parent);
    LONG_PTR Left = ObDereferenceObject(Object);
    KT_EXPECT(Made == INHERIT_MANY + 1000 && Last == Object && Count == INHERIT_MANY + 1000);
    KT_EXPECT(Handles == 2 * INHERIT_MANY && Left == 0);
}

/* --- while the parent makes and closes handles --- */

typedef struct _INHERIT_RACE {
    PEPROCESS Parent;
    PVOID Object;       /* that lives all the time */
    POBJECT_TYPE Timer; /* of the objects that come and go */
    volatile LONG Stop, Rounds, Failed;
} INHERIT_RACE;

static NTSTATUS InheritTimer(PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Timer;

    InitializeObjectAttributes(&Timer, NULL, OBJ_INHERIT, NULL, NULL);
    return ZwCreateTimer(Handle, TIMER_ALL_ACCESS, &Timer, NotificationTimer);
}

/* In the parent: a handle that stays. */
static BOOLEAN InheritStartRace(INHERIT_RACE *Race)
{
    KAPC_STATE State;
    HANDLE Steady, Timer;
    PVOID Object;

    KeStackAttachProcess(&Race->Parent->Pcb, &State);
    BOOLEAN Made = InheritTimer(&Timer) == 0 && (Object = InheritLook(Timer, NULL)) != NULL &&
                   (Race->Timer = ObTypeOf(Object)) != NULL && ZwClose(Timer) == 0 &&
                   ObOpenObjectByPointer(Race->Object, OBJ_INHERIT, NULL, EVENT_ALL_ACCESS, NULL, KernelMode,
                                         &Steady) == 0;
    KeUnstackDetachProcess(&State);
    return Made;
}

/* The last handle of the timer may be the child's, and so is its last reference. */
static BOOLEAN InheritChurn(INHERIT_RACE *Race)
{
    HANDLE Shared, Own;

    if (ObOpenObjectByPointer(Race->Object, OBJ_INHERIT, NULL, EVENT_ALL_ACCESS, NULL, KernelMode, &Shared) !=
            0 ||
        InheritTimer(&Own) != 0)
        return FALSE;
    return InheritLook(Shared, NULL) == Race->Object && ZwClose(Shared) == 0 && ZwClose(Own) == 0;
}

static VOID NTAPI InheritChurnThread(PVOID Context)
{
    INHERIT_RACE *Race = Context;
    KAPC_STATE State;

    KeStackAttachProcess(&Race->Parent->Pcb, &State);
    for (; !Race->Stop && Race->Failed == 0; InterlockedIncrement(&Race->Rounds))
        if (!InheritChurn(Race))
            InterlockedIncrement(&Race->Failed);
    KeUnstackDetachProcess(&State);
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

/* One, two or three handles, as the parent has them at the moment. */
static BOOLEAN InheritOnce(INHERIT_RACE *Race)
{
    PEPROCESS Child;

    if (PsCreateChildProcess(Race->Parent, TRUE, &Child) != 0)
        return FALSE;
    ULONG Count = ObHandleCount(Child->Pcb.HandleTable);
    ObDereferenceObject(Child);
    return Count >= 1 && Count <= 3;
}

/* What the child has are handles, whatever the parent does: each is closed once, and afterwards nothing is left. */
KT_TEST(handles_are_inherited_while_the_parent_changes)
{
    INHERIT_RACE Race = {.Object = InheritObject()};
    BOOLEAN Right = TRUE;

    KT_EXPECT(Race.Object != NULL && PsCreateEmptyProcess(&Race.Parent) == 0 && InheritStartRace(&Race));
    LONG64 Timers = ObCountObjects(Race.Timer);
    PVOID Thread = KtStartThread(InheritChurnThread, &Race);
    KT_EXPECT(Thread != NULL);
    for (ULONG I = 0; Right && (I < 400 || (Race.Rounds < 1000 && Race.Failed == 0)); I++)
        Right = InheritOnce(&Race);
    InterlockedExchange(&Race.Stop, 1);
    KtJoinThread(Thread);
    ObDereferenceObject(Race.Parent);
    LONG64 TimersLeft = ObCountObjects(Race.Timer), Handles = InheritCount(Race.Object);
    LONG_PTR Left = ObDereferenceObject(Race.Object);
    KT_EXPECT(Right && Race.Failed == 0);
    KT_EXPECT(TimersLeft == Timers && Handles == 0 && Left == 0);
}
