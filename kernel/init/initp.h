/* SPDX-License-Identifier: MIT
 * Tier 3, init only. */
#pragma once
#include "image.h"
#include "ke.h"
#include "osloader/loader_block.h"

/* What the command line of the boot loader says to the kernel. Unknown words are for others. */
typedef struct _INIT_OPTIONS {
    IM_OPTIONS Image;
    USHORT ExitPort;  /* `exitport=0xf4`: the debug-exit device; 0 = none */
    BOOLEAN RunTests; /* `kt`: the in-kernel tests before the agent */
    ULONG StressTime; /* `stress=60` (s), `stress-ms=60`: the stress test, after the services; ms, 0 = none */
    ULONG64 StressSeed;          /* `seed=7` */
    PCSTR StressOnly;            /* `stress-only=pool`: only operations with that in their name; NULL: all */
    KE_WATCHDOG_LIMITS Watchdog; /* `dpc-limit=`, `dispatch-limit=`, `clock-limit=`: ms */
    ULONG PowerLimit;            /* `power-limit=`: ms that a driver may hold a power request; 0: as built */
    ULONG FailBoot;          /* `fail-boot=N`: that allocation fails, until the agent is loaded; 0: none */
    PCSTR SpecialPool;       /* `special-pool[=driver or tag]`; NULL: none */
    BOOLEAN TraceReferences; /* `trace-references`: of objects, by tag; checked kernel */
    PCSTR Trace;             /* `etw=all`, `etw=PROVIDER,...`: whose events are told; NULL: nobody's */
    BOOLEAN SaveHive;        /* `save-hive`: at the end, the SYSTEM hive goes to the host */
    BOOLEAN PoolReport;      /* `pool-report`: at the end, who holds how much pool */
    BOOLEAN PagedUnchecked;  /* `paged-check=off`: paged pool may be touched at DISPATCH_LEVEL */
    ULONG SpinLimit;         /* `spin-limit=SECONDS`: the longest wait for a spin lock; 0 = no limit */
    BOOLEAN NmiAsks;   /* `nmi=where`: an NMI is the host's question where the machine is, not a failure */
    BOOLEAN ChecksOff; /* `checks=off`: for benchmarks (ke_checks.h) */
} INIT_OPTIONS;

VOID InitParseOptions(PCSTR CommandLine, INIT_OPTIONS *Options);

extern LOADER_BLOCK
    InitLoaderBlock; /* our copy; what it points to in loader memory is gone after phase 1 began */
extern INIT_OPTIONS InitOptions;

/* `bench`: TSC ticks of the start of the memory manager. */
extern ULONG64 InitMemoryTicks;

VOID InitSetUpcalls(VOID);
VOID NTAPI InitPhase1(PVOID Context);
