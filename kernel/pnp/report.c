/* SPDX-License-Identifier: MIT
 * What happens to devices, told to the log and to the report. */
#include "pnpp.h"
#include "crt.h"
#include "image.h"
#include "kd.h"

VOID PnpNoteDriver(PNP_NODE *Node, PDRIVER_OBJECT Driver)
{
    PCSTR Name = ImModuleNameOf(Driver->DriverInit);
    _snprintf(Node->Driver, sizeof(Node->Driver) - 1, "%s", Name != NULL ? Name : ""); /* the last stays 0 */
}

VOID PnpTell(const PNP_NODE *Node, PCSTR What, NTSTATUS Status)
{
    CHAR Path[3 * PNP_MAX_ID];
    if (Node->Problem != 0)
        KdLog("pnp: %wZ %s: problem %lu, status 0x%08lX", &Node->Io.InstancePath, What, Node->Problem,
              (ULONG)Status);
    else if (!NT_SUCCESS(Status))
        KdLog("pnp: %wZ %s: status 0x%08lX", &Node->Io.InstancePath, What, (ULONG)Status);
    else
        KdLog("pnp: %wZ %s", &Node->Io.InstancePath, What);
    KdReport(ReportNode, KD_TEXT(ReportKeyDriver, Node->Driver),
             KdUnicodeField(ReportKeyName, &Node->Io.InstancePath, Path, sizeof(Path)),
             KD_TEXT(ReportKeyKind, What), KD_NUMBER(ReportKeyStatus, (ULONG)Status),
             KD_NUMBER(ReportKeyCode, Node->Problem));
}

VOID PnpTellDevice(PDEVICE_OBJECT Pdo, PCSTR What, NTSTATUS Status)
{
    PnpTell(PnpNodeOf(Pdo), What, Status);
}
