/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: ranges of pages that do not overlap, in a balanced tree. Every node knows the largest gap below it, so that free
 * addresses are found without a walk. Pure: no lock, no allocation, the caller embeds the nodes; tested on the host. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MI_VAD_NONE UINT64_MAX

/* All but First and Last are the tree's own. */
typedef struct MI_VAD_NODE {
    struct MI_VAD_NODE *Left, *Right;
    uint64_t First, Last;              /* page numbers, both inside */
    uint64_t LowestFirst, HighestLast; /* of all nodes from here down */
    uint64_t LargestGap;               /* pages between two neighbours of them */
    uint32_t Height;
} MI_VAD_NODE;

/* Zeroed: empty. */
typedef struct MI_VAD_TREE {
    MI_VAD_NODE *Root;
    uint64_t Count;
} MI_VAD_TREE;

/* FALSE: First > Last, or it overlaps a node; the tree is as before. */
bool MiVadInsert(MI_VAD_TREE *Tree, MI_VAD_NODE *Node);
void MiVadRemove(MI_VAD_TREE *Tree, MI_VAD_NODE *Node); /* a node of this tree */

MI_VAD_NODE *MiVadFind(const MI_VAD_TREE *Tree, uint64_t Page); /* NULL: the page is free */
/* The lowest node that has a page in [First, Last]. */
MI_VAD_NODE *MiVadFindFirst(const MI_VAD_TREE *Tree, uint64_t First, uint64_t Last);

/* A node of the tree gets other ends, which must not reach into its neighbours. */
void MiVadResize(MI_VAD_TREE *Tree, MI_VAD_NODE *Node, uint64_t First, uint64_t Last);

/* First < Page <= Last: Node keeps what lies below Page, Upper (not in the tree yet) gets the rest. */
void MiVadSplit(MI_VAD_TREE *Tree, MI_VAD_NODE *Node, MI_VAD_NODE *Upper, uint64_t Page);

typedef struct MI_VAD_WISH {
    uint64_t Pages;           /* not 0 */
    uint64_t Lowest, Highest; /* all pages lie in here, both inside */
    uint64_t Alignment;       /* of the first page: a power of two */
    bool TopDown;             /* the highest such place instead of the lowest */
} MI_VAD_WISH;

/* First page of a free place, MI_VAD_NONE when there is none. */
uint64_t MiVadFindGap(const MI_VAD_TREE *Tree, const MI_VAD_WISH *Wish);
