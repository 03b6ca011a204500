/* SPDX-License-Identifier: MIT
 * The index of boot.cpio: one node for each file and folder, found by a hash of parent and upper-case name.
 */
#include "io/bootfs/index.h"
#include "cm_text.h"

#define HASH_START 2166136261u
#define HASH_STEP 16777619u /* FNV-1a */

static bool Wrong(CPIO_ERROR *Error, uint64_t Offset, const char *Rule)
{
    Error->Offset = Offset;
    Error->Rule = Rule;
    return false;
}

static bool IsIndexed(const CPIO_ENTRY *Entry)
{
    uint32_t Type = Entry->Mode & CPIO_MODE_TYPE;
    return Type == CPIO_MODE_FILE || Type == CPIO_MODE_DIRECTORY;
}

/* Each component of each name may need a node (folders need no entry of their own); no name gets longer by
 * UTF-16. */
uint64_t BootfsMeasure(const void *Archive, uint64_t Length, BOOTFS_INDEX *Index, CPIO_ERROR *Error)
{
    CPIO_WALK Walk;
    CPIO_ENTRY Entry;
    CPIO_STATUS Status;
    uint64_t Nodes = 1 + BOOTFS_ADDED_FOLDERS, Names = BOOTFS_ADDED_NAMES, Buckets = 1;
    CpioBegin(&Walk, Archive, Length);
    while ((Status = CpioNext(&Walk, &Entry)) == CpioFound) {
        Nodes += 1;
        Names += Entry.NameLength;
        for (uint32_t i = 0; i < Entry.NameLength; i++)
            Nodes += Entry.Name[i] == '/';
    }
    if (Status == CpioDamaged) {
        *Error = Walk.Error;
        return 0;
    }
    while (Buckets < Nodes)
        Buckets *= 2;
    if (Names >= BOOTFS_NONE || Buckets > BOOTFS_NONE / 2) {
        Wrong(Error, 0, "the archive has too many names");
        return 0;
    }
    Index->NodeCount = (uint32_t)Nodes;
    Index->NameCount = (uint32_t)Names;
    Index->BucketMask = (uint32_t)Buckets - 1;
    return Nodes * sizeof(BOOTFS_NODE) + Buckets * sizeof(uint32_t) + Names * sizeof(uint16_t);
}

static uint32_t Hash(uint32_t Parent, const uint16_t *Name, uint32_t Length)
{
    uint32_t Value = (HASH_START ^ Parent) * HASH_STEP;
    for (uint32_t i = 0; i < Length; i++)
        Value = (Value ^ HiveUpcase(Name[i])) * HASH_STEP;
    return Value;
}

static bool SameName(const BOOTFS_INDEX *Index, const BOOTFS_NODE *Node, const uint16_t *Name,
                     uint32_t Length)
{
    if (Node->NameLength != Length)
        return false;
    for (uint32_t i = 0; i < Length; i++) {
        if (HiveUpcase(Index->Names[Node->Name + i]) != HiveUpcase(Name[i]))
            return false;
    }
    return true;
}

static uint32_t FindChild(const BOOTFS_INDEX *Index, uint32_t Parent, const uint16_t *Name, uint32_t Length)
{
    uint32_t Node = Index->Buckets[Hash(Parent, Name, Length) & Index->BucketMask];
    while (Node != BOOTFS_NONE) {
        if (Index->Nodes[Node].Parent == Parent && SameName(Index, &Index->Nodes[Node], Name, Length))
            return Node;
        Node = Index->Nodes[Node].HashNext;
    }
    return BOOTFS_NONE;
}

static uint32_t AddChild(BOOTFS_INDEX *Index, uint32_t Parent, const uint16_t *Name, uint32_t Length)
{
    uint32_t *Bucket = &Index->Buckets[Hash(Parent, Name, Length) & Index->BucketMask];
    uint32_t Number = Index->NodeCount++;
    BOOTFS_NODE *Node = &Index->Nodes[Number];
    *Node = (BOOTFS_NODE){.Parent = Parent, .HashNext = *Bucket, .Folder = true};
    Node->Name = Index->NameCount;
    Node->NameLength = (uint16_t)Length;
    for (uint32_t i = 0; i < Length; i++)
        Index->Names[Index->NameCount++] = Name[i];
    *Bucket = Number;
    return Number;
}

/* The component [Text, Text + Bytes) as UTF-16; 0 when it is none. */
static uint32_t Component(const char *Text, uint32_t Bytes, uint16_t Name[BOOTFS_MAX_NAME])
{
    if (Bytes == 0 || (Text[0] == '.' && (Bytes == 1 || (Bytes == 2 && Text[1] == '.'))))
        return 0;
    uint32_t Length = HiveFromUtf8(Text, Bytes, NULL);
    if (Length == HIVE_NOT_UTF8 || Length > BOOTFS_MAX_NAME)
        return 0;
    return HiveFromUtf8(Text, Bytes, Name);
}

/* The node for the entry's whole name, with the folders above it. *New: it was not there yet. */
static bool PlaceName(BOOTFS_INDEX *Index, const CPIO_ENTRY *Entry, uint32_t *Node, bool *New,
                      CPIO_ERROR *Error)
{
    uint16_t Name[BOOTFS_MAX_NAME];
    uint32_t Begin = 0;
    *Node = 0;
    *New = false;
    while (Begin < Entry->NameLength) {
        uint32_t End = Begin;
        while (End < Entry->NameLength && Entry->Name[End] != '/')
            End++;
        uint32_t Length = Component(Entry->Name + Begin, End - Begin, Name);
        if (Length == 0)
            return Wrong(Error, Entry->Offset,
                         "an entry's name has a component that is empty, '.', '..', too long or no UTF-8");
        if (!Index->Nodes[*Node].Folder)
            return Wrong(Error, Entry->Offset, "an entry lies below a name that is a file");
        uint32_t Child = FindChild(Index, *Node, Name, Length);
        *New = Child == BOOTFS_NONE;
        *Node = *New ? AddChild(Index, *Node, Name, Length) : Child;
        Begin = End + 1;
    }
    return true;
}

static bool AddEntry(BOOTFS_INDEX *Index, const CPIO_ENTRY *Entry, CPIO_ERROR *Error)
{
    uint32_t Number;
    bool New;
    bool Folder = (Entry->Mode & CPIO_MODE_TYPE) == CPIO_MODE_DIRECTORY;
    if (Folder && Entry->NameLength == 1 && Entry->Name[0] == '.')
        return true; /* the root itself, as `find . | cpio -o` writes it */
    if (!PlaceName(Index, Entry, &Number, &New, Error))
        return false;
    BOOTFS_NODE *Node = &Index->Nodes[Number];
    if (!New && !(Folder && Node->Folder))
        return Wrong(Error, Entry->Offset, "a name occurs twice in the archive");
    Node->Folder = Folder;
    Node->Time = Entry->MTime;
    if (!Folder) {
        Node->Data = Entry->Data;
        Node->Size = Entry->Size;
    }
    return true;
}

bool BootfsBuild(BOOTFS_INDEX *Index, void *Memory, const void *Archive, uint64_t Length, CPIO_ERROR *Error)
{
    CPIO_WALK Walk;
    CPIO_ENTRY Entry;
    CPIO_STATUS Status;
    Index->Nodes = Memory;
    Index->Buckets = (uint32_t *)(Index->Nodes + Index->NodeCount);
    Index->Names = (uint16_t *)(Index->Buckets + Index->BucketMask + 1);
    for (uint32_t i = 0; i <= Index->BucketMask; i++)
        Index->Buckets[i] = BOOTFS_NONE;
    Index->Nodes[0] = (BOOTFS_NODE){.Parent = BOOTFS_NONE, .HashNext = BOOTFS_NONE, .Folder = true};
    Index->NodeCount = 1;
    Index->NameCount = 0;

    CpioBegin(&Walk, Archive, Length);
    while ((Status = CpioNext(&Walk, &Entry)) == CpioFound) {
        if (IsIndexed(&Entry) && !AddEntry(Index, &Entry, Error))
            return false;
    }
    if (Status == CpioDamaged)
        *Error = Walk.Error;
    return Status == CpioEnd;
}

uint32_t BootfsAddFolder(BOOTFS_INDEX *Index, uint32_t Parent, const uint16_t *Name, uint32_t Length)
{
    uint32_t Child = FindChild(Index, Parent, Name, Length);
    return Child != BOOTFS_NONE ? Child : AddChild(Index, Parent, Name, Length);
}

BOOTFS_FOUND BootfsFind(const BOOTFS_INDEX *Index, uint32_t Start, const uint16_t *Path, uint32_t Length,
                        uint32_t Stop, uint32_t *Node, uint32_t *Used)
{
    uint32_t At = Length && Path[0] == '\\' ? 1 : 0;
    *Node = Start;
    *Used = At;
    while (At < Length && *Node != Stop) {
        uint32_t End = At;
        while (End < Length && Path[End] != '\\')
            End++;
        if (End == At)
            return BootfsBadName;
        if (!Index->Nodes[*Node].Folder)
            return BootfsNoPath;
        uint32_t Child = FindChild(Index, *Node, Path + At, End - At);
        if (Child == BOOTFS_NONE)
            return End + 1 >= Length ? BootfsNoName : BootfsNoPath;
        *Node = Child;
        *Used = End;
        if (Child == Stop)
            return BootfsFound;
        if (End + 1 == Length)
            return Index->Nodes[Child].Folder ? BootfsFound : BootfsBadName;
        At = End + 1;
    }
    return BootfsFound;
}
