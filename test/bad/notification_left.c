/* SPDX-License-Identifier: MIT
 * Asks to be told of changes of its service's key and unloads without closing the handle: a change would queue a work item, or write a status
 * block, in an image that is gone. Or asks with what is no work item. */
#define DEVICE_NAME L"\\Device\\NtboxNotification"
#include "rules.h"

static WORK_QUEUE_ITEM Item;
static IO_STATUS_BLOCK Iosb;
static HANDLE Key;

static VOID NTAPI Changed(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static VOID OpenKey(VOID)
{
    UNICODE_STRING Name =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\notification_left");
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    ZwOpenKey(&Key, KEY_NOTIFY, &Attributes);
}

static VOID Ask(PWORK_QUEUE_ITEM To, PIO_STATUS_BLOCK Status)
{
    ZwNotifyChangeKey(Key, NULL, (PIO_APC_ROUTINE)To, (PVOID)(ULONG_PTR)DelayedWorkQueue, Status,
                      REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, TRUE);
}

BREAKS LeaveItem(VOID)
{
    ExInitializeWorkItem(&Item, Changed, NULL);
    Ask(&Item, &Iosb);
}

/* Item and status block are in a block of pool that is freed when nothing leads into the image but the routine. */
BREAKS LeaveFreedItem(VOID)
{
    struct {
        WORK_QUEUE_ITEM Item;
        IO_STATUS_BLOCK Iosb;
    } *Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Block), 'Left');
    ExInitializeWorkItem(&Block->Item, Changed, NULL);
    Ask(&Block->Item, &Block->Iosb);
    ExFreePoolWithTag(Block, 'Left');
}

BREAKS LeaveStatusBlock(VOID)
{
    Ask(NULL, &Iosb);
}

BREAKS AskWithoutRoutine(VOID)
{
    ExInitializeWorkItem(&Item, NULL, NULL);
    Ask(&Item, &Iosb);
}

static VOID (*const Rules[])(VOID) = {LeaveItem, LeaveFreedItem, LeaveStatusBlock, AskWithoutRoutine};
RULES(Rules, OpenKey())
