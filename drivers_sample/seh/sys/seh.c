/* SPDX-License-Identifier: MIT
 * A driver that faults on purpose and catches itself: null pointer read and write, division by zero, an
 * undefined instruction, a raised status, nesting, and the order of __finally. DriverEntry fails if anything
 * is not as expected. */
#include <ntddk.h>
#ifdef _MSC_VER
#include "catch_msvc.h"
#else
#include "catch_gnu.h"
#endif

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD SehUnload;

/* What the handlers did, in order: one letter each. */
typedef struct TRACE {
    char Letters[16];
    ULONG Length;
} TRACE;

static VOID Note(TRACE *Trace, char Letter)
{
    if (Trace->Length < sizeof(Trace->Letters) - 1)
        Trace->Letters[Trace->Length++] = Letter;
}

static NTSTATUS ReadNull(PVOID Context)
{
    volatile LONG *volatile Null = NULL; /* volatile: the compiler must not see what it points to */
    UNREFERENCED_PARAMETER(Context);
    return *Null;
}

static NTSTATUS WriteNull(PVOID Context)
{
    volatile LONG *volatile Null = NULL;
    UNREFERENCED_PARAMETER(Context);
    *Null = 1;
    return STATUS_SUCCESS;
}

static NTSTATUS DivideByZero(PVOID Context)
{
    volatile LONG Number = 100, Zero = 0;
    UNREFERENCED_PARAMETER(Context);
    return Number / Zero;
}

static NTSTATUS UndefinedInstruction(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("ud2");
    return STATUS_SUCCESS;
}

static NTSTATUS RaiseStatus(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExRaiseStatus(STATUS_DEVICE_NOT_READY);
    return STATUS_SUCCESS;
}

static NTSTATUS NoFault(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

/* The inner handler takes the fault; the outer one never sees it. */
static NTSTATUS NestedInner(PVOID Context)
{
    NTSTATUS Status = CatchAll(WriteNull, Context);
    Note(Context, 'i');
    return Status == STATUS_ACCESS_VIOLATION ? STATUS_ALERTED : STATUS_UNSUCCESSFUL;
}

/* The inner frame only cleans up; the outer handler catches what passes through. */
static VOID CleanUp(PVOID Context, BOOLEAN Abnormal)
{
    Note(Context, Abnormal ? 'A' : 'n');
}

static NTSTATUS FaultWithCleanUp(PVOID Context)
{
    return WithFinally(ReadNull, CleanUp, Context);
}

static NTSTATUS QuietWithCleanUp(PVOID Context)
{
    return WithFinally(NoFault, CleanUp, Context);
}

static const struct {
    const char *Name;
    NTBOX_GUARDED *Routine;
    NTSTATUS Expected;
    const char *Letters;
} Cases[] = {
    {"no fault", NoFault, STATUS_SUCCESS, ""},
    {"read through null", ReadNull, STATUS_ACCESS_VIOLATION, ""},
    {"write through null", WriteNull, STATUS_ACCESS_VIOLATION, ""},
    {"divide by zero", DivideByZero, STATUS_INTEGER_DIVIDE_BY_ZERO, ""},
    {"undefined instruction", UndefinedInstruction, STATUS_ILLEGAL_INSTRUCTION, ""},
    {"raised status", RaiseStatus, STATUS_DEVICE_NOT_READY, ""},
    {"nested, inner catches", NestedInner, STATUS_ALERTED, "i"},
    {"finally after a fault", FaultWithCleanUp, STATUS_ACCESS_VIOLATION, "A"},
    {"finally without a fault", QuietWithCleanUp, STATUS_SUCCESS, "n"},
};

static BOOLEAN RunCase(ULONG i)
{
    TRACE Trace = {{0}, 0};
    NTSTATUS Status = CatchAll(Cases[i].Routine, &Trace);
    BOOLEAN Right = Status == Cases[i].Expected && strcmp(Trace.Letters, Cases[i].Letters) == 0;
    DbgPrint("seh: %s: 0x%08X \"%s\" %s\n", Cases[i].Name, (unsigned)Status, Trace.Letters,
             Right ? "ok" : "WRONG");
    return Right;
}

static VOID NTAPI SehUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Wrong = 0;
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cases); i++)
        Wrong += !RunCase(i);
    if (!MacrosCatch()) {
        DbgPrint("seh: the header's own macros did not catch\n");
        Wrong++;
    }
    DbgPrint("seh: %u cases, %u wrong\n", (unsigned)RTL_NUMBER_OF(Cases), (unsigned)Wrong);
    DriverObject->DriverUnload = SehUnload;
    return Wrong == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
