/* SPDX-License-Identifier: MIT
 * From a caller's handle to a process. */
#include "vmp.h"

NTSTATUS VmpReferenceProcess(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PEPROCESS *Process)
{
    return ObReferenceObjectByHandle(Handle, Access, PsProcessType, Mode, (PVOID *)Process, NULL);
}
