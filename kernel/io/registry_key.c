/* SPDX-License-Identifier: MIT
 * Registry keys of drivers. [WDK IoOpenDriverRegistryKey] */
#include "iop.h"

static NTSTATUS IopOpenKey(PCUNICODE_STRING Path, HANDLE Root, ACCESS_MASK Access, BOOLEAN Create,
                           PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               Root, NULL);
    return Create ? ZwCreateKey(Key, Access, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL)
                  : ZwOpenKey(Key, Access, &Attributes);
}

/* [WDK IoOpenDriverRegistryKey] PASSIVE_LEVEL. The Parameters key is made when it is not there; where state would lie on disk there is
 * no place here (deviation D-213). Flags are reserved. */
NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                       ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE DriverRegKey)
{
    static const UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Parameters");
    UNICODE_STRING Service;
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Flags != 0 || RegKeyType != DriverRegKeyParameters)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = IopMakePath(&Service, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\",
                                  &DriverObject->DriverExtension->ServiceKeyName, L"");
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenKey(&Service, NULL, KEY_READ | KEY_WRITE, FALSE, &Key);
    ObFreeName(&Service);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenKey(&Parameters, Key, DesiredAccess, TRUE, DriverRegKey);
    ZwClose(Key);
    return Status;
}
