/* SPDX-License-Identifier: MIT
 * From what a bus calls a resource to what the processor sees. Ports and addresses are the same on this machine; an interrupt line gets its vector and the
 * IRQL of it, so do messages. [WDK "Raw and Translated Resources"] */
#include "resources.h"
#include "hal.h"

/* [PCI 3.0, 2.2.6] what is level-triggered is active low, but ISA lines are wired as the MADT says. */
static BOOLEAN PnpLineOf(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw, HAL_LINE *Line)
{
    BOOLEAN Level =
        (Raw->Flags & CM_RESOURCE_INTERRUPT_LEVEL_LATCHED_BITS) == CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE;
    *Line = (HAL_LINE){.Gsi = Raw->u.Interrupt.Vector, .Level = Level, .ActiveLow = Level};
    return Raw->u.Interrupt.Vector >= HAL_ISA_LINES || HalFindIsaLine(Raw->u.Interrupt.Vector, Line);
}

static NTSTATUS PnpTranslateLine(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw,
                                 CM_PARTIAL_RESOURCE_DESCRIPTOR *Translated)
{
    HAL_LINE Line;
    UCHAR Vector = PnpLineOf(Raw, &Line) ? HalVectorOfLine(&Line) : 0;
    if (Vector == 0)
        return STATUS_CONFLICTING_ADDRESSES;
    Translated->u.Interrupt.Vector = Vector;
    Translated->u.Interrupt.Level = Vector >> 4;
    Translated->u.Interrupt.Affinity = Raw->u.Interrupt.Affinity;
    return STATUS_SUCCESS;
}

NTSTATUS PnpTranslate(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw, CM_PARTIAL_RESOURCE_DESCRIPTOR *Translated)
{
    *Translated = *Raw;
    if (Raw->Type != CmResourceTypeInterrupt)
        return STATUS_SUCCESS;
    if (!(Raw->Flags & CM_RESOURCE_INTERRUPT_MESSAGE))
        return PnpTranslateLine(Raw, Translated);
    Translated->u.MessageInterrupt.Translated.Vector = Raw->u.MessageInterrupt.Raw.Vector;
    Translated->u.MessageInterrupt.Translated.Level = Raw->u.MessageInterrupt.Raw.Vector >> 4;
    Translated->u.MessageInterrupt.Translated.Affinity = Raw->u.MessageInterrupt.Raw.Affinity;
    return STATUS_SUCCESS;
}
