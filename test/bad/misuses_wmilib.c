/* SPDX-License-Identifier: MIT
 * Gives WMILIB.SYS what it must not: a context with wrong counts and routines, requests that are none, data that is no pool. The library's
 * fault is the driver's. */
#define DEVICE_NAME L"\\Device\\NtboxWmilib"
#include "rules.h"
#include <wmilib.h>
#include <wmistr.h>

static const GUID Block = {0x4E544258, 4, 1, {1}}, Other = {0x4E544258, 4, 2, {1}};
static WMIGUIDREGINFO Blocks[] = {{&Block, 1, 0}};
static WMILIB_CONTEXT Context;
static UCHAR Buffer[256];
static UNICODE_STRING Nowhere = {16, 16, (PWSTR)(ULONG_PTR)0xffffff1234567000};
static UNICODE_STRING Resource = RTL_CONSTANT_STRING(L"Resource");
static WCHAR NoPool[] = L"name";
static BOOLEAN WrongPath;

static NTSTATUS NTAPI QueryRegInfo(PDEVICE_OBJECT Device, PULONG Flags, PUNICODE_STRING Name,
                                   PUNICODE_STRING *Path, PUNICODE_STRING Mof, PDEVICE_OBJECT *Pdo)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Pdo);
    *Flags = WMIREG_FLAG_INSTANCE_BASENAME;
    *Path = WrongPath ? &Nowhere : &Resource;
    *Mof = Resource;
    if (!WrongPath)
        RtlInitUnicodeString(Name, NoPool);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI QueryBlock(PDEVICE_OBJECT Device, PIRP Irp, ULONG Guid, ULONG First, ULONG Count,
                                 PULONG Lengths, ULONG Room, PUCHAR Data)
{
    UNREFERENCED_PARAMETER(Guid);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Count);
    UNREFERENCED_PARAMETER(Lengths);
    UNREFERENCED_PARAMETER(Room);
    UNREFERENCED_PARAMETER(Data);
    return WmiCompleteRequest(Device, Irp, STATUS_SUCCESS, 4, IO_NO_INCREMENT);
}

static VOID MakeContext(VOID)
{
    Context = (WMILIB_CONTEXT){
        .GuidCount = 1, .GuidList = Blocks, .QueryWmiRegInfo = QueryRegInfo, .QueryWmiDataBlock = QueryBlock};
}

/* A request as WMI sends it, to a device of its own that nobody else knows. */
static PIRP MakeRequest(UCHAR Minor, const GUID *Guid, PVOID To)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(Irp);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_SYSTEM_CONTROL;
    Stack->MinorFunction = Minor;
    Stack->Parameters.WMI.ProviderId = (ULONG_PTR)&Context;
    Stack->Parameters.WMI.DataPath = (PVOID)(ULONG_PTR)Guid;
    Stack->Parameters.WMI.BufferSize = sizeof(Buffer);
    Stack->Parameters.WMI.Buffer = To;
    return Irp;
}

static VOID Ask(UCHAR Minor, const GUID *Guid)
{
    SYSCTL_IRP_DISPOSITION Disposition;
    WmiSystemControl(&Context, (PDEVICE_OBJECT)&Context, MakeRequest(Minor, Guid, Buffer), &Disposition);
}

BREAKS TooManyGuids(VOID)
{
    Context.GuidCount = MAXULONG;
    Ask(IRP_MN_QUERY_ALL_DATA, &Other);
}

BREAKS NoGuids(VOID)
{
    Context.GuidList = NULL;
    Ask(IRP_MN_QUERY_ALL_DATA, &Block);
}

BREAKS NoRoutine(VOID)
{
    Context.QueryWmiRegInfo = NULL;
    Ask(IRP_MN_REGINFO, NULL);
}

BREAKS RoutineNowhere(VOID)
{
    Context.QueryWmiDataBlock = (PVOID)(ULONG_PTR)0xffffff1234567000;
    Ask(IRP_MN_QUERY_ALL_DATA, &Block);
}

BREAKS PathNowhere(VOID)
{
    WrongPath = TRUE;
    Ask(IRP_MN_REGINFO, NULL);
}

BREAKS NameOfNoPool(VOID)
{
    Ask(IRP_MN_REGINFO, NULL);
}

BREAKS CompleteNoRequest(VOID)
{
    WmiCompleteRequest((PDEVICE_OBJECT)&Context, MakeRequest(IRP_MN_QUERY_ALL_DATA, &Block, NULL),
                       STATUS_SUCCESS, 4, IO_NO_INCREMENT);
}

/* More instances than the answer has room for are said to be in it: their lengths are looked for behind it. */
BREAKS CompleteTooMany(VOID)
{
    WNODE_ALL_DATA *Node = (WNODE_ALL_DATA *)Buffer;
    Node->DataBlockOffset = 64;
    Node->InstanceCount = MAXULONG / 2;
    WmiCompleteRequest((PDEVICE_OBJECT)&Context, MakeRequest(IRP_MN_QUERY_ALL_DATA, &Block, Buffer),
                       STATUS_SUCCESS, 4, IO_NO_INCREMENT);
}

BREAKS FireNoPool(VOID)
{
    WmiFireEvent((PDEVICE_OBJECT)&Context, &Block, 0, sizeof(NoPool), NoPool);
}

static VOID (*const Rules[])(VOID) = {TooManyGuids,      NoGuids,         NoRoutine,
                                      RoutineNowhere,    PathNowhere,     NameOfNoPool,
                                      CompleteNoRequest, CompleteTooMany, FireNoPool};
RULES(Rules, MakeContext())
