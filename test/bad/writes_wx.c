/* SPDX-License-Identifier: MIT
 * Has a section that is writable and executable and writes to it from DriverEntry. Such an image is accepted;
 * after binding the section is not writable any more. [WDK Bug Check 0xBE:
 * ATTEMPTED_WRITE_TO_READONLY_MEMORY] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

__asm__(".section .wx,\"wx\"\n"
        ".globl WritableCode\n"
        "WritableCode:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".text\n");
LONG WritableCode(VOID);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    volatile UCHAR *volatile Code = (volatile UCHAR *)WritableCode;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    DbgPrint("writes_wx: its code returns %d\n", (int)WritableCode());
    Code[1] = 2;
    DbgPrint("writes_wx: this line must never be printed: %d\n", (int)WritableCode());
    return STATUS_UNSUCCESSFUL;
}
