/* SPDX-License-Identifier: MIT
 * What the registry says of a device's interrupts, below its hardware key.
 * [WDK "Enabling Message-Signaled Interrupts in the Registry", "Interrupt Affinity and Priority"] */
#include "pci.h"

typedef struct VALUE {
    KEY_VALUE_PARTIAL_INFORMATION Information;
    UCHAR Room[16];
} VALUE;

/* FALSE: there is none, or it is too long to be one. */
static BOOLEAN ReadValue(HANDLE Key, PCWSTR Name, ULONG Type, VALUE *Value)
{
    UNICODE_STRING ValueName;
    ULONG Length;
    RtlInitUnicodeString(&ValueName, Name);
    return NT_SUCCESS(ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, sizeof(*Value),
                                      &Length)) &&
           Value->Information.Type == Type;
}

static ULONG ReadNumber(HANDLE Key, PCWSTR Name, ULONG Otherwise)
{
    VALUE Value;
    if (!ReadValue(Key, Name, REG_DWORD, &Value) || Value.Information.DataLength != sizeof(ULONG))
        return Otherwise;
    return *(const UNALIGNED ULONG *)Value.Information.Data;
}

/* A set of processors may be shorter than KAFFINITY is. */
static KAFFINITY ReadProcessors(HANDLE Key)
{
    VALUE Value;
    KAFFINITY Processors = 0;
    if (ReadValue(Key, L"AssignmentSetOverride", REG_BINARY, &Value))
        RtlCopyMemory(&Processors, Value.Information.Data,
                      min(Value.Information.DataLength, (ULONG)sizeof(Processors)));
    return Processors;
}

/* NULL: there is none. */
static HANDLE OpenKey(HANDLE Root, PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Root, NULL);
    return NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)) ? Key : NULL;
}

static VOID ReadMessages(HANDLE Device, PCI_POLICY *Policy)
{
    HANDLE Key = OpenKey(Device, L"Interrupt Management\\MessageSignaledInterruptProperties");
    if (Key == NULL)
        return;
    Policy->Messages = ReadNumber(Key, L"MSISupported", 0) == 1;
    Policy->Limit = ReadNumber(Key, L"MessageNumberLimit", MAXULONG);
    ZwClose(Key);
}

static VOID ReadAffinity(HANDLE Device, PCI_POLICY *Policy)
{
    HANDLE Key = OpenKey(Device, L"Interrupt Management\\Affinity Policy");
    if (Key == NULL)
        return;
    Policy->HasAffinity = TRUE;
    Policy->Affinity = (USHORT)ReadNumber(Key, L"DevicePolicy", IrqPolicyMachineDefault);
    Policy->Priority = ReadNumber(Key, L"DevicePriority", IrqPriorityUndefined);
    Policy->Processors = ReadProcessors(Key);
    ZwClose(Key);
}

VOID PciReadPolicy(const PCI_FUNCTION *Function, PCI_POLICY *Policy)
{
    HANDLE Device;
    *Policy = (PCI_POLICY){.Limit = MAXULONG};
    if (!NT_SUCCESS(IoOpenDeviceRegistryKey(Function->Device, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &Device)))
        return;
    ReadMessages(Device, Policy);
    ReadAffinity(Device, Policy);
    ZwClose(Device);
}
