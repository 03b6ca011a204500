; SPDX-License-Identifier: MIT
; The first instructions. One ELF64 file with two doors: a Multiboot2 header (GRUB, BIOS and UEFI) and a PVH note (QEMU
; -kernel). Both arrive in 32-bit protected mode without paging, EBX points to the boot information. What long mode
; itself needs is checked here; all other requirements are checked in C, where a frame buffer can be drawn on.

COM1            equ 0x3f8
TEXT_SCREEN     equ 0xb8000
MULTIBOOT2_MAGIC equ 0x36d76289
PVH_MAGIC       equ 0x336ec578
STACK_SIZE      equ 0x4000

EFER            equ 0xc0000080
EFER_LME        equ 1 << 8
CR0_PE          equ 1 << 0
CR0_MP          equ 1 << 1
CR0_NE          equ 1 << 5
CR0_WP          equ 1 << 16
CR0_PG          equ 1 << 31
CR4_PAE         equ 1 << 5
CR4_OSFXSR      equ 1 << 9
CR4_OSXMMEXCPT  equ 1 << 10

extern OslMain
global OslStartMultiboot2, OslEnterKernel, OslIdentityTables, OslIdentityTablesEnd

section .multiboot2 progbits alloc noexec nowrite align=8
; [Multiboot2 3.1] magic, architecture 0 (i386), length, checksum; then tags
multiboot2_header:
    dd 0xe85250d6, 0, multiboot2_end - multiboot2_header
    dd -(0xe85250d6 + (multiboot2_end - multiboot2_header))
    dw 6, 0                     ; modules begin on a page
    dd 8
    dw 5, 1                     ; a frame buffer of any size, optional: without this UEFI passes none
    dd 20, 0, 0, 0
    dd 0                        ; padding
    dw 0, 0                     ; end
    dd 8
multiboot2_end:

section .note.pvh note alloc noexec nowrite align=4
    dd 4, 4, 18                 ; name size, contents size, XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dd start_pvh

section .text
bits 32

start_pvh:
    mov eax, PVH_MAGIC
OslStartMultiboot2:
    cli
    cld
    mov esp, stack_top
    mov ebp, eax                ; who called: the Multiboot2 magic, or PVH_MAGIC
    lgdt [gdt_pointer]
    mov eax, data_selector
    mov ds, eax
    mov es, eax
    mov ss, eax

    pushfd                      ; CPUID is there if EFLAGS.ID can be changed
    pop eax
    mov ecx, eax
    xor eax, 1 << 21
    push eax
    popfd
    pushfd
    pop eax
    push ecx
    popfd
    xor eax, ecx
    mov esi, text_no_cpuid
    test eax, 1 << 21
    jz fail32

    mov esi, text_no_long_mode
    mov edi, ebx                ; cpuid writes ebx
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb fail32
    mov eax, 0x80000001
    cpuid
    test edx, 1 << 29
    jz fail32
    mov esi, text_no_pae
    mov eax, 1
    cpuid
    test edx, 1 << 6
    jz fail32
    mov esi, text_no_msr
    test edx, 1 << 5
    jz fail32
    mov ebx, edi

; The identity map of 0..4 GiB: one PML4, one page directory pointer table, four page directories of 2 MiB pages.
    mov edi, page_directories
    mov eax, 0x83               ; present, writable, large
.directory:
    mov [edi], eax
    mov dword [edi + 4], 0
    add edi, 8
    add eax, 0x200000
    jnc .directory
    mov edi, OslIdentityTables
    mov eax, page_directories + 3
.pointer:
    mov [edi], eax
    add edi, 8
    add eax, 0x1000
    cmp eax, page_directories + 0x4000 + 3
    jb .pointer
    mov dword [first_pml4], OslIdentityTables + 3

    mov eax, CR4_PAE
    mov cr4, eax
    mov eax, first_pml4
    mov cr3, eax
    mov ecx, EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    mov eax, CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE
    mov cr0, eax
    jmp code64_selector:start64

; ESI: a sentence. Shows it on COM1 and on the text screen (a processor without long mode has no UEFI that could have
; set a graphics mode), then halts.
fail32:
    mov dx, COM1 + 7            ; the scratch register tells whether there is a UART
    mov al, 0x5a
    out dx, al
    in al, dx
    mov ah, al
    mov edi, TEXT_SCREEN
    mov dx, COM1 + 3
    mov al, 0x80
    out dx, al
    mov dx, COM1
    mov al, 1                   ; 115200 baud
    out dx, al
    inc dx
    mov al, 0
    out dx, al
    mov dx, COM1 + 3
    mov al, 3                   ; 8 bits, no parity, one stop bit
    out dx, al
.next:
    lodsb
    test al, al
    jz .halt
    cmp al, 32
    jb .serial
    mov [edi], al
    mov byte [edi + 1], 0x0c    ; light red on black
    add edi, 2
.serial:
    cmp ah, 0x5a
    jne .next
    mov bl, al
    mov ecx, 100000             ; do not wait for ever for a UART that never gets ready
    mov dx, COM1 + 5
.wait:
    in al, dx
    test al, 0x20
    loopz .wait
    mov dx, COM1
    mov al, bl
    out dx, al
    jmp .next
.halt:
    cli
    hlt
    jmp .halt

bits 64
start64:
    rdtsc
    shl rdx, 32
    or rdx, rax                 ; third argument: the time stamp
    mov eax, data_selector
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rsp, stack_top
    mov edi, ebp                ; first: the magic
    mov esi, ebx                ; second: the boot information
    xor ebp, ebp
    call OslMain
.halt:
    cli
    hlt
    jmp .halt

; OslEnterKernel(rdi = root, rsi = stack top, rdx = entry, rcx = block)
OslEnterKernel:
    mov cr3, rdi
    mov eax, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT
    mov cr4, rax
    mov eax, CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE
    mov cr0, rax
    xor eax, eax
    mov cr8, rax
    mov rsp, rsi
    sub rsp, 32                 ; home space of the Microsoft convention; RSP is a multiple of 16 before the call
    xor ebp, ebp
    call rdx
    ud2

section .rodata
%define NEEDS "; ntbox needs a 64-bit processor with long mode, NX, CMPXCHG16B, FXSAVE, SSE2 and an APIC", 13, 10, 0
text_no_cpuid:
    db "ntbox: this processor lacks the CPUID instruction", NEEDS
text_no_long_mode:
    db "ntbox: this processor lacks long mode (64-bit)", NEEDS
text_no_pae:
    db "ntbox: this processor lacks PAE (physical address extension)", NEEDS
text_no_msr:
    db "ntbox: this processor lacks MSRs (model-specific registers)", NEEDS

align 8
gdt:
    dq 0
code32_selector equ $ - gdt
    dq 0x00cf9a000000ffff
data_selector   equ $ - gdt
    dq 0x00cf92000000ffff
code64_selector equ $ - gdt
    dq 0x00af9a000000ffff
gdt_pointer:
    dw $ - gdt - 1
    dd gdt

section .bss align=4096
first_pml4:
    resb 0x1000
OslIdentityTables:              ; page directory pointer table, then the four directories
    resb 0x1000
page_directories:
    resb 0x4000
OslIdentityTablesEnd:
    resb STACK_SIZE
stack_top:
