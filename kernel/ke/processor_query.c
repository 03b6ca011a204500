/* SPDX-License-Identifier: MIT
 * What drivers ask about processors. There is one group, 0, of at most 64; indexes and numbers in it are the same. */
#include "ki.h"

/* [WDK KeQueryActiveProcessorCount] */
ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors != NULL)
        *ActiveProcessors = KeQueryActiveProcessors();
    return KeActiveProcessorCount;
}

/* [WDK KeQueryActiveProcessorCountEx] Group 0 is the only one. */
ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return (GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS) ? KeActiveProcessorCount : 0;
}

KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return KeActiveProcessorCount >= 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << KeActiveProcessorCount) - 1;
}

/* [WDK KeGetCurrentProcessorNumberEx] */
ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG Number = KeGetPrcb()->Number;

    if (ProcNumber != NULL)
        *ProcNumber = (PROCESSOR_NUMBER){.Group = 0, .Number = (UCHAR)Number, .Reserved = 0};
    return Number;
}

/* [WDK KeQueryMaximumProcessorCountEx] What the machine has room for. */
ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return (GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS) ? KePresentProcessorCount : 0;
}

/* [WDK KeQueryMaximumProcessorCount] Of group 0. */
ULONG NTAPI KeQueryMaximumProcessorCount(VOID)
{
    return KeQueryMaximumProcessorCountEx(0);
}

/* [WDK KeQueryActiveGroupCount] */
USHORT NTAPI KeQueryActiveGroupCount(VOID)
{
    return 1;
}

/* [WDK KeQueryMaximumGroupCount] */
USHORT NTAPI KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

/* [WDK KeQueryGroupAffinity] 0 for a group that does not exist. */
KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber)
{
    return GroupNumber == 0 ? KeQueryActiveProcessors() : 0;
}

/* [WDK KeGetProcessorNumberFromIndex] STATUS_INVALID_PARAMETER for an index that no active processor has. */
NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex >= KeActiveProcessorCount)
        return STATUS_INVALID_PARAMETER;
    *ProcNumber = (PROCESSOR_NUMBER){.Group = 0, .Number = (UCHAR)ProcIndex, .Reserved = 0};
    return STATUS_SUCCESS;
}

/* [WDK KeGetProcessorIndexFromNumber] INVALID_PROCESSOR_INDEX when there is no such processor. */
ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Reserved != 0 || ProcNumber->Number >= KeActiveProcessorCount)
        return INVALID_PROCESSOR_INDEX;
    return ProcNumber->Number;
}

/* --- NUMA nodes: there is one, 0, with all processors --- */

/* [WDK KeQueryHighestNodeNumber] */
USHORT NTAPI KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

/* [WDK KeGetCurrentNodeNumber] */
USHORT NTAPI KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

/* [WDK KeQueryNodeMaximumProcessorCount] */
USHORT NTAPI KeQueryNodeMaximumProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0 ? (USHORT)KePresentProcessorCount : 0;
}

/* [WDK KeQueryNodeActiveAffinity] Nothing of a node that does not exist. */
VOID NTAPI KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity != NULL)
        *Affinity = (GROUP_AFFINITY){.Mask = NodeNumber == 0 ? KeQueryActiveProcessors() : 0};
    if (Count != NULL)
        *Count = NodeNumber == 0 ? (USHORT)KeActiveProcessorCount : 0;
}

/* [WDK KeGetRecommendedSharedDataAlignment] A cache line of every x64 processor. */
ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID)
{
    return SYSTEM_CACHE_ALIGNMENT_SIZE;
}
