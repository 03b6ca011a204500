/* SPDX-License-Identifier: MIT
 * What drivers ask the PnP manager to look at again. [WDK IoInvalidateDeviceRelations, IoInvalidateDeviceState, IoRequestDeviceEject] */
#include "pnpp.h"

/* [WDK Bug Check 0xCA] 2: what is no PDO, or one that no bus driver has reported. */
PNP_NODE *PnpRequireNode(PDEVICE_OBJECT Pdo)
{
    if (MmIsAddressValid(Pdo) && Pdo->Type == IO_TYPE_DEVICE && IoGetDeviceNode(Pdo) != NULL)
        return PnpNodeOf(Pdo);
    KeBugCheckBlaming(NULL, PNP_DETECTED_FATAL_ERROR, 2, (ULONG_PTR)Pdo, 0, 0,
                      "a device that is no PDO was given where a PDO is needed");
}

/* [WDK IoInvalidateDeviceRelations] IRQL <= DISPATCH_LEVEL. Bus relations are asked for again, power relations too; the others are asked for when they are needed. */
VOID NTAPI IoInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PNP_NODE *Node = PnpRequireNode(DeviceObject);
    if (Type == BusRelations || Type == SingleBusRelations)
        PnpAsk(Node, PnpJobEnumerate);
}

/* [WDK IoInvalidateDeviceState] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoInvalidateDeviceState(PDEVICE_OBJECT PhysicalDeviceObject)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PnpAsk(PnpRequireNode(PhysicalDeviceObject), PnpJobState);
}

/* [WDK IoRequestDeviceEject] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoRequestDeviceEject(PDEVICE_OBJECT PhysicalDeviceObject)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PnpAsk(PnpRequireNode(PhysicalDeviceObject), PnpJobEject);
}
