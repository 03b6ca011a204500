/* SPDX-License-Identifier: MIT
 * How the depth of a lookaside list follows its use. */
#include "exp.h"
#include "kt.h"

KT_TEST(lookaside_depth_follows_the_use)
{
    KT_EXPECT(ExpNextDepth(4, 256, 1000, 500) == 8);
    KT_EXPECT(ExpNextDepth(200, 256, 1000, 500) == 256);
    KT_EXPECT(ExpNextDepth(8, 256, 1000, 10) == 8);
    KT_EXPECT(ExpNextDepth(8, 256, 10, 10) == 4);
    KT_EXPECT(ExpNextDepth(4, 256, 0, 0) == 4);
}
