/* SPDX-License-Identifier: MIT
 * Interfaces that an INF gives to a device: registered when the device gets its driver, which enables them. In the database they are
 * Interfaces\{class}\#<reference string>. [WDK "INF DDInstall.Interfaces Section"] */
#include "copy_key.h"
#include "match.h"

/* What the interface's section adds under HKR. */
static VOID PnpFillInterface(HANDLE Settings, PUNICODE_STRING Link)
{
    HANDLE Parameters;
    if (!NT_SUCCESS(IoOpenDeviceInterfaceRegistryKey(Link, KEY_ALL_ACCESS, &Parameters)))
        return;
    PnpCopyTree(Settings, Parameters, NULL);
    ZwClose(Parameters);
}

static VOID PnpInstallInterface(PNP_NODE *Node, HANDLE ClassKey, CONST GUID *Class, PCUNICODE_STRING Name)
{
    UNICODE_STRING Link, Reference = {Name->Length - (USHORT)sizeof(WCHAR), Name->Length, Name->Buffer + 1};
    HANDLE Settings;
    if (!NT_SUCCESS(PnpOpenKey(ClassKey, L"", Name, L"", KEY_READ, &Settings)))
        return;
    if (NT_SUCCESS(
            IoRegisterDeviceInterface(Node->Pdo, Class, Reference.Length ? &Reference : NULL, &Link))) {
        PnpFillInterface(Settings, &Link);
        RtlFreeUnicodeString(&Link);
    }
    ZwClose(Settings);
}

/* One for each reference string. */
static VOID PnpInstallClass(PNP_NODE *Node, HANDLE Interfaces, PUNICODE_STRING Class)
{
    UNICODE_STRING Name;
    HANDLE ClassKey;
    GUID Guid;
    if (!NT_SUCCESS(RtlGUIDFromString(Class, &Guid)) ||
        !NT_SUCCESS(PnpOpenKey(Interfaces, L"", Class, L"", KEY_READ, &ClassKey)))
        return;
    for (ULONG Index = 0; NT_SUCCESS(PnpEnumerateKey(ClassKey, Index, &Name)); Index++) {
        PnpInstallInterface(Node, ClassKey, &Guid, &Name);
        ObFreeName(&Name);
    }
    ZwClose(ClassKey);
}

VOID PnpInstallInterfaces(PNP_NODE *Node, HANDLE Configuration)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Interfaces");
    HANDLE Interfaces;
    if (!NT_SUCCESS(PnpOpenKey(Configuration, L"", &Name, L"", KEY_READ, &Interfaces)))
        return;
    for (ULONG Index = 0; NT_SUCCESS(PnpEnumerateKey(Interfaces, Index, &Name)); Index++) {
        PnpInstallClass(Node, Interfaces, &Name);
        ObFreeName(&Name);
    }
    ZwClose(Interfaces);
}
