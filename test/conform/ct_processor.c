/* SPDX-License-Identifier: MIT
 * What is told of the processors that are there. [WDK KeRegisterProcessorChangeCallback, KeQueryLogicalProcessorRelationship] */
#include "ct.h"

/* --- changes --- */

#define MAX_PROCESSORS 64

typedef struct LISTENER {
    ULONG Started, Completed, Failed, Wrong;
    ULONG RefuseAt; /* the start of this processor fails */
    ULONG64 Told;
} LISTENER;

static VOID NTAPI OnProcessor(PVOID Context, PKE_PROCESSOR_CHANGE_NOTIFY_CONTEXT Change, PNTSTATUS Status)
{
    LISTENER *Listener = Context;
    if (KeGetCurrentIrql() != PASSIVE_LEVEL || Change->NtNumber >= MAX_PROCESSORS ||
        Change->ProcNumber.Group != 0 || Change->ProcNumber.Number != Change->NtNumber ||
        *Status != STATUS_SUCCESS)
        Listener->Wrong++;
    switch (Change->State) {
    case KeProcessorAddStartNotify:
        Listener->Wrong += Listener->Completed + Listener->Failed; /* all starts come first */
        Listener->Started++;
        Listener->Told |= 1ull << Change->NtNumber;
        if (Change->NtNumber == Listener->RefuseAt)
            *Status = STATUS_INSUFFICIENT_RESOURCES;
        break;
    case KeProcessorAddCompleteNotify:
        Listener->Completed++;
        break;
    case KeProcessorAddFailureNotify:
        Listener->Failed++;
        Listener->Wrong += Change->NtNumber == Listener->RefuseAt;
        break;
    default:
        Listener->Wrong++;
    }
}

static VOID ProcessorChange(VOID)
{
    ULONG Count = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    LISTENER Listener = {.RefuseAt = MAX_PROCESSORS};

    PVOID Handle = KeRegisterProcessorChangeCallback(OnProcessor, &Listener, 0);
    CT_REQUIRE(Handle != NULL);
    CT_EQUAL(Listener.Started, 0);
    KeDeregisterProcessorChangeCallback(Handle);

    Handle = KeRegisterProcessorChangeCallback(OnProcessor, &Listener, KE_PROCESSOR_CHANGE_ADD_EXISTING);
    CT_REQUIRE(Handle != NULL);
    CT_EQUAL(Listener.Started, Count);
    CT_EQUAL(Listener.Completed, Count);
    CT_EQUAL(Listener.Failed, 0);
    CT_EQUAL(Listener.Told, KeQueryActiveProcessors());
    CT_EQUAL(Listener.Wrong, 0);
    KeDeregisterProcessorChangeCallback(Handle);

    for (ULONG At = 0; At < Count; At++) {
        LISTENER Refuses = {.RefuseAt = At};
        CT_CHECK(KeRegisterProcessorChangeCallback(OnProcessor, &Refuses, KE_PROCESSOR_CHANGE_ADD_EXISTING) ==
                 NULL);
        CT_EQUAL(Refuses.Started, At + 1);
        CT_EQUAL(Refuses.Failed, At);
        CT_EQUAL(Refuses.Completed, 0);
        CT_EQUAL(Refuses.Wrong, 0);
    }
}

/* --- relations --- */

typedef SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX RELATION;

static DECLSPEC_ALIGN(8) UCHAR Room[32 * 1024];

static RELATION *Next(RELATION *Relation)
{
    return (RELATION *)((PUCHAR)Relation + Relation->Size);
}

static KAFFINITY MaskOf(const RELATION *Relation)
{
    switch (Relation->Relationship) {
    case RelationProcessorCore:
    case RelationProcessorPackage:
        CT_EQUAL(Relation->Processor.GroupCount, 1);
        return Relation->Processor.GroupMask[0].Mask;
    case RelationNumaNode:
        return Relation->NumaNode.GroupMask.Mask;
    case RelationCache:
        CT_CHECK(Relation->Cache.Level >= 1 && Relation->Cache.Level <= 4 && Relation->Cache.CacheSize != 0 &&
                 Relation->Cache.LineSize != 0 && Relation->Cache.Associativity != 0);
        return Relation->Cache.GroupMask.Mask;
    case RelationGroup:
        CT_EQUAL(Relation->Group.ActiveGroupCount, KeQueryActiveGroupCount());
        CT_EQUAL(Relation->Group.GroupInfo[0].ActiveProcessorCount, KeQueryActiveProcessorCount(NULL));
        CT_EQUAL(Relation->Group.GroupInfo[0].MaximumProcessorCount, KeQueryMaximumProcessorCount());
        return Relation->Group.GroupInfo[0].ActiveProcessorMask;
    default:
        CT_CHECK(Relation->Relationship <= RelationGroup);
        return 0;
    }
}

/* Asks for the length, then with one byte less than that, then with that. Returns the length. */
static ULONG Ask(PPROCESSOR_NUMBER Processor, LOGICAL_PROCESSOR_RELATIONSHIP Type)
{
    ULONG Length = 0, Short;
    CT_STATUS(KeQueryLogicalProcessorRelationship(Processor, Type, NULL, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_CHECK(Length != 0 && Length <= sizeof(Room));
    Short = Length - 1;
    CT_STATUS(KeQueryLogicalProcessorRelationship(Processor, Type, (RELATION *)Room, &Short),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Short, Length);
    CT_SUCCESS(KeQueryLogicalProcessorRelationship(Processor, Type, (RELATION *)Room, &Length));
    CT_EQUAL(Short, Length);
    return Length;
}

/* Each processor is in one thing of the kind, and all of them are active. */
static VOID CheckPartition(LOGICAL_PROCESSOR_RELATIONSHIP Type)
{
    RELATION *End = (RELATION *)(Room + Ask(NULL, Type));
    KAFFINITY Seen = 0;
    for (RELATION *Relation = (RELATION *)Room; Relation < End; Relation = Next(Relation)) {
        KAFFINITY Mask = MaskOf(Relation);
        CT_EQUAL(Relation->Relationship, Type);
        CT_CHECK(Mask != 0 && (Mask & Seen) == 0);
        if (Type == RelationProcessorCore)
            CT_EQUAL(Relation->Processor.Flags, (Mask & (Mask - 1)) != 0);
        Seen |= Mask;
    }
    CT_EQUAL(Seen, KeQueryActiveProcessors());
}

/* One processor's relation of each kind is the one of all that has it in its mask. */
static VOID CheckOne(ULONG Index)
{
    PROCESSOR_NUMBER Number;
    static const LOGICAL_PROCESSOR_RELATIONSHIP Types[] = {RelationProcessorCore, RelationNumaNode,
                                                           RelationProcessorPackage, RelationGroup};
    CT_SUCCESS(KeGetProcessorNumberFromIndex(Index, &Number));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Types); i++) {
        RELATION *Relation = (RELATION *)Room;
        ULONG Length = Ask(&Number, Types[i]);
        CT_EQUAL(Length, Relation->Size);
        CT_CHECK((MaskOf(Relation) & ((KAFFINITY)1 << Index)) != 0);
    }
}

static VOID ProcessorRelation(VOID)
{
    ULONG Length = 0, Sum = 0;
    PROCESSOR_NUMBER None = {.Group = 0, .Number = (UCHAR)KeQueryActiveProcessorCount(NULL)};

    CheckPartition(RelationProcessorCore);
    CheckPartition(RelationNumaNode);
    CheckPartition(RelationProcessorPackage);
    CheckPartition(RelationGroup);
    for (ULONG i = 0; i < KeQueryActiveProcessorCount(NULL); i++)
        CheckOne(i);
    RELATION *End = (RELATION *)(Room + Ask(NULL, RelationAll));
    for (RELATION *Relation = (RELATION *)Room; Relation < End; Relation = Next(Relation)) {
        (VOID) MaskOf(Relation);
        Sum |= 1u << Relation->Relationship;
    }
    CT_EQUAL(Sum | 1u << RelationCache, 0x1f); /* a processor need not say which caches it has */
    CT_STATUS(KeQueryLogicalProcessorRelationship(&None, RelationAll, NULL, &Length),
              STATUS_INVALID_PARAMETER);
}

static const CT_CASE Cases[] = {
    {"processor.change", ProcessorChange},
    {"processor.relation", ProcessorRelation},
};
CT_DRIVER(Cases)
