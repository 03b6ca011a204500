/* SPDX-License-Identifier: MIT
 * Tier 3, io: connecting interrupts. */
#pragma once
#include "iop.h"

#define IOP_INTERRUPT_TAG 0x746e4949u /* "IInt" */

/* [WDK IoConnectInterrupt] STATUS_INVALID_PARAMETER: vector, IRQLs or processors are not possible, or the vector is not to be shared. */
NTSTATUS IopConnect(const KE_INTERRUPT_PARAMETERS *Parameters, PKINTERRUPT *InterruptObject);
const CM_PARTIAL_RESOURCE_DESCRIPTOR *IopNextInterrupt(PDEVICE_OBJECT Pdo, PULONG At,
                                                       const CM_PARTIAL_RESOURCE_DESCRIPTOR **Raw);
NTSTATUS IopConnectLine(const IO_CONNECT_INTERRUPT_LINE_BASED_PARAMETERS *Given);

/* interrupt_message.c. Without messages the fall-back routine is connected to the device's line, and Version says so. */
NTSTATUS IopConnectMessages(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters);
VOID IopDisconnectMessages(PIO_INTERRUPT_MESSAGE_INFO Table);

/* interrupt_passive.c: the driver's routine runs in a worker thread. What IopConnect checks is checked of the rest. PASSIVE_LEVEL. */
NTSTATUS IopConnectPassive(const KE_INTERRUPT_PARAMETERS *Parameters, PKINTERRUPT *InterruptObject);
VOID IopDisconnectPassive(PKINTERRUPT Interrupt);
/* FALSE: these cannot be. Processors becomes those that there are. */
BOOLEAN IopCheckInterrupt(KE_INTERRUPT_PARAMETERS *Parameters);
