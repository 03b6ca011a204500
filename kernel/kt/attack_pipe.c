/* SPDX-License-Identifier: MIT
 * Attacks: named pipes, both ends. Reads and writes of the ends are those of attack_file.c, with whatever file comes. */
#include "attack.h"
#include "io.h"

#define PIPE_PREFIX L"\\Device\\NamedPipe\\attack"

/* The parameters lie in the kernel: NtCreateNamedPipeFile has captured its arguments when it calls this. */
static NTSTATUS CreatePipe(ATTACKER *A)
{
    WCHAR Text[64];
    NAMED_PIPE_CREATE_PARAMETERS Parameters = {
        .NamedPipeType = ATTACK_WORD(A, FILE_PIPE_MESSAGE_TYPE, FILE_PIPE_MESSAGE_TYPE, 0),
        .ReadMode =
            ATTACK_WORD(A, FILE_PIPE_BYTE_STREAM_MODE, FILE_PIPE_BYTE_STREAM_MODE, FILE_PIPE_MESSAGE_MODE),
        .CompletionMode = ATTACK_WORD(A, FILE_PIPE_QUEUE_OPERATION, FILE_PIPE_COMPLETE_OPERATION),
        .MaximumInstances = ATTACK_WORD(A, MAXULONG, 4, 1),
        .InboundQuota = AttackLength(A, 4096),
        .OutboundQuota = AttackLength(A, 4096),
        .DefaultTimeout.QuadPart = -STRESS_MILLISECOND,
        .TimeoutSpecified = TRUE};
    return IoCreateFile(AttackMake(A, AttackServer), AttackAccess(A) | SYNCHRONIZE,
                        AttackAttributes(A, AttackNumbered(A, PIPE_PREFIX, Text)), AttackIosb(A), NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, ATTACK_WORD(A, FILE_OPEN_IF, FILE_CREATE), 0,
                        NULL, 0, CreateFileTypeNamedPipe, &Parameters, 0);
}

static NTSTATUS OpenPipe(ATTACKER *A)
{
    WCHAR Text[64];
    return NtOpenFile(AttackMake(A, AttackClient), GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE,
                      AttackAttributes(A, AttackNumbered(A, PIPE_PREFIX, Text)), AttackIosb(A),
                      FILE_SHARE_READ | FILE_SHARE_WRITE, 0);
}

/* For the pipe's file system itself. */
static NTSTATUS WaitForPipe(ATTACKER *A)
{
    struct {
        FILE_PIPE_WAIT_FOR_BUFFER Wait;
        WCHAR Rest[16];
    } Buffer = {.Wait = {.Timeout.QuadPart = -STRESS_MILLISECOND, .TimeoutSpecified = TRUE}};
    WCHAR Text[64];
    PCWSTR Name = AttackNumbered(A, L"attack", Text);
    ULONG Length = (ULONG)(wcslen(Name) * sizeof(WCHAR));
    Buffer.Wait.NameLength = AttackLength(A, Length);
    RtlCopyMemory(Buffer.Wait.Name, Name, Length);
    Length += FIELD_OFFSET(FILE_PIPE_WAIT_FOR_BUFFER, Name);
    return NtFsControlFile(AttackHandle(A, AttackDevice), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                           FSCTL_PIPE_WAIT, AttackCopy(A, &Buffer, Length), AttackLength(A, Length), NULL, 0);
}

static NTSTATUS OpenPipes(ATTACKER *A)
{
    return NtOpenFile(AttackMake(A, AttackDevice), GENERIC_READ | SYNCHRONIZE,
                      AttackAttributes(A, L"\\Device\\NamedPipe\\"), AttackIosb(A), FILE_SHARE_VALID_FLAGS,
                      0);
}

static NTSTATUS Listen(ATTACKER *A)
{
    return NtFsControlFile(AttackHandle(A, AttackServer), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                           ATTACK_WORD(A, FSCTL_PIPE_LISTEN, FSCTL_PIPE_LISTEN, FSCTL_PIPE_DISCONNECT), NULL,
                           0, NULL, 0);
}

static NTSTATUS Impersonate(ATTACKER *A)
{
    return NtFsControlFile(AttackHandle(A, AttackServer), NULL, NULL, NULL, AttackIosb(A),
                           FSCTL_PIPE_IMPERSONATE, NULL, 0, NULL, 0);
}

static NTSTATUS Peek(ATTACKER *A)
{
    ULONG Length = FIELD_OFFSET(FILE_PIPE_PEEK_BUFFER, Data) + ATTACK_PICK(A, 256);
    HANDLE End = AttackHandle(A, ATTACK_PICK(A, 2) == 0 ? AttackServer : AttackClient);
    return NtFsControlFile(End, AttackMaybeEvent(A), NULL, NULL, AttackIosb(A), FSCTL_PIPE_PEEK, NULL, 0,
                           AttackRoom(A, Length), AttackLength(A, Length));
}

static NTSTATUS Transceive(ATTACKER *A)
{
    HANDLE End = AttackHandle(A, ATTACK_PICK(A, 2) == 0 ? AttackServer : AttackClient);
    return NtFsControlFile(End, AttackMaybeEvent(A), NULL, NULL, AttackIosb(A), FSCTL_PIPE_TRANSCEIVE,
                           AttackBytes(A, 64), AttackLength(A, 64), AttackRoom(A, 64), AttackLength(A, 64));
}

static NTSTATUS FsControlFile(ATTACKER *A)
{
    return NtFsControlFile(AttackAnyFile(A), AttackMaybeEvent(A), NULL, NULL, AttackIosb(A),
                           ATTACK_WORD(A, FSCTL_IS_VOLUME_MOUNTED, FSCTL_IS_VOLUME_MOUNTED,
                                       FSCTL_GET_REPARSE_POINT, FSCTL_LOCK_VOLUME, FSCTL_DISMOUNT_VOLUME,
                                       FSCTL_PIPE_ASSIGN_EVENT),
                           AttackBytes(A, 64), AttackLength(A, 64), AttackRoom(A, 64), AttackLength(A, 64));
}

const ATTACK_SERVICE AttackPipeServices[] = {
    {"NtCreateNamedPipeFile", CreatePipe, NULL},
    {"NtOpenFile (pipe)", OpenPipe, NULL},
    {"NtOpenFile (all pipes)", OpenPipes, NULL},
    {"FSCTL_PIPE_WAIT", WaitForPipe, NULL},
    {"FSCTL_PIPE_LISTEN", Listen, NULL},
    {"FSCTL_PIPE_IMPERSONATE", Impersonate, NULL},
    {"FSCTL_PIPE_PEEK", Peek, NULL},
    {"FSCTL_PIPE_TRANSCEIVE", Transceive, NULL},
    {"NtFsControlFile", FsControlFile, NULL},
};
const ULONG AttackPipeServiceCount = RTL_NUMBER_OF(AttackPipeServices);
