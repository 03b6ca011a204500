/* SPDX-License-Identifier: MIT
 * Attacks: the devices of the samples, which must be loaded (`--service NAME/start=system`). Handles are closed by racers, and when another one
 * takes their place. */
#include "attack.h"
#include "io.h"

static const PCWSTR SampleNames[] = {L"\\Device\\NtboxIoctl", L"\\Device\\NtboxQueue",
                                     L"\\Device\\NtboxTimer", L"\\Device\\NtboxClient", L"\\??\\NtboxIoctl"};

/* Everybody may do everything with it, so that all requests come to the driver. */
static VOID SampleOpenToAll(PCWSTR Path)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        ZwOpenFile(&File, WRITE_DAC | WRITE_OWNER, &Attributes, &Iosb, FILE_SHARE_VALID_FLAGS, 0);
    if (NT_SUCCESS(Status)) {
        Status = ZwSetSecurityObject(File, DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION,
                                     AttackDescriptor);
        ZwClose(File);
    }
    if (!NT_SUCCESS(Status))
        StressFail("%ls cannot be attacked: 0x%08X", Path, (unsigned)Status);
}

VOID AttackOpenSamples(VOID)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(SampleNames); I++)
        SampleOpenToAll(SampleNames[I]);
}

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
    ULONG Method = ATTACK_PICK(A, 4), Function = ATTACK_PICK(A, 4) == 0 ? ATTACK_PICK(A, 6) : Method;
    ULONG Code = CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + Function, Method, FILE_ANY_ACCESS);
    ULONG Input = ATTACK_PICK(A, 2) == 0 ? 4 : ATTACK_PICK(A, 2 * PAGE_SIZE), Output = Input + 8;
    PVOID Buffer = AttackBytes(A, Input);
    if (ATTACK_PICK(A, 2) == 0)
        Buffer = AttackPointer(A, 1 + ATTACK_PICK(A, 3));
    return NtDeviceIoControlFile(AttackHandle(A, AttackDevice), AttackMaybeEvent(A), NULL, NULL,
                                 AttackIosb(A), AttackOdd(A) ? (ULONG)AttackAnything(A) : Code, Buffer,
                                 AttackLength(A, Input), AttackRoom(A, Output), AttackLength(A, Output));
}

/* What the samples have no routine for, or are not asked. */
static NTSTATUS QuerySample(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, FileStandardInformation, FileModeInformation, FileAccessInformation,
                              FileAlignmentInformation);
    return NtQueryInformationFile(AttackHandle(A, AttackDevice), AttackIosb(A), AttackRoom(A, 128),
                                  AttackLength(A, 128), Class);
}

const ATTACK_SERVICE AttackSampleServices[] = {
    {"NtOpenFile (sample)", OpenSample, NULL},
    {"NtReadFile (sample)", ReadSample, NULL},
    {"NtWriteFile (sample)", WriteSample, NULL},
    {"NtDeviceIoControlFile (sample)", ControlSample, NULL},
    {"NtQueryInformationFile (sample)", QuerySample, NULL},
};
const ULONG AttackSampleServiceCount = RTL_NUMBER_OF(AttackSampleServices);
