/* SPDX-License-Identifier: MIT
 * The GUIDs that the headers name. */
#include "nt.h"
#include <initguid.h>
#include <wdmguid.h>
