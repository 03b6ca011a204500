/* SPDX-License-Identifier: MIT
 * Tier 3, kt only: the attack on the services for user mode. Two processes, one with an ordinary user's token and one with a restricted one;
 * an attacker is a thread of one of them. Each service has a function that calls it once: mostly with what is right (objects of the type that
 * it wants, names that are there, lengths that fit), in every other call with some of it wrong. Meanwhile racers change, protect and free
 * the memory that the others pass, and close handles. PASSIVE_LEVEL. */
#pragma once
#include "stress.h"
#include "mm_user.h"

#define ATTACK_PROCESSES 2u
#define ATTACK_ARENA_PAGES 6u
#define ATTACK_ARENAS 0x10000000ull /* one for each worker, in the processes of both */
#define ATTACK_TIMES 0x08000000ull  /* time-outs: nobody changes them, what is waited for ends */
#define ATTACK_TIME_COUNT 8u
#define ATTACK_SLOTS 8u

/* What a handle is of, as far as its maker knows. */
typedef enum _ATTACK_TYPE {
    AttackFile,
    AttackFolder,
    AttackServer, /* of a pipe */
    AttackClient,
    AttackSection,
    AttackEvent,
    AttackKey,
    AttackPort,
    AttackToken,
    AttackThread,
    AttackProcess,
    AttackSemaphore,
    AttackMutant,
    AttackTimer,
    AttackDevice, /* the file system of pipes; a sample's device */
    AttackTypes
} ATTACK_TYPE;

/* One call. (o) its own thread */
typedef struct _ATTACKER {
    STRESS_WORKER *Worker;
    ULONG Process;    /* 0 or 1 */
    BOOLEAN Hostile;  /* (o) something of this call may be wrong */
    ULONG64 Used;     /* (o) bytes of its arena */
    PHANDLE Out;      /* (o) where this call's handle goes */
    ATTACK_TYPE Made; /* (o) ... and of what type it is */
} ATTACKER;

typedef NTSTATUS ATTACK_ROUTINE(ATTACKER *A);

typedef struct _ATTACK_SERVICE {
    PCSTR Name;
    ATTACK_ROUTINE *Routine;
    PCSTR WhyNever; /* it cannot succeed here; NULL: it must */
} ATTACK_SERVICE;

extern const ATTACK_SERVICE AttackFileServices[], AttackDirectoryServices[], AttackPipeServices[],
    AttackMemoryServices[], AttackHandleServices[], AttackPortServices[], AttackProcessServices[],
    AttackTokenServices[], AttackKeyServices[], AttackSampleServices[], AttackSignalServices[];
extern const ULONG AttackFileServiceCount, AttackDirectoryServiceCount, AttackPipeServiceCount,
    AttackMemoryServiceCount, AttackHandleServiceCount, AttackPortServiceCount, AttackProcessServiceCount,
    AttackTokenServiceCount, AttackKeyServiceCount, AttackSampleServiceCount, AttackSignalServiceCount;

/* --- attack_process.c: who attacks --- */

extern PEPROCESS AttackProcesses[ATTACK_PROCESSES];

/* What is made for both and given back. The descriptor grants everything to everybody. */
VOID AttackMakeProcesses(VOID);
VOID AttackEndProcesses(VOID);
VOID AttackFreeDescriptor(VOID);
extern PSECURITY_DESCRIPTOR AttackDescriptor;
/* A thread of that process, referenced; NULL: the attackers have taken all memory. */
VOID AttackImpersonate(VOID);
PVOID AttackStart(ULONG Process, PKSTART_ROUTINE Routine, PVOID Context);

/* --- attack_value.c: arguments --- */

/* Shall this argument be wrong? */
BOOLEAN AttackOdd(ATTACKER *A);
ULONG64 AttackAnything(ATTACKER *A);
ULONG64 AttackHostileAddress(ATTACKER *A);
/* One of the words, each as likely; when odd, any bits. */
ULONG AttackWord(ATTACKER *A, const ULONG *Words, ULONG Count);
#define ATTACK_WORD(A, ...)                                                                                  \
    AttackWord(A, (const ULONG[]){__VA_ARGS__}, sizeof((const ULONG[]){__VA_ARGS__}) / sizeof(ULONG))
#define ATTACK_PICK(A, Count) StressRandom((A)->Worker, Count)

/* Room of that length in the attacker's arena, sometimes up to the end of a page or in a view of a section. */
PVOID AttackRoom(ATTACKER *A, ULONG Length);
/* A copy of what the service reads, one word of which may be changed. */
PVOID AttackCopy(ATTACKER *A, const VOID *Data, ULONG Length);
PVOID AttackBytes(ATTACKER *A, ULONG Length); /* of no meaning */
ULONG AttackLength(ATTACKER *A, ULONG Right);
PVOID AttackPointer(ATTACKER *A, ULONG64 Value); /* to a word with that value: bases, sizes, offsets */
PLARGE_INTEGER AttackTimeout(ATTACKER *A);       /* of a few milliseconds */
PIO_STATUS_BLOCK AttackIosb(ATTACKER *A);
PUNICODE_STRING AttackString(ATTACKER *A, PCWSTR Text);
POBJECT_ATTRIBUTES AttackAttributes(ATTACKER *A, PCWSTR Text); /* NULL: without a name */
/* "Prefix7": one of eight names. Text has room for 64 letters. */
PCWSTR AttackNumbered(ATTACKER *A, PCWSTR Prefix, PWSTR Text);
ACCESS_MASK AttackAccess(ATTACKER *A);
ULONG64 AttackArena(ULONG Worker);
VOID AttackRestoreArena(ULONG Worker);

/* --- attack_object.c: what the processes have --- */

/* A handle of that type; now and then, and when odd, of another one, of the kernel, of nothing. */
HANDLE AttackHandle(ATTACKER *A, ATTACK_TYPE Type);
HANDLE AttackAnyHandle(ATTACKER *A);
HANDLE AttackTakeAnyHandle(ATTACKER *A); /* to be closed */
HANDLE AttackAnyFile(ATTACKER *A);
HANDLE AttackMaybeEvent(ATTACKER *A); /* mostly none */
HANDLE AttackWhose(ATTACKER *A);      /* a process, mostly the own one */
/* Where the handle goes that this call makes. */
PHANDLE AttackMake(ATTACKER *A, ATTACK_TYPE Type);
VOID AttackTakeMade(ATTACKER *A); /* after success */
VOID AttackForgetHandles(VOID);
/* Memory of the process: views, or what it has allocated. What was in that place before is given back. */
VOID AttackKeepRange(ATTACKER *A, BOOLEAN View, PVOID *Base);
ULONG64 AttackRange(ATTACKER *A, BOOLEAN View); /* 0: none yet */

/* --- attack_race.c --- */

/* A few rounds against the others of its process. */
VOID AttackRace(ATTACKER *A);

/* --- attack_names.c --- */

/* The folder and the key that the names of all files and keys begin with. They can be deleted when nobody has one open. */
VOID AttackMakeNames(VOID);
VOID AttackDeleteNames(VOID);

/* --- attack_sample.c --- */

VOID AttackOpenSamples(VOID); /* fails when one is not loaded */

/* --- attack_leak.c --- */

VOID AttackCountBefore(VOID);
VOID AttackCountAfter(VOID); /* all that the processes had must be gone */
