/* SPDX-License-Identifier: MIT
 * What a driver registers: its GUIDs, and the names of their instances. [WDK WMI_QUERY_REGINFO_CALLBACK, IRP_MN_REGINFO,
 * IRP_MN_REGINFO_EX, WMIREGINFO, WMIREGGUID] */
#include "wl.h"

/* What the driver says. */
typedef struct _WL_REGISTRATION {
    ULONG Flags;
    UNICODE_STRING InstanceName, MofResourceName;
    PUNICODE_STRING RegistryPath;
    PDEVICE_OBJECT Pdo;
} WL_REGISTRATION;

static ULONG WlStringSize(const UNICODE_STRING *Text)
{
    return Text != NULL && Text->Length != 0 ? sizeof(USHORT) + (ULONG)Text->Length : 0;
}

/* A counted string at *At; its offset, or 0 when there is none. */
static ULONG WlAppend(WMIREGINFOW *Info, ULONG *At, const UNICODE_STRING *Text)
{
    ULONG Size = WlStringSize(Text), Offset = *At;
    PUCHAR To = (PUCHAR)Info + Offset;
    if (Size == 0)
        return 0;
    *(PUSHORT)To = Text->Length;
    RtlCopyMemory(To + sizeof(USHORT), Text->Buffer, Text->Length);
    *At += (Size + 1) & ~1u;
    return Offset;
}

/* [WDK IRP_MN_REGINFO_EX] the device that names the instances is referenced once for each GUID; WMI lets go of it. */
static VOID WlFillGuid(const WL_REQUEST *Request, const WL_REGISTRATION *Said, ULONG BaseName, ULONG Index,
                       WMIREGGUIDW *Entry)
{
    const WMIGUIDREGINFO *Block = &Request->Context->GuidList[Index];
    RtlZeroMemory(Entry, sizeof(*Entry));
    Entry->Guid = *Block->Guid;
    Entry->Flags = Block->Flags | Said->Flags;
    Entry->InstanceCount = Block->InstanceCount;
    if (Said->Flags & WMIREG_FLAG_INSTANCE_BASENAME)
        Entry->BaseNameOffset = BaseName;
    if (!(Said->Flags & WMIREG_FLAG_INSTANCE_PDO))
        return;
    Entry->Pdo = (ULONG_PTR)Said->Pdo;
    if (Request->Minor == IRP_MN_REGINFO_EX && Said->Pdo != NULL)
        ObReferenceObject(Said->Pdo);
}

static const UNICODE_STRING *WlBaseName(const WL_REGISTRATION *Said)
{
    return Said->Flags & WMIREG_FLAG_INSTANCE_BASENAME ? &Said->InstanceName : NULL;
}

static VOID WlFillInfo(const WL_REQUEST *Request, const WL_REGISTRATION *Said, ULONG Needed)
{
    WMIREGINFOW *Info = Request->Buffer;
    ULONG Count = Request->Context->GuidCount;
    ULONG At = FIELD_OFFSET(WMIREGINFOW, WmiRegGuid) + Count * (ULONG)sizeof(WMIREGGUIDW);
    Info->BufferSize = Needed;
    Info->NextWmiRegInfo = 0;
    Info->GuidCount = Count;
    Info->RegistryPath = WlAppend(Info, &At, Said->RegistryPath);
    Info->MofResourceName = WlAppend(Info, &At, &Said->MofResourceName);
    ULONG BaseName = WlAppend(Info, &At, WlBaseName(Said));
    for (ULONG I = 0; I < Count; I++)
        WlFillGuid(Request, Said, BaseName, I, &Info->WmiRegGuid[I]);
}

static ULONG64 WlNeededRoom(const WL_REQUEST *Request, const WL_REGISTRATION *Said)
{
    ULONG64 Guids = (ULONG64)Request->Context->GuidCount * sizeof(WMIREGGUIDW);
    ULONG Strings = WlStringSize(Said->RegistryPath) + WlStringSize(&Said->MofResourceName) +
                    WlStringSize(WlBaseName(Said));
    return FIELD_OFFSET(WMIREGINFOW, WmiRegGuid) + Guids + Strings + 3; /* each string begins on two bytes */
}

/* [WDK IRP_MN_REGINFO] a buffer that is too small begins with the size that is needed. */
static NTSTATUS WlAnswer(const WL_REQUEST *Request, const WL_REGISTRATION *Said)
{
    ULONG64 Needed = WlNeededRoom(Request, Said);
    Request->Irp->IoStatus.Information = 0;
    if (Needed > MAXLONG)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Needed <= Request->Room) {
        WlFillInfo(Request, Said, (ULONG)Needed);
        Request->Irp->IoStatus.Information = (ULONG)Needed;
        return STATUS_SUCCESS;
    }
    if (Request->Room >= sizeof(ULONG)) {
        *(PULONG)Request->Buffer = (ULONG)Needed;
        Request->Irp->IoStatus.Information = sizeof(ULONG);
    }
    return STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS WlRegInfo(WL_REQUEST *Request)
{
    WL_REGISTRATION Said = {0};
    NTSTATUS Status = Request->Context->QueryWmiRegInfo(Request->Device, &Said.Flags, &Said.InstanceName,
                                                        &Said.RegistryPath, &Said.MofResourceName, &Said.Pdo);
    Request->Irp->IoStatus.Information = 0;
    if (NT_SUCCESS(Status))
        Status = WlAnswer(Request, &Said);
    if ((Said.Flags & WMIREG_FLAG_INSTANCE_BASENAME) && Said.InstanceName.Buffer != NULL)
        ExFreePool(Said.InstanceName.Buffer); /* [WDK WMI_QUERY_REGINFO_CALLBACK] WMI frees it */
    Request->Irp->IoStatus.Status = Status;
    return Status;
}
