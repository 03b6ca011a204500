/* SPDX-License-Identifier: MIT
 * Tier 3: the balanced tree under the AVL tables. BalancedRoot is no element: its right child is the root. Balance is
 * the depth of the right subtree less that of the left: -1, 0 or 1. */
#pragma once
#include "rtlp.h"

/* Node hangs on a free place of its parent. Counts the elements and the depth. */
VOID RtlpAvlAttach(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node, PRTL_BALANCED_LINKS Parent,
                   TABLE_SEARCH_RESULT Place);
VOID RtlpAvlDetach(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node);

/* NULL: there is none. RtlpAvlNext(Table, NULL) is the first. */
PRTL_BALANCED_LINKS RtlpAvlNext(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node);
PRTL_BALANCED_LINKS RtlpAvlPrevious(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node);

/* The node that equals Buffer, or the one that it would hang on; *Found is not written for an empty tree. */
TABLE_SEARCH_RESULT RtlpAvlFind(PRTL_AVL_TABLE Table, PVOID Buffer, PRTL_BALANCED_LINKS *Found);

/* [WDK RtlInsertElementGenericTableAvl] The caller's data lies behind the links. */
static inline PVOID RtlpAvlData(PRTL_BALANCED_LINKS Node)
{
    return Node == NULL ? NULL : Node + 1;
}
