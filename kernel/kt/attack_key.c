/* SPDX-License-Identifier: MIT
 * Attacks: the registry, below \Registry\Machine\Software\NtboxAttack, by the functions that the services of user mode call. */
#include "attack.h"
#include "cm_service.h"
#include "mm_caller.h"

#define KEY_ROOT L"\\Registry\\Machine\\Software\\NtboxAttack"
#define KEY_PREFIX KEY_ROOT L"\\k"

static PCWSTR KeyName(ATTACKER *A, PWSTR Text)
{
    if (ATTACK_PICK(A, 4) == 0) { /* below another one */
        PWSTR End = (PWSTR)AttackNumbered(A, KEY_PREFIX, Text);
        (void)AttackNumbered(A, L"\\d", End + wcslen(End));
        return Text;
    }
    if (ATTACK_PICK(A, 4) == 0)
        return ATTACK_PICK(A, 4) == 0 ? L"\\Registry\\Machine\\Software" : KEY_ROOT;
    return AttackNumbered(A, KEY_PREFIX, Text);
}

static PUNICODE_STRING KeyValueName(ATTACKER *A)
{
    WCHAR Text[4];
    Text[0] = L'v';
    Text[1] = (WCHAR)(L'0' + ATTACK_PICK(A, 2));
    Text[2] = 0;
    return AttackString(A, Text);
}

static NTSTATUS CreateKey(ATTACKER *A)
{
    WCHAR Text[80];
    POBJECT_ATTRIBUTES Name = AttackAttributes(A, KeyName(A, Text));
    return CmCreateKey(AttackMake(A, AttackKey), AttackAccess(A), Name,
                       ATTACK_PICK(A, 4) == 0 ? AttackString(A, L"class") : NULL,
                       ATTACK_WORD(A, REG_OPTION_VOLATILE), ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 4) : NULL,
                       UserMode);
}

static NTSTATUS OpenKey(ATTACKER *A)
{
    WCHAR Text[80];
    POBJECT_ATTRIBUTES Name = AttackAttributes(A, KeyName(A, Text));
    return CmOpenKey(AttackMake(A, AttackKey), AttackAccess(A), Name,
                     AttackOdd(A) ? (ULONG)AttackAnything(A) : 0, UserMode);
}

static NTSTATUS QueryKey(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, KeyBasicInformation, KeyNodeInformation, KeyFullInformation,
                              KeyNameInformation, KeyCachedInformation, KeyHandleTagsInformation);
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 512 : ATTACK_PICK(A, 128);
    return CmQueryKey(AttackHandle(A, AttackKey), Class, AttackRoom(A, Length), AttackLength(A, Length),
                      AttackRoom(A, 4), UserMode);
}

static NTSTATUS EnumerateKey(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, KeyBasicInformation, KeyNodeInformation, KeyFullInformation);
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 512 : ATTACK_PICK(A, 128);
    return CmEnumerateKey(AttackHandle(A, AttackKey), AttackLength(A, ATTACK_PICK(A, 2)), Class,
                          AttackRoom(A, Length), AttackLength(A, Length), AttackRoom(A, 4), UserMode);
}

static const ULONG KeyValueClasses[] = {KeyValueBasicInformation, KeyValueFullInformation,
                                        KeyValuePartialInformation, KeyValuePartialInformationAlign64};

static NTSTATUS QueryValueKey(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 2048 : ATTACK_PICK(A, 128);
    ULONG Class = AttackWord(A, KeyValueClasses, RTL_NUMBER_OF(KeyValueClasses));
    return CmQueryValueKey(AttackHandle(A, AttackKey), KeyValueName(A), Class, AttackRoom(A, Length),
                           AttackLength(A, Length), AttackRoom(A, 4), UserMode);
}

static NTSTATUS EnumerateValueKey(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 2048 : ATTACK_PICK(A, 128);
    ULONG Class = AttackWord(A, KeyValueClasses, RTL_NUMBER_OF(KeyValueClasses));
    return CmEnumerateValueKey(AttackHandle(A, AttackKey), AttackLength(A, ATTACK_PICK(A, 2)), Class,
                               AttackRoom(A, Length), AttackLength(A, Length), AttackRoom(A, 4), UserMode);
}

static NTSTATUS QueryMultipleValueKey(ATTACKER *A)
{
    KEY_VALUE_ENTRY Entries[2] = {{.ValueName = KeyValueName(A)}, {.ValueName = KeyValueName(A)}};
    PVOID List = AttackCopy(A, Entries, sizeof(Entries));
    PVOID Length = AttackPointer(A, 2048);
    return CmQueryMultipleValueKey(AttackHandle(A, AttackKey), List, AttackLength(A, 1 + ATTACK_PICK(A, 2)),
                                   AttackRoom(A, 2048), Length, AttackOdd(A) ? AttackRoom(A, 4) : NULL,
                                   UserMode);
}

static NTSTATUS SetValueKey(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 16) == 0 ? ATTACK_PICK(A, 5 * PAGE_SIZE) : ATTACK_PICK(A, 1024);
    PUNICODE_STRING Name = KeyValueName(A);
    return CmSetValueKey(AttackHandle(A, AttackKey), Name, 0, ATTACK_WORD(A, REG_BINARY, REG_SZ, REG_DWORD),
                         AttackBytes(A, Length), AttackLength(A, Length), UserMode);
}

static NTSTATUS DeleteValueKey(ATTACKER *A)
{
    PUNICODE_STRING Name = KeyValueName(A);
    return CmDeleteValueKey(AttackHandle(A, AttackKey), Name, UserMode);
}

/* Mostly one that nobody else needs. */
static NTSTATUS DeleteKey(ATTACKER *A)
{
    WCHAR Text[64];
    HANDLE Key;
    if (ATTACK_PICK(A, 32) == 0)
        return CmDeleteKey(AttackHandle(A, AttackKey), UserMode);
    PHANDLE Out = AttackRoom(A, sizeof(*Out));
    NTSTATUS Status =
        CmCreateKey(Out, KEY_ALL_ACCESS, AttackAttributes(A, AttackNumbered(A, KEY_PREFIX L"x", Text)), NULL,
                    REG_OPTION_VOLATILE, NULL, UserMode);
    if (!NT_SUCCESS(Status) || !NT_SUCCESS(MmReadCaller(&Key, Out, sizeof(Key), UserMode)))
        return Status;
    Status = CmDeleteKey(Key, UserMode);
    (void)NtClose(Key);
    return Status;
}

static NTSTATUS RenameKey(ATTACKER *A)
{
    WCHAR Text[64];
    PUNICODE_STRING Name = AttackString(A, AttackNumbered(A, L"k", Text));
    return CmRenameKey(AttackHandle(A, AttackKey), Name, UserMode);
}

static NTSTATUS SetInformationKey(ATTACKER *A)
{
    LARGE_INTEGER Time = {.QuadPart = 1};
    ULONG Class = ATTACK_WORD(A, KeyWriteTimeInformation, KeyWriteTimeInformation, KeyWow64FlagsInformation,
                              KeySetHandleTagsInformation);
    ULONG Length = Class == KeyWriteTimeInformation ? 8 : 4;
    return CmSetInformationKey(AttackHandle(A, AttackKey), Class, AttackCopy(A, &Time, Length),
                               AttackLength(A, Length), UserMode);
}

static NTSTATUS FlushKey(ATTACKER *A)
{
    return CmFlushKey(AttackHandle(A, AttackKey), UserMode);
}

/* Asynchronous: the other kind waits until the key changes. */
static NTSTATUS NotifyChangeKey(ATTACKER *A)
{
    HANDLE Key = AttackHandle(A, AttackKey);
    return CmNotifyChangeKey(Key, AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                             ATTACK_WORD(A, REG_NOTIFY_CHANGE_NAME, REG_NOTIFY_CHANGE_LAST_SET),
                             (BOOLEAN)ATTACK_PICK(A, 2), TRUE, UserMode);
}

static NTSTATUS SaveKey(ATTACKER *A)
{
    return CmSaveKey(AttackHandle(A, AttackKey), AttackHandle(A, AttackFile), ATTACK_WORD(A, 1, 2), UserMode);
}

const ATTACK_SERVICE AttackKeyServices[] = {
    {"NtCreateKey", CreateKey, NULL},
    {"NtOpenKeyEx", OpenKey, NULL},
    {"NtQueryKey", QueryKey, NULL},
    {"NtEnumerateKey", EnumerateKey, NULL},
    {"NtQueryValueKey", QueryValueKey, NULL},
    {"NtEnumerateValueKey", EnumerateValueKey, NULL},
    {"NtQueryMultipleValueKey", QueryMultipleValueKey, NULL},
    {"NtSetValueKey", SetValueKey, NULL},
    {"NtDeleteValueKey", DeleteValueKey, NULL},
    {"NtDeleteKey", DeleteKey, NULL},
    {"NtRenameKey", RenameKey, NULL},
    {"NtSetInformationKey", SetInformationKey, NULL},
    {"NtFlushKey", FlushKey, NULL},
    {"NtNotifyChangeKey", NotifyChangeKey, NULL},
    {"NtSaveKeyEx", SaveKey, "the accounts have no SeBackupPrivilege"},
};
const ULONG AttackKeyServiceCount = RTL_NUMBER_OF(AttackKeyServices);
