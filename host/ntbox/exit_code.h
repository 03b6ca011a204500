/* SPDX-License-Identifier: MIT
 * What `ntbox` exits with. DESIGN.md section 7 and docs/ntbox.1 hold the same table. */
#pragma once

typedef enum ExitCode {
    ExitPass = 0,
    ExitDriver = 1,     /* the driver failed: status, rule, leak, bug check, hang */
    ExitCannotLoad = 2, /* missing imports, not a valid image, unsupported feature */
    ExitUsage = 3,      /* command line or environment: a file that cannot be read, no QEMU */
    ExitFault = 4,      /* a fault of ntbox itself */
} ExitCode;
