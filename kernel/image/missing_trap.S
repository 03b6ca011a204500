/* SPDX-License-Identifier: MIT
 * Where a call of a missing import ends up (`allow-missing`): r10 is the slot, the return address tells the caller. */
    .intel_syntax noprefix
    .text
    .globl ImpMissingTrap
    .seh_proc ImpMissingTrap
ImpMissingTrap:
    sub rsp, 0x28
    .seh_stackalloc 0x28
    .seh_endprologue
    mov rcx, r10
    mov rdx, [rsp + 0x28]
    call ImpMissingCalled
    int3
    .seh_endproc
