/* SPDX-License-Identifier: MIT
 * The end of a run. */
#include "halp.h"

static USHORT HalpExitPort;

VOID HalSetExitPort(USHORT Port)
{
    HalpExitPort = Port;
}

DECLSPEC_NORETURN VOID HalPowerOff(UCHAR ExitValue)
{
    USHORT Port, Value;

    if (HalpExitPort != 0)
        ArchOut8(HalpExitPort, ExitValue);
    if (HalpPowerOffPorts(&Port, &Value))
        ArchOut16(Port, Value);
    for (;;)
        __asm__ volatile("cli; hlt");
}
