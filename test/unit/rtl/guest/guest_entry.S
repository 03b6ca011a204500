/* SPDX-License-Identifier: MIT
 * Guest entry points that C cannot express. */
    .intel_syntax noprefix
    .text

/* A trap as the processor makes it: RIP, CS, RFLAGS, RSP, SS on the stack; record in RCX, context in RDX. */
    .globl GuestTrapEntry
    .def GuestTrapEntry
    .scl 2
    .type 32
    .endef
    .seh_proc GuestTrapEntry
GuestTrapEntry:
    .seh_pushframe
    sub rsp, 0x20
    .seh_stackalloc 0x20
    .seh_endprologue
    call GuestTrap
    int 3
    .seh_endproc

    .globl GuestUnwindThrough
    .def GuestUnwindThrough
    .scl 2
    .type 32
    .endef
    .seh_proc GuestUnwindThrough
GuestUnwindThrough:
    sub rsp, 0x38
    .seh_stackalloc 0x38
    .seh_endprologue
    mov rax, rcx
    mov [rsp + 0x28], rsp
    lea rcx, [rsp + 0x28]
    lea rdx, [rip + 1f]
    call rax
    xor eax, eax
1:  nop
    add rsp, 0x38
    ret
    .seh_endproc

    .globl GuestChkstk
    .def GuestChkstk
    .scl 2
    .type 32
    .endef
    .seh_proc GuestChkstk
GuestChkstk:
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    mov rax, rcx
    mov r10, rsp
    mov r11, rcx
    call __chkstk
    cmp r10, rsp
    jne 2f
    cmp r11, rcx
    je 3f
2:  xor eax, eax
3:  add rsp, 0x28
    ret
    .seh_endproc
