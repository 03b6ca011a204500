/* SPDX-License-Identifier: MIT
 * The load order of drivers: by start type, group, tag and dependencies. */
#include "service_order.h"
#include "rtl_case.h"

#define NO_PLACE 0xffffffffu
#define SERVICE_ON_DEMAND 3u

bool ServiceNameEquals(SERVICE_TEXT A, SERVICE_TEXT B)
{
    if (A.Length != B.Length)
        return false;
    for (uint32_t i = 0; i < A.Length; i++) {
        if (RtlUpcaseCharacter(A.Text[i]) != RtlUpcaseCharacter(B.Text[i]))
            return false;
    }
    return true;
}

/* Empty texts do not end it. */
bool ServiceTakeText(SERVICE_TEXTS *Texts, SERVICE_TEXT *Text)
{
    while (Texts->Length && Texts->Text[0] == 0) {
        Texts->Text++;
        Texts->Length--;
    }
    *Text = (SERVICE_TEXT){Texts->Text, 0};
    if (Texts->Length == 0)
        return false;
    while (Text->Length < Texts->Length && Texts->Text[Text->Length] != 0)
        Text->Length++;
    Texts->Text += Text->Length;
    Texts->Length -= Text->Length;
    return Text->Length != 0;
}

/* [WDK ServiceGroupOrder] groups that are not listed, and drivers without one, come last. */
static uint32_t GroupPlace(SERVICE_TEXT Group, SERVICE_TEXTS Groups)
{
    SERVICE_TEXT Text;
    if (Group.Length == 0)
        return NO_PLACE;
    for (uint32_t Place = 0; ServiceTakeText(&Groups, &Text); Place++) {
        if (ServiceNameEquals(Group, Text))
            return Place;
    }
    return NO_PLACE - 1;
}

static uint32_t Word(const uint8_t *Bytes, uint32_t Index)
{
    const uint8_t *At = Bytes + (size_t)Index * 4;
    return At[0] | (uint32_t)At[1] << 8 | (uint32_t)At[2] << 16 | (uint32_t)At[3] << 24;
}

/* [WDK GroupOrderList] tags in their order; those that are not listed, and drivers without one, come last in their group. */
static uint32_t TagPlace(const SERVICE_ENTRY *Entry, const SERVICE_RULES *Rules)
{
    for (uint32_t i = 0; Entry->Tag != 0 && i < Rules->TagCount; i++) {
        const SERVICE_TAGS *Tags = &Rules->Tags[i];
        if (!ServiceNameEquals(Tags->Group, Entry->Group) || Tags->Length < 4)
            continue;
        uint32_t Count = Tags->Length / 4 - 1;
        if (Word(Tags->Bytes, 0) < Count)
            Count = Word(Tags->Bytes, 0);
        for (uint32_t Place = 0; Place < Count; Place++) {
            if (Word(Tags->Bytes, Place + 1) == Entry->Tag)
                return Place;
        }
    }
    return Entry->Tag != 0 ? NO_PLACE - 1 : NO_PLACE;
}

static bool ComesBefore(const SERVICE_ENTRY *A, const SERVICE_ENTRY *B)
{
    if (A->Start != B->Start)
        return A->Start < B->Start;
    if (A->GroupPlace != B->GroupPlace)
        return A->GroupPlace < B->GroupPlace;
    return A->TagPlace < B->TagPlace;
}

/* The one of that name; Count: none. */
static uint32_t FindService(const SERVICE_ENTRY *Entries, uint32_t Count, SERVICE_TEXT Name)
{
    uint32_t i = 0;
    while (i < Count && !ServiceNameEquals(Entries[i].Name, Name))
        i++;
    return i;
}

/* [Win32 CreateService, lpDependencies] each of them has been placed. */
static bool ServicesArePlaced(const SERVICE_ENTRY *Entries, uint32_t Count, SERVICE_TEXTS Names)
{
    SERVICE_TEXT Name;
    while (ServiceTakeText(&Names, &Name)) {
        uint32_t Found = FindService(Entries, Count, Name);
        if (Found == Count || !Entries[Found].Placed)
            return false;
    }
    return true;
}

static bool GroupIsPlaced(const SERVICE_ENTRY *Entries, uint32_t Count, SERVICE_TEXT Name)
{
    for (uint32_t i = 0; i < Count; i++) {
        if (Entries[i].Placed && ServiceNameEquals(Entries[i].Group, Name))
            return true;
    }
    return false;
}

/* At least one of each group has been placed. */
static bool GroupsArePlaced(const SERVICE_ENTRY *Entries, uint32_t Count, SERVICE_TEXTS Names)
{
    SERVICE_TEXT Name;
    while (ServiceTakeText(&Names, &Name)) {
        if (!GroupIsPlaced(Entries, Count, Name))
            return false;
    }
    return true;
}

static bool MayBePlaced(const SERVICE_ENTRY *Entries, uint32_t Count, const SERVICE_ENTRY *Entry)
{
    return Entry->Wanted && !Entry->Placed && ServicesArePlaced(Entries, Count, Entry->DependOnService) &&
           GroupsArePlaced(Entries, Count, Entry->DependOnGroup);
}

/* The entry that comes first of those whose dependencies are placed; Count when there is none. */
static uint32_t NextEntry(const SERVICE_ENTRY *Entries, uint32_t Count)
{
    uint32_t Best = Count;
    for (uint32_t i = 0; i < Count; i++) {
        if (MayBePlaced(Entries, Count, &Entries[i]) &&
            (Best == Count || ComesBefore(&Entries[i], &Entries[Best])))
            Best = i;
    }
    return Best;
}

/* Those on demand that Entry needs are wanted from now on; true: there was one. */
static bool WantServices(SERVICE_ENTRY *Entries, uint32_t Count, const SERVICE_ENTRY *Entry)
{
    SERVICE_TEXTS Names = Entry->DependOnService;
    SERVICE_TEXT Name;
    bool More = false;
    while (ServiceTakeText(&Names, &Name)) {
        uint32_t Found = FindService(Entries, Count, Name);
        if (Found < Count && !Entries[Found].Wanted && Entries[Found].Start == SERVICE_ON_DEMAND)
            More = Entries[Found].Wanted = true;
    }
    return More;
}

static void FindWanted(SERVICE_ENTRY *Entries, uint32_t Count)
{
    for (uint32_t i = 0; i < Count; i++)
        Entries[i].Wanted = Entries[i].Start < SERVICE_ON_DEMAND;
    for (bool More = true; More;) {
        More = false;
        for (uint32_t i = 0; i < Count; i++)
            More = (Entries[i].Wanted && WantServices(Entries, Count, &Entries[i])) || More;
    }
}

uint32_t ServiceOrder(SERVICE_ENTRY *Entries, uint32_t Count, const SERVICE_RULES *Rules, uint32_t *Order)
{
    uint32_t Placed = 0;
    for (uint32_t i = 0; i < Count; i++) {
        Entries[i].GroupPlace = GroupPlace(Entries[i].Group, Rules->Groups);
        Entries[i].TagPlace = TagPlace(&Entries[i], Rules);
        Entries[i].Placed = false;
    }
    FindWanted(Entries, Count);
    for (uint32_t Next; (Next = NextEntry(Entries, Count)) < Count; Placed++) {
        Entries[Next].Placed = true;
        Order[Placed] = Next;
    }
    return Placed;
}

/* ---- why one is left out ---- */

static bool DependsOn(const SERVICE_ENTRY *Entry, const SERVICE_ENTRY *Other)
{
    SERVICE_TEXTS Names = Entry->DependOnService, Groups = Entry->DependOnGroup;
    SERVICE_TEXT Name;
    while (ServiceTakeText(&Names, &Name)) {
        if (ServiceNameEquals(Other->Name, Name))
            return true;
    }
    while (ServiceTakeText(&Groups, &Name)) {
        if (ServiceNameEquals(Other->Group, Name))
            return true;
    }
    return false;
}

/* Reached is set for what is left out and From depends on, directly. */
static bool ReachFrom(SERVICE_ENTRY *Entries, uint32_t Count, const SERVICE_ENTRY *From)
{
    bool More = false;
    for (uint32_t i = 0; i < Count; i++) {
        if (!Entries[i].Reached && Entries[i].Wanted && !Entries[i].Placed && DependsOn(From, &Entries[i]))
            More = Entries[i].Reached = true;
    }
    return More;
}

/* Does a chain of services that are left out lead from Start to Goal? */
static bool Leads(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Start, uint32_t Goal)
{
    for (uint32_t i = 0; i < Count; i++)
        Entries[i].Reached = i == Start;
    for (bool More = true; More && !Entries[Goal].Reached;) {
        More = false;
        for (uint32_t i = 0; i < Count; i++)
            More = (Entries[i].Reached && ReachFrom(Entries, Count, &Entries[i])) || More;
    }
    return Entries[Goal].Reached;
}

static SERVICE_OBSTACLE ObstacleOfService(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Index,
                                          SERVICE_TEXT Name)
{
    uint32_t Found = FindService(Entries, Count, Name);
    if (Found == Count)
        return ServiceUnknown;
    if (Entries[Found].Placed)
        return ServiceNoObstacle;
    if (!Entries[Found].Wanted)
        return ServiceDisabled;
    return Leads(Entries, Count, Found, Index) ? ServiceCircle : ServiceBlocked;
}

static SERVICE_OBSTACLE ObstacleOfGroup(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Index,
                                        SERVICE_TEXT Group)
{
    SERVICE_OBSTACLE Obstacle = ServiceEmptyGroup;
    if (GroupIsPlaced(Entries, Count, Group))
        return ServiceNoObstacle;
    for (uint32_t i = 0; i < Count; i++) {
        if (!Entries[i].Wanted || !ServiceNameEquals(Entries[i].Group, Group))
            continue;
        if (Leads(Entries, Count, i, Index))
            return ServiceCircle;
        Obstacle = ServiceBlocked;
    }
    return Obstacle;
}

SERVICE_OBSTACLE ServiceObstacle(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Index, SERVICE_TEXT *Name)
{
    SERVICE_TEXTS Names = Entries[Index].DependOnService, Groups = Entries[Index].DependOnGroup;
    SERVICE_OBSTACLE Obstacle = ServiceNoObstacle;
    while (Obstacle == ServiceNoObstacle && ServiceTakeText(&Names, Name))
        Obstacle = ObstacleOfService(Entries, Count, Index, *Name);
    while (Obstacle == ServiceNoObstacle && ServiceTakeText(&Groups, Name))
        Obstacle = ObstacleOfGroup(Entries, Count, Index, *Name);
    return Obstacle;
}
