/* SPDX-License-Identifier: MIT
 * Attacks: files of the RAM file system. */
#include "attack.h"
#include "io.h"

#define FILE_PREFIX L"\\SystemRoot\\Temp\\attack\\f"

/* Asynchronous: a synchronous file's requests may wait for ever, as they should. */
static ULONG FileOptions(ATTACKER *A)
{
    return ATTACK_WORD(A, 0, 0, FILE_NON_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_WRITE_THROUGH,
                       FILE_RANDOM_ACCESS, FILE_WRITE_THROUGH, FILE_COMPLETE_IF_OPLOCKED,
                       FILE_DELETE_ON_CLOSE) &
           ~(ULONG)(FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);
}

static ULONG FileShare(ATTACKER *A)
{
    return ATTACK_PICK(A, 16) == 0 ? ATTACK_WORD(A, FILE_SHARE_READ, 0)
                                   : ATTACK_WORD(A, FILE_SHARE_VALID_FLAGS);
}

static PCWSTR FileName(ATTACKER *A, PWSTR Text)
{
    static const PCWSTR Others[] = {L"\\Device\\Null",
                                    L"\\Device\\Report",
                                    L"\\SystemRoot\\System32",
                                    L"\\SystemRoot\\System32\\drivers\\ramfs.sys",
                                    L"\\??\\C:",
                                    L"\\Device\\BootArchive",
                                    L"\\SystemRoot\\Temp\\attack\\none\\deeper",
                                    L"\\Device\\RamDisk0",
                                    L"\\",
                                    L"",
                                    L"attack"};
    return ATTACK_PICK(A, 8) != 0 ? AttackNumbered(A, FILE_PREFIX, Text)
                                  : Others[ATTACK_PICK(A, RTL_NUMBER_OF(Others))];
}

static NTSTATUS CreateFile(ATTACKER *A)
{
    WCHAR Text[64];
    PVOID Size = ATTACK_PICK(A, 4) == 0 ? AttackPointer(A, ATTACK_PICK(A, 0x8000)) : NULL;
    PVOID Ea = AttackOdd(A) ? AttackBytes(A, 64) : NULL;
    return NtCreateFile(
        AttackMake(A, AttackFile), AttackAccess(A) | SYNCHRONIZE, AttackAttributes(A, FileName(A, Text)),
        AttackIosb(A), Size, ATTACK_WORD(A, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_HIDDEN, 0), FileShare(A),
        ATTACK_WORD(A, FILE_OPEN_IF, FILE_OPEN_IF, FILE_CREATE, FILE_OPEN, FILE_OVERWRITE_IF, FILE_SUPERSEDE),
        FileOptions(A), Ea, Ea != NULL ? AttackLength(A, 64) : 0);
}

static NTSTATUS OpenFile(ATTACKER *A)
{
    WCHAR Text[64];
    return NtOpenFile(AttackMake(A, AttackFile), AttackAccess(A) | SYNCHRONIZE,
                      AttackAttributes(A, FileName(A, Text)), AttackIosb(A), FileShare(A), FileOptions(A));
}

static NTSTATUS DeleteFile(ATTACKER *A)
{
    WCHAR Text[64];
    return NtDeleteFile(AttackAttributes(A, FileName(A, Text)));
}

static PLARGE_INTEGER FileOffset(ATTACKER *A)
{
    return AttackPointer(A, ATTACK_PICK(A, 16) * 1000);
}

static NTSTATUS ReadFile(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 3 * PAGE_SIZE);
    return NtReadFile(AttackAnyFile(A), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A), AttackRoom(A, Length),
                      AttackLength(A, Length), FileOffset(A), AttackOdd(A) ? AttackPointer(A, 0) : NULL);
}

static NTSTATUS WriteFile(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 3 * PAGE_SIZE);
    return NtWriteFile(AttackAnyFile(A), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                       AttackBytes(A, Length), AttackLength(A, Length), FileOffset(A),
                       AttackOdd(A) ? AttackPointer(A, 0) : NULL);
}

static NTSTATUS QueryInformationFile(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, FileBasicInformation, FileStandardInformation, FileInternalInformation,
                              FileEaInformation, FileNameInformation, FileAllInformation,
                              FilePositionInformation, FileModeInformation, FileAlignmentInformation,
                              FileNetworkOpenInformation, FileAttributeTagInformation, FileAccessInformation,
                              FilePipeInformation, FilePipeLocalInformation);
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 512 : ATTACK_PICK(A, 200);
    return NtQueryInformationFile(AttackAnyFile(A), AttackIosb(A), AttackRoom(A, Length),
                                  AttackLength(A, Length), Class);
}

/* What is set, of that class; its length. */
typedef union _FILE_SETTING {
    FILE_BASIC_INFORMATION Basic;
    FILE_POSITION_INFORMATION Position;
    FILE_DISPOSITION_INFORMATION Disposition;
    FILE_END_OF_FILE_INFORMATION EndOfFile;
    FILE_ALLOCATION_INFORMATION Allocation;
    FILE_PIPE_INFORMATION Pipe;
    FILE_COMPLETION_INFORMATION Completion;
    FILE_IO_COMPLETION_NOTIFICATION_INFORMATION Notification;
    struct {
        FILE_RENAME_INFORMATION Rename;
        WCHAR Rest[64];
    } Name;
} FILE_SETTING;

static ULONG FileRename(ATTACKER *A, FILE_SETTING *Setting)
{
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, ATTACK_PICK(A, 2) == 0 ? FILE_PREFIX : L"f", Text);
    ULONG Length = (ULONG)(wcslen(Name) * sizeof(WCHAR));
    Setting->Name.Rename.ReplaceIfExists = (BOOLEAN)ATTACK_PICK(A, 2);
    Setting->Name.Rename.RootDirectory = AttackOdd(A)             ? AttackAnyHandle(A)
                                         : ATTACK_PICK(A, 2) == 0 ? AttackHandle(A, AttackFolder)
                                                                  : NULL;
    Setting->Name.Rename.FileNameLength = AttackLength(A, Length);
    RtlCopyMemory(Setting->Name.Rename.FileName, Name, Length);
    return FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) + Length;
}

static ULONG FileFill(ATTACKER *A, ULONG Class, FILE_SETTING *Setting)
{
    switch (Class) {
    case FileBasicInformation:
        Setting->Basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
        return sizeof(Setting->Basic);
    case FileDispositionInformation:
        Setting->Disposition.DeleteFile = ATTACK_PICK(A, 8) == 0;
        return sizeof(Setting->Disposition);
    case FilePipeInformation:
        Setting->Pipe = (FILE_PIPE_INFORMATION){ATTACK_PICK(A, 2), ATTACK_PICK(A, 2)};
        return sizeof(Setting->Pipe);
    case FileCompletionInformation:
        Setting->Completion.Port = AttackHandle(A, AttackPort);
        return sizeof(Setting->Completion);
    case FileIoCompletionNotificationInformation:
        Setting->Notification.Flags = ATTACK_PICK(A, 4);
        return sizeof(Setting->Notification);
    case FileRenameInformation:
    case FileLinkInformation:
        return FileRename(A, Setting);
    default:
        Setting->Position.CurrentByteOffset.QuadPart =
            AttackOdd(A) ? (LONG64)AttackAnything(A) : ATTACK_PICK(A, 0x8000);
        return sizeof(Setting->Position);
    }
}

static NTSTATUS SetInformationFile(ATTACKER *A)
{
    FILE_SETTING Setting = {0};
    ULONG Class = ATTACK_WORD(A, FileBasicInformation, FilePositionInformation, FileDispositionInformation,
                              FileEndOfFileInformation, FileAllocationInformation, FilePipeInformation,
                              FileCompletionInformation, FileIoCompletionNotificationInformation,
                              FileRenameInformation, FileLinkInformation);
    ULONG Length = FileFill(A, Class, &Setting);
    return NtSetInformationFile(AttackAnyFile(A), AttackIosb(A), AttackCopy(A, &Setting, Length),
                                AttackLength(A, Length), Class);
}

/* One of two ranges, so that who unlocks finds a lock. */
static PLARGE_INTEGER FileLockAt(ATTACKER *A)
{
    return AttackPointer(A, ATTACK_PICK(A, 2) * 1000);
}

static NTSTATUS LockFile(ATTACKER *A)
{
    PVOID Offset = FileLockAt(A);
    return NtLockFile(AttackHandle(A, AttackFile), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A), Offset,
                      AttackPointer(A, 1000), ATTACK_PICK(A, 8) == 0, ATTACK_PICK(A, 4) != 0,
                      (BOOLEAN)ATTACK_PICK(A, 2));
}

static NTSTATUS UnlockFile(ATTACKER *A)
{
    PVOID Offset = FileLockAt(A);
    return NtUnlockFile(AttackHandle(A, AttackFile), AttackIosb(A), Offset, AttackPointer(A, 1000),
                        ATTACK_PICK(A, 8) == 0);
}

const ATTACK_SERVICE AttackFileServices[] = {
    {"NtCreateFile", CreateFile, NULL},
    {"NtOpenFile", OpenFile, NULL},
    {"NtDeleteFile", DeleteFile, NULL},
    {"NtReadFile", ReadFile, NULL},
    {"NtWriteFile", WriteFile, NULL},
    {"NtQueryInformationFile", QueryInformationFile, NULL},
    {"NtSetInformationFile", SetInformationFile, NULL},
    {"NtLockFile", LockFile, NULL},
    {"NtUnlockFile", UnlockFile, NULL},
};
const ULONG AttackFileServiceCount = RTL_NUMBER_OF(AttackFileServices);
