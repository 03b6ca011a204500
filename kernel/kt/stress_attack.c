/* SPDX-License-Identifier: MIT
 * Stress: threads of two processes call the services for user mode with whatever comes: addresses of the kernel, of nobody, of pages that other
 * threads change, free and protect meanwhile, wrong handles, huge lengths, other types of objects. Previous mode UserMode, an ordinary
 * user's token. Any status is right; a bug check, a hang, an exception, a lost IRQL or region is not. `stress-only=attack`. */
#include "stress.h"
#include "io.h"
#include "mm_user.h"
#include "ob.h"
#include "ps.h"
#include "se.h"
#include "vm.h"

#define ATTACK_BASE 0x10000000ull
#define ATTACK_PAGES 16u /* changed by everybody */
#define ATTACK_HANDLES 64u
#define ATTACK_ARGUMENTS 11u

typedef NTSTATUS(NTAPI *ATTACK_CALL)(ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64,
                                     ULONG64, ULONG64, ULONG64);

/* What each argument is: h handle, H where a handle goes, o OBJECT_ATTRIBUTES, p address, l length, c small number (class), f any bits,
 * a access mask, r APC routine (none), b BOOLEAN, t time-out that is nowhere, x create options (asynchronous), d disposition, s share access,
 * v kind of allocation, w protection, k control code, e event (mostly none), O OBJECT_ATTRIBUTES without a name; addresses of: B a base
 * address or offset, S a size, i a client id. */
typedef struct _ATTACK_SERVICE {
    PCSTR Name;
    PVOID Routine;
    PCSTR Arguments;
} ATTACK_SERVICE;

#define ATTACK(Service, Arguments) {#Service, (PVOID)Service, Arguments}

static const ATTACK_SERVICE AttackServices[] = {
    ATTACK(NtAdjustPrivilegesToken, "hbplpp"),
    ATTACK(NtAllocateLocallyUniqueId, "p"),
    ATTACK(NtAllocateVirtualMemory, "hBcSvw"),
    ATTACK(NtClose, "h"),
    ATTACK(NtCreateEvent, "Haodb"),
    ATTACK(NtCreateFile, "Haoppfsdxpl"),
    ATTACK(NtCreateIoCompletion, "Haoc"),
    ATTACK(NtCreateSection, "HaoSwve"),
    ATTACK(NtDeleteFile, "o"),
    ATTACK(NtDeviceIoControlFile, "herppkplpl"),
    ATTACK(NtDuplicateObject, "hhhHafc"),
    ATTACK(NtDuplicateToken, "haobcH"),
    ATTACK(NtFlushVirtualMemory, "hBSp"),
    ATTACK(NtFreeVirtualMemory, "hBSv"),
    ATTACK(NtFsControlFile, "herppkplpl"),
    ATTACK(NtLockFile, "herppBScbb"),
    ATTACK(NtLockVirtualMemory, "hBSd"),
    ATTACK(NtMapViewOfSection, "hhBclBSdvw"),
    ATTACK(NtNotifyChangeDirectoryFile, "herpplfb"),
    ATTACK(NtOpenFile, "Haopsx"),
    ATTACK(NtOpenIoCompletion, "Hao"),
    ATTACK(NtOpenProcess, "HaOi"),
    ATTACK(NtOpenProcessToken, "haH"),
    ATTACK(NtOpenProcessTokenEx, "hafH"),
    ATTACK(NtOpenSection, "Hao"),
    ATTACK(NtOpenThread, "HaOi"),
    ATTACK(NtOpenThreadToken, "habH"),
    ATTACK(NtOpenThreadTokenEx, "habfH"),
    ATTACK(NtProtectVirtualMemory, "hBSwp"),
    ATTACK(NtQueryDirectoryFile, "herpplcbpb"),
    ATTACK(NtQueryInformationFile, "hpplc"),
    ATTACK(NtQueryInformationProcess, "hcplp"),
    ATTACK(NtQueryInformationThread, "hcplp"),
    ATTACK(NtQueryInformationToken, "hcplp"),
    ATTACK(NtQueryIoCompletion, "hcplp"),
    ATTACK(NtQuerySection, "hcplp"),
    ATTACK(NtQuerySecurityObject, "hfplp"),
    ATTACK(NtQuerySystemInformation, "cplp"),
    ATTACK(NtQueryVirtualMemory, "hBdplp"),
    ATTACK(NtQueryVolumeInformationFile, "hpplc"),
    ATTACK(NtReadFile, "herppplBp"),
    ATTACK(NtRemoveIoCompletion, "hpppt"),
    ATTACK(NtRemoveIoCompletionEx, "hpdptb"),
    ATTACK(NtSetEvent, "hp"),
    ATTACK(NtSetInformationFile, "hpplc"),
    ATTACK(NtSetInformationProcess, "hcpl"),
    ATTACK(NtSetInformationThread, "hcpl"),
    ATTACK(NtSetInformationToken, "hcpl"),
    ATTACK(NtSetIoCompletion, "hppfp"),
    ATTACK(NtSetSecurityObject, "hfp"),
    ATTACK(NtSetVolumeInformationFile, "hpplc"),
    ATTACK(NtUnlockFile, "hpBSc"),
    ATTACK(NtUnlockVirtualMemory, "hBSd"),
    ATTACK(NtUnmapViewOfSection, "hp"),
    ATTACK(NtWaitForSingleObject, "hbt"),
    ATTACK(NtWriteFile, "herppplBp"),
};

static const PCWSTR AttackNames[] = {
    L"\\Device\\Null",
    L"\\Device\\KtService",
    L"\\Device\\Report",
    L"\\Device\\NamedPipe\\attack",
    L"\\SystemRoot\\Temp\\attack",
    L"\\SystemRoot\\Temp\\attack\\deep\\deeper",
    L"\\SystemRoot\\Temp",
    L"\\SystemRoot\\System32",
    L"\\SystemRoot\\System32\\drivers\\*",
    L"\\BaseNamedObjects\\attack",
    L"\\BaseNamedObjects\\attack2",
    L"\\Device",
    L"\\??\\C:",
    L"\\Device\\BootArchive",
    L"\\",
    L"",
    L"attack",
    L"\\KernelObjects\\LowMemoryCondition",
    L"\\Registry\\Machine\\Software",
};

/* What lies in the shared pages besides garbage. */
typedef struct _ATTACK_NAME {
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    WCHAR Text[64];
} ATTACK_NAME;

static PEPROCESS AttackProcess[2];
static HANDLE AttackHandles[2][ATTACK_HANDLES]; /* atomic words: what anybody was given */

static HANDLE AttackProcessHandle[2];
static PVOID AttackKeeper[2]; /* a thread of each process: without one it would end */
static KEVENT AttackOver;
static SIZE_T AttackCommittedBefore;
static volatile LONG AttackCalls[RTL_NUMBER_OF(AttackServices)],
    AttackSuccesses[RTL_NUMBER_OF(AttackServices)];

static PVOID AttackStart(ULONG Process, PKSTART_ROUTINE Routine, PVOID Context);

static VOID NTAPI AttackKeep(PVOID Context)
{
    (void)KeWaitForSingleObject(&AttackOver, Executive, KernelMode, FALSE, NULL);
}

static VOID AttackPrepare(VOID)
{
    MM_COMMITMENT Commitment;
    MmQueryCommitment(&Commitment);
    AttackCommittedBefore = Commitment.Committed;
    KeInitializeEvent(&AttackOver, NotificationEvent, FALSE);
    for (ULONG i = 0; i < RTL_NUMBER_OF(AttackProcess); i++) {
        PVOID Base = (PVOID)ATTACK_BASE;
        SIZE_T Size = ATTACK_PAGES * PAGE_SIZE;
        PACCESS_TOKEN Token, System;
        STRESS_EXPECT(NT_SUCCESS(PsCreateEmptyProcess(&AttackProcess[i])));
        STRESS_EXPECT(NT_SUCCESS(SeCreateAccountToken(i == 0 ? SeAccountUser : SeAccountRestricted, &Token)));
        System = AttackProcess[i]->Token;
        AttackProcess[i]->Token = Token;
        ObDereferenceObject(System);
        STRESS_EXPECT(NT_SUCCESS(MmAllocateVirtual(AttackProcess[i]->Pcb.AddressSpace, &Base, 0, &Size,
                                                   MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE)));
        STRESS_EXPECT(
            NT_SUCCESS(ObOpenObjectByPointer(AttackProcess[i], OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                             PsProcessType, KernelMode, &AttackProcessHandle[i])));
        AttackKeeper[i] = AttackStart(i, AttackKeep, NULL);
        STRESS_EXPECT(AttackKeeper[i] != NULL);
    }
}

/* --- arguments --- */

static ULONG64 AttackAnything(STRESS_WORKER *Worker)
{
    return (ULONG64)StressRandom(Worker, MAXULONG) << 32 | StressRandom(Worker, MAXULONG);
}

/* Mostly memory that is there, sometimes at the end of a page. */
static ULONG64 AttackAddress(STRESS_WORKER *Worker)
{
    ULONG64 Page = ATTACK_BASE + (ULONG64)StressRandom(Worker, ATTACK_PAGES + 1) * PAGE_SIZE;
    switch (StressRandom(Worker, 48)) {
    case 0:
        return 0;
    case 1:
        return (ULONG64)AttackProcess[0]; /* pool */
    case 2:
        return MM_IMAGE_BASE;
    case 3:
        return AttackAnything(Worker);
    case 4:
        return (ULONG64)MmHighestUserAddress - StressRandom(Worker, 64);
    case 5:
        return Page - StressRandom(Worker, 64);
    case 6:
        return Page + StressRandom(Worker, PAGE_SIZE);
    default:
        return Page - PAGE_SIZE + StressRandom(Worker, 96) * 32;
    }
}

/* One of a list of words that mean something, mostly. */
static ULONG AttackWord(STRESS_WORKER *Worker, const ULONG *Words, ULONG Count)
{
    return StressRandom(Worker, 8) == 0 ? (ULONG)AttackAnything(Worker) : Words[StressRandom(Worker, Count)];
}
#define ATTACK_WORD(Worker, ...)                                                                             \
    AttackWord(Worker, (const ULONG[]){__VA_ARGS__}, sizeof((const ULONG[]){__VA_ARGS__}) / sizeof(ULONG))

static ULONG64 AttackLength(STRESS_WORKER *Worker)
{
    return ATTACK_WORD(Worker, 0, 1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 72, 104, 256, 512, 1024,
                       0x1000, 0xffff, 0x10000, 0x7fffffff, 0xffffffff);
}

static ULONG64 AttackHandle(STRESS_WORKER *Worker, ULONG Process)
{
    switch (StressRandom(Worker, 24)) {
    case 0:
        return 0;
    case 1:
    case 6:
        return (ULONG64)ZwCurrentProcess();
    case 2:
        return (ULONG64)ZwCurrentThread();
    case 3:
        return 0xffffffff80000000ull + StressRandom(Worker, 256) * 4;
    case 4:
        return AttackAnything(Worker);
    case 5:
        return StressRandom(Worker, 128) * 4;
    default:
        return (ULONG64)AttackHandles[Process][StressRandom(Worker, ATTACK_HANDLES)];
    }
}

/* OBJECT_ATTRIBUTES in a shared page, good when they are written. The pages may be gone by then. */
static ULONG64 AttackAttributes(STRESS_WORKER *Worker, ULONG Process)
{
    ATTACK_NAME *Name = (PVOID)(ATTACK_BASE + (ULONG64)StressRandom(Worker, ATTACK_PAGES) * PAGE_SIZE +
                                StressRandom(Worker, 12) * 256);
    PCWSTR Text = AttackNames[StressRandom(Worker, RTL_NUMBER_OF(AttackNames))];
    USHORT Length = (USHORT)(wcslen(Text) * sizeof(WCHAR));
    HANDLE Root = StressRandom(Worker, 4) == 0 ? (HANDLE)AttackHandle(Worker, Process) : NULL;
    if (StressRandom(Worker, 8) == 0)
        return AttackAddress(Worker);
    __try {
        RtlCopyMemory(Name->Text, Text, Length);
        Name->Name = (UNICODE_STRING){Length, Length, Name->Text};
        InitializeObjectAttributes(&Name->Attributes, &Name->Name,
                                   ATTACK_WORD(Worker, OBJ_CASE_INSENSITIVE,
                                               OBJ_CASE_INSENSITIVE | OBJ_OPENIF, OBJ_INHERIT | OBJ_OPENIF,
                                               OBJ_KERNEL_HANDLE, OBJ_FORCE_ACCESS_CHECK),
                                   Root, NULL);
        if (StressRandom(Worker, 8) == 0)
            Name->Attributes.SecurityDescriptor = (PVOID)AttackAddress(Worker);
        if (StressRandom(Worker, 8) == 0)
            Name->Attributes.SecurityQualityOfService = (PVOID)AttackAddress(Worker);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return AttackAddress(Worker);
    }
    return (ULONG64)&Name->Attributes;
}

/* Where this value lies, unless others have changed it by then. */
static ULONG64 AttackPlace(STRESS_WORKER *Worker, ULONG64 First, ULONG64 Second)
{
    ULONG64 *At = (PVOID)AttackAddress(Worker);
    if ((ULONG64)At < ATTACK_BASE || (ULONG64)At >= ATTACK_BASE + ATTACK_PAGES * PAGE_SIZE)
        return (ULONG64)At;
    __try {
        At[0] = First;
        At[1] = Second;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (ULONG64)At;
    }
    return (ULONG64)At;
}

static ULONG64 AttackPlain(STRESS_WORKER *Worker)
{
    OBJECT_ATTRIBUTES *Attributes = (PVOID)(ATTACK_BASE + StressRandom(Worker, 64) * 64);
    __try {
        InitializeObjectAttributes(Attributes, NULL, 0, NULL, NULL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 0;
    }
    return (ULONG64)Attributes;
}

static ULONG64 AttackArgument(STRESS_WORKER *Worker, CHAR Kind, ULONG Process)
{
    switch (Kind) {
    case 'h':
        return AttackHandle(Worker, Process);
    case 'e':
        return StressRandom(Worker, 8) == 0 ? AttackHandle(Worker, Process) : 0;
    case 'B':
        return AttackPlace(
            Worker, StressRandom(Worker, 2) == 0 ? 0 : ATTACK_BASE + StressRandom(Worker, 64) * PAGE_SIZE, 0);
    case 'S':
        return AttackPlace(Worker, StressRandom(Worker, 8) * PAGE_SIZE + StressRandom(Worker, 2) * 512, 0);
    case 'i':
        return AttackPlace(Worker,
                           (ULONG64)PsGetProcessId(StressRandom(Worker, 4) == 0 ? PsInitialSystemProcess
                                                                                : AttackProcess[Process]),
                           StressRandom(Worker, 2) == 0 ? 0 : (ULONG64)PsGetCurrentThreadId());
    case 'O':
        return AttackPlain(Worker);
    case 'o':
        return AttackAttributes(Worker, Process);
    case 'H':
    case 'p':
        return AttackAddress(Worker);
    case 'l':
        return AttackLength(Worker);
    case 'c':
        return StressRandom(Worker, 64);
    case 'a':
        return ATTACK_WORD(Worker, MAXIMUM_ALLOWED, GENERIC_READ | SYNCHRONIZE, GENERIC_READ | GENERIC_WRITE,
                           GENERIC_ALL, DELETE, 0, ACCESS_SYSTEM_SECURITY);
    case 'b':
        return StressRandom(Worker, 2);
    case 'd':
        return StressRandom(Worker, 7);
    case 'x': /* a synchronous file's requests may wait for ever, as they should */
        return ATTACK_WORD(Worker, 0, FILE_NON_DIRECTORY_FILE, FILE_DIRECTORY_FILE, FILE_DELETE_ON_CLOSE,
                           FILE_COMPLETE_IF_OPLOCKED, FILE_OPEN_BY_FILE_ID) &
               ~(FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);
    case 's':
        return ATTACK_WORD(Worker, 7, 7, FILE_SHARE_READ, 0);
    case 't':
        return ATTACK_BASE + ATTACK_PAGES * PAGE_SIZE; /* nothing is there */
    case 'v':
        return ATTACK_WORD(Worker, MEM_COMMIT, MEM_RESERVE, MEM_COMMIT | MEM_RESERVE, MEM_RESET, MEM_RELEASE,
                           MEM_DECOMMIT, SEC_COMMIT, SEC_RESERVE);
    case 'w':
        return ATTACK_WORD(Worker, PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD,
                           PAGE_EXECUTE_READ, PAGE_WRITECOPY);
    case 'k':
        return ATTACK_WORD(Worker, FSCTL_PIPE_LISTEN, FSCTL_PIPE_PEEK, FSCTL_PIPE_WAIT, FSCTL_PIPE_TRANSCEIVE,
                           FSCTL_PIPE_DISCONNECT, FSCTL_GET_REPARSE_POINT, FSCTL_LOCK_VOLUME);
    case 'f':
        return StressRandom(Worker, 2) == 0 ? ATTACK_WORD(Worker, 0, 1, 2, 3, 4, 7, 0x80)
                                            : 1ull << StressRandom(Worker, 32);
    default:
        return 0;
    }
}

/* --- one service --- */

static VOID AttackCall(STRESS_WORKER *Worker, const ATTACK_SERVICE *Service, ULONG Process)
{
    ULONG64 A[ATTACK_ARGUMENTS] = {0};
    ULONG64 *Out = NULL;
    for (ULONG i = 0; Service->Arguments[i] != 0; i++) {
        A[i] = AttackArgument(Worker, Service->Arguments[i], Process);
        if (Service->Arguments[i] == 'H')
            Out = (ULONG64 *)A[i];
    }
    __try {
        NTSTATUS Status = ((ATTACK_CALL)Service->Routine)(A[0], A[1], A[2], A[3], A[4], A[5], A[6], A[7],
                                                          A[8], A[9], A[10]);
        InterlockedIncrement(&AttackCalls[Service - AttackServices]);
        if (NT_SUCCESS(Status))
            InterlockedIncrement(&AttackSuccesses[Service - AttackServices]);
        if (NT_SUCCESS(Status) && Out != NULL && (ULONG64)Out < (ULONG64)MmHighestUserAddress)
            AttackHandles[Process][StressRandom(Worker, ATTACK_HANDLES)] = *(HANDLE *)Out;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        if (Out == NULL) /* else it may have been our look at the handle */
            StressFail("%s raised 0x%08X", Service->Name, (unsigned)GetExceptionCode());
    }
}

/* Garbage where the services read. */
static VOID AttackSpoil(STRESS_WORKER *Worker)
{
    ULONG64 *Words = (PVOID)(ATTACK_BASE + (ULONG64)StressRandom(Worker, ATTACK_PAGES) * PAGE_SIZE);
    __try {
        for (ULONG i = StressRandom(Worker, 64); i != 0; i--)
            Words[StressRandom(Worker, PAGE_SIZE / 8)] =
                StressRandom(Worker, 2) == 0 ? AttackAddress(Worker) : StressRandom(Worker, 1024);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return;
    }
}

/* The shared pages come back: the services free and protect them too. */
static VOID AttackRestore(ULONG Process)
{
    PVOID Base = (PVOID)ATTACK_BASE;
    SIZE_T Size = ATTACK_PAGES * PAGE_SIZE;
    PMM_ADDRESS_SPACE Space = AttackProcess[Process]->Pcb.AddressSpace;
    (void)MmAllocateVirtual(Space, &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    (void)MmAllocateVirtual(Space, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
}

typedef struct _ATTACK_BURST {
    STRESS_WORKER *Worker;
    ULONG Process;
} ATTACK_BURST;

/* A thread of the process. What it has under way when it ends is cancelled. */
static VOID NTAPI AttackBurst(PVOID Context)
{
    ATTACK_BURST *Burst = Context;
    STRESS_WORKER *Worker = Burst->Worker;
    PKTHREAD Thread = KiCurrentThread();
    for (ULONG i = StressRandom(Worker, 64); i != 0; i--) {
        const ATTACK_SERVICE *Service = &AttackServices[StressRandom(Worker, RTL_NUMBER_OF(AttackServices))];
        Worker->Doing = Service->Name;
        AttackSpoil(Worker);
        Thread->PreviousMode = UserMode;
        AttackCall(Worker, Service, Burst->Process);
        Thread->PreviousMode = KernelMode;
        if (KeGetCurrentIrql() != PASSIVE_LEVEL || KeAreApcsDisabled() || KeAreAllApcsDisabled())
            StressFail("%s left IRQL %u or a region", Service->Name, (unsigned)KeGetCurrentIrql());
    }
    Worker->Doing = "the end of an attack";
}

static PVOID AttackStart(ULONG Process, PKSTART_ROUTINE Routine, PVOID Context)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    HANDLE Thread;
    PVOID Object = NULL;
    NTSTATUS Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes,
                                           AttackProcessHandle[Process], NULL, Routine, Context);
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        return NULL; /* a user may take all memory */
    STRESS_EQUAL(Status, STATUS_SUCCESS);
    if (!NT_SUCCESS(Status))
        return NULL;
    (void)ObReferenceObjectByHandle(Thread, 0, PsThreadType, KernelMode, &Object, NULL);
    ZwClose(Thread);
    return Object;
}

static VOID AttackOperate(STRESS_WORKER *Worker)
{
    ATTACK_BURST Burst = {Worker, Worker->Index % RTL_NUMBER_OF(AttackProcess)};
    if (StressRandom(Worker, 16) == 0)
        AttackRestore(Burst.Process);
    PVOID Thread = AttackStart(Burst.Process, AttackBurst, &Burst);
    if (Thread == NULL)
        return;
    Worker->Other = Thread;
    (void)KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    Worker->Other = NULL;
    ObDereferenceObject(Thread);
}

/* Ended threads hold their process until the reaper comes. */
static VOID AttackAwaitReaper(VOID)
{
    LARGE_INTEGER Moment = {.QuadPart = -20 * STRESS_MILLISECOND};
    MM_COMMITMENT Commitment;
    for (ULONG i = 0; i < 500; i++) {
        MmQueryCommitment(&Commitment);
        if (Commitment.Committed == AttackCommittedBefore)
            return;
        (void)KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
}

static VOID AttackCheck(VOID)
{
    MM_COMMITMENT Commitment;
    KeSetEvent(&AttackOver, IO_NO_INCREMENT,
               FALSE); /* the last threads of the processes end, and so do these with all they have */
    for (ULONG i = 0; i < RTL_NUMBER_OF(AttackProcess); i++) {
        (void)KeWaitForSingleObject(AttackProcess[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(AttackKeeper[i]);
        ZwClose(AttackProcessHandle[i]);
        ObDereferenceObject(AttackProcess[i]);
    }
    AttackAwaitReaper();
    MmQueryCommitment(&Commitment);
    STRESS_EQUAL(Commitment.Committed, AttackCommittedBefore);
    for (ULONG i = 0; i < RTL_NUMBER_OF(AttackServices); i++)
        KdLog("attack: %s: %d of %d calls succeeded", AttackServices[i].Name, (int)AttackSuccesses[i],
              (int)AttackCalls[i]);
}

/* Alone only: what the services allow a user takes memory and time from the others. */
const STRESS_KIND StressAttackKinds[] = {{"attack", 1, AttackPrepare, AttackOperate, AttackCheck}};
const ULONG StressAttackKindCount = RTL_NUMBER_OF(StressAttackKinds);
