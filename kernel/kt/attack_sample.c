/* SPDX-License-Identifier: MIT
 * Attacks: the devices of the samples, as far as they are loaded (`--service NAME/start=system`). */
#include "attack.h"
#include "io.h"

static const PCWSTR SampleNames[] = {L"\\Device\\NtboxIoctl", L"\\Device\\NtboxQueue",
                                     L"\\Device\\NtboxTimer", L"\\Device\\NtboxClient", L"\\??\\NtboxIoctl"};

static PCWSTR SampleName(ATTACKER *A)
{
    return SampleNames[ATTACK_PICK(A, RTL_NUMBER_OF(SampleNames))];
}

static NTSTATUS OpenSample(ATTACKER *A)
{
    return NtOpenFile(AttackMake(A, AttackDevice), AttackAccess(A) | SYNCHRONIZE,
                      AttackAttributes(A, SampleName(A)), AttackIosb(A), FILE_SHARE_VALID_FLAGS,
                      ATTACK_WORD(A, 0, 0, FILE_NON_DIRECTORY_FILE, FILE_DIRECTORY_FILE) &
                          ~(ULONG)(FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT));
}

static NTSTATUS ReadSample(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 2) == 0 ? 8 : ATTACK_PICK(A, 64);
    return NtReadFile(AttackHandle(A, AttackDevice), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                      AttackRoom(A, Length), AttackLength(A, Length), AttackPointer(A, ATTACK_PICK(A, 8)),
                      NULL);
}

static NTSTATUS WriteSample(ATTACKER *A)
{
    ULONG Length = ATTACK_PICK(A, 64);
    return NtWriteFile(AttackHandle(A, AttackDevice), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                       AttackBytes(A, Length), AttackLength(A, Length), AttackPointer(A, 0), NULL);
}

/* The four ways to transfer buffers, neighbours of the codes that there are, and anything. The number at the beginning is small: a sample
 * waits for so many ticks. */
static NTSTATUS ControlSample(ATTACKER *A)
{
    ULONG Code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + ATTACK_PICK(A, 6), ATTACK_PICK(A, 4), FILE_ANY_ACCESS);
    ULONG Input = ATTACK_PICK(A, 2) == 0 ? 4 : ATTACK_PICK(A, 2 * PAGE_SIZE), Output = Input + 8;
    PVOID Buffer = AttackBytes(A, Input);
    if (ATTACK_PICK(A, 2) == 0)
        Buffer = AttackPointer(A, 1 + ATTACK_PICK(A, 3));
    return NtDeviceIoControlFile(AttackHandle(A, AttackDevice), AttackMaybeEvent(A), NULL, NULL,
                                 AttackIosb(A), AttackOdd(A) ? (ULONG)AttackAnything(A) : Code, Buffer,
                                 AttackLength(A, Input), AttackRoom(A, Output), AttackLength(A, Output));
}

/* What the samples have no routine for. */
static NTSTATUS QuerySample(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, FilePositionInformation, FileStandardInformation, FileNameInformation);
    return NtQueryInformationFile(AttackHandle(A, AttackDevice), AttackIosb(A), AttackRoom(A, 128),
                                  AttackLength(A, 128), Class);
}

static NTSTATUS CloseSample(ATTACKER *A)
{
    return NtClose(AttackHandle(A, AttackDevice));
}

const ATTACK_SERVICE AttackSampleServices[] = {
    {"NtOpenFile (sample)", OpenSample, NULL},
    {"NtReadFile (sample)", ReadSample, NULL},
    {"NtWriteFile (sample)", WriteSample, NULL},
    {"NtDeviceIoControlFile (sample)", ControlSample, NULL},
    {"NtQueryInformationFile (sample)", QuerySample, NULL},
    {"NtClose (sample)", CloseSample, NULL},
};
const ULONG AttackSampleServiceCount = RTL_NUMBER_OF(AttackSampleServices);
