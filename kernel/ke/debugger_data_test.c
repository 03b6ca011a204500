/* SPDX-License-Identifier: MIT
 * A debugger's way from the KPCR to each processor's registers, by published offsets only. */
#include "ki.h"
#include "kt.h"

static ULONG64 Read64(ULONG64 At)
{
    return *(volatile ULONG64 *)At;
}

static USHORT Read16(ULONG64 At)
{
    return *(volatile USHORT *)At;
}

KT_TEST(debugger_finds_the_processors)
{
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    ULONG64 Pcr = (ULONG64)KiProcessorOf(KeGetPrcb());
    ArchSetIrql(OldIrql);
    ULONG64 Version = Read64(Pcr + 0x108);
    KT_EXPECT(Version != 0 && Read16(Version + 8) == 0x8664);
    ULONG64 Data = Read64(Read64(Version + 0x20));
    KT_EXPECT(*(volatile ULONG *)(Data + 0x10) == 0x4742444b);
    KT_EXPECT(Read16(Read64(Data + 0x18)) == 0x5a4d); /* MZ: the kernel's image */
    for (ULONG i = 0; i < KeActiveProcessorCount; i++) {
        ULONG64 Prcb = Read64(Read64(Data + 0x218) + 8 * i);
        KT_EXPECT(*(volatile ULONG *)(Prcb + Read16(Data + 0x2be)) == i);
        KT_EXPECT(Read64(Prcb + Read16(Data + 0x2b4)) != 0); /* its thread */
        KT_EXPECT(Prcb + Read16(Data + 0x2bc) == (ULONG64)&KiProcessorBlock[i]->ProcessorState.ContextFrame);
    }
}
