/* SPDX-License-Identifier: MIT
 * IoGetDeviceInterfaces: the names of a class's interfaces as the registry has them. */
#include "device_interface.h"

#define IOP_KEY_ROOM 1024u

typedef struct _IOP_NAME_LIST {
    const IO_DEVICE_NODE *Node; /* only this device's; NULL: all */
    BOOLEAN All;                /* also those that are not enabled */
    PWCH Text;                  /* texts with a NUL behind each */
    ULONG Used, Room;           /* characters */
} IOP_NAME_LIST;

typedef union _IOP_KEY_NAME {
    KEY_BASIC_INFORMATION Basic;
    UCHAR Room[IOP_KEY_ROOM];
} IOP_KEY_NAME;

typedef union _IOP_KEY_VALUE {
    KEY_VALUE_PARTIAL_INFORMATION Partial;
    UCHAR Room[IOP_KEY_ROOM];
} IOP_KEY_VALUE;

static NTSTATUS IopAppendName(IOP_NAME_LIST *List, const WCHAR *Text, ULONG Count)
{
    if (List->Used + Count + 2 > List->Room) {
        ULONG Room = 2 * List->Room + Count + 2;
        PWCH More = ExAllocatePool2(POOL_FLAG_PAGED, Room * sizeof(WCHAR), IOP_TAG_INTERFACE);
        if (More == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        if (List->Text != NULL) {
            RtlCopyMemory(More, List->Text, List->Used * sizeof(WCHAR));
            ExFreePoolWithTag(List->Text, IOP_TAG_INTERFACE);
        }
        List->Text = More;
        List->Room = Room;
    }
    RtlCopyMemory(List->Text + List->Used, Text, Count * sizeof(WCHAR));
    List->Used += Count;
    List->Text[List->Used] = List->Text[List->Used + 1] = 0;
    return STATUS_SUCCESS;
}

static BOOLEAN IopReadValue(HANDLE Key, PCWSTR Name, ULONG Type, IOP_KEY_VALUE *Value)
{
    UNICODE_STRING ValueName;
    ULONG Length;
    RtlInitUnicodeString(&ValueName, Name);
    return NT_SUCCESS(ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, sizeof(*Value),
                                      &Length)) &&
           Value->Partial.Type == Type;
}

static BOOLEAN IopIsEnabled(HANDLE Interface, IOP_KEY_VALUE *Value)
{
    static const UNICODE_STRING Control = RTL_CONSTANT_STRING(L"Control");
    HANDLE Key;
    if (!NT_SUCCESS(IopOpenSubKey(Interface, &Control, KEY_READ, 0, FALSE, &Key)))
        return FALSE;
    BOOLEAN Linked = IopReadValue(Key, L"Linked", REG_DWORD, Value) && *(ULONG *)Value->Partial.Data != 0;
    ZwClose(Key);
    return Linked;
}

/* "\\?\..." of the value becomes "\??\...". */
static NTSTATUS IopListInterface(IOP_NAME_LIST *List, HANDLE Interface, IOP_KEY_VALUE *Value)
{
    if (!List->All && !IopIsEnabled(Interface, Value))
        return STATUS_SUCCESS;
    if (!IopReadValue(Interface, L"SymbolicLink", REG_SZ, Value) ||
        Value->Partial.DataLength < 6 * sizeof(WCHAR))
        return STATUS_SUCCESS;
    PWCH Text = (PWCH)Value->Partial.Data;
    ULONG Count = Value->Partial.DataLength / sizeof(WCHAR);
    Text[1] = L'?';
    while (Count != 0 && Text[Count - 1] == 0)
        Count--;
    NTSTATUS Status = IopAppendName(List, Text, Count);
    if (NT_SUCCESS(Status))
        List->Used++; /* the NUL */
    return Status;
}

typedef NTSTATUS (*IOP_KEY_VISIT)(IOP_NAME_LIST *List, HANDLE Key, IOP_KEY_VALUE *Value);

/* Each subkey whose name begins with that character. */
static NTSTATUS IopVisitKeys(IOP_NAME_LIST *List, HANDLE Key, IOP_KEY_VISIT Visit, IOP_KEY_VALUE *Value)
{
    NTSTATUS Status = STATUS_SUCCESS;
    IOP_KEY_NAME *Name = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Name), IOP_TAG_INTERFACE);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG I = 0; NT_SUCCESS(Status); I++) {
        ULONG Length;
        HANDLE SubKey;
        if (!NT_SUCCESS(ZwEnumerateKey(Key, I, KeyBasicInformation, Name, sizeof(*Name), &Length)))
            break;
        UNICODE_STRING Text = {(USHORT)Name->Basic.NameLength, (USHORT)Name->Basic.NameLength,
                               Name->Basic.Name};
        if (Text.Length == 0 || Text.Buffer[0] != L'#' ||
            !NT_SUCCESS(IopOpenSubKey(Key, &Text, KEY_READ, 0, FALSE, &SubKey)))
            continue;
        Status = Visit(List, SubKey, Value);
        ZwClose(SubKey);
    }
    ExFreePoolWithTag(Name, IOP_TAG_INTERFACE);
    return Status;
}

static BOOLEAN IopIsOfDevice(const IO_DEVICE_NODE *Node, HANDLE Device, IOP_KEY_VALUE *Value)
{
    UNICODE_STRING Text;
    if (Node == NULL)
        return TRUE;
    if (!IopReadValue(Device, L"DeviceInstance", REG_SZ, Value) || Value->Partial.DataLength < sizeof(WCHAR))
        return FALSE;
    Text.Buffer = (PWCH)Value->Partial.Data;
    Text.Length = Text.MaximumLength = (USHORT)(Value->Partial.DataLength - sizeof(WCHAR));
    return RtlEqualUnicodeString(&Text, &Node->InstancePath, TRUE);
}

static NTSTATUS IopListDevice(IOP_NAME_LIST *List, HANDLE Device, IOP_KEY_VALUE *Value)
{
    if (!IopIsOfDevice(List->Node, Device, Value))
        return STATUS_SUCCESS;
    return IopVisitKeys(List, Device, IopListInterface, Value);
}

static NTSTATUS IopOpenClass(const GUID *Class, PHANDLE Key)
{
    UNICODE_STRING Guid, Path;
    NTSTATUS Status = RtlStringFromGUID(Class, &Guid);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopMakePath(&Path, L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\DeviceClasses\\",
                         &Guid, L"");
    RtlFreeUnicodeString(&Guid);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenSubKey(NULL, &Path, KEY_READ, 0, FALSE, Key);
    ObFreeName(&Path);
    return Status;
}

static NTSTATUS IopListClass(IOP_NAME_LIST *List, const GUID *Class)
{
    HANDLE Key;
    NTSTATUS Status = IopOpenClass(Class, &Key);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND || Status == STATUS_OBJECT_PATH_NOT_FOUND)
        return STATUS_SUCCESS; /* nobody has registered one */
    if (!NT_SUCCESS(Status))
        return Status;
    IOP_KEY_VALUE *Value = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Value), IOP_TAG_INTERFACE);
    Status = Value != NULL ? IopVisitKeys(List, Key, IopListDevice, Value) : STATUS_INSUFFICIENT_RESOURCES;
    if (Value != NULL)
        ExFreePoolWithTag(Value, IOP_TAG_INTERFACE);
    ZwClose(Key);
    return Status;
}

/* [WDK IoGetDeviceInterfaces] a list of texts, empty when there is none, which the caller frees; those of one PDO, with
 * DEVICE_INTERFACE_INCLUDE_NONACTIVE also those that are not enabled. STATUS_INVALID_DEVICE_REQUEST: not a PDO. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoGetDeviceInterfaces(CONST GUID *Class, PDEVICE_OBJECT Pdo, ULONG Flags,
                                     PWSTR *SymbolicLinkList)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_NAME_LIST List = {.All = (Flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE) != 0};
    if (Pdo != NULL && (List.Node = IopDeviceNode(Pdo)) == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS Status = IopAppendName(&List, L"", 0);
    if (NT_SUCCESS(Status))
        Status = IopListClass(&List, Class);
    if (NT_SUCCESS(Status)) {
        *SymbolicLinkList = List.Text;
        return STATUS_SUCCESS;
    }
    if (List.Text != NULL)
        ExFreePoolWithTag(List.Text, IOP_TAG_INTERFACE);
    return Status;
}
