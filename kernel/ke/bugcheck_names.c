/* SPDX-License-Identifier: MIT
 * Names of bug checks (WDK "Bug check code reference") and of exceptions. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "crt.h"

#define NAMED(Code) {(ULONG)(Code), #Code}

static const struct {
    ULONG Code;
    PCSTR Name;
} KiBugCheckNames[] = {
    NAMED(APC_INDEX_MISMATCH),
    NAMED(STATUS_DRIVER_ENTRYPOINT_NOT_FOUND),
    NAMED(IRQL_NOT_DISPATCH_LEVEL),
    NAMED(DRIVER_POWER_STATE_FAILURE),
    NAMED(IRQL_NOT_GREATER_OR_EQUAL),
    NAMED(IRQL_NOT_LESS_OR_EQUAL),
    NAMED(MAXIMUM_WAIT_OBJECTS_EXCEEDED),
    NAMED(SPIN_LOCK_ALREADY_OWNED),
    NAMED(SPIN_LOCK_NOT_OWNED),
    NAMED(BAD_POOL_HEADER),
    NAMED(MEMORY_MANAGEMENT),
    NAMED(KMODE_EXCEPTION_NOT_HANDLED),
    NAMED(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED),
    NAMED(NO_MORE_IRP_STACK_LOCATIONS),
    NAMED(MULTIPLE_IRP_COMPLETE_REQUESTS),
    NAMED(CANCEL_STATE_IN_COMPLETED_IRP),
    NAMED(INCONSISTENT_IRP),
    NAMED(PFN_LIST_CORRUPT),
    NAMED(PAGE_FAULT_IN_NONPAGED_AREA),
    NAMED(INACCESSIBLE_BOOT_DEVICE),
    NAMED(BAD_SYSTEM_CONFIG_INFO),
    NAMED(INSTALL_MORE_MEMORY),
    NAMED(UNEXPECTED_KERNEL_MODE_TRAP),
    NAMED(NMI_HARDWARE_FAILURE),
    NAMED(ATTEMPTED_SWITCH_FROM_DPC),
    NAMED(ATTEMPTED_WRITE_TO_READONLY_MEMORY),
    NAMED(BAD_POOL_CALLER),
    NAMED(SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION),
    NAMED(PAGE_FAULT_IN_FREED_SPECIAL_POOL),
    NAMED(PAGE_FAULT_BEYOND_END_OF_ALLOCATION),
    NAMED(DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL),
    NAMED(DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION),
    NAMED(DRIVER_VERIFIER_DETECTED_VIOLATION),
    NAMED(IRQL_UNEXPECTED_VALUE),
    NAMED(DRIVER_VERIFIER_IOMANAGER_VIOLATION),
    NAMED(KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE),
    NAMED(KERNEL_AUTO_BOOST_LOCK_ACQUISITION_WITH_RAISED_IRQL),
    NAMED(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS),
    NAMED(DRIVER_IRQL_NOT_LESS_OR_EQUAL),
    NAMED(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY),
    NAMED(MANUALLY_INITIATED_CRASH),
    NAMED(CRITICAL_OBJECT_TERMINATION),
    NAMED(KERNEL_SECURITY_CHECK_FAILURE),
    NAMED(PHASE0_INITIALIZATION_FAILED),
    NAMED(PHASE1_INITIALIZATION_FAILED),
    NAMED(INVALID_WORK_QUEUE_ITEM),
    NAMED(WORKER_INVALID),
    NAMED(WORKER_THREAD_RETURNED_AT_BAD_IRQL),
    NAMED(TIMER_OR_DPC_INVALID),
    NAMED(CLOCK_WATCHDOG_TIMEOUT),
    NAMED(DPC_WATCHDOG_VIOLATION),
    NAMED(THREAD_TERMINATE_HELD_MUTEX),
    NAMED(REFERENCE_BY_POINTER),
    NAMED(INVALID_KERNEL_HANDLE),
    NAMED(INVALID_PROCESS_ATTACH_ATTEMPT),
    NAMED(INVALID_PROCESS_DETACH_ATTEMPT),
    NAMED(KERNEL_APC_PENDING_DURING_EXIT),
    NAMED(MUTEX_ALREADY_OWNED),
    NAMED(THREAD_NOT_MUTEX_OWNER),
    NAMED(RESOURCE_NOT_OWNED),
    NAMED(TARGET_MDL_TOO_SMALL),
    NAMED(SYSTEM_PTE_MISUSE),
    NAMED(NO_MORE_SYSTEM_PTES),
    NAMED(OBJECT_INITIALIZATION_FAILED),
    NAMED(HAL_INITIALIZATION_FAILED),
    NAMED(IO1_INITIALIZATION_FAILED),
    NAMED(CONFIG_INITIALIZATION_FAILED),
};

static const struct {
    ULONG Code;
    PCSTR Name;
} KiExceptionNames[] = {
    {(ULONG)STATUS_ACCESS_VIOLATION, "access violation"},
    {(ULONG)STATUS_GUARD_PAGE_VIOLATION, "the first access to a guard page"},
    {(ULONG)STATUS_IN_PAGE_ERROR, "a page that could not be read or had"},
    {(ULONG)STATUS_STACK_OVERFLOW, "stack overflow"},
    {(ULONG)STATUS_INTEGER_DIVIDE_BY_ZERO, "integer division by zero"},
    {(ULONG)STATUS_INTEGER_OVERFLOW, "integer overflow"},
    {(ULONG)STATUS_ILLEGAL_INSTRUCTION, "illegal instruction"},
    {(ULONG)STATUS_PRIVILEGED_INSTRUCTION, "privileged instruction"},
    {(ULONG)STATUS_BREAKPOINT, "breakpoint (int 3)"},
    {(ULONG)STATUS_SINGLE_STEP, "single step"},
    {(ULONG)STATUS_ASSERTION_FAILURE, "assertion failure (int 2Ch)"},
    {(ULONG)STATUS_DATATYPE_MISALIGNMENT, "misaligned data"},
    {(ULONG)STATUS_INSUFFICIENT_RESOURCES, "insufficient resources"},
    {(ULONG)STATUS_NONCONTINUABLE_EXCEPTION, "a handler continued what cannot be continued"},
    {(ULONG)STATUS_ARRAY_BOUNDS_EXCEEDED, "array bounds exceeded"},
    {(ULONG)STATUS_BAD_STACK, "bad stack"},
    {(ULONG)STATUS_INVALID_UNWIND_TARGET, "unwind to what is no frame of the stack"},
    {(ULONG)STATUS_FLOAT_DENORMAL_OPERAND, "denormal floating-point operand"},
    {(ULONG)STATUS_FLOAT_DIVIDE_BY_ZERO, "floating-point division by zero"},
    {(ULONG)STATUS_FLOAT_INEXACT_RESULT, "inexact floating-point result"},
    {(ULONG)STATUS_FLOAT_INVALID_OPERATION, "invalid floating-point operation"},
    {(ULONG)STATUS_FLOAT_OVERFLOW, "floating-point overflow"},
    {(ULONG)STATUS_FLOAT_STACK_CHECK, "x87 stack overflow or underflow"},
    {(ULONG)STATUS_FLOAT_UNDERFLOW, "floating-point underflow"},
};

PCSTR KiBugCheckName(ULONG Code)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(KiBugCheckNames); i++)
        if (KiBugCheckNames[i].Code == Code)
            return KiBugCheckNames[i].Name;
    return "UNKNOWN";
}

/* [WDK Bug Check 0x139] first parameter; winnt.h FAST_FAIL_... */
PCSTR KiFastFailName(ULONG Code)
{
    static const PCSTR Names[] = {
        [0] = "fast fail: a stack buffer was overrun (old /GS check)",
        [1] = "fast fail: a virtual function table is corrupt",
        [2] = "fast fail: the stack cookie is overwritten",
        [3] = "fast fail: a list entry is corrupt",
        [4] = "fast fail: the stack pointer is outside the thread's stack",
        [5] = "fast fail: an invalid parameter",
        [6] = "fast fail: the stack cookie was not initialised",
        [7] = "fast fail: a fatal exit was asked for",
        [8] = "fast fail: array bounds exceeded",
        [9] = "fast fail: RtlQueryRegistryValues with a direct query of an untrusted key",
        [10] = "fast fail: an indirect call to an invalid target",
        [11] = "fast fail: a write was refused by its check",
        [14] = "fast fail: a reference count is invalid",
        [18] = "fast fail: a jump buffer is invalid",
        [21] = "fast fail: the chain of exception handlers is invalid",
        [28] = "fast fail: access beyond a buffer",
        [29] = "fast fail: a balanced tree is corrupt",
    };
    return Code < RTL_NUMBER_OF(Names) && Names[Code] != NULL ? Names[Code] : "fast fail (int 29h)";
}

/* What a null pointer and a small offset reach: [WDK MmHighestUserAddress] nobody can have memory there. */
#define KI_NULL_END 0x10000u

/* [EXCEPTION_RECORD] of an access violation the first parameter is 0 read, 1 write, 8 execute, the second the address. A general-protection
 * fault has read and -1: the processor does not tell. */
static PCSTR KiAccessText(const EXCEPTION_RECORD *Record, PCHAR Text, SIZE_T Room)
{
    ULONG64 Kind = Record->ExceptionInformation[0], Address = Record->ExceptionInformation[1];
    PCSTR What = Kind == 0 ? "read from" : Kind == 1 ? "write to" : "execution at";

    if (Kind == 0 && Address == ~0ull)
        return "access violation: an address that is not canonical, or an instruction that is not allowed";
    _snprintf(Text, Room, "access violation%s: %s 0x%llx",
              Address < KI_NULL_END ? " at an address near NULL, a null pointer was used" : "", What,
              (unsigned long long)Address);
    Text[Room - 1] = 0;
    return Text;
}

PCSTR KiExceptionText(const EXCEPTION_RECORD *Record, PCHAR Text, SIZE_T Room)
{
    ULONG Code = (ULONG)Record->ExceptionCode;

    if (Code == (ULONG)STATUS_ACCESS_VIOLATION && Record->NumberParameters >= 2)
        return KiAccessText(Record, Text, Room);
    for (ULONG i = 0; i < RTL_NUMBER_OF(KiExceptionNames); i++)
        if (KiExceptionNames[i].Code == Code)
            return KiExceptionNames[i].Name;
    return NULL;
}

/* [WDK bug check code reference] what the first parameter says */
static const struct {
    ULONG Code;
    ULONG P1;
    PCSTR Text;
} KiBugCheckTexts[] = {
    {MEMORY_MANAGEMENT, 0x1233, "an MDL was mapped whose pages nobody has locked"},
    {MEMORY_MANAGEMENT, 0x61946,
     "an MDL was to be filled or mapped that is not in the state for it: locked or mapped already"},
    {PFN_LIST_CORRUPT, 7, "a page was unlocked more often than it was locked"},
    {PFN_LIST_CORRUPT, 0x99, "a page was freed that is free already, or still in use: locked or mapped"},
    {PFN_LIST_CORRUPT, 0x9a,
     "MmFreePagesFromMdl was given an MDL that has no pages of its own, or is mapped"},
    {SYSTEM_PTE_MISUSE, 3, "a mapping was unmapped with another address than the MDL has"},
    {SYSTEM_PTE_MISUSE, 6, "an MDL was unmapped that is not mapped there"},
    {SYSTEM_PTE_MISUSE, 0x100, "mapping addresses were reserved with the tag 0"},
    {SYSTEM_PTE_MISUSE, 0x101, "reserved mapping addresses were freed with another tag than they have"},
    {SYSTEM_PTE_MISUSE, 0x102, "mapping addresses were freed that are not reserved"},
    {SYSTEM_PTE_MISUSE, 0x103, "reserved mapping addresses were freed while an MDL is mapped there"},
    {SYSTEM_PTE_MISUSE, 0x104, "an MDL was mapped at reserved addresses with another tag than they have"},
    {SYSTEM_PTE_MISUSE, 0x105, "an MDL was mapped at addresses that are not reserved"},
    {SYSTEM_PTE_MISUSE, 0x107, "an MDL was mapped at reserved addresses where one is mapped already"},
    {SYSTEM_PTE_MISUSE, 0x108, "reserved mapping addresses were unmapped with another tag than they have"},
    {SYSTEM_PTE_MISUSE, 0x109, "addresses were unmapped that are not reserved"},
    {SYSTEM_PTE_MISUSE, 0x10c, "reserved mapping addresses were unmapped where this MDL is not mapped"},
    {SYSTEM_PTE_MISUSE, 0x303, "addresses were unmapped where nothing is mapped"},
    {SYSTEM_PTE_MISUSE, 0x305, "addresses were unmapped with another size than they were mapped with"},
    {BAD_POOL_CALLER, 7, "a block of pool was freed a second time"},
    {BAD_POOL_CALLER, 0x0a, "a block of pool was freed with another tag than it was allocated with"},
    {BAD_POOL_CALLER, 0x40, "a user-mode address was freed as pool"},
    {BAD_POOL_CALLER, 0x41, "an address was freed that is no allocated block of nonpaged pool"},
    {BAD_POOL_CALLER, 0x42, "an address was freed that never was in a pool"},
    {BAD_POOL_CALLER, 0x50, "an address was freed that is no allocated block of paged pool"},
    {BAD_POOL_CALLER, 0x60, "an address was freed as contiguous memory that is not its begin"},
    {BAD_POOL_CALLER, 0x99, "an address inside a block of pool was freed"},
    {WORKER_INVALID, 1, "a work item was queued that is queued already"},
    {WORKER_INVALID, 2, "a work item was freed that is queued"},
    {WORKER_INVALID, 3, "what was given as an I/O work item is none"},
    {WORKER_INVALID, 6, "a work item was queued to a queue that does not exist"},
    {WORKER_INVALID, 7, "a work item was queued that has no routine, or one that is no code"},
    {TARGET_MDL_TOO_SMALL, 0, "IoBuildPartialMdl was given a target MDL that is too small"},
};

PCSTR KiBugCheckText(ULONG Code, ULONG64 P1)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(KiBugCheckTexts); I++)
        if (KiBugCheckTexts[I].Code == Code && KiBugCheckTexts[I].P1 == P1)
            return KiBugCheckTexts[I].Text;
    return NULL;
}
