/* SPDX-License-Identifier: MIT
 * The builder's tree: keys in the order that a hive's lists need, values as they came. hive_write.c turns it
 * into bytes. */
#include "cm/hive_private.h"

static void *Allocate(HIVE_BUILDER *Builder, size_t Size)
{
    return Builder->Memory.Allocate(Builder->Memory.Context, Size);
}

static void Release(HIVE_BUILDER *Builder, void *Block)
{
    if (Block)
        Builder->Memory.Free(Builder->Memory.Context, Block);
}

HIVE_NODE *HiveNextNode(HIVE_NODE *Node)
{
    if (Node->Children)
        return Node->Children;
    while (Node && !Node->Next)
        Node = Node->Parent;
    return Node ? Node->Next : NULL;
}

static HIVE_NODE *NewNode(HIVE_BUILDER *Builder, HIVE_NODE *Parent, const uint16_t *Name, uint32_t Length)
{
    HIVE_NODE *Node = Allocate(Builder, sizeof(*Node) + Length * sizeof(uint16_t));
    if (!Node)
        return NULL;
    memset(Node, 0, sizeof(*Node));
    Node->Parent = Parent;
    Node->NameLength = (uint16_t)Length;
    memcpy(Node->Name, Name, Length * sizeof(uint16_t));
    Builder->KeyCount += 1;
    return Node;
}

HIVE_BUILDER *HiveBuilderCreate(const HIVE_MEMORY *Memory)
{
    static const uint16_t RootName[] = {'R', 'O', 'O', 'T'};
    HIVE_BUILDER *Builder = Memory->Allocate(Memory->Context, sizeof(*Builder));
    if (!Builder)
        return NULL;
    Builder->Memory = *Memory;
    Builder->KeyCount = 0;
    Builder->Root = NewNode(Builder, NULL, RootName, 4);
    if (!Builder->Root) {
        Release(Builder, Builder);
        return NULL;
    }
    Builder->Root->Flags = HIVE_KEY_ENTRY | NK_FLAG_NO_DELETE;
    return Builder;
}

static void FreeValue(HIVE_BUILDER *Builder, HIVE_NEW_VALUE *Value)
{
    Release(Builder, Value->Data);
    Release(Builder, Value);
}

/* Takes leaves off until the root is gone: no recursion, whatever the depth. */
void HiveBuilderDestroy(HIVE_BUILDER *Builder)
{
    if (!Builder)
        return;
    for (HIVE_NODE *Node = Builder->Root; Node;) {
        if (Node->Children) {
            HIVE_NODE *Child = Node->Children;
            Node->Children = Child->Next;
            Node = Child;
            continue;
        }
        while (Node->Values) {
            HIVE_NEW_VALUE *Value = Node->Values;
            Node->Values = Value->Next;
            FreeValue(Builder, Value);
        }
        HIVE_NODE *Parent = Node->Parent;
        Release(Builder, Node);
        Node = Parent;
    }
    Release(Builder, Builder);
}

/* The child named Name; made when missing. NULL: no memory. */
static HIVE_NODE *ChildOf(HIVE_BUILDER *Builder, HIVE_NODE *Parent, const uint16_t *Name, uint32_t Length)
{
    HIVE_NODE **Link = &Parent->Children;
    for (; *Link; Link = &(*Link)->Next) {
        int Order = HiveCompareText((*Link)->Name, (*Link)->NameLength, Name, Length);
        if (Order == 0)
            return *Link;
        if (Order > 0)
            break;
    }
    HIVE_NODE *Node = NewNode(Builder, Parent, Name, Length);
    if (!Node)
        return NULL;
    Node->Next = *Link;
    *Link = Node;
    Parent->ChildCount += 1;
    return Node;
}

/* Converts one path component; its length in code units, or 0 when it is no key name. */
static uint32_t ComponentName(const char *Text, size_t Bytes, uint16_t Name[HIVE_MAX_KEY_NAME])
{
    uint32_t Length = HiveFromUtf8(Text, Bytes, NULL);
    if (Length == HIVE_NOT_UTF8 || Length > HIVE_MAX_KEY_NAME)
        return 0;
    return HiveFromUtf8(Text, Bytes, Name);
}

static HIVE_STATUS FindOrAdd(HIVE_BUILDER *Builder, const char *Path, HIVE_NODE **Found)
{
    uint16_t Name[HIVE_MAX_KEY_NAME];
    HIVE_NODE *Node = Builder->Root;
    uint32_t Depth = 1;
    while (*Path) {
        const char *End = Path;
        while (*End && *End != '\\')
            End++;
        uint32_t Length = ComponentName(Path, (size_t)(End - Path), Name);
        if (Length == 0 || ++Depth > HIVE_MAX_DEPTH)
            return HiveBadName;
        if (*End == '\\' && *++End == 0)
            return HiveBadName;
        Node = ChildOf(Builder, Node, Name, Length);
        if (!Node)
            return HiveNoMemory;
        Path = End;
    }
    *Found = Node;
    return HiveOk;
}

HIVE_STATUS HiveBuilderAddKey(HIVE_BUILDER *Builder, const char *Path)
{
    HIVE_NODE *Node;
    return FindOrAdd(Builder, Path, &Node);
}

HIVE_STATUS HiveBuilderMarkKey(HIVE_BUILDER *Builder, const char *Path, uint16_t Flags)
{
    HIVE_NODE *Node;
    HIVE_STATUS Status = FindOrAdd(Builder, Path, &Node);
    if (Status == HiveOk)
        Node->Flags |= Flags;
    return Status;
}

/* A value with its own copies; NULL: no memory. NameLength is the name's in code units. */
static HIVE_NEW_VALUE *NewValue(HIVE_BUILDER *Builder, const char *Name, uint32_t NameLength, uint32_t Type,
                                const void *Data, uint32_t Length)
{
    HIVE_NEW_VALUE *Value = Allocate(Builder, sizeof(*Value) + NameLength * sizeof(uint16_t));
    if (!Value)
        return NULL;
    memset(Value, 0, sizeof(*Value));
    Value->Type = Type;
    Value->Length = Length;
    Value->NameLength = NameLength;
    HiveFromUtf8(Name, strlen(Name), Value->Name);
    if (Length == 0)
        return Value;
    Value->Data = Allocate(Builder, Length);
    if (!Value->Data) {
        Release(Builder, Value);
        return NULL;
    }
    memcpy(Value->Data, Data, Length);
    return Value;
}

/* Puts Value into the list: in the place of the value of that name, else at the end. */
static void InsertValue(HIVE_BUILDER *Builder, HIVE_NODE *Node, HIVE_NEW_VALUE *Value)
{
    HIVE_NEW_VALUE **Link = &Node->Values;
    for (; *Link; Link = &(*Link)->Next) {
        HIVE_NEW_VALUE *Old = *Link;
        if (HiveCompareText(Old->Name, Old->NameLength, Value->Name, Value->NameLength) == 0) {
            Value->Next = Old->Next;
            *Link = Value;
            FreeValue(Builder, Old);
            return;
        }
    }
    *Link = Value;
    Node->ValueCount += 1;
}

HIVE_STATUS HiveBuilderSetValue(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                                const void *Data, uint32_t Length)
{
    uint32_t NameLength = HiveFromUtf8(Name, strlen(Name), NULL);
    if (NameLength == HIVE_NOT_UTF8 || NameLength > HIVE_MAX_VALUE_NAME)
        return HiveBadName;
    if (Length > HIVE_MAX_BINS)
        return HiveTooLarge;
    HIVE_NODE *Node;
    HIVE_STATUS Status = FindOrAdd(Builder, Path, &Node);
    if (Status != HiveOk)
        return Status;
    HIVE_NEW_VALUE *Value = NewValue(Builder, Name, NameLength, Type, Data, Length);
    if (!Value)
        return HiveNoMemory;
    InsertValue(Builder, Node, Value);
    return HiveOk;
}
