/* SPDX-License-Identifier: MIT
 * Unloads without giving back what other subsystems made for it: extra create parameters, a file lock, strings, an initialized resource, a
 * loaded hive. Or uses extra create parameters that it has freed. */
#define DEVICE_NAME L"\\Device\\NtboxObjects"
#include "rules.h"

static const GUID Type = {0x4E544258, 3, 1, {1}};
static ERESOURCE Resource;
static PAGED_LOOKASIDE_LIST Lookaside;

static PECP_LIST MakeList(VOID)
{
    PECP_LIST List = NULL;
    FsRtlAllocateExtraCreateParameterList(0, &List);
    return List;
}

static PVOID MakeEcp(VOID)
{
    PVOID Context = NULL;
    FsRtlAllocateExtraCreateParameter(&Type, 8, 0, NULL, 'tfeL', &Context);
    return Context;
}

BREAKS LeaveEcps(VOID)
{
    FsRtlInsertExtraCreateParameter(MakeList(), MakeEcp());
}

/* From a lookaside list that is deleted before it. */
BREAKS LeaveLookasideEcp(VOID)
{
    PVOID Context;
    FsRtlInitExtraCreateParameterLookasideList(&Lookaside, 0, 64, 'tfeL');
    FsRtlAllocateExtraCreateParameterFromLookasideList(&Type, 8, 0, NULL, &Lookaside, &Context);
    FsRtlDeleteExtraCreateParameterLookasideList(&Lookaside, 0);
}

BREAKS LeaveFileLock(VOID)
{
    FsRtlAllocateFileLock(NULL, NULL);
}

BREAKS LeaveStrings(VOID)
{
    ANSI_STRING Ansi = RTL_CONSTANT_STRING("left");
    UNICODE_STRING Made, Copy, Guid;
    RtlAnsiStringToUnicodeString(&Made, &Ansi, TRUE);
    RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, &Made, &Copy);
    RtlStringFromGUID(&Type, &Guid);
    RtlFreeUnicodeString(&Made);
}

BREAKS LeaveResource(VOID)
{
    ExInitializeResourceLite(&Resource);
}

BREAKS LeaveHive(VOID)
{
    UNICODE_STRING File = RTL_CONSTANT_STRING(L"\\SystemRoot\\Temp\\left.hiv"),
                   At = RTL_CONSTANT_STRING(L"\\Registry\\User\\Left"),
                   From = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services");
    OBJECT_ATTRIBUTES FileAttributes, KeyAttributes, FromAttributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle, Key;
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&KeyAttributes, &At, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&FromAttributes, &From, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    ZwCreateFile(&Handle, GENERIC_WRITE | SYNCHRONIZE, &FileAttributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL, 0,
                 FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
    ZwOpenKey(&Key, KEY_READ, &FromAttributes);
    ZwSaveKey(Key, Handle);
    ZwClose(Key);
    ZwClose(Handle);
    ZwLoadKey(&KeyAttributes, &FileAttributes);
}

BREAKS FreeTwice(VOID)
{
    PVOID Context = MakeEcp();
    FsRtlFreeExtraCreateParameter(Context);
    FsRtlFreeExtraCreateParameter(Context);
}

BREAKS FreeListTwice(VOID)
{
    PECP_LIST List = MakeList();
    FsRtlFreeExtraCreateParameterList(List);
    FsRtlFreeExtraCreateParameterList(List);
}

BREAKS FreeInList(VOID)
{
    PVOID Context = MakeEcp();
    FsRtlInsertExtraCreateParameter(MakeList(), Context);
    FsRtlFreeExtraCreateParameter(Context);
}

BREAKS InsertFreed(VOID)
{
    PVOID Context = MakeEcp();
    FsRtlFreeExtraCreateParameter(Context);
    FsRtlInsertExtraCreateParameter(MakeList(), Context);
}

BREAKS AcknowledgeList(VOID)
{
    FsRtlAcknowledgeEcp(MakeList());
}

BREAKS FindInFreed(VOID)
{
    PECP_LIST List = MakeList();
    PVOID Context;
    FsRtlFreeExtraCreateParameterList(List);
    FsRtlFindExtraCreateParameter(List, &Type, &Context, NULL);
}

static VOID (*const Rules[])(VOID) = {LeaveEcps,     LeaveLookasideEcp, LeaveFileLock,   LeaveStrings,
                                      LeaveResource, LeaveHive,         FreeTwice,       FreeListTwice,
                                      FreeInList,    InsertFreed,       AcknowledgeList, FindInFreed};
RULES(Rules, (void)0)
