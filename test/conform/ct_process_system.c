/* SPDX-License-Identifier: MIT
 * What the system tells of itself. [MS NtQuerySystemInformation] */
#include "ct.h"

typedef NTSTATUS NTAPI QUERY(SYSTEM_INFORMATION_CLASS, PVOID, ULONG, PULONG);

/* A whole answer of changing length in pool, or NULL and a failed case. A length of nothing and one byte too little are refused. */
static PVOID Ask(QUERY *Query, SYSTEM_INFORMATION_CLASS Class, PULONG Length)
{
    PVOID Buffer = NULL;
    ULONG Room = 0;
    NTSTATUS Status = Query(Class, NULL, 0, Length);
    CT_STATUS(Status, STATUS_INFO_LENGTH_MISMATCH);
    while (Status == STATUS_INFO_LENGTH_MISMATCH) {
        if (Buffer != NULL)
            ExFreePoolWithTag(Buffer, 'tsTC');
        Room = *Length + 0x1000;
        Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Room, 'tsTC');
        if (Buffer == NULL)
            break;
        Status = Query(Class, Buffer, Room, Length);
    }
    CT_SUCCESS(Status);
    if (NT_SUCCESS(Status) && CT_CHECK(*Length <= Room))
        return Buffer;
    if (Buffer != NULL)
        ExFreePoolWithTag(Buffer, 'tsTC');
    return NULL;
}

static VOID CheckBasic(QUERY *Query)
{
    SYSTEM_BASIC_INFORMATION Basic;
    ULONG Length = 0;
    CT_SUCCESS(Query(SystemBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_EQUAL(Length, sizeof(Basic));
    CT_EQUAL(Basic.PageSize, PAGE_SIZE);
    CT_EQUAL(Basic.TimerResolution, KeQueryTimeIncrement());
    CT_EQUAL(Basic.AllocationGranularity, 0x10000);
    CT_EQUAL(Basic.ActiveProcessorsAffinityMask, KeQueryActiveProcessors());
    CT_EQUAL((UCHAR)Basic.NumberOfProcessors, KeQueryActiveProcessorCount(NULL));
    CT_EQUAL(Basic.MinimumUserModeAddress, 0x10000);
    CT_EQUAL(Basic.MaximumUserModeAddress, 0x7ffffffeffff);
    CT_CHECK(Basic.NumberOfPhysicalPages != 0);
    CT_CHECK(Basic.HighestPhysicalPageNumber > Basic.LowestPhysicalPageNumber);
    CT_STATUS(Query(SystemBasicInformation, &Basic, sizeof(Basic) - 1, &Length), STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Length, sizeof(Basic));
    CT_STATUS(Query((SYSTEM_INFORMATION_CLASS)0x7fff, &Basic, sizeof(Basic), NULL),
              STATUS_INVALID_INFO_CLASS);
}

static VOID SystemBasic(VOID)
{
    CheckBasic(ZwQuerySystemInformation);
    CheckBasic(NtQuerySystemInformation);
}

static VOID SystemTimes(VOID)
{
    SYSTEM_TIMEOFDAY_INFORMATION Times;
    LARGE_INTEGER Before, After;
    KeQuerySystemTime(&Before);
    CT_SUCCESS(ZwQuerySystemInformation(SystemTimeOfDayInformation, &Times, sizeof(Times), NULL));
    KeQuerySystemTime(&After);
    CT_CHECK(Times.CurrentTime.QuadPart >= Before.QuadPart && Times.CurrentTime.QuadPart <= After.QuadPart);
    CT_CHECK(Times.BootTime.QuadPart > 0 && Times.BootTime.QuadPart < Before.QuadPart);
}

/* The thread that asks is in the list of the System process, once. */
static VOID CheckSystemEntry(const SYSTEM_PROCESS_INFORMATION *Process)
{
    UNICODE_STRING System = RTL_CONSTANT_STRING(L"System");
    ULONG Found = 0;
    CT_CHECK(RtlEqualUnicodeString(&Process->ImageName, &System, FALSE));
    CT_CHECK(Process->HandleCount != 0 && Process->NumberOfThreads != 0);
    CT_EQUAL(Process->InheritedFromUniqueProcessId, 0);
    for (ULONG i = 0; i < Process->NumberOfThreads; i++) {
        const SYSTEM_THREAD_INFORMATION *Thread = &Process->Threads[i];
        CT_EQUAL(Thread->ClientId.UniqueProcess, (HANDLE)4);
        if (Thread->ClientId.UniqueThread != PsGetCurrentThreadId())
            continue;
        Found++;
        CT_EQUAL(Thread->ThreadState, 2); /* running */
        CT_CHECK(Thread->CreateTime.QuadPart != 0 && Thread->ContextSwitches != 0);
    }
    CT_EQUAL(Found, 1);
}

static VOID SystemProcesses(VOID)
{
    ULONG Length, At = 0, Systems = 0;
    PUCHAR Buffer = Ask(ZwQuerySystemInformation, SystemProcessInformation, &Length);
    CT_REQUIRE(Buffer != NULL);
    for (;;) {
        const SYSTEM_PROCESS_INFORMATION *Process = (const SYSTEM_PROCESS_INFORMATION *)(Buffer + At);
        ULONG Next = Process->NextEntryOffset;
        CT_CHECK(At + FIELD_OFFSET(SYSTEM_PROCESS_INFORMATION, Threads) +
                     Process->NumberOfThreads * sizeof(SYSTEM_THREAD_INFORMATION) <=
                 Length);
        if (Process->UniqueProcessId == (HANDLE)4) {
            Systems++;
            CheckSystemEntry(Process);
        }
        if (Next == 0)
            break;
        CT_EQUAL(Next % 8, 0);
        At += Next;
    }
    CT_EQUAL(Systems, 1);
    ExFreePoolWithTag(Buffer, 'tsTC');
}

static VOID SystemPerformance(VOID)
{
    SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION Processor[64];
    ULONG Length = 0, Count = KeQueryActiveProcessorCount(NULL);
    CT_SUCCESS(ZwQuerySystemInformation(SystemProcessorPerformanceInformation, Processor,
                                        Count * sizeof(*Processor), &Length));
    CT_EQUAL(Length, Count * sizeof(*Processor));
    for (ULONG i = 0; i < Count; i++) {
        CT_CHECK(Processor[i].KernelTime.QuadPart >= Processor[i].IdleTime.QuadPart);
        CT_EQUAL(Processor[i].UserTime.QuadPart, 0);
    }
    CT_STATUS(ZwQuerySystemInformation(SystemProcessorPerformanceInformation, Processor, 5, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
}

static VOID SystemModules(VOID)
{
    ULONG Length, Mine = 0, Kernels = 0;
    RTL_PROCESS_MODULES *List = Ask(ZwQuerySystemInformation, SystemModuleInformation, &Length);
    CT_REQUIRE(List != NULL);
    CT_EQUAL(Length, FIELD_OFFSET(RTL_PROCESS_MODULES, Modules) +
                         List->NumberOfModules * sizeof(RTL_PROCESS_MODULE_INFORMATION));
    for (ULONG i = 0; i < List->NumberOfModules; i++) {
        const RTL_PROCESS_MODULE_INFORMATION *Module = &List->Modules[i];
        ANSI_STRING Name, Kernel = RTL_CONSTANT_STRING("ntoskrnl.exe");
        RtlInitAnsiString(&Name, (PCSZ)Module->FullPathName + Module->OffsetToFileName);
        Kernels += RtlEqualString(&Name, &Kernel, TRUE);
        if (Module->ImageBase != CtDriverObject->DriverStart)
            continue;
        Mine++;
        CT_EQUAL(Module->ImageSize, CtDriverObject->DriverSize);
        CT_CHECK(Module->OffsetToFileName != 0);
    }
    CT_EQUAL(Mine, 1);
    CT_EQUAL(Kernels, 1);
    ExFreePoolWithTag(List, 'tsTC');
}

static HANDLE MakeEvent(PVOID *Object)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_MODIFY_STATE, &Attributes, NotificationEvent, FALSE));
    CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, Object, NULL));
    return Event;
}

static VOID SystemHandles(VOID)
{
    ULONG Length, Found = 0;
    PVOID Object = NULL;
    HANDLE Event = MakeEvent(&Object);
    SYSTEM_HANDLE_INFORMATION_EX *List =
        Ask(ZwQuerySystemInformation, SystemExtendedHandleInformation, &Length);
    CT_REQUIRE(List != NULL);
    CT_EQUAL(Length, FIELD_OFFSET(SYSTEM_HANDLE_INFORMATION_EX, Handles) +
                         List->NumberOfHandles * sizeof(SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX));
    for (ULONG_PTR i = 0; i < List->NumberOfHandles; i++) {
        const SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX *Handle = &List->Handles[i];
        if (Handle->Object != Object)
            continue;
        Found++;
        CT_EQUAL(Handle->UniqueProcessId, 4);
        CT_EQUAL((ULONG)Handle->HandleValue & 0x7fffffff, (ULONG)(ULONG_PTR)Event & 0x7fffffff);
        CT_EQUAL(Handle->GrantedAccess, EVENT_MODIFY_STATE);
    }
    CT_EQUAL(Found, 1);
    ExFreePoolWithTag(List, 'tsTC');
    ZwClose(Event);
    ObDereferenceObject(Object);
}

static VOID SystemShortHandles(VOID)
{
    ULONG Length, Found = 0;
    PVOID Object = NULL;
    HANDLE Event = MakeEvent(&Object);
    SYSTEM_HANDLE_INFORMATION *List = Ask(ZwQuerySystemInformation, SystemHandleInformation, &Length);
    CT_REQUIRE(List != NULL);
    for (ULONG i = 0; i < List->NumberOfHandles; i++) {
        if (List->Handles[i].Object != Object)
            continue;
        Found++;
        CT_EQUAL(List->Handles[i].UniqueProcessId, 4);
        CT_EQUAL(List->Handles[i].HandleValue, (USHORT)(ULONG_PTR)Event);
    }
    CT_EQUAL(Found, 1);
    ExFreePoolWithTag(List, 'tsTC');
    ZwClose(Event);
    ObDereferenceObject(Object);
}

static VOID SystemSmall(VOID)
{
    SYSTEM_KERNEL_DEBUGGER_INFORMATION Debugger = {TRUE, FALSE};
    SYSTEM_CODEINTEGRITY_INFORMATION Code = {sizeof(Code), ~0u};
    CT_SUCCESS(ZwQuerySystemInformation(SystemKernelDebuggerInformation, &Debugger, sizeof(Debugger), NULL));
    CT_CHECK(!Debugger.KernelDebuggerEnabled || !Debugger.KernelDebuggerNotPresent);
    CT_SUCCESS(ZwQuerySystemInformation(SystemCodeIntegrityInformation, &Code, sizeof(Code), NULL));
    CT_CHECK(Code.CodeIntegrityOptions != ~0u);
    Code.Length = 3;
    CT_STATUS(ZwQuerySystemInformation(SystemCodeIntegrityInformation, &Code, sizeof(Code), NULL),
              STATUS_INFO_LENGTH_MISMATCH);
}

static const CT_CASE Cases[] = {
    {"process_system.basic", SystemBasic},
    {"process_system.times", SystemTimes},
    {"process_system.processes", SystemProcesses},
    {"process_system.performance", SystemPerformance},
    {"process_system.modules", SystemModules},
    {"process_system.handles", SystemHandles},
    {"process_system.short_handles", SystemShortHandles},
    {"process_system.small", SystemSmall},
};
CT_DRIVER(Cases)
