/* SPDX-License-Identifier: MIT
 * Tier 3, ps only.
 *
 * Locks. PspListLock (l), LockRankPs: the lists of processes and threads, the table of ids, who is in which process and how far its end
 * has come. Object references are taken under it (ObReferenceObjectSafe), never dropped. The spin lock Impersonation: the client of a
 * thread. PspNameLock, a push lock: names of threads. PspTimerLock, LockRankPs: which timers belong to which thread. None is held over a notify routine. */
#pragma once
#include "ps.h"
#include "ntbox/ps.h"
#include "ntbox/system_information.h"

/* [WDK Access Tokens] of processes and threads: System's default DACL, as all of them are made by the kernel. */
#define PSP_DEFAULT_SDDL L"O:BAG:SYD:(A;;GA;;;SY)(A;;GRGX;;;BA)"

/* [WDK OB_PRE_CREATE_HANDLE_INFORMATION] what callbacks may take away: to create processes and threads, to duplicate handles, to set quotas and
 * information, to suspend, to terminate, to change memory; of threads to terminate, to suspend, to set the context, information, limited
 * information and the token, to impersonate. */
#define PSP_PROCESS_REMOVABLE                                                                                \
    (PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD | PROCESS_DUP_HANDLE | 0x0100 |                          \
     PROCESS_SET_INFORMATION | 0x0800 | PROCESS_TERMINATE | PROCESS_VM_OPERATION | PROCESS_VM_WRITE)
#define PSP_THREAD_REMOVABLE                                                                                 \
    (0x0001 | 0x0002 | 0x0010 | THREAD_SET_INFORMATION | THREAD_SET_LIMITED_INFORMATION |                    \
     THREAD_SET_THREAD_TOKEN | 0x0100 | 0x0200)

#define PSP_BASE_PRIORITY 8         /* of every process */
#define PSP_TICK 10000              /* a millisecond of KTHREAD.KernelTicks in 100 ns */
#define PSP_PAGE_PRIORITY_NORMAL 5u /* [Win32 MEMORY_PRIORITY_NORMAL] the highest */
#define PSP_TAG_NAME 'mNsP'
#define PSP_TAG_QUERY 'uQsP'

/* id_table.c: processes and threads by number. */
extern ARCH_LOCK PspListLock;
extern LIST_ENTRY PspProcesses; /* (l) EPROCESS.ListEntry */
VOID PspEnterProcess(PEPROCESS Process);
VOID PspForgetProcess(PEPROCESS Process); /* it is being deleted */
VOID PspGiveThreadId(PETHREAD Thread);
VOID PspForgetThread(PETHREAD Thread); /* it is being deleted */

VOID PspCreateSystemProcess(VOID);
VOID PspInitializeThreads(VOID);

/* impersonation.c. PASSIVE_LEVEL: a thread that ends, or is gone, impersonates nobody. */
VOID PspStopImpersonating(PETHREAD Thread);
/* Mode: whose handle Token is. NULL: stop. */
NTSTATUS PspAssignToken(PETHREAD Thread, HANDLE Token, KPROCESSOR_MODE Mode);

/* thread_list.c: every thread from its creation until its stack is freed. */
VOID PspEnterThread(PETHREAD Thread);
VOID PspLeaveThread(PETHREAD Thread);

/* exit.c. PASSIVE_LEVEL. */
NTSTATUS
PspJoinProcess(PETHREAD Thread); /* STATUS_PROCESS_IS_TERMINATING; *its* process, which it references */
/* A thread that never ran is taken out of its process again. One that was announced ends with its only thread, as that one's ExitStatus says. */
VOID PspQuitProcess(PETHREAD Thread);
VOID PspForbidProcess(PEPROCESS Process, NTSTATUS Status); /* it ends with the thread that quits next */
DECLSPEC_NORETURN VOID PspExitThread(NTSTATUS ExitStatus); /* the current one */
/* The process object goes: one that nobody was told of is ended now. */
VOID PspEndUnusedProcess(PEPROCESS Process);

/* timer.c. PASSIVE_LEVEL. */
VOID PspInitializeTimers(VOID);
VOID PspStopTimersOf(
    PETHREAD Thread); /* it ends: the ones that would queue an APC to it do not expire any more */

/* notify.c. PASSIVE_LEVEL, no lock. */
VOID PspInitializeNotifies(VOID);
/* The first thread of a process is there: its creation is told, once. What routines made of CreationStatus. */
NTSTATUS PspAnnounceProcess(PETHREAD FirstThread);
VOID PspNotifyProcessEnd(PEPROCESS Process);
VOID PspNotifyThreadCreation(PETHREAD Thread); /* by its creator */
VOID PspNotifyOwnCreation(PETHREAD Thread);    /* by itself, before its routine */
VOID PspNotifyThreadEnd(PETHREAD Thread);      /* by itself */

/* answer.c: the end of a query. */
typedef struct _PSP_ANSWER {
    PVOID Buffer; /* the caller's, as the next two */
    ULONG Length;
    PULONG ReturnLength; /* or NULL */
    KPROCESSOR_MODE Mode;
} PSP_ANSWER;
NTSTATUS PspAnswerExactly(const PSP_ANSWER *Answer, const VOID *Data, ULONG Size);
/* The buffer may be longer. */
NTSTATUS PspAnswer(const PSP_ANSWER *Answer, const VOID *Data, ULONG Size);
/* A UNICODE_STRING whose text lies behind it. */
NTSTATUS PspAnswerString(const PSP_ANSWER *Answer, PCUNICODE_STRING Text);

/* A class of questions about a process or a thread, and its function. */
typedef struct _PSP_QUERY {
    ULONG Class;
    ACCESS_MASK Access; /* that the handle needs */
    NTSTATUS (*Query)(PVOID Object, const PSP_ANSWER *Answer);
} PSP_QUERY;
/* PASSIVE_LEVEL. Answers with the function of Class; STATUS_INVALID_INFO_CLASS when the table has none. */
NTSTATUS PspQueryByTable(const PSP_QUERY *Table, ULONG Count, POBJECT_TYPE Type, HANDLE Handle, ULONG Class,
                         const PSP_ANSWER *Answer);

/* system_processes.c, system_handles.c: PASSIVE_LEVEL. */
NTSTATUS PspQueryProcesses(const PSP_ANSWER *Answer);
NTSTATUS PspQueryHandles(const PSP_ANSWER *Answer, BOOLEAN Extended);
