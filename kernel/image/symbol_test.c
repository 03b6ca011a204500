/* SPDX-License-Identifier: MIT
 * Addresses are named. */
#include "imp.h"
#include "kt.h"

KT_TEST(symbol_of_a_kernel_function)
{
    KI_SYMBOL Symbol;

    ImSymbolize((PUCHAR)KeSetEvent + 1, &Symbol);
    KT_EXPECT(strcmp(Symbol.Module, "ntoskrnl.exe") == 0);
    KT_EXPECT(strcmp(Symbol.Function, "KeSetEvent") == 0);
    KT_EXPECT(strstr(Symbol.Text, "KeSetEvent+0x1 ") != NULL);
}

KT_TEST(symbol_of_no_image)
{
    KI_SYMBOL Symbol;

    ImSymbolize((PVOID)0x1234, &Symbol);
    KT_EXPECT(Symbol.Module[0] == 0 && Symbol.Function[0] == 0 && Symbol.Offset == 0x1234);
    KT_EXPECT(!ImIsKernelAddress((PVOID)0x1234));
}
