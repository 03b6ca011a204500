/* SPDX-License-Identifier: MIT
 * Attacks: folders and volumes. */
#include "attack.h"
#include "io.h"

static NTSTATUS OpenFolder(ATTACKER *A)
{
    static const PCWSTR Names[] = {L"\\SystemRoot\\Temp", L"\\SystemRoot\\Temp\\attack",
                                   L"\\SystemRoot\\System32"};
    WCHAR Text[64];
    PCWSTR Name = ATTACK_PICK(A, 4) == 0 ? AttackNumbered(A, L"\\SystemRoot\\Temp\\attack\\d", Text)
                                         : Names[ATTACK_PICK(A, RTL_NUMBER_OF(Names))];
    return NtCreateFile(AttackMake(A, AttackFolder), AttackAccess(A) | SYNCHRONIZE, AttackAttributes(A, Name),
                        AttackIosb(A), NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_VALID_FLAGS,
                        ATTACK_WORD(A, FILE_OPEN_IF, FILE_OPEN, FILE_CREATE),
                        FILE_DIRECTORY_FILE | (ATTACK_PICK(A, 8) == 0 ? FILE_DELETE_ON_CLOSE : 0), NULL, 0);
}

static NTSTATUS QueryDirectoryFile(ATTACKER *A)
{
    ULONG Class =
        ATTACK_WORD(A, FileDirectoryInformation, FileFullDirectoryInformation, FileBothDirectoryInformation,
                    FileNamesInformation, FileIdBothDirectoryInformation, FileIdFullDirectoryInformation);
    ULONG Length = 64 + ATTACK_PICK(A, 2 * PAGE_SIZE);
    PUNICODE_STRING Pattern =
        ATTACK_PICK(A, 4) == 0 ? AttackString(A, ATTACK_PICK(A, 2) == 0 ? L"f*" : L"*.*") : NULL;
    return NtQueryDirectoryFile(AttackHandle(A, AttackFolder), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                                AttackRoom(A, Length), AttackLength(A, Length), Class,
                                (BOOLEAN)ATTACK_PICK(A, 2), Pattern, ATTACK_PICK(A, 4) != 0);
}

static NTSTATUS NotifyChangeDirectoryFile(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, PAGE_SIZE);
    return NtNotifyChangeDirectoryFile(
        AttackHandle(A, AttackFolder), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A), AttackRoom(A, Length),
        AttackLength(A, Length), ATTACK_WORD(A, FILE_NOTIFY_VALID_MASK, FILE_NOTIFY_CHANGE_FILE_NAME, 1),
        (BOOLEAN)ATTACK_PICK(A, 2));
}

static NTSTATUS QueryVolumeInformationFile(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, FileFsVolumeInformation, FileFsSizeInformation, FileFsDeviceInformation,
                              FileFsAttributeInformation, FileFsFullSizeInformation, FileFsControlInformation,
                              FileFsObjectIdInformation);
    return NtQueryVolumeInformationFile(AttackAnyFile(A), AttackIosb(A), AttackRoom(A, 256),
                                        AttackLength(A, 256), Class);
}

static NTSTATUS SetVolumeInformationFile(ATTACKER *A)
{
    struct {
        ULONG Length;
        WCHAR Label[14];
    } Label = {AttackLength(A, 12), L"attack"};
    return NtSetVolumeInformationFile(AttackAnyFile(A), AttackIosb(A), AttackCopy(A, &Label, sizeof(Label)),
                                      AttackLength(A, sizeof(Label)),
                                      ATTACK_WORD(A, FileFsLabelInformation, FileFsLabelInformation,
                                                  FileFsControlInformation, FileFsObjectIdInformation));
}

const ATTACK_SERVICE AttackDirectoryServices[] = {
    {"NtCreateFile (folder)", OpenFolder, NULL},
    {"NtQueryDirectoryFile", QueryDirectoryFile, NULL},
    {"NtNotifyChangeDirectoryFile", NotifyChangeDirectoryFile, NULL},
    {"NtQueryVolumeInformationFile", QueryVolumeInformationFile, NULL},
    {"NtSetVolumeInformationFile", SetVolumeInformationFile, NULL},
};
const ULONG AttackDirectoryServiceCount = RTL_NUMBER_OF(AttackDirectoryServices);
