/* SPDX-License-Identifier: MIT
 * What drivers ask of the system and of who issued a request. */
#include "iop.h"

static CONFIGURATION_INFORMATION IopConfiguration = {.Version = sizeof(CONFIGURATION_INFORMATION)};

/* [WDK IoGetConfigurationInformation] the counts of what there is, which the drivers that find more raise. */
PCONFIGURATION_INFORMATION NTAPI IoGetConfigurationInformation(VOID)
{
    return &IopConfiguration;
}

/* [WDK IoIsWdmVersionAvailable] since Windows Vista 6.0. */
BOOLEAN NTAPI IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion)
{
    return MajorVersion < WDM_MAJORVERSION ||
           (MajorVersion == WDM_MAJORVERSION && MinorVersion <= WDM_MINORVERSION);
}

/* [WDK IoIs32bitProcess] there are no 32-bit programs. NULL: the current process. */
BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp)
{
    return FALSE;
}

/* [WDK IoGetRequestorProcessId] 0 when no thread is known. */
ULONG NTAPI IoGetRequestorProcessId(PIRP Irp)
{
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    return Process != NULL ? (ULONG)(ULONG_PTR)Process->UniqueProcessId : 0;
}

/* [WDK IoGetRequestorSessionId] all is in session 0. Without a thread: -1 and STATUS_UNSUCCESSFUL. */
NTSTATUS NTAPI IoGetRequestorSessionId(PIRP Irp, PULONG SessionId)
{
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    *SessionId = Process != NULL ? 0 : MAXULONG;
    return Process != NULL ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

BOOLEAN NTAPI IoIsSystemThread(PETHREAD Thread)
{
    return PsIsSystemThread(Thread);
}

PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread)
{
    return CONTAINING_RECORD(Thread->Tcb.Process, EPROCESS, Pcb);
}
