/* SPDX-License-Identifier: MIT
 * The context switch. Nonvolatile integer registers go on the old stack, the whole extended state (XSAVE, or FXSAVE on
 * older processors) into the thread's area; which of the two ArchUseXSave says. */
    .intel_syntax noprefix
    .text

/* VOID ArchSwitchContext(PVOID *OldStack rcx, PVOID OldXState rdx, PVOID NewStack r8, PVOID NewXState r9) */
    .globl ArchSwitchContext
    .seh_proc ArchSwitchContext
ArchSwitchContext:
    push rbx
    .seh_pushreg rbx
    push rbp
    .seh_pushreg rbp
    push rsi
    .seh_pushreg rsi
    push rdi
    .seh_pushreg rdi
    push r12
    .seh_pushreg r12
    push r13
    .seh_pushreg r13
    push r14
    .seh_pushreg r14
    push r15
    .seh_pushreg r15
    .seh_endprologue
    mov r10, rdx
    mov eax, -1
    mov edx, -1
    cmp byte ptr [rip + ArchUseXSave], 0
    je 1f
    xsave64 [r10]
    mov [rcx], rsp
    mov rsp, r8
    xrstor64 [r9]
    jmp 2f
1:
    fxsave64 [r10]
    mov [rcx], rsp
    mov rsp, r8
    fxrstor64 [r9]
2:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    ret
    .seh_endproc

/* VOID ArchCallOnStack(PVOID StackBase rcx, VOID (*Routine)(PVOID) rdx, PVOID Argument r8). What lies on top of the new stack looks like
 * what a trap pushes, so that stack walks cross over. */
    .globl ArchCallOnStack
    .seh_proc ArchCallOnStack
ArchCallOnStack:
    push rbp
    .seh_pushreg rbp
    .seh_endprologue
    mov rbp, rsp
    mov rsp, rcx
    mov eax, ss
    push rax
    push rbp
    pushfq
    mov eax, cs
    push rax
    lea rax, [rip + ArchBackOnStack]
    push rax
    jmp ArchOnOtherStack
ArchBackOnStack:
    pop rbp
    ret
    .seh_endproc

    .seh_proc ArchOnOtherStack
ArchOnOtherStack:
    .seh_pushframe
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    mov rcx, r8
    call rdx
    mov rsp, rbp
    jmp ArchBackOnStack
    .seh_endproc

/* First code of a new thread: ArchPrepareStack left the entry in rbx and its argument in rsi. The return address 0 below it
 * ends every stack walk. */
    .globl ArchThreadStart
    .seh_proc ArchThreadStart
ArchThreadStart:
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    xor ebp, ebp
    mov rcx, rsi
    call rbx
    int3
    .seh_endproc
