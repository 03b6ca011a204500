/* SPDX-License-Identifier: MIT
 * Allocating, freeing, protecting, locking and flushing virtual memory of a process. Rounded base and size go back to the caller.
 * [WDK ZwAllocateVirtualMemory, ZwFreeVirtualMemory, ZwFlushVirtualMemory, ZwProtectVirtualMemory] */
#include "vmp.h"
#include "ke.h"

/* A call on a range of a process. */
typedef struct _VM_CALL {
    PEPROCESS Process; /* referenced */
    PVOID Base;
    SIZE_T Size;
    PVOID *BasePointer;
    PSIZE_T SizePointer;
    KPROCESSOR_MODE Mode;
} VM_CALL;

static NTSTATUS VmpBegin(VM_CALL *Call, HANDLE Process, PVOID *Base, PSIZE_T Size, KPROCESSOR_MODE Mode)
{
    *Call = (VM_CALL){.BasePointer = Base, .SizePointer = Size, .Mode = Mode};
    NTSTATUS Status = MmReadCallerVariable(&Call->Base, Base, sizeof(*Base), Mode);
    if (NT_SUCCESS(Status))
        Status = MmReadCallerVariable(&Call->Size, Size, sizeof(*Size), Mode);
    if (NT_SUCCESS(Status))
        Status = VmpReferenceProcess(Process, PROCESS_VM_OPERATION, Mode, &Call->Process);
    return Status;
}

/* What the operation did stays done when its answer cannot be written. */
static NTSTATUS VmpEnd(VM_CALL *Call, NTSTATUS Status)
{
    ObDereferenceObject(Call->Process);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Written = MmWriteCaller(Call->BasePointer, &Call->Base, sizeof(Call->Base), Call->Mode);
    if (NT_SUCCESS(Written))
        Written = MmWriteCaller(Call->SizePointer, &Call->Size, sizeof(Call->Size), Call->Mode);
    return NT_SUCCESS(Written) ? Status : Written;
}

static NTSTATUS VmpAllocate(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits, PSIZE_T RegionSize,
                            ULONG AllocationType, ULONG Protect, KPROCESSOR_MODE Mode)
{
    VM_CALL Call;
    NTSTATUS Status = VmpBegin(&Call, ProcessHandle, BaseAddress, RegionSize, Mode);

    if (!NT_SUCCESS(Status))
        return Status;
    return VmpEnd(&Call, MmAllocateVirtual(VmpSpaceOf(Call.Process), &Call.Base, ZeroBits, &Call.Size,
                                           AllocationType, Protect));
}

NTSTATUS NTAPI ZwAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
                                       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpAllocate(ProcessHandle, BaseAddress, ZeroBits, RegionSize, AllocationType, Protect, KernelMode);
}

NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
                                       PSIZE_T RegionSize, ULONG AllocationType, ULONG Protect)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpAllocate(ProcessHandle, BaseAddress, ZeroBits, RegionSize, AllocationType, Protect,
                       ExGetPreviousMode());
}

static NTSTATUS VmpFree(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG FreeType,
                        KPROCESSOR_MODE Mode)
{
    VM_CALL Call;
    NTSTATUS Status = VmpBegin(&Call, ProcessHandle, BaseAddress, RegionSize, Mode);

    if (!NT_SUCCESS(Status))
        return Status;
    return VmpEnd(&Call, MmFreeVirtual(VmpSpaceOf(Call.Process), &Call.Base, &Call.Size, FreeType));
}

NTSTATUS NTAPI ZwFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                   ULONG FreeType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpFree(ProcessHandle, BaseAddress, RegionSize, FreeType, KernelMode);
}

NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                   ULONG FreeType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpFree(ProcessHandle, BaseAddress, RegionSize, FreeType, ExGetPreviousMode());
}

static NTSTATUS VmpProtect(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG NewProtect,
                           PULONG OldProtect, KPROCESSOR_MODE Mode)
{
    VM_CALL Call;
    ULONG Old;
    NTSTATUS Status = MmProbeCaller(OldProtect, sizeof(*OldProtect), Mode);

    if (NT_SUCCESS(Status))
        Status = VmpBegin(&Call, ProcessHandle, BaseAddress, RegionSize, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status =
        VmpEnd(&Call, MmProtectVirtual(VmpSpaceOf(Call.Process), &Call.Base, &Call.Size, NewProtect, &Old));
    return NT_SUCCESS(Status) ? MmWriteCaller(OldProtect, &Old, sizeof(Old), Mode) : Status;
}

NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                      ULONG NewProtect, PULONG OldProtect)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpProtect(ProcessHandle, BaseAddress, RegionSize, NewProtect, OldProtect, KernelMode);
}

NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                      ULONG NewProtect, PULONG OldProtect)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpProtect(ProcessHandle, BaseAddress, RegionSize, NewProtect, OldProtect, ExGetPreviousMode());
}

/* [VirtualLock] MapType: 1 the working set, 2 physical memory; there is nothing between the two here. */
static NTSTATUS VmpLock(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG MapType,
                        KPROCESSOR_MODE Mode, BOOLEAN Lock)
{
    VM_CALL Call;

    if (MapType == 0 || (MapType & ~3u) != 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = VmpBegin(&Call, ProcessHandle, BaseAddress, RegionSize, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    return VmpEnd(&Call, Lock ? MmLockVirtual(VmpSpaceOf(Call.Process), &Call.Base, &Call.Size)
                              : MmUnlockVirtual(VmpSpaceOf(Call.Process), &Call.Base, &Call.Size));
}

NTSTATUS NTAPI ZwLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                   ULONG MapType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpLock(ProcessHandle, BaseAddress, RegionSize, MapType, KernelMode, TRUE);
}

NTSTATUS NTAPI NtLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                   ULONG MapType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpLock(ProcessHandle, BaseAddress, RegionSize, MapType, ExGetPreviousMode(), TRUE);
}

NTSTATUS NTAPI ZwUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                     ULONG MapType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpLock(ProcessHandle, BaseAddress, RegionSize, MapType, KernelMode, FALSE);
}

NTSTATUS NTAPI NtUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                     ULONG MapType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpLock(ProcessHandle, BaseAddress, RegionSize, MapType, ExGetPreviousMode(), FALSE);
}

/* The view at the call's base, from there on; size 0: to its end. The range becomes what was flushed. */
static NTSTATUS VmpFlushView(VM_CALL *Call, PIO_STATUS_BLOCK IoStatus)
{
    MM_VIEW View;
    PMM_SEGMENT Segment = MmReferenceSegmentAt(VmpSpaceOf(Call->Process), (ULONG_PTR)Call->Base, &View);

    if (Segment == NULL)
        return STATUS_NOT_MAPPED_VIEW;
    ULONG_PTR First = (ULONG_PTR)Call->Base & ~(ULONG_PTR)PAGE_MASK, End = View.Base + View.Size;
    ULONG_PTR Wanted = (ULONG_PTR)Call->Base + Call->Size;
    if (Call->Size != 0 && Wanted > (ULONG_PTR)Call->Base && Wanted < End)
        End = (Wanted + PAGE_MASK) & ~(ULONG_PTR)PAGE_MASK;
    NTSTATUS Status = MmFlushSegment(Segment, View.Offset + (First - View.Base), End - First, NULL, IoStatus);
    MmReleaseSegment(Segment);
    Call->Base = (PVOID)First;
    Call->Size = End - First;
    return Status;
}

/* [WDK ZwFlushVirtualMemory] the I/O status is written when pages were, whether that succeeded or not. */
static NTSTATUS VmpFlush(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                         PIO_STATUS_BLOCK IoStatus, KPROCESSOR_MODE Mode)
{
    VM_CALL Call;
    IO_STATUS_BLOCK Result = {.Status = STATUS_SUCCESS};
    NTSTATUS Status = MmProbeCaller(IoStatus, sizeof(*IoStatus), Mode);

    if (NT_SUCCESS(Status))
        Status = VmpBegin(&Call, ProcessHandle, BaseAddress, RegionSize, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpFlushView(&Call, &Result);
    BOOLEAN Flushed = Status != STATUS_NOT_MAPPED_VIEW;
    Status = VmpEnd(&Call, Status);
    NTSTATUS Written = Flushed ? MmWriteCaller(IoStatus, &Result, sizeof(Result), Mode) : STATUS_SUCCESS;
    return NT_SUCCESS(Written) ? Status : Written;
}

NTSTATUS NTAPI ZwFlushVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                    PIO_STATUS_BLOCK IoStatus)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpFlush(ProcessHandle, BaseAddress, RegionSize, IoStatus, KernelMode);
}

NTSTATUS NTAPI NtFlushVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                    PIO_STATUS_BLOCK IoStatus)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpFlush(ProcessHandle, BaseAddress, RegionSize, IoStatus, ExGetPreviousMode());
}

/* --- for drivers that work on memory of the current process ---------------------------------------------------------- */

/* IRQL <= APC_LEVEL. [WDK MmSecureVirtualMemory] ProbeMode: PAGE_READONLY or PAGE_READWRITE; NULL when the memory does not permit it. */
HANDLE NTAPI MmSecureVirtualMemory(PVOID Address, SIZE_T Size, ULONG ProbeMode)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return MmSecureVirtual(VmpSpaceOf(IoGetCurrentProcess()), (ULONG_PTR)Address, Size, ProbeMode);
}

/* IRQL <= APC_LEVEL, in the process that secured it. [WDK MmUnsecureVirtualMemory] */
VOID NTAPI MmUnsecureVirtualMemory(HANDLE SecureHandle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    MmUnsecureVirtual(VmpSpaceOf(IoGetCurrentProcess()), SecureHandle);
}
