/* SPDX-License-Identifier: MIT
 * Entry of every vector: a stub pushes what the processor did not, ArchTrapCommon completes the ARCH_TRAP_FRAME and calls
 * the handler from ArchTrapHandlers. The .seh lines let the unwinder cross a trap and recover every register. */
    .intel_syntax noprefix
    .text

/* Stubs are 16 bytes apart: ArchTrapStubs + 16 * vector. Vectors 8, 10-14, 17, 21, 29, 30 push an error code. */
    .globl ArchTrapStubs
    .p2align 4
ArchTrapStubs:
    .set vector, 0
    .rept 256
    .p2align 4
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
    .else
    push 0
    .endif
    push vector
    jmp ArchTrapCommon
    .set vector, vector + 1
    .endr

    .section .smap$m, "dr"
    .p2align 3
    .quad ArchTrapSmapSite
    .text
    .globl ArchTrapCommon
    .def ArchTrapCommon
    .scl 2
    .type 32
    .endef
    .seh_proc ArchTrapCommon
    .seh_handler ArchTrapPersonality, @except
ArchTrapCommon:
    .seh_pushframe @code
    .seh_stackalloc 8
    push rax
    .seh_pushreg rax
    push rcx
    .seh_pushreg rcx
    push rdx
    .seh_pushreg rdx
    push rbx
    .seh_pushreg rbx
    push rbp
    .seh_pushreg rbp
    push rsi
    .seh_pushreg rsi
    push rdi
    .seh_pushreg rdi
    push r8
    .seh_pushreg r8
    push r9
    .seh_pushreg r9
    push r10
    .seh_pushreg r10
    push r11
    .seh_pushreg r11
    push r12
    .seh_pushreg r12
    push r13
    .seh_pushreg r13
    push r14
    .seh_pushreg r14
    push r15
    .seh_pushreg r15
    sub rsp, 0x70 + 0x20
    .seh_stackalloc 0x90
    .seh_endprologue
    movaps [rsp + 0x20], xmm0
    movaps [rsp + 0x30], xmm1
    movaps [rsp + 0x40], xmm2
    movaps [rsp + 0x50], xmm3
    movaps [rsp + 0x60], xmm4
    movaps [rsp + 0x70], xmm5
    stmxcsr [rsp + 0x80]
    mov rax, cr8
    mov [rsp + 0x84], eax
    cld
ArchTrapSmapSite:
    .byte 0x0f, 0x1f, 0x00 /* user_access.c */
    lea rcx, [rsp + 0x20]
    mov eax, [rcx + 0xe8]
    lea rdx, [rip + ArchTrapHandlers]
    call [rdx + rax * 8]
    ldmxcsr [rsp + 0x80]
    movaps xmm0, [rsp + 0x20]
    movaps xmm1, [rsp + 0x30]
    movaps xmm2, [rsp + 0x40]
    movaps xmm3, [rsp + 0x50]
    movaps xmm4, [rsp + 0x60]
    movaps xmm5, [rsp + 0x70]
    add rsp, 0x90
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq
    .seh_endproc
