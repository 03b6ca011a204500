/* SPDX-License-Identifier: MIT
 * The first instructions of a processor that is being started. The page below 1 MiB holds a copy of ArchTrampoline: from
 * real mode straight into long mode, then to ArchProcessorEntry in the kernel's own code.
 * [Intel SDM volume 3, 9.4.4 "Processor initialization by start-up IPI"; 10.8.5 "Initializing IA-32e mode"] */

/* Offsets of ARCH_TRAMPOLINE_DATA inside the page (arch/amd64/trampoline.c fills it). */
#define DATA 0x800
#define DATA_GDTR (DATA + 0x20)
#define DATA_CR0 (DATA + 0x28)
#define DATA_CR3 (DATA + 0x2c)
#define DATA_CR4 (DATA + 0x30)
#define DATA_EFER (DATA + 0x34)
#define DATA_LONG (DATA + 0x38)
#define DATA_ENTRY (DATA + 0x40)

    .section .rdata,"dr"
    .globl ArchTrampoline
    .globl ArchTrampolineLong
    .globl ArchTrampolineEnd
    .p2align 4
    .code16
ArchTrampoline:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl DATA_GDTR
    movl DATA_CR4, %eax
    movl %eax, %cr4
    movl DATA_CR3, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    movl DATA_EFER, %eax
    xorl %edx, %edx
    wrmsr
    movl DATA_CR0, %eax
    movl %eax, %cr0
    ljmpl *DATA_LONG
    .code64
ArchTrampolineLong:
    leaq ArchTrampoline(%rip), %rax
    movq DATA_ENTRY(%rax), %rax
    jmpq *%rax
ArchTrampolineEnd:

    .text
    .intel_syntax noprefix
/* In the kernel's address space from here on. The processor finds its slot (ARCH_START_SLOT) by its APIC id and goes on as a
 * new thread does; one that nobody asked for halts. */
    .globl ArchProcessorEntry
ArchProcessorEntry:
    mov rax, [rip + ArchStartRoot]
    mov cr3, rax
    mov eax, 1
    xor ecx, ecx
    cpuid
    shr ebx, 24
    mov r8d, ebx
    xor eax, eax
    cpuid
    cmp eax, 11
    jb 1f
    mov eax, 11
    xor ecx, ecx
    cpuid
    test ebx, ebx
    jz 1f
    mov r8d, edx            /* the whole 32-bit id */
1:
    mov rsi, [rip + ArchStartSlots]
    mov ecx, [rip + ArchStartCount]
2:
    cmp [rsi], r8d
    je 4f
    add rsi, 24
    dec ecx
    jnz 2b
3:
    cli
    hlt
    jmp 3b
4:
    mov rsp, [rsi + 8]
    push 0                  /* return address: end of every stack walk */
    mov rbx, [rip + ArchStartEntry]
    mov rsi, [rsi + 16]
    jmp ArchThreadStart
