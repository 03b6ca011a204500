/* SPDX-License-Identifier: MIT
 * See the header. */
#include "fslib/access.h"

ACCESS_MASK FsGrantAccess(PIO_SECURITY_CONTEXT Security, ACCESS_MASK Refused)
{
    ACCESS_MASK Access = Security->DesiredAccess;
    if (Access & MAXIMUM_ALLOWED)
        Access = (Access & ~(ACCESS_MASK)MAXIMUM_ALLOWED) | (FILE_ALL_ACCESS & ~Refused);
    Security->AccessState->PreviouslyGrantedAccess = Access;
    Security->AccessState->RemainingDesiredAccess = 0;
    return Access;
}
