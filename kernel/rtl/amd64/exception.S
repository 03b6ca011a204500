/* SPDX-License-Identifier: MIT
 * RtlRaiseException, and the trampolines that call language handlers. A trampoline leaves the dispatcher context in its
 * frame; its own language handler finds it there when an exception or an unwind passes through. */
    .intel_syntax noprefix
    .text

    .set CxRcx, 0x80
    .set CxRsp, 0x98
    .set CxRip, 0xF8
    .set ErExceptionFlags, 4
    .set ErExceptionAddress, 0x10
    .set DcControlPc, 0x00
    .set DcImageBase, 0x08
    .set DcFunctionEntry, 0x10
    .set DcEstablisherFrame, 0x18
    .set DcContextRecord, 0x28
    .set DcLanguageHandler, 0x30
    .set DcHandlerData, 0x38
    .set DcHistoryTable, 0x40
    .set DcScopeIndex, 0x48 /* and Fill0 behind it */
    .set EXCEPTION_UNWIND, 0x66
    .set ExceptionContinueSearch, 1
    .set ExceptionNestedException, 2
    .set ExceptionCollidedUnwind, 3
    .set SavedDispatcher, 0x20 /* in the frame of both trampolines, whose establisher frame is their RSP */

    .macro FUNCTION name
    .globl \name
    .def \name
    .scl 2
    .type 32
    .endef
    .p2align 4
    .seh_proc \name
\name:
    .endm

/* VOID RtlRaiseException(PEXCEPTION_RECORD rcx): the context is that of the caller behind the call. */
    .set FrameSize, 0x4D0 + 0x20 + 8
FUNCTION RtlRaiseException
    sub rsp, FrameSize
    .seh_stackalloc FrameSize
    .seh_endprologue
    mov [rsp + FrameSize + 8], rcx
    lea rcx, [rsp + 0x20]
    call RtlCaptureContext
    lea rdx, [rsp + 0x20]
    lea rax, [rsp + FrameSize + 8]
    mov [rdx + CxRsp], rax
    mov rcx, [rsp + FrameSize + 8]
    mov [rdx + CxRcx], rcx
    mov rax, [rsp + FrameSize]
    mov [rdx + CxRip], rax
    mov [rcx + ErExceptionAddress], rax
    call RtlpRaise
    int 3
    .seh_endproc

/* EXCEPTION_DISPOSITION RtlpExecuteHandlerForException(record rcx, frame rdx, context r8, dispatcher r9) */
FUNCTION RtlpExecuteHandlerForException
    .seh_handler RtlpNestedHandler, @except, @unwind
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    mov [rsp + SavedDispatcher], r9
    call qword ptr [r9 + DcLanguageHandler]
    nop
    add rsp, 0x28
    ret
    .seh_endproc

/* EXCEPTION_DISPOSITION RtlpExecuteHandlerForUnwind(record rcx, frame rdx, context r8, dispatcher r9) */
FUNCTION RtlpExecuteHandlerForUnwind
    .seh_handler RtlpCollidedHandler, @except, @unwind
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    mov [rsp + SavedDispatcher], r9
    call qword ptr [r9 + DcLanguageHandler]
    nop
    add rsp, 0x28
    ret
    .seh_endproc

/* An exception inside a handler that was asked about another exception: the dispatcher learns the frame of that handler. An unwind
 * simply passes. (record rcx, frame rdx, context r8, dispatcher r9) */
FUNCTION RtlpNestedHandler
    .seh_endprologue
    mov eax, ExceptionContinueSearch
    test dword ptr [rcx + ErExceptionFlags], EXCEPTION_UNWIND
    jnz 1f
    mov rax, [rdx + SavedDispatcher]
    mov rax, [rax + DcEstablisherFrame]
    mov [r9 + DcEstablisherFrame], rax
    mov eax, ExceptionNestedException
1:  ret
    .seh_endproc

/* An exception or an unwind that began inside a termination handler: all but the target is handed over from the unwind that called
 * it, which will never go on. */
FUNCTION RtlpCollidedHandler
    .seh_endprologue
    mov r10, [rdx + SavedDispatcher]
    .irp field, DcControlPc, DcImageBase, DcFunctionEntry, DcEstablisherFrame, DcContextRecord, DcLanguageHandler, DcHandlerData, DcHistoryTable, DcScopeIndex
    mov rax, [r10 + \field]
    mov [r9 + \field], rax
    .endr
    mov eax, ExceptionCollidedUnwind
    ret
    .seh_endproc

/* Stack probe of the MSVC ABI: RAX is the size of a frame; touches each page from RSP down. Changes no register. */
FUNCTION __chkstk
    push rcx
    .seh_stackalloc 8
    push rax
    .seh_stackalloc 8
    .seh_endprologue
    lea rcx, [rsp + 24]
1:  cmp rax, 0x1000
    jb 2f
    sub rcx, 0x1000
    test [rcx], rcx
    sub rax, 0x1000
    jmp 1b
2:  sub rcx, rax
    test [rcx], rcx
    pop rax
    pop rcx
    ret
    .seh_endproc
