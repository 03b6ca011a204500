/* SPDX-License-Identifier: MIT
 * __C_specific_handler: the language handler of C functions with __try. Its data is the scope table: for each
 * guarded range a filter and the address of the __except block, or, with JumpTarget 0, a __finally function.
 * Inner scopes come first. [MS x64 exception handling, language-specific handler] */
#include "exception.h"

typedef LONG (*RTLP_FILTER)(PEXCEPTION_POINTERS Pointers, PVOID EstablisherFrame);
typedef VOID (*RTLP_TERMINATION)(BOOLEAN Abnormal, PVOID EstablisherFrame);

#define FILTER_IS_EXECUTE 1 /* HandlerAddress of __except(EXCEPTION_EXECUTE_HANDLER) */

typedef struct _RTLP_SCOPES {
    const SCOPE_TABLE_AMD64 *Table;
    DISPATCHER_CONTEXT *Dispatcher;
    ULONG64 ControlRva, TargetRva;
} RTLP_SCOPES;

static PVOID RtlpScopeAddress(const RTLP_SCOPES *Scopes, ULONG Rva)
{
    return (PVOID)(ULONG_PTR)(Scopes->Dispatcher->ImageBase + Rva);
}

static BOOLEAN RtlpIsInScope(const RTLP_SCOPES *Scopes, ULONG Index, ULONG64 Rva)
{
    return Rva >= Scopes->Table->ScopeRecord[Index].BeginAddress &&
           Rva < Scopes->Table->ScopeRecord[Index].EndAddress;
}

/* The scopes of the frame for an exception: asks the filters. */
static EXCEPTION_DISPOSITION RtlpAskFilters(const RTLP_SCOPES *Scopes, PEXCEPTION_RECORD Record, PVOID Frame,
                                            PCONTEXT Context)
{
    EXCEPTION_POINTERS Pointers = {Record, Context};
    DISPATCHER_CONTEXT *Dispatcher = Scopes->Dispatcher;

    for (ULONG i = Dispatcher->ScopeIndex; i < Scopes->Table->Count; i++) {
        ULONG Filter = Scopes->Table->ScopeRecord[i].HandlerAddress,
              Target = Scopes->Table->ScopeRecord[i].JumpTarget;
        if (Target == 0 || !RtlpIsInScope(Scopes, i, Scopes->ControlRva))
            continue;
        LONG Answer = Filter == FILTER_IS_EXECUTE
                          ? EXCEPTION_EXECUTE_HANDLER
                          : ((RTLP_FILTER)RtlpScopeAddress(Scopes, Filter))(&Pointers, Frame);
        if (Answer < 0)
            return ExceptionContinueExecution;
        if (Answer > 0) /* the __except block finds the code in RAX: GetExceptionCode() */
            RtlUnwindEx(Frame, RtlpScopeAddress(Scopes, Target), Record,
                        (PVOID)(ULONG_PTR)(ULONG)Record->ExceptionCode, Dispatcher->ContextRecord,
                        Dispatcher->HistoryTable);
    }
    return ExceptionContinueSearch;
}

/* Whether execution goes on inside the guarded range of scope Index or in its __except block: then it is not
 * left. A range may be split into several records with the same handler and target. */
static BOOLEAN RtlpTargetStaysIn(const RTLP_SCOPES *Scopes, ULONG Index)
{
    const SCOPE_TABLE_AMD64 *Table = Scopes->Table;

    if (Table->ScopeRecord[Index].JumpTarget != 0 &&
        Scopes->TargetRva == Table->ScopeRecord[Index].JumpTarget)
        return TRUE;
    for (ULONG i = 0; i < Table->Count; i++)
        if (Table->ScopeRecord[i].HandlerAddress == Table->ScopeRecord[Index].HandlerAddress &&
            Table->ScopeRecord[i].JumpTarget == Table->ScopeRecord[Index].JumpTarget &&
            RtlpIsInScope(Scopes, i, Scopes->TargetRva))
            return TRUE;
    return FALSE;
}

/* The scopes of the frame for an unwind: runs the __finally blocks that are left, each once: the scope index
 * is moved first, so that a collided unwind goes on behind it. */
static VOID RtlpRunTerminations(const RTLP_SCOPES *Scopes, BOOLEAN IsTarget, PVOID Frame)
{
    DISPATCHER_CONTEXT *Dispatcher = Scopes->Dispatcher;

    for (ULONG i = Dispatcher->ScopeIndex; i < Scopes->Table->Count; i++) {
        if (!RtlpIsInScope(Scopes, i, Scopes->ControlRva))
            continue;
        if (IsTarget && RtlpTargetStaysIn(Scopes, i))
            return;
        if (Scopes->Table->ScopeRecord[i].JumpTarget == 0) {
            Dispatcher->ScopeIndex = i + 1;
            ((RTLP_TERMINATION)RtlpScopeAddress(Scopes, Scopes->Table->ScopeRecord[i].HandlerAddress))(TRUE,
                                                                                                       Frame);
        }
    }
}

EXCEPTION_DISPOSITION __cdecl __C_specific_handler(struct _EXCEPTION_RECORD *ExceptionRecord,
                                                   void *EstablisherFrame, struct _CONTEXT *ContextRecord,
                                                   struct _DISPATCHER_CONTEXT *DispatcherContext)
{
    RTLP_SCOPES Scopes = {.Table = DispatcherContext->HandlerData,
                          .Dispatcher = DispatcherContext,
                          .ControlRva = DispatcherContext->ControlPc - DispatcherContext->ImageBase -
                                        (DispatcherContext->Fill0 == RTLP_CONTROL_PC_IS_UNWOUND ? 1 : 0),
                          .TargetRva = DispatcherContext->TargetIp - DispatcherContext->ImageBase};

    if ((ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND) == 0)
        return RtlpAskFilters(&Scopes, ExceptionRecord, EstablisherFrame, ContextRecord);
    RtlpRunTerminations(&Scopes, (ExceptionRecord->ExceptionFlags & EXCEPTION_TARGET_UNWIND) != 0,
                        EstablisherFrame);
    return ExceptionContinueSearch;
}
