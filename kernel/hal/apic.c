/* SPDX-License-Identifier: MIT
 * The local APIC in xAPIC mode. All register access goes through two functions, so that x2APIC is a small addition.
 * [Intel SDM volume 3, chapter 11] */
#include "halp.h"

#define APIC_ID 0x020
#define APIC_EOI 0x0b0
#define APIC_SPURIOUS 0x0f0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define APIC_LVT_MASKED 0x10000u
#define APIC_TIMER_PERIODIC 0x20000u
#define APIC_DELIVERY_NMI 0x400u
#define APIC_DELIVERY_INIT 0x500u
#define APIC_DELIVERY_STARTUP 0x600u
#define APIC_ICR_PENDING 0x1000u
#define APIC_ICR_ASSERT 0x4000u
#define APIC_SHORTHAND_SELF 0x40000u
#define APIC_SHORTHAND_OTHERS 0xc0000u

static volatile UCHAR *HalpApic;

static ULONG HalpReadApic(ULONG Register)
{
    return *(volatile ULONG *)(HalpApic + Register);
}

static VOID HalpWriteApic(ULONG Register, ULONG Value)
{
    *(volatile ULONG *)(HalpApic + Register) = Value;
}

/* The 8259s start with vectors that collide with exceptions: move them out of the way and mask every line. */
static VOID HalpSilencePic(VOID)
{
    static const UCHAR Master[] = {0x11, 0x30, 0x04, 0x01}, Slave[] = {0x11, 0x38, 0x02, 0x01};

    for (ULONG i = 0; i < 4; i++) {
        ArchOut8(i == 0 ? 0x20 : 0x21, Master[i]);
        ArchOut8(i == 0 ? 0xa0 : 0xa1, Slave[i]);
    }
    ArchOut8(0x21, 0xff);
    ArchOut8(0xa1, 0xff);
}

/* The calling processor's local APIC: on, nothing wired to it but NMI, its timer stopped (UEFI firmware leaves it running: that
 * would spoil the calibration). */
VOID HalInitProcessorApic(VOID)
{
    ULONG64 Base = ArchReadMsr(0x1b);

    ArchWriteMsr(0x1b, Base | 0x800); /* globally enabled */
    HalpApic = (volatile UCHAR *)(HalpDirectMapBase + (Base & 0xffffff000ull));
    HalpWriteApic(APIC_SPURIOUS, 0x100 | HAL_VECTOR_SPURIOUS);
    HalpWriteApic(APIC_LVT_LINT0, APIC_LVT_MASKED);
    HalpWriteApic(APIC_LVT_LINT1, APIC_DELIVERY_NMI);
    HalpWriteApic(APIC_LVT_TIMER, APIC_LVT_MASKED);
    HalpWriteApic(APIC_TIMER_INITIAL, 0);
    HalpWriteApic(APIC_TIMER_DIVIDE, 0xb); /* by 1 */
}

VOID HalpInitApic(VOID)
{
    HalpSilencePic();
    HalInitProcessorApic();
    HalpPlaceBootProcessor(HalLocalApicId());
}

/* In xAPIC mode the id is the register's upper byte. */
ULONG HalLocalApicId(VOID)
{
    return HalpReadApic(APIC_ID) >> 24;
}

/* The two halves of the command register belong together: no interrupt of this processor may come between. */
static VOID HalpSendCommand(ULONG ApicId, ULONG Command)
{
    BOOLEAN Enabled = ArchDisableInterrupts();

    while (HalpReadApic(APIC_ICR_LOW) & APIC_ICR_PENDING)
        __builtin_ia32_pause();
    HalpWriteApic(APIC_ICR_HIGH, ApicId << 24);
    HalpWriteApic(APIC_ICR_LOW, Command);
    ArchRestoreInterrupts(Enabled);
}

VOID HalSendInterrupt(ULONG Processor, UCHAR Vector)
{
    HalpSendCommand(HalApicIdOf(Processor), APIC_ICR_ASSERT | Vector);
}

VOID HalSendInterruptToOthers(UCHAR Vector)
{
    HalpSendCommand(0, APIC_SHORTHAND_OTHERS | APIC_ICR_ASSERT | Vector);
}

VOID HalSendNmi(ULONG Processor)
{
    HalpSendCommand(HalApicIdOf(Processor), APIC_DELIVERY_NMI | APIC_ICR_ASSERT);
}

VOID HalResetProcessor(ULONG Processor)
{
    HalpSendCommand(HalApicIdOf(Processor), APIC_DELIVERY_INIT | APIC_ICR_ASSERT);
}

VOID HalStartProcessor(ULONG Processor, ULONG Page)
{
    HalpSendCommand(HalApicIdOf(Processor), APIC_DELIVERY_STARTUP | APIC_ICR_ASSERT | (Page >> 12));
}

VOID HalpApicStartTimer(ULONG Count)
{
    HalpWriteApic(APIC_LVT_TIMER, APIC_TIMER_PERIODIC | HAL_VECTOR_CLOCK);
    HalpWriteApic(APIC_TIMER_INITIAL, Count);
}

/* For calibration: a masked one-shot run; returns ticks left of the 2^32 - 1 it was started with. */
ULONG HalpApicTimerCount(VOID)
{
    if (HalpReadApic(APIC_TIMER_INITIAL) == 0)
        HalpWriteApic(APIC_TIMER_INITIAL, 0xffffffffu);
    return HalpReadApic(APIC_TIMER_CURRENT);
}

VOID HalRequestSoftwareInterrupt(UCHAR Vector)
{
    HalpWriteApic(APIC_ICR_LOW, APIC_SHORTHAND_SELF | Vector);
}

VOID HalEndOfInterrupt(VOID)
{
    HalpWriteApic(APIC_EOI, 0);
}
