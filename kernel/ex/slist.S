/* SPDX-License-Identifier: MIT
 * Sequenced singly linked lists, lock-free at any IRQL. Low half of the header: depth (16 bits), sequence (48), which every push
 * advances, so that a pop that was overtaken (ABA) fails. High half: address of the first entry. Bits 0-3 of an empty list may have a type,
 * which who made it has put there; the first push drops it.
 *
 * A pop reads the link of an entry that another processor may have taken and unmapped meanwhile. ExpPopSListFault is that
 * read: a page fault there goes on at ExpPopSListResume, which reads the header again (ExFixSListFault). */
    .intel_syntax noprefix
    .text

/* PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER rcx, PSLIST_ENTRY rdx): the entry that was first */
    .globl ExpInterlockedPushEntrySList
    .seh_proc ExpInterlockedPushEntrySList
ExpInterlockedPushEntrySList:
    push rbx
    .seh_pushreg rbx
    .seh_endprologue
    mov r8, rcx
    mov rcx, rdx
    mov rax, [r8]
    mov rdx, [r8 + 8]
1:  mov r9, rdx
    and r9, -16
    mov [rcx], r9
    lea rbx, [rax + 0x10001]
    lock cmpxchg16b [r8]
    jnz 1b
    mov rax, r9
    pop rbx
    ret
    .seh_endproc

/* PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER rcx): the first entry, NULL when the list is empty */
    .globl ExpInterlockedPopEntrySList, ExpPopSListFault, ExpPopSListResume
    .seh_proc ExpInterlockedPopEntrySList
ExpInterlockedPopEntrySList:
    push rbx
    .seh_pushreg rbx
    .seh_endprologue
    mov r8, rcx
ExpPopSListResume:
    mov rax, [r8]
    mov rdx, [r8 + 8]
1:  cmp rdx, 15
    jbe 2f
ExpPopSListFault:
    mov rcx, [rdx]
    lea rbx, [rax - 1]
    lock cmpxchg16b [r8]
    jnz 1b
    mov rax, rdx
    pop rbx
    ret
2:  xor eax, eax
    pop rbx
    ret
    .seh_endproc

/* PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER rcx): all entries, chained; the list is empty */
    .globl ExpInterlockedFlushSList
    .seh_proc ExpInterlockedFlushSList
ExpInterlockedFlushSList:
    push rbx
    .seh_pushreg rbx
    .seh_endprologue
    mov r8, rcx
    mov rax, [r8]
    mov rdx, [r8 + 8]
1:  mov ecx, edx
    and ecx, 15
    mov rbx, rax
    xor bx, bx
    lock cmpxchg16b [r8]
    jnz 1b
    mov rax, rdx
    and rax, -16
    pop rbx
    ret
    .seh_endproc
