/* SPDX-License-Identifier: MIT
 * Attacks: processes, threads and what the system tells. */
#include "attack.h"
#include "ps.h"

static PVOID ThreadClient(ATTACKER *A, BOOLEAN Thread)
{
    CLIENT_ID Id = {0};
    if (Thread)
        Id.UniqueThread =
            ATTACK_PICK(A, 4) == 0 ? (HANDLE)(ULONG_PTR)(ATTACK_PICK(A, 256) * 4) : PsGetCurrentThreadId();
    else
        Id.UniqueProcess =
            PsGetProcessId(ATTACK_PICK(A, 8) == 0 ? PsInitialSystemProcess
                                                  : AttackProcesses[ATTACK_PICK(A, ATTACK_PROCESSES)]);
    return AttackCopy(A, &Id, sizeof(Id));
}

static NTSTATUS OpenProcess(ATTACKER *A)
{
    return NtOpenProcess(AttackMake(A, AttackProcess), AttackAccess(A), AttackAttributes(A, NULL),
                         ThreadClient(A, FALSE));
}

static NTSTATUS OpenThread(ATTACKER *A)
{
    return NtOpenThread(AttackMake(A, AttackThread), AttackAccess(A), AttackAttributes(A, NULL),
                        ThreadClient(A, TRUE));
}

static HANDLE ThreadHandle(ATTACKER *A)
{
    return ATTACK_PICK(A, 2) == 0 ? ZwCurrentThread() : AttackHandle(A, AttackThread);
}

static const ULONG ThreadSizes[] = {4, 8, 16, 24, 32, 48, 512};

static NTSTATUS QueryInformationProcess(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, ProcessBasicInformation, ProcessTimes, ProcessDebugPort,
                              ProcessPriorityClass, ProcessHandleCount, ProcessSessionInformation,
                              ProcessWow64Information, ProcessImageFileName, ProcessProtectionInformation);
    ULONG Length = ThreadSizes[ATTACK_PICK(A, RTL_NUMBER_OF(ThreadSizes))];
    return NtQueryInformationProcess(AttackWhose(A), Class, AttackRoom(A, Length), AttackLength(A, Length),
                                     ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 4) : NULL);
}

static NTSTATUS QueryInformationThread(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, ThreadBasicInformation, ThreadTimes, ThreadQuerySetWin32StartAddress,
                              ThreadAmILastThread, ThreadIsIoPending, ThreadIsTerminated, ThreadPagePriority,
                              ThreadNameInformation);
    ULONG Length = ThreadSizes[ATTACK_PICK(A, RTL_NUMBER_OF(ThreadSizes))];
    return NtQueryInformationThread(ThreadHandle(A), Class, AttackRoom(A, Length), AttackLength(A, Length),
                                    ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 4) : NULL);
}

static NTSTATUS SetInformationProcess(ATTACKER *A)
{
    PROCESS_PRIORITY_CLASS Value = {.PriorityClass = (UCHAR)ATTACK_WORD(A, PROCESS_PRIORITY_CLASS_IDLE,
                                                                        PROCESS_PRIORITY_CLASS_NORMAL, 4)};
    return NtSetInformationProcess(AttackWhose(A), AttackOdd(A) ? ATTACK_PICK(A, 64) : ProcessPriorityClass,
                                   AttackCopy(A, &Value, sizeof(Value)), AttackLength(A, sizeof(Value)));
}

static NTSTATUS ThreadName(ATTACKER *A)
{
    return NtSetInformationThread(ThreadHandle(A), ThreadNameInformation, AttackString(A, L"an attacker"),
                                  AttackLength(A, sizeof(UNICODE_STRING)));
}

static NTSTATUS SetInformationThread(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, ThreadPriority, ThreadBasePriority, ThreadAffinityMask,
                              ThreadImpersonationToken, ThreadImpersonationToken, ThreadPagePriority);
    ULONG64 Value = 0;
    if (Class == ThreadImpersonationToken)
        Value = (ULONG64)(ATTACK_PICK(A, 4) == 0 ? NULL : AttackHandle(A, AttackToken));
    else if (Class != ThreadBasePriority)
        Value = 1 + ATTACK_PICK(A, Class == ThreadPriority ? 15 : 3);
    ULONG Length = Class == ThreadImpersonationToken || Class == ThreadAffinityMask ? 8 : 4;
    return NtSetInformationThread(ThreadHandle(A), Class, AttackCopy(A, &Value, Length),
                                  AttackLength(A, Length));
}

static NTSTATUS QuerySystemInformation(ATTACKER *A)
{
    ULONG Class = ATTACK_WORD(A, SystemBasicInformation, SystemTimeOfDayInformation, SystemProcessInformation,
                              SystemProcessorPerformanceInformation, SystemModuleInformation,
                              SystemHandleInformation, SystemKernelDebuggerInformation,
                              SystemExtendedHandleInformation, SystemCodeIntegrityInformation);
    ULONG Length = Class == SystemBasicInformation ? 64 : ATTACK_PICK(A, 4 * PAGE_SIZE);
    return NtQuerySystemInformation(Class, AttackRoom(A, Length), AttackLength(A, Length),
                                    ATTACK_PICK(A, 2) == 0 ? AttackRoom(A, 4) : NULL);
}

const ATTACK_SERVICE AttackProcessServices[] = {
    {"NtOpenProcess", OpenProcess, NULL},
    {"NtOpenThread", OpenThread, NULL},
    {"NtQueryInformationProcess", QueryInformationProcess, NULL},
    {"NtQueryInformationThread", QueryInformationThread, NULL},
    {"NtSetInformationProcess", SetInformationProcess, NULL},
    {"NtSetInformationThread (name)", ThreadName, NULL},
    {"NtSetInformationThread", SetInformationThread, NULL},
    {"NtQuerySystemInformation", QuerySystemInformation, NULL},
};
const ULONG AttackProcessServiceCount = RTL_NUMBER_OF(AttackProcessServices);
