/* SPDX-License-Identifier: MIT
 * Which processors share a core, a cache, a package, a node of memory and a group. [WDK KeQueryLogicalProcessorRelationship]
 * There is one node and one group. */
#include "ki.h"
#include "arch_topology.h"
#include "rtl.h"

#ifndef LTP_PC_SMT
#define LTP_PC_SMT                                                                                           \
    1 /* [SDK PROCESSOR_RELATIONSHIP] the core has more than one processor; the driver header lacks it */
#endif

typedef SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX KI_RELATION;

/* Sizes as on Windows x64. */
#define KI_RELATION_SIZE(Member) (FIELD_OFFSET(KI_RELATION, Member) + sizeof(((KI_RELATION *)0)->Member))
_Static_assert(KI_RELATION_SIZE(Processor) == 0x30 && KI_RELATION_SIZE(NumaNode) == 0x30, "x64");
_Static_assert(KI_RELATION_SIZE(Cache) == 0x38 && KI_RELATION_SIZE(Group) == 0x50, "x64");

typedef struct _KI_RELATIONS {
    PUCHAR Buffer; /* NULL: only the length is wanted */
    ULONG Room, Length;
    KAFFINITY About; /* of these processors */
    ARCH_TOPOLOGY Topology;
} KI_RELATIONS;

static VOID KiAddRelation(KI_RELATIONS *Relations, LOGICAL_PROCESSOR_RELATIONSHIP Type, KI_RELATION *Relation,
                          ULONG Size)
{
    Relation->Relationship = Type;
    Relation->Size = Size;
    if (Relations->Buffer != NULL && Relations->Room - Relations->Length >= Size &&
        Relations->Room >= Relations->Length)
        RtlCopyMemory(Relations->Buffer + Relations->Length, Relation, Size);
    Relations->Length += Size;
}

/* Who shares with processor Number what is told apart by the APIC id above Shift. */
static KAFFINITY KiSharers(ULONG Number, UCHAR Shift)
{
    ULONG Id = KiProcessorBlock[Number]->ApicId;
    KAFFINITY Mask = 0;

    for (ULONG Other = 0; Other < KeActiveProcessorCount; Other++)
        if (KiProcessorBlock[Other]->ApicId >> Shift == Id >> Shift)
            Mask |= (KAFFINITY)1 << Other;
    return Mask;
}

/* The sharers of each thing that is told apart above Shift, once, by its lowest processor; 0: not to be told again. */
static KAFFINITY KiNextSharers(const KI_RELATIONS *Relations, ULONG Number, UCHAR Shift)
{
    KAFFINITY Mask = KiSharers(Number, Shift);
    return (Mask & (((KAFFINITY)1 << Number) - 1)) == 0 ? Mask & -(KAFFINITY)((Mask & Relations->About) != 0)
                                                        : 0;
}

static VOID KiAddProcessors(KI_RELATIONS *Relations, LOGICAL_PROCESSOR_RELATIONSHIP Type, UCHAR Shift)
{
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++) {
        KAFFINITY Mask = KiNextSharers(Relations, Number, Shift);
        if (Mask == 0)
            continue;
        KI_RELATION Relation = {.Processor = {.GroupCount = 1, .GroupMask = {{.Mask = Mask}}}};
        if (Type == RelationProcessorCore && (Mask & (Mask - 1)) != 0)
            Relation.Processor.Flags = LTP_PC_SMT;
        KiAddRelation(Relations, Type, &Relation, KI_RELATION_SIZE(Processor));
    }
}

static VOID KiAddCaches(KI_RELATIONS *Relations)
{
    for (ULONG i = 0; i < Relations->Topology.CacheCount; i++) {
        const ARCH_CACHE *Cache = &Relations->Topology.Caches[i];
        for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++) {
            KAFFINITY Mask = KiNextSharers(Relations, Number, Cache->Shift);
            if (Mask == 0)
                continue;
            KI_RELATION Relation = {.Cache = {.Level = Cache->Level,
                                              .Associativity = Cache->Associativity,
                                              .LineSize = Cache->LineSize,
                                              .CacheSize = Cache->Size,
                                              .Type = Cache->Type,
                                              .GroupMask = {.Mask = Mask}}};
            KiAddRelation(Relations, RelationCache, &Relation, KI_RELATION_SIZE(Cache));
        }
    }
}

static VOID KiAddNode(KI_RELATIONS *Relations)
{
    KI_RELATION Relation = {.NumaNode = {.NodeNumber = 0, .GroupMask = {.Mask = KeQueryActiveProcessors()}}};
    KiAddRelation(Relations, RelationNumaNode, &Relation, KI_RELATION_SIZE(NumaNode));
}

static VOID KiAddGroup(KI_RELATIONS *Relations)
{
    KI_RELATION Relation = {.Group = {.MaximumGroupCount = 1,
                                      .ActiveGroupCount = 1,
                                      .GroupInfo = {{.MaximumProcessorCount = (UCHAR)KePresentProcessorCount,
                                                     .ActiveProcessorCount = (UCHAR)KeActiveProcessorCount,
                                                     .ActiveProcessorMask = KeQueryActiveProcessors()}}}};
    KiAddRelation(Relations, RelationGroup, &Relation, KI_RELATION_SIZE(Group));
}

/* [WDK KeQueryLogicalProcessorRelationship] IRQL <= DISPATCH_LEVEL. STATUS_INVALID_PARAMETER: there is no such processor or
 * relation; STATUS_INFO_LENGTH_MISMATCH: *Length says how much is needed. */
NTSTATUS NTAPI KeQueryLogicalProcessorRelationship(PPROCESSOR_NUMBER ProcessorNumber,
                                                   LOGICAL_PROCESSOR_RELATIONSHIP RelationshipType,
                                                   PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX Information,
                                                   PULONG Length)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    BOOLEAN All = RelationshipType == RelationAll;
    KI_RELATIONS Relations = {
        .Buffer = (PUCHAR)Information, .Room = *Length, .About = KeQueryActiveProcessors()};

    if (ProcessorNumber != NULL) {
        ULONG Index = KeGetProcessorIndexFromNumber(ProcessorNumber);
        if (Index == INVALID_PROCESSOR_INDEX)
            return STATUS_INVALID_PARAMETER;
        Relations.About = (KAFFINITY)1 << Index;
    }
    if (!All && (ULONG)RelationshipType > RelationGroup)
        return STATUS_INVALID_PARAMETER;
    ArchReadTopology(&Relations.Topology);
    if (All || RelationshipType == RelationProcessorCore)
        KiAddProcessors(&Relations, RelationProcessorCore, Relations.Topology.CoreShift);
    if (All || RelationshipType == RelationNumaNode)
        KiAddNode(&Relations);
    if (All || RelationshipType == RelationCache)
        KiAddCaches(&Relations);
    if (All || RelationshipType == RelationProcessorPackage)
        KiAddProcessors(&Relations, RelationProcessorPackage, Relations.Topology.PackageShift);
    if (All || RelationshipType == RelationGroup)
        KiAddGroup(&Relations);
    *Length = Relations.Length;
    return Information != NULL && Relations.Length <= Relations.Room ? STATUS_SUCCESS
                                                                     : STATUS_INFO_LENGTH_MISMATCH;
}
