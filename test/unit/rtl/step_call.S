/* SPDX-License-Identifier: MIT
 * uint64_t step_call(void *guest): loads a pattern into every register that the Windows ABI preserves, notes RSP and the return
 * address in step_expected, and calls guest with the trap flag set. Returns the flags of registers that came back changed. */
    .intel_syntax noprefix
    .text
    .globl step_call
    .type step_call, @function
step_call:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    sub rsp, 0x28
    mov rax, rdi
    mov rbx, 0x1111111111111101
    mov rbp, 0x2222222222222202
    mov rsi, 0x3333333333333303
    mov rdi, 0x4444444444444404
    mov r12, 0x5555555555555505
    mov r13, 0x6666666666666606
    mov r14, 0x7777777777777707
    mov r15, 0x8888888888888808
    .irp n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    mov r10, \n
    imul r10, r10, 0x01010101
    movq xmm\n, r10
    punpcklqdq xmm\n, xmm\n
    .endr
    lea r10, [rip + 1f]
    mov [rip + step_return_address], r10
    mov [rip + step_return_rsp], rsp
    pushfq
    or qword ptr [rsp], 0x100
    popfq
    call rax
1:  pushfq
    and qword ptr [rsp], ~0x100
    popfq
    add rsp, 0x28
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
    .size step_call, . - step_call

    .bss
    .globl step_return_address
    .globl step_return_rsp
    .p2align 3
step_return_address:
    .quad 0
step_return_rsp:
    .quad 0
    .section .note.GNU-stack, "", @progbits
