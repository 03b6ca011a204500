/* SPDX-License-Identifier: MIT
 * RtlCaptureContext and RtlRestoreContext. Offsets are those of CONTEXT (asserted in unwind.c). */
    .intel_syntax noprefix
    .text

    .set CONTEXT_AMD64_ALL, 0x10000F /* control, integer, segments, floating point */
    .set CxContextFlags, 0x30
    .set CxMxCsr, 0x34
    .set CxSegCs, 0x38
    .set CxSegDs, 0x3A
    .set CxSegEs, 0x3C
    .set CxSegFs, 0x3E
    .set CxSegGs, 0x40
    .set CxSegSs, 0x42
    .set CxEFlags, 0x44
    .set CxRax, 0x78
    .set CxRcx, 0x80
    .set CxRdx, 0x88
    .set CxRbx, 0x90
    .set CxRsp, 0x98
    .set CxRbp, 0xA0
    .set CxRsi, 0xA8
    .set CxRdi, 0xB0
    .set CxR8, 0xB8
    .set CxR9, 0xC0
    .set CxR10, 0xC8
    .set CxR11, 0xD0
    .set CxR12, 0xD8
    .set CxR13, 0xE0
    .set CxR14, 0xE8
    .set CxR15, 0xF0
    .set CxRip, 0xF8
    .set CxFltSave, 0x100
    .set CxXmm, 0x1A0

/* VOID RtlCaptureContext(PCONTEXT rcx). The registers as the caller has them after the call returns; changes none but flags and
 * RAX. [WDK RtlCaptureContext] */
    .globl RtlCaptureContext
    .def RtlCaptureContext
    .scl 2
    .type 32
    .endef
    .p2align 4
    .seh_proc RtlCaptureContext
RtlCaptureContext:
    pushfq
    .seh_stackalloc 8
    .seh_endprologue
    mov [rcx + CxRax], rax
    mov [rcx + CxRcx], rcx
    mov [rcx + CxRdx], rdx
    mov [rcx + CxRbx], rbx
    mov [rcx + CxRbp], rbp
    mov [rcx + CxRsi], rsi
    mov [rcx + CxRdi], rdi
    mov [rcx + CxR8], r8
    mov [rcx + CxR9], r9
    mov [rcx + CxR10], r10
    mov [rcx + CxR11], r11
    mov [rcx + CxR12], r12
    mov [rcx + CxR13], r13
    mov [rcx + CxR14], r14
    mov [rcx + CxR15], r15
    fxsave [rcx + CxFltSave]
    stmxcsr [rcx + CxMxCsr]
    mov word ptr [rcx + CxSegCs], cs
    mov word ptr [rcx + CxSegDs], ds
    mov word ptr [rcx + CxSegEs], es
    mov word ptr [rcx + CxSegFs], fs
    mov word ptr [rcx + CxSegGs], gs
    mov word ptr [rcx + CxSegSs], ss
    mov eax, [rsp]
    mov [rcx + CxEFlags], eax
    mov rax, [rsp + 8]
    mov [rcx + CxRip], rax
    lea rax, [rsp + 16]
    mov [rcx + CxRsp], rax
    mov dword ptr [rcx + CxContextFlags], CONTEXT_AMD64_ALL
    add rsp, 8
    ret
    .seh_endproc

/* VOID RtlRestoreContext(PCONTEXT rcx, PEXCEPTION_RECORD rdx). XMM registers, MXCSR, all general registers, then RIP, CS, RFLAGS,
 * RSP and SS by one IRETQ. The context may lie on the stack that is given up: it is read before RSP changes. */
    .globl RtlRestoreContext
    .def RtlRestoreContext
    .scl 2
    .type 32
    .endef
    .p2align 4
    .seh_proc RtlRestoreContext
RtlRestoreContext:
    sub rsp, 40
    .seh_stackalloc 40
    .seh_endprologue
    ldmxcsr [rcx + CxMxCsr]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps xmm\n, [rcx + CxXmm + 16 * \n]
    .endr
    mov rax, [rcx + CxRip]
    mov [rsp], rax
    movzx eax, word ptr [rcx + CxSegCs]
    mov [rsp + 8], rax
    mov eax, [rcx + CxEFlags]
    mov [rsp + 16], rax
    mov rax, [rcx + CxRsp]
    mov [rsp + 24], rax
    movzx eax, word ptr [rcx + CxSegSs]
    mov [rsp + 32], rax
    mov rax, [rcx + CxRax]
    mov rdx, [rcx + CxRdx]
    mov rbx, [rcx + CxRbx]
    mov rbp, [rcx + CxRbp]
    mov rsi, [rcx + CxRsi]
    mov rdi, [rcx + CxRdi]
    mov r8, [rcx + CxR8]
    mov r9, [rcx + CxR9]
    mov r10, [rcx + CxR10]
    mov r11, [rcx + CxR11]
    mov r12, [rcx + CxR12]
    mov r13, [rcx + CxR13]
    mov r14, [rcx + CxR14]
    mov r15, [rcx + CxR15]
    mov rcx, [rcx + CxRcx]
    iretq
    .seh_endproc
